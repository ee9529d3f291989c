"""The engine's plan bytes as a tree, and back, at any depth."""

import pytest
from datafusion import SessionConfig, SessionContext
from datafusion.plan import ExecutionPlan
from hypothesis import given
from hypothesis import strategies as st

from springald.datafusion.v55 import plan_view_pb2 as pb
from springald.engine import plan_view as pv
from springald.engine.plan_view import PlanNode
from springald.errors import InternalError


def _filters(depth: int) -> PlanNode:
    root = pv.node("placeholder_row")
    for _ in range(depth - 1):
        root = pv.node("filter", None, root)
    return root


def _shape(root: PlanNode) -> list[tuple[str, int]]:
    return [(node.kind, len(node.children)) for node in root.walk()]


@pytest.mark.parametrize("depth", [1, 2, 49, 50, 200])
def test_parse_reads_what_serialize_wrote_at_any_depth(depth: int) -> None:
    """Protobuf's hundred levels do not hold for a plan that is read one level at a time."""
    again = pv.parse(pv.serialize(_filters(depth)))
    assert again.depth() == depth
    assert _shape(again) == _shape(_filters(depth))


def test_parse_of_a_deep_engine_plan_reads_what_the_engine_itself_cannot() -> None:
    """The engine writes plans that it refuses to read; the planner has to see them to cut them."""
    context = SessionContext(SessionConfig().with_target_partitions(1))
    context.sql("CREATE VIEW one AS SELECT column1 AS a FROM (VALUES (1), (2))")
    joins = [f"JOIN one o{i} ON one.a = o{i}.a" for i in range(70)]
    plan = context.sql(" ".join(["SELECT one.a FROM one", *joins])).execution_plan()
    data = plan.to_bytes(context)
    root = pv.parse(data)
    assert root.depth() > 70
    assert sum(node.kind == "hash_join" for node in root.walk()) == 70
    assert pv.serialize(root) == pv.serialize(pv.parse(pv.serialize(root)))
    with pytest.raises(Exception, match="recursion limit"):
        ExecutionPlan.from_bytes(context, data)


trees = st.recursive(
    st.sampled_from(["placeholder_row", "empty", "memory_scan", "generate_series"]).map(pv.node),
    lambda inner: st.one_of(
        inner.map(lambda child: pv.node("projection", None, child)),
        inner.map(lambda child: pv.node("analyze", None, child)),
        st.tuples(inner, inner).map(lambda pair: pv.node("hash_join", None, *pair)),
        st.tuples(inner, inner).map(lambda pair: pv.node("cross_join", None, *pair)),
        st.lists(inner, min_size=1, max_size=3).map(lambda some: pv.node("union", None, *some)),
        st.lists(inner, min_size=1, max_size=3).map(
            lambda some: pv.node("scalar_subquery", None, *some)
        ),
    ),
    max_leaves=8,
)


@given(trees)
def test_parse_after_serialize_is_the_same_tree(root: PlanNode) -> None:
    """Operators with one, two and many inputs keep them, in their order."""
    data = pv.serialize(root)
    assert _shape(pv.parse(data)) == _shape(root)
    assert pv.serialize(pv.parse(data)) == data


def test_serialize_leaves_the_tree_as_it_was() -> None:
    """A tree is written as often as one likes, and parts of it may be shared."""
    shared = _filters(3)
    root = pv.node("union", None, shared, shared)
    first = pv.serialize(root)
    assert pv.serialize(root) == first
    assert not shared.body.HasField("input")
    assert _shape(pv.parse(first)) == _shape(root)


def test_parse_keeps_fields_that_the_view_does_not_name() -> None:
    """A plan survives with all that the planner does not look at."""
    unknown = b"\xf2\x3f\x03abc"  # field 1022, three bytes
    leaf = pb.PhysicalPlanNode(placeholder_row=pb.SchemaLeafNode().SerializeToString() + unknown)
    body = pb.SingleInputNode(input=leaf.SerializeToString()).SerializeToString() + unknown
    data = pb.PhysicalPlanNode(filter=body).SerializeToString()
    assert pv.serialize(pv.parse(data)).count(unknown) == 2


def test_parse_keeps_the_partitions_of_an_empty_message() -> None:
    """Zero columns are a schema too: an operator with an empty body is an operator."""
    scan = pv.node("memory_scan", pb.MemoryScanExecNode(partitions=[b"", b""]))
    again = pv.parse(pv.serialize(pv.node("projection", None, scan)))
    assert list(again.children[0].body.partitions) == [b"", b""]
    assert list(again.body.expr) == []


@pytest.mark.parametrize("data", [b"\x0a\xff", b"no plan at all", b"\xf2\x3f\x03abc", b""])
def test_parse_of_something_else_is_an_internal_error(data: bytes) -> None:
    """Bytes that do not decode, and an operator of another version, are told apart from data."""
    with pytest.raises(InternalError):
        pv.parse(data)


def test_walk_yields_parents_first_and_left_to_right() -> None:
    """The order in which the engine prints a plan."""
    left = pv.node("filter", None, pv.node("empty"))
    root = pv.node("cross_join", None, left, pv.node("placeholder_row"))
    kinds = [node.kind for node in root.walk()]
    assert kinds == ["cross_join", "filter", "empty", "placeholder_row"]


def test_hash_repartition_is_what_the_engine_calls_one() -> None:
    """The operator that ends a stage is understood by the engine."""
    context = SessionContext()
    context.sql("CREATE VIEW v AS SELECT * FROM (VALUES (1), (2))")
    scan = pv.parse(context.sql("SELECT * FROM v").execution_plan().to_bytes(context))
    root = pv.hash_repartition(scan, [pv.column("column1", 0)], 5)
    assert pv.is_hash_repartition(root)
    assert not pv.is_hash_repartition(scan)
    plan = ExecutionPlan.from_bytes(context, pv.serialize(root))
    assert "RepartitionExec: partitioning=Hash([column1@0], 5)" in plan.display_indent()
    assert plan.partition_count == 5
