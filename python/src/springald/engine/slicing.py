"""How many partitions an operator has, and what is left of a plan when only some of them run.

A partition of an operator comes from the same partition of its input, except where the operator
collapses its input (it reads all partitions), strings its inputs together (union), or is a leaf.
What lies below a collapse keeps all its partitions in every task that needs it: slicing it would
change answers without an error.
"""

from collections.abc import Sequence
from typing import Final

from springald.engine import plan_view as pv
from springald.engine.modes import JoinMode
from springald.engine.plan_view import PlanNode
from springald.errors import InternalError, UnsupportedError

PARTITION_WISE: Final = frozenset({
    "aggregate", "async_func", "buffer", "coalesce_batches", "cooperative", "filter",
    "interleave", "local_limit", "projection", "sort_merge_join", "symmetric_hash_join",
    "unnest", "window",
})  # fmt: skip
"""Operators whose partition p reads partition p of every input, and nothing else."""

COLLAPSING: Final = frozenset({"analyze", "global_limit", "merge", "sort_preserving_merge"})
"""Operators with one partition, which reads all of the input's."""

LEFT_COLLAPSING: Final = frozenset({"cross_join", "nested_loop_join"})
"""Joins that read all of the left input for each partition of the right one."""


def partition_count(node: PlanNode) -> int:
    """Returns how many partitions an operator puts out.

    Raises:
        UnsupportedError: The operator is not one that can be cut or sliced.
    """
    return _Counter().count(node)


class _Counter:
    """Counts partitions, each operator once."""

    def __init__(self) -> None:
        self._known: dict[int, int] = {}

    def count(self, node: PlanNode) -> int:
        for current in reversed(list(node.walk())):
            if id(current) not in self._known:
                inputs = [self._known[id(child)] for child in current.children]
                self._known[id(current)] = _count_one(current, inputs)
        return self._known[id(node)]


def _count_one(node: PlanNode, inputs: list[int]) -> int:
    if node.kind in COLLAPSING:
        return 1
    match node.kind:
        case "union":
            return sum(inputs)
        case "sort":
            return inputs[0] if node.body.preserve_partitioning else 1
        case "scalar_subquery":
            return inputs[0]
        case "repartition":
            return _spread(node)
    if not node.children:
        return _count_leaf(node)
    if node.kind in LEFT_COLLAPSING or _collects_left(node):
        return inputs[1]
    if node.kind in PARTITION_WISE or node.kind == "hash_join":
        if len(set(inputs)) != 1:
            message = f"inputs of {node.kind} have equally many partitions: got {inputs}"
            raise UnsupportedError(f"{message}; the query runs as one task instead")
        return inputs[0]
    raise _unknown(node)


def _count_leaf(leaf: PlanNode) -> int:
    if leaf.kind in pv.FILE_SCAN_KINDS:
        return len(pv.scan_conf(leaf).file_groups)
    match leaf.kind:
        case "memory_scan":
            return len(leaf.body.partitions)
        case "empty" | "placeholder_row":
            return max(1, int(leaf.body.partitions))
        case "generate_series":
            return 1
    raise _unknown(leaf)


def _spread(repartition: PlanNode) -> int:
    spread = repartition.body.partitioning
    match spread.WhichOneof("method"):
        case "hash":
            return int(spread.hash.partition_count)
        case "round_robin":
            return int(spread.round_robin)
        case "unknown":
            return int(spread.unknown)
    raise _unknown(repartition)


def _unknown(node: PlanNode) -> UnsupportedError:
    message = f"plans are cut at operators that a rule covers: got {node.kind}"
    return UnsupportedError(f"{message}; the query runs as one task instead")


def _collects_left(node: PlanNode) -> bool:
    return node.kind == "hash_join" and node.body.partition_mode == JoinMode.COLLECT_LEFT


def slice_plan(root: PlanNode, partitions: Sequence[int]) -> PlanNode:
    """Returns the plan of some partitions of a fragment, which it renumbers from 0.

    A hash repartition at the root, or under a projection at the root, is the fragment's way out:
    the partitions then are those of its input, and the output keeps all of its own. So does a sink:
    the partitions are those of the merge below it.
    """
    if root.kind in pv.SINK_KINDS:
        return _over(root, [_slice_written(root.children[0], partitions)])
    if pv.is_hash_repartition(root):
        return _over(root, [_Slicer().slice(root.children[0], partitions)])
    if root.kind == "projection" and pv.is_hash_repartition(root.children[0]):
        return _over(root, [slice_plan(root.children[0], partitions)])
    return _Slicer().slice(root, partitions)


def _slice_written(node: PlanNode, partitions: Sequence[int]) -> PlanNode:
    (child,) = node.children
    if node.kind == "merge":
        return _over(node, [_Slicer().slice(child, partitions)])
    return _over(node, [_slice_written(child, partitions)])


def _over(node: PlanNode, children: list[PlanNode]) -> PlanNode:
    """Returns an operator over other inputs, which keeps its position."""
    return PlanNode(node.kind, node.body, children, node.position)


class _Slicer:
    """Slices operators; counts of partitions are taken once."""

    def __init__(self) -> None:
        self._counter = _Counter()

    def slice(self, node: PlanNode, wanted: Sequence[int]) -> PlanNode:
        if list(wanted) == list(range(self._counter.count(node))):
            return node
        if not node.children:
            leaf = _slice_leaf(node, wanted)
            leaf.position = node.position
            return leaf
        if node.kind == "union":
            return self._slice_union(node, wanted)
        return _over(node, self._slice_inputs(node, wanted))

    def _slice_inputs(self, node: PlanNode, wanted: Sequence[int]) -> list[PlanNode]:
        first, *rest = node.children
        if node.kind in LEFT_COLLAPSING or _collects_left(node):
            return [first, *(self.slice(child, wanted) for child in rest)]
        if node.kind == "scalar_subquery":
            return [self.slice(first, wanted), *rest]
        if node.kind in PARTITION_WISE or node.kind in {"hash_join", "sort"}:
            return [self.slice(child, wanted) for child in node.children]
        message = f"{node.kind} has one partition, which every task wants whole: got {list(wanted)}"
        raise InternalError(message)

    def _slice_union(self, node: PlanNode, wanted: Sequence[int]) -> PlanNode:
        """Keeps the branches that have wanted partitions; a union numbers them branch by branch."""
        kept, offset = [], 0
        for child in node.children:
            count = self._counter.count(child)
            inside = [p - offset for p in wanted if offset <= p < offset + count]
            if inside:
                kept.append(self.slice(child, inside))
            offset += count
        return kept[0] if len(kept) == 1 else _over(node, kept)


def _slice_leaf(node: PlanNode, wanted: Sequence[int]) -> PlanNode:
    if node.kind in pv.FILE_SCAN_KINDS:
        conf = pv.scan_conf(node)
        groups = [conf.file_groups[p] for p in wanted]
        sliced = type(conf)()
        sliced.CopyFrom(conf)
        sliced.ClearField("file_groups")
        sliced.ClearField("output_partitioning")
        sliced.file_groups.extend(groups)
        return pv.with_scan_conf(node, sliced)
    body = type(node.body)()
    body.CopyFrom(node.body)
    if node.kind == "memory_scan":
        body.ClearField("partitions")
        body.partitions.extend(node.body.partitions[p] for p in wanted)
    elif node.kind in {"empty", "placeholder_row"}:
        body.partitions = len(wanted)
    else:
        raise InternalError(f"leaf {node.kind} has one partition: got {list(wanted)}")
    return PlanNode(node.kind, body)
