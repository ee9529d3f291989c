"""Engines as threads of this process, for local mode: no child, no socket.

A thread cannot be killed. A stopped task ends at its next batch; if that takes too long, it is left
to itself: what it still makes is removed when it ends.
"""

import queue
import threading

from springald_executor.adapters.engine_pool import Post
from springald_executor.codec.failures import failure_from_error
from springald_executor.codec.queries import query_from_payload
from springald_executor.core import events as ev
from springald_executor.core.failures import Failure
from springald_executor.core.limits import ABANDON_MS
from springald_executor.core.model import TaskRequest
from springald_executor.engine.runner import TaskError, TaskRunner
from springald_executor.shuffle.space import Roots


class InProcessPool:
    """Engines as threads."""

    def __init__(self, roots: Roots) -> None:
        """Starts nothing yet.

        Args:
            roots: Where engines write; they spill below the disk root.
        """
        self._roots = roots
        self._engines: dict[int, _Engine] = {}
        self._lock = threading.Lock()
        self._closed = False
        self._post: Post = lambda _: None

    def begin(self, post: Post) -> None:
        """Takes whom to tell."""
        self._post = post

    def start(self, engine_id: int) -> None:
        """Starts an engine; it is ready at once."""
        spill = self._roots.disk / "spill" / str(engine_id)
        spill.mkdir(parents=True, exist_ok=True, mode=0o700)
        runner = TaskRunner(self._roots, read_query=query_from_payload, spill_dir=spill)
        engine = _Engine(engine_id, runner, self._tell)
        with self._lock:
            if self._closed:
                return
            self._engines[engine_id] = engine
        engine.begin()

    def stop(self, engine_id: int) -> None:
        """Asks an engine to stop; it counts as gone when it has, or after a named time."""
        engine = self._engines.get(engine_id)
        if engine is not None:
            engine.stop()

    def run(self, engine_id: int, request: TaskRequest) -> None:
        """Hands an attempt to an engine."""
        engine = self._engines.get(engine_id)
        if engine is not None:
            engine.run(request)

    def watch(self) -> None:
        """Does nothing: the process is the caller's, who may use as much memory as there is."""

    def close(self) -> None:
        """Asks all engines to stop, and waits for them at most a named time."""
        with self._lock:
            self._closed = True
            engines = list(self._engines.values())
        for engine in engines:
            engine.stop()
        for engine in engines:
            engine.join(ABANDON_MS / 1000)

    def _tell(self, event: ev.Event) -> None:
        with self._lock:
            if isinstance(event, ev.EngineDied):
                self._engines.pop(event.engine_id, None)
            closed = self._closed
        if not closed:
            self._post(event)


class _Engine:
    """One thread that runs tasks."""

    def __init__(self, engine_id: int, runner: TaskRunner, tell: Post) -> None:
        self._engine_id = engine_id
        self._runner = runner
        self._tell = tell
        self._tasks: queue.SimpleQueue[TaskRequest | None] = queue.SimpleQueue()
        self._stopping = threading.Event()
        self._ending = threading.Lock()
        self._ended = False
        self._thread = threading.Thread(target=self._serve, name=f"engine {engine_id}", daemon=True)

    def begin(self) -> None:
        """Starts the thread."""
        self._thread.start()

    def run(self, request: TaskRequest) -> None:
        """Queues an attempt."""
        self._tasks.put(request)

    def stop(self) -> None:
        """Asks the thread to end, and gives it up when it takes too long."""
        self._stopping.set()
        self._tasks.put(None)
        patience = threading.Timer(ABANDON_MS / 1000, self._end)
        patience.daemon = True
        patience.start()

    def join(self, timeout_s: float) -> None:
        """Waits for the thread."""
        self._thread.join(timeout_s)

    def _serve(self) -> None:
        self._tell(ev.EngineReady(self._engine_id))
        while (request := self._tasks.get()) is not None:
            event = self._run(request)
            if not self._ended:
                self._tell(event)
        self._end()

    def _run(self, request: TaskRequest) -> ev.TaskRan | ev.TaskBroke:
        try:
            report = self._runner.run(request, self._stopping)
        except TaskError as failed:
            failure = failure_from_error(failed.error, failed.lost_task_id, failed.figures)
            return ev.TaskBroke(self._engine_id, request.task_id, failure, failed.engine_usable)
        return ev.TaskRan(self._engine_id, request.task_id, report)

    def _end(self) -> None:
        with self._ending:
            if self._ended:
                return
            self._ended = True
        gone = Failure("TASK_LOST", "the engine was stopped", retryable=True)
        self._tell(ev.EngineDied(self._engine_id, gone))
