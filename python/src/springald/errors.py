"""The exception tree: one class for each code of `springald.error.v1`, grouped by fault.

An error is made once, where the failure was noticed; everything after that copies it. The table
of codes is `docs/protocol/errors.md`, and its wire form `proto/springald/error/v1/error.proto`.
"""

from dataclasses import dataclass
from typing import ClassVar, Self

__all__ = ["ERROR_BY_CODE", "Position", "SpringaldError", "error_for_code"]

ERROR_BY_CODE: dict[str, type["SpringaldError"]] = {}


@dataclass(frozen=True, slots=True)
class Position:
    """A place in the SQL text: line and column in characters, both counted from 1."""

    line: int
    column: int


class SpringaldError(Exception):
    """Everything that Springald raises on purpose.

    Attributes:
        code: The stable code, for example `SQL_SYNTAX`.
        fault: Who can do something about it: `caller`, `data`, `cluster` or `bug`.
        retryable: True if the same request may succeed later without a change.
        message: The rule broken, the value, the place, and what to do.
        node_id: The plan node, stage, task or attempt where it happened, or an empty string.
        position: The place in the SQL text, where known.
        executor_id: The executor on which it happened, or an empty string.
        engine_message: The engine's own words, unchanged, for a bug report.
        attempts: How often a task was tried until this error ended its job; 0 for once, or if it is
            not about a task.
        cause: The first error of that task, or of a call that was made again, if this is another
            one.
    """

    code: ClassVar[str] = ""
    fault: ClassVar[str] = "bug"
    retryable: ClassVar[bool] = False

    def __init_subclass__(cls, *, code: str = "", retryable: bool = False) -> None:
        """Files a class under its code."""
        super().__init_subclass__()
        if code:
            cls.code = code
            cls.retryable = retryable
            ERROR_BY_CODE[code] = cls

    def __init__(
        self,
        message: str,
        *,
        node_id: str = "",
        position: Position | None = None,
        executor_id: str = "",
        engine_message: str = "",
        attempts: int = 0,
        cause: "SpringaldError | None" = None,
    ) -> None:
        """Makes an error; the message says what was expected, what was met, and what to do."""
        super().__init__(message)
        self.message = message
        self.node_id = node_id
        self.position = position
        self.executor_id = executor_id
        self.engine_message = engine_message
        self.attempts = attempts
        self.cause = cause

    def __str__(self) -> str:
        """The code, the message, where it happened, and how it began.

        A caret stays below what it points at.
        """
        told = self._told()
        if self.attempts > 1:
            told += f"\nafter {self.attempts} attempts"
        if self.cause is not None:
            told += f"\nit began with {self.cause}"
        return told

    def _told(self) -> str:
        places = [self.node_id, self.executor_id and f"executor {self.executor_id}"]
        where = ", ".join(place for place in places if place)
        first, newline, rest = self.message.partition("\n")
        return f"[{self.code}] {first}" + (f" (at {where})" if where else "") + newline + rest

    def __reduce__(self) -> tuple[object, ...]:
        """Keeps every field when the error is pickled from one process to another."""
        return (_restore, (type(self), self.message, self.__dict__))

    def at(self, *, node_id: str = "", executor_id: str = "") -> Self:
        """Returns the error with places filled in where it did not know them yet."""
        self.node_id = self.node_id or node_id
        self.executor_id = self.executor_id or executor_id
        return self

    def after(self, first: "SpringaldError") -> Self:
        """Returns the error with what it began with, unless that says the same."""
        if first.message != self.message:
            self.cause = self.cause or first
        return self


def _restore(
    kind: type[SpringaldError], message: str, attributes: dict[str, object]
) -> SpringaldError:
    error = kind(message)
    error.__dict__.update(attributes)
    return error


def error_for_code(code: str, fault: str) -> type[SpringaldError]:
    """Returns the class of a code, or of its fault if this version does not know the code."""
    by_fault = {"caller": CallerError, "data": DataError, "cluster": ClusterError}
    return ERROR_BY_CODE.get(code) or by_fault.get(fault, BugError)


class CallerError(SpringaldError):
    """The request was wrong: change it and try again."""

    fault = "caller"


class DataError(SpringaldError):
    """The data did not fit the request."""

    fault = "data"


class ClusterError(SpringaldError):
    """A machine, a process, the network or a budget gave way."""

    fault = "cluster"


class BugError(SpringaldError):
    """Springald or its engine broke a promise: please report it."""

    fault = "bug"


class InvalidArgumentError(CallerError, ValueError, code="INVALID_ARGUMENT"):
    """A field of the request is missing, malformed or out of its range."""


class SqlSyntaxError(CallerError, code="SQL_SYNTAX"):
    """The SQL text does not parse."""


class UnknownTableError(CallerError, code="UNKNOWN_TABLE"):
    """The statement names a table or view that the session does not have."""


class UnknownColumnError(CallerError, code="UNKNOWN_COLUMN"):
    """The statement names a column that its tables do not have."""


class UnknownFunctionError(CallerError, code="UNKNOWN_FUNCTION"):
    """The statement calls a function that the engine does not have."""


class TypeMismatchError(CallerError, code="TYPE_MISMATCH"):
    """The statement combines types that the engine cannot bring together."""


class InvalidQueryError(CallerError, code="INVALID_QUERY"):
    """The statement parses but does not plan."""


class UnsupportedError(CallerError, code="UNSUPPORTED"):
    """The request is understood and not offered by this version."""


class PlanTooDeepError(CallerError, code="PLAN_TOO_DEEP"):
    """A query or plan is nested deeper than its limit."""


class PlanTooLargeError(CallerError, code="PLAN_TOO_LARGE"):
    """A query or plan has more bytes or nodes than its limit."""


class TableExistsError(CallerError, code="TABLE_EXISTS"):
    """A table or view of this name exists."""


class UnknownSettingError(CallerError, code="UNKNOWN_SETTING"):
    """No setting has this name."""


class ProtectedSettingError(CallerError, code="PROTECTED_SETTING"):
    """The setting keeps answers right and cannot be changed by a session."""


class InvalidSettingError(CallerError, code="INVALID_SETTING"):
    """The setting does not take this value."""


class PathNotAllowedError(CallerError, code="PATH_NOT_ALLOWED"):
    """The path or URL lies outside the places that the cluster may read."""


class SessionNotFoundError(CallerError, code="SESSION_NOT_FOUND"):
    """The session does not exist, was closed, or expired."""


class JobNotFoundError(CallerError, code="JOB_NOT_FOUND"):
    """The job does not exist, or was released."""


class OperationConflictError(CallerError, code="OPERATION_CONFLICT"):
    """The operation id is in use for another statement."""


class CancelledError(CallerError, code="CANCELLED"):
    """The job was cancelled."""


class TicketInvalidError(CallerError, code="TICKET_INVALID"):
    """A ticket was not signed by this cluster, or does not open what it was shown for."""


class TicketExpiredError(CallerError, code="TICKET_EXPIRED", retryable=True):
    """A ticket was valid once."""


class MessageTooLargeError(CallerError, code="MESSAGE_TOO_LARGE"):
    """A message is larger than its limit."""


class MessageGarbledError(CallerError, code="MESSAGE_GARBLED"):
    """A message does not decode."""


class ProtocolMismatchError(CallerError, code="PROTOCOL_MISMATCH"):
    """The two sides speak different versions of the protocol."""


class DataFileNotFoundError(DataError, code="FILE_NOT_FOUND"):
    """A table's file or folder is not there."""


class FileCorruptError(DataError, code="FILE_CORRUPT"):
    """A file's contents are not what its format promises."""


class FileChangedError(DataError, code="FILE_CHANGED", retryable=True):
    """A file changed between planning and reading."""


class CastFailedError(DataError, code="CAST_FAILED"):
    """A value cannot be converted to the type asked for."""


class DivisionByZeroError(DataError, code="DIVISION_BY_ZERO"):
    """A number was divided by zero."""


class ArithmeticOverflowError(DataError, code="ARITHMETIC_OVERFLOW"):
    """A result does not fit its type."""


class DataInvalidError(DataError, code="DATA_INVALID"):
    """The data made the query fail for a reason without a code of its own."""


class NoExecutorError(ClusterError, code="NO_EXECUTOR", retryable=True):
    """No executor could run a task within the named limit."""


class ExecutorLostError(ClusterError, code="EXECUTOR_LOST", retryable=True):
    """An executor that the job needed went away."""


class TaskLostError(ClusterError, code="TASK_LOST", retryable=True):
    """The engine process that ran a task died."""


class OutOfMemoryError(ClusterError, code="OUT_OF_MEMORY"):
    """A task needed more memory than its share."""


class OutOfDiskError(ClusterError, code="OUT_OF_DISK", retryable=True):
    """A folder for spill or shuffle files is full."""


class FetchFailedError(ClusterError, code="FETCH_FAILED", retryable=True):
    """An output of another task could not be fetched."""


class InputLostError(ClusterError, code="INPUT_LOST", retryable=True):
    """An output of another task is gone and has to be made again."""


class SchedulerUnavailableError(ClusterError, code="SCHEDULER_UNAVAILABLE", retryable=True):
    """The scheduler cannot be reached."""


class SchedulerRestartedError(ClusterError, code="SCHEDULER_RESTARTED", retryable=True):
    """The scheduler restarted and does not know the session or job any more."""


class DeadlineExceededError(ClusterError, code="DEADLINE_EXCEEDED", retryable=True):
    """Something took longer than its limit."""


class OverloadedError(ClusterError, code="OVERLOADED", retryable=True):
    """A queue is full."""


class EngineMismatchError(ClusterError, code="ENGINE_MISMATCH"):
    """The executor's engine, Python version or architecture differs from the cluster's."""


class RoutingMismatchError(ClusterError, code="ROUTING_MISMATCH"):
    """The executor sends rows to other partitions than the cluster does for the same keys."""


class AddressInUseError(ClusterError, code="ADDRESS_IN_USE"):
    """An address could not be bound."""


class IoFailedError(ClusterError, code="IO_FAILED", retryable=True):
    """Reading or writing failed in a way that may pass."""


class NotLeaderError(ClusterError, code="NOT_LEADER", retryable=True):
    """Another scheduler of the cluster leads."""

    leader_address: str = ""
    """Where it is, `host:port`; empty if that is not known."""

    @classmethod
    def of(cls, leader_address: str, asked: str) -> Self:
        """Makes the error of a scheduler that does not lead.

        Args:
            leader_address: Where the one is that does; empty if that is not known.
            asked: What was asked.
        """
        elsewhere = f"ask {leader_address}" if leader_address else "none leads now: try again"
        error = cls(f"the scheduler that leads is asked for {asked}: got another one; {elsewhere}")
        error.leader_address = leader_address
        return error


class InternalError(BugError, code="INTERNAL"):
    """A promise of Springald or of its engine was broken."""


class UnexpectedMessageError(BugError, code="UNEXPECTED_MESSAGE"):
    """A message arrived that the receiver's state does not allow."""
