"""How a job ends, is released, and is forgotten. A job ends once."""

from dataclasses import replace

from springald_scheduler.core.actions import Forget
from springald_scheduler.core.alarms import AlarmKind
from springald_scheduler.core.failures import Failure
from springald_scheduler.core.files import cancel_attempts, release_files
from springald_scheduler.core.graph import AnswerKind, Stage
from springald_scheduler.core.model import Job
from springald_scheduler.core.queues import leave_queues
from springald_scheduler.core.records import job_key
from springald_scheduler.core.sizes import NOTHING
from springald_scheduler.core.states import JobState
from springald_scheduler.core.uploads import leave_uploads
from springald_scheduler.core.world import World
from springald_scheduler.core.writing import write_end


def succeed_job(world: World, job: Job) -> None:
    """Ends a job whose result is complete."""
    _end(world, job, JobState.SUCCEEDED)


def fail_job(world: World, job: Job, failure: Failure) -> None:
    """Ends a job that cannot go on. The first cause counts: an ended job stays as it is."""
    if not job.state.terminal:
        job.failure = failure
        _end(world, job, JobState.FAILED)


def cancel_job(world: World, job: Job, failure: Failure) -> None:
    """Ends a job on request, unless it has ended."""
    if not job.state.terminal:
        job.failure = failure
        _end(world, job, JobState.CANCELLED)


def release_job(world: World, job: Job, reason: Failure) -> None:
    """Gives up all of a job but its description; one that runs is cancelled first."""
    cancel_job(world, job, reason)
    world.do(Forget(world.cause, job_key(job.job_id)))
    release_files(world, job)
    job.released = True
    job.answer = None
    _drop_plan(job)
    session = world.sessions[job.session_id]
    session.job_ids.pop(job.job_id)
    session.watchers -= job.watchers
    world.released_job_ids[job.job_id] = None
    world.released_tasks += job.tasks_total
    limits = world.limits
    while len(world.released_job_ids) > limits.jobs_remembered_max or (
        world.released_tasks > limits.tasks_remembered_max and len(world.released_job_ids) > 1
    ):
        _forget_job(world, world.released_job_ids.popitem(last=False)[0])


def answers_with_rows(job: Job) -> bool:
    """False for a job whose client wants to know how it ran, and not its rows."""
    return job.graph is None or job.graph.answer is AnswerKind.ROWS


def _end(world: World, job: Job, state: JobState) -> None:
    world.change_job(job, state)
    job.ended_ms = world.now_ms
    job.plan = b""
    job.statement = job.statement[: world.limits.statement_characters_max]
    _leave_queues(world, job)
    write_end(world, job)
    cancel_attempts(world, job)
    # Rows that came with a task's report need no file.
    keeps_files = state is JobState.SUCCEEDED and answers_with_rows(job) and job.answer is None
    if not keeps_files:
        # One that is a single task has none, then.
        release_files(world, job, in_no_hurry=job.answer is not None and job.tasks_total == 1)
        _drop_plan(job)
    leave_uploads(world, job)


def _leave_queues(world: World, job: Job) -> None:
    leave_queues(world, job)
    for kind in (AlarmKind.UNWATCHED, AlarmKind.PROGRESS):
        world.alarms.clear(kind, job.job_id)


def _drop_plan(job: Job) -> None:
    """Lets go of all that is needed to run a job, or to make its result again."""
    job.planned = None
    job.plan = b""
    if job.graph:
        job.graph = replace(job.graph, stages=tuple(map(_without_payload, job.graph.stages)))
    for run in job.stages.values():
        run.stage = _without_payload(run.stage)
        run.table = None
        run.locations = ()
        run.waiting.clear()
        for task in run.tasks:
            task.sizes = NOTHING
            task.troubles = None


def _without_payload(stage: Stage) -> Stage:
    return replace(stage, fragment=replace(stage.fragment, payload=b"", query=None))


def _forget_job(world: World, job_id: str) -> None:
    job = world.jobs.pop(job_id)
    world.released_tasks -= job.tasks_total
    world.touched.pop(job_id, None)
    session = world.sessions.get(job.session_id)
    if session and session.operations.get(job.operation_id) == job_id:
        del session.operations[job.operation_id]
