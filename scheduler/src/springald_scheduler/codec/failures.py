"""Failures of the core to errors and their messages, and back."""

from typing import Final

from springald.codec.errors import error_from_proto, error_to_proto
from springald.error.v1 import error_pb2
from springald.errors import ERROR_BY_CODE, Position, SpringaldError, error_for_code
from springald_scheduler.core.failures import Failure

_BUG: Final = "bug"


def failure_from_error(error: SpringaldError) -> Failure:
    """Keeps an error as the core's own type.

    Example:
        >>> from springald.errors import UnknownTableError
        >>> failure_from_error(UnknownTableError("no table t")).code
        'UNKNOWN_TABLE'
    """
    return Failure(
        code=error.code,
        message=error.message,
        retryable=error.retryable,
        node_id=error.node_id,
        executor_id=error.executor_id,
        engine_message=error.engine_message,
        line=error.position.line if error.position else 0,
        column=error.position.column if error.position else 0,
        fault="" if error.code in ERROR_BY_CODE else error.fault,
        attempts=error.attempts,
        cause=failure_from_error(error.cause) if error.cause else None,
    )


def failure_to_error(failure: Failure) -> SpringaldError:
    """Makes the error that a failure stands for.

    Example:
        >>> failure_to_error(Failure("UNKNOWN_TABLE", "no table t"))
        UnknownTableError('no table t')
    """
    kind = error_for_code(failure.code, failure.fault or _BUG)
    error = kind(
        failure.message,
        node_id=failure.node_id,
        position=Position(failure.line, failure.column) if failure.line else None,
        executor_id=failure.executor_id,
        engine_message=failure.engine_message,
        attempts=failure.attempts,
        cause=failure_to_error(failure.cause) if failure.cause else None,
    )
    told = {"code": failure.code, "retryable": failure.retryable}
    error.__dict__.update(
        {key: value for key, value in told.items() if getattr(kind, key) != value}
    )
    return error


def failure_from_proto(message: error_pb2.Error) -> Failure:
    """Reads a failure from its message."""
    return failure_from_error(error_from_proto(message))


def failure_to_proto(failure: Failure) -> error_pb2.Error:
    """Writes a failure as its message."""
    return error_to_proto(failure_to_error(failure))
