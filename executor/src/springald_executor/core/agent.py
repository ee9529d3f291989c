"""The agent's state machine: what an executor does about what it is told."""

from collections import deque
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final

from springald_executor.core import events as ev
from springald_executor.core import failures
from springald_executor.core.actions import (
    Action,
    Ignore,
    Leave,
    RemoveFolder,
    RunTask,
    StartEngine,
    StopEngine,
    TellDrainRequested,
    TellTaskFailed,
    TellTaskFinished,
    TellTaskStarted,
)
from springald_executor.core.failures import Failure
from springald_executor.core.inputs import CannotRunError, resolve_inputs, resolve_uploads
from springald_executor.core.limits import ENGINE_RESTARTS_FAILED_MAX, ENGINE_STARTS_FAILED_MAX
from springald_executor.core.model import StageDefinition, StoredFile, TaskRequest
from springald_executor.core.records import Engine, Profile, Task
from springald_executor.core.reports import Holdings, Report, Reports, holdings_of
from springald_executor.core.shelf import Shelf
from springald_executor.core.states import EngineState, TaskState, check_engine, check_task
from springald_executor.core.uploads import Uploads

_STORY_EVENTS: Final = 50
_STORY_KEYS: Final = ("engine_id", "job_id", "task_id", "upload_id")


class Agent:
    """Slots, stages, attempts, engines and files of one executor."""

    def __init__(self, profile: Profile) -> None:
        """Starts with nothing; `begin` asks for the first engines."""
        self.profile = profile
        self.shelf = Shelf(profile.shuffle_memory_bytes)
        self.stages: dict[tuple[str, int], StageDefinition] = {}
        self.tasks: dict[str, Task] = {}
        self.engines: dict[int, Engine] = {}
        self.released_jobs: set[str] = set()
        self.reports = Reports()
        self._uploads = Uploads(self.shelf, self._do, self._leave_if_done)
        self.draining = False
        self._drain_reason = "it was ordered to"
        self.left = False
        self.cluster = ""
        self._allowed_paths: tuple[str, ...] = ()
        self._engines_started = 0
        self._starts_failed = 0
        self._starts_failed_max = ENGINE_STARTS_FAILED_MAX
        self._cause: ev.Event = ev.Event()
        self._actions: list[Action] = []
        self._story: deque[str] = deque(maxlen=_STORY_EVENTS)
        self._handlers: dict[type[ev.Event], Callable[[Any], None]] = {
            ev.Registered: self._on_registered,
            ev.SchedulerLost: self._on_scheduler_lost,
            ev.StageDefined: self._on_stage_defined,
            ev.TaskLaunched: self._on_launched,
            ev.TaskCancelled: self._on_cancelled,
            ev.JobReleased: self._on_job_released,
            ev.StageSettled: self._on_stage_settled,
            ev.DrainOrdered: self._on_drain_ordered,
            ev.DrainWanted: self._on_drain_wanted,
            ev.EngineReady: self._on_engine_ready,
            ev.TaskRan: self._on_task_ran,
            ev.TaskBroke: self._on_task_broke,
            ev.EngineOutgrew: self._on_engine_outgrew,
            ev.EngineDied: self._on_engine_died,
            ev.UploadBegan: self._uploads.on_began,
            ev.UploadArrived: self._uploads.on_arrived,
            ev.UploadBroke: self._uploads.on_broke,
            ev.UploadReleased: self._uploads.on_released,
            ev.HandOverOrdered: self._uploads.on_hand_over_ordered,
            ev.HandOverEnded: self._uploads.on_hand_over_ended,
        }

    def begin(self) -> list[Action]:
        """Asks for the engines that are kept ready."""
        self._keep_engines()
        return self._take_actions()

    def handle(self, event: ev.Event, now_ms: int) -> list[Action]:
        """Takes in an event and returns what is to be done, in order."""
        self._cause = event
        self._story.append(_told(event, now_ms))
        self._handlers[type(event)](event)
        return self._take_actions()

    def find_output(self, job_id: str, task_id: str) -> StoredFile | None:
        """Returns what an attempt made, if it lies here."""
        shelf = self.shelf.jobs.get(job_id)
        return shelf.outputs.get(task_id) if shelf else None

    def find_upload(self, upload_id: str) -> StoredFile | None:
        """Returns an upload that is complete."""
        return self.shelf.find_upload(upload_id)

    def running_task_ids(self) -> list[str]:
        """Returns the attempts that the scheduler may still hear of."""
        return [task_id for task_id, task in self.tasks.items() if task.owed]

    def holdings(self) -> Holdings:
        """Returns what the executor runs and keeps, for its registration."""
        jobs = {job_id for job_id, _ in self.stages}
        return holdings_of(self.running_task_ids(), jobs, self.shelf, self.reports)

    def slots_occupied(self) -> int:
        """Returns the slots of attempts that have an engine, also one that is being stopped."""
        return sum(task.launch.slots for task in self.tasks.values() if task.engine_id)

    def story(self) -> list[str]:
        """Returns the last events, oldest first."""
        return list(self._story)

    # What the scheduler says.

    def _on_registered(self, event: ev.Registered) -> None:
        self._allowed_paths = event.allowed_paths
        if self.cluster not in {"", event.cluster}:
            self._forget_cluster()
        self.cluster = event.cluster
        if self.draining:
            # Whether an earlier stream brought it is not known, and another scheduler was not told.
            self._do(TellDrainRequested(event, self._drain_reason))
        for report in self.reports.take_again(event):
            self._do(report)
        self._uploads.tell_stored(event)

    def _forget_cluster(self) -> None:
        """Drops what another scheduler wanted; it remembers nothing of it, or is not the same."""
        self.stages.clear()
        self.reports.clear()
        for task_id in list(self.tasks):
            self._stop_task(task_id, None)
        for job_id in list(self.shelf.jobs):
            self._release_job(job_id)
        self._uploads.release_all(self._cause)

    def _on_scheduler_lost(self, _: ev.SchedulerLost) -> None:
        self._ignore("scheduler that may come back")

    def _on_stage_settled(self, event: ev.StageSettled) -> None:
        self.reports.settle(event.job_id, event.stage_id)

    def _on_stage_defined(self, event: ev.StageDefined) -> None:
        self.stages[event.stage.job_id, event.stage.stage_id] = event.stage

    def _on_launched(self, event: ev.TaskLaunched) -> None:
        task_id = event.task_id
        if event.job_id in self.released_jobs:
            self._fail(task_id, failures.job_leaving(task_id))
            return
        if task_id in self.tasks or self.find_output(event.job_id, task_id):
            self._ignore("attempt that was launched before")
            return
        # One that is being stopped gives its slots back at once, to one that waits for its end.
        kept = [each for each in self.tasks.values() if each.state is not TaskState.STOPPING]
        free = self.profile.slots - sum(each.launch.slots for each in kept)
        if self.draining:
            self._fail(task_id, failures.draining(task_id))
        elif (event.job_id, event.stage_id) not in self.stages:
            stage = f"{event.job_id}/s{event.stage_id}"
            self._fail(task_id, failures.stage_unknown(task_id, stage))
        elif not 1 <= event.slots <= free:
            self._fail(task_id, failures.no_slot(task_id, event.slots, free))
        else:
            self.tasks[task_id] = Task(event, self.stages[event.job_id, event.stage_id])
            self._start_tasks()

    def _on_cancelled(self, event: ev.TaskCancelled) -> None:
        task_id = event.task_id
        if task_id in self.tasks:
            self._stop_task(task_id, failures.cancelled(task_id))
        else:
            self._ignore("unknown attempt")

    def _on_job_released(self, event: ev.JobReleased) -> None:
        job_id = event.job_id
        if job_id not in self.holdings().job_ids:
            self._ignore("unknown job")
            return
        self._release_job(job_id)

    def _release_job(self, job_id: str) -> None:
        """Stops what runs of a job; its files go when the last of its attempts has ended."""
        self.reports.release(job_id)
        for key in [key for key in self.stages if key[0] == job_id]:
            del self.stages[key]
        for task_id in [t for t, task in self.tasks.items() if task.launch.job_id == job_id]:
            self._stop_task(task_id, failures.cancelled(task_id))
        self.released_jobs.add(job_id)
        self._remove_released(job_id)

    def _remove_released(self, job_id: str) -> None:
        if job_id not in self.released_jobs:
            return
        if any(task.launch.job_id == job_id for task in self.tasks.values()):
            return
        self.released_jobs.discard(job_id)
        if job_id in self.shelf.jobs:
            self._do(RemoveFolder(self._cause, self.shelf.drop_job(job_id)))
        self._leave_if_done()

    def _on_drain_wanted(self, event: ev.DrainWanted) -> None:
        if not self.draining:
            self._drain_reason = event.reason
            self._do(TellDrainRequested(event, event.reason))
        self._drain()

    def _on_drain_ordered(self, _: ev.DrainOrdered) -> None:
        self._drain()

    def _drain(self) -> None:
        self.draining = True
        self._leave_if_done()

    def _leave_if_done(self) -> None:
        # Who still reads what lies here is given the time; results and inputs of others are part of
        # a job until that is released, and uploads are sent on.
        kept = self.tasks or self.shelf.jobs or self.shelf.uploads
        if self.draining and not kept and not self.left:
            self.left = True
            self._do(Leave(self._cause))

    # What engines say.

    def _on_engine_ready(self, event: ev.EngineReady) -> None:
        engine = self._live_engine(event.engine_id)
        if engine is not None:
            self._starts_failed = 0
            self._starts_failed_max = ENGINE_RESTARTS_FAILED_MAX
            self._change_engine(engine, EngineState.IDLE)
            self._start_tasks()

    def _on_task_ran(self, event: ev.TaskRan) -> None:
        engine = self._live_engine(event.engine_id)
        if engine is None:
            return
        launch = self._take_task(engine, event.task_id).launch
        self.shelf.put_output(launch.job_id, event.task_id, event.report.output)
        self.shelf.put_copies(launch.job_id, event.report.copies)
        self._report(launch, TellTaskFinished(event, event.task_id, event.report))
        self._free_engine(engine, usable=event.engine_usable)
        self._after_task(launch.job_id)
        self._start_tasks()

    def _on_task_broke(self, event: ev.TaskBroke) -> None:
        engine = self._live_engine(event.engine_id)
        if engine is None:
            return
        task = self._take_task(engine, event.task_id)
        self._remove_attempt(task)
        self._report_failure(task.launch, event.failure.at(event.task_id))
        self._free_engine(engine, usable=event.engine_usable)
        self._after_task(task.launch.job_id)
        self._start_tasks()

    def _on_engine_outgrew(self, event: ev.EngineOutgrew) -> None:
        engine = self._live_engine(event.engine_id)
        if engine is None:
            return
        if engine.task_id:
            self._stop_task(engine.task_id, event.failure.at(engine.task_id))
        else:
            self._stop_engine(engine)

    def _live_engine(self, engine_id: int) -> Engine | None:
        """Returns an engine whose word counts."""
        engine = self.engines.get(engine_id)
        if engine is None or engine.state is EngineState.STOPPING:
            self._ignore("engine that is gone or being stopped")
            return None
        return engine

    def _on_engine_died(self, event: ev.EngineDied) -> None:
        engine = self.engines.pop(event.engine_id, None)
        if engine is None:
            self._ignore("engine that is gone")
            return
        if engine.state is EngineState.STARTING:
            self._starts_failed += 1
        job_id = ""
        if engine.task_id:
            task = self.tasks[engine.task_id]
            job_id = task.launch.job_id
            end = task.end if task.state is TaskState.STOPPING else event.failure
            self._end_task(task)
            self._remove_attempt(task)
            if end is not None:
                self._report_failure(task.launch, end.at(engine.task_id))
        check_engine(engine.engine_id, engine.state, EngineState.GONE, self._story)
        if self._starts_failed >= self._starts_failed_max:
            self._give_up(event.failure)
            return
        self._keep_engines()
        if job_id:
            self._after_task(job_id)
        self._start_tasks()

    def _give_up(self, failure: Failure) -> None:
        """Ends everything when engines do not start at all."""
        for task_id in [t for t, task in self.tasks.items() if task.state is TaskState.WAITING]:
            self._stop_task(task_id, failure)
        if not self.left:
            self.left = self.draining = True
            self._do(Leave(self._cause, failure))

    def _after_task(self, job_id: str) -> None:
        self._remove_released(job_id)
        self._leave_if_done()

    # Attempts.

    def _start_tasks(self) -> None:
        """Gives engines to waiting attempts, in the order of their launch."""
        for task_id, task in list(self.tasks.items()):
            if task.state is not TaskState.WAITING:
                continue
            if task.launch.slots > self.profile.slots - self.slots_occupied():
                return
            engine = self._choose_engine(task.launch.slots)
            if engine is None:
                return
            self._start_task(task_id, task, engine)

    def _start_task(self, task_id: str, task: Task, engine: Engine) -> None:
        launch, stage = task.launch, task.stage
        try:
            where = (self.shelf, self.profile.executor_id)
            inputs = resolve_inputs(launch, stage, *where)
            uploads = resolve_uploads(launch, stage, *where)
        except CannotRunError as error:
            self._end_task(task)
            self._report_failure(launch, error.failure)
            self._after_task(launch.job_id)
            return
        free_slots = self.profile.slots - self.slots_occupied()
        memory_bytes = self.shelf.memory_bytes_free * launch.slots // free_slots
        folder = self.shelf.task_folder(launch.job_id, task_id)
        task.grant = self.shelf.grant(folder, memory_bytes)
        request = TaskRequest(
            task_id=task_id,
            # Where the stage's inputs lie is told in `inputs`, as far as this task reads them.
            stage=replace(stage, inputs=()),
            partitions=launch.partitions,
            slots=launch.slots,
            memory_bytes=self.profile.memory_bytes * launch.slots // self.profile.slots,
            inputs=inputs,
            uploads=uploads,
            allowed_paths=self._allowed_paths,
            grant=task.grant,
        )
        self._change_task(task, TaskState.RUNNING)
        self._change_engine(engine, EngineState.BUSY)
        task.engine_id, engine.task_id, engine.threads = engine.engine_id, task_id, launch.slots
        self._do(RunTask(self._cause, engine.engine_id, request))
        self._do(TellTaskStarted(self._cause, task_id))

    def _stop_task(self, task_id: str, end: Failure | None) -> None:
        """Ends an attempt that waits, and kills the engine of one that runs.

        Args:
            task_id: The attempt.
            end: What the scheduler is told; nothing if it has given the attempt up already.
        """
        task = self.tasks[task_id]
        if task.state is TaskState.WAITING:
            self._end_task(task)
            if end is not None:
                self._report_failure(task.launch, end)
            self._after_task(task.launch.job_id)
        elif task.state is TaskState.RUNNING:
            task.end = end
            self._change_task(task, TaskState.STOPPING)
            self._stop_engine(self.engines[task.engine_id])
        elif end is None:
            task.end = None
        else:
            self._ignore("attempt that is being stopped")

    def _take_task(self, engine: Engine, task_id: str) -> Task:
        """Parts an attempt that ended from its engine."""
        task = self.tasks[task_id]
        if engine.task_id != task_id:
            check_task(task_id, TaskState.ENDED, task.state, self._story)
        engine.task_id = ""
        self._end_task(task)
        return task

    def _end_task(self, task: Task) -> None:
        self._change_task(task, TaskState.ENDED)
        if task.grant is not None:
            self.shelf.take_back(task.grant)
        del self.tasks[task.launch.task_id]

    def _remove_attempt(self, task: Task) -> None:
        if task.grant is not None:
            self._do(RemoveFolder(self._cause, task.grant.folder))

    # Engines.

    def _keep_engines(self) -> None:
        """Starts engines until as many are there as are kept ready."""
        if not self.left:
            while self._engines_alive() < self.profile.engines:
                self._start_engine()

    def _engines_alive(self) -> int:
        return sum(each.state is not EngineState.STOPPING for each in self.engines.values())

    def _start_engine(self) -> None:
        self._engines_started += 1
        engine = Engine(self._engines_started)
        self.engines[engine.engine_id] = engine
        self._do(StartEngine(self._cause, engine.engine_id))

    def _choose_engine(self, threads: int) -> Engine | None:
        """Returns an idle engine that is wide enough, or makes sure that one will come.

        One of just that width is best, then one that has no width yet, then a wider one.
        """
        idle = [each for each in self.engines.values() if each.state is EngineState.IDLE]
        wide = [each for each in idle if each.threads == 0 or each.threads >= threads]
        if wide:
            return min(wide, key=lambda each: (each.threads != threads, each.threads))
        waiting = sum(task.state is TaskState.WAITING for task in self.tasks.values())
        if self._engines_starting() < waiting and idle:
            self._stop_engine(idle[0])
        if self._engines_starting() < waiting:
            self._start_engine()
        return None

    def _engines_starting(self) -> int:
        return sum(each.state is EngineState.STARTING for each in self.engines.values())

    def _free_engine(self, engine: Engine, *, usable: bool) -> None:
        if usable:
            self._change_engine(engine, EngineState.IDLE)
        else:
            self._stop_engine(engine)

    def _stop_engine(self, engine: Engine) -> None:
        self._change_engine(engine, EngineState.STOPPING)
        self._do(StopEngine(self._cause, engine.engine_id))
        self._keep_engines()

    # Small things.

    def _change_task(self, task: Task, state: TaskState) -> None:
        check_task(task.launch.task_id, task.state, state, self._story)
        task.state = state

    def _change_engine(self, engine: Engine, state: EngineState) -> None:
        check_engine(engine.engine_id, engine.state, state, self._story)
        engine.state = state

    def _report_failure(self, launch: ev.TaskLaunched, failure: Failure) -> None:
        self._report(launch, TellTaskFailed(self._cause, launch.task_id, failure))

    def _report(self, launch: ev.TaskLaunched, report: Report) -> None:
        """Tells how an attempt ended, and keeps what may have to be told again."""
        self.reports.keep(launch.job_id, launch.stage_id, report)
        self._do(report)

    def _fail(self, task_id: str, failure: Failure) -> None:
        """Tells that an attempt did not begin."""
        self._do(TellTaskFailed(self._cause, task_id, failure))

    def _ignore(self, reason: str) -> None:
        self._do(Ignore(self._cause, reason))

    def _do(self, action: Action) -> None:
        self._actions.append(action)

    def _take_actions(self) -> list[Action]:
        actions, self._actions = self._actions, []
        return actions


def _told(event: ev.Event, now_ms: int) -> str:
    """Returns an event in one short line; its payload is left out."""
    names = [f"{key}={getattr(event, key)}" for key in _STORY_KEYS if hasattr(event, key)]
    return f"{now_ms} {type(event).__name__} {' '.join(names)}"
