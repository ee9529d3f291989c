"""Sends an upload to the executor that takes it over, as its client sent it here."""

import pyarrow as pa

from springald.flight_rows import FlightConnections
from springald_executor.core.model import StoredFile
from springald_executor.shuffle.reader import StoredFileReader


def send_upload(file: StoredFile, upload_id: str, address: str, ticket: bytes) -> None:
    """Returns when the other executor has all rows.

    Args:
        file: Where the rows lie here; each block is compared with its checksum.
        upload_id: The upload, for errors.
        address: `host:port` of the other executor's Flight server.
        ticket: Lets the rows be stored there.

    Raises:
        SpringaldError: A block is not what was written, or the other one does not take the rows.
    """
    blocks = sorted(
        (block for each in file.blocks.values() for block in each), key=lambda block: block.number
    )
    connections = FlightConnections()
    try:
        with StoredFileReader(file, upload_id) as reader:
            batches = reader.read_blocks(blocks)
            rows = pa.RecordBatchReader.from_batches(reader.schema, batches)
            connections.store(address, ticket, rows)
    finally:
        connections.close()
