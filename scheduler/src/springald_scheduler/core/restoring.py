"""Going on where an earlier process of the scheduler stopped.

First its executors come back and say what they run and keep; clients wait. Once all are there, or
some time is over, everything that was written down is taken up at one go, and attempts that still
run, or ended meanwhile, are adopted. What is missing then is made again like any lost output.
"""

from collections.abc import Iterable, Iterator

from springald_scheduler.core.actions import (
    CancelTask,
    Forget,
    Persist,
    PlanJob,
    RestoreSession,
    ServeClients,
)
from springald_scheduler.core.alarms import AlarmKind
from springald_scheduler.core.endings import fail_job, succeed_job
from springald_scheduler.core.events import ExecutorRegistered, SchedulerStarted
from springald_scheduler.core.failures import plan_lost, upload_lost
from springald_scheduler.core.files import occupy_slots, remove_files
from springald_scheduler.core.jobs import set_unwatched_alarm
from springald_scheduler.core.model import Attempt, Executor, Job, Session, StageRun, Task, Upload
from springald_scheduler.core.offers import ask_for_plan
from springald_scheduler.core.queues import enqueue_stage
from springald_scheduler.core.records import (
    CounterRecord,
    ExecutorRecord,
    JobRecord,
    PlanRecord,
    Record,
    SessionRecord,
    StageRecord,
    UploadRecord,
    executor_key,
)
from springald_scheduler.core.recovery import lose_outputs_of_absent, make_again
from springald_scheduler.core.sessions import set_session_alarm
from springald_scheduler.core.stages import prefer_executors, start_stage
from springald_scheduler.core.states import JobState, StageState, TaskState, UploadState
from springald_scheduler.core.taking_up import find_attempt, has_lost_stages, take_up_stages
from springald_scheduler.core.uploads import enter_uploads, recall_upload, take_upload
from springald_scheduler.core.world import Restoring, World

_ALARM = "all"


def remember(world: World, records: Iterable[Record]) -> None:
    """Takes the records of an earlier process, before the first event."""
    kept = tuple(records)
    expected = {r.executor_id: r.incarnation for r in kept if isinstance(r, ExecutorRecord)}
    world.restoring = Restoring(kept, expected)
    for record in kept:
        if isinstance(record, CounterRecord):
            world.counter = CounterRecord(record.jobs, record.lives + 1)
            world.jobs_made = record.jobs


def on_scheduler_started(world: World, _: SchedulerStarted) -> None:
    """Waits for executors, if there is something to be done with them."""
    restoring = world.restoring
    if restoring is None:
        world.do(ServeClients(world.cause))
        return
    if restoring.records:
        world.do(Persist(world.cause, world.counter))
    if restoring.expected and any(map(_needs_executors, restoring.records)):
        due_ms = world.now_ms + world.limits.restore_ms_max
        world.alarms.set(AlarmKind.RESTORE, _ALARM, due_ms)
    else:
        _take_up(world, restoring)


def on_restore_due(world: World, _: str) -> None:
    """Goes on without those executors that did not come back in time."""
    if world.restoring:
        _take_up(world, world.restoring)


def note_arrival(world: World, event: ExecutorRegistered) -> None:
    """Notes what an executor runs and keeps; with the last one that was expected all goes on."""
    restoring = world.restoring
    if restoring is None:
        return
    restoring.arrived[event.executor_id] = event
    restoring.expected.pop(event.executor_id, None)
    if not restoring.expected and world.alarms.subjects(AlarmKind.RESTORE):
        _take_up(world, restoring)


def note_departure(world: World, executor: Executor) -> None:
    """Forgets what an executor said that is gone again."""
    if world.restoring:
        world.restoring.arrived.pop(executor.executor_id, None)


def keep_wanted(world: World, executor: Executor, event: ExecutorRegistered) -> None:
    """Has an executor stop and remove what nobody wants of what it runs and keeps."""
    life = (executor.executor_id, executor.incarnation)
    for attempt_id in event.running_attempt_ids:
        if attempt_id not in executor.running:
            world.do(CancelTask(world.cause, *life, attempt_id))
    for job_id in event.job_ids:
        if job_id in executor.file_job_ids:
            continue
        job = world.jobs.get(job_id)
        if job and job.holders.get(executor.executor_id) == executor.incarnation:
            executor.file_job_ids[job_id] = None
        else:
            remove_files(world, executor, job_id)


def _needs_executors(record: Record) -> bool:
    if isinstance(record, JobRecord):
        return not record.state.terminal
    return isinstance(record, UploadRecord)


def _take_up(world: World, restoring: Restoring) -> None:
    world.restoring = None
    world.alarms.clear(AlarmKind.RESTORE, _ALARM)
    for executor_id in restoring.expected:
        world.do(Forget(world.cause, executor_key(executor_id)))
    _take_up_sessions(world, restoring.records)
    _take_up_uploads(world, restoring.records)
    jobs = _take_up_jobs(world, restoring.records)
    for executor_id, event in restoring.arrived.items():
        executor = world.executors[executor_id]
        _adopt(world, executor, event)
        keep_wanted(world, executor, event)
        for upload_id in event.upload_ids:
            if upload_id not in executor.upload_ids:
                recall_upload(world, executor, upload_id)
    for job in jobs:
        _go_on(world, job)
    world.do(ServeClients(world.cause))
    world.replay += restoring.reports


def _take_up_sessions(world: World, records: Iterable[Record]) -> None:
    for record in records:
        if isinstance(record, SessionRecord):
            session = Session(record.session_id, record.opened_ms, world.now_ms)
            session.catalog = record.catalog
            world.sessions[session.session_id] = session
            set_session_alarm(world, session)
            world.do(RestoreSession(world.cause, session.session_id, session.catalog))


def _take_up_uploads(world: World, records: Iterable[Record]) -> None:
    for record in records:
        if not isinstance(record, UploadRecord):
            continue
        if record.session_id not in world.sessions:
            world.do(Forget(world.cause, record.key))
            continue
        upload = Upload(
            record.upload_id,
            record.session_id,
            record.bytes_expected,
            state=record.state,
            executor_id=record.executor_id,
            incarnation=record.incarnation,
            location=record.location,
            doomed=record.doomed,
            table=record.table,
        )
        if upload.state is UploadState.STORED:
            # Its executor reports it again.
            upload.state, upload.location = UploadState.ASSIGNED, None
        take_upload(world, upload)


def _take_up_jobs(world: World, records: Iterable[Record]) -> list[Job]:
    kept = list(records)
    plans = {record.job_id: record for record in kept if isinstance(record, PlanRecord)}
    stages: dict[str, dict[int, StageRecord]] = {}
    for record in kept:
        if isinstance(record, StageRecord):
            stages.setdefault(record.job_id, {})[record.stage_id] = record
    jobs = [record for record in kept if isinstance(record, JobRecord)]
    known = {record.job_id for record in jobs if record.session_id in world.sessions}
    for job_id in {*plans, *stages, *(record.job_id for record in jobs)} - known:
        world.do(Forget(world.cause, ("job", job_id)))
    taken = []
    for record in sorted(jobs, key=lambda each: each.submitted_ms):
        if record.job_id in known:
            taken.append(take_up_job(world, record))
            plan = plans.get(record.job_id)
            if plan:
                take_up_stages(world, taken[-1], plan, stages.get(record.job_id, {}))
            if has_lost_stages(taken[-1], plan):
                _give_up(world, taken[-1])
    return taken


def _give_up(world: World, job: Job) -> None:
    if job.state is JobState.SUCCEEDED:
        # Its result cannot be told any more: an empty one would be a wrong one.
        world.change_job(job, JobState.RUNNING)
    fail_job(world, job, plan_lost(job.job_id))


def take_up_job(world: World, record: JobRecord) -> Job:
    """Makes a job of its record, still without stages."""
    job = Job(
        record.job_id,
        record.session_id,
        record.operation_id,
        record.statement,
        record.digest,
        record.submitted_ms,
        state=record.state,
        ended_ms=record.ended_ms,
        answer=record.answer,
        failure=record.failure,
        plan=record.plan,
        unwatched_ms=world.now_ms,
    )
    job.told = (job.state, "")
    job.story.append((world.now_ms, job.job_id, job.state))
    world.jobs[job.job_id] = job
    session = world.sessions[job.session_id]
    session.operations[job.operation_id] = job.job_id
    session.job_ids[job.job_id] = None
    number = job.job_id.removeprefix("j")
    world.jobs_made = max(world.jobs_made, int(number) if number.isdecimal() else 0)
    if not job.state.terminal:
        set_unwatched_alarm(world, job)
    return job


def _adopt(world: World, executor: Executor, event: ExecutorRegistered) -> None:
    """Takes on the attempts that an executor runs, or has finished and not told of."""
    for attempt_id in (*event.finished_attempt_ids, *event.running_attempt_ids):
        found = find_attempt(world, attempt_id)
        if found is None:
            continue
        job, run, task, number = found
        ended = attempt_id in event.finished_attempt_ids
        attempt = Attempt(
            attempt_id,
            job.job_id,
            run.stage.stage_id,
            task.number,
            executor.executor_id,
            slots=0 if ended else min(task.slots, executor.free),
            launched_ms=world.now_ms,
        )
        task.attempt, task.executor_id, task.launched_ms = number, executor.executor_id, 0
        run.started_ms = run.started_ms or world.now_ms
        world.change_task(job, run, task, TaskState.RUNNING)
        occupy_slots(world, executor, attempt)
        job.running[attempt_id] = attempt
        job.holders[executor.executor_id] = executor.incarnation


def _go_on(world: World, job: Job) -> None:
    """Plans a job that was not, or has its tasks placed that nobody runs."""
    if job.state is JobState.QUEUED:
        world.do(PlanJob(world.cause, job.job_id, job.session_id, job.statement, job.plan))
    if job.state is not JobState.RUNNING:
        return
    upload_ids = {each for run in job.stages.values() for each in run.stage.upload_ids}
    lost = enter_uploads(world, job, frozenset(upload_ids))
    if lost:
        fail_job(world, job, upload_lost(lost).at(node_id=job.job_id))
        return
    lose_outputs_of_absent(world, job)
    for run in job.stages.values():
        if run.state is StageState.RUNNING:
            run.waiting.extend(_waiting(run))
            prefer_executors(job, run)
            enqueue_stage(world, job, run)
    make_again(world, job)
    _begin_stages(world, job)
    last = job.last_stage
    if not job.state.terminal and last and last.state is StageState.FINISHED:
        # It was to make a part of its result again, which is there as it was written down.
        succeed_job(world, job)


def _begin_stages(world: World, job: Job) -> None:
    for begin in (ask_for_plan, start_stage):
        for run in list(job.stages.values()):
            if not job.state.terminal:
                begin(world, job, run)


def _waiting(run: StageRun) -> Iterator[Task]:
    return (task for task in run.tasks if task.state is TaskState.WAITING)
