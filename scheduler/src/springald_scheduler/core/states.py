"""The states of everything that has some, and which may follow which.

The tables are the whole truth: every change of state goes through `check_transition`.
"""

from collections.abc import Iterable
from enum import Enum


class JobState(Enum):
    """Where a job stands."""

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def terminal(self) -> bool:
        """True if nothing is left to do.

        A job that succeeded may run once more, if its result is lost before it is read.
        """
        return self in _JOB_ENDS


class StageState(Enum):
    """Where a stage stands; a ready one has all its inputs and waits for an executor.

    One that is not run, because its rows would change nothing, is finished from the start. One that
    lost an output runs again, and one whose inputs did before its tasks were fixed waits again.
    """

    WAITING = "waiting"
    READY = "ready"
    RUNNING = "running"
    FINISHED = "finished"


class TaskState(Enum):
    """Where a task stands.

    After a failure that may pass, or when its output is lost, it waits again.
    """

    WAITING = "waiting"
    RUNNING = "running"
    FINISHED = "finished"
    FAILED = "failed"
    CANCELLED = "cancelled"


class ExecutorState(Enum):
    """Whether an executor takes tasks."""

    ACTIVE = "active"
    DRAINING = "draining"


class UploadState(Enum):
    """Where an upload stands; a waiting one has no executor yet."""

    WAITING = "waiting"
    ASSIGNED = "assigned"
    STORED = "stored"
    REGISTERED = "registered"


State = JobState | StageState | TaskState | UploadState
Transitions = dict[State, frozenset[State]]
Moment = tuple[int, str, State]
"""When, what, and which state it took."""

JOB_TRANSITIONS: Transitions = {
    JobState.QUEUED: frozenset(set(JobState) - {JobState.QUEUED}),
    JobState.RUNNING: frozenset({JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED}),
    JobState.SUCCEEDED: frozenset({JobState.RUNNING}),
    JobState.FAILED: frozenset(),
    JobState.CANCELLED: frozenset(),
}

_JOB_ENDS = frozenset({JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELLED})

STAGE_TRANSITIONS: Transitions = {
    StageState.WAITING: frozenset({StageState.READY, StageState.FINISHED}),
    StageState.READY: frozenset({StageState.RUNNING, StageState.FINISHED, StageState.WAITING}),
    StageState.RUNNING: frozenset({StageState.FINISHED}),
    StageState.FINISHED: frozenset({StageState.RUNNING}),
}

TASK_TRANSITIONS: Transitions = {
    TaskState.WAITING: frozenset({TaskState.RUNNING}),
    TaskState.RUNNING: frozenset(set(TaskState) - {TaskState.RUNNING}),
    TaskState.FINISHED: frozenset({TaskState.WAITING}),
    TaskState.FAILED: frozenset(),
    TaskState.CANCELLED: frozenset(),
}

UPLOAD_TRANSITIONS: Transitions = {
    UploadState.WAITING: frozenset({UploadState.ASSIGNED}),
    UploadState.ASSIGNED: frozenset({UploadState.STORED}),
    UploadState.STORED: frozenset({UploadState.REGISTERED}),
    UploadState.REGISTERED: frozenset(),
}

_FOLLOWERS: Transitions = {
    **JOB_TRANSITIONS,
    **STAGE_TRANSITIONS,
    **TASK_TRANSITIONS,
    **UPLOAD_TRANSITIONS,
}


class ImpossibleTransitionError(RuntimeError):
    """The core was about to do what its tables forbid: a bug, told with its history."""


def check_transition(name: str, old: State, new: State, story: Iterable[Moment]) -> None:
    """Lets a change of state pass that the tables allow.

    Raises:
        ImpossibleTransitionError: They do not; the text has the story so far.
    """
    if new not in _FOLLOWERS[old]:
        raise ImpossibleTransitionError(
            f"{name} must not go from {old.value} to {new.value}\n{tell_story(story)}"
        )


def tell_story(story: Iterable[Moment]) -> str:
    """Writes a story, a line a moment."""
    return "\n".join(f"  {at_ms} ms: {name} {state.value}" for at_ms, name, state in story)
