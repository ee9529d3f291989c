"""Errors over Arrow Flight: the typed error travels in a Flight error's extra information.

A server answers with `flight_error_from`, whoever called it reads with `error_from_flight`. For
failures without a typed error, of the network or of another program, what Flight knows is told.
"""

from typing import TYPE_CHECKING, Final

import pyarrow as pa
from google.protobuf.message import DecodeError

from springald.codec.errors import cut_text, error_from_proto, error_to_proto
from springald.error.v1 import error_pb2
from springald.errors import (
    CancelledError,
    DeadlineExceededError,
    FetchFailedError,
    InternalError,
    MessageGarbledError,
    OutOfMemoryError,
    SpringaldError,
    UnsupportedError,
)

if TYPE_CHECKING:
    # Loading Flight takes long; whoever has a Flight error in hand has loaded it.
    from pyarrow import flight

__all__ = ["error_from_flight", "flight_error_from"]

# Extra information travels in gRPC metadata, 8 KiB by default, as base64.
_TEXT_BYTES_MAX: Final = 3 * 1024
_ENGINE_BYTES_MAX: Final = 1024
_STATUS_BYTES_MAX: Final = 256


def flight_error_from(error: SpringaldError) -> "flight.FlightError":
    """Makes what a Flight server raises so that its caller gets the error.

    Raise it from a method of the server or inside a `GeneratorStream`; a `RecordBatchStream` would
    drop the extra information and add a traceback.
    """
    from pyarrow import flight  # noqa: PLC0415 - see above

    message = error_to_proto(error)
    message.message = cut_text(message.message, _TEXT_BYTES_MAX)
    message.engine_message = cut_text(message.engine_message, _ENGINE_BYTES_MAX)
    kind = {
        "CANCELLED": flight.FlightCancelledError,
        "DEADLINE_EXCEEDED": flight.FlightTimedOutError,
        "TICKET_INVALID": flight.FlightUnauthorizedError,
        "TICKET_EXPIRED": flight.FlightUnauthorizedError,
    }.get(error.code, flight.FlightServerError)
    text = cut_text(str(error), _STATUS_BYTES_MAX)
    made: flight.FlightError = kind(text, extra_info=message.SerializeToString())
    return made


def error_from_flight(failure: BaseException, peer: str = "") -> SpringaldError:
    """Makes the error that a failed Flight call carries; without one, what Flight knows.

    Args:
        failure: What a Flight client, reader or writer raised.
        peer: The address that was called, for people.
    """
    if isinstance(failure, SpringaldError):
        return failure
    typed: bytes | None = getattr(failure, "extra_info", None)
    if typed:
        try:
            return error_from_proto(error_pb2.Error.FromString(typed))
        except DecodeError:
            return MessageGarbledError(
                f"an error must decode: got {len(typed)} bytes that do not, from {_server(peer)}"
            )
    return _error_without_type(failure, _server(peer))


def _server(peer: str) -> str:
    return f"the Flight server at {peer}" if peer else "the Flight server"


def _error_without_type(failure: BaseException, server: str) -> SpringaldError:
    from pyarrow import flight  # noqa: PLC0415 - see above

    said = _first_sentence(failure)
    match failure:
        case flight.FlightTimedOutError():
            return DeadlineExceededError(f"{server} must answer in time: got {said!r}")
        case flight.FlightCancelledError():
            return CancelledError(f"a call to {server} was given up: {said}")
        case flight.FlightUnavailableError():
            return FetchFailedError(
                f"{server} must be reachable: got {said!r}; check that its executor runs"
            )
        case flight.FlightError() | pa.ArrowIOError():
            return FetchFailedError(f"{server} must answer to the end: got {said!r}")
        case NotImplementedError():
            return UnsupportedError(f"{server} must know this call: got {said!r}")
        case MemoryError():
            return OutOfMemoryError(f"rows from {server} must fit into memory: got {said!r}")
        case _:
            return InternalError(f"{server} answered what this side does not expect: {said}")


def _first_sentence(failure: BaseException) -> str:
    """Drops the context and the traceback that Flight appends."""
    text = str(failure) or type(failure).__name__
    for appended in (". Detail:", ". gRPC client debug context", "\n"):
        text = text.split(appended, maxsplit=1)[0]
    return cut_text(text, _STATUS_BYTES_MAX)
