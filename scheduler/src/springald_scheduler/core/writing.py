"""What is written down of a job, and when: its plan no earlier than it is worth it.

A job is written down when it is accepted, and when it has ended. Between the two the store may call
it queued, although it runs: then a process that takes over plans it again and runs it again. That
costs nobody but those who wait, and as long as the job is young it costs them little. Its plan and
its stages are written when it has run for a moment, when a stage has finished that others read, or
when what it was planned with changes.
"""

from springald_scheduler.core.actions import Persist
from springald_scheduler.core.alarms import AlarmKind
from springald_scheduler.core.graph import FragmentFormat
from springald_scheduler.core.model import Job, StageRun
from springald_scheduler.core.records import JobRecord, PlanRecord, StageRecord, TaskSlice
from springald_scheduler.core.states import JobState, StageState
from springald_scheduler.core.world import World


def hold_plan(world: World, job: Job) -> None:
    """Has a job's plan written in a moment, unless it must be earlier or need not be at all."""
    world.unwritten[job.job_id] = job
    due_ms = world.now_ms + world.limits.plan_held_ms
    world.alarms.set(AlarmKind.WRITE, job.job_id, due_ms)


def write_held(world: World, job: Job) -> None:
    """Writes a job's plan and stages, if they are held."""
    if _let_go(world, job):
        world.do(Persist(world.cause, job_record(job)))
        _write_stages(world, job)


def write_held_of_session(world: World, session_id: str) -> None:
    """Writes what is held of a session's jobs: they are not to be planned with another catalog."""
    for job in list(world.unwritten.values()):
        if job.session_id == session_id:
            write_held(world, job)


def write_end(world: World, job: Job) -> None:
    """Writes how a job ended, and of one whose result must be found again all that is held."""
    held = _let_go(world, job)
    world.do(Persist(world.cause, job_record(job)))
    if held and job.state is JobState.SUCCEEDED and job.answer is None:
        _write_stages(world, job)


def write_plan(world: World, job: Job) -> None:
    """Writes a job's stages as they are planned now, unless that is held."""
    if job.job_id not in world.unwritten:
        world.do(Persist(world.cause, plan_record(job)))


def write_stage(world: World, job: Job, run: StageRun) -> None:
    """Writes where a stage stands, unless that is held; what others read is not."""
    if job.job_id not in world.unwritten:
        world.do(Persist(world.cause, _stage_record(job, run)))
    elif run.consumers and run.state is StageState.FINISHED:
        write_held(world, job)


def on_write_due(world: World, job_id: str) -> None:
    """Writes what was held for a moment."""
    write_held(world, world.unwritten[job_id])


def job_record(job: Job) -> JobRecord:
    """Returns what is persisted of a job."""
    return JobRecord(
        job_id=job.job_id,
        session_id=job.session_id,
        operation_id=job.operation_id,
        statement=job.statement,
        digest=job.digest,
        submitted_ms=job.submitted_ms,
        state=job.state,
        ended_ms=job.ended_ms,
        answer=job.answer,
        failure=job.failure,
        plan=job.plan,
    )


def plan_record(job: Job) -> PlanRecord:
    """Returns what is persisted of a planned job's stages."""
    if job.graph is None:
        raise AssertionError("a plan is kept of a planned job")
    planned = job.planned if job.planned is not job.graph else None
    return PlanRecord(job.job_id, job.graph, planned, job.restarts)


def _stage_record(job: Job, run: StageRun) -> StageRecord:
    slices = (TaskSlice(each.partitions, each.slots, each.part, each.void) for each in run.tasks)
    planned = run.stage.fragment.format is FragmentFormat.SQL
    return StageRecord(
        job.job_id,
        run.stage.stage_id,
        outputs=run.locations,
        slices=tuple(slices),
        skip=run.skip,
        operators=run.stage.operators if planned else (),
        ended=run.state is StageState.FINISHED,
    )


def _let_go(world: World, job: Job) -> bool:
    """Holds nothing of a job any more; returns True if something was."""
    world.alarms.clear(AlarmKind.WRITE, job.job_id)
    return world.unwritten.pop(job.job_id, None) is not None


def _write_stages(world: World, job: Job) -> None:
    world.do(Persist(world.cause, plan_record(job)))
    for run in job.stages.values():
        if run.state in (StageState.RUNNING, StageState.FINISHED):
            world.do(Persist(world.cause, _stage_record(job, run)))
