"""What executors report about attempts. Only the end of a current, wanted attempt counts."""

from dataclasses import replace

from springald_scheduler.core.endings import answers_with_rows, fail_job
from springald_scheduler.core.events import TaskFailed, TaskFinished, TaskStarted
from springald_scheduler.core.failures import broken_promise
from springald_scheduler.core.files import free_slots
from springald_scheduler.core.model import Attempt, Executor
from springald_scheduler.core.recovery import check_repeated, lose_attempt, make_again
from springald_scheduler.core.retries import retry_task
from springald_scheduler.core.stages import finish_stage
from springald_scheduler.core.states import TaskState
from springald_scheduler.core.taxonomy import classify
from springald_scheduler.core.world import World


def on_task_started(world: World, event: TaskStarted) -> None:
    """Takes note; an attempt counts as running from its launch."""
    _find(world, event)


def on_task_finished(world: World, event: TaskFinished) -> None:
    """Accepts the output of an attempt, unless it was cancelled meanwhile."""
    found = _end(world, event)
    if found is None:
        return
    executor, attempt = found
    job = world.jobs[attempt.job_id]
    run = job.stages[attempt.stage_id]
    task = run.tasks[attempt.task_number - 1]
    if not event.sizes.ascends_below(run.stage.output.partition_count):
        world.change_task(job, run, task, TaskState.FAILED)
        message = f"output partitions ascend below {run.stage.output.partition_count}"
        got = f"{message}: got {list(event.sizes.numbers)}"
        fail_job(world, job, broken_promise(got, attempt.attempt_id))
        return
    former, again = task.fingerprint, task.made
    world.change_task(job, run, task, TaskState.FINISHED)
    task.made, task.fingerprint, task.digest = True, event.fingerprint, event.digest
    task.flight_address = executor.flight_address
    task.sizes = event.sizes
    task.rows_out = sum(event.sizes.rows)
    task.bytes_out = sum(event.sizes.bytes)
    task.bytes_read_local = event.bytes_read_local
    task.bytes_read_remote = event.bytes_read_remote
    task.elapsed_ms = event.elapsed_ms
    run.rows_out += task.rows_out
    run.bytes_out += task.bytes_out
    run.bytes_read_local += task.bytes_read_local
    run.bytes_read_remote += task.bytes_read_remote
    if not again:
        run.figures.add(event.figures)
    if event.operators:
        run.stage = replace(run.stage, operators=event.operators)
    run.ended_ms = world.now_ms
    run.finished += 1
    job.tasks_finished += 1
    if not run.consumers and len(run.tasks) == 1 and answers_with_rows(job):
        job.answer = event.rows
    if again:
        check_repeated(world, job, run, task, former)
    if job.stages.get(attempt.stage_id) is run and run.finished == len(run.tasks):
        finish_stage(world, job, run)


def on_task_failed(world: World, event: TaskFailed) -> None:
    """Has another attempt made, if that may help; else ends the job."""
    found = _end(world, event)
    if found is None:
        return
    _, attempt = found
    job = world.jobs[attempt.job_id]
    run = job.stages[attempt.stage_id]
    row = classify(event.failure, event.lost_attempt_id)
    if row.lost_output:
        lose_attempt(job, event.lost_attempt_id)
    retry_task(world, job, attempt, row, event.failure)
    if job.state.terminal and not run.tasks[attempt.task_number - 1].made:
        # The attempt that ends its job counts, as there is no other one of this task.
        run.figures.add(event.figures)
    make_again(world, job)


Report = TaskStarted | TaskFinished | TaskFailed


def _find(world: World, event: Report) -> tuple[Executor, Attempt] | None:
    executor = world.executors.get(event.executor_id)
    if executor is None:
        world.ignore("report of an unknown executor")
    elif executor.incarnation != event.incarnation:
        world.ignore("report of another life of an executor")
    else:
        attempt = executor.running.get(event.attempt_id)
        if attempt:
            return executor, attempt
        world.ignore("report of an attempt that does not run there")
    return None


def _end(world: World, event: Report) -> tuple[Executor, Attempt] | None:
    """Takes an attempt off its executor; returns it if its job still wants to hear of it."""
    found = _find(world, event)
    if found is None:
        return None
    executor, attempt = found
    free_slots(world, executor, attempt)
    if attempt.stopping:
        world.ignore("end of an attempt that was cancelled")
        return None
    del world.jobs[attempt.job_id].running[attempt.attempt_id]
    return found
