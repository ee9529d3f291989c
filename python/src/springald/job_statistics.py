"""What a job did, in figures."""

from collections import Counter
from dataclasses import dataclass
from typing import Self

from springald.progress import JobStatus, Progress
from springald.scheduler.v1 import scheduler_pb2 as pb

__all__ = ["JobStatistics", "StageStatistics", "TaskStatistics"]


@dataclass(frozen=True, slots=True)
class StageStatistics:
    """The tasks of one stage, summed up.

    Attributes:
        stage_id: The stage's number in the job, from 1.
        tasks: Tasks planned; 0 before the stage starts.
        tasks_finished: Tasks done.
        rows_out: Rows that came out.
        bytes_out: Bytes that came out into shuffle or result files.
        bytes_shuffled: Bytes that the stage put through an exchange; 0 for the last stage.
        bytes_read_local: Bytes of inputs that tasks read in place on their own executor.
        bytes_read_remote: Bytes of inputs that tasks fetched from other executors.
        elapsed_ms: From the first task's start to the last one's end, in milliseconds.
    """

    stage_id: int
    tasks: int
    tasks_finished: int
    rows_out: int
    bytes_out: int
    bytes_shuffled: int
    bytes_read_local: int
    bytes_read_remote: int
    elapsed_ms: int

    @classmethod
    def from_proto(cls, message: pb.StageStatistics) -> Self:
        """Reads a message."""
        return cls(
            stage_id=message.stage_id,
            tasks=message.tasks_total,
            tasks_finished=message.tasks_finished,
            rows_out=message.rows_out,
            bytes_out=message.bytes_out,
            bytes_shuffled=message.bytes_shuffled,
            bytes_read_local=message.bytes_read_local,
            bytes_read_remote=message.bytes_read_remote,
            elapsed_ms=message.elapsed_ms,
        )


@dataclass(frozen=True, slots=True)
class TaskStatistics:
    """What became of one task.

    Attributes:
        task_id: The attempt that counts, for example `j7/s2/t14#1`.
        stage_id: Its stage.
        executor_id: The executor that ran it; empty if it has not started.
        partitions: Partitions of the stage that it ran.
        state: `waiting`, `running`, `finished`, `failed` or `cancelled`.
        rows_out: Rows that came out.
        bytes_out: Bytes that came out.
        bytes_read_local: Bytes of inputs read in place.
        bytes_read_remote: Bytes of inputs fetched from other executors.
        elapsed_ms: How long it ran, in milliseconds.
    """

    task_id: str
    stage_id: int
    executor_id: str
    partitions: tuple[int, ...]
    state: str
    rows_out: int
    bytes_out: int
    bytes_read_local: int
    bytes_read_remote: int
    elapsed_ms: int

    @classmethod
    def from_proto(cls, message: pb.TaskStatistics) -> Self:
        """Reads a message."""
        return cls(
            task_id=message.task_id,
            stage_id=message.stage_id,
            executor_id=message.executor_id,
            partitions=tuple(message.partitions),
            state=message.state,
            rows_out=message.rows_out,
            bytes_out=message.bytes_out,
            bytes_read_local=message.bytes_read_local,
            bytes_read_remote=message.bytes_read_remote,
            elapsed_ms=message.elapsed_ms,
        )


@dataclass(frozen=True, slots=True)
class JobStatistics:
    """All figures of a job.

    Attributes:
        job_id: The scheduler's name for the job.
        status: Where it stood when the figures were taken.
        progress: Its tasks by state.
        elapsed_ms: How long it has run, or ran, in milliseconds.
        stages: One entry a stage, in stage order.
        tasks: One entry a task, in order of stage and task.
        decisions: What was decided about the plan, before or while it ran, in a sentence each.
    """

    job_id: str
    status: JobStatus
    progress: Progress
    elapsed_ms: int
    stages: tuple[StageStatistics, ...]
    tasks: tuple[TaskStatistics, ...]
    decisions: tuple[str, ...]

    @property
    def bytes_shuffled(self) -> int:
        """Bytes that went through exchanges, over all stages."""
        return sum(stage.bytes_shuffled for stage in self.stages)

    @property
    def tasks_per_executor(self) -> dict[str, int]:
        """How many tasks each executor was given, by executor id."""
        counted = Counter(task.executor_id for task in self.tasks if task.executor_id)
        return dict(sorted(counted.items()))

    @classmethod
    def from_proto(cls, message: pb.DescribeJobResponse) -> Self:
        """Reads a message."""
        return cls(
            job_id=message.summary.job_id,
            status=JobStatus.from_proto(message.summary.status),
            progress=Progress.from_proto(message.summary.progress),
            elapsed_ms=message.summary.elapsed_ms,
            stages=tuple(map(StageStatistics.from_proto, message.stages)),
            tasks=tuple(map(TaskStatistics.from_proto, message.tasks)),
            decisions=tuple(message.graph.decisions),
        )
