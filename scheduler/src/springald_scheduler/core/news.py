"""What watchers of jobs are told, and when; and why a job waits."""

from springald_scheduler.core.actions import PublishJob
from springald_scheduler.core.alarms import AlarmKind
from springald_scheduler.core.model import Job
from springald_scheduler.core.states import JobState
from springald_scheduler.core.world import World


def publish_news(world: World) -> None:
    """Publishes each job whose state or waiting reason changed, and progress now and then."""
    for job in list(world.touched.values()):
        job.waiting_reason = _waiting_reason(world, job)
        if job.told != (job.state, job.waiting_reason):
            _publish(world, job)
        elif job.watchers and not job.state.terminal:
            due_ms = job.told_ms + world.limits.progress_interval_ms
            if due_ms <= world.now_ms:
                _publish(world, job)
            elif (AlarmKind.PROGRESS, job.job_id) not in world.alarms:
                world.alarms.set(AlarmKind.PROGRESS, job.job_id, due_ms)
    world.touched.clear()


def strand_job(world: World, job: Job) -> None:
    """Notes that a job needs an executor while there is none."""
    if job.job_id in world.stranded:
        return
    world.stranded[job.job_id] = job
    due_ms = world.now_ms + world.limits.no_executor_ms_max
    world.alarms.set(AlarmKind.STRANDED, job.job_id, due_ms)
    world.touch(job)


def rescue_jobs(world: World) -> None:
    """Notes that there is an executor again."""
    for job in world.stranded.values():
        world.alarms.clear(AlarmKind.STRANDED, job.job_id)
        world.touch(job)
    world.stranded.clear()


def _publish(world: World, job: Job) -> None:
    job.told = (job.state, job.waiting_reason)
    job.told_ms = world.now_ms
    world.alarms.clear(AlarmKind.PROGRESS, job.job_id)
    world.do(PublishJob(world.cause, job.job_id))


def _waiting_reason(world: World, job: Job) -> str:
    if job.job_id in world.stranded:
        limit_s = world.limits.no_executor_ms_max / 1000
        return f"there is no executor; the job fails if none registers within {limit_s:g} s"
    if job.state is JobState.RUNNING and job.job_id in world.queue and not job.running:
        return f"all {world.pool.slots_total} slots are taken by other jobs"
    return ""
