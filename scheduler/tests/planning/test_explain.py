"""Stages as a person reads them."""

import re

import pyarrow as pa
from planning.conftest import Simulate
from simulate import SESSION, TWO_EXECUTORS, Simulation

from springald_scheduler.core.graph import Operator
from springald_scheduler.planning.explain import operators_of
from springald_scheduler.planning.model import Answered

JOINED = """\
Stage 4: 1 partitions -> result, 1 partition; reads stage 3 (sorted)
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


def test_operators_of_reads_a_tree_from_its_indentation() -> None:
    """Each operator has an id and knows its inputs."""
    text = "A: x=1: y\n  B\n    C: z\n  D\n"
    assert operators_of(3, text) == (
        Operator("s3/o0", "A", "x=1: y", ("s3/o1", "s3/o3")),
        Operator("s3/o1", "B", "", ("s3/o2",)),
        Operator("s3/o2", "C", "z", ()),
        Operator("s3/o3", "D", "", ()),
    )
