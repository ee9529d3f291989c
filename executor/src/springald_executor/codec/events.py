"""What the scheduler says, as events of the core."""

import hashlib

from springald.executor.v1 import executor_pb2 as pb
from springald_executor.codec.sizes import slice_from_proto
from springald_executor.codec.stages import stage_from_proto
from springald_executor.core import events as ev


def event_from_proto(message: pb.ConnectResponse) -> ev.Event | None:  # noqa: PLR0911 - a table
    """Returns the event that a message tells; None for one that this version does not know.

    A refusal is no event: the link ends with it.

    Raises:
        SpringaldError: The message breaks a rule of the contract.
    """
    match message.WhichOneof("message"):
        case "registered":
            registered = message.registered
            cluster = hashlib.sha256(registered.ticket_key).hexdigest()
            return ev.Registered(cluster, tuple(registered.allowed_paths))
        case "define_stage":
            return ev.StageDefined(stage_from_proto(message.define_stage))
        case "launch_task":
            launch = message.launch_task
            return ev.TaskLaunched(
                task_id=launch.task_id,
                job_id=launch.job_id,
                stage_id=launch.stage_id,
                partitions=tuple(launch.partitions),
                slots=launch.slots,
                slices=tuple(map(slice_from_proto, launch.slices)),
            )
        case "cancel_task":
            return ev.TaskCancelled(message.cancel_task.task_id)
        case "release_job":
            return ev.JobReleased(message.release_job.job_id)
        case "release_upload":
            return ev.UploadReleased(message.release_upload.upload_id)
        case "settle_stage":
            return ev.StageSettled(message.settle_stage.job_id, message.settle_stage.stage_id)
        case "hand_over_upload":
            order = message.hand_over_upload
            return ev.HandOverOrdered(order.upload_id, order.flight_address)
        case "drain":
            return ev.DrainOrdered()
        case _:
            return None
