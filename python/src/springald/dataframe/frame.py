"""DataFrames."""

from springald.dataframe.joins import Joins
from springald.dataframe.summaries import Summaries
from springald.dataframe.verbs import Verbs
from springald.dataframe.writing import Writing

__all__ = ["DataFrame"]


class DataFrame(Verbs, Joins, Summaries, Writing):
    """A query of a session; made by the methods of a connection, and by those of other DataFrames.

    It holds no rows. What its methods say becomes a plan, here, without a server; names and types
    are looked up on the server, when rows or the schema are asked for. Each method that needs rows
    runs the query anew: to use rows more than once, keep what `to_arrow()` returns, or what
    `cache()` does. A statement that is no query (`CREATE`, `SET`, ...) has run when its DataFrame
    is made, and does not run again.

    Method names are those of datafusion-python where it has one.

    Example:
        >>> df.filter(col("a") > 1).select("b")
        DataFrame
          Projection: b
            Filter: a > 1
              Table: t
    """
