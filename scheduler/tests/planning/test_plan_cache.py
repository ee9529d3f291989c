"""Plans that are kept: used again as long as nothing that they depend on has changed."""

import os
import threading
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from springald.engine.catalog import AllowedPaths
from springald.errors import DataFileNotFoundError
from springald_scheduler.adapters.planner_thread import PlannerThread
from springald_scheduler.core.graph import StageGraph
from springald_scheduler.limits import PLANS_KEPT_MAX
from springald_scheduler.planning import plan_cache
from springald_scheduler.planning.model import ClusterShape, Planned
from springald_scheduler.planning.plan_cache import PlanCache, PlanKey, Scanned
from springald_scheduler.planning.planner import Planner
from springald_scheduler.planning.session import PlannerSession
from springald_scheduler.planning.table_files import footprint

SHAPE = ClusterShape((1, 1))
QUERY = "SELECT a FROM t WHERE a > 1"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a table `t` of one file."""
    (tmp_path / "t").mkdir()
    write(tmp_path, "0.parquet", 3)
    return tmp_path


@pytest.fixture
def planner(folder: Path) -> Planner:
    """A session `s` that has the table."""
    planner = Planner([folder], folder / "planner")
    planner.open_session("s", {})
    planner.register_files("s", "t", "parquet", str(folder / "t"), [])
    return planner


def write(folder: Path, name: str, rows: int) -> None:
    """Writes a file of the table."""
    pq.write_table(pa.table({"a": range(rows)}), folder / "t" / name)


def plan(
    planner: Planner, sql: str = QUERY, shape: ClusterShape = SHAPE, session_id: str = "s"
) -> StageGraph:
    """Returns a query's stages."""
    planned = planner.run(session_id, sql, shape)
    assert isinstance(planned, Planned)
    return planned.graph


def is_kept(before: StageGraph, after: StageGraph) -> bool:
    """True if the second is the first, and not one that was made anew."""
    return after.stages[-1] is before.stages[-1]


def test_query_that_comes_again_is_not_planned_again(planner: Planner) -> None:
    """The plan is the same as long as nothing changes; other queries have their own."""
    first = plan(planner)
    assert plan(planner, "SELECT a FROM t WHERE a > 2") != first
    assert is_kept(first, plan(planner))


def test_query_of_an_equal_session_is_not_planned_again(planner: Planner, folder: Path) -> None:
    """Sessions with the same tables and settings have the same plans."""
    first = plan(planner)
    planner.open_session("other", {})
    planner.register_files("other", "t", "parquet", str(folder / "t"), [])
    assert is_kept(first, plan(planner, session_id="other"))
    planner.run("other", "SET datafusion.execution.batch_size = 100", SHAPE)
    assert not is_kept(first, plan(planner, session_id="other"))


def test_query_of_another_planner_of_the_process_is_not_planned_again(
    planner: Planner, folder: Path
) -> None:
    """Connections in local mode have a planner each; those with the same folders share plans."""
    made = []
    for name in ("one", "two"):
        thread = PlannerThread([folder], folder / name)
        thread.open_session(name, {})
        thread.register_files(name, "t", "parquet", str(folder / "t"), [])
        made.append(thread)
    one, two = made[0].run("one", QUERY, SHAPE), made[1].run("two", QUERY, SHAPE)
    assert isinstance(one, Planned)
    assert isinstance(two, Planned)
    assert is_kept(one.graph, two.graph)
    assert not is_kept(plan(planner), two.graph)
    for thread in made:
        thread.close()


def test_plans_are_kept_and_found_by_many_threads_at_once(
    planner: Planner, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the others do to the cache, each gets the plan of its own query or none."""
    monkeypatch.setattr(plan_cache, "PLANS_KEPT_MAX", 3)
    cache = PlanCache(AllowedPaths([folder]))
    graphs = {n: plan(planner, f"{QUERY} + {n}") for n in range(6)}
    keys = {n: PlanKey(str(n), b"", SHAPE, frozenset(), frozenset(), (), ()) for n in graphs}
    wrong: list[int] = []

    def use(first: int) -> None:
        for turn in range(600):
            number = (first + turn) % len(graphs)
            found = cache.find(keys[number])
            if found is None:
                scanned = [Scanned(str(folder / "t"), "parquet", footprint(str(folder / "t")))]
                cache.keep(keys[number], graphs[number], scanned)
            elif found is not graphs[number]:
                wrong.append(number)

    threads = [threading.Thread(target=use, args=(first,)) for first in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
    assert sum(cache.find(key) is not None for key in keys.values()) == 3


def test_session_that_saw_other_columns_has_its_own_plan(planner: Planner, folder: Path) -> None:
    """A table's columns are those of its files when it was made, in each session."""
    pq.write_table(pa.table({"a": [2], "b": ["x"]}), folder / "t" / "0.parquet")
    first = plan(planner, "SELECT * FROM t")
    planner.open_session("other", {})
    planner.register_files("other", "t", "parquet", str(folder / "t"), [])
    second = plan(planner, "SELECT * FROM t", session_id="other")
    assert not is_kept(first, second)
    assert first.stages[-1].schema != second.stages[-1].schema


def test_small_query_is_planned_once(planner: Planner, monkeypatch: pytest.MonkeyPatch) -> None:
    """What one task runs is planned for one task, whatever the cluster has."""
    asked: list[int] = []
    query = PlannerSession.query

    def counted(session: PlannerSession, sql: str, partitions: int) -> object:
        asked.append(partitions)
        return query(session, sql, partitions)

    monkeypatch.setattr(PlannerSession, "query", counted)
    plan(planner, shape=ClusterShape((2, 2, 1)))
    assert asked == [2]


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: write(folder, "1.parquet", 5),
        lambda folder: write(folder, "0.parquet", 5),
        lambda folder: os.utime(folder / "t/0.parquet", ns=(1, 1)),
        lambda folder: (folder / "t/0.parquet").rename(folder / "t/2.parquet"),
    ],
    ids=["another-file", "other-rows", "written-again", "another-name"],
)
def test_plan_is_made_anew_when_files_changed(
    planner: Planner, folder: Path, change: Callable[[Path], object]
) -> None:
    """Files are compared by name, size and time of change whenever a plan is used."""
    before = plan(planner)
    change(folder)
    after = plan(planner)
    assert not is_kept(before, after)
    assert after.stages[-1].fragment.payload != before.stages[-1].fragment.payload


@pytest.mark.parametrize("moved", [True, False], ids=["moved-there", "written-over"])
@pytest.mark.parametrize("again", ["asked", "made"])
def test_query_of_a_file_with_the_size_and_time_of_a_former_one_is_planned_anew(
    planner: Planner, folder: Path, again: str, *, moved: bool
) -> None:
    """The engine, which knows statistics by size and time, must forget those of the former one."""
    file, fresh = folder / "t/0.parquet", folder / "fresh"
    for value in (5, 6, 7):
        pq.write_table(pa.table({"a": [value] * 3}), fresh, use_dictionary=False)
        if moved or value == 5:
            fresh.rename(file)
        else:
            file.write_bytes(fresh.read_bytes())
        os.utime(file, ns=(1, 1))
        if again == "made" or value == 5:
            planner.register_files("s", "t", "parquet", str(folder / "t"), [])
        graph = plan(planner, "SELECT max(a) AS most FROM t")
        assert f"expr=[{value} as most]" in str(graph.stages[-1].operators)


def test_plan_of_files_that_are_gone_is_not_used(planner: Planner, folder: Path) -> None:
    """The error is the one of a query that comes for the first time."""
    plan(planner)
    (folder / "t/0.parquet").unlink()
    (folder / "t").rmdir()
    with pytest.raises(DataFileNotFoundError):
        plan(planner)


@pytest.mark.parametrize(
    "statement",
    [
        "SET datafusion.execution.batch_size = 100",
        "SET springald.distribution = always",
        "CREATE OR REPLACE VIEW v AS SELECT a + 1 AS a FROM t",
    ],
)
def test_plan_is_made_anew_when_the_session_changed(planner: Planner, statement: str) -> None:
    """Settings and tables belong to what a plan is kept under."""
    planner.run("s", "CREATE VIEW v AS SELECT a FROM t", SHAPE)
    before = plan(planner, "SELECT a FROM v")
    assert is_kept(before, plan(planner, "SELECT a FROM v"))
    planner.run("s", statement, SHAPE)
    assert not is_kept(before, plan(planner, "SELECT a FROM v"))


def test_plan_is_made_anew_when_the_cluster_changed(planner: Planner) -> None:
    """A plan is for as many slots as there are."""
    before = plan(planner)
    assert not is_kept(before, plan(planner, shape=ClusterShape((1, 1, 1))))


def test_plan_that_holds_the_time_is_not_kept(planner: Planner) -> None:
    """The engine puts the time into the plan, also the time that a view asks for."""
    planner.run("s", "CREATE VIEW late AS SELECT a, now() AS n FROM t", SHAPE)
    for sql in ("SELECT NOW() FROM t", "SELECT current_date FROM t", "SELECT * FROM late"):
        assert not is_kept(plan(planner, sql), plan(planner, sql))


def test_plan_over_linked_folders_is_not_kept(planner: Planner, folder: Path) -> None:
    """What lies behind a link to a folder is not seen, so it could change unseen."""
    (folder / "elsewhere").mkdir()
    (folder / "t/link").symlink_to(folder / "elsewhere")
    assert not is_kept(plan(planner), plan(planner))


def test_plans_that_are_kept_are_bounded_in_bytes(
    planner: Planner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Large plans make room sooner; one that is too large is not kept at all."""
    first = plan(planner)
    text = "x" * 10_000
    queries = [f"SELECT {number} AS a, '{text}' AS x" for number in range(3)]
    monkeypatch.setattr(plan_cache, "PLANS_KEPT_BYTES_MAX", 50_000)
    plans = [plan(planner, query) for query in queries]
    assert not is_kept(first, plan(planner))
    assert is_kept(plans[-1], plan(planner, queries[-1]))
    large = f"SELECT '{text * 4}' AS x"
    assert not is_kept(plan(planner, large), plan(planner, large))


def test_plans_that_are_kept_are_bounded(planner: Planner) -> None:
    """The plan that was not used for longest makes room."""
    first = plan(planner)
    for number in range(PLANS_KEPT_MAX):
        plan(planner, f"SELECT {number} AS a")
    assert not is_kept(first, plan(planner))
