"""What the engine measured of operators, as an attempt tells it."""

from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from datafusion import SessionContext
from datafusion.plan import ExecutionPlan
from executor_kit import Bench, context_over, parquet_files, plan_of, stage_of

from springald.engine import plan_view as pv
from springald.engine.catalog import CatalogEntry, SqlQuery
from springald.engine.operators import operators
from springald.engine.plan_view import PlanNode
from springald_executor.core.model import NO_FIGURES, OperatorFigures, StageDefinition, TaskReport
from springald_executor.engine.figures import read_figures
from springald_executor.engine.runner import TaskError, TaskRunner

SCHEMA = pa.schema([("k", pa.int64())])
ROWS = 400


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """A runner below a folder that also holds a table of four files with 100 rows each."""
    bench = Bench(tmp_path)
    ranges = [range(n * 100, n * 100 + 100) for n in range(4)]
    parquet_files(tmp_path / "t", [pa.table({"k": numbers}) for numbers in ranges])
    return bench


def planned(bench: Bench, sql: str) -> PlanNode:
    """The plan of a query over the table, four partitions wide."""
    return plan_of(context_over(4, t=bench.folder / "t"), sql)


def by_kind(plan: PlanNode, figures: OperatorFigures, column: str = "rows_out") -> dict[str, int]:
    """A column of figures by the kinds of operators; the last one of a kind counts."""
    kinds = [node.kind for node in plan.walk()]
    values = getattr(figures, column)
    return {kinds[at]: value for at, value in zip(figures.positions, values, strict=True)}


def test_rows_out_of_each_operator_are_the_rows_that_came_out(bench: Bench) -> None:
    """Over all partitions of the task, and of no other task."""
    plan = planned(bench, "SELECT k + 1 AS k FROM t WHERE k % 2 = 0 AND k < 250")
    stage = stage_of(plan, SCHEMA)
    halves = [bench.run(bench.request(stage, part)).figures for part in ([0, 1], [2, 3])]

    assert [by_kind(plan, each)["projection"] for each in halves] == [100, 25]
    assert [by_kind(plan, each)["parquet_scan"] for each in halves] == [200, 200 - 100]
    assert all(ns > 0 for each in halves for ns in each.compute_ns)
    assert by_kind(plan, halves[0], "bytes_scanned")["parquet_scan"] > 100
    assert halves[0].spill_count == halves[0].spilled_bytes == ()


def test_slice_of_a_union_whose_columns_differ_tells_of_its_own_operators(bench: Bench) -> None:
    """Projections that the engine adds while it decodes a union have positions, or are left out."""
    plan = planned(bench, "SELECT 7 AS k FROM t WHERE k < 5 UNION ALL SELECT k FROM t WHERE k < 9")
    decoded = operators(ExecutionPlan.from_bytes(SessionContext(), pv.serialize(plan)))
    told = [operator.display() for operator, _ in decoded]
    assert len(told) > len(list(plan.walk())), "the engine adds a projection"
    stage = replace(stage_of(plan, SCHEMA), operator_count=len(told))
    for part, rows in ([0, 1, 2, 3], 5), ([4, 5, 6, 7], 9), (list(range(8)), 14):
        figures = bench.run(bench.request(stage, part)).figures
        counted = zip(figures.positions, figures.rows_out, strict=True)
        filtered = [count for at, count in counted if told[at].startswith("FilterExec")]
        assert dict(zip(figures.positions, figures.rows_out, strict=True))[0] == rows
        assert sum(filtered) == rows
        scanned = [at for at in figures.positions if told[at].startswith("DataSourceExec")]
        assert len(scanned) == len(filtered) == (2 if rows == 14 else 1)


def test_slice_of_a_union_tells_the_positions_of_its_own_branches(bench: Bench) -> None:
    """A task that lacks branches does not give their numbers to others."""
    plan = planned(
        bench, "SELECT k FROM t WHERE k < 5 UNION ALL SELECT k FROM t WHERE k % 4 = 0 AND k >= 100"
    )
    kinds = [node.kind for node in plan.walk()]
    assert kinds == ["union", "filter", "parquet_scan", "filter", "parquet_scan"]
    stage = stage_of(plan, SCHEMA)

    whole = bench.run(bench.request(stage, range(8))).figures
    second = bench.run(bench.request(stage, [5, 7])).figures

    assert dict(zip(whole.positions, whole.rows_out, strict=True))[0] == 80
    assert second.positions == (0, 3, 4), "what comes of its branch would come of the union"
    assert second.rows_out == (50, 50, 200)


def test_plan_of_another_size_than_its_stage_says_is_not_measured(bench: Bench) -> None:
    """Figures that cannot be told apart are worse than none."""
    plan = planned(bench, "SELECT k FROM t WHERE k < 5")
    data = pv.serialize(plan)
    stage = stage_of(plan, SCHEMA)
    request = bench.request(replace(stage, operator_count=9), range(4))
    assert bench.run(request).figures.positions == (0, 1)

    other = replace(stage.fragment, payload=pv.serialize(plan.children[0]))
    with bench.runner._contexts.borrowed(request) as context:  # noqa: SLF001 - as the runner does
        wrong = replace(request, stage=replace(request.stage, fragment=other))
        assert read_figures(ExecutionPlan.from_bytes(context, data), wrong) == NO_FIGURES


def test_profile_tells_what_was_pruned_and_other_figures(bench: Bench) -> None:
    """Everything that the engine counts, when it is asked for, and nothing more otherwise."""
    numbers = range(30_000)
    pq.write_table(pa.table({"k": numbers}), bench.folder / "many.parquet", row_group_size=100)
    plan = plan_of(
        context_over(1, m=bench.folder / "many.parquet"), "SELECT k FROM m WHERE k < 950"
    )
    stage = stage_of(plan, SCHEMA)

    plain = bench.run(bench.request(stage)).figures
    profiled = bench.run(bench.request(replace(stage, profile=True))).figures

    assert plain.details == ()
    scan = [node.kind for node in plan.walk()].index("parquet_scan")
    details = {name: value for at, name, value in profiled.details if at == scan}
    assert details["row_groups_pruned_statistics_total"] == 300
    assert details["row_groups_pruned_statistics_matched"] == 10
    assert details["files_opened"] == 1
    assert "output_rows" not in details
    assert 0 not in {value for _, name, value in profiled.details if "_matched" not in name}


def test_failed_task_tells_what_it_measured(bench: Bench) -> None:
    """The rows that an operator put out before the failure show where it happened."""
    text = pa.table({"w": ["1"] * 10_000 + ["one"]})
    pq.write_table(text, bench.folder / "text.parquet", row_group_size=5_000)
    plan = plan_of(
        context_over(1, w=bench.folder / "text.parquet"),
        "SELECT arrow_cast(1, 'Int64') AS k FROM w WHERE CAST(w AS BIGINT) >= 0",
    )

    with pytest.raises(TaskError) as raised:
        bench.run(bench.request(stage_of(plan, SCHEMA)))

    figures = raised.value.figures
    assert by_kind(plan, figures)["parquet_scan"] > by_kind(plan, figures)["filter"] > 0


def test_task_that_cannot_begin_measures_nothing(bench: Bench) -> None:
    """No plan, no figures; those of the task before are not told again."""
    stage = stage_of(planned(bench, "SELECT k FROM t"), SCHEMA)
    bench.run(bench.request(stage, range(4)))

    with pytest.raises(TaskError) as raised:
        bench.run(replace(bench.request(stage), allowed_paths=("/nowhere",)))

    assert raised.value.figures == NO_FIGURES


def test_spill_is_counted(bench: Bench) -> None:
    """Bytes that a sort wrote to disk because its memory was used up."""
    numbers = [(n * 7919) % 400_009 for n in range(400_000)]
    pq.write_table(pa.table({"k": numbers}), bench.folder / "big.parquet")
    plan = plan_of(context_over(1, b=bench.folder / "big.parquet"), "SELECT k FROM b ORDER BY k")

    settings = (("datafusion.execution.sort_spill_reservation_bytes", "200000"),)
    stage = stage_of(plan, SCHEMA, settings=settings)
    figures = bench.run(bench.request(stage, memory_bytes=2 * 1024 * 1024)).figures

    assert by_kind(plan, figures, "spill_count")["sort"] > 0
    assert by_kind(plan, figures, "spilled_bytes")["sort"] > 400_000
    assert by_kind(plan, figures)["sort"] == 400_000


def run_query(bench: Bench, sql: str) -> TaskReport:
    """Runs a whole query that its task plans."""
    entry = CatalogEntry("t", format="parquet", path=str(bench.folder / "t"))
    runner = TaskRunner(
        bench.roots, read_query=lambda _: SqlQuery(sql, (entry,)), spill_dir=bench.spill
    )
    bench.runner = runner
    stage: StageDefinition = stage_of(b"query", SCHEMA)
    return bench.run(bench.request(stage))


def test_query_that_its_task_plans_tells_its_operators_too(bench: Bench) -> None:
    """Nobody else knows the plan that the figures are about."""
    report = run_query(bench, "SELECT k FROM t WHERE k >= 390 AND k <> 395")

    assert [each.name for each in report.operators] == ["FilterExec", "DataSourceExec"]
    assert [each.inputs for each in report.operators] == [(1,), ()]
    assert report.figures.positions == (0, 1)
    assert report.figures.rows_out == (9, 100)
