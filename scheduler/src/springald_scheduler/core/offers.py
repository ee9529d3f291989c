"""When a stage is worth planning anew: the tests are the planner's, the sizes are measured."""

from collections.abc import Iterable

from springald_scheduler.core.actions import ReplanStage
from springald_scheduler.core.graph import (
    BroadcastOffer,
    FilterOffer,
    MergeOffer,
    Offer,
    StageInput,
    SwapOffer,
)
from springald_scheduler.core.model import Job, StageRun
from springald_scheduler.core.states import StageState
from springald_scheduler.core.world import World

_SWAP_RATIO = 2
"""How many times as large as the other side a build side is at least to be exchanged for it."""


def ask_for_plan(world: World, job: Job, run: StageRun) -> None:
    """Has a stage, or one that reads it, planned anew if sizes that are known now say so.

    The stages that change wait for the answer.
    """
    for each in (run, *(job.stages[number] for number in sorted(run.consumers))):
        if each.state is not StageState.WAITING or each.held:
            continue
        for offer in each.stage.adaptive.offers:
            if _is_due(job, each, offer):
                job.replans[each.stage.stage_id] = offer
                for changed in changed_by(job, each, offer):
                    changed.held = True
                other = other_stage(job, each, offer).stage
                world.do(ReplanStage(world.cause, job.job_id, each.stage, other, offer))
                return


def other_stage(job: Job, run: StageRun, offer: Offer) -> StageRun:
    """Returns the stage that an offer is about, besides the one that has it."""
    match offer:
        case BroadcastOffer() | MergeOffer():
            return job.stages[run.stage.inputs[offer.taken_input].stage_id]
        case FilterOffer():
            return job.stages[offer.source_stage_id]
        case SwapOffer():
            return run


def changed_by(job: Job, run: StageRun, offer: Offer) -> tuple[StageRun, ...]:
    """Returns the stages that an offer changes."""
    if isinstance(offer, BroadcastOffer | MergeOffer):
        return (run, other_stage(job, run, offer))
    return (run,)


def _is_due(job: Job, run: StageRun, offer: Offer) -> bool:
    other = other_stage(job, run, offer)
    match offer:
        case BroadcastOffer():
            builds = _sources(job, run, offer.build_inputs)
            return (
                _may_be_taken(other)
                and _are_finished(builds)
                and sum(each.bytes_out for each in builds) <= offer.bytes_max
                and sum(each.rows_out for each in builds) <= offer.rows_max
            )
        case MergeOffer():
            awaited = [job.stages[each] for each in _awaited(other)]
            bytes_read = sum(job.stages[leaf.stage_id].bytes_out for leaf in other.stage.inputs)
            return _may_be_taken(other) and _are_finished(awaited) and bytes_read <= offer.bytes_max
        case FilterOffer():
            # A stage that was taken in by another one has its rows elsewhere.
            measured = other.state is StageState.FINISHED and not other.skipped
            small = other.rows_out <= offer.rows_max and other.bytes_out <= offer.bytes_max
            return measured and small and len(run.consumers) == 1
        case SwapOffer():
            builds, probes = (
                _sources(job, run, each) for each in (offer.build_inputs, offer.probe_inputs)
            )
            size = sum(each.bytes_out for each in builds)
            large = size >= offer.bytes_min
            return (
                large
                and _are_finished([*builds, *probes])
                and size >= _SWAP_RATIO * sum(each.bytes_out for each in probes)
            )


def _sources(job: Job, run: StageRun, numbers: Iterable[int]) -> list[StageRun]:
    leaves: list[StageInput] = [run.stage.inputs[each] for each in numbers]
    return [job.stages[leaf.stage_id] for leaf in leaves]


def _awaited(run: StageRun) -> set[int]:
    return {leaf.stage_id for leaf in run.stage.inputs}.union(run.stage.after)


def _may_be_taken(run: StageRun) -> bool:
    """True for a stage that has not begun and that one stage reads."""
    return run.state is StageState.WAITING and not run.held and len(run.consumers) == 1


def _are_finished(runs: Iterable[StageRun]) -> bool:
    return all(each.state is StageState.FINISHED for each in runs)
