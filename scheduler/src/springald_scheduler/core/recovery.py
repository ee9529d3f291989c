"""Outputs that are lost, and what is run again for them.

There is one way from a loss to its consequences, however it was noticed: outputs are marked as
lost, then `make_again` runs the tasks of those that somebody still needs. What nobody needs stays
marked, should it be needed later.
"""

from collections.abc import Iterator

from springald_scheduler.core.actions import Forget
from springald_scheduler.core.dealing import note_decision
from springald_scheduler.core.endings import answers_with_rows, fail_job
from springald_scheduler.core.failures import executor_lost, too_many_restarts, upload_lost
from springald_scheduler.core.files import cancel_attempts, stop_attempt
from springald_scheduler.core.graph import Repeats
from springald_scheduler.core.model import Executor, Job, StageRun, Task, Troubles
from springald_scheduler.core.queues import (
    dequeue_stage,
    enqueue_stage,
    leave_queues,
    rescue_job,
)
from springald_scheduler.core.records import stage_key
from springald_scheduler.core.retries import charge_task, final_failure, tries_max
from springald_scheduler.core.sizes import NOTHING
from springald_scheduler.core.stages import start_stages
from springald_scheduler.core.states import JobState, StageState, TaskState
from springald_scheduler.core.taxonomy import Budget
from springald_scheduler.core.uploads import readable_location
from springald_scheduler.core.world import World
from springald_scheduler.core.writing import write_plan, write_stage


def lose_outputs_of(world: World, job: Job, executor: Executor) -> None:
    """Marks all outputs as lost that an executor held."""
    for _, task in outputs_of(job):
        if task.executor_id == executor.executor_id:
            task.lost = True
            world.touch(job)


def outputs_of(job: Job) -> Iterator[tuple[StageRun, Task]]:
    """Yields the finished tasks of a job whose outputs can be lost."""
    for run in job.stages.values():
        for task in run.tasks:
            if _can_be_lost(run, task):
                yield run, task


def lose_outputs_of_absent(world: World, job: Job) -> None:
    """Marks all outputs as lost that lie on executors which are not there, or in other lives."""
    for _, task in outputs_of(job):
        there = world.executors.get(task.executor_id)
        if there is None or there.incarnation != job.holders.get(task.executor_id):
            task.lost = True


def lose_attempt(job: Job, attempt_id: str) -> bool:
    """Marks the output of an attempt as lost; returns False if it is not the accepted one."""
    found = _find_output(job, attempt_id)
    if found is None:
        return False
    _, task = found
    # Somebody has missed it, also if it has no rows: a file without any is read, too.
    if not task.lost:
        task.lost = True
        task.troubles = task.troubles or Troubles()
        task.troubles.avoided.add(task.executor_id)
    return task.lost


def make_again(world: World, job: Job) -> None:
    """Runs the tasks again whose outputs are lost and needed, and what these need in turn."""
    if job.state is not JobState.RUNNING:
        return
    for stage_id in sorted(job.stages, reverse=True):
        run = job.stages[stage_id]
        lost = [task for task in run.tasks if task.lost]
        if not lost or not _is_needed(job, run):
            continue
        for task in lost:
            if charge_task(task, Budget.OUTPUTS) >= tries_max(world.limits, Budget.OUTPUTS):
                how = executor_lost(task.executor_id, "its outputs were lost", "held what is read")
                fail_job(world, job, final_failure(job, run, task, Budget.OUTPUTS, how))
                return
        _reopen(world, job, run, lost)
        if run.stage.repeats is Repeats.NEVER:
            take_back_readers(world, job, run)
            make_again(world, job)  # who begins again may need what nobody needed until now
            return
    check_uploads(world, job)


def check_repeated(world: World, job: Job, run: StageRun, task: Task, former: int) -> None:
    """Looks if an output that was made again is what it was; if not, its readers begin again.

    Args:
        world: The world.
        job: The job.
        run: The stage.
        task: The task, finished again.
        former: The fingerprint of its output before; 0 if it has none, or none is known.
    """
    known = bool(former and task.fingerprint)
    same = former == task.fingerprint if known else run.stage.repeats is Repeats.ALWAYS
    if not same:
        take_back_readers(world, job, run)
        make_again(world, job)


def take_back_readers(world: World, job: Job, run: StageRun) -> None:
    """Has all begin again that may have read outputs of a stage that are others now.

    Each of its tasks is run on its own, so any set of their outputs is an answer, as long as all
    who read the stage, at whatever remove, have read the same set.
    """
    readers = [job.stages[each] for each in sorted(_readers(job, run))]
    if any(reader.skipped for reader in readers):
        # What was left out because there were no rows may have some now.
        restart_job(world, job)
        return
    for reader in readers:
        if reader.recorded:
            reader.recorded = False
            world.do(Forget(world.cause, stage_key(job.job_id, reader.stage.stage_id)))
    begun = [each for each in readers if any(t.state in _BEGUN for t in each.tasks)]
    # Executors may still have reports of attempts that were given up, in this life of the scheduler
    # or in an earlier one, and another life would take them up.
    for reader in readers:
        if any(_last_attempt(world, t) > t.void for t in reader.tasks):
            _take_back(world, job, reader)
    if begun:
        names = ", ".join(str(each.stage.stage_id) for each in begun)
        stage_id = run.stage.stage_id
        note_decision(
            job, f"stages {names} begin again: stage {stage_id} was made again, otherwise"
        )


def restart_job(world: World, job: Job) -> None:
    """Begins a planned job again as a whole."""
    if job.planned is None or job.restarts >= world.limits.job_restarts_max:
        fail_job(world, job, too_many_restarts(job.job_id, job.restarts + 1))
        return
    job.restarts += 1
    cancel_attempts(world, job)
    leave_queues(world, job)
    before = {
        stage_id: (run.version, max((t.attempt for t in run.tasks), default=run.attempts_before))
        for stage_id, run in job.stages.items()
    }
    world.do(Forget(world.cause, stage_key(job.job_id)))
    job.stages.clear()
    job.tasks_total = job.tasks_finished = job.stages_finished = 0
    job.graph = job.planned
    write_plan(world, job)
    start_stages(world, job, job.planned, before)
    note_decision(job, "all stages begin again: rows were lost that cannot be made again in part")


_BEGUN = frozenset({TaskState.RUNNING, TaskState.FINISHED})


def _find_output(job: Job, attempt_id: str) -> tuple[StageRun, Task] | None:
    """Returns the task whose accepted output an attempt made."""
    job_id, _, rest = attempt_id.partition("/s")
    stage, _, rest = rest.partition("/t")
    number, _, attempt = rest.partition("#")
    if job_id != job.job_id or not (stage.isdecimal() and number.isdecimal()):
        return None
    run = job.stages.get(int(stage))
    if run is None or not 1 <= int(number) <= len(run.tasks):
        return None
    task = run.tasks[int(number) - 1]
    current = task.state is TaskState.FINISHED and str(task.attempt) == attempt
    return (run, task) if current else None


def _can_be_lost(run: StageRun, task: Task) -> bool:
    # Nobody misses rows that are not there, except that a result's schema lies with them.
    has_something = task.rows_out or not run.consumers
    return task.state is TaskState.FINISHED and bool(has_something)


def _is_needed(job: Job, run: StageRun) -> bool:
    if not run.consumers:
        return answers_with_rows(job)
    readers = (job.stages[each] for each in run.consumers)
    return any(each.state is not StageState.FINISHED for each in readers)


def _readers(job: Job, run: StageRun) -> set[int]:
    """Returns the stages that read a stage, directly or not."""
    found: set[int] = set()
    pending = list(run.consumers)
    while pending:
        stage_id = pending.pop()
        if stage_id not in found:
            found.add(stage_id)
            pending.extend(job.stages[stage_id].consumers)
    return found


def _take_back(world: World, job: Job, run: StageRun) -> None:
    """Has all tasks of a stage begin again that have begun."""
    for task in run.tasks:
        if task.state is TaskState.RUNNING:
            stop_attempt(world, job, run, task)
            run.waiting.append(task)
    done = [task for task in run.tasks if task.state is TaskState.FINISHED]
    _reopen(world, job, run, done)
    for task in run.tasks:
        task.void = _last_attempt(world, task)
    write_stage(world, job, run)


def _last_attempt(world: World, task: Task) -> int:
    """Returns the highest number that an attempt of a task may have had until now."""
    return max(task.attempt, world.attempt_floor)


def _reopen(world: World, job: Job, run: StageRun, tasks: list[Task]) -> None:
    """Has finished tasks run again."""
    for task in tasks:
        world.change_task(job, run, task, TaskState.WAITING)
        task.lost = False
        run.finished -= 1
        job.tasks_finished -= 1
        run.rows_out -= task.rows_out
        run.bytes_out -= task.bytes_out
        run.bytes_read_local -= task.bytes_read_local
        run.bytes_read_remote -= task.bytes_read_remote
        task.rows_out = task.bytes_out = task.bytes_read_local = task.bytes_read_remote = 0
        task.sizes = NOTHING
        # A lost input is better not looked for where it was.
        task.preferred = ()
        run.waiting.append(task)
    if run.state is StageState.FINISHED:
        world.change_stage(job, run, StageState.RUNNING)
        job.stages_finished -= 1
        run.locations = ()
        run.table = None
        _hold_dependents(world, job, run)
    enqueue_stage(world, job, run)


def _hold_dependents(world: World, job: Job, run: StageRun) -> None:
    """Has those wait who read a stage that runs again."""
    for stage_id in run.consumers | run.followers:
        dependent = job.stages[stage_id]
        if dependent.skipped:
            continue
        dependent.inputs_missing.add(run.stage.stage_id)
        dequeue_stage(world, job, dependent)
        if dependent.state is StageState.READY:
            world.change_stage(job, dependent, StageState.WAITING)
            if not any(each.state is StageState.READY for each in job.stages.values()):
                world.unsliced.pop(job.job_id, None)
                rescue_job(world, job)
    for stage_id in run.consumers:
        job.stages[stage_id].version += 1
        job.stages[stage_id].defined_on.clear()


def check_uploads(world: World, job: Job) -> None:
    """Ends a job that still has to read an upload that nobody has any more."""
    for upload_id in _uploads_needed(job) if job.state is JobState.RUNNING else ():
        upload = world.uploads.get(upload_id)
        if upload is None or readable_location(world, upload) is None:
            fail_job(world, job, upload_lost(upload_id).at(node_id=job.job_id))
            return


def _uploads_needed(job: Job) -> Iterator[str]:
    for run in job.stages.values():
        if run.state is not StageState.FINISHED:
            yield from run.stage.upload_ids
