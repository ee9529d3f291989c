"""What is always true between two events; a test checks all of it after each step."""

from collections import Counter
from collections.abc import Iterator

from springald_scheduler.core.alarms import AlarmKind
from springald_scheduler.core.endings import answers_with_rows
from springald_scheduler.core.model import Attempt, Executor, Job, StageRun, Task
from springald_scheduler.core.offers import changed_by
from springald_scheduler.core.retries import tries_max
from springald_scheduler.core.states import (
    ExecutorState,
    JobState,
    StageState,
    TaskState,
    UploadState,
    tell_story,
)
from springald_scheduler.core.world import World


class BrokenInvariantError(AssertionError):
    """Something that must always be true is not: a bug in the core."""


def check_invariants(world: World) -> None:
    """Checks everything; slow, for tests.

    Raises:
        BrokenInvariantError: With one line for each rule that is broken.
    """
    problems = list(_find_problems(world))
    if problems:
        raise BrokenInvariantError("\n".join(problems))


def _find_problems(world: World) -> Iterator[str]:
    for executor in world.executors.values():
        yield from _check_slots(world, executor)
    for job in world.jobs.values():
        for problem in (*_check_job(world, job), *_check_stages(world, job)):
            yield f"{job.job_id}: {problem}\n{tell_story(job.story)}"
    yield from _check_queues(world)
    yield from _check_sessions(world)
    yield from _check_uploads(world)
    yield from _check_alarms(world)
    yield from _check_idleness(world)
    if len(world.released_job_ids) > world.limits.jobs_remembered_max:
        yield "too many released jobs are remembered"
    if world.released_tasks != sum(world.jobs[key].tasks_total for key in world.released_job_ids):
        yield "the tasks of released jobs are miscounted"
    if world.touched:
        yield "news is left unpublished"


def _check_slots(world: World, executor: Executor) -> Iterator[str]:
    name = executor.executor_id
    taken = sum(attempt.slots for attempt in executor.running.values())
    if executor.free < 0 or executor.free + taken != executor.slots:
        yield f"{name}: {executor.free} free and {taken} taken of {executor.slots} slots"
    counts = Counter(attempt.job_id for attempt in executor.running.values())
    if dict(counts) != executor.attempts_of:
        yield f"{name}: counts {executor.attempts_of} attempts, runs {dict(counts)}"
    for attempt in executor.running.values():
        if attempt.executor_id != name:
            yield f"{name}: runs {attempt.attempt_id} of {attempt.executor_id}"
        if not attempt.stopping and not _is_current(world, attempt):
            yield f"{name}: runs {attempt.attempt_id}, which its job does not"
    waiting = executor.release_after.keys()
    if not waiting <= executor.attempts_of.keys():
        yield f"{name}: files wait for the end of attempts that do not run: {list(waiting)}"


def _is_current(world: World, attempt: Attempt) -> bool:
    job = world.jobs.get(attempt.job_id)
    if job is None or job.running.get(attempt.attempt_id) is not attempt:
        return False
    task = job.stages[attempt.stage_id].tasks[attempt.task_number - 1]
    return task.state is TaskState.RUNNING and task.executor_id == attempt.executor_id


def _check_job(world: World, job: Job) -> Iterator[str]:
    queued = any(job.job_id in room for room in (world.queue, world.unsliced, world.stranded))
    if job.state.terminal and (queued or job.running or job.upload_ids or job.resting):
        yield "has ended and is still busy"
    if job.state.terminal == (job.ended_ms < job.submitted_ms):
        yield "has an end exactly if it ended"
    if (job.failure is not None) != (job.state in {JobState.FAILED, JobState.CANCELLED}):
        yield "has a failure exactly if it failed or was cancelled"
    if job.state in {JobState.FAILED, JobState.CANCELLED} and job.holders:
        yield "has failed and keeps files"
    if job.state.terminal and not answers_with_rows(job) and job.holders:
        yield "answers without rows and keeps files"
    if job.released != (job.job_id in world.released_job_ids):
        yield "is released in one place and not in the other"
    if job.released and (not job.state.terminal or job.holders or job.answer is not None):
        yield "is released and keeps more than its description"
    if not job.released and job.session_id not in world.sessions:
        yield "belongs to no session"
    for attempt in job.running.values():
        executor = world.executors.get(attempt.executor_id)
        if executor is None or executor.running.get(attempt.attempt_id) is not attempt:
            yield f"runs {attempt.attempt_id}, which no executor does"
    busy = job.running or queued or job.replans or job.resting
    if job.state is JobState.RUNNING and not busy:
        yield "runs with nothing to run"


def _check_stages(world: World, job: Job) -> Iterator[str]:
    tasks = [task for run in job.stages.values() for task in run.tasks]
    finished = sum(task.state is TaskState.FINISHED for task in tasks)
    if (job.tasks_total, job.tasks_finished) != (len(tasks), finished):
        yield "has miscounted its tasks"
    held = {stage_id for stage_id, run in job.stages.items() if run.held}
    replans = ((job.stages[stage_id], offer) for stage_id, offer in job.replans.items())
    changing = {each.stage.stage_id for pair in replans for each in changed_by(job, *pair)}
    if not job.state.terminal and held != changing:
        yield "holds the stages that are planned anew"
    for stage_id, run in job.stages.items():
        yield from (f"s{stage_id}: {problem}" for problem in _check_stage(world, job, run))
    ready = {stage_id for stage_id, run in job.stages.items() if run.has_waiting_tasks}
    if job.ready.keys() != (set() if job.state.terminal else ready):
        yield f"has stages {list(job.ready)} ready, not {sorted(ready)}"


def _check_stage(world: World, job: Job, run: StageRun) -> Iterator[str]:
    awaited = {each.stage_id for each in run.stage.inputs}.union(run.stage.after)
    sources = (job.stages[each] for each in awaited if not run.skipped)
    missing = {each.stage.stage_id for each in sources if each.state is not StageState.FINISHED}
    if missing != run.inputs_missing or (missing and run.state is StageState.READY):
        yield f"misses inputs {sorted(missing)}, not {sorted(run.inputs_missing)}"
    if run.held and run.state is not StageState.WAITING and not job.state.terminal:
        yield "is planned anew and has begun"
    covered = [each for task in run.tasks if _is_first_part(task) for each in task.partitions]
    if run.tasks and covered != list(range(run.stage.partition_count)):
        yield f"runs partitions {covered} of {run.stage.partition_count}"
    states = [task.state for task in run.tasks]
    if run.finished != states.count(TaskState.FINISHED):
        yield "has miscounted its finished tasks"
    done = run.skipped or (bool(states) and run.finished == len(states))
    if (run.state is StageState.FINISHED) != done:
        yield "is finished exactly if all its tasks are"
    if not job.state.terminal:
        waiting = [task.number for task in run.tasks if task.state is TaskState.WAITING]
        resting = [task for each, task in job.resting.values() if each is run]
        if sorted(task.number for task in (*run.waiting, *resting)) != waiting:
            yield f"has tasks {waiting} waiting, and others in its queue"
        yield from (
            f"t{task.number}: {each}" for task in run.tasks for each in _check_task(world, task)
        )
        lost = any(task.lost for task in run.tasks)
        if lost and any(job.stages[e].state is not StageState.FINISHED for e in run.consumers):
            yield "has lost an output that is needed and not made again"


def _check_task(world: World, task: Task) -> Iterator[str]:
    if task.lost and task.state is not TaskState.FINISHED:
        yield "is lost and not finished"
    if not task.troubles:
        return
    for budget, spent in task.troubles.spent.items():
        if spent >= tries_max(world.limits, budget):
            yield f"has spent {spent} of its {budget.value}"


def _is_first_part(task: Task) -> bool:
    return task.part is None or task.part.outputs.start == 0


def _check_queues(world: World) -> Iterator[str]:
    running = {key: job for key, job in world.jobs.items() if job.state is JobState.RUNNING}
    if world.queue.keys() != {key for key, job in running.items() if job.ready}:
        yield f"the queue has {list(world.queue)}"
    for key, job in world.queue.items():
        heads = [run.waiting[0].slots for run in job.ready.values()]
        counted = world.turns.slots(key)
        if heads and counted != min(*heads, world.turns_largest or world.pool.largest):
            yield f"{key}: is counted to need {counted} slots, not {min(heads)}"
    unsliced = {
        key
        for key, job in running.items()
        if any(run.state is StageState.READY for run in job.stages.values())
    }
    if world.unsliced.keys() != unsliced:
        yield f"{list(world.unsliced)} wait to be sliced, not {sorted(unsliced)}"
    needy = unsliced | world.queue.keys() if world.pool.empty else set()
    if world.stranded.keys() != needy:
        yield f"{list(world.stranded)} are stranded, not {sorted(needy)}"
    reservation = world.pool.reservation
    if reservation:
        executor, (job_id, stage_id) = reservation
        if world.executors.get(executor.executor_id) is not executor:
            yield "an executor that is not there is reserved"
        if job_id not in world.queue or stage_id not in world.queue[job_id].ready:
            yield f"an executor is reserved for {job_id}, which does not need it"


def _check_sessions(world: World) -> Iterator[str]:
    for key, session in world.sessions.items():
        jobs = [job for job in world.jobs.values() if job.session_id == key and not job.released]
        if session.job_ids.keys() != {job.job_id for job in jobs}:
            yield f"session {key}: holds {list(session.job_ids)}"
        if session.watchers != sum(job.watchers for job in jobs):
            yield f"session {key}: has miscounted its watchers"
        if not set(session.operations.values()) <= world.jobs.keys():
            yield f"session {key}: names jobs that are forgotten"


def _check_uploads(world: World) -> Iterator[str]:
    for key, upload in world.uploads.items():
        session = world.sessions.get(upload.session_id)
        if session is None or key not in session.upload_ids:
            yield f"upload {key}: belongs to no session"
        if (upload.state is UploadState.WAITING) != (key in world.unplaced_uploads):
            yield f"upload {key}: waits in one place and not in the other"
        readers = {job.job_id for job in world.jobs.values() if key in job.upload_ids}
        if upload.readers != readers:
            yield f"upload {key}: read by {sorted(readers)}, not {sorted(upload.readers)}"
        for life in [*upload.left_at, *([upload.heir] if upload.heir else [])]:
            executor = world.executors.get(life[0])
            if executor is None or life[1] != executor.incarnation:
                yield f"upload {key}: lies, or is sent to, where nobody is"
            elif key not in executor.upload_ids:
                yield f"upload {key}: lies where nobody knows of it"
        if not all(jobs and jobs <= upload.readers for jobs in upload.left_at.values()):
            yield f"upload {key}: lies where nobody reads it"
        if upload.doomed and not readers:
            yield f"upload {key}: is kept for nobody"
    held = {key for session in world.sessions.values() for key in session.upload_ids}
    if held != world.uploads.keys():
        yield f"sessions hold uploads that are not there: {sorted(held - world.uploads.keys())}"


def _check_alarms(world: World) -> Iterator[str]:
    alive = {key for key, job in world.jobs.items() if not job.state.terminal}
    wanted = {
        AlarmKind.SESSION: set(world.sessions),
        AlarmKind.STRANDED: set(world.stranded),
        AlarmKind.UNWATCHED: {key for key in alive if not world.jobs[key].watchers},
        AlarmKind.UPLOAD: set(world.unplaced_uploads),
        AlarmKind.WRITE: {key for key in alive if key in world.unwritten},
        AlarmKind.RETRY: {name for job in world.jobs.values() for name in job.resting},
    }
    if world.limits.executor_silence_ms_max is not None:
        wanted[AlarmKind.EXECUTOR] = set(world.executors)
    for kind, subjects in wanted.items():
        if world.alarms.subjects(kind) != subjects:
            yield f"{kind.value} alarms are set for {sorted(world.alarms.subjects(kind))}"
    for key, job in world.unwritten.items():
        ended = any(e.state is StageState.FINISHED and e.consumers for e in job.stages.values())
        if job.state is not JobState.RUNNING or ended:
            yield f"{key}: is held back although it is {job.state.value}"
    if not world.alarms.subjects(AlarmKind.PROGRESS) <= alive:
        yield "progress of ended jobs is to be published"


def _check_idleness(world: World) -> Iterator[str]:
    active = [each for each in world.executors.values() if each.state is ExecutorState.ACTIVE]
    if world.pool.empty != (not active):
        yield "the pool is empty exactly if no executor takes tasks"
    if any(upload.state is UploadState.WAITING for upload in world.uploads.values()) and active:
        yield "an upload waits although there is an executor"
    if not active:
        return
    reserved = world.pool.reservation[0] if world.pool.reservation else None
    free = max((each.free for each in active if each is not reserved), default=0)
    for job in world.queue.values():
        for run in job.ready.values():
            if min(run.waiting[0].slots, world.pool.largest) <= free:
                yield f"{job.job_id}: waits although {free} slots are free together"
