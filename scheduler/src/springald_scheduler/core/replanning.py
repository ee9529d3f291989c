"""Stages that were planned anew when their inputs were measured, before they began."""

from dataclasses import replace

from springald_scheduler.core.dealing import note_decision
from springald_scheduler.core.events import StageReplanned
from springald_scheduler.core.graph import (
    BroadcastOffer,
    FilterOffer,
    MergeOffer,
    Offer,
    Stage,
    SwapOffer,
    weakest,
)
from springald_scheduler.core.model import Job, StageRun
from springald_scheduler.core.offers import ask_for_plan, changed_by, other_stage
from springald_scheduler.core.records import Skip
from springald_scheduler.core.stages import close_stage, start_stage
from springald_scheduler.core.states import StageState
from springald_scheduler.core.world import World
from springald_scheduler.core.writing import write_plan


def on_stage_replanned(world: World, event: StageReplanned) -> None:
    """Puts a new stage in the place of one or two, or leaves them as they were."""
    job = world.jobs.get(event.job_id)
    offer = job.replans.pop(event.stage_id, None) if job else None
    if job is None or offer is None:
        world.ignore("plan of a stage that does not wait for one")
        return
    run = job.stages[event.stage_id]
    other = other_stage(job, run, offer)
    changed = changed_by(job, run, offer)
    for each in changed:
        each.held = False
    if event.stage and _takes_place(event.stage, run, other, offer):
        sentence = _sentence(job, run, other, offer)
        if other in changed and other is not run:
            _take_in(world, job, run, other, event.stage)
        else:
            _replace(job, run, event.stage)
        _withdraw(run, offer)
        _note(world, job, sentence)
        for stage_id in sorted(other.followers) if other.skipped else ():
            follower = job.stages[stage_id]
            follower.inputs_missing.discard(other.stage.stage_id)
            start_stage(world, job, follower)
    else:
        _withdraw(run, offer)
    for each in changed:
        ask_for_plan(world, job, each)
        start_stage(world, job, each)


def _withdraw(run: StageRun, offer: Offer) -> None:
    """Forgets an offer that was asked for, whatever came of it."""
    adaptive = run.stage.adaptive
    left = tuple(each for each in adaptive.offers if each != offer)
    run.stage = replace(run.stage, adaptive=replace(adaptive, offers=left))


def _takes_place(stage: Stage, run: StageRun, other: StageRun, offer: Offer) -> bool:
    """True if a stage reads all that it is to read, and nothing else."""
    known = {leaf.stage_id for leaf in run.stage.inputs}
    match offer:
        case BroadcastOffer() | MergeOffer():
            known |= {leaf.stage_id for leaf in other.stage.inputs}
            known.discard(other.stage.stage_id)
        case FilterOffer():
            known.add(other.stage.stage_id)
        case SwapOffer():
            pass
    read = {leaf.stage_id for leaf in stage.inputs}
    return stage.stage_id == run.stage.stage_id and read == known and stage.partition_count > 0


def _sentence(job: Job, run: StageRun, other: StageRun, offer: Offer) -> str:
    """Says what was done and which sizes said so."""
    here, there = f"stage {run.stage.stage_id}", f"stage {other.stage.stage_id}"
    match offer:
        case BroadcastOffer():
            read = [run.stage.inputs[number].stage_id for number in offer.build_inputs]
            measured = ", ".join(_size(job.stages[each]) for each in read)
            return f"{there} is part of {here}, which broadcasts its build side: {measured}"
        case MergeOffer():
            size = sum(job.stages[leaf.stage_id].bytes_out for leaf in other.stage.inputs)
            return f"{there} is part of {here}: it reads {size} bytes"
        case FilterOffer():
            return f"{here} is filtered by the keys of {there}: {_size(other)}"
        case SwapOffer():
            sides = (offer.build_inputs, offer.probe_inputs)
            builds, probes = (
                sum(job.stages[run.stage.inputs[each].stage_id].bytes_out for each in side)
                for side in sides
            )
            return f"{here} swaps the sides of a join: {builds} bytes against {probes}"


def _size(run: StageRun) -> str:
    return f"stage {run.stage.stage_id} has {run.rows_out} rows of {run.bytes_out} bytes"


def _note(world: World, job: Job, sentence: str) -> None:
    note_decision(job, sentence)
    if job.graph:
        job.graph = replace(job.graph, stages=tuple(each.stage for each in job.stages.values()))
    write_plan(world, job)


def _replace(job: Job, run: StageRun, stage: Stage) -> None:
    """Gives a stage another plan, which may read more stages than the former one."""
    run.stage = stage
    sources = {leaf.stage_id for leaf in stage.inputs}
    for source in sources:
        job.stages[source].consumers.add(stage.stage_id)
    for earlier in stage.after:
        job.stages[earlier].followers.add(stage.stage_id)
    run.inputs_missing = {
        each
        for each in sources.union(stage.after)
        if job.stages[each].state is not StageState.FINISHED
    }


def _take_in(world: World, job: Job, run: StageRun, taken: StageRun, stage: Stage) -> None:
    former = taken.stage
    for leaf in former.inputs:
        job.stages[leaf.stage_id].consumers.discard(former.stage_id)
    for earlier in (*former.after, *run.stage.after):
        job.stages[earlier].followers -= {former.stage_id, stage.stage_id}
    _replace(job, run, replace(stage, repeats=weakest(run.stage.repeats, former.repeats)))
    taken.skip = Skip.MERGED
    taken.inputs_missing.clear()
    close_stage(world, job, taken)
