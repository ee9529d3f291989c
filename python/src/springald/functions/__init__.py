"""The engine's functions: scalar, aggregate and window functions for expressions.

They are named after SQL's and take what datafusion-python's functions take. An argument that is no
expression becomes a literal, so text is text; a column is `col("name")`. Which functions there are,
and what is said about them, comes from the server (`springald.functions.names`).

Table functions make rows, not values: `Connection.table_function()`.

Example:
    >>> from springald import functions as f
    >>> f.round(f.avg(col("price")), 2).alias("mean")
    Expr(round(avg(price), 2) AS mean)
"""

from springald.functions.aggregates import *  # noqa: F403 - each module lists its names
from springald.functions.lists import *  # noqa: F403
from springald.functions.lists import array_has_any, array_min, generate_series
from springald.functions.numbers import *  # noqa: F403
from springald.functions.special import *  # noqa: F403
from springald.functions.texts import *  # noqa: F403
from springald.functions.times import *  # noqa: F403
from springald.functions.values import *  # noqa: F403
from springald.functions.windows import *  # noqa: F403

# What datafusion-python calls so, and the server does not.
gen_series = generate_series
list_min = array_min
list_overlap = array_has_any
