"""Rows of a small result, which go with the report of their task instead of being fetched."""

import pyarrow as pa

from springald.results import restore, result_schema
from springald_executor.core.model import ExchangeKind, StoredFile, TaskRequest


def inline_bytes_max(request: TaskRequest) -> int:
    """Returns up to which size an attempt's rows go with its report; 0 if they never do.

    They do if they are all of a result, and the scheduler asked for them.
    """
    stage = request.stage
    is_whole = (
        stage.output is ExchangeKind.RESULT and len(request.partitions) == stage.output_partitions
    )
    return stage.inline_rows_bytes_max if is_whole else 0


def inline_rows(request: TaskRequest, output: StoredFile, held: bytes) -> bytes:
    """Returns an attempt's rows as an Arrow IPC stream, with the types that the client expects.

    Nothing if they are too many with these types.

    Args:
        request: The attempt.
        output: What lies where in its file.
        held: The file.
    """
    file = pa.ipc.open_file(held)
    schema = result_schema(file.schema) or file.schema
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, schema) as stream:
        for _, blocks in sorted(output.blocks.items()):
            for block in blocks:
                stream.write_batch(restore(file.get_batch(block.number), schema))
    rows: bytes = sink.getvalue().to_pybytes()
    return rows if len(rows) <= request.stage.inline_rows_bytes_max else b""
