"""Plans with something wrong in them: drawn at random, from plans with nothing wrong."""

from collections.abc import Callable
from typing import Any, Final

import plan_kit as k
import pyarrow as pa
from hypothesis import strategies as st

from springald.limits import PLAN_NODES_MAX
from springald.plan.v1 import expressions_pb2, functions_pb2, plan_pb2, sources_pb2
from springald.type.v1 import type_pb2

Draw = Callable[[st.SearchStrategy[Any]], Any]
Break = Callable[[plan_pb2.Plan, Draw], bytes]

ROWS: Final = pa.table({"i": [1, 2, None], "t": ["a", None, "c"]})
STRANGE_IDS: Final = st.sampled_from([0, 7_777, 2**31, 2**32 - 1])


def _tree(plan: plan_pb2.Plan) -> plan_pb2.RelationTree:
    return plan.relations


def _any_node(plan: plan_pb2.Plan, draw: Draw) -> Any:  # noqa: ANN401 - either kind of node
    nodes = [*_tree(plan).relations, *_tree(plan).expressions]
    return draw(st.sampled_from(nodes))


def _children(node: Any) -> Any:  # noqa: ANN401 - a list of ids
    is_relation = isinstance(node, plan_pb2.Relation)
    return node.common.input_ids if is_relation else node.common.operand_ids


def dangling(plan: plan_pb2.Plan, draw: Draw) -> bytes:
    """A node names one that is not there, or none is the root."""
    node, strange = _any_node(plan, draw), draw(STRANGE_IDS)
    children = _children(node)
    if children and draw(st.booleans()):
        children[draw(st.integers(0, len(children) - 1))] = strange
    elif draw(st.booleans()):
        children.append(strange)
    else:
        _tree(plan).root_id = strange
    return plan.SerializeToString()


def cyclic(plan: plan_pb2.Plan, draw: Draw) -> bytes:
    """A node is below itself, directly or through others, or stands twice."""
    node, other = _any_node(plan, draw), _any_node(plan, draw)
    children = _children(node)
    if children:
        children[draw(st.integers(0, len(children) - 1))] = other.common.node_id
    else:
        children.append(node.common.node_id)
    return plan.SerializeToString()


def alike(plan: plan_pb2.Plan, draw: Draw) -> bytes:
    """Two nodes have one id."""
    _any_node(plan, draw).common.node_id = _any_node(plan, draw).common.node_id
    return plan.SerializeToString()


def childless(plan: plan_pb2.Plan, draw: Draw) -> bytes:
    """A node lacks what it works on."""
    node = _any_node(plan, draw)
    children = _children(node)
    keep = draw(st.integers(0, max(0, len(children) - 1)))
    del children[keep:]
    return plan.SerializeToString()


def without_kind(plan: plan_pb2.Plan, draw: Draw) -> bytes:
    """A node does not say what it is, or has nothing in its body."""
    node = _any_node(plan, draw)
    kind = node.WhichOneof("kind")
    node.ClearField(kind)
    if draw(st.booleans()):
        getattr(node, kind).SetInParent()
    return plan.SerializeToString()


def mistyped(plan: plan_pb2.Plan, draw: Draw) -> bytes:
    """An expression is another one, of a type that does not fit there."""
    strange = draw(st.sampled_from(_strange_literals()))
    expressions = _tree(plan).expressions
    if not expressions:
        return b""
    changed = draw(st.sampled_from(list(expressions)))
    changed.common.operand_ids[:] = []
    changed.ClearField(changed.WhichOneof("kind"))
    changed.literal.CopyFrom(strange)
    return plan.SerializeToString()


def _strange_literals() -> list[expressions_pb2.LiteralExpression]:
    """Values that fit nowhere, are no values of their types, or are huge."""
    integer = type_pb2.DataType(simple_type=type_pb2.SIMPLE_TYPE_INT8)
    text = type_pb2.DataType(simple_type=type_pb2.SIMPLE_TYPE_UTF8)
    decimal = type_pb2.DataType(decimal_type=type_pb2.DecimalType(precision=255, scale=-120))
    lists = type_pb2.DataType(list_type=type_pb2.ListType(layout=type_pb2.LIST_LAYOUT_LIST))
    given = [
        (integer, type_pb2.Value(int_value=2**62)),
        (integer, type_pb2.Value(string_value="x")),
        (text, type_pb2.Value(string_value="y" * 1_000_000)),
        (text, type_pb2.Value(list_value=type_pb2.ListValue())),
        (decimal, type_pb2.Value(decimal_value=b"\x7f" * 500)),
        (lists, type_pb2.Value(list_value=type_pb2.ListValue())),
        (type_pb2.DataType(), type_pb2.Value(int_value=1)),
        (type_pb2.DataType.FromString(b"\x08\xa0\x1f"), type_pb2.Value(int_value=1)),
        (text, type_pb2.Value()),
    ]
    return [
        expressions_pb2.LiteralExpression(value=type_pb2.Scalar(type=kind, value=value))
        for kind, value in given
    ]


def shuffled(plan: plan_pb2.Plan, draw: Draw) -> bytes:
    """Nodes stand in another order than children first."""
    tree = _tree(plan)
    relations = draw(st.permutations(list(tree.relations)))
    del tree.relations[:]
    tree.relations.extend(relations)
    return plan.SerializeToString()


def truncated(plan: plan_pb2.Plan, draw: Draw) -> bytes:
    """The bytes end too early."""
    serialized = plan.SerializeToString()
    return serialized[: draw(st.integers(0, len(serialized) - 1))]


def garbled(plan: plan_pb2.Plan, draw: Draw) -> bytes:
    """Some bytes are others."""
    serialized = bytearray(plan.SerializeToString())
    for _ in range(draw(st.integers(1, 8))):
        serialized[draw(st.integers(0, len(serialized) - 1))] = draw(st.integers(0, 255))
    return bytes(serialized)


def noise(_: plan_pb2.Plan, draw: Draw) -> bytes:
    """Any bytes."""
    drawn: bytes = draw(st.binary(max_size=2_000))
    return drawn


def many(plan: plan_pb2.Plan, draw: Draw) -> bytes:
    """There are ten thousand nodes, side by side or one in the other, or more than are taken."""
    tree, count = _tree(plan), draw(st.sampled_from([10_000, PLAN_NODES_MAX + 1]))
    top = tree.root_id
    ids = [each.common.node_id for each in tree.relations]
    first = max([*ids, *(each.common.node_id for each in tree.expressions)]) + 1
    if draw(st.booleans()):
        for node_id in range(first, first + count):
            tree.relations.add(
                common=plan_pb2.RelationCommon(node_id=node_id, input_ids=[top])
            ).distinct.SetInParent()
            top = node_id
    else:
        for node_id in range(first, first + count):
            tree.expressions.add(
                common=plan_pb2.ExpressionCommon(node_id=node_id)
            ).column.position = node_id % 3
        chain = plan_pb2.Expression(
            common=plan_pb2.ExpressionCommon(
                node_id=first + count, operand_ids=range(first, first + count)
            )
        )
        chain.call.function_name = draw(st.sampled_from(["+", "and", "concat", "nosuch"]))
        chain.call.function_kind = functions_pb2.FUNCTION_KIND_SCALAR
        tree.expressions.append(chain)
        top = first + count
        tree.relations.add(
            common=plan_pb2.RelationCommon(node_id=top, input_ids=[tree.root_id])
        ).projection.expression_ids.append(first + count)
    tree.root_id = top
    return plan.SerializeToString()


def inline_rows(_: plan_pb2.Plan, draw: Draw) -> bytes:
    """Rows that come with the plan are no Arrow stream, or another one than they say."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, ROWS.schema) as writer:
        writer.write_table(ROWS)
    stream = bytearray(sink.getvalue().to_pybytes())
    match draw(st.sampled_from(["cut", "changed", "noise", "none"])):
        case "cut":
            del stream[draw(st.integers(0, len(stream) - 1)) :]
        case "changed":
            for _number in range(draw(st.integers(1, 20))):
                stream[draw(st.integers(0, len(stream) - 1))] = draw(st.integers(0, 255))
        case "noise":
            stream = bytearray(draw(st.binary(max_size=600)))
        case _:
            stream.clear()
    read = sources_pb2.InlineTableRelation(arrow_stream=bytes(stream))
    return k.message(lambda p: p.relation([], inline_table=read)).SerializeToString()


BREAKS: Final[dict[str, Break]] = {
    "dangling": dangling,
    "cyclic": cyclic,
    "alike": alike,
    "childless": childless,
    "without kind": without_kind,
    "mistyped": mistyped,
    "shuffled": shuffled,
    "truncated": truncated,
    "garbled": garbled,
    "noise": noise,
    "many": many,
    "inline rows": inline_rows,
}
"""Ways to break a plan, by name. What comes may still be a plan that has an answer."""
