"""Clusters start, lose processes, stop, and leave nothing behind."""

import json
import signal
import socket
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

import springald
from cluster.footprint import Footprint, lives, wait_computing
from cluster.health import assert_healthy, wait_executors
from cluster.occupied import occupied, start_busy
from cluster.tables import BUSY, SPREAD, SUMS, sum_of, sums
from cluster.waiting import wait_until
from springald.errors import (
    AddressInUseError,
    CancelledError,
    InvalidArgumentError,
    SchedulerRestartedError,
    SchedulerUnavailableError,
    SessionNotFoundError,
)

# An agent and an engine process for each executor, a scheduler, and its planner.
_PROCESSES_MIN = 6


class _BodyError(Exception):
    """What goes wrong in the body of a `with`."""


@pytest.fixture(autouse=True)
def _temporary_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a process leaves in the folder for temporary files is found by the tests."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))


def test_cluster_that_is_left_leaves_nothing(tmp_path: Path, numbers: Path) -> None:
    """Leaving a cluster ends all its processes and removes all its files, results included."""
    footprint = Footprint(tmp_path)
    with springald.LocalCluster(executors=2, slots=1, work_dir=tmp_path) as cluster:
        assert_healthy(cluster, numbers)
        with cluster.connect(**SPREAD) as con:
            con.register("kept", {"a": [1, 2, 3]})
            job = con.sql("SELECT * FROM kept").execute()
            assert job.wait(10) is springald.JobStatus.SUCCEEDED
            footprint.assert_alive(_PROCESSES_MIN)
            assert footprint.rows_files()
    assert footprint.processes() == []
    assert footprint.files() == []


def test_cluster_whose_body_raises_leaves_nothing(tmp_path: Path, busy: Path) -> None:
    """An exception in the body ends a cluster as well, in the middle of a query."""
    footprint = Footprint(tmp_path)

    def use_cluster() -> None:
        with (
            springald.LocalCluster(executors=2, slots=1, work_dir=tmp_path) as cluster,
            occupied(cluster, busy),
        ):
            footprint.assert_alive(_PROCESSES_MIN)
            raise _BodyError

    with pytest.raises(_BodyError):
        use_cluster()
    assert footprint.processes() == []
    assert footprint.files() == []


def test_cluster_that_does_not_start_leaves_nothing(tmp_path: Path) -> None:
    """A port in use is said, with the port, and what was started before is gone."""
    footprint = Footprint(tmp_path)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(AddressInUseError, match=str(port)):
            springald.LocalCluster(executors=1, work_dir=tmp_path, port=port)
    assert footprint.processes() == []
    assert footprint.files() == []


@pytest.mark.parametrize(("executors", "slots"), [(-1, 1), (1, 0)])
def test_cluster_of_impossible_size_is_refused(executors: int, slots: int) -> None:
    """A cluster has no executor or more, and each of them a slot or more."""
    with pytest.raises(InvalidArgumentError, match=rf"{executors} executors and {slots} slots"):
        springald.LocalCluster(executors=executors, slots=slots)


def test_executor_killed_mid_query_moves_its_tasks_and_leaves_nothing(
    tmp_path: Path, numbers: Path, busy: Path
) -> None:
    """Kill -9 of an executor costs the attempts that ran there, which run elsewhere (P4.3, P4.4).

    Its engine processes go with it at once, its files with the cluster.
    """
    footprint = Footprint(tmp_path)
    with springald.LocalCluster(executors=3, slots=1, work_dir=tmp_path) as cluster:
        victim = cluster.executors[1]
        name = victim.executor_id
        engines = psutil.Process(victim.pid).children(recursive=True)
        with occupied(cluster, busy) as job:
            assert engines
            victim.kill()
            assert not victim.is_alive
            wait_until(
                lambda: name not in {task.executor_id for task in job.statistics().tasks},
                "nothing of the query is left to the killed executor",
            )
            assert job.status is springald.JobStatus.RUNNING
            wait_until(
                lambda: not any(map(lives, engines)),
                "the engine processes of a killed executor end",
            )
        assert_healthy(cluster, numbers)
        assert [executor.is_alive for executor in cluster.executors] == [True, False, True]
    assert footprint.processes() == []
    assert footprint.files() == []


def test_cluster_that_stops_tells_those_who_wait(tmp_path: Path, busy: Path) -> None:
    """A client whose job ends because the cluster stops hears that, not what stopped first."""
    cluster = springald.LocalCluster(executors=1, slots=1, work_dir=tmp_path)
    with cluster, cluster.connect(**SPREAD) as con:
        job = start_busy(con, busy)
        queued = con.sql("SELECT 1").execute()
        cluster.close()
        for ended in (job, queued):
            with pytest.raises(CancelledError, match="the cluster stops"):
                ended.result()


def test_scheduler_killed_leaves_nothing(tmp_path: Path, numbers: Path) -> None:
    """Kill -9 of the scheduler is told within seconds, and the cluster can still be left."""
    footprint = Footprint(tmp_path)
    with springald.LocalCluster(executors=2, slots=1, work_dir=tmp_path) as cluster:
        assert_healthy(cluster, numbers)
        footprint.assert_alive(_PROCESSES_MIN)
        cluster.scheduler.kill()
        assert not cluster.scheduler.is_alive
        with pytest.raises(SchedulerUnavailableError, match=r"127\.0\.0\.1"):
            cluster.connect()
        assert all(executor.is_alive for executor in cluster.executors)
    assert footprint.processes() == []
    assert footprint.files() == []


def test_scheduler_killed_while_it_plans_leaves_nothing(tmp_path: Path, numbers: Path) -> None:
    """Planner processes end with their scheduler, also in the middle of a statement."""
    footprint = Footprint(tmp_path)
    with springald.LocalCluster(executors=0, slots=1, work_dir=tmp_path) as cluster:
        with cluster.connect() as con:
            con.register_parquet("numbers", numbers)
            con.sql(sum_of(5_000)).execute()
            planner = wait_computing(psutil.Process(cluster.scheduler.pid))
            cluster.scheduler.kill()
        wait_until(lambda: not lives(planner), "the planner is gone", 5.0)
    assert footprint.processes() == []
    assert footprint.files() == []


def test_scheduler_restarted_mid_query_finds_its_executors(
    tmp_path: Path, numbers: Path, busy: Path
) -> None:
    """A restarted scheduler listens where it did and has its executors back.

    It says plainly that it knows the old sessions and jobs no more; what they ran is stopped.
    """
    with (
        springald.LocalCluster(executors=2, slots=1, work_dir=tmp_path) as cluster,
        cluster.connect(**SPREAD) as con,
    ):
        url, pid = cluster.url, cluster.scheduler.pid
        job = start_busy(con, busy)
        again = cluster.restart_scheduler()
        assert again is cluster.scheduler
        assert (again.pid != pid, cluster.url) == (True, url)
        assert job.wait(20) is springald.JobStatus.FAILED
        assert isinstance(job.error, SchedulerRestartedError)
        with pytest.raises((SchedulerRestartedError, SessionNotFoundError)):
            con.sql(SUMS).to_arrow()
        assert_healthy(cluster, numbers)


def test_executor_added_takes_tasks_and_finishes_them_when_terminated(
    tmp_path: Path, numbers: Path, busy: Path
) -> None:
    """An executor that is added later works like the others, with the slots that it was given.

    SIGTERM drains it: no new task, the running ones end well, then the process does.
    """
    with (
        springald.LocalCluster(executors=1, slots=1, work_dir=tmp_path) as cluster,
        cluster.connect(**SPREAD) as con,
    ):
        added = cluster.add_executor(slots=3)
        assert cluster.executors[1] is added
        assert [executor.slots for executor in con.executors()] == [1, 3]
        con.register_parquet("numbers", numbers)
        summed = con.sql(SUMS).execute()
        assert summed.result().to_pydict() == sums()
        assert summed.statistics().tasks_per_executor[added.executor_id] > 0

        con.register_parquet("busy", busy)
        con.sql("SET springald.distribution = 'never'")
        job = con.sql(
            "SELECT count(*) FROM busy a JOIN busy b ON a.k = b.k "
            "WHERE a.id < 30000 AND b.id < 30000 AND a.id + b.id < 0"
        ).execute()
        wait_until(lambda: job.progress.tasks_running == 1, "the task runs")
        assert [*job.statistics().tasks_per_executor] == [added.executor_id]
        added.terminate()
        wait_until(
            lambda: [listed.state for listed in con.executors()] == ["active", "draining"],
            "the executor drains",
        )
        assert not job.status.is_final, "the task was at work when the executor was told"
        assert job.result().column(0).to_pylist() == [0]
        assert added.wait(20) == 0
        wait_executors(con, cluster)


def test_handles_tell_about_processes(tmp_path: Path) -> None:
    """Handles have the real process id and log, and stop a process in order or at once."""
    with springald.LocalCluster(executors=2, slots=1, work_dir=tmp_path) as cluster:
        first, second = cluster.executors
        with cluster.connect() as con:
            listed = {executor.id: executor.pid for executor in con.executors()}
        assert listed == {first.executor_id: first.pid, second.executor_id: second.pid}
        assert psutil.pid_exists(cluster.scheduler.pid)
        assert cluster.scheduler.log
        assert first.log
        first.terminate()
        assert first.wait(20) == 0
        second.kill()
        assert second.wait(0) == -signal.SIGKILL
        cluster.scheduler.terminate()
        assert cluster.scheduler.wait(20) == 0
    assert cluster.scheduler.log, "the log is kept when the files are gone"


# A parent that says where its cluster's scheduler is and waits to be ended.
_PARENT = """
    import json, sys
    import springald

    cluster = springald.LocalCluster(executors=2, slots=1, work_dir=sys.argv[1])
    with cluster:
        con = cluster.connect(**{"springald.distribution": "always"})
        con.register_parquet("busy", sys.argv[2])
        job = con.sql(sys.argv[3]).execute()
        while not job.progress.tasks_running:
            job.wait(0.05)
        print(json.dumps({"url": cluster.url}), flush=True)
        job.wait()
"""

# A parent that forgets to close anything.
_FORGETFUL_PARENT = """
    import json, sys
    import springald

    cluster = springald.LocalCluster(executors=1, slots=1, work_dir=sys.argv[1])
    con = cluster.connect()
    print(json.dumps({"url": cluster.url}), flush=True)
    job = con.sql("SELECT 1").execute()
    job.wait()
"""


@contextmanager
def _parent(program: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """Runs a program that starts a cluster, until it has printed the cluster's address."""
    command = [sys.executable, "-c", textwrap.dedent(program), *arguments]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as parent:
        try:
            assert parent.stdout is not None
            assert json.loads(parent.stdout.readline())["url"].startswith("springald://")
            yield parent
        finally:
            parent.kill()


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_parent_ended_mid_query_takes_its_cluster_along(
    how: signal.Signals, tmp_path: Path, busy: Path
) -> None:
    """However the process ends that started a cluster, all of it is gone within seconds."""
    footprint = Footprint(tmp_path)
    with _parent(_PARENT, str(tmp_path), str(busy), BUSY) as parent:
        footprint.assert_alive(_PROCESSES_MIN)
        parent.send_signal(how)
        assert parent.wait(20) != 0
        footprint.wait_gone()


def test_parent_that_forgets_its_cluster_takes_it_along(tmp_path: Path) -> None:
    """A program that ends without closing anything leaves nothing, and ends well."""
    footprint = Footprint(tmp_path)
    with _parent(_FORGETFUL_PARENT, str(tmp_path)) as parent:
        assert parent.wait(20) == 0
        footprint.wait_gone()


def test_cluster_dropped_is_ended(tmp_path: Path) -> None:
    """A cluster that nobody refers to any more is ended, like one that is closed."""
    footprint = Footprint(tmp_path)
    cluster = springald.LocalCluster(executors=1, slots=1, work_dir=tmp_path)
    footprint.assert_alive(3)
    del cluster
    footprint.wait_gone()
