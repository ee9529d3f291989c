"""Stages as a person reads them."""

import re

import pyarrow as pa
import pytest
from datafusion import SessionContext
from planning.conftest import Simulate
from simulate import SESSION, TWO_EXECUTORS, Simulation

from springald.errors import Position, UnknownColumnError, UnsupportedError
from springald_scheduler.core.graph import AnswerKind, StageGraph
from springald_scheduler.planning.explain import operators_of, stages_text
from springald_scheduler.planning.model import Answered, Planned

JOINED = """\
Stage 4: 1 partitions -> result, 1 partition; reads stage 3 (sorted); \
takes in stage 3 if it reads at most 1048576 bytes
  SortPreservingMergeExec: [n@1 DESC], fetch=2
    DataSourceExec: springald-exchange/0, type=arrow
Stage 3: 4 partitions -> sorted, 4 partitions; reads stage 2 (hash)
  ProjectionExec: expr=[k@0 as k, count(Int64(1))@1 as n]
    SortExec: TopK(fetch=2), expr=[count(Int64(1))@1 DESC], preserve_partitioning=[true]
      AggregateExec: mode=FinalPartitioned, gby=[k@0 as k], aggr=[count(Int64(1))]
        DataSourceExec: springald-exchange/0, type=arrow
Stage 2: 4 partitions -> hash by [k@0], 4 partitions; reads stage 1 (broadcast)
  RepartitionExec: partitioning=Hash([k@0], 4), input_partitions=4
    AggregateExec: mode=Partial, gby=[k@0 as k], aggr=[count(Int64(1))]
      HashJoinExec: mode=CollectLeft, join_type=Inner, on=[(k@0, k@0)], projection=[k@1]
        DataSourceExec: springald-exchange/0, type=arrow
        DataSourceExec: facts, type=parquet
Stage 1: 3 partitions -> broadcast, 1 partition
  DataSourceExec: dims, type=parquet"""

SQL = """
    SELECT f.k, count(*) AS n FROM facts f JOIN dims d ON f.k = d.k
    GROUP BY f.k ORDER BY n DESC LIMIT 2
"""


def explained(simulation: Simulation, sql: str) -> dict[str, str]:
    """Returns what EXPLAIN answers, by the kind of plan."""
    answer = simulation.planner.run(SESSION, f"EXPLAIN {sql}", TWO_EXECUTORS)
    assert isinstance(answer, Answered)
    rows = pa.ipc.open_stream(answer.arrow_stream).read_all().to_pylist()
    return {row["plan_type"]: row["plan"] for row in rows}


def tidy(text: str) -> str:
    """Leaves of a scan's line what does not depend on a machine."""
    line = re.compile(
        r"DataSourceExec: .*?(springald-exchange/\d+|\w+)/\d+\.\w+\].*file_type=(\w+).*"
    )
    return line.sub(r"DataSourceExec: \1, type=\2", text)


def test_explain_tells_logical_physical_and_stages(simulation: Simulation) -> None:
    """The result comes first, each stage with its exchange, its inputs and its operators."""
    plans = explained(simulation, SQL)
    assert list(plans) == ["logical_plan", "physical_plan", "stages"]
    assert "Aggregate" in plans["logical_plan"]
    assert "HashJoinExec" in plans["physical_plan"]
    assert tidy(plans["stages"]) == JOINED


def test_explain_tells_why_a_query_is_one_task(simulate: Simulate) -> None:
    """A decision is stated before the stages, and beside the stage it was made for."""
    simulation = simulate({"springald.distribution": "never"})
    stages = explained(simulation, "SELECT k FROM dims")["stages"].splitlines()
    reason = "the session asks for one task"
    assert stages[0] == f"-- one task: {reason}"
    assert stages[1] == f"Stage 1: one task -> result, 2 partitions; {reason}"


def test_explain_of_a_query_that_is_planned_where_it_runs_says_so(simulation: Simulation) -> None:
    """There is no plan to be shown yet."""
    stages = explained(simulation, "SELECT lag(k) IGNORE NULLS OVER (ORDER BY w) FROM dims")[
        "stages"
    ]
    assert stages.splitlines()[-1] == "  (the whole query, planned by the task that runs it)"


def test_explain_verbose_shows_the_engine_s_steps(simulation: Simulation) -> None:
    """VERBOSE is handed to the engine."""
    plans = explained(simulation, f"VERBOSE {SQL}")
    assert len(plans) > 10
    assert "stages" in plans


def test_operators_of_reads_a_tree_whatever_is_in_its_literals() -> None:
    """Each operator has an id and knows its inputs; a line break in a literal begins none."""
    sql = "SELECT * FROM (VALUES ('a')) t(x) WHERE x <> 'q\n  FakeExec: r' UNION ALL SELECT 'b'"
    operators = operators_of(3, SessionContext().sql(sql).execution_plan())
    assert [(each.node_id, each.name, each.input_node_ids) for each in operators] == [
        ("s3/o0", "UnionExec", ("s3/o1", "s3/o4")),
        ("s3/o1", "ProjectionExec", ("s3/o2",)),
        ("s3/o2", "FilterExec", ("s3/o3",)),
        ("s3/o3", "DataSourceExec", ()),
        ("s3/o4", "ProjectionExec", ("s3/o5",)),
        ("s3/o5", "PlaceholderRowExec", ()),
    ]
    assert operators[2].detail == "column1@0 != q FakeExec: r"


def planned(simulation: Simulation, sql: str) -> StageGraph:
    """The stages that a statement is planned as."""
    outcome = simulation.planner.run(SESSION, sql, TWO_EXECUTORS)
    assert isinstance(outcome, Planned)
    return outcome.graph


def test_explain_analyze_is_the_query_with_another_answer(simulation: Simulation) -> None:
    """It runs as it would without, but its tasks tell everything, and the client gets that."""
    plain = planned(simulation, SQL)
    analyzed = planned(simulation, f"EXPLAIN ANALYZE {SQL}")
    verbose = planned(simulation, f"EXPLAIN ANALYZE VERBOSE {SQL}")

    assert (plain.profile, plain.answer) == (False, AnswerKind.ROWS)
    assert (analyzed.profile, analyzed.answer) == (True, AnswerKind.PROFILE)
    assert verbose.answer is AnswerKind.FULL_PROFILE
    assert stages_text(plain) == stages_text(analyzed) == stages_text(verbose)


def test_setting_profile_keeps_the_rows(simulation: Simulation) -> None:
    """A query is profiled and its rows are wanted all the same."""
    simulation.planner.run(SESSION, "SET springald.profile = TRUE", TWO_EXECUTORS)
    graph = planned(simulation, SQL)
    assert (graph.profile, graph.answer) == (True, AnswerKind.ROWS)


def test_estimates_stand_beside_the_operators_that_they_are_about(simulation: Simulation) -> None:
    """Across stages, and none where cutting put a new operator."""
    graph = planned(simulation, f"EXPLAIN ANALYZE {SQL}")
    estimates = [
        [(operator.name.removesuffix("Exec"), operator.rows_estimated) for operator in s.operators]
        for s in graph.stages
    ]
    assert estimates == [
        [("DataSource", 14)],
        [
            ("Repartition", 112),
            ("Aggregate", 112),
            ("HashJoin", 112),
            ("DataSource", None),
            ("DataSource", 96),
        ],
        [("Projection", 2), ("Sort", 2), ("Aggregate", 112), ("DataSource", None)],
        [("SortPreservingMerge", 2), ("DataSource", None)],
    ]
    assert all(
        o.rows_estimated is None for s in planned(simulation, SQL).stages for o in s.operators
    )


def test_estimates_leave_the_session_as_it_was(simulation: Simulation) -> None:
    """What the engine is told to print for them, it does not print for the next EXPLAIN."""
    planned(simulation, f"EXPLAIN ANALYZE {SQL}")
    assert "statistics=" not in explained(simulation, SQL)["physical_plan"]
    simulation.planner.run(SESSION, "SET datafusion.explain.show_statistics = true", TWO_EXECUTORS)
    planned(simulation, f"EXPLAIN ANALYZE {SQL}")
    assert "statistics=" in explained(simulation, SQL)["physical_plan"]


def test_estimates_do_without_what_a_literal_hides(simulation: Simulation) -> None:
    """A line break inside a text takes a line of the plan, and is no operator."""
    sql = "EXPLAIN ANALYZE SELECT label FROM dims WHERE label <> 'a\n  FakeExec: b' AND w > 3"
    (stage,) = planned(simulation, sql).stages
    names = ["FilterExec", "DataSourceExec"]
    assert [operator.name for operator in stage.operators][-2:] == names
    assert all(operator.rows_estimated is not None for operator in stage.operators[-2:])


def test_explain_analyze_of_a_broken_query_points_into_the_whole_text(
    simulation: Simulation,
) -> None:
    """The place is that of the text which the client sent."""
    with pytest.raises(UnknownColumnError) as raised:
        planned(simulation, "EXPLAIN ANALYZE\n SELECT nope FROM dims")
    assert raised.value.position == Position(2, 9)
    with pytest.raises(UnsupportedError, match="takes a query"):
        planned(simulation, "EXPLAIN ANALYZE DROP TABLE dims")


def test_explain_analyze_of_what_the_scheduler_answers_says_so(simulation: Simulation) -> None:
    """Nothing runs, so there is nothing to measure."""
    plans = explained(simulation, "ANALYZE SELECT * FROM information_schema.tables")
    assert plans == {"stages": "(the scheduler answers this query itself)"}
