"""Jobs: submitted, planned, watched, cancelled, released."""

from dataclasses import replace

from springald_scheduler.core.actions import (
    AcceptJob,
    AttachJob,
    Persist,
    PlanJob,
    Refuse,
)
from springald_scheduler.core.alarms import AlarmKind
from springald_scheduler.core.endings import (
    cancel_job,
    fail_job,
    release_job,
    succeed_job,
)
from springald_scheduler.core.events import (
    JobAnswered,
    JobCancelRequested,
    JobFailed,
    JobPlanned,
    JobReleased,
    JobSubmitted,
    JobUnwatched,
    JobWatched,
)
from springald_scheduler.core.failures import (
    broken_promise,
    job_cancelled,
    job_not_found,
    no_executor,
    operation_conflict,
    session_not_found,
    too_many_jobs,
    upload_lost,
)
from springald_scheduler.core.model import Job
from springald_scheduler.core.stages import find_defect, start_stages
from springald_scheduler.core.states import JobState
from springald_scheduler.core.uploads import enter_uploads
from springald_scheduler.core.world import World
from springald_scheduler.core.writing import hold_plan, job_record

JOBS_COUNTED_AHEAD = 1_000
"""How many numbers of jobs are written down at once, which a restart may leave out."""


def on_job_submitted(world: World, event: JobSubmitted) -> None:
    """Makes a job of a statement, or finds the one that it is (P2.3)."""
    session = world.sessions.get(event.session_id)
    if session is None:
        world.do(Refuse(world.cause, session_not_found(event.session_id)))
        return
    session.seen_ms = world.now_ms
    known = world.jobs.get(session.operations.get(event.operation_id, ""))
    if known and not known.released:
        if known.digest == event.digest:
            world.do(AttachJob(world.cause, known.job_id))
        else:
            failure = operation_conflict(event.operation_id, known.job_id)
            world.do(Refuse(world.cause, failure))
        return
    if len(session.job_ids) >= world.limits.session_jobs_max:
        world.do(Refuse(world.cause, too_many_jobs(world.limits.session_jobs_max)))
        return
    world.jobs_made += 1
    job = Job(
        job_id=f"j{world.jobs_made}",
        session_id=event.session_id,
        operation_id=event.operation_id,
        statement=event.statement,
        digest=event.digest,
        submitted_ms=world.now_ms,
        unwatched_ms=world.now_ms,
        plan=event.plan,
    )
    job.story.append((world.now_ms, job.job_id, job.state))
    world.jobs[job.job_id] = job
    session.operations[event.operation_id] = job.job_id
    session.job_ids[job.job_id] = None
    set_unwatched_alarm(world, job)
    if world.jobs_made > world.counter.jobs:
        world.counter = replace(world.counter, jobs=world.jobs_made + JOBS_COUNTED_AHEAD)
        world.do(Persist(world.cause, world.counter))
    world.do(Persist(world.cause, job_record(job)))
    world.do(AcceptJob(world.cause, job.job_id))
    world.do(PlanJob(world.cause, job.job_id, job.session_id, job.statement, event.plan))


def on_job_planned(world: World, event: JobPlanned) -> None:
    """Starts the stages of a job."""
    job = _find_queued(world, event.job_id)
    if job is None:
        return
    defect = find_defect(event.graph)
    if defect:
        fail_job(world, job, broken_promise(defect, job.job_id))
        return
    upload_ids = {each for stage in event.graph.stages for each in stage.upload_ids}
    lost = enter_uploads(world, job, frozenset(upload_ids))
    if lost:
        fail_job(world, job, upload_lost(lost).at(node_id=job.job_id))
        return
    job.graph = job.planned = event.graph
    job.plan = b""
    world.change_job(job, JobState.RUNNING)
    hold_plan(world, job)
    start_stages(world, job, event.graph)


def on_job_answered(world: World, event: JobAnswered) -> None:
    """Ends a job whose rows the scheduler made itself."""
    job = _find_queued(world, event.job_id)
    if job:
        job.answer = event.rows
        succeed_job(world, job)


def on_job_failed(world: World, event: JobFailed) -> None:
    """Ends a job that cannot go on."""
    job = world.jobs.get(event.job_id)
    if job is None:
        world.ignore("failure of an unknown job")
    elif job.state.terminal:
        world.ignore("failure of a job that has ended")
    else:
        fail_job(world, job, event.failure.at(node_id=job.job_id))


def on_job_watched(world: World, event: JobWatched) -> None:
    """Counts a watcher."""
    job = world.jobs.get(event.job_id)
    if job is None:
        world.ignore("watcher of an unknown job")
        return
    job.watchers += 1
    world.alarms.clear(AlarmKind.UNWATCHED, job.job_id)
    session = world.sessions.get(job.session_id)
    if session and not job.released:
        session.watchers += 1


def on_job_unwatched(world: World, event: JobUnwatched) -> None:
    """Counts a watcher off; a running job without any is cancelled after a while."""
    job = world.jobs.get(event.job_id)
    if job is None or not job.watchers:
        world.ignore("watcher of an unknown job")
        return
    job.watchers -= 1
    session = world.sessions.get(job.session_id)
    if session and not job.released:
        session.watchers -= 1
        session.seen_ms = world.now_ms
    if not job.watchers and not job.state.terminal:
        job.unwatched_ms = world.now_ms
        set_unwatched_alarm(world, job)


def on_job_cancel_requested(world: World, event: JobCancelRequested) -> None:
    """Stops a job; one that has ended stays as it is (P3.4)."""
    job = find_job(world, event.session_id, event.name)
    if job:
        cancel_job(world, job, job_cancelled(event.reason))
    elif event.session_id and event.session_id not in world.sessions:
        world.do(Refuse(world.cause, session_not_found(event.session_id)))
    else:
        world.do(Refuse(world.cause, job_not_found(event.name)))


def on_job_released(world: World, event: JobReleased) -> None:
    """Gives up a job's result and files; a job that is not there is released already (P3.4)."""
    job = find_job(world, event.session_id, event.name)
    if job is None or job.released:
        world.ignore("release of a job that is not there")
    else:
        release_job(world, job, job_cancelled("its client released it"))


def on_job_stranded_due(world: World, job_id: str) -> None:
    """Ends a job that waited too long for an executor."""
    job = world.jobs[job_id]
    failure = no_executor(world.limits.no_executor_ms_max).at(node_id=job_id)
    tasks = (task for run in job.ready.values() for task in run.waiting)
    causes = (task.troubles.first for task in tasks if task.troubles)
    fail_job(world, job, replace(failure, cause=next(causes, None)))


def on_job_unwatched_due(world: World, job_id: str) -> None:
    """Ends a job that nobody watched for too long."""
    limit_s = world.limits.unwatched_job_ms_max / 1000
    failure = job_cancelled(f"nobody watched it for {limit_s:g} s")
    cancel_job(world, world.jobs[job_id], failure)


def find_job(world: World, session_id: str, name: str) -> Job | None:
    """Returns a session's job by operation id or job id, or an operator's by job id."""
    session = world.sessions.get(session_id)
    if session and name in session.operations:
        name = session.operations[name]
    job = world.jobs.get(name)
    return job if job and session_id in ("", job.session_id) else None


def _find_queued(world: World, job_id: str) -> Job | None:
    job = world.jobs.get(job_id)
    if job is None:
        world.ignore("plan of an unknown job")
    elif job.state is not JobState.QUEUED:
        world.ignore("plan of a job that does not wait for one")
        job = None
    return job


def set_unwatched_alarm(world: World, job: Job) -> None:
    """Has a job cancelled that nobody watches for too long from now on."""
    due_ms = job.unwatched_ms + world.limits.unwatched_job_ms_max
    world.alarms.set(AlarmKind.UNWATCHED, job.job_id, due_ms)
