"""Executors come, are heard, drain, and go; both ways of noticing a loss have one consequence."""

from springald_scheduler.core.actions import (
    AcceptExecutor,
    CancelTask,
    DisconnectExecutor,
    RefuseExecutor,
)
from springald_scheduler.core.alarms import AlarmKind
from springald_scheduler.core.endings import fail_job
from springald_scheduler.core.events import (
    ClusterFacts,
    ExecutorDisconnected,
    ExecutorDrainRequested,
    ExecutorHeard,
    ExecutorRegistered,
)
from springald_scheduler.core.failures import Failure, executor_lost
from springald_scheduler.core.files import remove_files
from springald_scheduler.core.model import Executor, Job
from springald_scheduler.core.news import rescue_jobs, strand_job
from springald_scheduler.core.stages import slice_stages
from springald_scheduler.core.states import ExecutorState, JobState, StageState, TaskState
from springald_scheduler.core.uploads import lose_uploads, place_uploads, recall_uploads
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
    failure = _check(event, world.facts)
    if failure:
        life = (event.executor_id, event.incarnation)
        world.do(RefuseExecutor(world.cause, *life, failure))
        return
    former = world.executors.get(event.executor_id)
    if former:
        how = "it registered again"
        if former.incarnation != event.incarnation:
            how = "another process registered under its id"
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
        heard_ms=world.now_ms,
        free=event.slots,
    )
    world.executors[executor.executor_id] = executor
    world.pool.add(executor)
    world.do(AcceptExecutor(world.cause, executor.executor_id, executor.incarnation))
    _set_silence_alarm(world, executor)
    _recall(world, executor)
    rescue_jobs(world)
    place_uploads(world)
    for job in list(world.unsliced.values()):
        slice_stages(world, job)


def on_executor_heard(world: World, event: ExecutorHeard) -> None:
    """Notes a sign of life, and stops attempts that nobody wants."""
    executor = _find(world, event)
    if executor is None:
        return
    executor.heard_ms = world.now_ms
    for attempt_id in event.running_attempt_ids:
        if attempt_id not in executor.running:
            life = (executor.executor_id, executor.incarnation)
            world.do(CancelTask(world.cause, *life, attempt_id))


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
        world.pool.remove(executor)
        _strand_if_alone(world)


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
    """Ends the jobs that cannot go on without an executor; the others do."""
    del world.executors[executor.executor_id]
    world.pool.remove(executor)
    world.alarms.clear(AlarmKind.EXECUTOR, executor.executor_id)
    causes = _end_attempts(world, executor)
    for job_id in executor.file_job_ids:
        job = world.jobs.get(job_id)
        if job and job_id not in causes and _needs_outputs(job, executor):
            causes[job_id] = "held outputs that are still needed"
    for upload in world.uploads.values():
        if upload.executor_id == executor.executor_id:
            for job_id in sorted(upload.readers - causes.keys()):
                if _reads_upload(world.jobs[job_id], upload.upload_id):
                    causes[job_id] = f"held upload {upload.upload_id}"
    for job_id, what in causes.items():
        fail_job(world, world.jobs[job_id], executor_lost(executor.executor_id, how, what))
    lose_uploads(world, executor)
    world.lost[executor.executor_id] = executor
    while len(world.lost) > world.limits.executors_remembered_max:
        world.lost.popitem(last=False)
    _strand_if_alone(world)


def _end_attempts(world: World, executor: Executor) -> dict[str, str]:
    """Takes all attempts off a lost executor; returns the jobs that wanted them, and what for."""
    causes: dict[str, str] = {}
    for attempt in executor.running.values():
        if not attempt.stopping:
            job = world.jobs[attempt.job_id]
            run = job.stages[attempt.stage_id]
            task = run.tasks[attempt.task_number - 1]
            world.change_task(job, run, task, TaskState.FAILED)
            task.elapsed_ms = world.now_ms - task.launched_ms
            del job.running[attempt.attempt_id]
            causes.setdefault(attempt.job_id, f"ran {attempt.attempt_id}")
    executor.running.clear()
    executor.attempts_of.clear()
    executor.release_after.clear()
    executor.free = executor.slots
    return causes


def _needs_outputs(job: Job, executor: Executor) -> bool:
    if job.state is not JobState.RUNNING:
        return False
    for stage_id in job.outputs_on.get(executor.executor_id, ()):
        consumers = [job.stages[each] for each in job.stages[stage_id].consumers]
        if not consumers or any(each.state is not StageState.FINISHED for each in consumers):
            return True
    return False


def _reads_upload(job: Job, upload_id: str) -> bool:
    return any(
        upload_id in run.stage.upload_ids and run.state is not StageState.FINISHED
        for run in job.stages.values()
    )


def _strand_if_alone(world: World) -> None:
    if world.pool.empty:
        for job in world.queue.values():
            strand_job(world, job)
