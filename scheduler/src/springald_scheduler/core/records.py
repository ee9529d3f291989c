"""What must survive the scheduler's process, and under which key it is kept."""

from dataclasses import dataclass

from springald_scheduler.core.failures import Failure
from springald_scheduler.core.graph import StageGraph
from springald_scheduler.core.sizes import Sizes
from springald_scheduler.core.states import JobState, UploadState

Key = tuple[str, ...]
"""The way to a record; what belongs to it has longer keys with the same beginning."""


@dataclass(frozen=True, slots=True)
class OutputLocation:
    """Where the output of one task lies, and how large its partitions are.

    `fingerprint` is of its rows, whatever their order, and `digest` of its bytes; 0 if it is not
    known.
    """

    attempt_id: str
    executor_id: str
    flight_address: str
    sizes: Sizes
    fingerprint: int = 0
    digest: int = 0


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
class SessionRecord:
    """A session that is open."""

    session_id: str
    opened_ms: int

    @property
    def key(self) -> Key:
        """Where the record is kept."""
        return session_key(self.session_id)


@dataclass(frozen=True, slots=True)
class JobRecord:
    """A job as it stands after a change of its state."""

    job_id: str
    session_id: str
    operation_id: str
    statement: str
    digest: bytes
    submitted_ms: int
    state: JobState
    graph: StageGraph | None = None
    answer: bytes | None = None
    failure: Failure | None = None

    @property
    def key(self) -> Key:
        """Where the record is kept."""
        return job_key(self.job_id)


@dataclass(frozen=True, slots=True)
class StageRecord:
    """A finished stage: where the outputs of its accepted attempts lie, in task order."""

    job_id: str
    stage_id: int
    outputs: tuple[OutputLocation, ...]

    @property
    def key(self) -> Key:
        """Where the record is kept."""
        return stage_key(self.job_id, self.stage_id)


@dataclass(frozen=True, slots=True)
class UploadRecord:
    """An upload from the moment that an executor has it whole."""

    session_id: str
    state: UploadState
    location: UploadLocation

    @property
    def key(self) -> Key:
        """Where the record is kept."""
        return upload_key(self.location.upload_id)


Record = SessionRecord | JobRecord | StageRecord | UploadRecord


def session_key(session_id: str) -> Key:
    """The key of a session's record."""
    return ("session", session_id)


def job_key(job_id: str) -> Key:
    """The key of a job's record, and the beginning of its stages' keys."""
    return ("job", job_id)


def stage_key(job_id: str, stage_id: int | None = None) -> Key:
    """The key of a stage's record, or the beginning of the keys of all stages of a job."""
    key = (*job_key(job_id), "stage")
    return key if stage_id is None else (*key, str(stage_id))


def upload_key(upload_id: str) -> Key:
    """The key of an upload's record."""
    return ("upload", upload_id)
