"""Executors come, are heard, drain, and go; both ways of noticing a loss have one consequence."""

from springald_scheduler.core.actions import (
    AcceptExecutor,
    CancelTask,
    DisconnectExecutor,
    Forget,
    Persist,
    RefuseExecutor,
)
from springald_scheduler.core.alarms import AlarmKind
from springald_scheduler.core.events import (
    ClusterFacts,
    ExecutorDisconnected,
    ExecutorDrainRequested,
    ExecutorHeard,
    ExecutorRegistered,
)
from springald_scheduler.core.failures import Failure, executor_lost, executor_replaced
from springald_scheduler.core.files import remove_files
from springald_scheduler.core.handover import hand_over_again, hand_over_uploads, lose_heir
from springald_scheduler.core.model import Attempt, Executor
from springald_scheduler.core.news import rescue_jobs, strand_job
from springald_scheduler.core.records import ExecutorRecord, executor_key
from springald_scheduler.core.recovery import check_uploads, lose_outputs_of, make_again
from springald_scheduler.core.restoring import keep_wanted, note_arrival, note_departure
from springald_scheduler.core.retries import retry_task
from springald_scheduler.core.stages import slice_stages
from springald_scheduler.core.states import ExecutorState
from springald_scheduler.core.taxonomy import EXECUTOR_GONE, EXECUTOR_LEFT
from springald_scheduler.core.uploads import (
    await_uploads,
    lose_uploads,
    place_uploads,
    recall_upload,
    recall_uploads,
)
from springald_scheduler.core.world import World

_FACTS = (
    ("protocol_major", "protocol version", "PROTOCOL_MISMATCH"),
    ("engine_version", "engine version", "ENGINE_MISMATCH"),
    ("python_version", "Python version", "ENGINE_MISMATCH"),
    ("architecture", "architecture", "ENGINE_MISMATCH"),
    ("routing_fingerprint", "routing fingerprint", "ROUTING_MISMATCH"),
)


def on_executor_registered(world: World, event: ExecutorRegistered) -> None:
    """Lets an executor in if it computes and routes like the cluster."""
    former = world.executors.get(event.executor_id)
    failure = _check(event, world.facts)
    if former and event.incarnation in former.replaced:
        # Two processes of one id would take turns for ever, and each turn loses tasks.
        failure = executor_replaced(event.executor_id, former.pid, former.host)
    if failure:
        life = (event.executor_id, event.incarnation)
        world.do(RefuseExecutor(world.cause, *life, failure))
        return
    replaced: tuple[str, ...] = ()
    if former:
        how, replaced = "it registered again", former.replaced
        if former.incarnation != event.incarnation:
            how = "another process registered under its id"
            replaced = (*replaced, former.incarnation)[-world.limits.replaced_lives_max :]
            life = (former.executor_id, former.incarnation)
            world.do(DisconnectExecutor(world.cause, *life, how))
        _lose(world, former, how)
    world.registrations += 1
    executor = Executor(
        executor_id=event.executor_id,
        incarnation=event.incarnation,
        order=world.registrations,
        slots=event.slots,
        memory_bytes=event.memory_bytes,
        flight_address=event.flight_address,
        pid=event.pid,
        host=event.host,
        registered_ms=world.now_ms,
        heard_ms=world.now_ms,
        free=event.slots,
        replaced=replaced,
    )
    world.executors[executor.executor_id] = executor
    world.pool.add(executor)
    world.do(Persist(world.cause, _record(executor)))
    world.do(AcceptExecutor(world.cause, executor.executor_id, executor.incarnation))
    _set_silence_alarm(world, executor)
    if world.restoring:
        note_arrival(world, event)
        return
    _recall(world, executor)
    keep_wanted(world, executor, event)
    await_uploads(world, executor)
    for upload_id in event.upload_ids:
        if upload_id not in executor.upload_ids:
            recall_upload(world, executor, upload_id)
    rescue_jobs(world)
    place_uploads(world)
    hand_over_uploads(world)
    for job in list(world.unsliced.values()):
        slice_stages(world, job)


def on_executor_heard(world: World, event: ExecutorHeard) -> None:
    """Notes a sign of life, and stops attempts that nobody wants."""
    executor = _find(world, event)
    if executor is None:
        return
    executor.heard_ms = world.now_ms
    if world.restoring:
        return
    for attempt_id in event.running_attempt_ids:
        if attempt_id not in executor.running:
            life = (executor.executor_id, executor.incarnation)
            world.do(CancelTask(world.cause, *life, attempt_id))
    hand_over_again(world, executor)


def on_executor_disconnected(world: World, event: ExecutorDisconnected) -> None:
    """Gives up an executor whose stream ended."""
    executor = _find(world, event)
    if executor:
        _lose(world, executor, event.reason)


def on_executor_drain_requested(world: World, event: ExecutorDrainRequested) -> None:
    """Gives an executor no more tasks."""
    executor = _find(world, event)
    if executor and executor.state is ExecutorState.ACTIVE:
        executor.state = ExecutorState.DRAINING
        world.do(Persist(world.cause, _record(executor)))
        world.pool.remove(executor)
        _strand_if_alone(world)
        hand_over_uploads(world)


def on_executor_due(world: World, executor_id: str) -> None:
    """Gives up an executor that was silent for too long."""
    executor = world.executors[executor_id]
    limit_ms = world.limits.executor_silence_ms_max
    if limit_ms is None or executor.heard_ms + limit_ms > world.now_ms:
        _set_silence_alarm(world, executor)
        return
    how = f"it was silent for {limit_ms / 1000:g} s"
    life = (executor.executor_id, executor.incarnation)
    world.do(DisconnectExecutor(world.cause, *life, how))
    _lose(world, executor, how)


def _record(executor: Executor) -> ExecutorRecord:
    """Returns what is written down of it: what does not change with each task."""
    return ExecutorRecord(
        executor.executor_id,
        executor.incarnation,
        executor.flight_address,
        executor.slots,
        executor.memory_bytes,
        executor.pid,
        executor.state is ExecutorState.DRAINING,
        executor.registered_ms,
        executor.order,
    )


def _check(event: ExecutorRegistered, facts: ClusterFacts) -> Failure | None:
    problems: list[tuple[str, str]] = []
    for name, what in (("executor_id", "executor id"), ("incarnation", "incarnation")):
        if not getattr(event, name):
            problems.append(("INVALID_ARGUMENT", f"an executor has an {what}: got none"))
    if event.slots < 1:
        problems.append(("INVALID_ARGUMENT", f"slots must be at least 1: got {event.slots}"))
    for name, what, code in _FACTS:
        want, got = getattr(facts, name), getattr(event.facts, name)
        if got != want:
            problems.append((code, f"{what} must be {want}, the scheduler's: got {got or 'none'}"))
    if not problems:
        return None
    text = "; ".join(problem for _, problem in problems)
    return Failure(problems[0][0], text, executor_id=event.executor_id)


def _find(
    world: World, event: ExecutorHeard | ExecutorDisconnected | ExecutorDrainRequested
) -> Executor | None:
    executor = world.executors.get(event.executor_id)
    if executor is None:
        world.ignore("message of an unknown executor")
    elif executor.incarnation != event.incarnation:
        world.ignore("message of another life of an executor")
        executor = None
    return executor


def _set_silence_alarm(world: World, executor: Executor) -> None:
    limit_ms = world.limits.executor_silence_ms_max
    if limit_ms is not None:
        due_ms = executor.heard_ms + limit_ms
        world.alarms.set(AlarmKind.EXECUTOR, executor.executor_id, due_ms)


def _recall(world: World, executor: Executor) -> None:
    """A life that was given up is back: removes files of jobs that are done with."""
    former = world.lost.pop(executor.executor_id, None)
    if former is None or former.incarnation != executor.incarnation:
        return
    recall_uploads(world, executor, former)
    for job_id in former.file_job_ids:
        job = world.jobs.get(job_id)
        if job and job.holders.get(executor.executor_id) == executor.incarnation:
            executor.file_job_ids[job_id] = None
        else:
            remove_files(world, executor, job_id)


def _lose(world: World, executor: Executor, how: str) -> None:
    """Moves what an executor ran, and has made again what it held, as far as it is needed."""
    del world.executors[executor.executor_id]
    world.do(Forget(world.cause, executor_key(executor.executor_id)))
    note_departure(world, executor)
    world.pool.remove(executor)
    world.turns_largest = -1  # what is enqueued from here on is counted without it
    world.alarms.clear(AlarmKind.EXECUTOR, executor.executor_id)
    attempts = _take_attempts(world, executor)
    row = EXECUTOR_LEFT if executor.state is ExecutorState.DRAINING else EXECUTOR_GONE
    for job_id in executor.file_job_ids:
        job = world.jobs.get(job_id)
        if job is None or job.released:
            continue
        lose_outputs_of(world, job, executor)
        for attempt in attempts.get(job_id, ()):
            if not job.state.terminal:
                what = f"ran {attempt.attempt_id}"
                failure = executor_lost(executor.executor_id, how, what)
                retry_task(world, job, attempt, row, failure)
        make_again(world, job)
    lose_uploads(world, executor)
    lose_heir(world, executor)
    for upload in list(world.uploads.values()):
        if upload.executor_id == executor.executor_id:
            for job_id in sorted(upload.readers):
                check_uploads(world, world.jobs[job_id])
    world.lost[executor.executor_id] = executor
    while len(world.lost) > world.limits.executors_remembered_max:
        world.lost.popitem(last=False)
    _strand_if_alone(world)


def _take_attempts(world: World, executor: Executor) -> dict[str, list[Attempt]]:
    """Takes all attempts off a lost executor; returns those that are wanted, by job."""
    wanted: dict[str, list[Attempt]] = {}
    for attempt in executor.running.values():
        if not attempt.stopping:
            del world.jobs[attempt.job_id].running[attempt.attempt_id]
            wanted.setdefault(attempt.job_id, []).append(attempt)
    executor.running.clear()
    executor.attempts_of.clear()
    executor.release_after.clear()
    executor.free = executor.slots
    return wanted


def _strand_if_alone(world: World) -> None:
    if world.pool.empty:
        for job in world.queue.values():
            strand_job(world, job)
