"""Which task runs next, and where: jobs take turns, data draws tasks, then free slots do."""

from collections.abc import Container
from dataclasses import replace

from springald_scheduler.core.actions import DefineStage, LaunchTask
from springald_scheduler.core.dealing import is_sliced, output_table
from springald_scheduler.core.files import occupy_slots
from springald_scheduler.core.graph import Stage
from springald_scheduler.core.model import Attempt, Executor, Job, StageRun, Task
from springald_scheduler.core.queues import slots_needed
from springald_scheduler.core.records import UploadLocation
from springald_scheduler.core.sizes import WHOLE, InputSlice
from springald_scheduler.core.states import TaskState
from springald_scheduler.core.world import World, attempt_name


def place_tasks(world: World) -> None:
    """Launches tasks until no slot is free or no waiting task fits."""
    _place_reserved(world)
    if world.turns_largest != world.pool.largest:
        _recount(world)
    turns = world.turns
    while (executor := world.pool.roomiest()) and (first := turns.first()):
        if turns.slots(first) > executor.free:
            if world.pool.reservation is None:
                _place_one(world, world.queue[first])  # which reserves an executor for it
                continue
            fitting = turns.first(executor.free)
            if fitting is None:
                return
            first = fitting
        held = world.pool.reservation
        if not _place_one(world, world.queue[first]) and world.pool.reservation is held:
            return  # one that has just reserved the roomiest executor may leave others room


def _recount(world: World) -> None:
    """Counts the slots that jobs need once more: no task needs more than an executor has."""
    world.turns_largest = world.pool.largest
    for job in world.queue.values():
        world.turns.change(job.job_id, _slots_of_next(world, job))


def _slots_of_next(world: World, job: Job) -> int:
    return min(slots_needed(world, run.waiting[0]) for run in job.ready.values())


def _place_reserved(world: World) -> None:
    if world.pool.reservation is None:
        return
    executor, (job_id, stage_id) = world.pool.reservation
    job = world.jobs[job_id]
    run = job.ready[stage_id]
    task = run.waiting[0]
    slots = slots_needed(world, task)
    if executor.free >= slots:
        world.pool.clear_reservation()
        _launch(world, job, run, task, executor)
    elif executor.slots < slots:
        # A larger executor came since.
        world.pool.clear_reservation()


def _place_one(world: World, job: Job) -> bool:
    for run in job.ready.values():
        task = run.waiting[0]
        slots = slots_needed(world, task)
        executor = _choose(world, task, slots)
        if executor:
            if _is_reserved_for(world, job, run):
                world.pool.clear_reservation()
            _launch(world, job, run, task, executor)
            return True
        if world.pool.reservation is None:
            world.pool.reserve(slots, job.job_id, run.stage.stage_id)
    return False


def _choose(world: World, task: Task, slots: int) -> Executor | None:
    avoided = task.troubles.avoided if task.troubles else ()
    for executor_id in task.preferred:
        executor = world.executors.get(executor_id)
        if executor and executor_id not in avoided and world.pool.takes(executor, slots):
            return executor
    executor = world.pool.roomiest()
    if executor and executor.executor_id in avoided:
        executor = _roomiest_but(world, avoided, slots) or executor
    return executor if executor and executor.free >= slots else None


def _roomiest_but(world: World, avoided: Container[str], slots: int) -> Executor | None:
    """Returns the roomiest executor on which a task has not failed, if it has room."""
    others = (each for each in world.executors.values() if each.executor_id not in avoided)
    roomy = [each for each in others if world.pool.takes(each, slots)]
    return max(roomy, key=lambda each: (each.free, -each.order), default=None)


def _is_reserved_for(world: World, job: Job, run: StageRun) -> bool:
    reservation = world.pool.reservation
    return reservation is not None and reservation[1] == (job.job_id, run.stage.stage_id)


def _launch(world: World, job: Job, run: StageRun, task: Task, executor: Executor) -> None:
    stage_id = run.stage.stage_id
    task.attempt = max(task.attempt, world.attempt_floor) + 1
    task.executor_id = executor.executor_id
    task.launched_ms = world.now_ms
    run.started_ms = run.started_ms or world.now_ms
    attempt = Attempt(
        attempt_id=attempt_name(job.job_id, stage_id, task.number, task.attempt),
        job_id=job.job_id,
        stage_id=stage_id,
        task_number=task.number,
        executor_id=executor.executor_id,
        slots=slots_needed(world, task),
        launched_ms=world.now_ms,
    )
    world.change_task(job, run, task, TaskState.RUNNING)
    run.waiting.popleft()
    if not run.has_waiting_tasks:
        del job.ready[stage_id]
        if not job.ready:
            del world.queue[job.job_id]
    _take_turn(world, job, run, attempt.slots)
    occupy_slots(world, executor, attempt)
    job.running[attempt.attempt_id] = attempt
    job.holders[executor.executor_id] = executor.incarnation
    _define(world, job, run, executor)
    world.do(
        LaunchTask(
            world.cause,
            executor.executor_id,
            executor.incarnation,
            attempt_id=attempt.attempt_id,
            job_id=job.job_id,
            stage_id=stage_id,
            partitions=task.partitions,
            slots=attempt.slots,
            slices=_slices(job, run, task),
        )
    )


def _take_turn(world: World, job: Job, run: StageRun, slots: int) -> None:
    """Puts a job of which a task was launched behind the others."""
    if job.job_id not in world.queue:
        return
    # Tasks of a stage are alike but for the last one, so mostly nothing has to be counted.
    alike = run.has_waiting_tasks and slots_needed(world, run.waiting[0]) == slots
    slots = world.turns.slots(job.job_id) if alike else _slots_of_next(world, job)
    world.turns.give(job.job_id, slots)


def _slices(job: Job, run: StageRun, task: Task) -> tuple[InputSlice, ...]:
    """Returns what a task reads of its inputs; nothing if it reads what all others do."""
    slices: list[InputSlice] = []
    for number, leaf in enumerate(run.stage.inputs):
        if is_sliced(run, leaf):
            partitions = leaf.partitions_of(task.partitions)
            table = output_table(job.stages[leaf.stage_id])
            sizes = tuple(map(table.of_partition, partitions))
            if task.part and task.part.input_number == number:
                sizes = tuple(each.within(task.part.outputs) for each in sizes)
            slices.append(InputSlice(partitions, sizes))
        else:
            slices.append(WHOLE)
    return tuple(slices) if any(each is not WHOLE for each in slices) else ()


def _define(world: World, job: Job, run: StageRun, executor: Executor) -> None:
    if executor.order in run.defined_on:
        return
    run.defined_on.add(executor.order)
    uploads: list[UploadLocation] = []
    for upload_id in run.stage.upload_ids:
        location = world.uploads[upload_id].location
        if location:
            uploads.append(location)
    world.do(
        DefineStage(
            world.cause,
            executor.executor_id,
            executor.incarnation,
            job_id=job.job_id,
            stage=_told_stage(run),
            version=run.version,
            inputs=tuple(job.stages[leaf.stage_id].locations for leaf in run.stage.inputs),
            sliced=tuple(is_sliced(run, leaf) for leaf in run.stage.inputs),
            settings=job.graph.settings if job.graph else (),
            profile=job.graph.profile if job.graph else False,
            uploads=tuple(uploads),
        )
    )


def _told_stage(run: StageRun) -> Stage:
    """Returns a stage as tasks are told of it: rows go with the report of one that makes them all.

    Several may share the only partition of a result, and then each has a part of the rows.
    """
    if len(run.tasks) == 1 or not run.stage.inline_rows_bytes_max:
        return run.stage
    return replace(run.stage, inline_rows_bytes_max=0)
