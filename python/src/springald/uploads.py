"""Rows in a client's memory, in whichever library's hands, on their way to the cluster."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, TypeAlias, cast

import pyarrow as pa

from springald.errors import InvalidArgumentError, SpringaldError
from springald.scheduler.v1 import scheduler_pb2 as pb
from springald.session import Session
from springald.types import schema_to_proto

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ArrowStreamable", "Tabular", "bytes_expected", "reader_of", "upload"]


class ArrowStreamable(Protocol):
    """Anything that offers rows by the Arrow C stream interface: polars, pandas, duckdb, ..."""

    def __arrow_c_stream__(self, requested_schema: object | None = None) -> object:
        """Returns a capsule of an Arrow stream."""
        ...


Tabular: TypeAlias = (
    "pa.Table | pa.RecordBatch | pa.RecordBatchReader | Sequence[pa.RecordBatch]"
    " | Mapping[str, Sequence[Any]] | ArrowStreamable"
)
"""What `Connection.register()` takes."""


def upload(session: Session, name: str, rows: Tabular) -> pb.TableSummary:
    """Sends rows to the cluster once, and makes them a table of the session.

    Raises:
        InvalidArgumentError: The rows are none of the kinds that are taken.
        SpringaldError: The rows cannot be stored.
    """
    transport = session.transport
    reader = reader_of(rows)
    schema = schema_to_proto(reader.schema)
    prepared = transport.prepare_upload(
        pb.PrepareUploadRequest(session_id=session.id, bytes_expected=bytes_expected(rows))
    )
    transport.store_upload(prepared, reader)
    registered = transport.register_upload(
        pb.RegisterUploadRequest(
            session_id=session.id, name=name, upload_id=prepared.upload_id, schema=schema
        )
    )
    return registered.table


def reader_of(rows: Tabular) -> pa.RecordBatchReader:
    """Returns a reader over rows of any kind that is taken.

    Example:
        >>> reader_of({"a": [1, 2]}).read_all().num_rows
        2

    Raises:
        InvalidArgumentError: The rows are of another kind, or a list of batches is empty or mixed.
    """
    try:
        return _reader_of(rows)
    except SpringaldError:
        raise
    except (pa.ArrowException, TypeError, ValueError) as error:
        raise InvalidArgumentError(
            f"rows must be something that Arrow can read: got a {type(rows).__name__} of which it "
            f"says {error}"
        ) from error


def bytes_expected(rows: Tabular) -> int:
    """Returns about how many bytes rows have in memory, 0 if only reading them would tell."""
    if isinstance(rows, pa.Table | pa.RecordBatch):
        return int(rows.nbytes)
    if isinstance(rows, Sequence):
        return sum(int(batch.nbytes) for batch in rows)
    return 0


def _reader_of(rows: Tabular) -> pa.RecordBatchReader:
    if isinstance(rows, pa.RecordBatchReader):
        return rows
    if isinstance(rows, pa.Table):
        return rows.to_reader()
    if isinstance(rows, pa.RecordBatch):
        return pa.RecordBatchReader.from_batches(rows.schema, [rows])
    if hasattr(rows, "__arrow_c_stream__"):
        return pa.RecordBatchReader.from_stream(rows)
    if isinstance(rows, Mapping):
        return pa.table(dict(rows)).to_reader()
    if isinstance(rows, Sequence) and not isinstance(rows, str | bytes):
        return _reader_of_batches(rows)
    if type(rows).__module__.partition(".")[0] == "pandas":
        # Before version 2.2 pandas does not speak the Arrow C interface itself.
        return pa.Table.from_pandas(cast("pd.DataFrame", rows)).to_reader()
    raise InvalidArgumentError(
        "rows are a pyarrow Table, RecordBatch or RecordBatchReader, a list of RecordBatches, a "
        "dictionary of lists, a pandas or polars DataFrame, or anything with __arrow_c_stream__: "
        f"got a {type(rows).__name__}"
    )


def _reader_of_batches(batches: Sequence[pa.RecordBatch]) -> pa.RecordBatchReader:
    strangers = {type(batch).__name__ for batch in batches if not isinstance(batch, pa.RecordBatch)}
    if strangers or not batches:
        raise InvalidArgumentError(
            "a list of rows holds one pyarrow.RecordBatch or more: got "
            f"{', '.join(sorted(strangers)) or 'an empty list'}; use a table if there are no rows"
        )
    schema = batches[0].schema
    for batch in batches:
        if not batch.schema.equals(schema):
            raise InvalidArgumentError(
                f"all batches of a list have one schema: got {batch.schema} after {schema}"
            )
    return pa.RecordBatchReader.from_batches(schema, batches)
