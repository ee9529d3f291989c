"""Which partition of a fragment reads which partition of an input."""

from springald.engine import plan_view as pv
from springald.engine.modes import JoinMode
from springald.engine.plan_view import PlanNode
from springald.engine.slicing import (
    LEFT_COLLAPSING,
    PARTITION_WISE,
    partition_count,
)


def read_offsets(root: PlanNode) -> dict[int, int | None]:
    """Returns for each leaf, by its identity, which partition of a fragment reads its first one.

    The next partition of the fragment then reads the leaf's next one, and so on, and no other
    partition reads of them. It is None for a leaf of which nothing of the kind is certain, as below
    an operator that reads all partitions of its input. These are the rules of `slice_plan`.
    """
    found: dict[int, int | None] = {}
    pending: list[tuple[PlanNode, int | None]] = [(_body(root), 0)]
    while pending:
        node, offset = pending.pop()
        if node.children:
            pending.extend(zip(node.children, _offsets(node, offset), strict=True))
        elif found.setdefault(id(node), offset) != offset:
            found[id(node)] = None
    return found


def _body(root: PlanNode) -> PlanNode:
    """Returns what a fragment's partitions are those of: what lies below its way out."""
    if root.kind == "projection" and pv.is_hash_repartition(root.children[0]):
        root = root.children[0]
    return root.children[0] if pv.is_hash_repartition(root) else root


def _offsets(node: PlanNode, offset: int | None) -> list[int | None]:
    """Returns the offset of each input of an operator, from its own."""
    unknown: list[int | None] = [None] * len(node.children)
    if offset is None:
        return unknown
    if node.kind == "union":
        offsets: list[int | None] = []
        for child in node.children:
            offsets.append(offset)
            offset += partition_count(child)
        return offsets
    collects_left = node.kind == "hash_join" and node.body.partition_mode == JoinMode.COLLECT_LEFT
    if node.kind in LEFT_COLLAPSING or collects_left:
        return [None, offset]
    if node.kind == "scalar_subquery":
        return [offset, *unknown[1:]]
    wise = node.kind in PARTITION_WISE or node.kind == "hash_join"
    if wise or (node.kind == "sort" and node.body.preserve_partitioning):
        return [offset] * len(node.children)
    return unknown
