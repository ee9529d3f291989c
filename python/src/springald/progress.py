"""Where a job stands, as a person or a progress bar sees it."""

from dataclasses import dataclass
from enum import Enum
from typing import Final, Self

from springald.scheduler.v1 import scheduler_pb2 as pb

__all__ = ["JobStatus", "Progress"]


class JobStatus(Enum):
    """Where a job stands; the last three are final.

    Example:
        >>> JobStatus.FAILED.is_final, JobStatus("running")
        (True, <JobStatus.RUNNING: 'running'>)
    """

    QUEUED = "queued"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELLED = "cancelled"

    @property
    def is_final(self) -> bool:
        """True if the status never changes again."""
        return self in (JobStatus.SUCCEEDED, JobStatus.FAILED, JobStatus.CANCELLED)

    @classmethod
    def from_proto(cls, status: pb.JobStatus.ValueType) -> "JobStatus":
        """Returns the status that a message names; one of a later version counts as queued."""
        return _STATUS_FROM_PROTO.get(status, cls.QUEUED)


_STATUS_FROM_PROTO: Final = {
    pb.JOB_STATUS_QUEUED: JobStatus.QUEUED,
    pb.JOB_STATUS_RUNNING: JobStatus.RUNNING,
    pb.JOB_STATUS_SUCCEEDED: JobStatus.SUCCEEDED,
    pb.JOB_STATUS_FAILED: JobStatus.FAILED,
    pb.JOB_STATUS_CANCELLED: JobStatus.CANCELLED,
}


@dataclass(frozen=True, slots=True)
class Progress:
    """Counts of a job's tasks and stages, over all stages known so far."""

    tasks_total: int = 0
    tasks_running: int = 0
    tasks_finished: int = 0
    stages_total: int = 0
    stages_finished: int = 0

    @property
    def fraction(self) -> float:
        """The share of tasks that are done, from 0.0 to 1.0; 0.0 while none are known.

        Example:
            >>> Progress(tasks_total=8, tasks_finished=2).fraction
            0.25
        """
        return self.tasks_finished / self.tasks_total if self.tasks_total else 0.0

    @classmethod
    def from_proto(cls, message: pb.Progress) -> Self:
        """Reads a message."""
        return cls(
            tasks_total=message.tasks_total,
            tasks_running=message.tasks_running,
            tasks_finished=message.tasks_finished,
            stages_total=message.stages_total,
            stages_finished=message.stages_finished,
        )
