"""What the core remembers: plain records without behaviour, changed by the rooms beside it."""

from collections import Counter, deque
from dataclasses import dataclass, field

from springald_scheduler.core.failures import Failure
from springald_scheduler.core.figures import StageFigures
from springald_scheduler.core.graph import Offer, Stage, StageGraph
from springald_scheduler.core.outputs import OutputTable
from springald_scheduler.core.records import InputPart, OutputLocation, Skip, UploadLocation
from springald_scheduler.core.sizes import NOTHING, Sizes
from springald_scheduler.core.states import (
    ExecutorState,
    JobState,
    Moment,
    StageState,
    TaskState,
    UploadState,
)
from springald_scheduler.core.taxonomy import Budget

_STORY_MOMENTS_MAX = 64


@dataclass(slots=True)
class Session:
    """A client's jobs and uploads.

    Attributes:
        session_id: Its id.
        opened_ms: When it was opened.
        seen_ms: When its client was last heard.
        operations: The jobs of the session by operation id, released ones included.
        job_ids: The jobs that are not released.
        upload_ids: Its uploads.
        watchers: How many streams follow jobs of the session.
        catalog: Its tables and settings, opaque to the core; None if they are not kept.
    """

    session_id: str
    opened_ms: int
    seen_ms: int
    operations: dict[str, str] = field(default_factory=dict)
    job_ids: dict[str, None] = field(default_factory=dict)
    upload_ids: dict[str, None] = field(default_factory=dict)
    watchers: int = 0
    catalog: object | None = None


@dataclass(slots=True)
class Attempt:
    """One try at a task, from its launch until its executor reports its end.

    A stopping attempt was cancelled: its end no longer matters to its job, but it holds its slots.
    """

    attempt_id: str
    job_id: str
    stage_id: int
    task_number: int
    executor_id: str
    slots: int
    launched_ms: int
    stopping: bool = False


@dataclass(slots=True)
class Troubles:
    """What has gone wrong with a task so far.

    Attributes:
        spent: How often it was tried again, by budget.
        avoided: Executors on which it failed.
        first: Its first failure.
    """

    spent: Counter[Budget] = field(default_factory=Counter)
    avoided: set[str] = field(default_factory=set)
    first: Failure | None = None


@dataclass(slots=True)
class Task:
    """A slice of a stage's partitions; numbers count from 1, attempts too.

    Attributes:
        part: Set if other tasks have the same partition and read other outputs of that input.
        flight_address: Where the output of a finished task can be fetched.
        lost: True if it is finished and its output is gone. It runs again when somebody needs it.
        fingerprint: Of the rows of the last output, whatever their order; 0 if it has none yet, or
            none is known.
        digest: Of the bytes of the output; 0 if it is not known.
        made: True if an attempt has finished, also if its output is gone.
        troubles: What has gone wrong with it, if anything has.
        void: Attempts up to this number are not accepted any more.
    """

    number: int
    partitions: range
    slots: int
    part: InputPart | None = None
    preferred: tuple[str, ...] = ()
    state: TaskState = TaskState.WAITING
    attempt: int = 0
    executor_id: str = ""
    launched_ms: int = 0
    elapsed_ms: int = 0
    rows_out: int = 0
    bytes_out: int = 0
    bytes_read_local: int = 0
    bytes_read_remote: int = 0
    sizes: Sizes = NOTHING
    flight_address: str = ""
    lost: bool = False
    fingerprint: int = 0
    digest: int = 0
    made: bool = False
    troubles: Troubles | None = None
    void: int = 0


@dataclass(slots=True)
class StageRun:
    """A stage of a running job.

    Attributes:
        stage: As planned.
        inputs_missing: Stages that it reads or waits for, and that are not finished. Its tasks are
            not placed as long as there are any.
        consumers: Stages that read it.
        followers: Stages that wait for its sizes without reading it.
        held: True while it is being planned anew, so that it does not begin.
        skip: Why it is not run, if it is not: it has no rows, nothing reads it any more, or another
            stage took it in.
        state: Where it stands.
        tasks: Its tasks, fixed when it starts.
        waiting: Tasks to place, in order, without those that rest after a failure.
        finished: How many tasks are finished.
        recorded: True if its end is durable, also if it runs again since.
        version: Counts changes of what its tasks have in common: where its inputs lie.
        defined_on: Executors that know that version, by their order of registration.
        attempts_before: How many attempts its tasks may have had before its job began again.
        locations: The outputs, once it is finished.
        table: The same by partition, from when a consumer reads them so.
        started_ms: When the first task was launched.
        ended_ms: When the last task that ended did so.
        figures: What tasks measured of its operators.
        rows_out: Rows of all finished tasks; the same for the figures below.
    """

    stage: Stage
    inputs_missing: set[int]
    consumers: set[int] = field(default_factory=set)
    followers: set[int] = field(default_factory=set)
    held: bool = False
    skip: Skip = Skip.NO
    state: StageState = StageState.WAITING
    tasks: list[Task] = field(default_factory=list)
    waiting: deque[Task] = field(default_factory=deque)
    finished: int = 0
    recorded: bool = False
    version: int = 0
    attempts_before: int = 0
    defined_on: set[int] = field(default_factory=set)
    locations: tuple[OutputLocation, ...] = ()
    table: OutputTable | None = None
    started_ms: int = 0
    ended_ms: int = 0
    figures: StageFigures = field(default_factory=StageFigures)
    rows_out: int = 0
    bytes_out: int = 0
    bytes_read_local: int = 0
    bytes_read_remote: int = 0

    @property
    def skipped(self) -> bool:
        """True if it is not run."""
        return self.skip is not Skip.NO

    @property
    def has_waiting_tasks(self) -> bool:
        """True if a task can be placed."""
        return self.state is StageState.RUNNING and bool(self.waiting) and not self.inputs_missing


@dataclass(slots=True)
class Job:
    """One execution of one statement.

    Attributes:
        watchers: How many streams follow it.
        unwatched_ms: Since when nobody does.
        stages: By stage id, once it is planned.
        ready: Stages with tasks to place, in the order in which they became ready.
        running: Its attempts that run and are wanted.
        holders: Executors with files of the job, with the incarnation that has them.
        replans: By stage id, the offers of which a new plan is being made.
        resting: Tasks that wait for some time after a failure, by the name of their alarm.
        plan: The statement as the planner takes it, if that is no text, until it is planned.
        planned: Its stages as the planner made them, should it have to begin again.
        restarts: How often it began again.
        released: True if only its description is left.
        told: What was last published: state and waiting reason.
        told_ms: When that was.
        story: Its last transitions.
    """

    job_id: str
    session_id: str
    operation_id: str
    statement: str
    digest: bytes
    submitted_ms: int
    state: JobState = JobState.QUEUED
    ended_ms: int = 0
    watchers: int = 0
    unwatched_ms: int = 0
    graph: StageGraph | None = None
    answer: bytes | None = None
    failure: Failure | None = None
    stages: dict[int, StageRun] = field(default_factory=dict)
    ready: dict[int, StageRun] = field(default_factory=dict)
    running: dict[str, Attempt] = field(default_factory=dict)
    holders: dict[str, str] = field(default_factory=dict)
    replans: dict[int, Offer] = field(default_factory=dict)
    resting: dict[str, tuple[StageRun, Task]] = field(default_factory=dict)
    plan: bytes = b""
    planned: StageGraph | None = None
    restarts: int = 0
    upload_ids: frozenset[str] = frozenset()
    tasks_total: int = 0
    tasks_finished: int = 0
    stages_finished: int = 0
    waiting_reason: str = ""
    released: bool = False
    told: tuple[JobState, str] = (JobState.QUEUED, "")
    told_ms: int = 0
    story: deque[Moment] = field(default_factory=lambda: deque(maxlen=_STORY_MOMENTS_MAX))

    @property
    def last_stage(self) -> StageRun | None:
        """The stage that makes the result, once the job is planned."""
        return self.stages[max(self.stages)] if self.stages else None


@dataclass(slots=True)
class Executor:
    """One life of an executor.

    Attributes:
        order: Counts registrations; breaks ties.
        registered_ms: When it registered.
        running: Attempts that hold slots here, stopping ones included.
        attempts_of: How many of those each job has.
        file_job_ids: Jobs that have files here, or may have.
        release_after: Jobs whose files are to be removed when their last attempt here has ended.
        upload_ids: Uploads that were sent here, or are expected.
        upload_bytes: Their bytes.
        replaced: Incarnations that it replaced while they were there, as far as is remembered.
    """

    executor_id: str
    incarnation: str
    order: int
    slots: int
    memory_bytes: int
    flight_address: str
    pid: int
    host: str
    registered_ms: int
    heard_ms: int
    free: int
    state: ExecutorState = ExecutorState.ACTIVE
    running: dict[str, Attempt] = field(default_factory=dict)
    attempts_of: dict[str, int] = field(default_factory=dict)
    file_job_ids: dict[str, None] = field(default_factory=dict)
    release_after: dict[str, None] = field(default_factory=dict)
    upload_ids: dict[str, None] = field(default_factory=dict)
    upload_bytes: int = 0
    replaced: tuple[str, ...] = ()


@dataclass(slots=True)
class Upload:
    """Rows that a client sends.

    Attributes:
        readers: Jobs that read it and have not ended.
        heir: The life of the executor that is to take it over, because its own leaves.
        left_at: Where it still lies for jobs that began to read it there, by life of executor.
        doomed: True if no table holds it and only its readers keep it.
        table: The name of the table that it became.
    """

    upload_id: str
    session_id: str
    bytes_expected: int
    state: UploadState = UploadState.WAITING
    executor_id: str = ""
    incarnation: str = ""
    location: UploadLocation | None = None
    readers: set[str] = field(default_factory=set)
    heir: tuple[str, str] | None = None
    left_at: dict[tuple[str, str], set[str]] = field(default_factory=dict)
    doomed: bool = False
    table: str = ""
