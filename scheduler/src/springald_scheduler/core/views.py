"""What the core knows, read-only, as those see it who ask."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from springald_scheduler.core.failures import Failure
from springald_scheduler.core.figures import OperatorSums, Spread
from springald_scheduler.core.graph import AnswerKind, StageGraph
from springald_scheduler.core.jobs import find_job
from springald_scheduler.core.model import Job, StageRun, Task
from springald_scheduler.core.records import UploadLocation
from springald_scheduler.core.states import ExecutorState, JobState, TaskState, UploadState
from springald_scheduler.core.uploads import find_upload
from springald_scheduler.core.world import World, attempt_name


@dataclass(frozen=True, slots=True)
class Progress:
    """Tasks and stages of a job, counted."""

    tasks_total: int = 0
    tasks_running: int = 0
    tasks_finished: int = 0
    stages_total: int = 0
    stages_finished: int = 0


@dataclass(frozen=True, slots=True)
class ResultOutput:
    """The result partitions of one task, as far as they have rows: number, rows and bytes."""

    attempt_id: str
    executor_id: str
    flight_address: str
    partitions: tuple[tuple[int, int, int], ...]
    digest: int = 0


@dataclass(frozen=True, slots=True)
class JobView:
    """A job as it stands.

    Attributes:
        elapsed_ms: From its submission to its end or now.
        answer: Its rows as an Arrow IPC stream, if the scheduler made them itself, or they are few.
        outputs: Its rows on executors, in order; a result without rows has one output with an
            empty partition, which is where its schema can be read.
    """

    job_id: str
    session_id: str
    operation_id: str
    statement: str
    state: JobState
    progress: Progress
    waiting_reason: str
    submitted_ms: int
    elapsed_ms: int
    failure: Failure | None
    released: bool
    answer: bytes | None = None
    outputs: tuple[ResultOutput, ...] = ()
    answer_kind: AnswerKind = AnswerKind.ROWS


@dataclass(frozen=True, slots=True)
class OperatorView:
    """What a stage's tasks have measured of one operator; details in the order of names."""

    node_id: str
    tasks: int
    rows_out: int
    compute_ns: Spread
    total_ns: int
    spill_count: int
    spilled_bytes: int
    bytes_scanned: int
    details: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class StageView:
    """What a stage's tasks have measured so far, summed up.

    `task_ms` is how long finished tasks ran; None before the first.
    """

    stage_id: int
    tasks_total: int
    tasks_finished: int
    rows_out: int
    bytes_out: int
    bytes_read_local: int
    bytes_read_remote: int
    elapsed_ms: int
    bytes_shuffled: int
    task_ms: Spread | None = None
    operators: tuple[OperatorView, ...] = ()


@dataclass(frozen=True, slots=True)
class TaskView:
    """What became of a task; its attempt id has no number before the first attempt."""

    attempt_id: str
    stage_id: int
    executor_id: str
    partitions: range
    state: str
    rows_out: int
    bytes_out: int
    bytes_read_local: int
    bytes_read_remote: int
    elapsed_ms: int


@dataclass(frozen=True, slots=True)
class JobDetails:
    """All about a job."""

    job: JobView
    graph: StageGraph | None
    stages: tuple[StageView, ...]
    tasks: tuple[TaskView, ...]


@dataclass(frozen=True, slots=True)
class ExecutorView:
    """An executor as it stands.

    Attributes:
        from_records: True if it is told as it was written down, without what changes by the second:
            nobody knows how many slots are free then, and when it was heard.
    """

    executor_id: str
    flight_address: str
    slots_total: int
    slots_free: int
    state: str
    memory_bytes: int
    silent_ms: int
    pid: int
    from_records: bool = False


@dataclass(frozen=True, slots=True)
class UploadView:
    """An upload as it stands; it has a location from when it is stored."""

    state: UploadState
    location: UploadLocation | None


def view_job(world: World, session_id: str, name: str, now_ms: int) -> JobView | None:
    """Returns a job by operation id or job id, or None."""
    job = find_job(world, session_id, name)
    return _job_view(job, now_ms) if job else None


def list_jobs(world: World, session_id: str, jobs_max: int, now_ms: int) -> list[JobView]:
    """Returns the newest jobs of a session, or of all, without their results."""
    found: list[JobView] = []
    for job in reversed(world.jobs.values()):
        if len(found) == jobs_max:
            break
        if session_id in ("", job.session_id):
            found.append(_job_view(job, now_ms, with_result=False))
    return found


def describe_job(
    world: World, session_id: str, name: str, now_ms: int, *, with_tasks: bool = True
) -> JobDetails | None:
    """Returns all about a job, or None; without tasks, whatever their number it is short."""
    job = find_job(world, session_id, name)
    if job is None:
        return None
    runs = job.stages.values()
    return JobDetails(
        job=_job_view(job, now_ms, with_result=False),
        # As they ran: a task may have planned a stage, and told how.
        graph=job.graph and replace(job.graph, stages=tuple(run.stage for run in runs)),
        stages=tuple(_stage_view(run, now_ms) for run in runs),
        tasks=tuple(
            _task_view(job, run, task, now_ms) for run in runs if with_tasks for task in run.tasks
        ),
    )


def list_executors(world: World, now_ms: int) -> list[ExecutorView]:
    """Returns the executors in the order of registration."""
    return [
        ExecutorView(
            executor_id=executor.executor_id,
            flight_address=executor.flight_address,
            slots_total=executor.slots,
            slots_free=executor.free,
            state=executor.state.value,
            memory_bytes=executor.memory_bytes,
            silent_ms=max(now_ms - executor.heard_ms, 0),
            pid=executor.pid,
        )
        for executor in world.executors.values()
    ]


def executor_sizes(world: World) -> tuple[tuple[int, ...], int]:
    """Returns the slots of each executor that takes tasks, and the memory of all of them."""
    takers = [each for each in world.executors.values() if each.state is ExecutorState.ACTIVE]
    return tuple(each.slots for each in takers), sum(each.memory_bytes for each in takers)


def view_upload(world: World, session_id: str, upload_id: str) -> UploadView | None:
    """Returns a session's upload, or None."""
    upload = find_upload(world, session_id, upload_id)
    return UploadView(upload.state, upload.location) if upload else None


def _job_view(job: Job, now_ms: int, *, with_result: bool = True) -> JobView:
    end_ms = job.ended_ms if job.state.terminal else now_ms
    with_result = with_result and job.state is JobState.SUCCEEDED and not job.released
    return JobView(
        job_id=job.job_id,
        session_id=job.session_id,
        operation_id=job.operation_id,
        statement=job.statement,
        state=job.state,
        progress=Progress(
            tasks_total=job.tasks_total,
            tasks_running=len(job.running),
            tasks_finished=job.tasks_finished,
            stages_total=len(job.stages),
            stages_finished=job.stages_finished,
        ),
        waiting_reason=job.waiting_reason,
        submitted_ms=job.submitted_ms,
        elapsed_ms=max(end_ms - job.submitted_ms, 0),
        failure=job.failure,
        released=job.released,
        answer=job.answer if with_result else None,
        outputs=tuple(_result_outputs(job)) if with_result else (),
        answer_kind=job.graph.answer if job.graph else AnswerKind.ROWS,
    )


def _result_outputs(job: Job) -> Iterator[ResultOutput]:
    locations = job.last_stage.locations if job.last_stage else ()
    full = [each for each in locations if each.sizes]
    for location in full or locations[:1]:
        yield ResultOutput(
            attempt_id=location.attempt_id,
            executor_id=location.executor_id,
            flight_address=location.flight_address,
            partitions=tuple(location.sizes) or ((0, 0, 0),),
            digest=location.digest,
        )


def _stage_view(run: StageRun, now_ms: int) -> StageView:
    busy = any(task.state is TaskState.RUNNING for task in run.tasks)
    end_ms = now_ms if busy else max(run.ended_ms, run.started_ms)
    return StageView(
        stage_id=run.stage.stage_id,
        tasks_total=len(run.tasks),
        tasks_finished=run.finished,
        rows_out=run.rows_out,
        bytes_out=run.bytes_out,
        bytes_read_local=run.bytes_read_local,
        bytes_read_remote=run.bytes_read_remote,
        elapsed_ms=max(end_ms - run.started_ms, 0) if run.started_ms else 0,
        bytes_shuffled=run.bytes_out if run.consumers else 0,
        task_ms=Spread.of([t.elapsed_ms for t in run.tasks if t.state is TaskState.FINISHED]),
        operators=tuple(_operator_views(run)),
    )


def _operator_views(run: StageRun) -> Iterator[OperatorView]:
    for position, operator in enumerate(run.stage.operators):
        sums = run.figures.by_position.get(position)
        if sums is not None and (spread := Spread.of(sums.compute_ns)):
            yield _operator_view(operator.node_id, sums, spread)


def _operator_view(node_id: str, sums: OperatorSums, spread: Spread) -> OperatorView:
    return OperatorView(
        node_id=node_id,
        tasks=len(sums.compute_ns),
        rows_out=sums.rows_out,
        compute_ns=spread,
        total_ns=sum(sums.compute_ns),
        spill_count=sums.spill_count,
        spilled_bytes=sums.spilled_bytes,
        bytes_scanned=sums.bytes_scanned,
        details=tuple(sorted(sums.details.items())),
    )


def _task_view(job: Job, run: StageRun, task: Task, now_ms: int) -> TaskView:
    state, elapsed_ms = task.state, task.elapsed_ms
    if state is TaskState.RUNNING:
        elapsed_ms = max(now_ms - task.launched_ms, 0)
    elif state is TaskState.WAITING and job.state.terminal:
        state = TaskState.CANCELLED
    return TaskView(
        attempt_id=attempt_name(job.job_id, run.stage.stage_id, task.number, task.attempt),
        stage_id=run.stage.stage_id,
        # Where an earlier attempt was says nothing of the next one.
        executor_id="" if task.state is TaskState.WAITING else task.executor_id,
        partitions=task.partitions,
        state=state.value,
        rows_out=task.rows_out,
        bytes_out=task.bytes_out,
        bytes_read_local=task.bytes_read_local,
        bytes_read_remote=task.bytes_read_remote,
        elapsed_ms=elapsed_ms,
    )
