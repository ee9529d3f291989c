"""Planning in child processes: one that dies costs the statement it died of, and nothing else."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scheduler_kit import DEADLINE_S, wait_until

from springald.errors import (
    DeadlineExceededError,
    InternalError,
    PlanTooDeepError,
    SchedulerUnavailableError,
    SessionNotFoundError,
    SpringaldError,
    SqlSyntaxError,
    UnknownTableError,
)
from springald_scheduler.adapters import planner_process
from springald_scheduler.adapters.planner_process import PlannerProcesses
from springald_scheduler.planning.model import Answered, ClusterShape, Planned, Upload

SHAPE = ClusterShape((2, 2))
# Executed by the planner itself, for a time without end: a product of the engine's own tables.
ENDLESS = "SELECT count(*) FROM " + ", ".join(  # noqa: S608 - of these tests
    f"information_schema.df_settings s{number}" for number in range(9)
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with one table, `t.parquet`."""
    pq.write_table(pa.table({"a": [1, 2, 3]}), tmp_path / "t.parquet")
    return tmp_path


@pytest.fixture
def planner(folder: Path) -> Iterator[PlannerProcesses]:
    """One child, and a session `s` in it."""
    planner = PlannerProcesses([folder], folder / "planner", processes=1)
    planner.open_session("s", {"springald.distribution": "always"})
    yield planner
    planner.close()
    assert not psutil.Process().children()


def settle(planner: PlannerProcesses, folder: Path) -> None:
    """Gives the session a table, a view, an upload and a setting."""
    planner.register_files("s", "t", "parquet", str(folder / "t.parquet"), [])
    planner.run("s", "CREATE VIEW v AS SELECT sum(a) AS s FROM t", SHAPE)
    schema = pa.schema([("u", pa.int64())]).serialize().to_pybytes()
    planner.register_upload("s", "sent", Upload("u1", schema, 3, 24, 2))
    planner.run("s", "SET datafusion.execution.batch_size = 77", SHAPE)


def check_settled(planner: PlannerProcesses) -> None:
    """Asserts that the session is as `settle` left it."""
    assert [table.name for table in planner.list_tables("s")] == ["sent", "t", "v"]
    assert isinstance(planner.run("s", "SELECT * FROM v, sent", SHAPE), Planned)
    answer = planner.run("s", "SHOW datafusion.execution.batch_size", SHAPE)
    assert isinstance(answer, Answered)
    rows = pa.ipc.open_stream(answer.arrow_stream).read_all().to_pylist()
    assert rows[0]["value"] == "77"


def failure_while_planning(
    planner: PlannerProcesses, act: Callable[[psutil.Process], object]
) -> SpringaldError:
    """Does something to the child while it plans; returns what the caller of the statement got."""
    failures: list[SpringaldError] = []

    def plan() -> None:
        with pytest.raises(SpringaldError) as caught:
            planner.run("s", ENDLESS, SHAPE)
        failures.append(caught.value)

    caller = threading.Thread(target=plan)
    caller.start()
    child = psutil.Process(planner.pids[0])
    wait_until_busy(child)
    act(child)
    caller.join(DEADLINE_S)
    (failure,) = failures
    return failure


def wait_until_busy(child: psutil.Process) -> None:
    """Waits until a child has computed for a while."""
    before = child.cpu_times().user
    wait_until(lambda: child.cpu_times().user > before + 0.3, "the child plans")


def test_child_that_died_while_idle_comes_back_with_its_sessions(
    planner: PlannerProcesses, folder: Path
) -> None:
    """What a session is made of is kept by the scheduler, which opens it again in a new child."""
    settle(planner, folder)
    (pid,) = planner.pids
    os.kill(pid, signal.SIGKILL)
    os.waitid(os.P_PID, pid, os.WEXITED | os.WNOWAIT)  # dead, and left for its parent to find
    check_settled(planner)
    assert planner.pids != (pid,)


def test_child_that_is_killed_while_it_plans_costs_that_statement(
    planner: PlannerProcesses, folder: Path
) -> None:
    """The caller is told, and the next statement is planned."""
    settle(planner, folder)
    failure = failure_while_planning(planner, psutil.Process.kill)
    assert type(failure) is InternalError
    assert "ended with code -9" in failure.message
    check_settled(planner)


def test_child_that_overflows_its_stack_is_a_plan_too_deep(
    planner: PlannerProcesses, folder: Path
) -> None:
    """The signal tells what the child died of."""
    settle(planner, folder)
    failure = failure_while_planning(planner, lambda child: child.send_signal(signal.SIGSEGV))
    assert type(failure) is PlanTooDeepError
    check_settled(planner)


def test_statement_that_takes_too_long_is_ended(folder: Path) -> None:
    """Planning has a limit; the child that exceeded it is replaced."""
    planner = PlannerProcesses([folder], folder / "planner", processes=1, planning_ms_max=5_000)
    planner.open_session("s", {})
    settle(planner, folder)
    (pid,) = planner.pids
    with pytest.raises(DeadlineExceededError, match="planned within 5000 ms"):
        planner.run("s", ENDLESS, SHAPE)
    assert not psutil.pid_exists(pid)
    check_settled(planner)
    planner.close()


def test_session_that_kills_each_child_is_lost_alone(
    planner: PlannerProcesses, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A session that cannot be restored is dropped, so that the others go on."""
    planner.open_session("bad", {})
    settle(planner, folder)
    child = planner._children[0]  # noqa: SLF001 - no statement is known to do this
    exchange = child._exchange  # noqa: SLF001

    def fatal(method: str, arguments: tuple[object, ...]) -> tuple[bool, object, object]:
        if (method, arguments[0]) == ("restore_session", "bad"):
            os.kill(planner.pids[0], signal.SIGKILL)
        return exchange(method, arguments)

    monkeypatch.setattr(child, "_exchange", fatal)
    failure_while_planning(planner, psutil.Process.kill)
    check_settled(planner)
    with pytest.raises(SessionNotFoundError):
        planner.describe("bad", "SELECT 1")


def test_errors_of_a_statement_are_those_of_the_planner(planner: PlannerProcesses) -> None:
    """An error crosses the process with its class, text and place."""
    with pytest.raises(UnknownTableError) as caught:
        planner.describe("s", "SELECT * FROM nope")
    assert caught.value.position is not None
    with pytest.raises(SqlSyntaxError):
        planner.run("s", "SELCT 1", SHAPE)
    with pytest.raises(SessionNotFoundError):
        planner.run("other", "SELECT 1", SHAPE)


def test_closed_session_is_not_restored(planner: PlannerProcesses) -> None:
    """A session that its client closed stays closed."""
    planner.open_session("closed", {})
    planner.close_session("closed")
    failure_while_planning(planner, psutil.Process.kill)
    assert planner.list_tables("s") == []
    with pytest.raises(SessionNotFoundError):
        planner.list_tables("closed")


def test_close_during_a_call_ends_it_and_starts_nothing(planner: PlannerProcesses) -> None:
    """A scheduler that stops does not wait for a statement."""
    failure = failure_while_planning(planner, lambda _: planner.close())
    assert type(failure) is SchedulerUnavailableError
    assert not psutil.Process().children()
    with pytest.raises(SchedulerUnavailableError):
        planner.describe("s", "SELECT 1")


def test_child_ends_with_the_scheduler_also_while_it_plans(folder: Path) -> None:
    """A scheduler that is killed leaves no child behind."""
    code = f"""
from pathlib import Path
from {planner_process.__name__} import PlannerProcesses
from springald_scheduler.planning.model import ClusterShape
planner = PlannerProcesses([], Path({str(folder)!r}), processes=1)
planner.open_session("s", {{}})
print(planner.pids[0], flush=True)
planner.run("s", {ENDLESS!r}, ClusterShape((1,)))
"""
    scheduler = psutil.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    assert scheduler.stdout is not None
    child = psutil.Process(int(scheduler.stdout.readline()))
    wait_until_busy(child)
    scheduler.kill()
    scheduler.wait()
    gone = (psutil.STATUS_ZOMBIE, psutil.STATUS_DEAD)
    wait_until(lambda: not child.is_running() or child.status() in gone, "the child is gone")
    scheduler.stdout.close()
