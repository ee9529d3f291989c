"""Serves outputs, results and uploads over Flight, to whoever shows a ticket for them (P5.2)."""

from collections.abc import Callable, Iterator
from typing import Final, NoReturn

import pyarrow as pa
from pyarrow import flight

from springald.codec.flight_errors import error_from_flight, flight_error_from
from springald.errors import MessageGarbledError, SpringaldError, UnsupportedError
from springald_executor.shuffle.in_place import LOCATE, Located
from springald_executor.shuffle.rows import Library, OpenRows, RowDesk

_UPLOAD_COMPLETE: Final = b"complete"
"""Application metadata of an upload's last message: Flight ends an aborted call like any other."""


class FlightServer(flight.FlightServerBase):  # type: ignore[misc]  # published without types
    """The executor's Flight server; it listens as soon as it is made."""

    def __init__(
        self,
        location: str,
        library: Library,
        write_located: Callable[[Located], bytes] | None = None,
    ) -> None:
        """Listens at a location such as `grpc://127.0.0.1:0`.

        Args:
            location: Where to listen.
            library: What is served.
            write_located: Writes where files lie; none if nobody is to be told.
        """
        self._desk = RowDesk(library)
        self._write_located = write_located
        super().__init__(location)

    def do_get(self, _: flight.ServerCallContext, ticket: flight.Ticket) -> flight.FlightDataStream:
        """Streams what a ticket opens."""
        with _typed_errors():
            rows = self._desk.open(ticket.ticket)
        # A RecordBatchStream would send errors of its generator without their type.
        return flight.GeneratorStream(rows.schema, _sendable(rows))

    def do_put(
        self,
        _: flight.ServerCallContext,
        descriptor: flight.FlightDescriptor,
        reader: flight.MetadataRecordBatchReader,
        __: flight.FlightMetadataWriter,
    ) -> None:
        """Stores an upload; the call ends when it is complete and the scheduler has been told."""
        with _typed_errors():
            self._desk.store(descriptor.command or b"", reader.schema, _batches(reader))

    def do_action(self, _: flight.ServerCallContext, action: flight.Action) -> list[bytes]:
        """Says where the files of a ticket lie, for whoever reads them on the same host."""
        if action.type != LOCATE or self._write_located is None:
            self._refuse()
        with _typed_errors():
            return [self._write_located(self._desk.locate(action.body.to_pybytes()))]

    def _refuse(self, *_: object) -> NoReturn:
        offered = f"DoGet, DoPut and the action {LOCATE} with a ticket"
        raise flight_error_from(UnsupportedError(f"this server offers {offered}: got another call"))

    list_flights = _refuse
    get_flight_info = _refuse
    do_exchange = _refuse
    list_actions = _refuse


def _batches(reader: flight.MetadataRecordBatchReader) -> Iterator[pa.RecordBatch]:
    mark = None
    while True:
        try:
            chunk = reader.read_chunk()
        except StopIteration:
            break
        mark = chunk.app_metadata
        if chunk.data is not None:
            yield chunk.data
    if mark is None or mark.to_pybytes() != _UPLOAD_COMPLETE:
        message = "an upload's last message says that it is complete: this one broke off"
        raise MessageGarbledError(f"{message}; send the rows again")


class _typed_errors:  # noqa: N801 - used like a function
    """Turns whatever is raised inside into a Flight error that carries a typed one."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, raised: BaseException | None, trace: object) -> None:
        if raised is not None and not isinstance(raised, flight.FlightError | GeneratorExit):
            raise flight_error_from(_typed(raised)) from None


def _typed(failure: BaseException) -> SpringaldError:
    if isinstance(failure, SpringaldError):
        return failure
    return error_from_flight(failure)


def _sendable(rows: OpenRows) -> Iterator[pa.RecordBatch | pa.Table]:
    """Yields batches; where there may be dictionaries as tables, which are sent with them."""
    with _typed_errors():
        for batch in rows.batches:
            yield pa.Table.from_batches([batch]) if rows.restored else batch
