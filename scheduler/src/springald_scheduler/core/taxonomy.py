"""What may happen to a task, whether running it again can help, and whose budget that takes.

The table is the whole truth: the core looks failures up here, `docs/reliability.md` shows it, and
each row has a test.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Final

from springald_scheduler.core.failures import Failure


class FailureClass(Enum):
    """What kind of thing happened."""

    IO = "input or output"
    LOST_INPUT = "lost input"
    LOST_EXECUTOR = "lost executor"
    OUT_OF_MEMORY = "out of memory"
    ENGINE_DIED = "engine died"
    CALLER = "caller's error"
    DATA = "deterministic error"
    CANCELLED = "cancelled"
    BUG = "bug"


class Budget(Enum):
    """What a try is counted against; each task has its own."""

    NONE = "none"
    ATTEMPTS = "attempts"
    ENGINES = "engines"
    EXECUTORS = "executors"
    INPUTS = "inputs"
    MOVES = "moves"
    MEMORY = "memory"
    OUTPUTS = "outputs"


@dataclass(frozen=True, slots=True)
class FailureRow:
    """A row of the failure table.

    Attributes:
        name: Its name, for tests and people.
        what: What happened, and where it is noticed.
        code: The code of `springald.error.v1` under which it is told; empty if no error is made.
        kind: Its class.
        budget: What another try is counted against; none if there is no other try.
        elsewhere: True if the other try had better run on another executor.
        lost_output: True if the failure names an output that is lost, False if it names none; None
            if that makes no difference.
    """

    name: str
    what: str
    code: str
    kind: FailureClass
    budget: Budget = Budget.NONE
    elsewhere: bool = False
    lost_output: bool | None = None

    @property
    def retried(self) -> bool:
        """True if another try may help."""
        return self.budget is not Budget.NONE


def _never(code: str, kind: FailureClass, what: str) -> FailureRow:
    return FailureRow(code.lower(), what, code, kind)


_CALLER, _DATA, _BUG = FailureClass.CALLER, FailureClass.DATA, FailureClass.BUG
_IO, _LOST = FailureClass.IO, FailureClass.LOST_EXECUTOR

REPORTED: Final = (
    FailureRow(
        "output_not_there",
        "an output of another task is not where it should be, or a block of it is damaged",
        "INPUT_LOST",
        FailureClass.LOST_INPUT,
        Budget.INPUTS,
        lost_output=True,
    ),
    FailureRow(
        "fetch_failed",
        "an output of another task cannot be fetched: no connection, broken or stalled stream",
        "FETCH_FAILED",
        FailureClass.LOST_INPUT,
        Budget.INPUTS,
        lost_output=True,
    ),
    FailureRow(
        "upload_not_there",
        "an uploaded table is not where it should be; nobody can make it again",
        "INPUT_LOST",
        FailureClass.LOST_INPUT,
        lost_output=False,
    ),
    FailureRow(
        "upload_fetch_failed",
        "an uploaded table cannot be fetched from an executor that is there",
        "FETCH_FAILED",
        _IO,
        Budget.ATTEMPTS,
        elsewhere=True,
        lost_output=False,
    ),
    FailureRow(
        "io_failed",
        "reading or writing a file failed in a way that may pass",
        "IO_FAILED",
        _IO,
        Budget.ATTEMPTS,
        elsewhere=True,
    ),
    FailureRow(
        "out_of_disk",
        "an executor's folder for files or spill is full",
        "OUT_OF_DISK",
        _IO,
        Budget.ATTEMPTS,
        elsewhere=True,
    ),
    FailureRow(
        "deadline_exceeded",
        "something that a task waited for took too long",
        "DEADLINE_EXCEEDED",
        _IO,
        Budget.ATTEMPTS,
        elsewhere=True,
    ),
    FailureRow(
        "ticket_expired",
        "a ticket between two executors was too old when it was shown",
        "TICKET_EXPIRED",
        _IO,
        Budget.ATTEMPTS,
    ),
    FailureRow(
        "engine_died",
        "the engine process that ran the task crashed or was killed",
        "TASK_LOST",
        FailureClass.ENGINE_DIED,
        Budget.ENGINES,
        elsewhere=True,
    ),
    FailureRow(
        "out_of_memory",
        "a task needed more memory than its share; it is tried once more with an executor's whole "
        "memory, unless it had that",
        "OUT_OF_MEMORY",
        FailureClass.OUT_OF_MEMORY,
        Budget.MEMORY,
    ),
    FailureRow(
        "executor_drains",
        "a task reached an executor that is about to leave",
        "EXECUTOR_LOST",
        _LOST,
        Budget.MOVES,
        elsewhere=True,
    ),
    FailureRow(
        "no_free_slot",
        "a task reached an executor whose slots were taken",
        "OVERLOADED",
        _LOST,
        Budget.MOVES,
        elsewhere=True,
    ),
    _never("INVALID_ARGUMENT", _CALLER, "a field of the request is out of its range"),
    _never("SQL_SYNTAX", _CALLER, "a query that a task plans does not parse"),
    _never("UNKNOWN_TABLE", _CALLER, "a query that a task plans names no table"),
    _never("UNKNOWN_COLUMN", _CALLER, "a query that a task plans names no column"),
    _never("UNKNOWN_FUNCTION", _CALLER, "a query that a task plans calls no function"),
    _never("TYPE_MISMATCH", _CALLER, "a query that a task plans combines types that do not fit"),
    _never("INVALID_QUERY", _CALLER, "a query that a task plans does not plan"),
    _never("UNSUPPORTED", _CALLER, "the engine does not offer what the query asks for"),
    _never("PLAN_TOO_DEEP", _CALLER, "a plan is nested deeper than the engine reads"),
    _never("PLAN_TOO_LARGE", _CALLER, "a task has more outputs, or its plan more bytes, than fit"),
    _never("INVALID_SETTING", _CALLER, "a setting does not take its value"),
    _never("PATH_NOT_ALLOWED", _CALLER, "a file lies outside of what the cluster may read"),
    _never("TICKET_INVALID", _CALLER, "a ticket between two executors is of another cluster"),
    _never("FILE_NOT_FOUND", _DATA, "a table's file is not there"),
    _never("FILE_CORRUPT", _DATA, "a table's file is not what its format promises"),
    _never("FILE_CHANGED", _DATA, "a table's file changed while the query ran"),
    _never("CAST_FAILED", _DATA, "a value cannot be converted"),
    _never("DIVISION_BY_ZERO", _DATA, "a number was divided by zero"),
    _never("ARITHMETIC_OVERFLOW", _DATA, "a number does not fit its type"),
    _never("DATA_INVALID", _DATA, "the data made the query fail for another reason"),
    _never("ENGINE_MISMATCH", _BUG, "a plan is for another version of the engine"),
    _never("MESSAGE_GARBLED", _BUG, "a message does not decode"),
    _never("MESSAGE_TOO_LARGE", _BUG, "a message is larger than its limit"),
    _never("UNEXPECTED_MESSAGE", _BUG, "a message came that the receiver's state does not allow"),
    _never("INTERNAL", _BUG, "the engine panicked, or a promise of ours was broken"),
    _never("CANCELLED", FailureClass.CANCELLED, "a task was stopped, and not by its scheduler"),
)
"""What executors report of a task."""

EXECUTOR_GONE: Final = FailureRow(
    "executor_gone",
    "the stream of the executor that ran the task ended, or it was silent for too long",
    "EXECUTOR_LOST",
    _LOST,
    Budget.EXECUTORS,
    elsewhere=True,
)
EXECUTOR_LEFT: Final = FailureRow(
    "executor_left",
    "the executor that ran the task had asked to leave, and did before the task was done",
    "EXECUTOR_LOST",
    _LOST,
    Budget.MOVES,
    elsewhere=True,
)
OUTPUT_GONE: Final = FailureRow(
    "output_gone",
    "a finished output was lost while somebody still needs it: its task is run again",
    "INPUT_LOST",
    FailureClass.LOST_INPUT,
    Budget.OUTPUTS,
)
INPUTS_CHANGED: Final = FailureRow(
    "inputs_changed",
    "an output that is not the same when made again was partly read: those who read it begin again",
    "",
    FailureClass.LOST_INPUT,
    Budget.OUTPUTS,
)
UNKNOWN_PASSES: Final = FailureRow(
    "unknown_retryable",
    "a code of a later version that says that it may pass",
    "",
    _IO,
    Budget.ATTEMPTS,
    elsewhere=True,
)
UNKNOWN_STAYS: Final = FailureRow(
    "unknown", "a code of a later version that says that it does not pass", "", _BUG
)

NOTICED: Final = (
    EXECUTOR_GONE,
    EXECUTOR_LEFT,
    OUTPUT_GONE,
    INPUTS_CHANGED,
    UNKNOWN_PASSES,
    UNKNOWN_STAYS,
)
"""What the scheduler notices itself, and codes that it does not know."""

TABLE: Final = (*REPORTED, *NOTICED)

_BY_CODE: Final = {(row.code, row.lost_output): row for row in REPORTED}


def classify(failure: Failure, lost_attempt_id: str = "") -> FailureRow:
    """Returns the row of what an executor reported.

    Args:
        failure: What it told.
        lost_attempt_id: The attempt whose output could not be read, if it named one.

    Example:
        >>> classify(Failure("IO_FAILED", "m")).budget
        <Budget.ATTEMPTS: 'attempts'>
        >>> classify(Failure("DIVISION_BY_ZERO", "m")).retried
        False
    """
    row = _BY_CODE.get((failure.code, None)) or _BY_CODE.get((failure.code, bool(lost_attempt_id)))
    return row or (UNKNOWN_PASSES if failure.retryable else UNKNOWN_STAYS)
