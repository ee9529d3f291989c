"""Stages start when their inputs are finished; their tasks are fixed then."""

import heapq
from collections import Counter

from springald_scheduler.core.actions import Persist
from springald_scheduler.core.endings import succeed_job
from springald_scheduler.core.graph import StageGraph, StageInput
from springald_scheduler.core.model import Job, StageRun, Task
from springald_scheduler.core.news import strand_job
from springald_scheduler.core.outputs import OutputTable
from springald_scheduler.core.records import OutputLocation, StageRecord
from springald_scheduler.core.states import StageState
from springald_scheduler.core.world import World, attempt_name

_PREFERRED_EXECUTORS_MAX = 4


def find_defect(graph: StageGraph) -> str:
    """Says what is wrong with a stage graph, or returns an empty string."""
    consumed: set[int] = set()
    for number, stage in enumerate(graph.stages, start=1):
        sources = {each.stage_id for each in stage.inputs}
        if stage.stage_id != number:
            return f"stages are numbered from 1: got {stage.stage_id} in place {number}"
        if not sources <= set(range(1, number)):
            return f"a stage reads earlier ones: stage {number} reads {sorted(sources)}"
        if stage.partition_count < 1 or stage.output.partition_count < 1:
            return f"a stage has at least one partition on either side: stage {number} has not"
        consumed |= sources
    unread = set(range(1, len(graph.stages))) - consumed
    if not graph.stages or unread:
        return f"every stage but the last is read: got {sorted(unread) or 'no stages'}"
    return ""


def start_stages(world: World, job: Job, graph: StageGraph) -> None:
    """Gives a planned job its stages, and starts those that read no other."""
    for stage in graph.stages:
        sources = {each.stage_id for each in stage.inputs}
        job.stages[stage.stage_id] = StageRun(stage, inputs_missing=sources)
        for source in sources:
            job.stages[source].consumers.add(stage.stage_id)
    for run in job.stages.values():
        if not run.inputs_missing:
            _make_ready(world, job, run)


def slice_stages(world: World, job: Job) -> None:
    """Fixes the tasks of all ready stages of a job; there is an executor now."""
    del world.unsliced[job.job_id]
    for run in job.stages.values():
        if run.state is StageState.READY:
            _slice(world, job, run)


def finish_stage(world: World, job: Job, run: StageRun) -> None:
    """Opens a stage's output to its consumers; the last stage's output is the job's result."""
    world.change_stage(job, run, StageState.FINISHED)
    job.stages_finished += 1
    run.locations = tuple(
        OutputLocation(
            attempt_name(job.job_id, run.stage.stage_id, task.number, task.attempt),
            task.executor_id,
            world.executors[task.executor_id].flight_address,
            task.sizes,
        )
        for task in run.tasks
    )
    record = StageRecord(job.job_id, run.stage.stage_id, run.locations)
    world.do(Persist(world.cause, record))
    if not run.consumers:
        succeed_job(world, job)
    for stage_id in sorted(run.consumers):
        consumer = job.stages[stage_id]
        consumer.inputs_missing.discard(run.stage.stage_id)
        if not consumer.inputs_missing:
            _make_ready(world, job, consumer)


def _make_ready(world: World, job: Job, run: StageRun) -> None:
    world.change_stage(job, run, StageState.READY)
    if world.pool.empty:
        world.unsliced[job.job_id] = job
        strand_job(world, job)
    else:
        _slice(world, job, run)


def _slice(world: World, job: Job, run: StageRun) -> None:
    count = run.stage.partition_count
    if run.stage.sliceable:
        # Partitions of one task share a hash build, so a task is as large as fits every executor.
        size = min(world.pool.smallest, count)
        slots = size
    else:
        size, slots = count, min(world.pool.largest, count)
    starts = range(0, count, size)
    slices = [range(start, min(start + size, count)) for start in starts]
    run.tasks = [
        Task(number, partitions, min(slots, len(partitions)))
        for number, partitions in enumerate(slices, start=1)
    ]
    _prefer_executors(job, run)
    world.change_stage(job, run, StageState.RUNNING)
    job.tasks_total += len(run.tasks)
    job.ready[run.stage.stage_id] = run
    needed = min(run.tasks[0].slots, world.pool.largest)
    if job.job_id in world.queue:
        world.turns.change(job.job_id, min(needed, world.turns.slots(job.job_id)))
    else:
        world.queue[job.job_id] = job
        world.turns.give(job.job_id, needed)


def is_sliced(run: StageRun, leaf: StageInput) -> bool:
    """True if each task of a stage reads its own partitions of an input, not all of them."""
    return leaf.offset is not None and run.stage.sliceable


def output_table(run: StageRun) -> OutputTable:
    """Returns a finished stage's outputs by partition."""
    if run.table is None:
        run.table = OutputTable(run.locations, run.stage.output.partition_count)
    return run.table


def _prefer_executors(job: Job, run: StageRun) -> None:
    """Tells each task which executors hold most bytes of its inputs."""
    tables: list[tuple[StageInput, OutputTable]] = []
    common: Counter[str] = Counter()
    for leaf in run.stage.inputs:
        source = job.stages[leaf.stage_id]
        if is_sliced(run, leaf):
            tables.append((leaf, output_table(source)))
            continue
        for task in source.tasks:
            common[task.executor_id] += task.bytes_out
    # What all tasks read ranks alike for all of them.
    common_most = dict(_heaviest(common))
    for task in run.tasks if run.stage.inputs else ():
        weights: Counter[str] = Counter(dict.fromkeys(common_most, 0))
        for leaf, table in tables:
            weights.update(table.holdings(leaf.partitions_of(task.partitions)))
        for executor_id in weights:
            weights[executor_id] += common[executor_id]
        task.preferred = tuple(executor_id for executor_id, _ in _heaviest(weights))


def _heaviest(weights: Counter[str]) -> list[tuple[str, int]]:
    return heapq.nsmallest(
        _PREFERRED_EXECUTORS_MAX, weights.items(), key=lambda item: (-item[1], item[0])
    )
