"""What must survive the scheduler's process, and under which key it is kept."""

from dataclasses import dataclass
from enum import Enum

from springald_scheduler.core.failures import Failure
from springald_scheduler.core.graph import Operator, StageGraph
from springald_scheduler.core.sizes import Sizes
from springald_scheduler.core.states import JobState, UploadState

Key = tuple[str, ...]
"""The way to a record; what belongs to it has longer keys with the same beginning."""


@dataclass(frozen=True, slots=True)
class OutputLocation:
    """Where the output of one task lies, and how large its partitions are.

    `fingerprint` is of its rows, whatever their order, and `digest` of its bytes; 0 if it is not
    known. `incarnation` is the life of the executor that holds it.
    """

    attempt_id: str
    executor_id: str
    flight_address: str
    sizes: Sizes
    fingerprint: int = 0
    digest: int = 0
    incarnation: str = ""


@dataclass(frozen=True, slots=True)
class UploadLocation:
    """Where the rows of an upload lie."""

    upload_id: str
    schema: bytes
    rows: int
    bytes: int
    executor_id: str
    flight_address: str
    partition_count: int


@dataclass(frozen=True, slots=True)
class InputPart:
    """Some outputs of one of a stage's inputs, of which a task reads no others."""

    input_number: int
    outputs: range


@dataclass(frozen=True, slots=True)
class TaskSlice:
    """What a task of a stage is: fixed when the stage begins.

    Attributes:
        partitions: The partitions that it runs.
        slots: How many slots it takes.
        part: See `Task`.
        void: Attempts up to this number are not accepted any more.
    """

    partitions: range
    slots: int
    part: InputPart | None = None
    void: int = 0


class Skip(Enum):
    """Why a stage is not run."""

    NO = "no"
    EMPTY = "empty"
    MERGED = "merged"


@dataclass(frozen=True, slots=True)
class CounterRecord:
    """What must never be used twice.

    Attributes:
        jobs: Numbers of jobs up to this one may have been used.
        lives: How often a scheduler was started with these records.
    """

    jobs: int = 0
    lives: int = 0

    @property
    def key(self) -> Key:
        """Where the record is kept."""
        return ("counter",)


@dataclass(frozen=True, slots=True)
class SessionRecord:
    """A session that is open; its catalog and settings are opaque to the core."""

    session_id: str
    opened_ms: int
    catalog: object | None = None

    @property
    def key(self) -> Key:
        """Where the record is kept."""
        return session_key(self.session_id)


@dataclass(frozen=True, slots=True)
class JobRecord:
    """A job as it stands after a change of its state.

    `plan` is the statement as the planner takes it, if that is no text, until it is planned.
    """

    job_id: str
    session_id: str
    operation_id: str
    statement: str
    digest: bytes
    submitted_ms: int
    state: JobState
    ended_ms: int = 0
    answer: bytes | None = None
    failure: Failure | None = None
    plan: bytes = b""

    @property
    def key(self) -> Key:
        """Where the record is kept."""
        return job_key(self.job_id)


@dataclass(frozen=True, slots=True)
class PlanRecord:
    """The stages of a job that runs, or whose result may have to be made again.

    Attributes:
        job_id: The job.
        graph: The stages as they are now.
        planned: The stages as the planner made them, if these are others.
        restarts: How often the job began again.
    """

    job_id: str
    graph: StageGraph
    planned: StageGraph | None = None
    restarts: int = 0

    @property
    def key(self) -> Key:
        """Where the record is kept."""
        return plan_key(self.job_id)


@dataclass(frozen=True, slots=True)
class StageRecord:
    """A stage that has begun: its tasks, and when all are finished, where their outputs lie.

    Attributes:
        job_id: The job.
        stage_id: The stage.
        outputs: What the accepted attempts made, in task order; empty before the end.
        slices: Its tasks.
        skip: Why it is not run; then it has no tasks, and has ended.
        operators: Those that ran, if a task planned a whole query itself.
        ended: True if it is finished.
    """

    job_id: str
    stage_id: int
    outputs: tuple[OutputLocation, ...] = ()
    slices: tuple[TaskSlice, ...] = ()
    skip: Skip = Skip.NO
    operators: tuple[Operator, ...] = ()
    ended: bool = True

    @property
    def key(self) -> Key:
        """Where the record is kept."""
        return stage_key(self.job_id, self.stage_id)


@dataclass(frozen=True, slots=True)
class ExecutorRecord:
    """An executor that is registered.

    Attributes:
        executor_id: The executor.
        incarnation: Its life.
        flight_address: Where its files are read.
        slots: Its slots; 0 if an earlier release wrote the record.
        memory_bytes: What it deals out to tasks.
        pid: Its agent's process.
        draining: True if it takes no more tasks.
        registered_ms: When it came.
        order: Its place among those that came at that moment.
    """

    executor_id: str
    incarnation: str
    flight_address: str
    slots: int = 0
    memory_bytes: int = 0
    pid: int = 0
    draining: bool = False
    registered_ms: int = 0
    order: int = 0

    @property
    def key(self) -> Key:
        """Where the record is kept."""
        return executor_key(self.executor_id)


@dataclass(frozen=True, slots=True)
class UploadRecord:
    """An upload from the moment that it has a place.

    Attributes:
        session_id: Its session.
        upload_id: The upload.
        state: Where it stands; that it is stored is learned again of its executor.
        executor_id: Where its place is.
        incarnation: In which life of that executor.
        bytes_expected: How large its client thinks it is.
        location: Where it lies, once it is a table.
        doomed: True if no table holds it and only jobs that read it keep it.
        table: The name of the table that it became.
    """

    session_id: str
    upload_id: str
    state: UploadState
    executor_id: str
    incarnation: str
    bytes_expected: int = 0
    location: UploadLocation | None = None
    doomed: bool = False
    table: str = ""

    @property
    def key(self) -> Key:
        """Where the record is kept."""
        return upload_key(self.upload_id)


Record = (
    CounterRecord
    | SessionRecord
    | JobRecord
    | PlanRecord
    | StageRecord
    | ExecutorRecord
    | UploadRecord
)


def session_key(session_id: str) -> Key:
    """The key of a session's record."""
    return ("session", session_id)


def job_key(job_id: str) -> Key:
    """The key of a job's record, and the beginning of its stages' keys."""
    return ("job", job_id)


def plan_key(job_id: str) -> Key:
    """The key of a job's plan."""
    return (*job_key(job_id), "plan")


def stage_key(job_id: str, stage_id: int | None = None) -> Key:
    """The key of a stage's record, or the beginning of the keys of all stages of a job."""
    key = (*job_key(job_id), "stage")
    return key if stage_id is None else (*key, str(stage_id))


def upload_key(upload_id: str) -> Key:
    """The key of an upload's record."""
    return ("upload", upload_id)


def executor_key(executor_id: str) -> Key:
    """The key of an executor's record."""
    return ("executor", executor_id)
