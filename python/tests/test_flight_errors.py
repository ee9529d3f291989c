"""Errors over Flight: typed where a server told them, else Flight's own words (P6.1)."""

from collections.abc import Iterator

import pyarrow as pa
import pytest
from pyarrow import flight

from springald.codec.flight_errors import error_from_flight, flight_error_from
from springald.errors import (
    ERROR_BY_CODE,
    CancelledError,
    DeadlineExceededError,
    FetchFailedError,
    InputLostError,
    InternalError,
    MessageGarbledError,
    SpringaldError,
    UnsupportedError,
)

SCHEMA = pa.schema([("a", pa.int64())])


class _Server(flight.FlightServerBase):  # type: ignore[misc]  # published without types
    """Fails as it was told: at once, after a batch, or without a typed error."""

    error: SpringaldError = InternalError("unset")

    def do_get(
        self, context: flight.ServerCallContext, ticket: flight.Ticket
    ) -> flight.FlightDataStream:
        del context
        if ticket.ticket == b"at once":
            raise flight_error_from(self.error)
        if ticket.ticket == b"untyped":
            raise ValueError("a secret of the server")
        return flight.GeneratorStream(SCHEMA, self._rows())

    def _rows(self) -> Iterator[pa.RecordBatch]:
        yield pa.record_batch({"a": [1]})
        raise flight_error_from(self.error)


@pytest.fixture(scope="module")
def server() -> Iterator[_Server]:
    """A server on a free port, for all tests."""
    with _Server("grpc://127.0.0.1:0") as running:
        yield running


def _failure(server: _Server, ticket: bytes) -> SpringaldError:
    with (
        flight.connect(f"grpc://127.0.0.1:{server.port}") as client,
        pytest.raises(Exception) as raised,  # noqa: PT011 - of any Flight class
    ):
        client.do_get(flight.Ticket(ticket)).read_all()
    return error_from_flight(raised.value, "127.0.0.1:1")


@pytest.mark.parametrize("when", [b"at once", b"in the middle"])
def test_typed_error_of_a_server_arrives_whole(server: _Server, when: bytes) -> None:
    """A caller gets the error that the server raised, before and between batches."""
    server.error = InputLostError(
        "no such output", node_id="j1/s1/t0#1", executor_id="e1", engine_message="told"
    )

    error = _failure(server, when)

    assert type(error) is InputLostError
    assert error.__dict__ == server.error.__dict__
    assert error.retryable


def test_every_code_arrives_as_itself(server: _Server) -> None:
    """No Flight class that a code is wrapped in hides the code."""
    for kind in ERROR_BY_CODE.values():
        server.error = kind("text")
        assert type(_failure(server, b"at once")) is kind


def test_long_texts_are_cut_and_still_arrive(server: _Server) -> None:
    """A message larger than gRPC's metadata does not turn into another error."""
    server.error = InputLostError("é" * 100_000, engine_message="x" * 100_000)

    error = _failure(server, b"in the middle")

    assert type(error) is InputLostError
    assert "(cut from " in error.message


def test_untyped_failure_of_a_server_shows_no_traceback(server: _Server) -> None:
    """What a server did not type is a bug, told in one line without its traceback."""
    error = _failure(server, b"untyped")

    assert type(error) is InternalError
    assert "Traceback" not in str(error)
    assert "\n" not in str(error)


def test_unreachable_server_is_a_failed_fetch() -> None:
    """A server that is not there can be asked again elsewhere."""
    with (
        flight.connect("grpc://127.0.0.1:1") as client,
        pytest.raises(flight.FlightUnavailableError) as raised,
    ):
        client.do_get(flight.Ticket(b"")).read_all()

    error = error_from_flight(raised.value, "127.0.0.1:1")

    assert type(error) is FetchFailedError
    assert "127.0.0.1:1" in error.message


@pytest.mark.parametrize(
    ("failure", "kind"),
    [
        (flight.FlightTimedOutError("late"), DeadlineExceededError),
        (flight.FlightCancelledError("stopped"), CancelledError),
        (flight.FlightInternalError("reset"), FetchFailedError),
        (flight.FlightServerError("odd", extra_info=b"\xff\xff"), MessageGarbledError),
        (NotImplementedError("do_exchange"), UnsupportedError),
        (InputLostError("typed already"), InputLostError),
    ],
)
def test_failure_without_a_typed_error_goes_by_its_class(
    failure: Exception, kind: type[SpringaldError]
) -> None:
    """Flight's own classes say enough to choose a code."""
    assert type(error_from_flight(failure)) is kind
