"""What clients are told: views of the core to `springald.scheduler.v1`."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import pyarrow as pa

from springald.executor.v1.executor_pb2 import OutputSelection, ReadOutputs
from springald.scheduler.v1 import scheduler_pb2 as pb
from springald.types import schema_to_proto
from springald_scheduler.codec.failures import failure_to_proto
from springald_scheduler.codec.figures import operator_to_proto, spread_to_proto
from springald_scheduler.codec.stages import graph_to_proto, schema_from_ipc
from springald_scheduler.codec.tickets import Mint
from springald_scheduler.core.states import JobState
from springald_scheduler.core.views import (
    ExecutorView,
    JobDetails,
    JobView,
    Progress,
    ResultOutput,
    StageView,
    TaskView,
)
from springald_scheduler.planning.model import TableInfo

_JOB_STATUS: Final = {
    JobState.QUEUED: pb.JOB_STATUS_QUEUED,
    JobState.RUNNING: pb.JOB_STATUS_RUNNING,
    JobState.SUCCEEDED: pb.JOB_STATUS_SUCCEEDED,
    JobState.FAILED: pb.JOB_STATUS_FAILED,
    JobState.CANCELLED: pb.JOB_STATUS_CANCELLED,
}


@dataclass(frozen=True, slots=True)
class _Part:
    """Neighbouring outputs of a result on one executor."""

    flight_address: str
    outputs: list[ResultOutput]


def update_to_proto(job: JobView, mint: Mint) -> pb.JobUpdate:
    """Writes how a job stands; tickets for its result are made here, when somebody asks."""
    update = pb.JobUpdate(
        job_id=job.job_id,
        status=_JOB_STATUS[job.state],
        progress=_progress_to_proto(job.progress),
        waiting_reason=job.waiting_reason,
    )
    if job.failure:
        update.error.CopyFrom(failure_to_proto(job.failure))
    if job.answer is not None:
        update.result.inline.arrow_stream = job.answer
    elif job.state is JobState.SUCCEEDED:
        update.result.remote.CopyFrom(_rows_to_proto(job, mint))
    return update


def summary_to_proto(job: JobView) -> pb.JobSummary:
    """Writes a job for a list."""
    summary = pb.JobSummary(
        job_id=job.job_id,
        operation_id=job.operation_id,
        session_id=job.session_id,
        status=_JOB_STATUS[job.state],
        progress=_progress_to_proto(job.progress),
        statement=job.statement[:1_000],
        submitted_ms=job.submitted_ms,
        elapsed_ms=job.elapsed_ms,
        waiting_reason=job.waiting_reason,
    )
    if job.failure:
        summary.error.CopyFrom(failure_to_proto(job.failure))
    return summary


def details_to_proto(details: JobDetails) -> pb.DescribeJobResponse:
    """Writes all about a job."""
    return pb.DescribeJobResponse(
        summary=summary_to_proto(details.job),
        graph=graph_to_proto(details.graph) if details.graph else None,
        stages=[_stage_to_proto(stage) for stage in details.stages],
        tasks=[_task_to_proto(task) for task in details.tasks],
    )


def executors_to_proto(executors: Iterable[ExecutorView]) -> pb.ListExecutorsResponse:
    """Writes the executors."""
    return pb.ListExecutorsResponse(
        executors=[
            pb.ExecutorSummary(
                executor_id=each.executor_id,
                flight_address=each.flight_address,
                slots_total=each.slots_total,
                slots_free=each.slots_free,
                state=each.state,
                memory_bytes=each.memory_bytes,
                silent_ms=each.silent_ms,
                pid=each.pid,
                from_records=each.from_records,
            )
            for each in executors
        ]
    )


def table_to_proto(table: TableInfo) -> pb.TableSummary:
    """Writes a table."""
    return pb.TableSummary(name=table.name, kind=table.kind, schema=schema_from_ipc(table.schema))


def schema_answer(schema: bytes) -> pb.DescribeQueryResponse:
    """Writes a query's schema; a result's top-level fields are always nullable."""
    fields = pa.ipc.read_schema(pa.py_buffer(schema))
    nullable = pa.schema([field.with_nullable(True) for field in fields], fields.metadata)  # noqa: FBT003
    return pb.DescribeQueryResponse(schema=schema_to_proto(nullable))


def _rows_to_proto(job: JobView, mint: Mint) -> pb.RemoteRows:
    rows = pb.RemoteRows()
    for part in _parts(job.outputs):
        read = ReadOutputs(
            job_id=job.job_id,
            selections=[
                OutputSelection(task_id=output.attempt_id, partition=number)
                for output in part.outputs
                for number, _, _ in output.partitions
            ],
        )
        measured = [each for output in part.outputs for each in output.partitions]
        rows.parts.add(
            flight_address=part.flight_address,
            ticket=mint.read_ticket(read),
            rows=sum(rows for _, rows, _ in measured),
            bytes=sum(size for _, _, size in measured),
            outputs=[
                pb.ResultOutput(
                    task_id=output.attempt_id,
                    rows=sum(rows for _, rows, _ in output.partitions),
                    digest=output.digest,
                )
                for output in part.outputs
            ],
        )
    rows.rows = sum(part.rows for part in rows.parts)
    rows.bytes = sum(part.bytes for part in rows.parts)
    return rows


def _parts(outputs: Iterable[ResultOutput]) -> Iterator[_Part]:
    part, executor_id = None, ""
    for output in outputs:
        if part is None or output.executor_id != executor_id:
            if part:
                yield part
            part, executor_id = _Part(output.flight_address, []), output.executor_id
        part.outputs.append(output)
    if part:
        yield part


def _progress_to_proto(progress: Progress) -> pb.Progress:
    return pb.Progress(
        tasks_total=progress.tasks_total,
        tasks_running=progress.tasks_running,
        tasks_finished=progress.tasks_finished,
        stages_total=progress.stages_total,
        stages_finished=progress.stages_finished,
    )


def _stage_to_proto(stage: StageView) -> pb.StageStatistics:
    return pb.StageStatistics(
        stage_id=stage.stage_id,
        tasks_total=stage.tasks_total,
        tasks_finished=stage.tasks_finished,
        rows_out=stage.rows_out,
        bytes_out=stage.bytes_out,
        bytes_read_local=stage.bytes_read_local,
        bytes_read_remote=stage.bytes_read_remote,
        elapsed_ms=stage.elapsed_ms,
        bytes_shuffled=stage.bytes_shuffled,
        task_ms=spread_to_proto(stage.task_ms) if stage.task_ms else None,
        operators=map(operator_to_proto, stage.operators),
    )


def _task_to_proto(task: TaskView) -> pb.TaskStatistics:
    return pb.TaskStatistics(
        task_id=task.attempt_id,
        stage_id=task.stage_id,
        executor_id=task.executor_id,
        partitions=task.partitions,
        state=task.state,
        rows_out=task.rows_out,
        bytes_out=task.bytes_out,
        bytes_read_local=task.bytes_read_local,
        bytes_read_remote=task.bytes_read_remote,
        elapsed_ms=task.elapsed_ms,
    )
