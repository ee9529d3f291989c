"""Rows of a small result, which go with the report of their task instead of being fetched."""

import pyarrow as pa

from springald.results import restore, result_schema
from springald_executor.core.model import ExchangeKind, StoredFile, TaskRequest
from springald_executor.shuffle.reader import StoredFileReader


def inline_rows(request: TaskRequest, output: StoredFile) -> bytes:
    """Returns an attempt's rows as an Arrow IPC stream, with the types that the client expects.

    Nothing if they are too many, or not all of a result.
    """
    stage = request.stage
    is_whole = (
        stage.output is ExchangeKind.RESULT and len(request.partitions) == stage.output_partitions
    )
    if not is_whole or output.size > stage.inline_rows_bytes_max:
        return b""
    with StoredFileReader(output, request.task_id) as reader:
        schema = result_schema(reader.schema) or reader.schema
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, schema) as stream:
            for partition in sorted(output.blocks):
                for batch in reader.read(partition):
                    stream.write_batch(restore(batch, schema))
    rows: bytes = sink.getvalue().to_pybytes()
    return rows if len(rows) <= stage.inline_rows_bytes_max else b""
