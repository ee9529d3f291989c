"""Local mode's parts: the driver with a link that is a function, and engines that are threads."""

import queue
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from executor_kit import context_over, parquet_files, plan_of, rows, stage_of
from fake_scheduler import PATIENCE_S, definition, launch, wait_until

from springald.error.v1 import error_pb2
from springald.errors import CancelledError
from springald.executor.v1 import executor_pb2 as pb
from springald_executor.adapters.scheduler_link import LocalLink
from springald_executor.adapters.thread_pool import InProcessPool
from springald_executor.core.agent import Agent
from springald_executor.core.records import Facts, Profile
from springald_executor.driver import ExecutorDriver
from springald_executor.engine.runner import ENGINE_VERSION, TaskRunner
from springald_executor.shuffle.space import Roots

SCHEMA = pa.schema([("k", pa.int64())])
FACTS = Facts("e1", "life", ENGINE_VERSION, "3.11", "any", "print", 2, 1_000, "", 1, "here")


@dataclass
class _Local:
    """An executor without a process, and what it said."""

    folder: Path
    said: "queue.SimpleQueue[pb.ConnectRequest]" = field(default_factory=queue.SimpleQueue)

    def __post_init__(self) -> None:
        self.roots = Roots(disk=self.folder / "disk")
        self.pool = InProcessPool(self.roots)
        profile = Profile("e1", 2, 256 * 1024 * 1024, 0, engines=2)
        link = LocalLink(self.said.put)
        self.driver = ExecutorDriver(Agent(profile), link, self.pool, self.roots)
        self.driver.begin()
        self.driver.register(FACTS)
        self.tell(registered=pb.Registered(ticket_key=bytes(32), allowed_paths=[str(self.folder)]))

    def tell(self, **message: Any) -> None:  # noqa: ANN401 - one of many
        self.driver.receive(pb.ConnectResponse(**message))

    def next(self, kind: str) -> Any:  # noqa: ANN401 - a message
        """The next message, which is of a kind."""
        message = self.said.get(timeout=PATIENCE_S)
        assert message.WhichOneof("message") == kind, message
        return getattr(message, kind)


@pytest.fixture
def local(tmp_path: Path) -> Iterator[_Local]:
    """An executor in this process, registered."""
    made = _Local(tmp_path)
    assert made.next("registration").executor_id == "e1"
    yield made
    made.driver.close()


def run(local: _Local, sql: str, task: str = "t1#1") -> None:
    """Launches a task that runs a query over the tables of the test."""
    context = context_over(1, t=local.folder / "t")
    stage = stage_of(plan_of(context, sql), SCHEMA)
    local.tell(define_stage=definition(stage))
    local.tell(launch_task=launch(task, 1))


def wait_running(local: _Local, task: str = "t1#1") -> None:
    """Waits until a task has an engine, which is told before the heartbeat that follows."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        local.driver.beat()
        message = local.said.get(timeout=PATIENCE_S)
        if message.WhichOneof("message") == "task_started":
            assert message.task_started.task_id == f"j1/s1/{task}"
            assert local.next("heartbeat").running_task_ids == [f"j1/s1/{task}"]
            return
    raise AssertionError(f"{task} does not begin")


def test_task_runs_in_a_thread_and_its_file_is_read_in_place(local: _Local) -> None:
    """Local mode is the same core and the same engine, without a child and without a socket."""
    parquet_files(local.folder / "t", [pa.table({"k": [1, 2, 3]})])
    run(local, "SELECT k FROM t WHERE k > 1")
    finished = local.next("task_finished")
    file = local.driver.find_output("j1", finished.task_id)

    assert file is not None
    assert rows(file)["k"].to_pylist() == [2, 3]
    local.driver.beat()
    assert local.next("heartbeat"), "what has ended is not said to have begun"
    local.tell(release_job=pb.ReleaseJob(job_id="j1"))
    wait_until(lambda: not Path(file.path).exists())


def test_cancelled_task_is_given_up_even_if_it_does_not_notice(
    local: _Local, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A thread cannot be killed; its attempt ends all the same, and the next one runs."""
    parquet_files(local.folder / "t", [pa.table({"k": [1]})])
    release = threading.Event()

    def deaf_run(*_: object) -> None:
        release.wait(PATIENCE_S)
        raise CancelledError("noticed late")

    with monkeypatch.context() as deaf:
        deaf.setattr(TaskRunner, "_run", deaf_run)
        run(local, "SELECT k FROM t")
        wait_running(local)
        local.tell(cancel_task=pb.CancelTask(task_id="j1/s1/t1#1"))
        failed = local.next("task_failed")

    assert failed.error.code == error_pb2.CODE_CANCELLED
    run(local, "SELECT k FROM t", "t2#1")
    assert local.next("task_finished").task_id == "j1/s1/t2#1"
    release.set()


def test_task_stops_at_its_next_batch(local: _Local) -> None:
    """A task that puts out batches notices at once that nobody wants them."""
    parquet_files(local.folder / "t", [pa.table({"k": range(100_000)})])
    run(local, "SELECT a.k FROM t a CROSS JOIN t b")
    wait_running(local)
    local.tell(cancel_task=pb.CancelTask(task_id="j1/s1/t1#1"))

    assert local.next("task_failed").error.code == error_pb2.CODE_CANCELLED
    wait_until(lambda: not list((local.folder / "disk").rglob("*.arrow")))


def test_failing_task_tells_its_error(local: _Local) -> None:
    """Errors are typed in local mode as they are on a cluster."""
    parquet_files(local.folder / "t", [pa.table({"k": [1, 0]})])
    run(local, "SELECT 1 / k AS k FROM t")

    assert local.next("task_failed").error.code == error_pb2.CODE_DIVISION_BY_ZERO
