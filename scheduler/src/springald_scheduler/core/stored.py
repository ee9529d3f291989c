"""What records tell those who only read them: jobs as they were written down last.

Nothing is decided here, and nothing comes of it: a world is made to be looked at and thrown away.
"""

from collections.abc import Iterable

from springald_scheduler.core.endings import answers_with_rows
from springald_scheduler.core.events import ClusterFacts
from springald_scheduler.core.limits import CoreLimits
from springald_scheduler.core.model import Job, Session
from springald_scheduler.core.records import (
    ExecutorRecord,
    JobRecord,
    PlanRecord,
    Record,
    SessionRecord,
    StageRecord,
)
from springald_scheduler.core.restoring import take_up_job
from springald_scheduler.core.states import ExecutorState, JobState, StageState
from springald_scheduler.core.taking_up import add_stages
from springald_scheduler.core.views import ExecutorView
from springald_scheduler.core.world import World

_NOBODY = ClusterFacts(0, "", "", "", "")


def world_of(records: Iterable[Record], now_ms: int) -> World:
    """Returns a world with the sessions and jobs of some records; views can be made of it.

    Jobs of sessions that are not among the records are left out. A stage that has begun is told as
    if none of its tasks had, because that is not written down.
    """
    world = World(_NOBODY, CoreLimits())
    world.now_ms = now_ms
    jobs: list[JobRecord] = []
    plans: dict[str, PlanRecord] = {}
    stages: dict[str, dict[int, StageRecord]] = {}
    for record in records:
        match record:
            case SessionRecord():
                session = Session(record.session_id, record.opened_ms, now_ms)
                world.sessions[session.session_id] = session
            case JobRecord():
                jobs.append(record)
            case PlanRecord():
                plans[record.job_id] = record
            case StageRecord():
                stages.setdefault(record.job_id, {})[record.stage_id] = record
    for each in sorted(jobs, key=submission_order):
        if each.session_id in world.sessions:
            job = take_up_job(world, each)
            if each.job_id in plans:
                add_stages(world, job, plans[each.job_id], stages.get(each.job_id, {}))
    return world


def list_executors(records: Iterable[ExecutorRecord]) -> list[ExecutorView] | None:
    """Returns executors in the order of registration; None if too little of one is written down."""
    known = sorted(records, key=lambda each: (each.registered_ms, each.order))
    if not all(each.slots for each in known):
        return None
    return [
        ExecutorView(
            executor_id=each.executor_id,
            flight_address=each.flight_address,
            slots_total=each.slots,
            slots_free=0,
            state=(ExecutorState.DRAINING if each.draining else ExecutorState.ACTIVE).value,
            memory_bytes=each.memory_bytes,
            silent_ms=0,
            pid=each.pid,
            from_records=True,
        )
        for each in known
    ]


def submission_order(record: JobRecord) -> tuple[int, int, str]:
    """Sorts jobs by when they were submitted: by their numbers, within a moment."""
    return record.submitted_ms, len(record.job_id), record.job_id


def is_told_whole(job: Job) -> bool:
    """True if records have all that a client is told of how a job ended."""
    if job.state is not JobState.SUCCEEDED or job.answer is not None:
        return job.state.terminal
    if not answers_with_rows(job):
        return False  # What was measured is not written down.
    last = job.last_stage
    return last is not None and last.state is StageState.FINISHED
