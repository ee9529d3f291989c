"""Stores rows that a client sends as an upload: in blocks that several tasks can share."""

from collections.abc import Iterator

import pyarrow as pa

from springald.results import plain_schema
from springald_executor.core.limits import UPLOAD_BLOCK_ROWS_MAX
from springald_executor.core.model import StoredFile
from springald_executor.shuffle.space import Space
from springald_executor.shuffle.uploads import divided, upload_partitions
from springald_executor.shuffle.writer import OutputWriter


def receive_upload(
    batches: Iterator[pa.RecordBatch], schema: pa.Schema, space: Space
) -> StoredFile:
    """Writes batches as they come, and divides them into partitions.

    Args:
        batches: The rows.
        schema: Their schema; the file has it with plain types.
        space: Where the file is put; it is emptied if the rows do not come to an end.

    Raises:
        OutOfDiskError: There is no room.
    """
    writer = OutputWriter(space.create("rows.arrow"), plain_schema(schema))
    try:
        for batch in batches:
            for start in range(0, batch.num_rows, UPLOAD_BLOCK_ROWS_MAX):
                writer.write(0, batch.slice(start, UPLOAD_BLOCK_ROWS_MAX))
        file = writer.finish()
    except BaseException:
        writer.discard()
        space.remove()
        raise
    blocks = len(file.blocks.get(0, ()))
    return divided(file, upload_partitions(file.size, blocks))
