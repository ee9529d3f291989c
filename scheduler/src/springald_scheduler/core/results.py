"""Results that are lost before their client has read them: made again on its word."""

from collections import deque

from springald_scheduler.core.actions import Persist, Refuse
from springald_scheduler.core.endings import answers_with_rows
from springald_scheduler.core.events import ResultLost
from springald_scheduler.core.failures import job_not_found
from springald_scheduler.core.jobs import find_job, set_unwatched_alarm
from springald_scheduler.core.model import Job
from springald_scheduler.core.queues import enqueue_stage
from springald_scheduler.core.recovery import lose_attempt, lose_outputs_of_absent, make_again
from springald_scheduler.core.states import JobState, StageState, TaskState
from springald_scheduler.core.world import World
from springald_scheduler.core.writing import job_record


def on_result_lost(world: World, event: ResultLost) -> None:
    """Makes parts of a result again; those that are others by now are left as they are."""
    job = find_job(world, event.session_id, event.name)
    if job is None or job.released:
        world.do(Refuse(world.cause, job_not_found(event.name)))
        return
    lost = [each for each in event.attempt_ids if _is_result(job, each) and lose_attempt(job, each)]
    if not lost:
        world.ignore("loss of a result that is not there")
    elif job.state is JobState.SUCCEEDED:
        world.change_job(job, JobState.RUNNING)
        job.ended_ms = 0
        job.unwatched_ms = world.now_ms
        if not job.watchers:
            set_unwatched_alarm(world, job)
        world.do(Persist(world.cause, job_record(job)))
        _go_on(world, job)
        # Nobody has looked yet if a scheduler took the job up that had not run it.
        lose_outputs_of_absent(world, job)
        make_again(world, job)


def _go_on(world: World, job: Job) -> None:
    """Has stages go on that ran again while the job ended, because readers did without them."""
    for run in job.stages.values():
        if run.state is StageState.RUNNING:
            run.waiting = deque(each for each in run.tasks if each.state is TaskState.WAITING)
            enqueue_stage(world, job, run)


def _is_result(job: Job, attempt_id: str) -> bool:
    """True for an attempt of the last stage, if clients fetch what that has made."""
    last = job.last_stage
    if last is None or job.answer is not None or not answers_with_rows(job):
        return False
    return attempt_id.startswith(f"{job.job_id}/s{last.stage.stage_id}/")
