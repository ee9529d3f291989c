"""Serves outputs, results and uploads over Flight, to whoever shows a ticket for them (P5.2)."""

import time
from collections.abc import Iterator
from itertools import groupby
from typing import Any, NoReturn, Protocol

import pyarrow as pa
from pyarrow import flight

from springald.codec.flight_errors import error_from_flight, flight_error_from
from springald.errors import InputLostError, SpringaldError, TicketInvalidError, UnsupportedError
from springald.results import restore, result_schema
from springald.tickets import verify
from springald_executor.core.model import StoredFile
from springald_executor.shuffle.reader import StoredFileReader
from springald_executor.shuffle.receive import receive_upload
from springald_executor.shuffle.space import Space

Rows = Iterator[pa.RecordBatch | pa.Table]


class Library(Protocol):
    """Where the server finds what it serves, and puts what it receives."""

    def ticket_key(self) -> bytes | None:
        """Returns the cluster's key; None before the executor is registered."""

    def find_output(self, job_id: str, task_id: str) -> StoredFile | None:
        """Returns what an attempt of a job made."""

    def find_upload(self, upload_id: str) -> StoredFile | None:
        """Returns an upload that is complete."""

    def begin_upload(self, upload_id: str) -> Space:
        """Makes a place for an upload.

        Raises:
            SpringaldError: It is here already.
        """

    def end_upload(self, upload_id: str, file: StoredFile | None) -> None:
        """Takes an upload in, or gives its place up."""


class FlightServer(flight.FlightServerBase):  # type: ignore[misc]  # published without types
    """The executor's Flight server; it listens as soon as it is made."""

    def __init__(self, location: str, library: Library) -> None:
        """Listens at a location such as `grpc://127.0.0.1:0`."""
        self._library = library
        super().__init__(location)

    def do_get(self, _: flight.ServerCallContext, ticket: flight.Ticket) -> flight.FlightDataStream:
        """Streams what a ticket opens."""
        with _typed_errors():
            schema, rows = self._open(ticket.ticket)
        # A RecordBatchStream would send errors of its generator without their type.
        return flight.GeneratorStream(schema, _with_typed_errors(rows))

    def do_put(
        self,
        _: flight.ServerCallContext,
        descriptor: flight.FlightDescriptor,
        reader: flight.MetadataRecordBatchReader,
        __: flight.FlightMetadataWriter,
    ) -> None:
        """Stores an upload; the call ends when it is complete and the scheduler has been told."""
        with _typed_errors():
            claims = self._verify(descriptor.command or b"")
            if claims.WhichOneof("grant") != "store_upload":
                raise TicketInvalidError("rows are stored with a ticket for that: got another one")
            upload_id = claims.store_upload.upload_id
            space = self._library.begin_upload(upload_id)
            file = None
            try:
                file = receive_upload(_batches(reader), reader.schema, space)
            finally:
                self._library.end_upload(upload_id, file)

    def _open(self, ticket: bytes) -> tuple[pa.Schema, Rows]:
        claims = self._verify(ticket)
        match claims.WhichOneof("grant"):
            case "read_outputs":
                return self._open_outputs(claims.read_outputs)
            case "read_upload":
                return self._open_upload(claims.read_upload.upload_id)
            case _:
                raise TicketInvalidError("rows are read with a ticket for that: got another one")

    def _verify(self, ticket: bytes) -> Any:  # noqa: ANN401 - a message of the contract
        key = self._library.ticket_key()
        if key is None:
            raise TicketInvalidError("an executor serves after it has registered: not yet")
        return verify(ticket, key, time.time_ns() // 1_000_000)

    def _open_outputs(self, grant: Any) -> tuple[pa.Schema, Rows]:  # noqa: ANN401 - as above
        parts: list[tuple[str, StoredFile, list[int]]] = []
        for task_id, group in groupby(grant.selections, key=lambda each: each.task_id):
            file = self._library.find_output(grant.job_id, task_id)
            if file is None:
                raise InputLostError(
                    f"outputs are kept until their job is released: got none of {task_id}",
                    node_id=task_id,
                )
            parts.append((task_id, file, [each.partition for each in group]))
        if not parts:
            raise TicketInvalidError("a ticket for outputs names some: got none")
        first, file, _ = parts[0]
        with StoredFileReader(file, first) as reader:
            written = reader.schema
        promised = result_schema(written)
        if promised is None:
            return written, _read(parts)
        # A generator's batches are sent without their dictionaries, its tables with them.
        return promised, (
            pa.Table.from_batches([restore(batch, promised)]) for batch in _read(parts)
        )

    def _open_upload(self, upload_id: str) -> tuple[pa.Schema, Rows]:
        file = self._library.find_upload(upload_id)
        if file is None:
            raise InputLostError(f"an upload is here until it is released: got none of {upload_id}")
        with StoredFileReader(file, upload_id) as reader:
            schema = reader.schema
        return schema, _read([(upload_id, file, sorted(file.blocks))])

    def _refuse(self, *_: object) -> NoReturn:
        offered = "DoGet and DoPut with a ticket"
        raise flight_error_from(UnsupportedError(f"this server offers {offered}: got another call"))

    list_flights = _refuse
    get_flight_info = _refuse
    do_exchange = _refuse
    do_action = _refuse
    list_actions = _refuse


def _read(parts: list[tuple[str, StoredFile, list[int]]]) -> Rows:
    for name, file, partitions in parts:
        with StoredFileReader(file, name) as reader:
            for partition in partitions:
                yield from reader.read(partition)


def _batches(reader: flight.MetadataRecordBatchReader) -> Rows:
    while True:
        try:
            yield reader.read_chunk().data
        except StopIteration:
            return


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


def _with_typed_errors(rows: Rows) -> Rows:
    with _typed_errors():
        yield from rows
