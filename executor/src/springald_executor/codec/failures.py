"""Errors as exceptions, as the core's failures, and as messages."""

from springald.codec.errors import error_to_proto
from springald.error.v1.error_pb2 import Error
from springald.errors import Position, SpringaldError, error_for_code
from springald_executor.core.failures import Failure
from springald_executor.core.model import NO_FIGURES, OperatorFigures


def failure_from_error(
    error: SpringaldError, lost_task_id: str = "", figures: OperatorFigures = NO_FIGURES
) -> Failure:
    """Returns an error as the core keeps it."""
    position = error.position or Position(0, 0)
    return Failure(
        code=error.code,
        message=error.message,
        retryable=error.retryable,
        node_id=error.node_id,
        engine_message=error.engine_message,
        line=position.line,
        column=position.column,
        lost_task_id=lost_task_id,
        figures=figures,
    )


def error_from_failure(failure: Failure) -> SpringaldError:
    """Returns a failure as an exception."""
    error = error_for_code(failure.code, "bug")(
        failure.message,
        node_id=failure.node_id,
        position=Position(failure.line, failure.column) if failure.line else None,
        engine_message=failure.engine_message,
    )
    if error.retryable != failure.retryable:
        error.__dict__["retryable"] = failure.retryable
    return error


def error_message(failure: Failure, executor_id: str) -> Error:
    """Returns a failure as a message, with the executor on which it happened."""
    return error_to_proto(error_from_failure(failure).at(executor_id=executor_id))
