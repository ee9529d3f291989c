"""The stream between an executor and the scheduler: messages up to events, actions to messages."""

from springald.executor.v1 import executor_pb2 as pb
from springald_scheduler.codec.failures import failure_from_proto, failure_to_proto
from springald_scheduler.codec.figures import figures_from_proto, operators_from_proto
from springald_scheduler.codec.sizes import (
    fingerprint,
    finished_sizes,
    output_digest,
    sizes_to_proto,
    slice_to_proto,
)
from springald_scheduler.codec.stages import (
    options_to_proto,
    stage_to_proto,
    upload_to_proto,
)
from springald_scheduler.core.actions import (
    CancelTask,
    DefineStage,
    HandOverUpload,
    LaunchTask,
    ReleaseJobFiles,
    ReleaseUpload,
    SettleStage,
    ToExecutor,
)
from springald_scheduler.core.events import (
    ClusterFacts,
    Event,
    ExecutorDrainRequested,
    ExecutorHeard,
    ExecutorRegistered,
    TaskFailed,
    TaskFinished,
    TaskStarted,
    UploadStored,
)
from springald_scheduler.core.failures import Failure
from springald_scheduler.core.records import OutputLocation


def registration_from_proto(message: pb.Registration) -> ExecutorRegistered:
    """Reads who an executor is."""
    return ExecutorRegistered(
        executor_id=message.executor_id,
        incarnation=message.incarnation,
        facts=ClusterFacts(
            protocol_major=message.protocol_version.major,
            engine_version=message.engine_version,
            python_version=message.python_version,
            architecture=message.architecture,
            routing_fingerprint=message.routing_fingerprint,
        ),
        slots=message.slots,
        memory_bytes=message.memory_bytes,
        flight_address=message.flight_address,
        pid=message.pid,
        host=message.host,
        running_attempt_ids=tuple(message.running_task_ids),
        finished_attempt_ids=tuple(message.finished_task_ids),
        job_ids=tuple(message.job_ids),
        upload_ids=tuple(message.upload_ids),
    )


def event_from_proto(
    message: pb.ConnectRequest, executor_id: str, incarnation: str
) -> Event | None:
    """Reads what a registered executor says; None for a message that this version does not know."""
    match message.WhichOneof("message"):
        case "heartbeat":
            running = tuple(message.heartbeat.running_task_ids)
            return ExecutorHeard(executor_id, incarnation, running)
        case "task_started":
            return TaskStarted(executor_id, incarnation, message.task_started.task_id)
        case "task_finished":
            return _finished_from_proto(message.task_finished, executor_id, incarnation)
        case "task_failed":
            failed = message.task_failed
            return TaskFailed(
                executor_id,
                incarnation,
                failed.task_id,
                failure_from_proto(failed.error),
                failed.lost_task_id,
                figures_from_proto(failed.figures),
            )
        case "drain_requested":
            reason = message.drain_requested.reason
            return ExecutorDrainRequested(executor_id, incarnation, reason)
        case "upload_stored":
            stored = message.upload_stored
            return UploadStored(
                executor_id,
                incarnation,
                stored.upload_id,
                rows=stored.rows,
                bytes=stored.bytes,
                partition_count=stored.partition_count,
            )
    return None


def action_to_proto(action: ToExecutor) -> pb.ConnectResponse | None:
    """Writes what an executor is asked for; None for what is not a message.

    Raises:
        InvalidArgumentError: A stage's schema is nested too deep.
    """
    match action:
        case DefineStage():
            return pb.ConnectResponse(define_stage=_definition_to_proto(action))
        case LaunchTask():
            launch = pb.LaunchTask(
                task_id=action.attempt_id,
                job_id=action.job_id,
                stage_id=action.stage_id,
                partitions=action.partitions,
                slots=action.slots,
                slices=map(slice_to_proto, action.slices),
            )
            return pb.ConnectResponse(launch_task=launch)
        case CancelTask():
            return pb.ConnectResponse(cancel_task=pb.CancelTask(task_id=action.attempt_id))
        case ReleaseJobFiles():
            return pb.ConnectResponse(release_job=pb.ReleaseJob(job_id=action.job_id))
        case SettleStage():
            settled = pb.SettleStage(job_id=action.job_id, stage_id=action.stage_id)
            return pb.ConnectResponse(settle_stage=settled)
        case ReleaseUpload():
            released = pb.ReleaseUpload(upload_id=action.upload_id)
            return pb.ConnectResponse(release_upload=released)
        case HandOverUpload():
            order = pb.HandOverUpload(
                upload_id=action.upload_id, flight_address=action.flight_address
            )
            return pb.ConnectResponse(hand_over_upload=order)
    return None


def refusal_to_proto(failure: Failure) -> pb.ConnectResponse:
    """Writes why an executor is turned away."""
    return pb.ConnectResponse(refused=pb.Refused(error=failure_to_proto(failure)))


def _finished_from_proto(
    message: pb.TaskFinished, executor_id: str, incarnation: str
) -> TaskFinished:
    return TaskFinished(
        executor_id,
        incarnation,
        message.task_id,
        sizes=finished_sizes(message),
        bytes_read_local=message.bytes_read_local,
        bytes_read_remote=message.bytes_read_remote,
        elapsed_ms=message.elapsed_ms,
        figures=figures_from_proto(message.figures),
        operators=operators_from_proto(message.operators),
        rows=message.rows.arrow_stream if message.HasField("rows") else None,
        fingerprint=fingerprint(message),
        digest=output_digest(message),
    )


def _definition_to_proto(action: DefineStage) -> pb.DefineStage:
    return pb.DefineStage(
        job_id=action.job_id,
        stage=stage_to_proto(action.stage),
        sources=[
            pb.InputSources(
                outputs=[_source_to_proto(each, sliced=sliced) for each in outputs], sliced=sliced
            )
            for outputs, sliced in zip(action.inputs, action.sliced, strict=True)
        ],
        settings=options_to_proto(action.settings),
        uploads=[upload_to_proto(each) for each in action.uploads],
        profile=action.profile,
        version=action.version,
    )


def _source_to_proto(location: OutputLocation, *, sliced: bool) -> pb.OutputSource:
    return pb.OutputSource(
        task_id=location.attempt_id,
        executor_id=location.executor_id,
        flight_address=location.flight_address,
        sizes=None if sliced else sizes_to_proto(location.sizes),
    )
