"""Uploads of executors that leave: nobody can make them again, so other executors take them over.

The one that leaves sends the rows on, and the other reports them as it reports those of clients.
From then on tasks are sent there; what was launched before reads on where it began.
"""

from dataclasses import replace

from springald_scheduler.core.actions import HandOverUpload, ReleaseUpload
from springald_scheduler.core.events import UploadStored
from springald_scheduler.core.model import Executor, Job, Upload
from springald_scheduler.core.states import ExecutorState, UploadState
from springald_scheduler.core.world import World

Life = tuple[str, str]

_WHOLE = (UploadState.STORED, UploadState.REGISTERED)


def hand_over_uploads(world: World) -> None:
    """Has all uploads sent on that lie on executors which leave, as far as somebody takes them."""
    leaving = [each for each in world.executors.values() if each.state is ExecutorState.DRAINING]
    for executor in leaving:
        for upload_id in list(executor.upload_ids):
            upload = world.uploads.get(upload_id)
            if upload and _lies_at(upload, executor) and upload.heir is None:
                _appoint(world, upload)


def hand_over_again(world: World, executor: Executor) -> None:
    """Asks an executor that leaves once more: its stream may have broken, or its sending."""
    if executor.state is not ExecutorState.DRAINING:
        return
    for upload_id in list(executor.upload_ids):
        upload = world.uploads.get(upload_id)
        if upload and _lies_at(upload, executor) and upload.heir:
            _order(world, upload, world.executors[upload.heir[0]])
    hand_over_uploads(world)


def inherit_upload(world: World, upload: Upload, event: UploadStored) -> bool:
    """Takes an upload over for its heir; returns False if the rows are not those that were sent."""
    heir = world.executors[event.executor_id]
    former, location = (upload.executor_id, upload.incarnation), upload.location
    upload.heir = None
    if location is None or location.rows != event.rows:
        _part(heir, upload)
        life = (heir.executor_id, heir.incarnation)
        world.do(ReleaseUpload(world.cause, *life, upload.upload_id))
        return False
    upload.executor_id, upload.incarnation = heir.executor_id, heir.incarnation
    # How its rows are divided among tasks is part of plans, so that stays.
    upload.location = replace(
        location, executor_id=heir.executor_id, flight_address=heir.flight_address
    )
    upload.left_at[former] = set(upload.readers)
    _define_anew(world, upload)
    _leave(world, upload, former)
    return True


def end_reading(world: World, upload: Upload, job: Job) -> None:
    """Notes that a job reads an upload no more, wherever it began to."""
    for life, readers in list(upload.left_at.items()):
        readers.discard(job.job_id)
        _leave(world, upload, life)


def lose_heir(world: World, executor: Executor) -> None:
    """Looks for other heirs in the place of a lost one, and forgets what was left at it."""
    life = (executor.executor_id, executor.incarnation)
    for upload in world.uploads.values():
        upload.left_at.pop(life, None)
        if upload.heir == life:
            upload.heir = None
    hand_over_uploads(world)


def drop_copies(world: World, upload: Upload) -> None:
    """Removes an upload wherever it lies or is sent to, but for its own place."""
    for life in [*upload.left_at, *([upload.heir] if upload.heir else [])]:
        executor = world.executors.get(life[0])
        if executor and executor.incarnation == life[1]:
            _part(executor, upload)
            world.do(ReleaseUpload(world.cause, *life, upload.upload_id))
    upload.left_at.clear()
    upload.heir = None


def _lies_at(upload: Upload, executor: Executor) -> bool:
    here = (upload.executor_id, upload.incarnation) == (executor.executor_id, executor.incarnation)
    return here and upload.state in _WHOLE and upload.location is not None


def _appoint(world: World, upload: Upload) -> None:
    takers = [each for each in world.executors.values() if each.state is ExecutorState.ACTIVE]
    if not takers or upload.location is None:
        return
    heir = min(takers, key=lambda each: (each.upload_bytes, each.order))
    upload.heir = (heir.executor_id, heir.incarnation)
    heir.upload_ids[upload.upload_id] = None
    heir.upload_bytes += upload.location.bytes
    _order(world, upload, heir)


def _order(world: World, upload: Upload, heir: Executor) -> None:
    life = (upload.executor_id, upload.incarnation)
    world.do(HandOverUpload(world.cause, *life, upload.upload_id, heir.flight_address))


def _define_anew(world: World, upload: Upload) -> None:
    """Has tasks that are launched from now on told of the new place."""
    for job_id in upload.readers:
        for run in world.jobs[job_id].stages.values():
            if upload.upload_id in run.stage.upload_ids:
                run.version += 1
                run.defined_on.clear()


def _leave(world: World, upload: Upload, life: Life) -> None:
    """Has an upload removed from a former place, once nobody reads it there."""
    if upload.left_at[life]:
        return
    del upload.left_at[life]
    executor = world.executors.get(life[0])
    if executor and executor.incarnation == life[1]:
        _part(executor, upload)
        world.do(ReleaseUpload(world.cause, *life, upload.upload_id))


def _part(executor: Executor, upload: Upload) -> None:
    """Takes an upload off an executor's books."""
    if upload.upload_id in executor.upload_ids:
        del executor.upload_ids[upload.upload_id]
        executor.upload_bytes -= upload.location.bytes if upload.location else 0
