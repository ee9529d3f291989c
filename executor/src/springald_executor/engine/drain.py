"""Runs all partitions of a plan at the same time and writes what comes out."""

import threading
import weakref
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, wait
from functools import partial
from queue import SimpleQueue
from typing import Protocol

import pyarrow as pa
from datafusion import SessionContext
from datafusion.plan import ExecutionPlan

from springald.errors import CancelledError, PlanTooLargeError
from springald_executor.core.limits import DRAIN_STOP_MS_MAX, DRAIN_THREADS_MAX


class StuckError(Exception):
    """A partition failed, and others did not stop: the engine cannot be used for anything else."""


class Rows(Protocol):
    """Whatever takes the rows of partitions, from several threads."""

    def write(self, partition: int, batch: pa.RecordBatch, /) -> None:
        """Takes rows; those of one partition come from one thread at a time."""
        ...


class Drain:
    """Threads that each read one partition of a plan; they are kept between tasks."""

    def __init__(self) -> None:
        self._threads = _Threads()

    def run(
        self,
        context: SessionContext,
        plan: ExecutionPlan,
        writer: Rows,
        numbers: Sequence[int],
        stop: threading.Event,
    ) -> None:
        """Writes every partition of a plan.

        All run at once: the outputs of a hash exchange fill up if one of them is not read.

        Args:
            context: The engine session.
            plan: The plan.
            writer: Where rows go.
            numbers: For each partition of the plan, the output partition of its rows.
            stop: Set by whoever wants it stopped.

        Raises:
            CancelledError: It was stopped.
            StuckError: A partition failed and the others went on; its cause is the failure.
            BaseException: The engine failed, or panicked.
        """
        if len(numbers) == 1:
            _drain_one(context, plan, 0, writer, numbers[0], stop, threading.Event())
            return
        if len(numbers) > DRAIN_THREADS_MAX:
            message = f"a task has at most {DRAIN_THREADS_MAX} outputs: got {len(numbers)}"
            raise PlanTooLargeError(f"{message}; lower datafusion.execution.target_partitions")
        failed = threading.Event()
        _wait(
            [
                self._threads.submit(
                    partial(_drain_one, context, plan, partition, writer, number, stop, failed)
                )
                for partition, number in enumerate(numbers)
            ],
            failed,
        )


_Work = tuple[Future[None], Callable[[], None]]


class _Threads:
    """Threads that are kept from one piece of work to the next, as many as there was at once.

    A thread pool of the standard library would keep the interpreter from ending as long as one of
    them is inside the engine, which may be for ever.
    """

    def __init__(self) -> None:
        self._work: SimpleQueue[_Work | None] = SimpleQueue()
        self._idle = threading.Semaphore(0)
        weakref.finalize(self, self._work.put, None).atexit = False

    def submit(self, work: Callable[[], None]) -> Future[None]:
        """Has work begun at once."""
        done: Future[None] = Future()
        self._work.put((done, work))
        if not self._idle.acquire(blocking=False):
            arguments = (self._work, self._idle)
            threading.Thread(target=_serve, args=arguments, name="drain", daemon=True).start()
        return done


def _serve(queue: "SimpleQueue[_Work | None]", idle: threading.Semaphore) -> None:
    while (piece := queue.get()) is not None:
        done, work = piece
        try:
            work()
        except BaseException as failure:  # noqa: BLE001 - raised where it is waited for
            done.set_exception(failure)
        else:
            done.set_result(None)
        del piece, done, work  # what an idle thread holds cannot be freed
        idle.release()
    queue.put(None)  # for the others


def _drain_one(
    context: SessionContext,
    plan: ExecutionPlan,
    partition: int,
    writer: Rows,
    number: int,
    stop: threading.Event,
    failed: threading.Event,
) -> None:
    for batch in context.execute(plan, partition):
        if stop.is_set():
            raise CancelledError("a task runs until it is cancelled")
        if failed.is_set():
            return
        writer.write(number, batch.to_pyarrow())


def _wait(running: Sequence[Future[None]], failed: threading.Event) -> None:
    done, others = wait(running, return_when=FIRST_EXCEPTION)
    failure = next((each.exception() for each in done if each.exception()), None)
    if failure is None:
        return
    failed.set()
    _, stuck = wait(others, timeout=DRAIN_STOP_MS_MAX / 1000)
    if stuck:
        raise StuckError from failure
    raise failure
