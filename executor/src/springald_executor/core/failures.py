"""A failure as the core keeps it, and the failures that the core itself finds."""

from dataclasses import dataclass, replace

from springald_executor.core.model import NO_FIGURES, OperatorFigures


@dataclass(frozen=True, slots=True)
class Failure:
    """What went wrong, where, and whose fault it is.

    Attributes:
        code: A code of `springald.error.v1`, for example `TASK_LOST`.
        message: The rule broken, the value, the place, and what to do.
        retryable: True if the same request may succeed later without a change.
        node_id: The stage, task or attempt where it happened, or an empty string.
        engine_message: The engine's own words, unchanged.
        line: The line in the SQL text, from 1; 0 if there is none.
        column: The column in that line, from 1; 0 if there is none.
        lost_task_id: For an input that could not be read, the attempt that had made it.
        figures: What operators measured before the failure.
    """

    code: str
    message: str
    retryable: bool = False
    node_id: str = ""
    engine_message: str = ""
    line: int = 0
    column: int = 0
    lost_task_id: str = ""
    figures: OperatorFigures = NO_FIGURES

    def at(self, node_id: str) -> "Failure":
        """Returns the failure with its place filled in where it did not know it yet."""
        return replace(self, node_id=self.node_id or node_id)


def cancelled(task_id: str) -> Failure:
    """The scheduler asked for it."""
    return Failure("CANCELLED", f"task {task_id} was cancelled", node_id=task_id)


def draining(task_id: str) -> Failure:
    """The executor leaves."""
    return Failure(
        "EXECUTOR_LOST",
        f"an executor takes tasks until it drains: got {task_id} after that; run it elsewhere",
        retryable=True,
        node_id=task_id,
    )


def no_slot(task_id: str, wanted: int, free: int) -> Failure:
    """The scheduler pushed more than the slots that were offered."""
    return Failure(
        "OVERLOADED",
        f"a task needs free slots: got {free}, want {wanted}; run it when a task has ended",
        retryable=True,
        node_id=task_id,
    )


def job_leaving(task_id: str) -> Failure:
    """What is left of the job, or of an earlier scheduler's of that name, is being removed."""
    return Failure(
        "OVERLOADED",
        f"a job that was released is gone before its tasks run again: got {task_id} while others "
        "of it are being stopped; run it a moment later",
        retryable=True,
        node_id=task_id,
    )


def stage_unknown(task_id: str, stage: str) -> Failure:
    """A launch without a definition."""
    return Failure(
        "UNEXPECTED_MESSAGE",
        f"a stage is defined before its first task: got {task_id} of unknown {stage}",
        node_id=task_id,
    )


def input_lost(task_id: str, lost_task_id: str) -> Failure:
    """An input should lie here and does not."""
    return Failure(
        "INPUT_LOST",
        f"inputs of a task exist: got none of {lost_task_id} on this executor; make it again",
        retryable=True,
        node_id=task_id,
        lost_task_id=lost_task_id,
    )


def slice_untold(task_id: str, number: int) -> Failure:
    """The scheduler did not say what an attempt reads of an input."""
    return Failure(
        "INTERNAL",
        "an attempt is told what it reads of each sliced input: "
        f"got nothing of number {number}; please report this",
        node_id=task_id,
    )


def upload_lost(task_id: str, upload_id: str) -> Failure:
    """An upload should lie here and does not."""
    return Failure(
        "INPUT_LOST",
        f"uploads that a task reads exist: got none of {upload_id} on this executor; "
        "register the table again",
        node_id=task_id,
    )


def upload_exists(upload_id: str) -> Failure:
    """A ticket for an upload was used twice."""
    return Failure(
        "TICKET_INVALID",
        f"an upload is stored once: got {upload_id} again; ask the scheduler for a new one",
    )
