"""When a stage is worth planning anew: the tests are the planner's, the sizes are measured."""

from springald_scheduler.core.actions import ReplanStage
from springald_scheduler.core.graph import BroadcastOffer
from springald_scheduler.core.model import Job, StageRun
from springald_scheduler.core.states import StageState
from springald_scheduler.core.world import World


def ask_for_plan(world: World, job: Job, run: StageRun) -> None:
    """Has a stage planned anew if one of its joins can do without an exchange now.

    The stage, and the one that it would take in, wait for the answer.
    """
    if run.state is not StageState.WAITING or run.held:
        return
    for offer in run.stage.adaptive.broadcasts:
        probe = job.stages[run.stage.inputs[offer.probe_input].stage_id]
        if _is_due(job, run, probe, offer):
            job.replans[run.stage.stage_id] = offer
            run.held = probe.held = True
            world.do(ReplanStage(world.cause, job.job_id, run.stage, probe.stage, offer))
            return


def _is_due(job: Job, run: StageRun, probe: StageRun, offer: BroadcastOffer) -> bool:
    if probe.state is not StageState.WAITING or probe.held or len(probe.consumers) > 1:
        return False
    builds = [job.stages[run.stage.inputs[each].stage_id] for each in offer.build_inputs]
    return (
        all(each.state is StageState.FINISHED for each in builds)
        and sum(each.bytes_out for each in builds) <= offer.bytes_max
        and sum(each.rows_out for each in builds) <= offer.rows_max
    )
