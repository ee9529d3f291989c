"""Runs all partitions of a plan at the same time and writes what comes out."""

import threading
from collections.abc import Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait

from datafusion import SessionContext
from datafusion.plan import ExecutionPlan

from springald.errors import CancelledError, PlanTooLargeError
from springald_executor.core.limits import DRAIN_STOP_MS_MAX, DRAIN_THREADS_MAX
from springald_executor.shuffle.writer import OutputWriter


class StuckError(Exception):
    """A partition failed, and others did not stop: the engine cannot be used for anything else."""


class Drain:
    """Threads that each read one partition of a plan; they are kept between tasks."""

    def __init__(self) -> None:
        self._threads: ThreadPoolExecutor | None = None

    def run(
        self,
        context: SessionContext,
        plan: ExecutionPlan,
        writer: OutputWriter,
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
        if self._threads is None:
            self._threads = ThreadPoolExecutor(DRAIN_THREADS_MAX, thread_name_prefix="drain")
        failed = threading.Event()
        _wait(
            [
                self._threads.submit(
                    _drain_one, context, plan, partition, writer, number, stop, failed
                )
                for partition, number in enumerate(numbers)
            ],
            failed,
        )


def _drain_one(
    context: SessionContext,
    plan: ExecutionPlan,
    partition: int,
    writer: OutputWriter,
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
