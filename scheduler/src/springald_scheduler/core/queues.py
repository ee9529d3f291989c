"""Which stages have tasks to place: the way into the queue, and out of it."""

from springald_scheduler.core.alarms import AlarmKind
from springald_scheduler.core.model import Job, StageRun, Task
from springald_scheduler.core.news import strand_job
from springald_scheduler.core.world import World


def enqueue_stage(world: World, job: Job, run: StageRun) -> None:
    """Has a stage's waiting tasks placed, if it has some that may be."""
    if not run.has_waiting_tasks:
        return
    job.ready[run.stage.stage_id] = run
    needed = min(slots_needed(world, each.waiting[0]) for each in job.ready.values())
    if job.job_id in world.queue:
        world.turns.change(job.job_id, needed)
    else:
        world.queue[job.job_id] = job
        world.turns.give(job.job_id, needed)
    if world.pool.empty:
        strand_job(world, job)


def dequeue_stage(world: World, job: Job, run: StageRun) -> None:
    """Has no task of a stage placed; one that is not in the queue is left alone."""
    stage_id = run.stage.stage_id
    if job.ready.pop(stage_id, None) is None:
        return
    reservation = world.pool.reservation
    if reservation and reservation[1] == (job.job_id, stage_id):
        world.pool.clear_reservation()
    if job.ready:
        needed = min(slots_needed(world, each.waiting[0]) for each in job.ready.values())
        world.turns.change(job.job_id, needed)
    else:
        del world.queue[job.job_id]
        rescue_job(world, job)


def leave_queues(world: World, job: Job) -> None:
    """Has nothing of a job placed any more."""
    job.ready.clear()
    job.replans.clear()
    for name in job.resting:
        world.alarms.clear(AlarmKind.RETRY, name)
    job.resting.clear()
    world.queue.pop(job.job_id, None)
    world.unsliced.pop(job.job_id, None)
    rescue_job(world, job)
    reservation = world.pool.reservation
    if reservation and reservation[1][0] == job.job_id:
        world.pool.clear_reservation()


def rescue_job(world: World, job: Job) -> None:
    """Notes that a job needs no executor any more, if that is so."""
    needs = job.job_id in world.queue or job.job_id in world.unsliced
    if not needs and job.job_id in world.stranded:
        del world.stranded[job.job_id]
        world.alarms.clear(AlarmKind.STRANDED, job.job_id)
        world.touch(job)


def slots_needed(world: World, task: Task) -> int:
    """Returns how many slots a task takes.

    Executors may have left since the task was fixed; then it makes do with fewer threads.
    """
    return min(task.slots, world.pool.largest)
