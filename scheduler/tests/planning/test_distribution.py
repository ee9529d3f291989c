"""Whether a query is cut: the session's wish, the cluster, its size, and what plans can carry."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from planning.conftest import Simulate
from simulate import SESSION, Simulation

from springald.errors import PathNotAllowedError, PlanTooLargeError
from springald_scheduler.core.graph import FragmentFormat
from springald_scheduler.planning import distribution
from springald_scheduler.planning.fidelity import keeps_options, loses_meaning
from springald_scheduler.planning.model import ClusterShape

GROUPED = "SELECT k, count(*) FROM facts GROUP BY k"
RECURSIVE = """
    WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 5) SELECT n FROM r
"""
NTH_VALUES = """
    SELECT nth_value(q, 2) OVER (PARTITION BY h ORDER BY id),
        nth_value(q, 2) OVER (PARTITION BY h ORDER BY id DESC) FROM facts
"""
AUTO = {"springald.distribution": "auto", "springald.single_task_bytes_max": "100"}


@pytest.mark.parametrize(
    ("settings", "slots", "decision"),
    [
        (AUTO, (2, 2), None),
        (AUTO, (1, 1), None),
        (AUTO, (8,), "there is one executor, which shares its work without files"),
        ({**AUTO, "springald.single_task_bytes_max": "1000000"}, (2, 2), "the query scans"),
        ({"springald.distribution": "never"}, (2, 2), "the session asks for one task"),
        ({"springald.distribution": "always"}, (8,), None),
        ({"springald.distribution": "always"}, (1,), None),
    ],
)
def test_query_is_cut_where_it_gains_or_is_asked_for(
    simulate: Simulate, settings: dict[str, str], slots: tuple[int, ...], decision: str | None
) -> None:
    """A query that one executor answers faster is one stage and one task, and says why."""
    graph = simulate(settings).graph(GROUPED, ClusterShape(slots))
    if decision is None:
        assert graph.decisions == ()
        assert len(graph.stages) == 2
    else:
        assert graph.decisions[0].startswith(f"one task: {decision}")
        (stage,) = graph.stages
        assert stage.single_task_reason.startswith(decision)
        assert not stage.sliceable


def test_query_that_would_not_fit_the_slots_is_planned_for_rounds(simulate: Simulate) -> None:
    """A hash table cannot spill, so partitions get smaller as memory does; it has a limit."""
    simulation = simulate({"springald.distribution": "always"})

    def partitions(memory_bytes: int) -> int:
        shape = ClusterShape((1, 1), memory_bytes)
        return simulation.graph(GROUPED, shape).stages[0].output.partition_count

    assert partitions(0) == partitions(1 << 30) == 2
    assert 2 < partitions(8_000) < 32
    assert partitions(1) == 32


def test_query_is_planned_for_all_slots_or_as_the_session_asks(simulate: Simulate) -> None:
    """Each slot has a partition; a query in one task has those of the largest executor."""
    simulation = simulate({"springald.distribution": "always"})
    assert simulation.graph(GROUPED, ClusterShape((3, 2))).stages[0].output.partition_count == 5
    assert simulation.graph(GROUPED, ClusterShape(())).stages[0].output.partition_count == 2
    assert simulation.graph(GROUPED, ClusterShape((9_999,))).stages[0].output.partition_count == (
        1_024
    )
    simulation.set("datafusion.execution.target_partitions", "7")
    assert simulation.graph(GROUPED, ClusterShape((3, 2))).stages[0].output.partition_count == 7
    simulation.planner.run(SESSION, "RESET ALL", ClusterShape(()))
    (whole,) = simulation.graph(GROUPED, ClusterShape((3, 2))).stages
    assert whole.partition_count == 3


def test_query_on_the_planner_keeps_its_types_for_the_client(simulation: Simulation) -> None:
    """The types of a union are settled late, and a plan may lose some: rows have the right ones."""
    for sql in (
        "SELECT k FROM facts UNION ALL SELECT w FROM dims",
        "SELECT arrow_cast(1, 'Float16') AS a FROM facts",
        RECURSIVE + " UNION ALL SELECT 2.5",
    ):
        got, want = simulation.answer(sql), simulation.one_process(sql)
        assert got.schema.types == want.schema.types
        assert simulation.describe(sql).types == want.schema.types


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT sum(q) FILTER (WHERE h = 1) OVER (PARTITION BY g) FROM facts",
        "SELECT first_value(k) IGNORE NULLS OVER (PARTITION BY g ORDER BY id) FROM facts",
        "SELECT count(*) FROM facts GROUP BY GROUPING SETS (())",
        "SELECT lag(n) OVER (ORDER BY id), lead(n) OVER (ORDER BY id DESC) FROM ordered",
        NTH_VALUES,
        RECURSIVE,
        "SELECT arrow_cast(1, 'Float16') AS a FROM facts",
    ],
)
def test_query_whose_plan_loses_meaning_is_planned_where_it_runs(
    simulation: Simulation, sql: str
) -> None:
    """What the engine cannot write down whole is sent as the statement it was."""
    (stage,) = simulation.graph(sql).stages
    assert stage.fragment.format is FragmentFormat.SQL
    assert stage.single_task_reason
    simulation.check(sql)


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT sum(q) FILTER (WHERE h = 1) FROM facts",
        "SELECT sum(q) OVER (PARTITION BY g ORDER BY id DESC) FROM facts",
        "SELECT lag(n) OVER (ORDER BY id DESC), rank() OVER (ORDER BY id DESC) FROM ordered",
        "SELECT g, count(*) FROM facts GROUP BY GROUPING SETS ((g), ())",
    ],
)
def test_query_whose_plan_keeps_its_meaning_is_sent_as_a_plan(
    simulation: Simulation, sql: str
) -> None:
    """Only what is lost is held back: near relatives of it are cut."""
    graph = simulation.check(sql)
    assert len(graph.stages) > 1


def test_loses_meaning_knows_what_the_engine_leaves_out() -> None:
    """Both losses are told from the plan's text."""
    assert loses_meaning("WindowAggExec: wdw=[sum(a) FILTER (WHERE b) ...]")
    assert loses_meaning("  BoundedWindowAggExec: wdw=[lag(a) IGNORE NULLS ...]")
    assert loses_meaning("AggregateExec: mode=Single, gby=[()], aggr=[]")
    assert not loses_meaning("AggregateExec: mode=Single, gby=[], aggr=[sum(a) FILTER (WHERE b)]")
    assert not loses_meaning("AggregateExec: mode=Single, gby=[(a@0 as a), (NULL as a)], aggr=[]")


def test_keeps_options_knows_what_plans_carry() -> None:
    """An option that a plan forgets is read where the table is made anew."""
    assert keeps_options("csv", [("format.HAS_HEADER", "true"), ("delimiter", ";")])
    assert not keeps_options("csv", [("format.compression", "gzip")])
    assert not keeps_options("json", [("newline_delimited", "false")])
    assert keeps_options("parquet", [("pushdown_filters", "true")])
    assert not keeps_options("parquet", [("format.crypto.file_decryption.footer_key", "x")])
    assert keeps_options("arrow", [])


def test_query_of_a_table_with_an_option_that_plans_forget_is_planned_where_it_runs(
    simulation: Simulation, tmp_path: Path
) -> None:
    """Such a table holds back the queries of its format, and no others."""
    (tmp_path / "t.csv").write_text("a|b;1|2;3|4;")
    options = "'format.delimiter' '|', 'format.terminator' ';', 'format.has_header' 'true'"
    simulation.statement(
        "CREATE EXTERNAL TABLE piped (a BIGINT, b BIGINT) STORED AS CSV "
        f"LOCATION '{tmp_path}/t.csv' OPTIONS ({options})"
    )
    graph = simulation.check("SELECT a, sum(b) FROM piped GROUP BY a")
    assert graph.stages[0].fragment.format is FragmentFormat.SQL
    assert graph.stages[0].fragment.query is not None
    assert len(simulation.check(GROUPED).stages) == 2


@pytest.mark.parametrize(
    "folder", ["springald-upload/u0", "x/springald-upload/u0", "springald-exchange/0"]
)
def test_query_of_files_that_pose_as_an_upload_is_refused(
    simulation: Simulation, tmp_path: Path, folder: str
) -> None:
    """A path that looks like another session's upload must not be filled with its rows."""
    place = tmp_path / folder
    place.mkdir(parents=True)
    (place / "0.arrow").write_bytes(_arrow_file())
    simulation.statement(f"CREATE EXTERNAL TABLE mine STORED AS ARROW LOCATION '{place}/'")
    if folder.startswith("springald-exchange"):
        assert simulation.answer("SELECT * FROM mine").num_rows == 1
    else:
        with pytest.raises(PathNotAllowedError, match="outside Springald's own folders"):
            simulation.graph("SELECT * FROM mine")


def test_query_whose_fragment_is_too_large_is_refused(
    simulation: Simulation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fragment travels in a message, and says so before anything runs."""
    monkeypatch.setattr(distribution, "MESSAGE_BYTES_MAX", 1_000)
    with pytest.raises(PlanTooLargeError, match="at most 500 bytes"):
        simulation.graph("SELECT * FROM facts")


def test_query_of_many_files_leaves_their_statistics_at_home(
    simulate: Simulate, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wide table's statistics are many times longer than its files' names."""
    simulation = simulate()
    wide = pa.table({f"c{number}": [1.5, 2.5] for number in range(50)})
    (tmp_path / "wide").mkdir()
    for number in range(8):
        pq.write_table(wide, tmp_path / "wide" / f"{number}.parquet")
    location = f"{tmp_path}/wide/"
    simulation.statement(f"CREATE EXTERNAL TABLE wide STORED AS PARQUET LOCATION '{location}'")
    sql = "SELECT c1, sum(c2) FROM wide WHERE c3 > 1 GROUP BY c1"
    long = len(simulation.graph(sql).stages[0].fragment.payload)
    monkeypatch.setattr(distribution, "FILE_STATISTICS_BYTES_MAX", 1_000)
    short = len(simulation.check(f"{sql} -- again").stages[0].fragment.payload)
    assert short < long / 2


def test_query_of_ordered_files_keeps_the_statistics_that_show_the_order(
    simulation: Simulation, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without them the engine takes the files of one partition for unordered."""
    (tmp_path / "runs").mkdir()
    for number in range(8):
        rows = {"id": list(range(number * 10, number * 10 + 10))}
        pq.write_table(pa.table(rows), tmp_path / "runs" / f"{number}.parquet")
    simulation.statement(
        "CREATE EXTERNAL TABLE runs STORED AS PARQUET WITH ORDER (id ASC) "
        f"LOCATION '{tmp_path}/runs/'"
    )
    monkeypatch.setattr(distribution, "FILE_STATISTICS_BYTES_MAX", 1_000)
    sql = "SELECT id, count(*) FROM runs GROUP BY id ORDER BY id"
    first = simulation.check(sql, in_order=True).stages[0]
    assert "output_ordering=[id@0 ASC" in first.operators[-1].detail


def _arrow_file() -> bytes:
    sink = pa.BufferOutputStream()
    with pa.ipc.new_file(sink, pa.schema([("a", pa.int64())])) as writer:
        writer.write_table(pa.table({"a": [1]}))
    return bytes(sink.getvalue().to_pybytes())
