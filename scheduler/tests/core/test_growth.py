"""What a task costs the core, counted: it must not grow with how many there are of anything."""

import sys
from array import array
from collections import deque
from collections.abc import Callable
from types import FrameType
from typing import Any

import pytest
from core_bench import Bench

from springald_scheduler.core.actions import LaunchTask
from springald_scheduler.core.events import Event, JobPlanned, JobSubmitted, TaskFinished
from springald_scheduler.core.graph import ExchangeKind, Stage, StageGraph
from springald_scheduler.core.sizes import Sizes
from springald_scheduler.core.states import JobState

GROWTH_MAX = 1.25
"""How much more steps a task may take when everything is doubled: heaps grow by a level."""


class Counted:
    """A core whose steps are counted, with executors that finish attempts in their order.

    A step is one instruction of the interpreter. What a single one does to a whole column, as in
    adding it up, counts as one: that is what columns are for.
    """

    def __init__(self, executors: int, slots: int = 1) -> None:
        self.bench = Bench()
        self.running: deque[LaunchTask] = deque()
        self.steps = self.tasks = 0
        for number in range(executors):
            self.core_handles(self.bench.executor(f"e{number}", slots))
        self.bench.submit("first")
        self.steps = 0

    def core_handles(self, event: Event) -> None:
        """Tells the core an event, and counts."""
        before = sys.gettrace()
        sys.settrace(self.trace)
        try:
            actions = self.bench.core.handle(event, now_ms=self.bench.now_ms)
        finally:
            sys.settrace(before)
        self.running.extend(each for each in actions if isinstance(each, LaunchTask))

    def trace(self, frame: FrameType, event: str, _: Any) -> Any:  # noqa: ANN401 - the interpreter's
        """Counts an instruction."""
        frame.f_trace_opcodes, frame.f_trace_lines = True, False
        self.steps += event == "opcode"
        return self.trace

    def submit(self, name: str, *stages: Stage) -> None:
        """Runs a planned query."""
        self.core_handles(JobSubmitted("s", name, "SELECT 1", b""))
        job_id = self.bench.core.world.sessions["s"].operations[name]
        self.core_handles(JobPlanned(job_id, StageGraph(stages)))

    def finish(self, sizes: Callable[[LaunchTask], Sizes]) -> float:
        """Finishes all attempts; returns the steps a task."""
        while self.running:
            launch = self.running.popleft()
            made = sizes(launch)
            self.core_handles(TaskFinished(launch.executor_id, "a", launch.attempt_id, made))
            self.tasks += 1
        jobs = self.bench.core.world.jobs.values()
        assert {job.state for job in jobs if job.stages} == {JobState.SUCCEEDED}
        return self.steps / self.tasks


def one(_: LaunchTask) -> Sizes:
    """One partition with rows."""
    return Sizes.of([(0, 5, 50)])


def flat(scale: int) -> float:
    """A stage of many tasks on many executors."""
    counted = Counted(executors=10 * scale)
    counted.submit("o", Bench.stage(partitions=100 * scale))
    return counted.finish(one)


def shuffle(scale: int) -> float:
    """Each task of a stage reads of each task of another one, on many executors."""
    width = 40 * scale
    counted = Counted(executors=width)
    counted.submit("o", Bench.stage(1, width, out=width), Bench.stage(2, width, reads=(1,)))
    full = Sizes(range(width), array("Q", range(width)), array("Q", range(width)))
    return counted.finish(lambda launch: full if launch.stage_id == 1 else one(launch))


def forward(scale: int) -> float:
    """Each task of a stage reads one task of another one."""
    width = 40 * scale
    counted = Counted(executors=width)
    second = Bench.stage(2, width, reads=(1,), kind=ExchangeKind.FORWARD, out=width)
    counted.submit("o", Bench.stage(1, width, out=width), second)
    return counted.finish(lambda launch: Sizes.of([(launch.partitions.start, 1, 1)]))


def broadcast(scale: int) -> float:
    """Each task of a stage reads all of another one, which lies on many executors."""
    width = 40 * scale
    counted = Counted(executors=width)
    second = Bench.stage(2, width, reads=(1,), kind=ExchangeKind.BROADCAST)
    counted.submit("o", Bench.stage(1, width, out=1), second)
    return counted.finish(one)


def jobs(scale: int) -> float:
    """Many jobs at once."""
    counted = Counted(executors=10)
    for number in range(50 * scale):
        counted.submit(f"o{number}", Bench.stage(partitions=4))
    return counted.finish(one)


def crowd(scale: int) -> float:
    """Many jobs that wait for more slots than are free together, while some are free."""
    counted = Counted(executors=4, slots=4)
    for number in range(50 * scale):
        partitions = 3 if number < 4 else 4
        counted.submit(f"o{number}", Bench.stage(partitions=partitions, whole=True))
    return counted.finish(one)


@pytest.mark.parametrize("shape", [flat, shuffle, forward, broadcast, jobs, crowd])
def test_steps_a_task_do_not_grow_with_the_number_of_tasks(shape: Callable[[int], float]) -> None:
    """Twice as much of everything costs about twice as much: no step of a task is linear."""
    once, twice, fourfold = (shape(scale) for scale in (1, 2, 4))
    assert twice <= GROWTH_MAX * once
    assert fourfold <= GROWTH_MAX * twice
