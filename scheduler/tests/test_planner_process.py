"""Planning in child processes: one that dies costs the statement it died of, and nothing else."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sized
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import psutil
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scheduler_kit import DEADLINE_S, wait_until

from springald.errors import (
    DeadlineExceededError,
    InternalError,
    OutOfMemoryError,
    OverloadedError,
    PlanTooDeepError,
    SchedulerUnavailableError,
    SessionNotFoundError,
    SpringaldError,
    SqlSyntaxError,
    UnknownTableError,
)
from springald_scheduler.adapters import planner_pool
from springald_scheduler.adapters.planner_pool import PlannerProcesses
from springald_scheduler.adapters.planner_process import PlannerChild, PlanningLimits, Reply
from springald_scheduler.planning.model import Answered, ClusterShape, Planned, Upload

SHAPE = ClusterShape((2, 2))
TABLES = ", ".join(
    f"(SELECT name FROM information_schema.df_settings LIMIT 100) s{number}"  # noqa: S608
    for number in range(4)
)
# Executed by the planner itself, for a time without end: a product of the engine's own tables.
ENDLESS = "SELECT count(*) FROM " + ", ".join(  # noqa: S608 - of these tests
    f"information_schema.df_settings s{number}" for number in range(9)
)

# The same for some seconds.
SLOW = f"SELECT count(*) FROM {TABLES} WHERE s0.name || s1.name || s2.name || s3.name = ''"  # noqa: S608


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
    planner = PlannerProcesses(
        [folder],
        folder / "planner",
        processes=1,
        planning_ms_max=5_000,
        planning_bytes_max=2**40,
    )
    with closing(planner):
        planner.open_session("s", {})
        settle(planner, folder)
        (pid,) = planner.pids
        with pytest.raises(DeadlineExceededError, match="planned within 5000 ms"):
            planner.run("s", ENDLESS, SHAPE)
        assert not psutil.pid_exists(pid)
        check_settled(planner)


def waiting(planner: PlannerProcesses, session_id: str) -> Sized:
    """Returns the calls that wait for their turn in a session."""
    return planner._sessions[session_id].turns._waiting  # noqa: SLF001


@contextmanager
def busy_with(planner: PlannerProcesses, session_id: str) -> Iterator[threading.Thread]:
    """Lets a session plan without end, up to the planner's; yields the thread that waits for it."""

    def plan() -> None:
        with pytest.raises(SpringaldError):
            planner.run(session_id, ENDLESS, SHAPE)

    before = {pid: psutil.Process(pid).cpu_times().user for pid in planner.pids}
    caller = threading.Thread(target=plan)
    caller.start()
    wait_until(
        lambda: any(
            psutil.Process(pid).cpu_times().user > before.get(pid, 0.0) + 0.6
            for pid in planner.pids
        ),
        "a child plans",
    )
    yield caller
    planner.close()
    caller.join(DEADLINE_S)


def test_slow_statement_of_another_session_is_not_waited_for(
    planner: PlannerProcesses, folder: Path
) -> None:
    """A session whose child is stuck is opened in another one, as it was, and stays there."""
    planner.open_session("slow", {})
    settle(planner, folder)
    with busy_with(planner, "slow") as slow:
        check_settled(planner)
        planner.run("s", "CREATE VIEW later AS SELECT 1 AS one", SHAPE)
        planner.open_session("new", {})
        assert planner.list_tables("new") == []
        assert "later" in [table.name for table in planner.list_tables("s")]
        assert slow.is_alive()


def test_session_that_moved_is_forgotten_by_its_former_child(
    planner: PlannerProcesses, folder: Path
) -> None:
    """A child drops what it holds of a session that lives elsewhere, with the files of uploads."""
    planner.open_session("slow", {})
    settle(planner, folder)
    held = folder / "planner/planner-1/springald-upload/u1"
    with ThreadPoolExecutor(12) as threads:
        slow = threads.submit(planner.run, "slow", SLOW, SHAPE)
        wait_until_busy(psutil.Process(planner.pids[0]))
        check_settled(planner)
        assert not slow.done()
        assert held.exists()
        slow.result(DEADLINE_S)
    planner.list_tables("slow")
    assert not held.exists()
    check_settled(planner)


def test_slow_statements_delay_others_only_when_all_children_are_busy(folder: Path) -> None:
    """Children are started beside stuck ones up to a maximum; after it a wait has an end."""
    planner = PlannerProcesses(
        [folder], folder / "planner", processes=1, processes_max=2, wait_ms_max=500
    )
    for session_id in ("a", "b", "c"):
        planner.open_session(session_id, {})
    with busy_with(planner, "a"):
        planner.list_tables("c")
        with busy_with(planner, "b"):
            assert len(planner.pids) == 2
            with pytest.raises(OverloadedError, match="all 2 are busy"):
                planner.list_tables("c")


def test_statements_of_a_session_are_planned_in_order(planner: PlannerProcesses) -> None:
    """A statement sees what the one before it did, however slow that was."""
    with ThreadPoolExecutor(12) as threads:
        slow = threads.submit(planner.run, "s", SLOW, SHAPE)
        wait_until_busy(psutil.Process(planner.pids[0]))
        later: list[Future[object]] = []
        for number in range(10):
            source = f"v{number - 1}" if later else "(VALUES (1))"
            statement = f"CREATE VIEW v{number} AS SELECT * FROM {source}"  # noqa: S608
            later.append(threads.submit(planner.run, "s", statement, SHAPE))
            wait_until(lambda: len(waiting(planner, "s")) == len(later), "it waits")
        for each in later:
            each.result(DEADLINE_S)
            assert slow.done()


def test_sessions_are_opened_where_fewest_are(folder: Path) -> None:
    """Children share sessions evenly, whatever these are called."""
    planner = PlannerProcesses([folder], folder / "planner", processes=2)
    for number in range(6):
        planner.open_session(f"s{number}", {})
    children = planner._children._idle_since  # noqa: SLF001 - nothing shows it from outside
    assert [len(child.sessions) for child in children] == [3, 3]
    planner.close()


def test_statement_that_takes_too_much_memory_is_ended(folder: Path) -> None:
    """The engine folds constants while it plans; one that is too large costs its statement."""
    planner = PlannerProcesses(
        [folder], folder / "planner", processes=1, planning_bytes_max=256 * 1024 * 1024
    )
    with closing(planner):
        planner.open_session("s", {})
        settle(planner, folder)
        (pid,) = planner.pids
        with pytest.raises(OutOfMemoryError, match="--planning-memory"):
            planner.run("s", "SELECT repeat('x', 1000000000) AS x", SHAPE)
        assert not psutil.pid_exists(pid)
        check_settled(planner)


def test_session_that_kills_each_child_is_lost_alone(
    planner: PlannerProcesses, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A session that cannot be restored is dropped, so that the others go on."""
    planner.open_session("bad", {})
    settle(planner, folder)
    ask = PlannerChild.ask

    def fatal(
        child: PlannerChild, method: str, arguments: tuple[object, ...], limits: PlanningLimits
    ) -> Reply:
        if (method, arguments[0]) == ("restore_session", "bad"):
            child.kill()  # no statement is known to do this
        return ask(child, method, arguments, limits)

    monkeypatch.setattr(PlannerChild, "ask", fatal)
    failure_while_planning(planner, psutil.Process.kill)
    for _ in range(2):
        with pytest.raises(InternalError, match="ended with code -9"):
            planner.describe("bad", "SELECT 1")
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
from {planner_pool.__name__} import PlannerProcesses
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
