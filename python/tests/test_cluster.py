"""A local cluster starts real processes, and leaves neither them nor their files behind."""

import gc
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

import springald.cluster
from springald import LocalCluster
from springald.errors import (
    AddressInUseError,
    DeadlineExceededError,
    InternalError,
    InvalidArgumentError,
    UnsupportedError,
)

WAIT_S_MAX = 30.0


@pytest.fixture(autouse=True)
def home(stand_ins: Path) -> Path:
    """A folder for clusters, which start stand-ins for their programs."""
    return stand_ins


def is_gone(pid: int) -> bool:
    """True if a process has ended, whether or not somebody has asked for its exit code."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True


def test_cluster_block_ends_leaves_nothing(home: Path) -> None:
    """Processes run inside the block; after it they and their files are gone."""
    with LocalCluster(executors=2, slots=3, memory=1024, work_dir=home) as cluster:
        pids = [cluster.scheduler.pid, *(executor.pid for executor in cluster.executors)]
        assert all(process.is_alive for process in (cluster.scheduler, *cluster.executors))
        assert [executor.executor_id for executor in cluster.executors] == [
            "executor-1",
            "executor-2",
        ]
        assert "--slots 3" in cluster.executors[0].log
        assert "--memory 1024" in cluster.executors[1].log
        assert all("--sharers 2 " in executor.log for executor in cluster.executors)
        with cluster.connect(x="1") as con:
            assert con.url == cluster.url
            assert con.sql("SELECT 1").to_arrow().num_rows == 1
        assert len(list(home.iterdir())) == 1
    assert all(map(is_gone, pids))
    assert list(home.iterdir()) == []
    assert "scheduler runs" in cluster.scheduler.log
    assert cluster.executors[0].wait() == 0
    assert not cluster.executors[0].is_alive
    cluster.close()


def test_cluster_error_in_block_leaves_nothing(home: Path) -> None:
    """An exception ends the cluster and passes through."""
    with pytest.raises(ZeroDivisionError), LocalCluster(1, work_dir=home) as cluster:
        raise ZeroDivisionError
    assert is_gone(cluster.scheduler.pid)
    assert list(home.iterdir()) == []


def test_cluster_dropped_leaves_nothing(home: Path) -> None:
    """A cluster that nobody holds is ended."""
    cluster = LocalCluster(1, work_dir=home)
    pid = cluster.executors[0].pid
    del cluster
    gc.collect()
    assert is_gone(pid)
    assert list(home.iterdir()) == []


def test_cluster_killed_process_is_seen(home: Path) -> None:
    """A handle kills its process, and the others live on."""
    with LocalCluster(2, work_dir=home) as cluster:
        first, second = cluster.executors
        first.kill()
        assert not first.is_alive
        assert first.wait() == -signal.SIGKILL
        assert second.is_alive
        second.terminate()
        assert second.wait(WAIT_S_MAX) == 0
        assert cluster.scheduler.is_alive
        assert cluster.scheduler.wait(0.01) is None
        assert repr(cluster) == f"LocalCluster({cluster.url}, 0 executors)"
    assert list(home.iterdir()) == []


def test_add_executor_other_slots_joins(home: Path) -> None:
    """An executor that is added later may differ from the others."""
    with LocalCluster(0, 2, work_dir=home) as cluster:
        assert list(cluster.executors) == []
        assert "--slots 5" in cluster.add_executor(slots=5).log
        added = cluster.add_executor()
        assert "--slots 2" in added.log
        assert "--sharers 2" in added.log
        assert "--memory" not in added.log
        assert [executor.executor_id for executor in cluster.executors] == [
            "executor-1",
            "executor-2",
        ]


@pytest.mark.parametrize("killed", [False, True])
def test_restart_scheduler_keeps_address(home: Path, *, killed: bool) -> None:
    """A restarted scheduler is another process at the same address."""
    with LocalCluster(1, work_dir=home) as cluster:
        url, old = cluster.url, cluster.scheduler
        if killed:
            old.kill()
        new = cluster.restart_scheduler()
        assert not old.is_alive
        assert cluster.scheduler is new
        assert new.pid != old.pid
        assert cluster.url == url
        with cluster.connect() as con:
            assert con.sql("SELECT 1").count() == 1


@pytest.mark.parametrize(
    ("program", "fault", "kind"),
    [
        ("SCHEDULER", "exit 3", AddressInUseError),
        ("SCHEDULER", "exit 1", InternalError),
        ("EXECUTOR", "exit 9", InternalError),
    ],
)
def test_start_failed_process_raises_with_its_log(
    home: Path, monkeypatch: pytest.MonkeyPatch, program: str, fault: str, kind: type[Exception]
) -> None:
    """A process that does not start is an error with its last lines, and leaves nothing."""
    monkeypatch.setenv(f"FAKE_FAULT_{program}", fault)
    with pytest.raises(kind, match=rf"exit code {fault[-1]}[^$]*{program.lower()} runs with"):
        LocalCluster(1, work_dir=home)
    assert list(home.iterdir()) == []


def test_start_process_never_ready_fails(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Waiting for a process to be ready has an end."""
    with LocalCluster(0, work_dir=home) as cluster:
        monkeypatch.setenv("FAKE_FAULT_EXECUTOR", "mute")
        monkeypatch.setattr("springald.cluster_process.PROCESS_READY_MS_MAX", 100)
        with pytest.raises(DeadlineExceededError, match="100 ms: got no sign of executor-1"):
            cluster.add_executor()
    assert list(home.iterdir()) == []


def test_close_process_that_does_not_listen_is_killed(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A process that does not stop in time is killed."""
    monkeypatch.setenv("FAKE_FAULT_EXECUTOR", "deaf")
    monkeypatch.setattr("springald.cluster_process.PROCESS_STOP_MS_MAX", 100)
    with LocalCluster(1, work_dir=home) as cluster:
        pass
    assert cluster.executors[0].wait() == -signal.SIGKILL
    assert list(home.iterdir()) == []


def test_close_process_left_by_a_process_is_killed(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a process leaves behind ends with the cluster, also if the process was killed."""
    monkeypatch.setenv("FAKE_FAULT_EXECUTOR", "litter")
    with LocalCluster(1, work_dir=home) as cluster:
        (line,) = [line for line in cluster.executors[0].log.splitlines() if "litter" in line]
        left = psutil.Process(int(line.split()[1]))
        cluster.executors[0].kill()
        assert left.is_running()
    assert is_gone(left.pid)


@pytest.mark.parametrize("end", ["os.kill(os.getpid(), 9)", "os._exit(1)", "sys.exit()"])
def test_cluster_starter_ends_leaves_nothing(home: Path, end: str) -> None:
    """However the starting process ends, by kill -9 too, nothing is left of its cluster."""
    code = (
        "import os, sys, springald; "
        f"cluster = springald.LocalCluster(2, work_dir={str(home)!r}); "
        "cluster.executors[1].kill(); "
        "print(cluster.scheduler.pid, cluster.executors[0].pid, flush=True); "
        f"{end}"
    )
    with subprocess.Popen(  # noqa: S603 - this interpreter
        [sys.executable, "-c", code], stdout=subprocess.PIPE, text=True
    ) as starter:
        pids = [int(pid) for pid in (starter.communicate(timeout=WAIT_S_MAX)[0]).split()]
    assert len(pids) == 2
    left = [psutil.Process(pid) for pid in pids if not is_gone(pid)]
    assert psutil.wait_procs(left, WAIT_S_MAX)[1] == []
    assert list(home.iterdir()) == []


def test_cluster_impossible_sizes_are_refused() -> None:
    """Sizes are checked before anything starts."""
    with pytest.raises(InvalidArgumentError, match="-1 executors"):
        LocalCluster(-1)
    with pytest.raises(InvalidArgumentError, match="0 slots"):
        LocalCluster(1, 0)
    with pytest.raises(InvalidArgumentError, match=r"a log level is one of debug, .*: got 'loud'"):
        LocalCluster(1, log_level="loud")


def test_cluster_without_programs_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    """The thin client alone cannot start a cluster, and says what is missing."""
    monkeypatch.setattr(springald.cluster, "find_spec", lambda _: None)
    with pytest.raises(UnsupportedError, match=r"springald\[local\]"):
        LocalCluster()
