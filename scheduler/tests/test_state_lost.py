"""A state that can be kept no more: everybody is told where it lies, and why (issue 6, 2)."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import pytest
from scheduler_kit import DEADLINE_S, FACTS, Executor, ScriptedPlanner, captured_logs, sql

import springald
from springald import job, job_watch
from springald.errors import IoFailedError, SchedulerUnavailableError
from springald.grpc_transport import GrpcTransport
from springald.scheduler.v1 import scheduler_pb2 as pb
from springald_scheduler import __main__ as process
from springald_scheduler.adapters.stores.interface import Put, StoreError
from springald_scheduler.adapters.stores.sqlite import SqliteStateStore
from springald_scheduler.settings import SchedulerSettings

FULL = "database or disk is full"
READ_ONLY = "attempt to write a readonly database"
PRAGMAS = {FULL: "max_page_count = 1", READ_ONLY: "query_only = 1"}


class _Planner(ScriptedPlanner):
    def __init__(self, *_: object, **__: object) -> None:
        super().__init__()

    def close(self) -> None:
        """Has nothing to close."""


@dataclass
class Running:
    """A scheduler over a file that may be spoilt."""

    path: Path
    address: str
    store: SqliteStateStore
    thread: threading.Thread
    raised: list[IoFailedError] = field(default_factory=list)

    def spoil(self, pragma: str) -> None:
        """Has sqlite itself refuse each write from now on."""
        table: Any = self.store._shelf  # noqa: SLF001 - a disk cannot be filled for one process
        table._connection.execute(f"PRAGMA {pragma}")  # noqa: SLF001
        for size in (3_000, 300, 30):
            # What is left of the last page.
            with suppress(StoreError):
                for number in count():
                    self.store.transact([], [Put(f"filling/{size}/{number}", bytes(size))])


@contextmanager
def running(path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    """Runs a scheduler's process in a thread, with a client that gives up soon."""
    opened: SimpleQueue[SqliteStateStore] = SimpleQueue()
    ready: SimpleQueue[str] = SimpleQueue()
    causes: SimpleQueue[str] = SimpleQueue()

    def open_store(_: str) -> SqliteStateStore:
        store = SqliteStateStore(path)
        opened.put(store)
        return store

    monkeypatch.setattr(process, "open_store", open_store)
    monkeypatch.setattr(process, "PlannerProcesses", _Planner)
    monkeypatch.setattr(process, "STATE_MS_MAX", 100)
    monkeypatch.setattr(process, "local_facts", lambda: FACTS)
    monkeypatch.setattr(process, "write_ready", lambda _, told: ready.put(told["address"]))
    monkeypatch.setattr(job_watch, "SCHEDULER_AWAY_MS_MAX", 2_000)
    settings = SchedulerSettings.model_validate(
        {"bind": "127.0.0.1:0", "state": f"sqlite:{path}", "ready_file": "ready"}
    )

    def serve() -> None:
        try:
            process.serve(settings, causes)
        except IoFailedError as error:
            started.raised.append(error)

    thread = threading.Thread(target=serve)
    thread.start()
    started = Running(path, ready.get(timeout=DEADLINE_S), opened.get(timeout=DEADLINE_S), thread)
    try:
        yield started
    finally:
        causes.put("the end of the test")
        thread.join(DEADLINE_S)
        assert not thread.is_alive()


@pytest.mark.parametrize("reason", PRAGMAS)
def test_state_that_cannot_be_written_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reason: str
) -> None:
    """The file and what is wrong with it: to who submits, who follows, who calls, and the log."""
    path = tmp_path / "state.db"
    with (
        captured_logs() as logs,
        running(path, monkeypatch) as scheduler,
        springald.connect(f"springald://{scheduler.address}") as con,
        Executor(scheduler.address, automatic=False) as executor,
    ):
        followed = con.execute_plan(sql("SELECT 1"))
        executor.wait("launch_task")
        scheduler.spoil(PRAGMAS[reason])
        for call in (lambda: con.execute_plan(sql("SELECT 2")), followed.result):
            with pytest.raises(SchedulerUnavailableError) as told:
                call()
            assert f"kept in {path}: got {reason}" in str(told.value)
    (raised,) = scheduler.raised
    assert f"kept in {path}: got {reason}" in raised.message
    lines = [each for each in logs if each["event"] == "state is not kept"]
    assert [f"{path}: got {reason}" in each["reason"] for each in lines] == [True]


def test_statement_that_is_not_accepted_in_time_tells_what_it_began_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its time may be over before a scheduler was looked for long enough."""
    path = tmp_path / "state.db"
    with (
        running(path, monkeypatch) as scheduler,
        springald.connect(f"springald://{scheduler.address}") as con,
    ):
        monkeypatch.setattr(job_watch, "SCHEDULER_AWAY_MS_MAX", 60_000)
        monkeypatch.setattr(job, "CALL_MS_MAX", 4_000)
        scheduler.spoil(PRAGMAS[FULL])
        with pytest.raises(SchedulerUnavailableError) as told:
            con.execute_plan(sql("SELECT 1"))
        assert f"kept in {path}: got {FULL}" in str(told.value)


def test_call_that_is_made_again_tells_what_it_began_with(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A caller that waited for a scheduler in vain is told why the last one went."""
    path = tmp_path / "state.db"
    with running(path, monkeypatch) as scheduler:
        transport = GrpcTransport(scheduler.address)
        version = pb.ProtocolVersion(major=1)
        opened = transport.open_session(pb.OpenSessionRequest(protocol_version=version))
        scheduler.spoil(PRAGMAS[READ_ONLY])
        with pytest.raises(SchedulerUnavailableError, match="must be reachable") as told:
            transport.close_session(pb.CloseSessionRequest(session_id=opened.session_id))
        transport.close()
    assert told.value.cause
    assert f"kept in {path}: got {READ_ONLY}" in told.value.cause.message
