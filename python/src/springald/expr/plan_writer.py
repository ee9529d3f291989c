"""From nodes to a plan: ids are given, children first."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from google.protobuf.message import Message

from springald.errors import PlanTooLargeError
from springald.expr.node import Node, Path
from springald.limits import PLAN_NODES_MAX
from springald.plan.v1 import plan_pb2

__all__ = ["node_at", "relation_tree"]


@dataclass(slots=True)
class _Visit:
    """A node whose children are being written.

    Attributes:
        node: The node.
        waiting: Its children that have no id yet.
        ids: The ids of those that have, in order.
    """

    node: Node
    waiting: Iterator[Node]
    ids: list[int] = field(default_factory=list)


def relation_tree(root: Node) -> plan_pb2.RelationTree:
    """Writes a relation and everything that hangs from it.

    A node that stands in several places is written once for each of them. Nothing recurses, so that
    a tree of any depth is written, and whoever reads it says what is too deep.

    Example:
        >>> from springald.expr.node import relation
        >>> from springald.plan.v1 import sources_pb2
        >>> tree = relation_tree(relation("values", sources_pb2.ValuesRelation()))
        >>> tree.root_id, tree.relations[0].WhichOneof("kind")
        (1, 'values')

    Raises:
        PlanTooLargeError: There are more nodes than a reader takes.
    """
    tree = plan_pb2.RelationTree()
    visits = [_Visit(root, root.children())]
    while visits:
        visit = visits[-1]
        child = next(visit.waiting, None)
        if child is not None:
            visits.append(_Visit(child, child.children()))
            continue
        visits.pop()
        node_id = _write(tree, visit)
        if visits:
            visits[-1].ids.append(node_id)
        else:
            tree.root_id = node_id
    return tree


def node_at(root: Node, node_id: str) -> Node | None:
    """Returns the node that got an id, as errors name it; None if none has it.

    Args:
        root: The relation that was written.
        node_id: `r7` is a relation, `e3` an expression.
    """
    counts = {"r": 0, "e": 0}
    visits = [_Visit(root, root.children())]
    while visits:
        visit = visits[-1]
        child = next(visit.waiting, None)
        if child is not None:
            visits.append(_Visit(child, child.children()))
            continue
        node = visits.pop().node
        sort = node.sort[0]
        counts[sort] += 1
        if f"{sort}{counts[sort]}" == node_id:
            return node
    return None


def _write(tree: plan_pb2.RelationTree, visit: _Visit) -> int:
    if len(tree.relations) + len(tree.expressions) >= PLAN_NODES_MAX:
        raise PlanTooLargeError(
            f"a plan has at most {PLAN_NODES_MAX} relations and expressions: got more; cache() a "
            "part that is used several times, and put long lists into a table"
        )
    node, ids = visit.node, visit.ids
    here = len(node.inputs)
    if node.sort == "relation":
        message: Any = tree.relations.add()
        message.common.input_ids.extend(ids[:here])
        node_id = len(tree.relations)
    else:
        message = tree.expressions.add()
        message.common.operand_ids.extend(ids[:here])
        node_id = len(tree.expressions)
    message.common.node_id = node_id
    kind = getattr(message, node.kind)
    kind.SetInParent()
    kind.CopyFrom(node.message)
    for reference in node.references:
        there = here + len(reference.nodes)
        _refer(kind, reference.path, ids[here:there])
        here = there
    return node_id


def _refer(message: Message, path: Path, ids: list[int]) -> None:
    """Puts ids into the field that a path leads to."""
    place: Any = message
    for step in path[:-1]:
        place = place[step] if isinstance(step, int) else getattr(place, step)
    name = str(path[-1])
    field_there = getattr(place, name)
    if isinstance(field_there, int):
        (node_id,) = ids
        setattr(place, name, node_id)
    else:
        field_there.extend(ids)
