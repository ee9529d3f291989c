"""Rows that clients send: a place on an executor, kept until no table and no job needs them."""

from dataclasses import replace

from springald_scheduler.core.actions import (
    AnnounceUpload,
    AssignUpload,
    Forget,
    Persist,
    Refuse,
    RefuseUpload,
    ReleaseUpload,
)
from springald_scheduler.core.alarms import AlarmKind
from springald_scheduler.core.events import (
    UploadRegistered,
    UploadReleased,
    UploadRequested,
    UploadStored,
)
from springald_scheduler.core.failures import (
    Failure,
    no_executor,
    session_not_found,
    upload_incomplete,
    upload_not_found,
    upload_used,
)
from springald_scheduler.core.handover import (
    drop_copies,
    end_reading,
    hand_over_uploads,
    inherit_upload,
)
from springald_scheduler.core.model import Executor, Job, Session, Upload
from springald_scheduler.core.records import UploadLocation, UploadRecord, upload_key
from springald_scheduler.core.states import ExecutorState, UploadState, check_transition
from springald_scheduler.core.world import World


def on_upload_requested(world: World, event: UploadRequested) -> None:
    """Chooses an executor, or waits for one."""
    session = world.sessions.get(event.session_id)
    if session is None:
        failure = session_not_found(event.session_id)
        world.do(RefuseUpload(world.cause, event.upload_id, failure))
        return
    upload = Upload(event.upload_id, event.session_id, event.bytes_expected)
    world.uploads[upload.upload_id] = upload
    session.upload_ids[upload.upload_id] = None
    if not _assign(world, upload):
        world.unplaced_uploads[upload.upload_id] = upload
        due_ms = world.now_ms + world.limits.no_executor_ms_max
        world.alarms.set(AlarmKind.UPLOAD, upload.upload_id, due_ms)


def on_upload_stored(world: World, event: UploadStored) -> None:
    """Notes that an upload is complete, and tells who waits for that."""
    executor = world.executors.get(event.executor_id)
    upload = world.uploads.get(event.upload_id)
    if executor is None or executor.incarnation != event.incarnation:
        world.ignore("upload of an unknown life of an executor")
    elif upload is None:
        world.ignore("unknown upload")
        life = (executor.executor_id, executor.incarnation)
        world.do(ReleaseUpload(world.cause, *life, event.upload_id))
    elif upload.heir == (event.executor_id, event.incarnation):
        if inherit_upload(world, upload, event):
            world.do(Persist(world.cause, _record(upload)))
    elif (upload.executor_id, upload.incarnation) != (event.executor_id, event.incarnation):
        world.ignore("upload of another executor")
        if (event.executor_id, event.incarnation) not in upload.left_at:
            # It was an heir once, of before it was lost or of another scheduler's time.
            life = (executor.executor_id, executor.incarnation)
            world.do(ReleaseUpload(world.cause, *life, event.upload_id))
    elif upload.state is not UploadState.ASSIGNED:
        world.ignore("upload that is stored already")
    else:
        _change(upload, UploadState.STORED)
        upload.location = UploadLocation(
            upload_id=upload.upload_id,
            schema=b"",
            rows=event.rows,
            bytes=event.bytes,
            executor_id=executor.executor_id,
            flight_address=executor.flight_address,
            partition_count=event.partition_count,
        )
        executor.upload_bytes += event.bytes - upload.bytes_expected
        world.do(AnnounceUpload(world.cause, upload.upload_id))
        hand_over_uploads(world)


def on_upload_registered(world: World, event: UploadRegistered) -> None:
    """Keeps the schema of an upload that became a table."""
    upload = find_upload(world, event.session_id, event.upload_id)
    if upload is None:
        world.do(Refuse(world.cause, upload_not_found(event.upload_id)))
    elif upload.state is UploadState.REGISTERED and upload.location is not None:
        became = (upload.table, upload.location.schema)
        if upload.doomed or became != (event.table, event.schema):
            world.do(Refuse(world.cause, upload_used(event.upload_id)))
        else:
            world.ignore("upload that is this table already")
    elif upload.state is not UploadState.STORED or upload.location is None:
        world.do(Refuse(world.cause, upload_incomplete(event.upload_id)))
    else:
        _change(upload, UploadState.REGISTERED)
        upload.table = event.table
        upload.location = replace(upload.location, schema=event.schema)
        world.do(Persist(world.cause, _record(upload)))


def on_upload_released(world: World, event: UploadReleased) -> None:
    """Removes an upload that no table holds, once no job reads it."""
    upload = find_upload(world, event.session_id, event.upload_id)
    if upload is None:
        world.ignore("unknown upload")
        return
    upload.doomed = True
    if upload.readers:
        world.do(Persist(world.cause, _record(upload)))
    else:
        drop_upload(world, upload)


def find_upload(world: World, session_id: str, upload_id: str) -> Upload | None:
    """Returns a session's upload, or None."""
    upload = world.uploads.get(upload_id)
    return upload if upload and upload.session_id == session_id else None


def readable_location(world: World, upload: Upload) -> UploadLocation | None:
    """Returns where an upload can be read now, or None if it cannot."""
    executor = world.executors.get(upload.executor_id)
    there = executor is not None and executor.incarnation == upload.incarnation
    return upload.location if there and upload.state is UploadState.REGISTERED else None


def enter_uploads(world: World, job: Job, upload_ids: frozenset[str]) -> str:
    """Makes a job a reader of uploads; returns one that cannot be read, or an empty string."""
    for upload_id in sorted(upload_ids):
        upload = find_upload(world, job.session_id, upload_id)
        if upload is None or readable_location(world, upload) is None:
            return upload_id
    for upload_id in upload_ids:
        world.uploads[upload_id].readers.add(job.job_id)
    job.upload_ids = upload_ids
    return ""


def leave_uploads(world: World, job: Job) -> None:
    """Ends a job's reading; uploads that were kept for it alone are removed."""
    for upload_id in sorted(job.upload_ids):
        upload = world.uploads[upload_id]
        upload.readers.discard(job.job_id)
        end_reading(world, upload, job)
        if upload.doomed and not upload.readers:
            drop_upload(world, upload)
    job.upload_ids = frozenset()


def take_upload(world: World, upload: Upload) -> None:
    """Takes up an upload that an earlier process of the scheduler wrote down."""
    world.uploads[upload.upload_id] = upload
    world.sessions[upload.session_id].upload_ids[upload.upload_id] = None
    executor = world.executors.get(upload.executor_id)
    if executor and executor.incarnation == upload.incarnation:
        executor.upload_ids[upload.upload_id] = None
        executor.upload_bytes += upload.location.bytes if upload.location else upload.bytes_expected


def await_uploads(world: World, executor: Executor) -> None:
    """Notes which uploads are on their way to an executor that came later than their records."""
    life = (executor.executor_id, executor.incarnation)
    for upload in world.uploads.values():
        if upload.state is UploadState.ASSIGNED and life == (
            upload.executor_id,
            upload.incarnation,
        ):
            executor.upload_ids[upload.upload_id] = None
            executor.upload_bytes += upload.bytes_expected


def place_uploads(world: World) -> None:
    """Gives all uploads that wait a place on an executor that came."""
    for upload in list(world.unplaced_uploads.values()):
        if _assign(world, upload):
            del world.unplaced_uploads[upload.upload_id]
            world.alarms.clear(AlarmKind.UPLOAD, upload.upload_id)


def on_upload_due(world: World, upload_id: str) -> None:
    """Gives up an upload that found no executor for too long."""
    _refuse(world, world.uploads[upload_id], no_executor(world.limits.no_executor_ms_max))


def lose_uploads(world: World, executor: Executor) -> None:
    """Refuses uploads that were on their way to a lost executor; stored ones may come back."""
    for upload in list(world.uploads.values()):
        if upload.executor_id == executor.executor_id and upload.state is UploadState.ASSIGNED:
            failure = Failure(
                "EXECUTOR_LOST",
                f"an executor must stay until an upload is stored: {executor.executor_id} went "
                "away; send the rows again",
                retryable=True,
                executor_id=executor.executor_id,
            )
            _refuse(world, upload, failure)


def recall_uploads(world: World, executor: Executor, former: Executor) -> None:
    """Takes the uploads of a life that is back up again, and removes those that are gone."""
    for upload_id in former.upload_ids:
        recall_upload(world, executor, upload_id)


def recall_upload(world: World, executor: Executor, upload_id: str) -> None:
    """Takes an upload that an executor keeps, or has it removed if nobody wants it."""
    life = (executor.executor_id, executor.incarnation)
    upload = world.uploads.get(upload_id)
    if upload and (upload.executor_id, upload.incarnation) == life and upload.location:
        executor.upload_ids[upload_id] = None
        executor.upload_bytes += upload.location.bytes
    else:
        world.do(ReleaseUpload(world.cause, *life, upload_id))


def close_uploads(world: World, session: Session) -> None:
    """Removes all uploads of a session; none has a reader any more."""
    for upload_id in list(session.upload_ids):
        upload = world.uploads[upload_id]
        if upload.state is UploadState.WAITING:
            _refuse(world, upload, session_not_found(session.session_id))
        else:
            drop_upload(world, upload)


def drop_upload(world: World, upload: Upload) -> None:
    """Removes an upload, also from its executor."""
    _strike(world, upload)
    drop_copies(world, upload)
    executor = world.executors.get(upload.executor_id)
    if executor is not None and executor.incarnation == upload.incarnation:
        size = upload.location.bytes if upload.location else upload.bytes_expected
        executor.upload_bytes -= size
        executor.upload_ids.pop(upload.upload_id, None)
        life = (executor.executor_id, executor.incarnation)
        world.do(ReleaseUpload(world.cause, *life, upload.upload_id))
    _forget(world, upload)


def _assign(world: World, upload: Upload) -> bool:
    takers = [each for each in world.executors.values() if each.state is ExecutorState.ACTIVE]
    if not takers:
        return False
    executor = min(takers, key=lambda each: (each.upload_bytes, each.order))
    _change(upload, UploadState.ASSIGNED)
    upload.executor_id, upload.incarnation = executor.executor_id, executor.incarnation
    executor.upload_bytes += upload.bytes_expected
    executor.upload_ids[upload.upload_id] = None
    place = (executor.executor_id, executor.flight_address)
    world.do(Persist(world.cause, _record(upload)))
    world.do(AssignUpload(world.cause, upload.upload_id, *place))
    return True


def _refuse(world: World, upload: Upload, failure: Failure) -> None:
    _strike(world, upload)
    world.do(RefuseUpload(world.cause, upload.upload_id, failure))
    _forget(world, upload)


def _record(upload: Upload) -> UploadRecord:
    return UploadRecord(
        session_id=upload.session_id,
        upload_id=upload.upload_id,
        state=upload.state,
        executor_id=upload.executor_id,
        incarnation=upload.incarnation,
        bytes_expected=upload.bytes_expected,
        location=upload.location,
        doomed=upload.doomed,
        table=upload.table,
    )


def _strike(world: World, upload: Upload) -> None:
    if upload.state is not UploadState.WAITING:
        world.do(Forget(world.cause, upload_key(upload.upload_id)))


def _forget(world: World, upload: Upload) -> None:
    del world.uploads[upload.upload_id]
    world.sessions[upload.session_id].upload_ids.pop(upload.upload_id, None)
    world.unplaced_uploads.pop(upload.upload_id, None)
    world.alarms.clear(AlarmKind.UPLOAD, upload.upload_id)


def _change(upload: Upload, state: UploadState) -> None:
    check_transition(f"upload {upload.upload_id}", upload.state, state, ())
    upload.state = state
