"""Ways to break the cores: each takes a few words out of a function, or puts others in.

Each breaks a promise that whoever reads the function might break by mistake. The simulation is
worth what it finds of them.
"""

import importlib
import inspect
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FunctionType


@dataclass(frozen=True, slots=True)
class Breakage:
    """A change of a function's text that must not go unnoticed.

    Attributes:
        name: What is broken, in a sentence.
        function: The function, by its module and its name there.
        was: Words of it.
        becomes: What stands there instead.
        seed: From which history on it is looked for: some faults are rare in the first ones.
    """

    name: str
    function: str
    was: str
    becomes: str
    seed: int = 0


SCHEDULER = (
    Breakage(
        "an attempt that was stopped is accepted",
        "springald_scheduler.core.tasks:_end",
        "if attempt.stopping:",
        "if False:",
    ),
    Breakage(
        "a lost executor's outputs are not missed",
        "springald_scheduler.core.executors:_lose",
        "lose_outputs_of(world, job, executor)",
        "pass",
    ),
    Breakage(
        "a lost executor's attempts are not run again",
        "springald_scheduler.core.executors:_lose",
        "retry_task(world, job, attempt, row, failure)",
        "pass",
    ),
    Breakage(
        "a lost input is not run again",
        "springald_scheduler.core.tasks:on_task_failed",
        "lose_attempt(job, event.lost_attempt_id)",
        "pass",
    ),
    Breakage(
        "a stage's end is told before it is kept",
        "springald_scheduler.core.stages:close_stage",
        "run.recorded = True",
        "run.recorded = True; return",
    ),
    Breakage(
        "a job's end is not kept",
        "springald_scheduler.core.writing:write_end",
        "world.do(Persist(world.cause, job_record(job)))",
        "pass",
    ),
    Breakage(
        "a job is acknowledged without being kept",
        "springald_scheduler.core.jobs:on_job_submitted",
        "world.do(Persist(world.cause, job_record(job)))",
        "pass",
    ),
    Breakage(
        "slots are not given back",
        "springald_scheduler.core.files:free_slots",
        "world.pool.give(executor, attempt.slots)",
        "pass",
    ),
    Breakage(
        "files of a job are never removed",
        "springald_scheduler.core.files:remove_files",
        "world.do(ReleaseJobFiles(world.cause, *life, job_id, in_no_hurry))",
        "pass",
    ),
    Breakage(
        "a task that shares a partition reads all of it",
        "springald_scheduler.core.placement:_slices",
        "sizes = tuple(each.within(task.part.outputs) for each in sizes)",
        "pass",
    ),
    Breakage(
        "where inputs lie is told once and never again",
        "springald_scheduler.core.recovery:_hold_dependents",
        "job.stages[stage_id].defined_on.clear()",
        "pass",
    ),
    Breakage(
        "a task is tried without end",
        "springald_scheduler.core.retries:retry_task",
        "hopeless or spent >= tries_max(world.limits, row.budget)",
        "False",
    ),
    Breakage(
        "attempts are counted from the beginning after a restart",
        "springald_scheduler.core.placement:_launch",
        "max(task.attempt, world.attempt_floor) + 1",
        "task.attempt + 1",
    ),
    Breakage(
        "outputs are lost in a restart",
        "springald_scheduler.core.taking_up:_finish",
        "task.sizes, task.made = output.sizes, True",
        "task.made = True",
    ),
    Breakage(
        "sessions are forgotten in a restart",
        "springald_scheduler.core.restoring:_take_up",
        "_take_up_sessions(world, restoring.records)",
        "pass",
    ),
)
"""Of the scheduler's core."""

EXECUTOR = (
    Breakage(
        "a cancelled attempt runs on",
        "springald_executor.core.agent:Agent._on_cancelled",
        "if task_id in self.tasks:",
        "if False:",
    ),
    Breakage(
        "an engine's death is not reported",
        "springald_executor.core.agent:Agent._on_engine_died",
        "self._report_failure(task.launch, end.at(engine.task_id))",
        "pass",
    ),
    Breakage(
        "an attempt that failed keeps its files",
        "springald_executor.core.agent:Agent._remove_attempt",
        "if task.grant is not None:",
        "if False:",
    ),
    Breakage(
        "files of a released job stay",
        "springald_executor.core.agent:Agent._remove_released",
        "self._do(RemoveFolder(self._cause, self.shelf.drop_job(job_id)))",
        "self.shelf.drop_job(job_id)",
    ),
    Breakage(
        "a released job's files go while an attempt writes there",
        "springald_executor.core.agent:Agent._remove_released",
        "if any(task.launch.job_id == job_id for task in self.tasks.values()):",
        "if False:",
        seed=60,
    ),
    Breakage(
        "grants are not taken back",
        "springald_executor.core.agent:Agent._end_task",
        "self.shelf.take_back(task.grant)",
        "pass",
    ),
    Breakage(
        "ends that were told on a broken stream are not told again",
        "springald_executor.core.agent:Agent._on_registered",
        "self.reports.take_again(event)",
        "()",
    ),
    Breakage(
        "an engine that cannot be used runs the next task",
        "springald_executor.core.agent:Agent._free_engine",
        "if usable:",
        "if True:",
    ),
    Breakage(
        "memory of outputs is not counted",
        "springald_executor.core.shelf:Shelf.put_output",
        "self.used_bytes += _in_memory([file])",
        "pass",
    ),
    Breakage(
        "what an attempt made is not kept",
        "springald_executor.core.agent:Agent._on_task_ran",
        "self.shelf.put_output(launch.job_id, event.task_id, event.report.output)",
        "pass",
    ),
    Breakage(
        "a task is given to an engine that is not ready",
        "springald_executor.core.agent:Agent._choose_engine",
        "each.state is EngineState.IDLE",
        "each.state is not EngineState.BUSY",
    ),
    Breakage(
        "an executor that leaves never does",
        "springald_executor.core.agent:Agent._leave_if_done",
        "self._do(Leave(self._cause))",
        "pass",
    ),
)
"""Of the executor's core."""


RARE = (
    Breakage(
        "an output that is not the same again is taken for the same",
        "springald_scheduler.core.recovery:check_repeated",
        "if not same:",
        "if False:",
    ),
    Breakage(
        "readers of a stage that never repeats are left as they are",
        "springald_scheduler.core.recovery:make_again",
        "run.stage.repeats is Repeats.NEVER",
        "False",
    ),
    Breakage(
        "slots are promised twice",
        "springald_executor.core.agent:Agent._on_launched",
        "not 1 <= event.slots <= free",
        "False",
    ),
    Breakage(
        "the end of a stream that is replaced is told",
        "springald_scheduler.adapters.executor_links:ExecutorLinks.remove",
        "None if life in self._arriving else life",
        "life",
    ),
    Breakage(
        "a restored job whose stages are all finished runs on",
        "springald_scheduler.core.restoring:_go_on",
        "last.state is StageState.FINISHED",
        "False",
    ),
    Breakage(
        "each task of a result that several share sends its rows with its report",
        "springald_scheduler.core.placement:_told_stage",
        "len(run.tasks) == 1 or not run.stage.inline_rows_bytes_max",
        "True",
    ),
)
"""Of either, and found in a hundred histories or more; the last three were bugs once."""


@contextmanager
def broken(breakage: Breakage) -> Iterator[None]:
    """Breaks a function as long as the context lasts, for all who have imported it.

    Raises:
        ValueError: The function does not have the words just once.
    """
    module, _, path = breakage.function.partition(":")
    function: object = importlib.import_module(module)
    for name in path.split("."):
        function = getattr(function, name)
    if not isinstance(function, FunctionType):
        raise TypeError(f"what is broken is a function: got {function}")
    text = textwrap.dedent(inspect.getsource(function))
    if text.count(breakage.was) != 1:
        raise ValueError(f"a breakage names words that are there once: got {breakage.was!r}")
    made: dict[str, FunctionType] = {}
    changed = "from __future__ import annotations\n" + text.replace(breakage.was, breakage.becomes)
    exec(changed, dict(function.__globals__), made)  # noqa: S102 - our own text
    whole = function.__code__
    function.__code__ = made[function.__name__].__code__
    try:
        yield
    finally:
        function.__code__ = whole
