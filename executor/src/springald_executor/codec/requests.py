"""What the core tells the scheduler, as messages."""

from collections.abc import Iterable

from springald.executor.v1 import executor_pb2 as pb
from springald.limits import PROTOCOL_MAJOR, PROTOCOL_MINOR
from springald.physical.v1.physical_pb2 import (
    Operator,
    OperatorDetail,
)
from springald.physical.v1.physical_pb2 import OperatorFigures as FiguresMessage
from springald.scheduler.v1.scheduler_pb2 import InlineRows, ProtocolVersion
from springald_executor.codec.failures import error_message
from springald_executor.codec.sizes import sizes_to_proto
from springald_executor.core import actions as ac
from springald_executor.core.model import OperatorFigures
from springald_executor.core.records import Facts
from springald_executor.core.reports import Holdings


def registration(facts: Facts, holdings: Holdings) -> pb.ConnectRequest:
    """Returns the message that introduces an executor, with what it runs and keeps."""
    return pb.ConnectRequest(
        registration=pb.Registration(
            protocol_version=ProtocolVersion(major=PROTOCOL_MAJOR, minor=PROTOCOL_MINOR),
            executor_id=facts.executor_id,
            incarnation=facts.incarnation,
            engine_version=facts.engine_version,
            python_version=facts.python_version,
            architecture=facts.architecture,
            routing_fingerprint=facts.routing_fingerprint,
            slots=facts.slots,
            memory_bytes=facts.memory_bytes,
            flight_address=facts.flight_address,
            pid=facts.pid,
            host=facts.host,
            running_task_ids=holdings.running_task_ids,
            finished_task_ids=holdings.finished_task_ids,
            job_ids=holdings.job_ids,
            upload_ids=holdings.upload_ids,
        )
    )


def heartbeat(sequence: int, running: Iterable[str]) -> pb.ConnectRequest:
    """Returns a sign of life."""
    return pb.ConnectRequest(heartbeat=pb.Heartbeat(sequence=sequence, running_task_ids=running))


def request_from_action(action: ac.Action, executor_id: str) -> pb.ConnectRequest | None:
    """Returns the message that an action asks for; None for an action that is not a message."""
    match action:
        case ac.TellTaskStarted(task_id=task_id):
            return pb.ConnectRequest(task_started=pb.TaskStarted(task_id=task_id))
        case ac.TellTaskFinished():
            return pb.ConnectRequest(task_finished=_finished(action))
        case ac.TellTaskFailed(task_id=task_id, failure=failure):
            failed = pb.TaskFailed(
                task_id=task_id,
                error=error_message(failure, executor_id),
                lost_task_id=failure.lost_task_id,
                figures=_figures(failure.figures),
            )
            return pb.ConnectRequest(task_failed=failed)
        case ac.TellUploadStored():
            return pb.ConnectRequest(upload_stored=_stored(action))
        case ac.TellDrainRequested(reason=reason):
            return pb.ConnectRequest(drain_requested=pb.DrainRequested(reason=reason))
        case _:
            return None


def _finished(action: ac.TellTaskFinished) -> pb.TaskFinished:
    report = action.report
    return pb.TaskFinished(
        task_id=action.task_id,
        sizes=sizes_to_proto(report.output.partitions()),
        bytes_read_local=report.bytes_read_local,
        bytes_read_remote=report.bytes_read_remote,
        elapsed_ms=report.elapsed_ms,
        figures=_figures(report.figures),
        operators=[
            Operator(
                node_id=_node_id(action.task_id, position),
                name=each.name,
                detail=each.detail,
                input_node_ids=[_node_id(action.task_id, number) for number in each.inputs],
            )
            for position, each in enumerate(report.operators)
        ],
        rows=InlineRows(arrow_stream=report.rows) if report.rows else None,
    )


def _figures(figures: OperatorFigures) -> FiguresMessage | None:
    if not figures.positions:
        return None
    return FiguresMessage(
        positions=figures.positions,
        rows_out=figures.rows_out,
        compute_ns=figures.compute_ns,
        spill_count=figures.spill_count,
        spilled_bytes=figures.spilled_bytes,
        bytes_scanned=figures.bytes_scanned,
        details=[
            OperatorDetail(position=position, name=name, value=value)
            for position, name, value in figures.details
        ],
    )


def _node_id(task_id: str, position: int) -> str:
    """Returns the id of an operator of the stage that a task belongs to: `j7/s2/t14#1`, `s2/o4`."""
    return f"{task_id.split('/')[1]}/o{position}"


def _stored(action: ac.TellUploadStored) -> pb.UploadStored:
    return pb.UploadStored(
        upload_id=action.upload_id,
        rows=action.rows,
        bytes=action.bytes,
        partition_count=action.partition_count,
    )
