"""A query whose rows are made when they are asked for."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import pyarrow as pa

from springald.client_limits import HTML_ROWS_MAX, SHOW_ROWS_DEFAULT
from springald.display import html_table, rows_text
from springald.errors import InvalidArgumentError, SpringaldError, UnsupportedError
from springald.job import Job
from springald.scheduler.v1 import scheduler_pb2 as pb
from springald.session import Session, plan_of
from springald.sql_text import count_query, explain_query, is_nestable, limit_query, with_caret
from springald.types import schema_from_proto

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl

__all__ = ["DataFrame"]

ReturnT = TypeVar("ReturnT")


class DataFrame:
    """A query of a session; made by `Connection.sql()` and `Connection.table()`.

    It holds no rows. Each method that needs rows runs the query anew; to use rows more than once,
    keep what `to_arrow()` returns. A statement that is no query (`CREATE`, `SET`, ...) has run when
    its DataFrame is made, and does not run again.

    Method names are those of datafusion-python where it has one.
    """

    def __init__(self, session: Session, sql: str, done: Job | None = None) -> None:
        """Wraps a query, or a statement together with the job that ran it."""
        self._session = session
        self._sql = sql
        self._done = done
        self._schema: pa.Schema | None = None

    @property
    def sql(self) -> str:
        """The text of the query."""
        return self._sql

    @property
    def schema(self) -> pa.Schema:
        """The names and types of the columns; the query is planned, not run, to know them."""
        if self._schema is None:
            self._schema = self._done.result().schema if self._done else self._describe()
        return self._schema

    @property
    def columns(self) -> list[str]:
        """The names of the columns."""
        names: list[str] = self.schema.names
        return names

    def execute(self) -> Job:
        """Starts the query and returns at once, with the job.

        Raises:
            SpringaldError: The scheduler refused the statement, or cannot be reached.
        """
        return self._done or Job(self._session, self._sql)

    def to_arrow(self) -> pa.Table:
        """Runs the query and returns its rows as an Arrow table.

        Raises:
            SpringaldError: The query failed; the class says whose fault it is.
        """
        return self.execute().result()

    def to_arrow_table(self) -> pa.Table:
        """Does the same as `to_arrow()`; the name that datafusion-python has for it."""
        return self.to_arrow()

    def to_batches(self) -> pa.RecordBatchReader:
        """Runs the query and returns a reader that fetches its rows bit by bit.

        The client holds a few batches at a time, however large the result is.
        """
        return self.execute().result_batches()

    def collect(self) -> list[pa.RecordBatch]:
        """Runs the query and returns its rows as a list of Arrow batches."""
        return list(self.to_batches())

    def to_pandas(self) -> "pd.DataFrame":
        """Runs the query and returns its rows as a pandas DataFrame."""
        _require("pandas")
        frame: pd.DataFrame = self.to_arrow().to_pandas()
        return frame

    def to_polars(self) -> "pl.DataFrame":
        """Runs the query and returns its rows as a polars DataFrame."""
        polars = _require("polars")
        frame: pl.DataFrame = polars.from_arrow(self.to_arrow())
        return frame

    def to_pydict(self) -> dict[str, list[Any]]:
        """Runs the query and returns a list of Python values for each column."""
        values: dict[str, list[Any]] = self.to_arrow().to_pydict()
        return values

    def to_pylist(self) -> list[dict[str, Any]]:
        """Runs the query and returns a dictionary of Python values for each row."""
        rows: list[dict[str, Any]] = self.to_arrow().to_pylist()
        return rows

    def count(self) -> int:
        """Returns the number of rows; they are counted by the cluster and not fetched."""
        if self._done or not is_nestable(self._sql):
            return int(self.to_arrow().num_rows)
        counted = DataFrame(self._session, count_query(self._sql)).to_arrow()
        return int(counted.column(0)[0].as_py())

    def limit(self, count: int, offset: int = 0) -> "DataFrame":
        """Returns a DataFrame of a run of the rows, in the query's own order.

        Args:
            count: How many rows, at least 0.
            offset: How many rows to leave out first, at least 0.
        """
        if count < 0 or offset < 0:
            raise InvalidArgumentError(
                f"a limit and an offset are at least 0: got {count} and {offset}"
            )
        if not is_nestable(self._sql):
            raise UnsupportedError(
                f"rows are limited for a SELECT, WITH, VALUES or FROM: got {self._sql[:40]!r}; "
                "slice what to_arrow() returns"
            )
        return DataFrame(self._session, limit_query(self._sql, count, offset))

    def head(self, n: int = 5) -> "DataFrame":
        """Returns a DataFrame of the first rows."""
        return self.limit(n)

    def show(self, num: int = SHOW_ROWS_DEFAULT) -> None:
        """Prints the first rows as a table."""
        print(rows_text(self._first_rows(num)))  # noqa: T201 - what it is for

    def explain(self, verbose: bool = False, analyze: bool = False) -> None:  # noqa: FBT001, FBT002 - datafusion-python's signature
        """Prints the query's plans: logical, physical, and cut into stages.

        Args:
            verbose: Print every step of the planning; with `analyze`, the profile as JSON too.
            analyze: Run the query, drop its rows, and print its stages with what was measured.
        """
        statement = explain_query(self._sql, verbose=verbose, analyze=analyze)
        explained = DataFrame(self._session, statement)
        for row in explained.to_pylist():
            kind, plan = row.values()
            print(f"{kind}:\n{plan}\n")  # noqa: T201 - what it is for

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """Runs the query and streams its rows to another library, by the Arrow C interface."""
        return self.to_batches().__arrow_c_stream__(requested_schema)

    def __repr__(self) -> str:
        return f"DataFrame({' '.join(self._sql.split())[:80]!r})"

    def _repr_html_(self) -> str:
        rows = self._first_rows(HTML_ROWS_MAX + 1)
        more = f"the first {HTML_ROWS_MAX} rows" if rows.num_rows > HTML_ROWS_MAX else ""
        return html_table(rows.slice(0, HTML_ROWS_MAX), more)

    def _first_rows(self, rows_max: int) -> pa.Table:
        if self._done or not is_nestable(self._sql):
            return self.to_arrow().slice(0, rows_max)
        return self.limit(rows_max).to_arrow()

    def _describe(self) -> pa.Schema:
        self._session.check_open()
        request = pb.DescribeQueryRequest(session_id=self._session.id, plan=plan_of(self._sql))
        described = self._pointing(lambda: self._session.transport.describe_query(request))
        return schema_from_proto(described.schema)

    def _pointing(self, call: Callable[[], ReturnT]) -> ReturnT:
        try:
            return call()
        except SpringaldError as error:
            raise with_caret(error, self._sql) from None


def _require(library: str) -> Any:  # noqa: ANN401 - a module
    try:
        return __import__(library)
    except ImportError as error:
        raise UnsupportedError(
            f"to_{library}() needs {library}: got {error}; pip install {library}"
        ) from error
