"""The states of attempts and engines, and which may follow which.

The tables are the whole truth: every change of state goes through `check_task` or `check_engine`.
"""

from collections.abc import Iterable
from enum import Enum
from typing import Final, NoReturn


class TaskState(Enum):
    """Where an attempt stands; one that ended is not kept.

    A stopping attempt's engine is being killed: whatever the engine still says is too late.
    """

    WAITING = "waiting"
    RUNNING = "running"
    STOPPING = "stopping"
    ENDED = "ended"


class EngineState(Enum):
    """Where an engine stands; one that is gone is not kept."""

    STARTING = "starting"
    IDLE = "idle"
    BUSY = "busy"
    STOPPING = "stopping"
    GONE = "gone"


TASK_TRANSITIONS: Final[dict[TaskState, frozenset[TaskState]]] = {
    TaskState.WAITING: frozenset({TaskState.RUNNING, TaskState.ENDED}),
    TaskState.RUNNING: frozenset({TaskState.STOPPING, TaskState.ENDED}),
    TaskState.STOPPING: frozenset({TaskState.ENDED}),
    TaskState.ENDED: frozenset(),
}

ENGINE_TRANSITIONS: Final[dict[EngineState, frozenset[EngineState]]] = {
    EngineState.STARTING: frozenset({EngineState.IDLE, EngineState.GONE}),
    EngineState.IDLE: frozenset({EngineState.BUSY, EngineState.STOPPING, EngineState.GONE}),
    EngineState.BUSY: frozenset({EngineState.IDLE, EngineState.STOPPING, EngineState.GONE}),
    EngineState.STOPPING: frozenset({EngineState.GONE}),
    EngineState.GONE: frozenset(),
}


class ImpossibleTransitionError(Exception):
    """The core contradicts itself; the message tells the story that led there."""


def check_task(task_id: str, old: TaskState, new: TaskState, story: Iterable[str]) -> None:
    """Checks a change of an attempt's state.

    Raises:
        ImpossibleTransitionError: The table does not have it.
    """
    if new not in TASK_TRANSITIONS[old]:
        _refuse(f"task {task_id}", old.value, new.value, story)


def check_engine(engine_id: int, old: EngineState, new: EngineState, story: Iterable[str]) -> None:
    """Checks a change of an engine's state.

    Raises:
        ImpossibleTransitionError: The table does not have it.
    """
    if new not in ENGINE_TRANSITIONS[old]:
        _refuse(f"engine {engine_id}", old.value, new.value, story)


def _refuse(what: str, old: str, new: str, story: Iterable[str]) -> NoReturn:
    told = "\n  ".join(story) or "nothing"
    message = f"{what} goes from {old} to a state that follows it: got {new}"
    raise ImpossibleTransitionError(f"{message}; what happened before:\n  {told}")
