"""How far the scheduler goes: its core under simulated executors, and what messages weigh.

    .venv/bin/python -m benchmarks.scale            all cases, about a minute
    .venv/bin/python -m benchmarks.scale shuffle    those whose name begins so

Time is the processor time of the core alone, so that other work on the machine does not count; a
step is one event. Memory is what the process grew by. Each case runs in a process of its own.
"""

import argparse
import gc
import resource
import time
from array import array
from collections import deque
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from multiprocessing import get_context
from typing import Final

import psutil
from google.protobuf.message import Message
from rich.console import Console
from rich.table import Table

from springald.executor.v1 import executor_pb2 as pb
from springald.limits import MESSAGE_BYTES_MAX
from springald_executor.codec.events import event_from_proto as order_from_proto
from springald_executor.codec.sizes import sizes_to_proto
from springald_executor.core.model import Partition
from springald_scheduler.codec.executors import action_to_proto, event_from_proto
from springald_scheduler.core.actions import Action, DefineStage, LaunchTask, ToExecutor
from springald_scheduler.core.events import (
    ClusterFacts,
    Event,
    ExecutorHeard,
    ExecutorRegistered,
    JobPlanned,
    JobSubmitted,
    SessionOpened,
    TaskFinished,
)
from springald_scheduler.core.graph import (
    Exchange,
    ExchangeKind,
    Fragment,
    FragmentFormat,
    Stage,
    StageGraph,
    StageInput,
)
from springald_scheduler.core.scheduler import SchedulerCore
from springald_scheduler.core.sizes import Sizes
from springald_scheduler.core.states import JobState
from springald_scheduler.limits import GARBAGE_OBJECTS_MIN

FACTS: Final = ClusterFacts(1, "datafusion 55.0.0", "3.11", "x86_64", "f")
FRAGMENT: Final = Fragment(FragmentFormat.PHYSICAL_PLAN, b"plan", "55.0.0")
ONE: Final = Sizes.of([(0, 5, 1_000)])
_MIB: Final = 1024 * 1024


def stage(
    number: int,
    partitions: int,
    out: int,
    kind: ExchangeKind,
    *,
    reads: int = 0,
    by: ExchangeKind = ExchangeKind.HASH,
    whole: bool = False,
) -> Stage:
    """A stage that reads another one, each task its own partitions unless it is whole."""
    offset = 0 if by in {ExchangeKind.HASH, ExchangeKind.FORWARD} else None
    count = partitions if offset == 0 else 1
    inputs = (StageInput(reads, by, count, offset),) if reads else ()
    reason = "one task" if whole else ""
    return Stage(number, FRAGMENT, inputs, Exchange(kind, out), partitions, reason)


@dataclass
class Cluster:
    """A core and executors that finish their attempts in the order of their launches.

    Attributes:
        core: The core.
        seconds: Processor time in the core.
        steps: Events.
        longest_s: The longest of them.
        tasks: Attempts that finished.
        definition: The last definition of a stage.
        launch: The last launch of a task.
    """

    core: SchedulerCore = field(default_factory=lambda: SchedulerCore(FACTS))
    seconds: float = 0
    steps: int = 0
    longest_s: float = 0
    tasks: int = 0
    definition: DefineStage | None = None
    launch: LaunchTask | None = None
    _running: deque[LaunchTask] = field(default_factory=deque)

    def tell(self, event: Event) -> list[Action]:
        """Tells the core an event, a millisecond after the last one."""
        self.steps += 1
        began = time.thread_time()
        actions = self.core.handle(event, now_ms=self.steps)
        took = time.thread_time() - began
        self.seconds += took
        self.longest_s = max(self.longest_s, took)
        for action in actions:
            match action:
                case LaunchTask():
                    self.launch = action
                    self._running.append(action)
                case DefineStage():
                    self.definition = action
        return actions

    def start(self, executors: int, slots: int = 1) -> None:
        """Registers executors, and opens a session."""
        for number in range(executors):
            name = f"executor-{number:08x}"
            address = f"10.0.{number // 250}.{number % 250}:50051"
            self.tell(ExecutorRegistered(name, "a", FACTS, slots, flight_address=address))
        self.tell(SessionOpened("s"))
        self.seconds, self.longest_s = 0, 0

    def submit(self, name: str, *stages: Stage) -> None:
        """Runs a planned query."""
        self.tell(JobSubmitted("s", name, "SELECT 1", b""))
        job_id = self.core.world.sessions["s"].operations[name]
        self.tell(JobPlanned(job_id, StageGraph(stages)))

    def finish(self, sizes: Callable[[LaunchTask], Sizes] = lambda _: ONE) -> None:
        """Finishes attempts until none runs."""
        while self._running:
            launch = self._running.popleft()
            life = (launch.executor_id, launch.incarnation)
            self.tell(TaskFinished(*life, launch.attempt_id, sizes(launch)))
            self.tasks += 1
        for job in self.core.world.jobs.values():
            if job.state is not JobState.SUCCEEDED:
                raise RuntimeError(f"all jobs succeed: got {job.job_id} {job.state}")


def blocks(count: int) -> Sizes:
    """What a task of a shuffle puts out: rows in every partition."""
    rows = array("Q", range(1_000, 1_000 + count))
    return Sizes(range(count), rows, array("Q", range(90_000, 90_000 + count)))


def run_flat(tasks: int, executors: int) -> Cluster:
    """One stage of many tasks, and one task that reads them all."""
    cluster = Cluster()
    cluster.start(executors)
    last = stage(2, 1, 1, ExchangeKind.RESULT, reads=1, by=ExchangeKind.SINGLE)
    cluster.submit("o", stage(1, tasks, 1, ExchangeKind.SINGLE), last)
    cluster.finish()
    return cluster


def run_shuffle(width: int, executors: int, *, whole: bool = False) -> Cluster:
    """Two stages of so many tasks; each task of the second reads of each of the first."""
    cluster = Cluster()
    cluster.start(executors)
    last = stage(2, width, width, ExchangeKind.RESULT, reads=1, whole=whole)
    cluster.submit("o", stage(1, width, width, ExchangeKind.HASH), last)
    cluster.finish(lambda launch: blocks(width) if launch.stage_id == 1 else ONE)
    return cluster


def run_chain(stages: int, width: int, executors: int) -> Cluster:
    """Many stages, each reading the same partitions of the one before."""
    cluster = Cluster()
    cluster.start(executors)
    forward = ExchangeKind.FORWARD
    cluster.submit(
        "o", *(stage(n, width, width, forward, reads=n - 1, by=forward) for n in range(1, stages))
    )
    cluster.finish(lambda launch: Sizes.of([(launch.partitions.start, 5, 1_000)]))
    return cluster


def run_jobs(jobs: int, tasks: int, executors: int) -> Cluster:
    """Many queries at the same time, which take turns."""
    cluster = Cluster()
    cluster.start(executors)
    for number in range(jobs):
        cluster.submit(f"o{number}", stage(1, tasks, 1, ExchangeKind.RESULT))
    cluster.finish()
    return cluster


def run_crowd(jobs: int, executors: int) -> Cluster:
    """Queries that all need more slots together than are free anywhere, while some are free."""
    cluster = Cluster()
    cluster.start(executors, slots=4)
    for number in range(jobs):
        partitions = 2 if number < executors else 4
        cluster.submit(f"o{number}", stage(1, partitions, 1, ExchangeKind.RESULT, whole=True))
    cluster.finish()
    return cluster


def run_heartbeats(executors: int, attempts: int) -> Cluster:
    """Signs of life, each naming the attempts that run."""
    cluster = Cluster()
    cluster.start(executors, slots=attempts)
    cluster.submit("o", *(stage(1, executors * attempts, 1, ExchangeKind.RESULT),))
    executors_there = cluster.core.world.executors.values()
    lives = [(each.executor_id, tuple(each.running)) for each in executors_there]
    cluster.seconds, cluster.longest_s = 0, 0
    for _ in range(10):
        for executor_id, running in lives:
            cluster.tell(ExecutorHeard(executor_id, "a", running))
            cluster.tasks += 1
    return cluster


CASES: Final[dict[str, Callable[[], Cluster]]] = {
    **{
        f"flat: {tasks:,} tasks, 1,000 executors": partial(run_flat, tasks, 1_000)
        for tasks in (10_000, 100_000, 1_000_000)
    },
    **{
        f"shuffle: {width:,} x {width:,}, {executors:,} executors": partial(
            run_shuffle, width, executors
        )
        for executors in (1_000, 30)
        for width in (250, 500, 1_000)
    },
    "shuffle: 1,000 x 1,000 read by one task": partial(run_shuffle, 1_000, 1_000, whole=True),
    "chain: 100 stages of 1,000 tasks": partial(run_chain, 100, 1_000, 1_000),
    "jobs: 1,000 at once with 100 tasks each": partial(run_jobs, 1_000, 100, 1_000),
    "jobs: 10,000 at once with 10 tasks each": partial(run_jobs, 10_000, 10, 1_000),
    "crowd: 500 jobs on 100 executors with 4 slots": partial(run_crowd, 500, 100),
    "crowd: 2,000 jobs on 100 executors with 4 slots": partial(run_crowd, 2_000, 100),
    "heartbeats of 1,000 executors, 1 attempt each": partial(run_heartbeats, 1_000, 1),
    "heartbeats of 1,000 executors, 16 attempts each": partial(run_heartbeats, 1_000, 16),
}


def measure(name: str) -> tuple[str, ...]:
    """Runs a case; returns its row of the table."""
    gc.set_threshold(GARBAGE_OBJECTS_MIN, *gc.get_threshold()[1:])  # as the scheduler's process
    before = psutil.Process().memory_info().rss
    cluster = CASES[name]()
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 - before
    micros = cluster.seconds / cluster.tasks * 1e6
    return (
        name,
        f"{cluster.tasks:,}",
        f"{micros:.1f}",
        f"{cluster.longest_s * 1e3:.1f}",
        f"{grown / _MIB:,.0f}",
        f"{grown / cluster.tasks / 1024:.2f}",
    )


def core_table(prefix: str) -> Table:
    """Runs the cases of the core whose names begin so."""
    table = Table("case", "tasks", "us a task", "longest step, ms", "MiB", "KiB a task")
    with ProcessPoolExecutor(
        1, mp_context=get_context("spawn"), max_tasks_per_child=1
    ) as processes:
        for row in processes.map(measure, [name for name in CASES if name.startswith(prefix)]):
            table.add_row(*row)
    return table


def wire_table(width: int) -> Table:
    """Weighs the messages of a shuffle, and times both of their ends."""
    table = Table("message", "bytes", "% of the limit", "write, us", "read, us")
    sliced = run_shuffle(width, width)
    whole = run_shuffle(width, width, whole=True)
    parts = [Partition(n, 1_000_000 + n, 90_000_000 + n) for n in range(width)]
    finished = pb.TaskFinished(task_id="j1/s1/t1000#1", sizes=sizes_to_proto(parts))
    rows: list[tuple[str, Callable[[], Message | None], Callable[[bytes], object]]] = [
        (
            f"TaskFinished, {width:,} partitions",
            partial(pb.ConnectRequest, task_finished=finished),
            lambda data: event_from_proto(pb.ConnectRequest.FromString(data), "e", "a"),
        )
    ]
    orders: list[tuple[str, ToExecutor | None]] = [
        (f"LaunchTask of {width:,} x {width:,}", sliced.launch),
        (f"DefineStage of {width:,} x {width:,}, sliced", sliced.definition),
        (f"DefineStage of {width:,} x {width:,}, read by one task", whole.definition),
    ]
    rows += [
        (name, partial(action_to_proto, action), _take_order) for name, action in orders if action
    ]
    for name, write, read in rows:
        data = _written(write)
        share = 100 * len(data) / MESSAGE_BYTES_MAX
        written, spent = _micros(partial(_written, write)), _micros(partial(read, data))
        table.add_row(name, f"{len(data):,}", f"{share:.2f}", f"{written:,.0f}", f"{spent:,.0f}")
    return table


def _written(write: Callable[[], Message | None]) -> bytes:
    message = write()
    return message.SerializeToString() if message else b""


def _take_order(data: bytes) -> object:
    return order_from_proto(pb.ConnectResponse.FromString(data))


def _micros(work: Callable[[], object]) -> float:
    best = float("inf")
    for _ in range(5):
        began = time.thread_time()
        work()
        best = min(best, time.thread_time() - began)
    return best * 1e6


def main() -> None:
    """Runs what is asked for."""
    parser = argparse.ArgumentParser(description="How far the scheduler goes, simulated.")
    parser.add_argument("case", nargs="?", default="", help="how the names of cases begin, or wire")
    wanted = parser.parse_args().case
    console = Console()
    if wanted != "wire":
        console.print(core_table(wanted))
    if wanted in {"", "wire"}:
        console.print(wire_table(1_000))


if __name__ == "__main__":
    main()
