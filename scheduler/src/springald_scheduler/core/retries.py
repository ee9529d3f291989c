"""What becomes of a task whose attempt came to nothing: another try, or the end of its job."""

from dataclasses import replace
from typing import Final

from springald_scheduler.core.alarms import AlarmKind
from springald_scheduler.core.endings import fail_job
from springald_scheduler.core.failures import Failure, task_poisoned
from springald_scheduler.core.limits import CoreLimits
from springald_scheduler.core.model import Attempt, Job, StageRun, Task, Troubles
from springald_scheduler.core.queues import enqueue_stage
from springald_scheduler.core.states import TaskState
from springald_scheduler.core.taxonomy import Budget, FailureRow
from springald_scheduler.core.world import ATTEMPTS_PER_LIFE, World, attempt_name

_POISONS: Final = {Budget.ENGINES: "engine processes", Budget.EXECUTORS: "executors"}
_REST: Final = frozenset({Budget.ATTEMPTS, Budget.ENGINES, Budget.MOVES})
_REST_GROWTH: Final = 4
_REST_GROWTHS_MAX: Final = 4


def tries_max(limits: CoreLimits, budget: Budget) -> int:
    """Returns how many troubles of a kind a task may have; the last one ends its job."""
    return {
        Budget.NONE: 1,
        Budget.ATTEMPTS: limits.task_attempts_max,
        Budget.ENGINES: limits.task_engines_max,
        Budget.EXECUTORS: limits.task_executors_max,
        Budget.INPUTS: limits.task_inputs_max,
        Budget.MOVES: limits.task_moves_max,
        Budget.OUTPUTS: limits.task_outputs_max,
        Budget.MEMORY: 2,
    }[budget]


def retry_task(world: World, job: Job, attempt: Attempt, row: FailureRow, failure: Failure) -> None:
    """Lets a task wait for another try, if that may help and its budget allows it.

    Args:
        world: The world.
        job: The job.
        attempt: What failed; its executor and its job have let go of it.
        row: What kind of failure it was.
        failure: What is told if it was the last one.
    """
    run = job.stages[attempt.stage_id]
    task = run.tasks[attempt.task_number - 1]
    task.elapsed_ms = world.now_ms - task.launched_ms
    run.ended_ms = world.now_ms
    failure = failure.at(node_id=attempt.attempt_id, executor_id=attempt.executor_id)
    spent = charge_task(task, row.budget, failure)
    hopeless = row.budget is Budget.MEMORY and attempt.slots >= world.pool.largest > 0
    if hopeless or spent >= tries_max(world.limits, row.budget):
        world.change_task(job, run, task, TaskState.FAILED)
        fail_job(world, job, final_failure(job, run, task, row.budget, failure))
        return
    world.change_task(job, run, task, TaskState.WAITING)
    if row.budget is Budget.MEMORY:
        task.slots = max(world.pool.largest, task.slots)
    if row.elsewhere and task.troubles:
        task.troubles.avoided.add(attempt.executor_id)
    if row.budget in _REST:
        _rest(world, job, run, task, spent)
    else:
        run.waiting.append(task)
        enqueue_stage(world, job, run)


def on_task_rested(world: World, name: str) -> None:
    """Has a task placed that has waited long enough after a failure."""
    job = world.jobs[name.partition("/")[0]]
    run, task = job.resting.pop(name)
    run.waiting.append(task)
    enqueue_stage(world, job, run)


def charge_task(task: Task, budget: Budget, failure: Failure | None = None) -> int:
    """Counts a trouble of a task; returns how many of its kind it has had."""
    task.troubles = troubles = task.troubles or Troubles()
    troubles.first = troubles.first or failure
    troubles.spent[budget] += 1
    return troubles.spent[budget]


def final_failure(job: Job, run: StageRun, task: Task, budget: Budget, failure: Failure) -> Failure:
    """Returns what a job is told of a task that is not tried again: also how it began."""
    first = task.troubles.first if task.troubles else None
    if budget in _POISONS and task.troubles:
        count = task.troubles.spent[budget]
        name = attempt_name(job.job_id, run.stage.stage_id, task.number, task.attempt)
        failure = replace(
            task_poisoned(name, count, _POISONS[budget]), executor_id=failure.executor_id
        )
    attempts = (task.attempt - run.attempts_before) % ATTEMPTS_PER_LIFE
    return replace(
        failure,
        attempts=attempts if attempts > 1 else 0,
        cause=first if first is not failure else None,
    )


def _rest(world: World, job: Job, run: StageRun, task: Task, spent: int) -> None:
    """Has a task wait for some time, longer after each failure."""
    name = f"{job.job_id}/s{run.stage.stage_id}/t{task.number}"
    growth = _REST_GROWTH ** min(spent - 1, _REST_GROWTHS_MAX)
    job.resting[name] = (run, task)
    due_ms = world.now_ms + world.limits.retry_first_ms * growth
    world.alarms.set(AlarmKind.RETRY, name, due_ms)
