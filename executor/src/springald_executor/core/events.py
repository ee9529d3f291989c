"""What an agent's core is told, in the past tense.

An event is a fact: the core cannot refuse that it happened, only what it asks for.
"""

from dataclasses import dataclass

from springald_executor.core.failures import Failure
from springald_executor.core.model import InputSlice, StageDefinition, StoredFile, TaskReport


@dataclass(frozen=True, slots=True)
class Event:
    """Anything that happened."""


@dataclass(frozen=True, slots=True)
class Registered(Event):
    """The scheduler accepted the executor.

    Attributes:
        cluster: Tells one life of a scheduler from another; what belongs to another is dropped.
        allowed_paths: Folders that tables may be read from.
    """

    cluster: str
    allowed_paths: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SchedulerLost(Event):
    """The stream to the scheduler ended; what runs goes on until one says what it wants."""


@dataclass(frozen=True, slots=True)
class StageDefined(Event):
    """The scheduler told what the tasks of a stage have in common."""

    stage: StageDefinition


@dataclass(frozen=True, slots=True)
class TaskLaunched(Event):
    """The scheduler pushed an attempt.

    `slices` is what it reads of its stage's inputs, if any of them is sliced.
    """

    task_id: str
    job_id: str
    stage_id: int
    partitions: tuple[int, ...]
    slots: int
    slices: tuple[InputSlice, ...] = ()


@dataclass(frozen=True, slots=True)
class TaskCancelled(Event):
    """The scheduler wants an attempt stopped."""

    task_id: str


@dataclass(frozen=True, slots=True)
class JobReleased(Event):
    """The scheduler wants everything of a job removed."""

    job_id: str


@dataclass(frozen=True, slots=True)
class StageSettled(Event):
    """The scheduler has written down where a stage's outputs lie."""

    job_id: str
    stage_id: int


@dataclass(frozen=True, slots=True)
class UploadReleased(Event):
    """The scheduler wants an upload removed."""

    upload_id: str


@dataclass(frozen=True, slots=True)
class HandOverOrdered(Event):
    """The scheduler wants an upload sent to another executor."""

    upload_id: str
    address: str


@dataclass(frozen=True, slots=True)
class HandOverEnded(Event):
    """An upload was sent on, or could not be; who has it now the scheduler knows."""

    upload_id: str


@dataclass(frozen=True, slots=True)
class DrainOrdered(Event):
    """The scheduler wants the executor to leave."""


@dataclass(frozen=True, slots=True)
class DrainWanted(Event):
    """The executor's own side wants to leave, for example because of a signal."""

    reason: str


@dataclass(frozen=True, slots=True)
class EngineReady(Event):
    """An engine process waits for a task."""

    engine_id: int


@dataclass(frozen=True, slots=True)
class TaskRan(Event):
    """An engine made an attempt's output.

    Attributes:
        engine_id: The engine.
        task_id: The attempt.
        report: What it made.
        engine_usable: False if the engine should be replaced, for example because it has grown.
    """

    engine_id: int
    task_id: str
    report: TaskReport
    engine_usable: bool = True


@dataclass(frozen=True, slots=True)
class TaskBroke(Event):
    """An attempt failed in an engine that lives on, if it is usable."""

    engine_id: int
    task_id: str
    failure: Failure
    engine_usable: bool = True


@dataclass(frozen=True, slots=True)
class EngineOutgrew(Event):
    """An engine took more memory than its task's share allows."""

    engine_id: int
    failure: Failure


@dataclass(frozen=True, slots=True)
class EngineDied(Event):
    """An engine is gone, with what it ran; the failure says how, as far as it is known."""

    engine_id: int
    failure: Failure


@dataclass(frozen=True, slots=True)
class UploadBegan(Event):
    """A client showed a ticket for an upload."""

    upload_id: str


@dataclass(frozen=True, slots=True)
class UploadArrived(Event):
    """All rows of an upload are stored."""

    upload_id: str
    file: StoredFile


@dataclass(frozen=True, slots=True)
class UploadBroke(Event):
    """An upload ended early."""

    upload_id: str
