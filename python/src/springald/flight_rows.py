"""Rows over Arrow Flight: parts of results in, uploads out, over one cached channel an address."""

import threading
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final, Self

import pyarrow as pa

from springald import client_limits
from springald.codec.flight_errors import error_from_flight
from springald.errors import SpringaldError
from springald.rows_in_place import rows_in_place
from springald.transport import Rows

if TYPE_CHECKING:
    # Loading Flight takes as long as everything else together: it is imported where it is used.
    from pyarrow import flight

__all__ = ["UPLOAD_COMPLETE", "FlightConnections"]

UPLOAD_COMPLETE: Final = b"complete"
"""Application metadata of the last message of an upload; without it the rows are dropped."""

_CHANNEL_OPTIONS: Final = [
    ("grpc.keepalive_time_ms", client_limits.FLIGHT_KEEPALIVE_INTERVAL_MS),
    ("grpc.keepalive_timeout_ms", client_limits.KEEPALIVE_ANSWER_MS_MAX),
    ("grpc.initial_reconnect_backoff_ms", client_limits.BACKOFF_FIRST_MS),
    ("grpc.max_reconnect_backoff_ms", client_limits.RECONNECT_MS_MAX),
    # An executor is reached directly, whatever proxy the environment names for the web.
    ("grpc.enable_http_proxy", 0),
]


class FlightConnections:
    """Connections to Flight servers, one an address, opened when first used."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._clients: dict[str, flight.FlightClient] = {}
        self._apart: set[str] = set()  # addresses whose files cannot be read from here

    def read(self, address: str, ticket: bytes, bytes_expected: int = 0) -> Rows:
        """Opens the rows that a ticket stands for: their files if they lie here, else the stream.

        Args:
            address: `host:port` of the Flight server.
            ticket: The ticket, as the scheduler gave it.
            bytes_expected: How large they are, if that is known; few bytes are just fetched.

        Raises:
            SpringaldError: The server cannot be reached, or does not accept the ticket.
        """
        from pyarrow import flight  # noqa: PLC0415 - see above

        client = self._client(address)
        if bytes_expected >= client_limits.IN_PLACE_BYTES_MIN and address not in self._apart:
            rows = rows_in_place(client, ticket)
            if rows is not None:
                return rows
            self._apart.add(address)
        try:
            stream = client.do_get(flight.Ticket(ticket))
            return FlightRows(address, stream)
        except (pa.ArrowException, OSError) as error:
            raise error_from_flight(error, address) from None

    def store(self, address: str, ticket: bytes, reader: pa.RecordBatchReader) -> None:
        """Sends rows to where a ticket allows them to be stored.

        Args:
            address: `host:port` of the Flight server.
            ticket: The ticket, as the scheduler gave it.
            reader: The rows; its own errors pass through unchanged.

        Raises:
            SpringaldError: The server cannot be reached, or did not store the rows.
        """
        from pyarrow import flight  # noqa: PLC0415 - see above

        options = flight.FlightCallOptions(timeout=client_limits.UPLOAD_MS_MAX / 1000)
        descriptor = flight.FlightDescriptor.for_command(ticket)
        try:
            writer, _ = self._client(address).do_put(descriptor, reader.schema, options)
        except (pa.ArrowException, OSError) as error:
            raise error_from_flight(error, address) from None
        with _Sending(writer, address) as sending:
            for batch in reader:
                for block in blocks_of(batch):
                    sending.send(block)
            sending.complete(reader.schema)

    def close(self) -> None:
        """Closes all connections."""
        with self._lock:
            clients, self._clients = list(self._clients.values()), {}
        for client in clients:
            client.close()

    def _client(self, address: str) -> "flight.FlightClient":
        from pyarrow import flight  # noqa: PLC0415 - see above

        with self._lock:
            client = self._clients.get(address)
            if client is None:
                # This does not connect yet, so nobody waits while the lock is held.
                client = flight.connect(f"grpc+tcp://{address}", generic_options=_CHANNEL_OPTIONS)
                self._clients[address] = client
            return client


class FlightRows:
    """The rows of one `DoGet`; a `springald.transport.Rows`."""

    def __init__(self, address: str, stream: "flight.FlightStreamReader") -> None:
        self.schema: pa.Schema = stream.schema
        self._address = address
        self._stream = stream
        self._closed = False

    def __iter__(self) -> "FlightRows":
        return self

    def __next__(self) -> pa.RecordBatch:
        try:
            while (batch := self._stream.read_chunk().data) is None:
                pass
        except (pa.ArrowException, OSError) as error:
            if self._closed:
                raise StopIteration from None
            raise error_from_flight(error, self._address) from None
        return batch

    def close(self) -> None:
        """Ends the call; rows that are still on their way are dropped."""
        self._closed = True
        self._stream.cancel()


class _Sending:
    """A `DoPut` in progress: ended properly, or cut off if the rows end in an error."""

    def __init__(self, writer: "flight.FlightStreamWriter", address: str) -> None:
        self._writer = writer
        self._address = address

    def __enter__(self) -> Self:
        return self

    def send(self, block: pa.RecordBatch) -> None:
        try:
            self._writer.write_batch(block)
        except (pa.ArrowException, OSError) as error:
            raise error_from_flight(error, self._address) from None

    def complete(self, schema: pa.Schema) -> None:
        """Says that these were all rows: Flight itself ends an aborted call like a finished one."""
        none = pa.RecordBatch.from_pylist([], schema=schema)
        try:
            self._writer.write_with_metadata(none, UPLOAD_COMPLETE)
        except (pa.ArrowException, OSError) as error:
            raise error_from_flight(error, self._address) from None

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        try:
            self._writer.close()
        except (pa.ArrowException, OSError) as closing:
            # The source's own error matters more, but a broken write says less than the end does.
            if error is None or isinstance(error, SpringaldError):
                raise error_from_flight(closing, self._address) from None


def blocks_of(batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
    """Cuts a batch into pieces of about the size in which rows are sent."""
    pieces = -(-batch.nbytes // client_limits.UPLOAD_BLOCK_BYTES_MAX)
    rows = max(1, -(-batch.num_rows // max(pieces, 1)))
    if batch.num_rows == 0:
        yield batch
    for start in range(0, batch.num_rows, rows):
        yield batch.slice(start, rows)
