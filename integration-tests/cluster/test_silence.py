"""Nobody says anything: executors that hang, clients that went away, sessions left open."""

import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import grpc
import psutil
import pytest

import springald
from cluster.fixtures import started_in
from cluster.footprint import Footprint, wait_computing
from cluster.health import slots_free, slots_total, wait_executors
from cluster.occupied import start_busy
from cluster.raw import fetch, raw_session, rpc_error
from cluster.tables import BUSY, SUMS, sums
from cluster.waiting import Stopwatch, wait_until
from springald import JobStatus
from springald.errors import InputLostError, SessionNotFoundError
from springald.scheduler.v1 import scheduler_pb2 as pb

_EXECUTOR_S = 2.0
_LAST_NICE = 19
_SESSION_S = 3.0
_UNWATCHED_S = 2.0


@pytest.fixture(scope="module")
def footprint(tmp_path_factory: pytest.TempPathFactory) -> Footprint:
    """Looks at the module's own cluster from outside."""
    return Footprint(tmp_path_factory.mktemp("own"))


@pytest.fixture(scope="module")
def cluster(footprint: Footprint) -> Iterator[springald.LocalCluster]:
    """A cluster with little patience."""
    with started_in(
        footprint,
        executor_timeout=str(_EXECUTOR_S),
        session_timeout=str(_SESSION_S),
        unwatched_job_timeout=str(_UNWATCHED_S),
    ) as started:
        yield started


def test_executor_that_hangs_is_lost_and_may_come_back(
    patient: springald.LocalCluster, con: springald.Connection, busy: Path
) -> None:
    """An executor that is silent for the named limit is lost, and its tasks move (P4.3, P4.4).

    When it speaks again it is taken back, without the tasks that it still ran.
    """
    hung = patient.executors[1]
    job = start_busy(con, busy)
    watch = Stopwatch()
    psutil.Process(hung.pid).send_signal(signal.SIGSTOP)
    try:
        wait_until(lambda: len(con.executors()) == 1, "the silent executor is lost")
        assert watch.elapsed_s > _EXECUTOR_S / 2
        assert [executor.id for executor in con.executors()] == [patient.executors[0].executor_id]
        assert job.status is JobStatus.RUNNING
        assert hung.executor_id not in {
            task.executor_id for task in job.statistics().tasks if task.state == "running"
        }
        job.cancel()
        assert con.sql(SUMS).to_pydict() == sums()
    finally:
        psutil.Process(hung.pid).send_signal(signal.SIGCONT)
    wait_executors(con, patient)
    wait_until(lambda: slots_free(con) == slots_total(con), "all slots are free")


def test_executor_that_is_busy_is_never_lost(
    patient: springald.LocalCluster, con: springald.Connection, busy: Path
) -> None:
    """An agent speaks in time however much its engine computes beside it (P4.3).

    Both are put on one processor, which the engine takes first, and the silence that is allowed is
    a fifth of the usual one.
    """
    agent = psutil.Process(patient.executors[0].pid)
    processes = [agent, *agent.children(recursive=True)]
    before = {each: (each.cpu_affinity(), each.nice()) for each in processes}
    job = start_busy(con, busy)
    try:
        for each in processes:
            each.cpu_affinity([before[agent][0][0]])
        agent.nice(_LAST_NICE)
        engine = wait_computing(agent)
        began_s, silent_ms = _computed_s(engine), [0]

        def has_computed() -> bool:
            listed = {each.id: each.silent_ms for each in con.executors()}
            silent_ms.append(listed[patient.executors[0].executor_id])
            return _computed_s(engine) > began_s + 3 * _EXECUTOR_S

        wait_until(has_computed, "the engine has computed for long", 60)
        assert max(silent_ms) < _EXECUTOR_S * 1000
        assert all("#2" not in each.task_id for each in job.statistics().tasks)
    finally:
        for each, (processors, nice) in before.items():
            each.cpu_affinity(processors)
            each.nice(nice)
        job.cancel()


def _computed_s(process: psutil.Process) -> float:
    return float(process.cpu_times().user)


def test_session_without_a_client_expires(patient: springald.LocalCluster) -> None:
    """A session that nobody speaks of for its lease ends, and its results go; others live on.

    A client speaks of its session without being asked.
    """
    with patient.connect() as con, raw_session(patient) as silent:
        con.register("mine", {"a": [1, 2, 3]})
        part = silent.part("SELECT value FROM generate_series(1, 10)", "ten")
        watch = Stopwatch()
        assert fetch(part.flight_address, part.ticket).num_rows == 10
        wait_until(
            lambda: not _is_served(part), "the silent session's result is gone", 4 * _SESSION_S
        )
        assert watch.elapsed_s > _SESSION_S / 2
        with pytest.raises(grpc.RpcError) as raised:
            silent.stub.KeepSession(pb.KeepSessionRequest(session_id=silent.id), timeout=10)
        assert isinstance(rpc_error(raised.value), SessionNotFoundError)
        assert con.table("mine").count() == 3


def _is_served(part: pb.ResultPart) -> bool:
    try:
        fetch(part.flight_address, part.ticket)
    except InputLostError:
        return False
    return True


_CLIENT = """
    import sys
    import springald

    con = springald.connect(sys.argv[1], **{"springald.distribution": "always"})
    con.register_parquet("busy", sys.argv[2])
    con.sql(sys.argv[3]).execute().wait()
"""


def test_job_of_a_client_that_died_is_cancelled(
    patient: springald.LocalCluster, busy: Path
) -> None:
    """A job that nobody watches any more is cancelled after the named limit."""
    command = [sys.executable, "-c", textwrap.dedent(_CLIENT), patient.url, str(busy), BUSY]
    with patient.connect() as con, subprocess.Popen(command) as client:
        try:
            wait_until(lambda: slots_free(con) == 0, "the client's query is at work")
            (job,) = [job for job in con.jobs(all_sessions=True) if not job.status.is_final]
        finally:
            client.kill()
        client.wait()

        def ended() -> springald.JobInfo | None:
            (now,) = [known for known in con.jobs(all_sessions=True) if known.id == job.id]
            return now if now.status.is_final else None

        now = wait_until(ended, "the job has ended", 5 * _UNWATCHED_S)
        assert now is not None
        assert now.status is JobStatus.CANCELLED
        wait_until(lambda: slots_free(con) == slots_total(con), "all slots are free")
