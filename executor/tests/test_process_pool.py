"""Engine processes: what the agent learns when one works, grows, dies, or asks for a ticket."""

import queue
import signal
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pyarrow as pa
import pytest
from executor_kit import Bench, context_over, parquet_files, plan_of, reads, rows, stage_of
from fake_scheduler import PATIENCE_S, is_gone, wait_until

from springald.errors import TicketInvalidError
from springald_executor.adapters import process_pool
from springald_executor.adapters.engine_messages import Ready
from springald_executor.adapters.process_pool import ProcessPool
from springald_executor.core import engine_memory
from springald_executor.core import events as ev
from springald_executor.core.model import (
    ExchangeKind,
    Partition,
    RemoteInput,
    TaskInput,
    TaskRequest,
    Wanted,
)
from springald_executor.engine.runner import ENGINE_VERSION

SCHEMA = pa.schema([("k", pa.int64())])
ENDLESS = (
    "SELECT sum(a.value * b.value) AS k FROM generate_series(1, 1000000) a, "
    "generate_series(1, 1000000) b"
)


class _Pool:
    """A pool and what it told."""

    def __init__(self, folder: Path, sign: Callable[[Wanted], bytes]) -> None:
        self.bench = Bench(folder)
        self.told: queue.SimpleQueue[ev.Event] = queue.SimpleQueue()
        self.ready: queue.SimpleQueue[Ready] = queue.SimpleQueue()
        self.pool = ProcessPool(self.bench.roots, slots=1, sign=sign, on_ready=self.ready.put)
        self.pool.begin(self.told.put)

    def next(self) -> ev.Event:
        """The next event."""
        return self.told.get(timeout=PATIENCE_S)

    def engine(self, engine_id: int = 1) -> psutil.Process:
        """Starts an engine and returns its process when it is ready."""
        before = {child.pid for child in psutil.Process().children()}
        self.pool.start(engine_id)
        assert self.next() == ev.EngineReady(engine_id)
        (pid,) = {child.pid for child in psutil.Process().children()} - before
        return psutil.Process(pid)

    def request(self, sql: str) -> TaskRequest:
        """A task that runs a query over table t."""
        plan = plan_of(context_over(1, t=self.bench.folder / "t"), sql)
        return self.bench.request(stage_of(plan, SCHEMA))


def _refuse(_: Wanted) -> bytes:
    raise TicketInvalidError("not registered")


@pytest.fixture
def made(tmp_path: Path) -> Iterator[_Pool]:
    """A pool without engines, with a table t of one file."""
    parquet_files(tmp_path / "t", [pa.table({"k": [1, 2, 3]})])
    pool = _Pool(tmp_path, _refuse)
    yield pool
    pool.pool.close()


def test_engine_tells_what_it_is_and_runs_one_task_after_the_other(made: _Pool) -> None:
    """The first engine brings the routing fingerprint; engines are used again."""
    process = made.engine()
    ready = made.ready.get(timeout=PATIENCE_S)
    found = []
    for _ in range(2):
        request = made.request("SELECT k FROM t WHERE k > 1")
        made.pool.run(1, request)
        event = made.next()
        assert isinstance(event, ev.TaskRan)
        assert event.task_id == request.task_id
        assert event.engine_usable
        found.append(rows(event.report.output)["k"].to_pylist())

    assert found == [[2, 3], [2, 3]]
    assert ready.engine_version == ENGINE_VERSION
    assert len(ready.routing_fingerprint) == 64
    assert process.is_running()


def test_large_task_arrives_whole(made: _Pool) -> None:
    """A fragment may be many megabytes; nobody waits until its engine has read it."""
    made.engine()
    kept = f"SELECT k FROM t WHERE '{'x' * 3_000_000}' <> arrow_cast(k, 'Utf8')"  # noqa: S608
    request = made.request(kept)
    assert len(request.stage.fragment.payload) > 3_000_000
    made.pool.run(1, request)
    event = made.next()

    assert isinstance(event, ev.TaskRan)
    assert event.report.output.rows == 3


def test_only_one_engine_is_asked_for_its_fingerprint(made: _Pool) -> None:
    """What is the same for all engines is found out once."""
    made.engine(1)
    made.engine(2)
    prints = [made.ready.get(timeout=PATIENCE_S).routing_fingerprint for _ in range(2)]

    assert len(prints[0]) == 64
    assert prints[1] == ""


def test_next_engine_is_asked_when_the_first_died_early(made: _Pool) -> None:
    """A fingerprint is had even if the first engine did not live to tell."""
    made.pool.start(1)
    wait_until(lambda: bool(psutil.Process().children()))
    (child,) = psutil.Process().children()
    child.kill()
    assert isinstance(made.next(), ev.EngineDied)
    made.engine(2)

    assert len(made.ready.get(timeout=PATIENCE_S).routing_fingerprint) == 64


@pytest.mark.parametrize(
    ("number", "said"), [(signal.SIGKILL, "SIGKILL"), (signal.SIGSEGV, "SIGSEGV")]
)
def test_engine_that_dies_is_a_lost_task(made: _Pool, number: int, said: str) -> None:
    """A crash names its signal, and running the task again may help."""
    process = made.engine()
    made.pool.run(1, made.request(ENDLESS))
    process.send_signal(number)
    died = made.next()

    assert isinstance(died, ev.EngineDied)
    assert died.failure.code == "TASK_LOST"
    assert died.failure.retryable
    assert said in died.failure.message


def test_engine_killed_for_memory_is_told_as_that(
    made: _Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that the kernel killed when memory ran out is not a crash."""
    process = made.engine()
    kills = process_pool._oom_kills()  # noqa: SLF001 - one more than now
    monkeypatch.setattr(process_pool, "_oom_kills", lambda: kills + 1)
    process.kill()
    died = made.next()

    assert isinstance(died, ev.EngineDied)
    assert died.failure.code == "OUT_OF_MEMORY"


def test_engine_beyond_its_share_is_noticed(made: _Pool, monkeypatch: pytest.MonkeyPatch) -> None:
    """An engine that took much more than its task's share is told, with the figures."""
    made.engine()
    made.pool.watch()
    monkeypatch.setattr(engine_memory, "ENGINE_BASE_BYTES", 0)
    made.pool.watch()
    assert made.told.empty(), "an idle engine has no share to outgrow"
    request = replace(made.request(ENDLESS), memory_bytes=1_000_000)
    made.pool.run(1, request)
    made.pool.watch()
    event = made.next()

    assert isinstance(event, ev.EngineOutgrew)
    assert event.failure.code == "OUT_OF_MEMORY"
    assert "1000000 bytes" in event.failure.message


def test_stopped_engine_is_gone_at_once_with_what_it_spilled(made: _Pool) -> None:
    """Killing is how a running task is stopped."""
    process = made.engine()
    spill = made.bench.roots.disk / "spill" / "1"
    assert spill.is_dir()
    made.pool.run(1, made.request(ENDLESS))
    made.pool.stop(1)
    died = made.next()

    assert isinstance(died, ev.EngineDied)
    assert is_gone(process.pid)
    assert not spill.exists()


def test_engine_stopped_while_it_starts_is_gone(made: _Pool) -> None:
    """An engine that is not wanted any more does not come."""
    made.pool.start(1)
    made.pool.stop(1)

    assert isinstance(made.next(), ev.EngineDied)
    assert not psutil.Process().children()


def test_closed_pool_has_no_process_and_tells_nothing(made: _Pool) -> None:
    """Closing waits until all engines are gone."""
    process = made.engine()
    made.pool.run(1, made.request(ENDLESS))
    made.pool.close()

    assert is_gone(process.pid)
    assert made.told.empty()
    made.pool.start(2)
    assert not psutil.Process().children()


def test_agent_writes_tickets_and_says_why_it_does_not(made: _Pool) -> None:
    """A task that cannot get a ticket for its input fails with the agent's reason."""
    made.engine()
    stage = stage_of(reads(SCHEMA, 1), SCHEMA)
    there = RemoteInput("j1/s0/t1#1", "e2", "127.0.0.1:1", (Partition(0, 1, 8),))
    inputs = (TaskInput(ExchangeKind.SINGLE, (there,)),)
    made.pool.run(1, replace(made.bench.request(stage), inputs=inputs))
    broke = made.next()

    assert isinstance(broke, ev.TaskBroke)
    assert broke.failure.code == "TICKET_INVALID"
    assert broke.engine_usable
