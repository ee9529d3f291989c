"""Stages start when their inputs are finished; their tasks are fixed then."""

import heapq
from collections import Counter, deque
from collections.abc import Mapping
from types import MappingProxyType

from springald_scheduler.core.actions import SettleStage
from springald_scheduler.core.dealing import deal_tasks, is_sliced, note_decision, output_table
from springald_scheduler.core.endings import succeed_job
from springald_scheduler.core.graph import (
    FilterOffer,
    Stage,
    StageGraph,
    StageInput,
)
from springald_scheduler.core.model import Job, StageRun, Task
from springald_scheduler.core.news import strand_job
from springald_scheduler.core.offers import ask_for_plan
from springald_scheduler.core.outputs import OutputTable
from springald_scheduler.core.queues import enqueue_stage
from springald_scheduler.core.records import OutputLocation, Skip
from springald_scheduler.core.states import StageState
from springald_scheduler.core.world import World, attempt_name
from springald_scheduler.core.writing import write_stage

_PREFERRED_EXECUTORS_MAX = 4


def find_defect(graph: StageGraph) -> str:
    """Says what is wrong with a stage graph, or returns an empty string."""
    consumed: set[int] = set()
    for number, stage in enumerate(graph.stages, start=1):
        sources = {each.stage_id for each in stage.inputs}
        if stage.stage_id != number:
            return f"stages are numbered from 1: got {stage.stage_id} in place {number}"
        if not sources.union(stage.after) <= set(range(1, number)):
            return f"a stage reads earlier ones: stage {number} reads {sorted(sources)}"
        if not _sources_of_filters(stage) <= set(stage.after):
            return f"a stage waits for what filters it: stage {number} does not"
        if not _inputs_named(stage) <= set(range(len(stage.inputs))):
            return f"rules for measured inputs name inputs: those of stage {number} do not"
        if stage.partition_count < 1 or stage.output.partition_count < 1:
            return f"a stage has at least one partition on either side: stage {number} has not"
        consumed |= sources
    unread = set(range(1, len(graph.stages))) - consumed
    if not graph.stages or unread:
        return f"every stage but the last is read: got {sorted(unread) or 'no stages'}"
    return ""


def _inputs_named(stage: Stage) -> set[int]:
    """Returns which inputs are named by rules for when they are measured."""
    adaptive = stage.adaptive
    named = {*adaptive.emptied_by, *adaptive.split_inputs}
    for offer in adaptive.offers:
        named.update(offer.inputs)
    return named


def _sources_of_filters(stage: Stage) -> set[int]:
    offers = stage.adaptive.offers
    return {offer.source_stage_id for offer in offers if isinstance(offer, FilterOffer)}


def start_stages(
    world: World,
    job: Job,
    graph: StageGraph,
    before: Mapping[int, tuple[int, int]] = MappingProxyType({}),
) -> None:
    """Gives a planned job its stages, and starts those that wait for no other.

    Args:
        world: The world.
        job: The job.
        graph: Its stages.
        before: The version of each stage, and the attempts of its tasks, if it begins again.
    """
    for stage in graph.stages:
        add_stage(job, stage, *before.get(stage.stage_id, (0, 0)))
    for run in list(job.stages.values()):
        start_stage(world, job, run)


def add_stage(job: Job, stage: Stage, version: int = 0, attempts: int = 0) -> StageRun:
    """Gives a job a stage, after those that it reads or waits for; it waits for all of them."""
    sources = {each.stage_id for each in stage.inputs}
    run = job.stages[stage.stage_id] = StageRun(
        stage,
        inputs_missing=sources.union(stage.after),
        version=version + 1,
        attempts_before=attempts,
    )
    for source in sources:
        job.stages[source].consumers.add(stage.stage_id)
    for earlier in stage.after:
        job.stages[earlier].followers.add(stage.stage_id)
    return run


def start_stage(world: World, job: Job, run: StageRun) -> None:
    """Starts a stage, if nothing is missing."""
    if run.state is not StageState.WAITING or run.inputs_missing or run.held:
        return
    world.change_stage(job, run, StageState.READY)
    if world.pool.empty:
        world.unsliced[job.job_id] = job
        strand_job(world, job)
    else:
        _slice(world, job, run)


def slice_stages(world: World, job: Job) -> None:
    """Fixes the tasks of all ready stages of a job; there is an executor now."""
    del world.unsliced[job.job_id]
    for run in job.stages.values():
        if run.state is StageState.READY:
            _slice(world, job, run)


def finish_stage(world: World, job: Job, run: StageRun) -> None:
    """Opens a stage's output to its consumers; the last stage's output is the job's result."""
    run.locations = tuple(
        OutputLocation(
            attempt_name(job.job_id, run.stage.stage_id, task.number, task.attempt),
            task.executor_id,
            task.flight_address,
            task.sizes,
            task.fingerprint,
            task.digest,
            job.holders.get(task.executor_id, ""),
        )
        for task in run.tasks
    )
    close_stage(world, job, run)
    if not run.consumers:
        succeed_job(world, job)
    else:
        _open(world, job, run)


def skip_stage(world: World, job: Job, run: StageRun, reason: str) -> None:
    """Finishes a stage that has not begun without running it: its output has no rows.

    What only it would have read is not run either.
    """
    if run.state is not StageState.WAITING or run.held:
        return
    note_decision(job, f"stage {run.stage.stage_id} is not run: {reason}")
    run.skip = Skip.EMPTY
    run.inputs_missing.clear()
    close_stage(world, job, run)
    for stage_id in sorted({leaf.stage_id for leaf in run.stage.inputs}):
        source = job.stages[stage_id]
        if all(job.stages[each].skipped for each in source.consumers):
            skip_stage(world, job, source, "nothing reads it any more")
    _open(world, job, run)


def close_stage(world: World, job: Job, run: StageRun) -> None:
    """Notes that a stage is finished, with the outputs that it has."""
    world.change_stage(job, run, StageState.FINISHED)
    job.stages_finished += 1
    run.recorded = True
    write_stage(world, job, run)
    stage_id = run.stage.stage_id
    for executor_id in {each.executor_id: None for each in run.locations if run.consumers}:
        executor = world.executors.get(executor_id)
        if executor:
            life = (executor_id, executor.incarnation)
            world.do(SettleStage(world.cause, *life, job.job_id, stage_id))


def _open(world: World, job: Job, run: StageRun) -> None:
    """Tells the stages that wait for a finished one."""
    if not run.rows_out:
        _skip_emptied(world, job, run)
    for stage_id in sorted(run.consumers | run.followers):
        ask_for_plan(world, job, job.stages[stage_id])
    for stage_id in sorted(run.consumers | run.followers):
        dependent = job.stages[stage_id]
        dependent.inputs_missing.discard(run.stage.stage_id)
        start_stage(world, job, dependent)
        enqueue_stage(world, job, dependent)  # one that had begun before the stage ran again


def _skip_emptied(world: World, job: Job, run: StageRun) -> None:
    """Skips the consumers of a stage without rows that have none either, but for the result."""
    for stage_id in sorted(run.consumers):
        consumer = job.stages[stage_id]
        if consumer.consumers and any(
            consumer.stage.inputs[number].stage_id == run.stage.stage_id
            for number in consumer.stage.adaptive.emptied_by
        ):
            skip_stage(world, job, consumer, f"stage {run.stage.stage_id} has no rows")


def _slice(world: World, job: Job, run: StageRun) -> None:
    run.tasks = deal_tasks(world, job, run)
    for task in run.tasks:
        task.attempt = task.void = run.attempts_before
    run.waiting = deque(run.tasks)
    prefer_executors(job, run)
    world.change_stage(job, run, StageState.RUNNING)
    write_stage(world, job, run)
    job.tasks_total += len(run.tasks)
    enqueue_stage(world, job, run)


def prefer_executors(job: Job, run: StageRun) -> None:
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
            weights.update(_holdings(leaf, table, task))
        for executor_id in weights:
            weights[executor_id] += common[executor_id]
        task.preferred = tuple(executor_id for executor_id, _ in _heaviest(weights))


def _holdings(leaf: StageInput, table: OutputTable, task: Task) -> Counter[str]:
    partitions = leaf.partitions_of(task.partitions)
    if task.part and partitions:
        # Approximate for the inputs that are read whole, which weigh little.
        return table.holdings_of(partitions[0], task.part.outputs)
    return table.holdings(partitions)


def _heaviest(weights: Counter[str]) -> list[tuple[str, int]]:
    return heapq.nsmallest(
        _PREFERRED_EXECUTORS_MAX, weights.items(), key=lambda item: (-item[1], item[0])
    )
