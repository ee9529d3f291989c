"""What a scheduler's core is told, in the past tense.

An event is a fact: the core cannot refuse that it happened, only what it asks for.
"""

from dataclasses import dataclass

from springald_scheduler.core.failures import Failure
from springald_scheduler.core.figures import NO_FIGURES, OperatorFigures
from springald_scheduler.core.graph import Operator, Stage, StageGraph
from springald_scheduler.core.sizes import NOTHING, Sizes


@dataclass(frozen=True, slots=True)
class Event:
    """Anything that happened."""


@dataclass(frozen=True, slots=True)
class TimePassed(Event):
    """Time went on; what is due by now comes about."""


@dataclass(frozen=True, slots=True)
class SchedulerStarted(Event):
    """The scheduler's process began: the first event. Its core may know of an earlier one."""


@dataclass(frozen=True, slots=True)
class SessionOpened(Event):
    """A client got a session, with settings to begin with."""

    session_id: str
    catalog: object | None = None


@dataclass(frozen=True, slots=True)
class SessionChanged(Event):
    """A session's tables or settings changed; they are opaque to the core."""

    session_id: str
    catalog: object


@dataclass(frozen=True, slots=True)
class SessionSeen(Event):
    """A client called in the name of a session."""

    session_id: str


@dataclass(frozen=True, slots=True)
class SessionClosed(Event):
    """A client gave up a session."""

    session_id: str


@dataclass(frozen=True, slots=True)
class JobSubmitted(Event):
    """A client asked for a statement to be run.

    Attributes:
        session_id: The session.
        operation_id: The client's name for the job.
        statement: The statement as people read it; as the planner takes it if there is no plan.
        digest: Of the whole request; equal requests have equal digests.
        plan: The statement as the planner takes it, if that is not text.
    """

    session_id: str
    operation_id: str
    statement: str
    digest: bytes
    plan: bytes = b""


@dataclass(frozen=True, slots=True)
class JobPlanned(Event):
    """A statement turned out to be a query, and was cut into stages."""

    job_id: str
    graph: StageGraph


@dataclass(frozen=True, slots=True)
class StageReplanned(Event):
    """A stage was planned anew, with what was measured; None if it stays as it was."""

    job_id: str
    stage_id: int
    stage: Stage | None


@dataclass(frozen=True, slots=True)
class JobAnswered(Event):
    """A statement was answered without an executor: its rows as an Arrow IPC stream."""

    job_id: str
    rows: bytes


@dataclass(frozen=True, slots=True)
class JobFailed(Event):
    """A job cannot go on for a reason outside of its tasks, for example that it does not plan."""

    job_id: str
    failure: Failure


@dataclass(frozen=True, slots=True)
class JobWatched(Event):
    """A client began to follow a job."""

    job_id: str


@dataclass(frozen=True, slots=True)
class JobUnwatched(Event):
    """A client stopped following a job, or its connection broke."""

    job_id: str


@dataclass(frozen=True, slots=True)
class JobCancelRequested(Event):
    """Somebody wants a job stopped; an empty session id is an operator's, who names job ids."""

    session_id: str
    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class JobReleased(Event):
    """A client gave up a job's result, by operation id or job id."""

    session_id: str
    name: str


@dataclass(frozen=True, slots=True)
class ResultLost(Event):
    """A client could not fetch parts of a result; it names the attempts that made them."""

    session_id: str
    name: str
    attempt_ids: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ClusterFacts:
    """What must be equal everywhere in a cluster, for answers to be right."""

    protocol_major: int
    engine_version: str
    python_version: str
    architecture: str
    routing_fingerprint: str


@dataclass(frozen=True, slots=True)
class ExecutorRegistered(Event):
    """An executor opened its stream and said who it is, and what it runs and keeps.

    Attributes:
        running_attempt_ids: Attempts that it runs.
        finished_attempt_ids: Attempts that it has finished, and of which it reports next.
        job_ids: Jobs of which it keeps something.
        upload_ids: Uploads that it keeps whole, and of which it reports next.
    """

    executor_id: str
    incarnation: str
    facts: ClusterFacts
    slots: int
    memory_bytes: int = 0
    flight_address: str = ""
    pid: int = 0
    host: str = ""
    running_attempt_ids: tuple[str, ...] = ()
    finished_attempt_ids: tuple[str, ...] = ()
    job_ids: tuple[str, ...] = ()
    upload_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ExecutorHeard(Event):
    """An executor sent a heartbeat with the attempts that it runs."""

    executor_id: str
    incarnation: str
    running_attempt_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ExecutorDisconnected(Event):
    """An executor's stream ended."""

    executor_id: str
    incarnation: str
    reason: str = "its stream ended"


@dataclass(frozen=True, slots=True)
class ExecutorDrainRequested(Event):
    """An executor wants no more tasks."""

    executor_id: str
    incarnation: str
    reason: str = ""


@dataclass(frozen=True, slots=True)
class TaskStarted(Event):
    """An attempt runs in an engine process."""

    executor_id: str
    incarnation: str
    attempt_id: str


@dataclass(frozen=True, slots=True)
class TaskFinished(Event):
    """An attempt made its output, with partitions of these sizes.

    `operators` are those that ran, if the task planned a whole query itself. `rows` are all of a
    small result, as an Arrow IPC stream. `fingerprint` is of the rows of all partitions, whatever
    their order, and `digest` of their bytes; 0 if it is not known.
    """

    executor_id: str
    incarnation: str
    attempt_id: str
    sizes: Sizes = NOTHING
    bytes_read_local: int = 0
    bytes_read_remote: int = 0
    elapsed_ms: int = 0
    figures: OperatorFigures = NO_FIGURES
    operators: tuple[Operator, ...] = ()
    rows: bytes | None = None
    fingerprint: int = 0
    digest: int = 0


@dataclass(frozen=True, slots=True)
class TaskFailed(Event):
    """An attempt ended without output.

    Attributes:
        executor_id: Who ran it.
        incarnation: In which life.
        attempt_id: The attempt.
        failure: Why; `CANCELLED` if it was asked to stop.
        lost_attempt_id: The attempt whose output could not be read, or an empty string.
        figures: What its operators measured before.
    """

    executor_id: str
    incarnation: str
    attempt_id: str
    failure: Failure
    lost_attempt_id: str = ""
    figures: OperatorFigures = NO_FIGURES


@dataclass(frozen=True, slots=True)
class UploadRequested(Event):
    """A client wants to send rows."""

    session_id: str
    upload_id: str
    bytes_expected: int = 0


@dataclass(frozen=True, slots=True)
class UploadStored(Event):
    """All rows of an upload arrived at its executor."""

    executor_id: str
    incarnation: str
    upload_id: str
    rows: int
    bytes: int
    partition_count: int


@dataclass(frozen=True, slots=True)
class UploadRegistered(Event):
    """An upload became a table; its schema is in IPC form.

    A client whose answer was lost asks again, so it may come twice.
    """

    session_id: str
    upload_id: str
    schema: bytes
    table: str = ""


@dataclass(frozen=True, slots=True)
class UploadReleased(Event):
    """No table of the session holds an upload any more."""

    session_id: str
    upload_id: str
