"""A real executor process with real engines, and a scheduler that only keeps its stream."""

import platform
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pyarrow as pa
import pytest
from executor_kit import context_over, hashed, parquet_files, plan_of, reads, stage_of
from fake_scheduler import (
    KEY,
    Executor,
    FakeScheduler,
    Stream,
    definition,
    is_gone,
    kill,
    launch,
    location,
    read_result,
    start_executor,
    wait_until,
)
from pyarrow import flight

from springald.error.v1 import error_pb2
from springald.executor.v1 import executor_pb2 as pb
from springald.limits import PROTOCOL_MAJOR
from springald.tickets import sign
from springald_executor.core.model import ExchangeKind, InputDefinition
from springald_executor.engine.runner import ENGINE_VERSION

SCHEMA = pa.schema([("k", pa.int64()), ("v", pa.string())])
ENDLESS = "SELECT sum(a.value * b.value) AS k FROM generate_series(1, 1000000) a, "
ENDLESS += "generate_series(1, 1000000) b"

Start = Callable[..., Executor]


@pytest.fixture
def scheduler(tmp_path: Path) -> Iterator[FakeScheduler]:
    """A scheduler that allows files below the test's folder."""
    with FakeScheduler([tmp_path]) as running:
        yield running


@pytest.fixture
def start(scheduler: FakeScheduler, tmp_path: Path) -> Iterator[Start]:
    """Starts executors, and sees to it that none outlives the test."""
    started: list[Executor] = []

    def begin(name: str = "e1", *arguments: str, **options: Any) -> Executor:  # noqa: ANN401
        executor = start_executor(scheduler.address, tmp_path, name, *arguments, **options)
        started.append(executor)
        return executor

    yield begin
    for executor in started:
        if executor.process.poll() is None:
            executor.process.kill()
            executor.process.wait()
        if executor.process.stdin is not None:
            executor.process.stdin.close()


@pytest.fixture
def scan(tmp_path: Path) -> Any:  # noqa: ANN401 - a plan
    """A scan of two files with 100 rows each."""
    rows = [
        pa.table({"k": range(n, n + 100), "v": [f"v{k}" for k in range(100)]}) for n in (0, 100)
    ]
    parquet_files(tmp_path / "t", rows)
    context = context_over(2, t=tmp_path / "t")
    return plan_of(context, "SELECT k, arrow_cast(v, 'Utf8') AS v FROM t")


def endless(stage_id: int = 9) -> pb.DefineStage:
    """A stage that computes for ever."""
    plan = plan_of(context_over(1), ENDLESS)
    return definition(stage_of(plan, pa.schema([("k", pa.int64())]), stage_id=stage_id))


def about(task: str) -> Callable[[Any], bool]:
    """Matches messages about a task."""
    return lambda message: task in message.task_id


def run_forever(stream: Stream, task: str = "t1#1") -> str:
    """Launches an endless task and waits until it runs."""
    stream.tell(define_stage=endless())
    stream.tell(launch_task=launch(task, 9))
    stream.wait("task_started", lambda message: message.task_id == f"j1/s9/{task}")
    return f"j1/s9/{task}"


def run_scan(stream: Stream, scan: Any, task: str = "t1#1") -> pb.TaskFinished:  # noqa: ANN401
    """Runs the first partition of a scan as stage 1."""
    stream.tell(define_stage=definition(stage_of(scan, SCHEMA)))
    stream.tell(launch_task=launch(task, 1))
    finished: pb.TaskFinished = stream.wait(
        "task_finished", lambda message: message.task_id == f"j1/s1/{task}"
    )
    return finished


def test_executor_says_what_it_is(scheduler: FakeScheduler, start: Start) -> None:
    """The first message is a registration with all that a scheduler compares (P4.1, P4.2)."""
    executor = start()
    said = scheduler.executor().wait("registration")
    ready = executor.wait_ready()

    assert said.protocol_version.major == PROTOCOL_MAJOR
    assert said.engine_version == ENGINE_VERSION
    assert said.python_version == f"{sys.version_info.major}.{sys.version_info.minor}"
    assert said.architecture == platform.machine()
    assert len(said.routing_fingerprint) == 64
    assert (said.slots, said.memory_bytes) == (1, 256 * 1024 * 1024)
    assert (said.executor_id, said.pid) == ("e1", executor.process.pid)
    assert ready == {
        "executor_id": "e1",
        "flight_address": said.flight_address,
        "pid": executor.process.pid,
    }


def test_executor_sends_signs_of_life_while_it_computes(
    scheduler: FakeScheduler, start: Start
) -> None:
    """Heartbeats are counted, name the running attempts, and do not wait for work."""
    start()
    stream = scheduler.executor()
    task_id = run_forever(stream)
    first = stream.wait("heartbeat", lambda beat: list(beat.running_task_ids) == [task_id])
    later = stream.wait("heartbeat", lambda beat: beat.sequence == first.sequence + 3)

    assert list(later.running_task_ids) == [task_id]


@pytest.mark.parametrize("flag", ["--read-in-place", "--no-read-in-place"])
def test_two_executors_shuffle_and_a_client_reads_the_result(
    scheduler: FakeScheduler,
    start: Start,
    scan: Any,  # noqa: ANN401
    flag: str,
) -> None:
    """A task reads the outputs of its own executor in place and those of another over Flight."""
    executors = {}
    for name in ("e1", "e2"):
        executor = start(name, flag)
        executors[name] = (scheduler.executor(), executor.wait_ready())
    produce = stage_of(
        hashed(scan, "k", 0, 4), SCHEMA, output=ExchangeKind.HASH, output_partitions=4
    )
    made = []
    for number, (stream, ready) in enumerate(executors.values()):
        stream.tell(define_stage=definition(produce))
        stream.tell(launch_task=launch(f"t{number}#1", 1, [number]))
        made.append(location(stream.wait("task_finished"), ready))
    inputs = (InputDefinition(ExchangeKind.HASH, ()),)
    consume = definition(stage_of(reads(SCHEMA, 4), SCHEMA, stage_id=2, inputs=inputs), [made])
    values, remote = [], 0
    for number, (stream, ready) in enumerate(executors.values()):
        parts = [2 * number, 2 * number + 1]
        stream.tell(define_stage=consume)
        stream.tell(launch_task=launch(f"t{number}#1", 2, parts))
        done = stream.wait("task_finished", lambda message: "/s2/" in message.task_id)
        table = read_result(ready, *((done.task_id, part) for part in parts))
        values.extend(table["k"].to_pylist())
        remote += done.bytes_read_remote
        assert done.bytes_read_local > 0

    assert sorted(values) == list(range(200))
    assert (remote > 0) == (flag == "--no-read-in-place")


@pytest.mark.parametrize("flag", ["--read-in-place", "--no-read-in-place"])
def test_broadcast_output_is_fetched_once(
    scheduler: FakeScheduler,
    start: Start,
    scan: Any,  # noqa: ANN401
    flag: str,
) -> None:
    """The second task of an executor reads the copy, or link, that the first one made."""
    start("e1", flag)
    one = scheduler.executor()
    ready = start("e2").wait_ready()
    two = scheduler.executor()
    two.tell(define_stage=definition(stage_of(scan, SCHEMA, output=ExchangeKind.BROADCAST)))
    two.tell(launch_task=launch("t1#1", 1, [0, 1]))
    made = location(two.wait("task_finished"), ready)
    inputs = (InputDefinition(ExchangeKind.BROADCAST, ()),)
    one.tell(
        define_stage=definition(
            stage_of(reads(SCHEMA, 1), SCHEMA, stage_id=2, inputs=inputs), [[made]]
        )
    )
    read = []
    for task in ("t1#1", "t2#1"):
        one.tell(launch_task=launch(task, 2))
        done = one.wait("task_finished", about(task))
        assert done.sizes.rows == [200]
        read.append((done.bytes_read_local > 0, done.bytes_read_remote > 0))
        if task == "t1#1":
            kill(ready["pid"])  # what the first task got of it is enough for the second

    first = (True, False) if flag == "--read-in-place" else (False, True)
    assert read == [first, (True, False)]


def test_lost_peer_is_a_failed_fetch(
    scheduler: FakeScheduler,
    start: Start,
    scan: Any,  # noqa: ANN401
) -> None:
    """A task whose input's executor is gone names the attempt, at once, and the next one runs."""
    start("e1")
    one = scheduler.executor()
    lost = start("e2")
    ready = lost.wait_ready()
    made = location(run_scan(scheduler.executor(), scan), ready)
    lost.process.kill()
    lost.exit_code()
    inputs = (InputDefinition(ExchangeKind.SINGLE, ()),)
    consume = stage_of(reads(SCHEMA, 1), SCHEMA, stage_id=2, inputs=inputs)
    one.tell(define_stage=definition(consume, [[made]]))
    one.tell(launch_task=launch("t1#1", 2))
    failed = one.wait("task_failed")

    assert failed.error.code == error_pb2.CODE_FETCH_FAILED
    assert failed.error.retryable
    assert failed.lost_task_id == made.task_id
    assert run_scan(one, scan).sizes.rows[0] == 100


def test_cancelled_task_stops_and_leaves_no_file(
    scheduler: FakeScheduler,
    start: Start,
    scan: Any,  # noqa: ANN401
) -> None:
    """Cancelling kills the engine; its slot and files are free and the next task runs (P3.4)."""
    executor = start()
    stream = scheduler.executor()
    task_id = run_forever(stream)
    (engine,) = executor.engines()
    stream.tell(cancel_task=pb.CancelTask(task_id=task_id))
    failed = stream.wait("task_failed")

    assert failed.task_id == task_id
    assert failed.error.code == error_pb2.CODE_CANCELLED
    assert is_gone(engine.pid)
    wait_until(lambda: not [p for each in executor.folders() for p in each.rglob("*.arrow")])
    assert run_scan(stream, scan).sizes.rows[0] == 100


def test_killed_engine_costs_its_task_alone(
    scheduler: FakeScheduler,
    start: Start,
    scan: Any,  # noqa: ANN401
) -> None:
    """A crash is told as a lost task; outputs stay, the other task goes on, the next one runs."""
    executor = start("e1", "--slots", "2")
    ready = executor.wait_ready()
    stream = scheduler.executor()
    kept = run_scan(stream, scan)
    first = run_forever(stream, "t1#1")
    wait_until(lambda: sum(map(_computes, executor.engines())) == 1)
    (victim,) = [engine for engine in executor.engines() if not _computes(engine)]
    second = run_forever(stream, "t2#1")
    wait_until(lambda: _computes(victim))
    kill(victim.pid)
    failed = stream.wait("task_failed")

    assert failed.task_id == second
    assert failed.error.code == error_pb2.CODE_TASK_LOST
    assert failed.error.retryable
    assert failed.error.executor_id == "e1"
    assert read_result(ready, (kept.task_id, 0)).num_rows == 100
    assert run_scan(stream, scan, "t2#1").sizes.rows[0] == 100
    beat = stream.wait("heartbeat", lambda beat: list(beat.running_task_ids) == [first])
    assert beat.sequence > 0


def _computes(engine: psutil.Process) -> bool:
    """True if an engine has used a processor for longer than starting takes it."""
    return sum(engine.cpu_times()[:2]) > 2.0


def test_failing_task_tells_its_error(scheduler: FakeScheduler, start: Start) -> None:
    """An error of data comes typed, with its task, and the engine is used again."""
    executor = start()
    stream = scheduler.executor()
    (engine,) = executor.engines()
    plan = plan_of(context_over(1), "SELECT 1 / (value - value) AS k FROM generate_series(1, 2)")
    stream.tell(define_stage=definition(stage_of(plan, pa.schema([("k", pa.int64())]))))
    for task in ("t1#1", "t2#1"):
        stream.tell(launch_task=launch(task, 1))
        failed = stream.wait("task_failed", about(task))
        assert failed.error.code == error_pb2.CODE_DIVISION_BY_ZERO
        assert failed.error.node_id == failed.task_id

    assert [each.pid for each in executor.engines()] == [engine.pid]


def test_released_job_keeps_no_file(
    scheduler: FakeScheduler,
    start: Start,
    scan: Any,  # noqa: ANN401
) -> None:
    """Releasing removes a job's outputs from memory and disk."""
    executor = start()
    stream = scheduler.executor()
    run_scan(stream, scan)
    folders = executor.folders()
    assert [path for each in folders for path in each.rglob("*.arrow")]
    stream.tell(release_job=pb.ReleaseJob(job_id="j1"))

    wait_until(lambda: not [path for each in folders for path in each.glob("jobs/*")])


def test_upload_is_stored_and_told(scheduler: FakeScheduler, start: Start) -> None:
    """A client's rows are stored by ticket, and the scheduler hears of them."""
    executor = start()
    stream = scheduler.executor()
    ready = executor.wait_ready()
    claims = pb.TicketClaims(expires_ms=2**62, store_upload=pb.StoreUpload(upload_id="u1"))
    table = pa.table({"a": range(10)})
    with flight.connect(f"grpc://{ready['flight_address']}") as client:
        descriptor = flight.FlightDescriptor.for_command(sign(claims, KEY))
        writer, _ = client.do_put(descriptor, table.schema)
        with writer:
            writer.write_table(table)
            none = pa.RecordBatch.from_pylist([], schema=table.schema)
            writer.write_with_metadata(none, b"complete")
    stored = stream.wait("upload_stored")

    assert (stored.upload_id, stored.rows, stored.partition_count) == ("u1", 10, 1)
    stream.tell(release_upload=pb.ReleaseUpload(upload_id="u1"))
    folders = executor.folders()
    wait_until(lambda: not [path for each in folders for path in each.glob("uploads/*")])


def test_killed_agent_leaves_neither_process_nor_file(
    scheduler: FakeScheduler,
    start: Start,
    scan: Any,  # noqa: ANN401
) -> None:
    """Engines end with their agent, also in the middle of work, and the folders go with them."""
    executor = start("e1", "--slots", "2")
    stream = scheduler.executor()
    run_scan(stream, scan)
    run_forever(stream)
    folders = executor.folders()
    family = psutil.Process(executor.process.pid).children(recursive=True)
    assert len(family) == 3, "two engines and the janitor"
    assert [path for each in folders for path in each.rglob("*.arrow")]
    executor.process.kill()
    executor.exit_code()

    wait_until(lambda: all(is_gone(child.pid) for child in family))
    assert not any(folder.exists() for folder in folders)


def test_terminated_executor_finishes_its_task_and_leaves(
    scheduler: FakeScheduler, start: Start, tmp_path: Path
) -> None:
    """SIGTERM drains: no new task, the running one ends, then the process, with its files."""
    executor = start()
    stream = scheduler.executor()
    folders = executor.folders()
    family = psutil.Process(executor.process.pid).children(recursive=True)
    # A start is told with a heartbeat: the task must still run then.
    slow = "SELECT sum(a.value * b.value) AS k FROM generate_series(1, 60000) a, "
    plan = plan_of(context_over(1), f"{slow} generate_series(1, 60000) b")
    stream.tell(define_stage=definition(stage_of(plan, pa.schema([("k", pa.int64())]))))
    stream.tell(launch_task=launch("t1#1", 1))
    stream.wait("task_started")
    executor.terminate()
    stream.wait("drain_requested")
    stream.tell(launch_task=launch("t2#1", 1))
    refused = stream.wait("task_failed")
    finished = stream.wait("task_finished")
    stream.wait_end()

    assert refused.error.code == error_pb2.CODE_EXECUTOR_LOST
    assert finished.task_id == "j1/s1/t1#1"
    assert executor.exit_code() == 0, executor.log
    assert not any(folder.exists() for folder in folders)
    assert all(is_gone(child.pid) for child in family)
    assert not list((tmp_path / "e1/work").iterdir())


def test_second_signal_stops_at_once(scheduler: FakeScheduler, start: Start) -> None:
    """Who does not want to wait for a drain signals again."""
    executor = start()
    stream = scheduler.executor()
    run_forever(stream)
    folders = executor.folders()
    executor.terminate()
    stream.wait("drain_requested")
    executor.terminate()

    assert executor.exit_code() == 0, executor.log
    assert not any(folder.exists() for folder in folders)


def test_end_of_standard_input_stops_at_once(scheduler: FakeScheduler, start: Start) -> None:
    """An executor that was told to does not outlive who started it."""
    executor = start("e1", "--stop-on-stdin-eof", stdin=subprocess.PIPE)
    run_forever(scheduler.executor())
    assert executor.process.stdin is not None
    executor.process.stdin.close()

    assert executor.exit_code() == 0, executor.log


def test_lost_scheduler_is_called_again(
    scheduler: FakeScheduler,
    start: Start,
    tmp_path: Path,
    scan: Any,  # noqa: ANN401
) -> None:
    """An executor comes back by itself, with its attempts running and its outputs kept."""
    executor = start()
    stream = scheduler.executor()
    ready = executor.wait_ready()
    kept = run_scan(stream, scan)
    running = run_forever(stream)
    scheduler.stop()
    with FakeScheduler([tmp_path], port=scheduler.port) as second:
        back = second.executor()
        first = stream.wait("registration")
        again = back.wait("registration")
        assert (again.executor_id, again.incarnation) == (first.executor_id, first.incarnation)
        assert read_result(ready, (kept.task_id, 0)).num_rows == 100
        assert list(again.running_task_ids) == [running]
        assert list(again.finished_task_ids) == [kept.task_id]
        assert back.wait("task_finished") == kept
        back.tell(cancel_task=pb.CancelTask(task_id=running))
        back.wait("task_failed", lambda message: message.task_id == running)
        assert run_scan(back, scan, "t2#1").sizes.rows[0] == 100
        # It does not leave while somebody may want to read what it holds.
        back.tell(release_job=pb.ReleaseJob(job_id="j1"))
        executor.terminate()
        assert executor.exit_code() == 0, executor.log


def test_executor_waits_for_a_scheduler_that_is_not_there_yet(tmp_path: Path) -> None:
    """The order in which processes start does not matter."""
    with socket.create_server(("127.0.0.1", 0)) as reserved:
        port = reserved.getsockname()[1]
    executor = start_executor(f"127.0.0.1:{port}", tmp_path, "e1")
    try:
        wait_until(lambda: "scheduler is not connected" in executor.log)
        with FakeScheduler([tmp_path], port=port) as late:
            late.executor()
            executor.wait_ready()
            executor.terminate()
            assert executor.exit_code() == 0, executor.log
    finally:
        executor.process.kill()
        executor.process.wait()


def test_refused_executor_says_why_and_ends(scheduler: FakeScheduler, start: Start) -> None:
    """An executor that does not fit the cluster ends with the scheduler's reason (P4.2)."""
    scheduler.refusal = error_pb2.Error(
        code=error_pb2.CODE_ENGINE_MISMATCH,
        fault=error_pb2.FAULT_CLUSTER,
        message="engines have one version: got another",
    )
    executor = start()

    assert executor.exit_code() == 4
    assert "[ENGINE_MISMATCH] engines have one version: got another" in executor.log
    assert not executor.ready_file.exists()


def test_taken_port_is_told_and_ends_the_executor(scheduler: FakeScheduler, start: Start) -> None:
    """A Flight port in use is an error at the start, not a silent other port."""
    executor = start("e1", "--flight-port", str(scheduler.port))

    assert executor.exit_code() == 3
    assert "[ADDRESS_IN_USE]" in executor.log
    assert not list(executor.work_dir.iterdir())


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["--slots", "0"], "--slots: Input should be greater than or equal to 1"),
        (["--memory", "much"], "--memory: bytes are a number with a unit"),
        (["--bind", "0.0.0.0"], "add --insecure if the network is trusted"),  # noqa: S104
        (["--executor-id", "a/b"], "--executor-id"),
    ],
)
def test_wrong_arguments_are_told_and_end_the_executor(
    start: Start, arguments: list[str], complaint: str
) -> None:
    """A mistake at the command line is exit code 2 and a sentence."""
    executor = start("e1", *arguments)

    assert executor.exit_code() == 2
    assert complaint in executor.log
    assert "Traceback" not in executor.log
