"""What an agent's core asks for, in the imperative. The driver carries out all, in order.

Each action carries the event that caused it.
"""

from dataclasses import dataclass

from springald_executor.core.events import Event
from springald_executor.core.failures import Failure
from springald_executor.core.model import Grant, StoredFile, TaskReport, TaskRequest


@dataclass(frozen=True, slots=True)
class Action:
    """Anything to be done."""

    cause: Event


@dataclass(frozen=True, slots=True)
class Ignore(Action):
    """Do nothing: the event came too late or names what does not exist. For the log."""

    reason: str


@dataclass(frozen=True, slots=True)
class StartEngine(Action):
    """Start an engine process and tell when it is ready."""

    engine_id: int


@dataclass(frozen=True, slots=True)
class StopEngine(Action):
    """Kill an engine process, whatever it does, and tell when it is gone."""

    engine_id: int


@dataclass(frozen=True, slots=True)
class RunTask(Action):
    """Let an engine run an attempt and tell how it went."""

    engine_id: int
    request: TaskRequest


@dataclass(frozen=True, slots=True)
class TellTaskStarted(Action):
    """Tell the scheduler that an attempt runs."""

    task_id: str


@dataclass(frozen=True, slots=True)
class TellTaskFinished(Action):
    """Tell the scheduler what an attempt made."""

    task_id: str
    report: TaskReport


@dataclass(frozen=True, slots=True)
class TellTaskFailed(Action):
    """Tell the scheduler why an attempt made nothing."""

    task_id: str
    failure: Failure


@dataclass(frozen=True, slots=True)
class TellUploadStored(Action):
    """Tell the scheduler that an upload is complete."""

    upload_id: str
    rows: int
    bytes: int
    partition_count: int


@dataclass(frozen=True, slots=True)
class TellDrainRequested(Action):
    """Tell the scheduler that the executor wants to leave."""

    reason: str


@dataclass(frozen=True, slots=True)
class ReceiveUpload(Action):
    """Let the client send its rows."""

    upload_id: str
    grant: Grant


@dataclass(frozen=True, slots=True)
class RefuseUpload(Action):
    """Turn the client away."""

    upload_id: str
    failure: Failure


@dataclass(frozen=True, slots=True)
class SendUpload(Action):
    """Store an upload at another executor, as its client did here, and tell the core of the end."""

    upload_id: str
    address: str
    file: StoredFile


@dataclass(frozen=True, slots=True)
class RemoveFolder(Action):
    """Remove a folder with all that is in it, in memory and on disk."""

    folder: str


@dataclass(frozen=True, slots=True)
class Leave(Action):
    """End the executor; with a failure if it cannot go on."""

    failure: Failure | None = None
