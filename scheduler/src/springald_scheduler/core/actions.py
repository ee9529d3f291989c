"""What a scheduler's core asks for, in the imperative. The driver carries out all, in order.

Each action carries the event that caused it. A `Persist` comes before every action that tells
somebody what it makes true.
"""

from dataclasses import dataclass

from springald_scheduler.core.events import Event
from springald_scheduler.core.failures import Failure
from springald_scheduler.core.graph import Offer, Stage
from springald_scheduler.core.records import Key, OutputLocation, Record, UploadLocation
from springald_scheduler.core.sizes import InputSlice


@dataclass(frozen=True, slots=True)
class Action:
    """Anything to be done."""

    cause: Event


@dataclass(frozen=True, slots=True)
class Ignore(Action):
    """Do nothing: the event came too late or names what does not exist. For the log."""

    reason: str


@dataclass(frozen=True, slots=True)
class Persist(Action):
    """Write a record so that it survives the process."""

    record: Record


@dataclass(frozen=True, slots=True)
class Forget(Action):
    """Remove the record of this key and all whose keys begin with it."""

    key: Key


@dataclass(frozen=True, slots=True)
class RestoreSession(Action):
    """Let the planner know a session that an earlier process opened."""

    session_id: str
    catalog: object | None


@dataclass(frozen=True, slots=True)
class ServeClients(Action):
    """Let clients in: all that earlier processes wrote down has been taken up."""


@dataclass(frozen=True, slots=True)
class DropSession(Action):
    """Let the planner forget a session."""

    session_id: str


@dataclass(frozen=True, slots=True)
class AcceptJob(Action):
    """Tell the client that its statement is a new job."""

    job_id: str


@dataclass(frozen=True, slots=True)
class AttachJob(Action):
    """Tell the client that its statement is a job already."""

    job_id: str


@dataclass(frozen=True, slots=True)
class Refuse(Action):
    """Tell the client that what it asked for cannot be."""

    failure: Failure


@dataclass(frozen=True, slots=True)
class PlanJob(Action):
    """Plan a statement and tell how it went; it is the plan, or the text if there is none."""

    job_id: str
    session_id: str
    statement: str
    plan: bytes = b""


@dataclass(frozen=True, slots=True)
class ReplanStage(Action):
    """Plan a stage anew, with what was measured, and tell how it went.

    Attributes:
        job_id: The job.
        stage: The stage; it has not begun.
        other: The stage that it takes in, which has not begun either, or whose rows it reads; or
            itself, if there is none.
        offer: How.
    """

    job_id: str
    stage: Stage
    other: Stage
    offer: Offer


@dataclass(frozen=True, slots=True)
class PublishJob(Action):
    """Tell all who watch a job how it stands."""

    job_id: str


@dataclass(frozen=True, slots=True)
class ToExecutor(Action):
    """Anything that is sent to an executor, in one life of it."""

    executor_id: str
    incarnation: str


@dataclass(frozen=True, slots=True)
class AcceptExecutor(ToExecutor):
    """Let an executor in."""


@dataclass(frozen=True, slots=True)
class RefuseExecutor(ToExecutor):
    """Turn an executor away and end its stream; it comes again if the failure is retryable."""

    failure: Failure


@dataclass(frozen=True, slots=True)
class DisconnectExecutor(ToExecutor):
    """End the stream of an executor that was given up."""

    reason: str


@dataclass(frozen=True, slots=True)
class DefineStage(ToExecutor):
    """Send what the tasks of a stage have in common, once before the first of them.

    It is sent again when its inputs lie elsewhere, for the tasks that are launched from then on.

    Attributes:
        version: Counts what is sent of a stage.
        inputs: For each of the stage's inputs, the outputs of all its tasks.
        sliced: For each of them, whether its sizes are told to each task, see `LaunchTask`.
        profile: Whether tasks are to tell everything that the engine measured.
    """

    job_id: str
    stage: Stage
    inputs: tuple[tuple[OutputLocation, ...], ...]
    settings: tuple[tuple[str, str], ...] = ()
    uploads: tuple[UploadLocation, ...] = ()
    sliced: tuple[bool, ...] = ()
    profile: bool = False
    version: int = 1


@dataclass(frozen=True, slots=True)
class LaunchTask(ToExecutor):
    """Start one attempt of a task.

    Attributes:
        slices: For each of the stage's inputs, what the task reads of it; empty if none is sliced.
    """

    attempt_id: str
    job_id: str
    stage_id: int
    partitions: range
    slots: int
    slices: tuple[InputSlice, ...] = ()


@dataclass(frozen=True, slots=True)
class CancelTask(ToExecutor):
    """Stop an attempt and remove its files."""

    attempt_id: str


@dataclass(frozen=True, slots=True)
class SettleStage(ToExecutor):
    """Tell that a stage's outputs are written down, so that nobody asks for its reports again."""

    job_id: str
    stage_id: int


@dataclass(frozen=True, slots=True)
class ReleaseJobFiles(ToExecutor):
    """Remove everything that an executor keeps of a job.

    It is in no hurry if that is a stage's definition and no file.
    """

    job_id: str
    in_no_hurry: bool = False


@dataclass(frozen=True, slots=True)
class HandOverUpload(ToExecutor):
    """Send an upload on to another executor, before this one leaves."""

    upload_id: str
    flight_address: str


@dataclass(frozen=True, slots=True)
class AssignUpload(Action):
    """Tell the client where to send its rows."""

    upload_id: str
    executor_id: str
    flight_address: str


@dataclass(frozen=True, slots=True)
class RefuseUpload(Action):
    """Tell the client that its rows find no place, or that they are gone."""

    upload_id: str
    failure: Failure


@dataclass(frozen=True, slots=True)
class AnnounceUpload(Action):
    """Tell whoever waits for it that an upload is complete."""

    upload_id: str


@dataclass(frozen=True, slots=True)
class ReleaseUpload(ToExecutor):
    """Remove an upload."""

    upload_id: str
