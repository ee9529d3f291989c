"""The rows of a DataFrame, in whatever form they are asked for."""

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Final, Self, TypeVar

import pyarrow as pa

from springald.client_limits import HTML_ROWS_MAX, SHOW_ROWS_DEFAULT
from springald.dataframe.relations import fetched, is_count
from springald.dataframe.schema import FrameSchema
from springald.dataframe.statement import Parameters, Statement
from springald.display import html_table, rows_text
from springald.errors import InvalidArgumentError, SpringaldError, UnsupportedError
from springald.expr.node import Node
from springald.job import Job
from springald.plan.v1 import plan_pb2
from springald.python_values import python_columns, python_rows
from springald.scheduler.v1 import scheduler_pb2 as pb
from springald.session import Session
from springald.sql_text import count_query, limit_query
from springald.types import schema_from_proto

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

__all__ = ["Rows"]

ReturnT = TypeVar("ReturnT")

_ROWS_MAX: Final = 2**63 - 1
"""How many rows can be counted."""


class Rows:
    """A query of a session, and the ways to its rows."""

    def __init__(self, session: Session, statement: Statement, done: Job | None = None) -> None:
        """Wraps a query, or a statement together with the job that ran it."""
        self._session = session
        self._statement = statement
        self._done = done
        self._schema: pa.Schema | None = None

    @property
    def session(self) -> Session:
        """The session that the query belongs to."""
        return self._session

    @property
    def parameters(self) -> Parameters:
        """The values of the query's parameters.

        Example:
            >>> df.with_parameters(1).parameters.positional
            (1,)
        """
        return self._statement.parameters

    @property
    def node(self) -> Node:
        """The relation whose rows these are, to build on.

        Raises:
            UnsupportedError: The statement is none that a query can be made of.
        """
        return self._statement.relation()

    @property
    def sql(self) -> str | None:
        """The text of the query; None if it is not, or no longer, one that was written in SQL.

        Example:
            >>> con.sql("SELECT 1").sql, con.sql("SELECT 1").head().filter(lit(True)).sql
            ('SELECT 1', None)
        """
        return self._statement.sql

    @property
    def schema(self) -> FrameSchema:
        """The names and types of the columns; the query is planned, not run, to know them.

        Example:
            >>> df.schema()
            a: int64
            b: string
            >>> df.schema.names
            ['a', 'b']
        """
        if self._schema is None:
            self._schema = self._done.result().schema if self._done else self._describe()
        return FrameSchema(self._schema)

    @property
    def columns(self) -> list[str]:
        """The names of the columns.

        Example:
            >>> df.columns
            ['a', 'b']
        """
        names: list[str] = self.schema().names
        return names

    def to_plan(self) -> plan_pb2.Plan:
        """Returns the query as a message of the protocol, which any language can send.

        Example:
            >>> df.select("a").to_plan().WhichOneof("statement")
            'relations'
        """
        return self._statement.to_plan()

    def with_parameters(self, *values: object, **named: object) -> Self:
        """Returns the query with values for its parameters.

        Args:
            *values: For `$1`, `$2` and so on, of SQL and of `placeholder(1)`.
            **named: For `$name` and `placeholder("name")`.

        Example:
            >>> from springald.expr import placeholder
            >>> df.filter(col("a") > placeholder("low")).with_parameters(low=2).to_pydict()
            {'a': [3], 'b': ['z']}

        Raises:
            InvalidArgumentError: Both kinds are given.
        """
        if values and named:
            raise InvalidArgumentError(
                "parameters have numbers or names, not both: got "
                f"{len(values)} values and {', '.join(named)}"
            )
        parameters = Parameters(values, named)
        return type(self)(self._session, self._statement.with_parameters(parameters))

    def execute(self) -> Job:
        """Starts the query and returns at once, with the job.

        Example:
            >>> df.execute().result().num_rows
            3

        Raises:
            SpringaldError: The scheduler refused the statement, or cannot be reached.
        """
        if self._done is not None:
            return self._done
        statement = self._statement
        return Job(self._session, str(statement), statement.to_plan(), statement.pointed)

    def to_arrow(self) -> pa.Table:
        """Runs the query and returns its rows as an Arrow table.

        Example:
            >>> df.to_arrow().num_rows
            3

        Raises:
            SpringaldError: The query failed; the class says whose fault it is.
        """
        return self.execute().result()

    def to_arrow_table(self) -> pa.Table:
        """Does the same as `to_arrow()`; the name that datafusion-python has for it.

        Example:
            >>> df.to_arrow_table().column_names
            ['a', 'b']
        """
        return self.to_arrow()

    def to_batches(self) -> pa.RecordBatchReader:
        """Runs the query and returns a reader that fetches its rows bit by bit.

        The client holds a few batches at a time, however large the result is.

        Example:
            >>> with df.to_batches() as reader:
            ...     sum(batch.num_rows for batch in reader)
            3
        """
        return self.execute().result_batches()

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        """Runs the query and gives its batches, as `to_batches()` does."""
        with self.to_batches() as reader:
            yield from reader

    def execute_stream(self) -> pa.RecordBatchReader:
        """Does the same as `to_batches()`; the name that datafusion-python has for it.

        Example:
            >>> df.execute_stream().read_all().num_rows
            3
        """
        return self.to_batches()

    def collect(self) -> list[pa.RecordBatch]:
        """Runs the query and returns its rows as a list of Arrow batches.

        Example:
            >>> sum(batch.num_rows for batch in df.collect())
            3
        """
        return list(self.to_batches())

    def collect_partitioned(self) -> list[list[pa.RecordBatch]]:
        """Does the same as `collect()`, as one partition: a result is one row after the other.

        Example:
            >>> [sum(batch.num_rows for batch in part) for part in df.collect_partitioned()]
            [3]
        """
        return [self.collect()]

    def execute_stream_partitioned(self) -> list[pa.RecordBatchReader]:
        """Does the same as `execute_stream()`, as one partition.

        Example:
            >>> [reader.read_all().num_rows for reader in df.execute_stream_partitioned()]
            [3]
        """
        return [self.execute_stream()]

    def collect_column(self, column_name: str) -> pa.ChunkedArray:
        """Runs the query and returns one column of its rows.

        Example:
            >>> df.collect_column("a").to_pylist()
            [1, 2, 3]
        """
        return self.to_arrow().column(column_name)

    def to_pandas(self) -> "pd.DataFrame":
        """Runs the query and returns its rows as a pandas DataFrame.

        Example:
            >>> df.to_pandas()["a"].sum()
            np.int64(6)
        """
        _require("pandas")
        frame: pd.DataFrame = self.to_arrow().to_pandas()
        return frame

    def to_polars(self) -> "pl.DataFrame":
        """Runs the query and returns its rows as a polars DataFrame.

        Example:
            >>> df.to_polars().height
            3
        """
        polars = _require("polars")
        frame: pl.DataFrame = polars.from_arrow(self.to_arrow())
        return frame

    def to_pydict(self) -> dict[str, list[Any]]:
        """Runs the query and returns a list of Python values for each column.

        Dates and times are Python's: what is finer than a microsecond is cut.

        Example:
            >>> df.to_pydict()
            {'a': [1, 2, 3], 'b': ['x', None, 'z']}

        Raises:
            CastFailedError: A date or time is not in the years that Python has.
        """
        return python_columns(self.to_arrow())

    def to_pylist(self) -> list[dict[str, Any]]:
        """Runs the query and returns a dictionary of Python values for each row.

        Dates and times are Python's: what is finer than a microsecond is cut.

        Example:
            >>> df.head(1).to_pylist()
            [{'a': 1, 'b': 'x'}]

        Raises:
            CastFailedError: A date or time is not in the years that Python has.
        """
        return python_rows(self.to_arrow())

    def limit(self, count: int, offset: int = 0) -> Self:
        """Returns a DataFrame of a run of the rows, in the query's own order.

        Args:
            count: How many rows, at least 0.
            offset: How many rows to leave out first, at least 0.

        Example:
            >>> df.limit(1, 1).to_pydict()
            {'a': [2], 'b': [None]}
        """
        if not (is_count(count, _ROWS_MAX) and is_count(offset, _ROWS_MAX)):
            raise InvalidArgumentError(
                f"a limit and an offset are at least 0 and at most {_ROWS_MAX}: got {count!r} "
                f"and {offset!r}"
            )
        statement = self._statement
        if statement.sql is None or not statement.is_nestable:
            return self._over(fetched(self.node, count, offset))
        # In the text itself, because a subquery's ORDER BY means nothing to SQL.
        text = limit_query(statement.sql, count, offset)
        return type(self)(self._session, Statement(text, None, statement.parameters))

    def head(self, n: int = 5) -> Self:
        """Returns a DataFrame of the first rows.

        Example:
            >>> df.head(2).to_pydict()
            {'a': [1, 2], 'b': ['x', None]}
        """
        return self.limit(n)

    def tail(self, n: int = 5) -> Self:
        """Returns a DataFrame of the last rows; they are counted to find them, in a query before.

        Rows have a last one only if they were sorted.

        Example:
            >>> df.sort("a").tail(1).to_pydict()
            {'a': [3], 'b': ['z']}
        """
        return self.limit(n, max(0, self.count() - n))

    def show(self, num: int = SHOW_ROWS_DEFAULT) -> None:
        """Prints the first rows as a table.

        Example:
            >>> df.show(1)
            +---+---+
            | a | b |
            +---+---+
            | 1 | x |
            +---+---+
        """
        print(rows_text(self._first_rows(num)))  # noqa: T201 - what it is for

    def explain(self, verbose: bool = False, analyze: bool = False) -> None:  # noqa: FBT001, FBT002 - datafusion-python's signature
        """Prints the query's plans: logical, physical, and cut into stages.

        Args:
            verbose: Print every step of the planning; with `analyze`, the profile as JSON too.
            analyze: Run the query, drop its rows, and print its stages with what was measured.

        Example:
            >>> df.explain()  # doctest: +ELLIPSIS
            logical_plan:
            ...
        """
        explained = self._statement.explained(verbose=verbose, analyze=analyze)
        for row in Rows(self._session, explained).to_pylist():
            kind, plan = row.values()
            print(f"{kind}:\n{plan}\n")  # noqa: T201 - what it is for

    def count(self) -> int:
        """Returns the number of rows; they are counted by the cluster and not fetched.

        Example:
            >>> df.count()
            3
        """
        statement = self._statement
        if self._done or not statement.is_nestable:
            return int(self.to_arrow().num_rows)
        if statement.sql is None:
            return self._count_plan()
        counting = Statement(count_query(statement.sql), None, statement.parameters)
        return int(Rows(self._session, counting).to_arrow().column(0)[0].as_py())

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """Runs the query and streams its rows to another library, by the Arrow C interface."""
        return self.to_batches().__arrow_c_stream__(requested_schema)

    def __repr__(self) -> str:
        if self.sql is not None:
            return f"DataFrame({' '.join(self.sql.split())[:80]!r})"
        tree = str(self._statement).replace("\n", "\n  ")
        return f"DataFrame\n  {tree}"

    def _repr_html_(self) -> str:
        rows = self._first_rows(HTML_ROWS_MAX + 1)
        more = f"the first {HTML_ROWS_MAX} rows" if rows.num_rows > HTML_ROWS_MAX else ""
        return html_table(rows.slice(0, HTML_ROWS_MAX), more)

    def _over(self, root: Node) -> Self:
        """Returns a DataFrame of other rows of the same session."""
        return type(self)(self._session, self._statement.over(root))

    def _count_plan(self) -> int:
        raise NotImplementedError

    def _first_rows(self, rows_max: int) -> pa.Table:
        if self._done or not self._statement.is_nestable:
            return self.to_arrow().slice(0, rows_max)
        return self.limit(rows_max).to_arrow()

    def _describe(self) -> pa.Schema:
        self._session.check_open()
        request = pb.DescribeQueryRequest(session_id=self._session.id, plan=self.to_plan())
        described = self._pointing(lambda: self._session.transport.describe_query(request))
        return schema_from_proto(described.schema)

    def _pointing(self, call: Callable[[], ReturnT]) -> ReturnT:
        try:
            return call()
        except SpringaldError as error:
            raise self._statement.pointed(error) from None


def _require(library: str) -> Any:  # noqa: ANN401 - a module
    try:
        return __import__(library)
    except ImportError as error:
        raise UnsupportedError(
            f"to_{library}() needs {library}: got {error}; pip install {library}"
        ) from error
