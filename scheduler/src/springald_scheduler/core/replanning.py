"""Stages that were planned anew when their inputs were measured, before they began."""

from dataclasses import replace

from springald_scheduler.core.actions import Persist
from springald_scheduler.core.dealing import note_decision
from springald_scheduler.core.endings import job_record
from springald_scheduler.core.events import StageReplanned
from springald_scheduler.core.graph import BroadcastOffer, Stage
from springald_scheduler.core.model import Job, StageRun
from springald_scheduler.core.offers import ask_for_plan
from springald_scheduler.core.stages import close_stage, start_stage
from springald_scheduler.core.states import StageState
from springald_scheduler.core.world import World


def on_stage_replanned(world: World, event: StageReplanned) -> None:
    """Puts a new stage in the place of two, or leaves them as they were."""
    job = world.jobs.get(event.job_id)
    offer = job.replans.pop(event.stage_id, None) if job else None
    if job is None or offer is None:
        world.ignore("plan of a stage that does not wait for one")
        return
    run = job.stages[event.stage_id]
    probe = job.stages[run.stage.inputs[offer.probe_input].stage_id]
    run.held = probe.held = False
    if event.stage and _takes_place(event.stage, run, probe):
        _merge(world, job, run, probe, event.stage)
    else:
        _withdraw(run, offer)
    for each in (run, probe):
        ask_for_plan(world, job, each)
        start_stage(world, job, each)


def _withdraw(run: StageRun, offer: BroadcastOffer) -> None:
    """Forgets an offer that led to nothing, so that it is not asked for again."""
    adaptive = run.stage.adaptive
    left = tuple(each for each in adaptive.broadcasts if each != offer)
    run.stage = replace(run.stage, adaptive=replace(adaptive, broadcasts=left))


def _takes_place(stage: Stage, run: StageRun, probe: StageRun) -> bool:
    """True if a stage reads all that two others read, but for each other."""
    known = {leaf.stage_id for each in (run, probe) for leaf in each.stage.inputs}
    known.discard(probe.stage.stage_id)
    read = {leaf.stage_id for leaf in stage.inputs}
    return stage.stage_id == run.stage.stage_id and read == known and stage.partition_count > 0


def _merge(world: World, job: Job, run: StageRun, probe: StageRun, stage: Stage) -> None:
    former = probe.stage
    for leaf in former.inputs:
        job.stages[leaf.stage_id].consumers.discard(former.stage_id)
    for earlier in (*former.after, *run.stage.after):
        job.stages[earlier].followers -= {former.stage_id, stage.stage_id}
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
    probe.skipped = True
    probe.inputs_missing.clear()
    close_stage(world, job, probe)
    sentence = f"stage {former.stage_id} is part of stage {stage.stage_id}, which broadcasts"
    note_decision(job, f"{sentence} its build side: {_measured(job, run)}")
    if job.graph:
        job.graph = replace(job.graph, stages=tuple(each.stage for each in job.stages.values()))
    world.do(Persist(world.cause, job_record(job)))
    for stage_id in sorted(probe.followers):
        follower = job.stages[stage_id]
        follower.inputs_missing.discard(former.stage_id)
        start_stage(world, job, follower)


def _measured(job: Job, run: StageRun) -> str:
    """Says how large what the stage reads whole turned out."""
    builds = [job.stages[leaf.stage_id] for leaf in run.stage.inputs if leaf.offset is None]
    return ", ".join(
        f"stage {each.stage.stage_id} has {each.rows_out} rows of {each.bytes_out} bytes"
        for each in builds
        if each.state is StageState.FINISHED
    )
