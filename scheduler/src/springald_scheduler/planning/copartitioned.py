"""Tells where rows lie by the hash of their keys already, so that an exchange by them is spared.

A join whose sides are sent by their keys puts out each row in the partition of its keys. The engine
knows that of the joins that it planned so. A join that it wanted to broadcast, and that the cutter
sends by keys instead, has an exchange by the same keys above it where its rows are grouped.
"""

from collections.abc import Sequence

from springald.engine import plan_view as pv
from springald.engine.modes import JoinMode
from springald.engine.plan_view import PlanNode
from springald_scheduler.planning.columns import origin
from springald_scheduler.planning.fragments import KEEPS_OWN, PROBE_ONLY, is_plain

_SAME_PARTITION = frozenset({
    "aggregate", "buffer", "coalesce_batches", "cooperative", "filter", "projection",
    "scalar_subquery", "sort", "window",
})  # fmt: skip
"""Operators that put out rows in the partition in which they come; a sort only if it keeps them."""


class HashedReads:
    """The reads of exchanges by hash in a plan that is being cut."""

    def __init__(self) -> None:
        """Begins without any."""
        self._reads: dict[int, tuple[PlanNode, list[int | None], int]] = {}

    def add(self, read: PlanNode, keys: Sequence[bytes], partitions: int) -> None:
        """Takes what reads an exchange, and by which keys and to how many partitions it sends."""
        # The node is kept, so that its identity is not given to another one.
        self._reads[id(read)] = (read, [pv.column_read(key) for key in keys], partitions)

    def lie_by(self, node: PlanNode, keys: Sequence[bytes], partitions: int) -> bool:
        """True if an exchange of a plan's rows by some keys would leave each where it is.

        The keys are the same ones in the same order, because that is what their hash depends on.
        """
        columns = [pv.column_read(key) for key in keys]
        known = [column for column in columns if column is not None]
        return bool(known) and len(known) == len(columns) and self._lie(node, known, partitions)

    def _lie(self, node: PlanNode, columns: Sequence[int], partitions: int) -> bool:
        if id(node) in self._reads:
            _, keys, count = self._reads[id(node)]
            return keys == list(columns) and count == partitions
        sources = [origin(node, column) for column in columns] if node.children else []
        sides = {source[0] for source in sources if source}
        if len(sides) != 1 or None in sources:
            return False
        (side,) = sides
        if not _stay(node, side):
            return False
        below = [source[1] for source in sources if source]
        return self._lie(node.children[side], below, partitions)


def _stay(node: PlanNode, side: int) -> bool:
    """True if all rows of an operator come of rows of one input, in the same partition.

    An outer join pads the columns of the other side with NULLs, wherever the row lies.
    """
    if node.kind != "hash_join":
        keeps = node.kind != "sort" or node.body.preserve_partitioning
        return bool(keeps) and node.kind in _SAME_PARTITION
    body = node.body
    if not is_plain(node):
        return False
    if body.partition_mode == JoinMode.COLLECT_LEFT:
        return side == 1 and body.join_type in PROBE_ONLY
    return body.join_type in KEEPS_OWN[side]
