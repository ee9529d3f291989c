"""Where plans are cut, and what stays together: the shape of the stages, hazard by hazard."""

import pyarrow as pa
import pytest
from datafusion import SessionConfig, SessionContext
from planning.conftest import PARTITIONED, Simulate
from simulate import Simulation

from springald.engine import plan_view as pv
from springald.engine.plan_view import PlanNode
from springald.engine.schemas import SchemaEncoder, output_schema
from springald.engine.session import make_context
from springald.engine.slicing import slice_plan
from springald.errors import UnsupportedError
from springald.limits import FRAGMENT_DEPTH_MAX
from springald.results import result_schema
from springald_scheduler.core.graph import FragmentFormat, Stage, StageGraph
from springald_scheduler.planning.cutter import Cutter
from springald_scheduler.planning.drafts import CutRules
from springald_scheduler.planning.fidelity import same_operators


def shape(graph: StageGraph) -> list[str]:
    """Writes each stage as `partitions -> exchange partitions <- inputs`, `!` for one task."""
    return [_stage_shape(stage) for stage in graph.stages]


def _stage_shape(stage: Stage) -> str:
    together = "" if stage.sliceable else "!"
    inputs = ", ".join(each.kind.value for each in stage.inputs)
    head = f"{stage.partition_count}{together} -> {stage.output.kind.value}"
    return f"{head} {stage.output.partition_count}" + (f" <- {inputs}" if inputs else "")


def operators(graph: StageGraph, stage_id: int) -> list[str]:
    """Returns the operators of a stage with their arguments, root first."""
    found = graph.stages[stage_id - 1].operators
    return [f"{each.name}: {each.detail}" if each.detail else each.name for each in found]


def names(graph: StageGraph, stage_id: int) -> list[str]:
    """Returns the operators of a stage, root first."""
    return [each.name for each in graph.stages[stage_id - 1].operators]


def test_cut_at_hash_repartition_keeps_the_repartition_as_way_out(simulation: Simulation) -> None:
    """Rows change their partition by key: below is one stage, above a leaf reads it."""
    graph = simulation.graph("SELECT k, count(*) FROM facts GROUP BY k")
    assert shape(graph) == ["4 -> hash 4", "4 -> result 4 <- hash"]
    assert graph.stages[0].output.keys == ("k@0",)
    assert names(graph, 1) == ["RepartitionExec", "AggregateExec", "DataSourceExec"]
    assert "springald-exchange/0/3.arrow" in operators(graph, 2)[-1]


def test_cut_at_merge_leaves_one_task_above(simulation: Simulation) -> None:
    """A merge of all partitions is an exchange to one task, and needs no operator there."""
    graph = simulation.graph("SELECT sum(q) FROM facts")
    assert shape(graph) == ["4 -> single 1", "1 -> result 1 <- single"]
    assert "CoalescePartitionsExec" not in names(graph, 2)


def test_cut_at_sorted_merge_reads_one_run_a_partition(simulation: Simulation) -> None:
    """Order is a property of a file's rows: each run stays a partition of the leaf."""
    graph = simulation.graph("SELECT id FROM facts ORDER BY q")
    assert shape(graph) == ["4 -> sorted 4", "1 -> result 1 <- sorted"]
    assert names(graph, 2)[:2] == ["ProjectionExec", "SortPreservingMergeExec"]
    assert "4 groups" in operators(graph, 2)[-1]


def test_cut_of_a_merge_at_the_root_makes_partitions_of_the_result(simulate: Simulate) -> None:
    """A result needs no merge: its partitions are fetched one after the other."""
    graph = simulate().graph("SELECT * FROM facts LIMIT 1000")
    assert shape(graph)[-1].startswith("1 -> result 1")
    assert shape(simulate().graph("SELECT * FROM facts")) == ["4 -> result 4"]


@pytest.mark.parametrize("join", ["", "LEFT", "LEFT SEMI", "LEFT ANTI"])
def test_cut_of_a_join_that_puts_out_probe_rows_broadcasts_its_build_side(
    simulation: Simulation, join: str
) -> None:
    """INNER, RIGHT, RIGHT SEMI and RIGHT ANTI (as built): every task may hold all of one side."""
    sql = "SELECT f.id FROM facts f JOIN one o ON f.k = o.k"
    graph = simulation.graph(sql.replace("JOIN", f"{join} JOIN"))
    assert [each.kind.value for each in graph.stages[-1].inputs] in (["broadcast"], [])
    join_text = next(text for text in operators(graph, len(graph.stages)) if "JoinExec" in text)
    assert "mode=CollectLeft" in join_text
    assert shape(graph)[-1].startswith("4 -> result 4")


@pytest.mark.parametrize("join", ["LEFT", "FULL", "LEFT SEMI", "LEFT ANTI"])
def test_cut_of_a_join_that_puts_out_build_rows_shuffles_both_sides(
    simulation: Simulation, join: str
) -> None:
    """Which build rows found a partner is known in one process only, so each key has one task."""
    sql = "SELECT * FROM dims d JOIN facts f ON f.k = d.k"
    graph = simulation.graph(sql.replace("JOIN", f"{join} JOIN"))
    assert shape(graph) == ["4 -> hash 4", "3 -> hash 4", "4 -> result 4 <- hash, hash"] or (
        shape(graph) == ["3 -> hash 4", "4 -> hash 4", "4 -> result 4 <- hash, hash"]
    )
    assert any("mode=Partitioned" in text for text in operators(graph, 3))


def test_cut_of_a_mark_join_that_puts_out_build_rows_shuffles_both_sides(
    simulation: Simulation,
) -> None:
    """LEFT MARK tells of each build row whether it has a partner."""
    graph = simulation.graph(
        "SELECT label FROM dims d WHERE EXISTS (SELECT 1 FROM facts f WHERE f.k = d.k) OR w = 3"
    )
    assert any("LeftMark" in text and "Partitioned" in text for text in operators(graph, 3))


def test_cut_of_not_in_keeps_the_join_in_one_task(simulation: Simulation) -> None:
    """A NULL that one task meets on the right of NOT IN decides for all of them."""
    graph = simulation.graph("SELECT id FROM facts WHERE k NOT IN (SELECT k FROM dims)")
    assert shape(graph) == ["4 -> broadcast 1", "3! -> result 3 <- broadcast"]
    assert "null_aware" in operators(graph, 2)[0]


def test_cut_of_a_nested_loop_join_that_puts_out_left_rows_is_one_task(
    simulation: Simulation,
) -> None:
    """Without keys there is nothing to shuffle by, and unmatched left rows are told once."""
    left = simulation.graph("SELECT id, w FROM dims d LEFT JOIN facts f ON f.q < d.w")
    assert shape(left) == ["3 -> broadcast 1", "4! -> result 4 <- broadcast"]
    inner = simulation.graph("SELECT id, w FROM dims d JOIN facts f ON f.q < d.w")
    assert shape(inner) == ["3 -> broadcast 1", "4 -> result 4 <- broadcast"]


def test_cut_of_a_cross_join_slices_the_right_side_only(simulation: Simulation) -> None:
    """All of the left side goes to every task; a slice of it would lose pairs."""
    graph = simulation.graph("SELECT id, w FROM facts CROSS JOIN dims")
    assert shape(graph) == ["3 -> broadcast 1", "4 -> result 4 <- broadcast"]


def test_cut_of_partitioned_joins_reads_both_sides_by_hash(simulate: Simulate) -> None:
    """A partitioned join's tasks hold all rows of their keys, of both sides."""
    graph = simulate(PARTITIONED).graph("SELECT id, w FROM facts f FULL JOIN dims d ON f.k = d.k")
    assert sorted(shape(graph)) == ["3 -> hash 4", "4 -> hash 4", "4 -> result 4 <- hash, hash"]


def test_cut_below_a_limit_limits_each_partition_and_then_all(simulation: Simulation) -> None:
    """A limit over several partitions needs them in one place, but not all of their rows."""
    graph = simulation.graph(
        "SELECT count(*) FROM (SELECT f.id FROM facts f FULL JOIN dims d ON f.k = d.k LIMIT 5)"
    )
    assert shape(graph)[-2:] == ["4 -> single 1 <- hash, hash", "1 -> result 1 <- single"]
    assert operators(graph, 3)[0] == "LocalLimitExec: fetch=5"
    assert "CoalescePartitionsExec: fetch=5" in operators(graph, 4)


def test_cut_of_a_union_strings_partitions_together(simulation: Simulation) -> None:
    """A union has the partitions of its branches; a generated leaf is one of them, once."""
    graph = simulation.graph(
        "SELECT k FROM facts UNION ALL SELECT k FROM dims "
        "UNION ALL SELECT value FROM generate_series(1, 3) UNION ALL VALUES (1), (2)"
    )
    assert shape(graph) == ["9 -> result 9"]


def test_cut_of_a_recursive_query_is_the_whole_query(simulation: Simulation) -> None:
    """A work table lives in one process; the engine cannot write it down at all."""
    graph = simulation.graph(
        "WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 5) "
        "SELECT n FROM r"
    )
    assert shape(graph) == ["1! -> result 1"]
    assert graph.stages[0].fragment.format is FragmentFormat.SQL


def test_cut_above_a_constant_column_sorts_by_it_again(simulation: Simulation) -> None:
    """A filter below an exchange made a key constant, and the plan above leaves it out."""
    graph = simulation.graph(
        "SELECT rank() OVER (PARTITION BY h, k ORDER BY s) FROM "
        "(SELECT h, k, g, sum(q) AS s FROM facts WHERE h = 2 AND k = 3 GROUP BY h, k, g)"
    )
    (sort,) = (text for text in operators(graph, 3) if text.startswith("SortExec"))
    assert "h@0 ASC NULLS LAST, k@1 ASC NULLS LAST, s@2 ASC" in sort


def test_cut_above_constant_columns_without_any_sort_adds_one(simulation: Simulation) -> None:
    """Where all keys were constant there was no sort, and the window would be refused."""
    graph = simulation.graph(
        "SELECT avg(s) OVER (PARTITION BY h, k) FROM "
        "(SELECT h, k, g, sum(q) AS s FROM facts WHERE h = 2 AND k = 3 GROUP BY h, k, g)"
    )
    assert shape(graph)[-1] == "4 -> result 4 <- hash"
    assert "SortExec" in names(graph, 3)


def test_cut_of_an_order_keeping_repartition_sorts_behind_the_exchange(
    simulation: Simulation,
) -> None:
    """Files of several tasks have no common order, so rows are sorted where they are read."""
    graph = simulation.graph("SELECT id, max(n) FROM ordered GROUP BY id ORDER BY id")
    assert shape(graph) == ["4 -> hash 4", "4 -> sorted 4 <- hash", "1 -> result 1 <- sorted"]
    assert (
        operators(graph, 2)[1]
        == "SortExec: expr=[id@0 ASC NULLS LAST], preserve_partitioning=[true]"
    )


AVERAGED = "SELECT k, count(*) FROM facts WHERE q > (SELECT avg(q) FROM facts) GROUP BY k"


def test_cut_of_scalar_subqueries_scopes_the_stages_that_use_them(simulation: Simulation) -> None:
    """The value is computed once, and the operator that holds it stands round its users only."""
    simulation.set("springald.inline_values", "never")
    graph = simulation.graph(AVERAGED)
    assert shape(graph) == [
        "4 -> single 1",
        "1 -> broadcast 1 <- single",
        "4 -> hash 4 <- broadcast",
        "4 -> result 4 <- hash",
    ]
    assert "ScalarSubqueryExec" in names(graph, 3)
    assert "ScalarSubqueryExec" not in names(graph, 4)


def test_cut_of_an_aggregate_without_groups_is_finished_by_those_who_read_it(
    simulation: Simulation,
) -> None:
    """Its last step takes a row of each partition, which is less work than a stage."""
    graph = simulation.graph(AVERAGED)
    assert shape(graph) == ["4 -> single 1", "4 -> hash 4 <- single", "4 -> result 4 <- hash"]
    assert names(graph, 2).count("AggregateExec") == 2
    assert any("is done by each task" in each for each in graph.decisions)


@pytest.mark.parametrize("value", ["avg(q) * random()", "count(DISTINCT q)", "median(q + 0.5)"])
def test_cut_of_a_value_that_may_vary_or_is_whole_or_long_is_a_stage(
    simulation: Simulation, value: str
) -> None:
    """Tasks that draw lots differ, a whole number must be known early, a median reads it all."""
    query = AVERAGED.replace("avg(q)", value)
    assert "1 -> broadcast 1 <- single" in shape(simulation.graph(query))


def test_cut_of_a_small_build_side_that_may_vary_is_a_stage(simulation: Simulation) -> None:
    """All tasks join the same rows, although each could compute them."""
    graph = simulation.graph(
        "SELECT id, d.k FROM facts f CROSS JOIN (SELECT k FROM one WHERE random() < 0.5) d"
    )
    varying = [number for number, _ in enumerate(graph.stages, 1) if _draws(graph, number)]
    assert [graph.stages[number - 1].output.kind.value for number in varying] == ["broadcast"]


def _draws(graph: StageGraph, stage_id: int) -> bool:
    return any("random" in each for each in operators(graph, stage_id))


def test_cut_of_equal_stages_is_one_unless_that_is_off(simulation: Simulation) -> None:
    """What reads one stage twice asks for it once, and the stage says so."""
    query = (
        "SELECT a.k, a.c, b.c FROM (SELECT k, count(*) AS c FROM facts GROUP BY k) a "
        "JOIN (SELECT k, count(*) AS c FROM facts GROUP BY k) b ON a.k = b.k"
    )
    shared = simulation.graph(query)
    assert any("computed once" in each for stage in shared.stages for each in stage.decisions)
    simulation.set("springald.shared_stages", "never")
    alone = simulation.graph(query)
    assert len(alone.stages) > len(shared.stages)
    assert not any(stage.decisions for stage in alone.stages)


def test_cut_of_nested_scalar_subqueries_gives_each_its_own_scope(simulation: Simulation) -> None:
    """A value belongs to the nearest scope around its user."""
    simulation.set("springald.inline_values", "never")
    graph = simulation.graph(
        "SELECT id FROM facts WHERE q > "
        "(SELECT max(w) FROM dims WHERE k > (SELECT min(k) FROM facts))"
    )
    scoped = [i for i, _ in enumerate(graph.stages, 1) if "ScalarSubqueryExec" in names(graph, i)]
    assert len(scoped) == 2
    assert all(
        [each.kind.value for each in graph.stages[i - 1].inputs][-1] == "broadcast" for i in scoped
    )


def test_cut_of_a_deep_plan_forwards_partitions_between_stages(simulation: Simulation) -> None:
    """The engine decodes some fifty nested operators: deeper plans go on in another stage."""
    joins = [f"JOIN one o{i} ON f.k = o{i}.k" for i in range(60)]
    graph = simulation.graph(" ".join(["SELECT f.id FROM facts f", *joins]))
    forwards = [
        each for stage in graph.stages for each in stage.inputs if each.kind.value == "forward"
    ]
    assert forwards
    assert {each.partition_count for each in forwards} == {4}
    assert all(
        pv.parse(stage.fragment.payload).depth() <= FRAGMENT_DEPTH_MAX for stage in graph.stages
    )


def test_cut_of_a_deep_plan_that_relies_on_an_order_is_refused(simulate: Simulate) -> None:
    """An aggregate over forwarded rows would not know that they are in order."""
    simulation = simulate({"datafusion.optimizer.repartition_aggregations": "false"})
    joins = [f"JOIN one o{i} ON f.n = o{i}.w" for i in range(60)]
    sql = " ".join(["SELECT f.id, count(*) FROM ordered f", *joins, "GROUP BY f.id ORDER BY f.id"])
    (stage,) = simulation.graph(sql).stages
    assert stage.fragment.format is FragmentFormat.SQL
    assert "the plan is not cut" in stage.single_task_reason


def test_cut_writes_views_and_dictionaries_as_plain_values(simulation: Simulation) -> None:
    """A view keeps whole buffers alive, and a file takes one dictionary: neither crosses a cut."""
    graph = simulation.graph(
        "SELECT s, arrow_cast(g, 'Dictionary(Int8, Utf8)') AS g, count(*) FROM facts GROUP BY 1, 2"
    )
    between = pa.ipc.read_schema(pa.py_buffer(graph.stages[0].schema))
    assert between.types[:2] == [pa.string(), pa.string()]
    last = pa.ipc.read_schema(pa.py_buffer(graph.stages[1].schema))
    promised = result_schema(last)
    assert last.types[:2] == [pa.string(), pa.string()]
    assert promised is not None
    assert promised.types[:2] == [pa.string_view(), pa.dictionary(pa.int8(), pa.string())]


def test_cut_of_rows_without_columns_keeps_their_number(simulation: Simulation) -> None:
    """Rows without columns still count, through every hop."""
    sql = "SELECT count(*) FROM (SELECT 1 FROM facts f FULL JOIN dims d ON f.k = d.k LIMIT 90)"
    graph = simulation.graph(sql)
    assert shape(graph)[-2:] == ["4 -> single 1 <- hash, hash", "1 -> result 1 <- single"]
    assert pa.ipc.read_schema(pa.py_buffer(graph.stages[2].schema)).names == []
    assert simulation.run(graph).column(0).to_pylist() == [90]


# Plans that the planner's settings keep the engine from making.


def _foreign_plan(sql: str, settings: dict[str, str]) -> PlanNode:
    config = SessionConfig().with_target_partitions(4)
    for name, value in settings.items():
        config = config.set(name, value)
    context = SessionContext(config)
    return pv.parse(context.sql(sql).execution_plan().to_bytes(context))


def _cutter() -> Cutter:
    return Cutter(make_context({}, partitions=4), SchemaEncoder(), 4, CutRules())


def test_cut_of_a_round_robin_repartition_removes_it() -> None:
    """A repartition without keys only spreads work, which stages do themselves."""
    sql = """
        SELECT column1 % 3 AS a, count(*) FROM (VALUES (1), (2), (3), (4), (5), (6))
        WHERE column1 > 2 GROUP BY 1
    """
    root = _foreign_plan(sql, {"datafusion.execution.batch_size": "2"})
    spread = [
        n.body.partitioning.WhichOneof("method") for n in root.walk() if n.kind == "repartition"
    ]
    assert "round_robin" in spread
    drafts = _cutter().cut(root)
    assert [draft.partition_count for draft in drafts] == [1, 4]


def test_cut_gives_union_branches_the_names_of_the_first() -> None:
    """A task may hold any branches: what is left of the union must not change its columns."""
    sql = "SELECT column1 AS {} FROM (VALUES (1))"
    branches = [_foreign_plan(sql.format(name), {}) for name in "ab"]
    (draft,) = _cutter().cut(pv.node("union", None, *branches))
    for partition in range(2):
        sliced = slice_plan(draft.root, [partition])
        assert output_schema(make_context({}, partitions=1), sliced).names == ["a"]


def test_cut_of_an_operator_without_a_rule_is_refused() -> None:
    """What no rule covers is not cut: the query runs as one task instead."""
    unknown = PlanNode("json_sink", pv.node("buffer").body, [pv.node("empty")])
    with pytest.raises(UnsupportedError, match="operators that a rule covers: got json_sink"):
        _cutter().cut(unknown)
    with pytest.raises(UnsupportedError, match="one task"):
        _cutter().cut(pv.node("analyze", None, pv.node("empty")))


@pytest.mark.parametrize("kind", ["global_limit", "window", "sort"])
def test_cut_of_an_operator_that_wants_one_partition_refuses_several(kind: str) -> None:
    """Limits, sorts and windows over everything are wrong over a part of the rows."""
    branches = [pv.node("empty"), pv.node("empty")]
    with pytest.raises(UnsupportedError, match=f"{kind} reads a single partition: got several"):
        _cutter()._checked(PlanNode(kind, pv.node(kind).body, [pv.node("union", None, *branches)]))  # noqa: SLF001


def test_whole_plan_that_ends_in_a_repartition_is_refused() -> None:
    """An exchange is told by the repartition on top: a plan's own must not be taken for one."""
    root = pv.hash_repartition(pv.node("empty"), [pv.column("a", 0)], 4)
    with pytest.raises(UnsupportedError, match="is an exchange"):
        _cutter().whole(root)


def test_same_operators_tells_a_lost_argument() -> None:
    """A plan that comes back with other arguments does not mean the same."""
    plan = "FilterExec: a@0 > 1\n  DataSourceExec: file_groups={1 group}, file_type=arrow"
    assert same_operators(plan, plan.replace("1 group", "2 groups"))
    assert not same_operators(plan, plan.replace("a@0 > 1", "a@0 >= 1"))
    assert not same_operators(plan, plan.replace("=arrow", "=arrow_stream"))
