"""A planned job made again from what was written down of its stages."""

from collections.abc import Mapping
from dataclasses import replace
from itertools import pairwise

from springald_scheduler.core.actions import Forget
from springald_scheduler.core.graph import AnswerKind, StageGraph
from springald_scheduler.core.model import Job, StageRun, Task
from springald_scheduler.core.records import (
    OutputLocation,
    PlanRecord,
    Skip,
    StageRecord,
    TaskSlice,
    stage_key,
)
from springald_scheduler.core.stages import add_stage, find_defect
from springald_scheduler.core.states import JobState, StageState, TaskState
from springald_scheduler.core.world import World
from springald_scheduler.core.writing import write_plan


def take_up_stages(
    world: World, job: Job, plan: PlanRecord, records: Mapping[int, StageRecord]
) -> None:
    """Gives a job its stages as they were written down; nothing is placed yet.

    A job of which something was lost or does not fit begins again: with its plan if that is whole,
    else by being planned anew. Attempts of before are not accepted then.
    """
    keeps = job.state is JobState.RUNNING or _keeps_result(job, plan)
    if keeps:
        add_stages(world, job, plan, records)


def add_stages(
    world: World, job: Job, plan: PlanRecord, records: Mapping[int, StageRecord]
) -> None:
    """Gives a job its stages, unless its plan is broken."""
    # Of the stages as they are now, one that another took in is read by none.
    if find_defect(plan.planned or plan.graph):
        return
    job.graph, job.planned = plan.graph, plan.planned or plan.graph
    job.restarts = plan.restarts
    for stage in plan.graph.stages:
        add_stage(job, stage)
    fits = all(_fits(job, stage_id, records) for stage_id in job.stages)
    if not fits and job.state is JobState.RUNNING:
        records = {}
        _begin_again(world, job, job.planned)
    for stage_id, record in sorted(records.items()):
        if stage_id in job.stages:
            _take_up_stage(world, job, job.stages[stage_id], record)
    for run in job.stages.values():
        awaited = {each.stage_id for each in run.stage.inputs}.union(run.stage.after)
        ended = {each for each in awaited if job.stages[each].state is StageState.FINISHED}
        run.inputs_missing = set() if run.skipped else awaited - ended
        # What executors know of it is of another life of the scheduler.
        run.version += world.attempt_floor
        for task in run.tasks:
            if task.state is TaskState.FINISHED:
                job.tasks_finished += 1
        job.tasks_total += len(run.tasks)
        job.stages_finished += run.state is StageState.FINISHED


def _begin_again(world: World, job: Job, planned: StageGraph) -> None:
    """Gives a job its stages as the planner made them: which took in others is not known."""
    job.graph = planned
    job.stages.clear()
    for stage in planned.stages:
        add_stage(job, stage, attempts=world.attempt_floor)
    world.do(Forget(world.cause, stage_key(job.job_id)))
    write_plan(world, job)


def _keeps_result(job: Job, plan: PlanRecord) -> bool:
    """True for a job whose result lies on executors."""
    rows = plan.graph.answer is AnswerKind.ROWS
    return job.state is JobState.SUCCEEDED and job.answer is None and rows


def has_lost_stages(job: Job, plan: PlanRecord | None) -> bool:
    """True if a job cannot go on, or its result not be told, for want of records.

    A result without rows has an output of its own, so one without outputs is no result.
    """
    if job.state is JobState.RUNNING:
        return not job.stages
    if job.state is not JobState.SUCCEEDED or job.answer is not None:
        return False
    if plan is None:
        return True
    last = job.last_stage
    return _keeps_result(job, plan) and (last is None or last.state is not StageState.FINISHED)


def find_attempt(world: World, attempt_id: str) -> tuple[Job, StageRun, Task, int] | None:
    """Returns the task that an attempt was launched for, if it still waits for one like it."""
    job_id, _, rest = attempt_id.partition("/s")
    stage, _, rest = rest.partition("/t")
    number, _, attempt = rest.partition("#")
    job = world.jobs.get(job_id)
    if job is None or job.state is not JobState.RUNNING:
        return None
    if not all(each.isdecimal() for each in (stage, number, attempt)):
        return None
    run = job.stages.get(int(stage))
    if run is None or run.state is not StageState.RUNNING:
        return None
    if not 1 <= int(number) <= len(run.tasks):
        return None
    task = run.tasks[int(number) - 1]
    wanted = task.state is TaskState.WAITING and int(attempt) > task.void
    return (job, run, task, int(attempt)) if wanted else None


def _fits(job: Job, stage_id: int, records: Mapping[int, StageRecord]) -> bool:
    """True if a stage's record agrees with the plan and with the records of what it reads."""
    record = records.get(stage_id)
    if record is None or record.skip is not Skip.NO:
        return True
    stage = job.stages[stage_id].stage
    if record.ended and len(record.outputs) != len(record.slices):
        return False
    sources = [records.get(each.stage_id) for each in stage.inputs]
    if not all(source and source.ended for source in sources):
        return False
    return _cover(record.slices, stage.partition_count)


def _cover(slices: tuple[TaskSlice, ...], partition_count: int) -> bool:
    """True if slices have each partition, in order."""
    first = [each.partitions for each in slices if not each.part or not each.part.outputs.start]
    if not first or first[0].start or first[-1].stop != partition_count:
        return False
    return all(one.stop == two.start for one, two in pairwise(first))


def _take_up_stage(world: World, job: Job, run: StageRun, record: StageRecord) -> None:
    run.tasks = [
        Task(number, each.partitions, each.slots, each.part, attempt=each.void, void=each.void)
        for number, each in enumerate(record.slices, start=1)
    ]
    if record.operators:
        run.stage = replace(run.stage, operators=record.operators)
    run.state = StageState.FINISHED if record.ended else StageState.RUNNING
    job.story.append((world.now_ms, f"{job.job_id}/s{run.stage.stage_id}", run.state))
    run.recorded = record.ended
    if record.skip is not Skip.NO:
        _skip(job, run, record.skip)
        return
    for task, output in zip(run.tasks, record.outputs, strict=False):
        _finish(job, run, task, output)
    run.locations = record.outputs


def _finish(job: Job, run: StageRun, task: Task, output: OutputLocation) -> None:
    task.state = TaskState.FINISHED
    task.attempt = int(output.attempt_id.rpartition("#")[2])
    task.executor_id, task.flight_address = output.executor_id, output.flight_address
    task.sizes, task.made = output.sizes, True
    task.fingerprint, task.digest = output.fingerprint, output.digest
    task.rows_out, task.bytes_out = sum(output.sizes.rows), sum(output.sizes.bytes)
    run.rows_out += task.rows_out
    run.bytes_out += task.bytes_out
    run.finished += 1
    job.holders[output.executor_id] = output.incarnation


def _skip(job: Job, run: StageRun, skip: Skip) -> None:
    run.skip = skip
    if skip is Skip.MERGED:
        # Whoever took it in reads for it.
        for leaf in run.stage.inputs:
            job.stages[leaf.stage_id].consumers.discard(run.stage.stage_id)
        for earlier in run.stage.after:
            job.stages[earlier].followers.discard(run.stage.stage_id)
