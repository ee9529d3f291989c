"""The connection under datafusion-python's name."""

from collections.abc import Iterable, Sequence

import pyarrow as pa

from springald.client import Connection, opened_session
from springald.dataframe import DataFrame
from springald.errors import InvalidArgumentError

__all__ = ["SessionContext"]


class SessionContext(Connection):
    """A connection that is made by its constructor, as programs for datafusion-python make one.

    Example:
        >>> with SessionContext() as ctx:
        ...     ctx.from_pydict({"a": [1, 2]}).count()
        2

    Args:
        url: As for `springald.connect()`: None means local mode.
        **settings: Settings to begin with.
    """

    def __init__(self, url: str | None = None, **settings: object) -> None:
        super().__init__(opened_session(url, settings))

    def create_dataframe(
        self,
        partitions: Sequence[Sequence[pa.RecordBatch]],
        name: str | None = None,
        schema: pa.Schema | None = None,
    ) -> DataFrame:
        """Returns batches as a DataFrame; how they are parted means nothing here.

        Args:
            partitions: The batches, in lists.
            name: Make them a table of this name, too.
            schema: Their schema; None means that of the first batch.

        Example:
            >>> rows = pa.record_batch({"a": [1, 2]})
            >>> with SessionContext() as ctx:
            ...     ctx.create_dataframe([[rows], [rows]]).count()
            4
        """
        return self.from_arrow(_table_of(partitions, schema), name)

    def read_batch(self, batch: pa.RecordBatch) -> DataFrame:
        """Returns a batch as a DataFrame.

        Example:
            >>> with SessionContext() as ctx:
            ...     ctx.read_batch(pa.record_batch({"a": [1, 2]})).count()
            2
        """
        return self.from_arrow(batch)

    def read_batches(self, batches: Iterable[pa.RecordBatch]) -> DataFrame:
        """Returns batches as a DataFrame.

        Example:
            >>> with SessionContext() as ctx:
            ...     ctx.read_batches(pa.table({"a": [1, 2]}).to_batches()).count()
            2
        """
        return self.create_dataframe([list(batches)])

    def register_batch(self, name: str, batch: pa.RecordBatch) -> None:
        """Makes a batch a table; the same as `register()`.

        Example:
            >>> with SessionContext() as ctx:
            ...     ctx.register_batch("t", pa.record_batch({"a": [1, 2]}))
            ...     ctx.table("t").count()
            2
        """
        self.register(name, batch)

    def register_record_batches(
        self, name: str, partitions: Sequence[Sequence[pa.RecordBatch]]
    ) -> None:
        """Makes batches a table; how they are parted means nothing here.

        Example:
            >>> with SessionContext() as ctx:
            ...     ctx.register_record_batches("t", [[pa.record_batch({"a": [1, 2]})]])
            ...     ctx.table("t").count()
            2
        """
        self.register(name, _table_of(partitions, None))


def _table_of(partitions: Sequence[Sequence[pa.RecordBatch]], schema: pa.Schema | None) -> pa.Table:
    batches = [batch for partition in partitions for batch in partition]
    if not batches and schema is None:
        raise InvalidArgumentError(
            "rows have a schema: got neither a batch nor a schema; give the schema"
        )
    return pa.Table.from_batches(batches, schema)
