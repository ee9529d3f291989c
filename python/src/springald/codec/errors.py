"""Errors on the wire: the exception tree to `springald.error.v1` and back, and over gRPC.

Over gRPC an error is a status for those who only know gRPC, and the whole message in the trailing
metadata for those who know Springald. Whoever has the trailer ignores the status.
"""

import re
from typing import Final, NoReturn, cast

import grpc
from google.protobuf.message import DecodeError

from springald.error.v1 import error_pb2
from springald.errors import (
    CancelledError,
    DeadlineExceededError,
    InternalError,
    MessageGarbledError,
    MessageTooLargeError,
    NotLeaderError,
    Position,
    ProtocolMismatchError,
    SchedulerUnavailableError,
    SpringaldError,
    error_for_code,
)
from springald.limits import ENGINE_MESSAGE_BYTES_MAX, ERROR_MESSAGE_BYTES_MAX

ERROR_TRAILER: Final = "springald-error-bin"

# gRPC refuses metadata above 8 KiB by default, and sends binary values as base64.
_TRAILER_TEXT_BYTES_MAX: Final = 4 * 1024
_TRAILER_ENGINE_BYTES_MAX: Final = 1024
_STATUS_DETAIL_BYTES_MAX: Final = 256

_FAULT_TO_PROTO: Final = {
    "caller": error_pb2.FAULT_CALLER,
    "data": error_pb2.FAULT_DATA,
    "cluster": error_pb2.FAULT_CLUSTER,
    "bug": error_pb2.FAULT_BUG,
}
_FAULT_FROM_PROTO: Final = {number: name for name, number in _FAULT_TO_PROTO.items()}

_STATUS_BY_FAULT: Final = {
    "caller": grpc.StatusCode.INVALID_ARGUMENT,
    "data": grpc.StatusCode.FAILED_PRECONDITION,
    "cluster": grpc.StatusCode.UNAVAILABLE,
    "bug": grpc.StatusCode.INTERNAL,
}
_STATUS_BY_CODE: Final = {
    "SESSION_NOT_FOUND": grpc.StatusCode.NOT_FOUND,
    "JOB_NOT_FOUND": grpc.StatusCode.NOT_FOUND,
    "OPERATION_CONFLICT": grpc.StatusCode.ALREADY_EXISTS,
    "TABLE_EXISTS": grpc.StatusCode.ALREADY_EXISTS,
    "CANCELLED": grpc.StatusCode.CANCELLED,
    "UNSUPPORTED": grpc.StatusCode.UNIMPLEMENTED,
    "MESSAGE_TOO_LARGE": grpc.StatusCode.RESOURCE_EXHAUSTED,
    "PATH_NOT_ALLOWED": grpc.StatusCode.PERMISSION_DENIED,
    "DEADLINE_EXCEEDED": grpc.StatusCode.DEADLINE_EXCEEDED,
    "OVERLOADED": grpc.StatusCode.RESOURCE_EXHAUSTED,
}
# A code that this version does not know is called by its number: `CODE_387`.
_CODE_PREFIX: Final = "CODE_"
_UNAVAILABLE: Final = tuple(
    (re.compile(pattern), why, advice)
    for pattern, why, advice in (
        (
            "Connection refused",
            "a refused connection",
            "check that it runs, and at this address",
        ),
        (
            "[Nn]ame or service not known|lookup failed|name resolution|errors? resolving",
            "a host name that does not resolve",
            "check the name",
        ),
        (
            "[Kk]eepalive|ping timeout",
            "no sign of life on an open connection",
            "its process may be stopped, or the network broken: look at both, then try again",
        ),
    )
)
"""What gRPC says of a peer that cannot be reached, and what that means to a person."""


def error_to_proto(error: SpringaldError) -> error_pb2.Error:
    """Turns an error into its message; texts longer than their limits are cut.

    Example:
        >>> from springald.errors import UnknownTableError
        >>> error_to_proto(UnknownTableError("no table t")).code
        102
    """
    message = error_pb2.Error(
        code=_code_to_proto(error.code),
        fault=_FAULT_TO_PROTO[error.fault],
        retryable=error.retryable,
        message=cut_text(error.message, ERROR_MESSAGE_BYTES_MAX),
        node_id=error.node_id,
        executor_id=error.executor_id,
        engine_message=cut_text(error.engine_message, ENGINE_MESSAGE_BYTES_MAX),
        attempts=error.attempts,
    )
    if error.cause is not None:
        message.cause.CopyFrom(error_to_proto(error.cause))
    if isinstance(error, NotLeaderError):
        message.leader_address = error.leader_address
    if error.position is not None:
        message.position.line = error.position.line
        message.position.column = error.position.column
    return message


def error_from_proto(message: error_pb2.Error) -> SpringaldError:
    """Makes the error that a message carries.

    A code of a later version becomes the class of its fault, and keeps its number as its code.

    Example:
        >>> error_from_proto(error_pb2.Error(code=102, fault=1, message="no table t"))
        UnknownTableError('no table t')
    """
    code = _code_from_proto(message.code)
    kind = error_for_code(code, _FAULT_FROM_PROTO.get(message.fault, "bug"))
    position = None
    if message.HasField("position"):
        position = Position(line=message.position.line, column=message.position.column)
    error = kind(
        message.message,
        node_id=message.node_id,
        position=position,
        executor_id=message.executor_id,
        engine_message=message.engine_message,
        attempts=message.attempts,
        cause=error_from_proto(message.cause) if message.HasField("cause") else None,
    )
    if isinstance(error, NotLeaderError):
        error.leader_address = message.leader_address
    # Both are facts of a class for errors made here, and of the message for errors made elsewhere.
    told = {"code": code, "retryable": message.retryable}
    error.__dict__.update(
        {key: value for key, value in told.items() if getattr(kind, key) != value}
    )
    return error


def status_for(error: SpringaldError) -> grpc.StatusCode:
    """Returns the gRPC status that comes nearest to an error.

    Example:
        >>> from springald.errors import JobNotFoundError
        >>> status_for(JobNotFoundError("no job j1"))
        <StatusCode.NOT_FOUND: (5, 'not found')>
    """
    return _STATUS_BY_CODE.get(error.code) or _STATUS_BY_FAULT[error.fault]


def abort_rpc(context: grpc.ServicerContext, error: SpringaldError) -> NoReturn:
    """Ends a call on the server's side with an error.

    Texts are cut to what fits into metadata; a job's update carries them whole.
    """
    message = error_to_proto(error)
    message.message = cut_text(message.message, _TRAILER_TEXT_BYTES_MAX)
    message.engine_message = cut_text(message.engine_message, _TRAILER_ENGINE_BYTES_MAX)
    message.ClearField("cause")
    context.set_trailing_metadata(((ERROR_TRAILER, message.SerializeToString()),))
    context.abort(status_for(error), cut_text(str(error), _STATUS_DETAIL_BYTES_MAX))
    raise AssertionError("abort raises")


def error_from_rpc(
    failure: grpc.RpcError, peer: str = "the scheduler", tried: str = ""
) -> SpringaldError:
    """Makes the error that a failed call carries; for one without our trailer, what gRPC knows.

    Args:
        failure: What a stub raised.
        peer: Who was called, for people: `scheduler at 127.0.0.1:50050`.
        tried: What was asked, and how long was waited: `ListJobs within 60 s`.
    """
    if not hasattr(failure, "trailing_metadata"):
        return InternalError(f"a call to {peer} failed without a status: got {failure!r}")
    call = cast("grpc.Call", failure)
    for key, value in call.trailing_metadata() or ():
        if key == ERROR_TRAILER:
            return _error_from_trailer(value, peer)
    return _error_from_status(call, peer, tried)


def cut_text(text: str, bytes_max: int) -> str:
    """Cuts a text to a number of UTF-8 bytes, saying so where it does.

    Example:
        >>> cut_text("a" * 100, 40)
        'aaaaaaaaaaaaaaa... (cut from 100 bytes)'
    """
    encoded = text.encode(errors="replace")
    if len(encoded) <= bytes_max:
        return encoded.decode()
    note = f"... (cut from {len(encoded)} bytes)"
    return encoded[: bytes_max - len(note) - 1].decode(errors="ignore") + note


def _error_from_trailer(value: str | bytes, peer: str) -> SpringaldError:
    try:
        # A key that ends in -bin has bytes for a value; the types of grpc do not know.
        return error_from_proto(error_pb2.Error.FromString(cast("bytes", value)))
    except DecodeError:
        return MessageGarbledError(
            f"an error must decode: got {len(value)} bytes of something else in the trailer "
            f"{ERROR_TRAILER} of {peer}"
        )


def _error_from_status(failure: grpc.Call, peer: str, tried: str) -> SpringaldError:
    status, detail = failure.code(), failure.details() or "no detail"
    match status:
        case grpc.StatusCode.UNAVAILABLE:
            return _unavailable(detail, peer)
        case grpc.StatusCode.DEADLINE_EXCEEDED:
            return DeadlineExceededError(
                f"{peer} must answer in time: got no answer{f' to {tried}' if tried else ''}; its "
                "process may be stopped or overloaded: look at it and at its log, then try again"
            )
        case grpc.StatusCode.RESOURCE_EXHAUSTED:
            return MessageTooLargeError(f"a message must fit its limit: got {detail!r} from {peer}")
        case grpc.StatusCode.CANCELLED:
            return CancelledError(f"a call to {peer} was given up: {detail}")
        case grpc.StatusCode.UNIMPLEMENTED:
            return ProtocolMismatchError(
                f"{peer} must know this call: got {detail!r}; use the same version on both sides"
            )
        case grpc.StatusCode.INTERNAL:
            return MessageGarbledError(
                f"{peer} and this side must understand each other's messages: got {detail!r}"
            )
        case _:
            return InternalError(f"{peer} answered {status}: {detail}")


def _unavailable(detail: str, peer: str) -> SpringaldError:
    """Says in a few words what gRPC says in many."""
    for pattern, why, advice in _UNAVAILABLE:
        if pattern.search(detail):
            return SchedulerUnavailableError(f"{peer} must be reachable: got {why}; {advice}")
    return SchedulerUnavailableError(
        f"{peer} must be reachable: got {detail!r}; check that it runs at this address"
    )


def _code_to_proto(code: str) -> error_pb2.Code.ValueType:
    if code.startswith(_CODE_PREFIX):
        # Enums are open: the number of a later version passes through unchanged.
        return error_pb2.Code.ValueType(int(code.removeprefix(_CODE_PREFIX)))
    name = _CODE_PREFIX + code
    known = name in error_pb2.Code.keys()  # noqa: SIM118 - an enum wrapper is not a mapping
    return error_pb2.Code.Value(name) if known else error_pb2.CODE_UNSPECIFIED


def _code_from_proto(number: error_pb2.Code.ValueType) -> str:
    if number == error_pb2.CODE_UNSPECIFIED:
        return InternalError.code
    if number in error_pb2.Code.values():
        return error_pb2.Code.Name(number).removeprefix(_CODE_PREFIX)
    return f"{_CODE_PREFIX}{number}"
