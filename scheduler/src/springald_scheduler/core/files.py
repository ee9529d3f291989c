"""Slots, given back when an attempt ends, and files, removed when nobody needs them any more."""

from springald_scheduler.core.actions import CancelTask, ReleaseJobFiles
from springald_scheduler.core.model import Attempt, Executor, Job, StageRun, Task
from springald_scheduler.core.states import JobState, TaskState
from springald_scheduler.core.world import World, attempt_name


def occupy_slots(world: World, executor: Executor, attempt: Attempt) -> None:
    """Gives an attempt its slots."""
    world.pool.take(executor, attempt.slots)
    executor.running[attempt.attempt_id] = attempt
    executor.attempts_of[attempt.job_id] = executor.attempts_of.get(attempt.job_id, 0) + 1
    executor.file_job_ids[attempt.job_id] = None


def free_slots(world: World, executor: Executor, attempt: Attempt) -> None:
    """Takes the slots of an attempt back, and removes files that waited for its end."""
    world.pool.give(executor, attempt.slots)
    del executor.running[attempt.attempt_id]
    executor.attempts_of[attempt.job_id] -= 1
    if not executor.attempts_of[attempt.job_id]:
        del executor.attempts_of[attempt.job_id]
        if attempt.job_id in executor.release_after:
            remove_files(world, executor, attempt.job_id)


def cancel_attempts(world: World, job: Job) -> None:
    """Stops all running attempts of a job; they hold their slots until their executors report."""
    # One that succeeded may have to make its result again, and then what this needs.
    state = TaskState.WAITING if job.state is JobState.SUCCEEDED else TaskState.CANCELLED
    for attempt in job.running.values():
        run = job.stages[attempt.stage_id]
        task = run.tasks[attempt.task_number - 1]
        world.change_task(job, run, task, state)
        task.elapsed_ms = world.now_ms - task.launched_ms
        _stop(world, attempt)
    job.running.clear()


def stop_attempt(world: World, job: Job, run: StageRun, task: Task) -> None:
    """Stops the running attempt of a task, which then waits for another one."""
    name = attempt_name(job.job_id, run.stage.stage_id, task.number, task.attempt)
    world.change_task(job, run, task, TaskState.WAITING)
    _stop(world, job.running.pop(name))


def _stop(world: World, attempt: Attempt) -> None:
    attempt.stopping = True
    executor = world.executors[attempt.executor_id]
    life = (executor.executor_id, executor.incarnation)
    world.do(CancelTask(world.cause, *life, attempt.attempt_id))


def release_files(world: World, job: Job, *, in_no_hurry: bool = False) -> None:
    """Removes a job's files wherever there are some, after the attempts that still write there."""
    for executor_id, incarnation in job.holders.items():
        executor = world.executors.get(executor_id)
        if executor is None or executor.incarnation != incarnation:
            continue  # Should this life of it come back, it is told then.
        if job.job_id in executor.attempts_of:
            executor.release_after[job.job_id] = None
        else:
            remove_files(world, executor, job.job_id, in_no_hurry=in_no_hurry)
    job.holders.clear()


def remove_files(
    world: World, executor: Executor, job_id: str, *, in_no_hurry: bool = False
) -> None:
    """Has an executor remove all it keeps of a job."""
    executor.release_after.pop(job_id, None)
    executor.file_job_ids.pop(job_id, None)
    life = (executor.executor_id, executor.incarnation)
    world.do(ReleaseJobFiles(world.cause, *life, job_id, in_no_hurry))
