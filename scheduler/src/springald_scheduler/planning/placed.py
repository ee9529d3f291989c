"""Spares exchanges where rows with equal keys lie together already.

Facts are often written in the order of a key. Where the row groups of all tables below a join or an
aggregate say so, they are read range by range of that key instead of being sent by its hash: rows
that belong together come out of the same partition, and no row is moved.

A region is a part of a plan in which partition p has just the rows whose key lies in range p.
"""

from dataclasses import dataclass, replace
from typing import Final

from springald.datafusion.v55 import plan_view_pb2 as pb
from springald.engine import plan_view as pv
from springald.engine.modes import (
    EMITS_BUILD_SIDE,
    KEEPS_LEFT,
    KEEPS_RIGHT,
    AggregateMode,
    JoinMode,
    JoinType,
)
from springald.engine.plan_view import PlanNode
from springald.engine.slicing import LEFT_COLLAPSING, partition_count
from springald_scheduler.planning.aggregates import in_one_step
from springald_scheduler.planning.columns import join_keys, origin
from springald_scheduler.planning.compaction import compacted
from springald_scheduler.planning.key_ranges import KeyedScan, keyed_scan, shared_boundaries

_LEFT_KEY_STAYS: Final = KEEPS_LEFT | {JoinType.INNER}
"""Join types in whose rows the left side's key is never replaced by NULL, and is put out."""

_RIGHT_KEY_STAYS: Final = KEEPS_RIGHT | {JoinType.INNER}
"""The same with the sides swapped."""

_PARTITIONED_MODE: Final[dict[int, int]] = {
    AggregateMode.FINAL: AggregateMode.FINAL_PARTITIONED,
    AggregateMode.SINGLE: AggregateMode.SINGLE_PARTITIONED,
}


@dataclass(frozen=True, slots=True)
class _Region:
    """A part of a plan that can be read by ranges of a key.

    Attributes:
        root: The plan, without exchanges; its keyed scans are still as they were.
        scans: The scans that are to be read by ranges.
        outside: Inputs that each partition reads whole.
        spared: How many exchanges are gone.
    """

    root: PlanNode
    scans: tuple[KeyedScan, ...]
    outside: tuple[PlanNode, ...] = ()
    spared: int = 0


class Placement:
    """Finds regions in a plan and has them read by ranges.

    Attributes:
        decisions: What was done, for people.
    """

    def __init__(self, partitions: int, *, always: bool, one_step: bool = True) -> None:
        """Takes the number of partitions of the plan, and what to do.

        Args:
            partitions: How many partitions there are.
            always: Whether to read in ranges also without a gain.
            one_step: Whether two steps of an aggregate that nothing divides any more become one.
        """
        self._partitions = partitions
        self._always = always
        self._one_step = one_step
        self.decisions: list[str] = []

    def improve(self, root: PlanNode) -> PlanNode:
        """Returns the plan with what exchanges can be spared; the largest regions win."""
        improved = self._improve(root, aligned=False)
        joined = _single_steps(improved) - _single_steps(root)
        if self.decisions and joined > 0:
            plural = "an aggregate" if joined == 1 else f"{joined} aggregates"
            self.decisions.append(f"{plural} in one step: no exchange divides it in two")
        return improved

    def _improve(self, node: PlanNode, *, aligned: bool) -> PlanNode:
        """Returns the plan with what exchanges can be spared; the largest regions win."""
        improved = None if aligned else self._begin(node)
        if improved is not None:
            return improved
        children = [
            self._improve(child, aligned=_is_aligned(node, number, aligned=aligned))
            for number, child in enumerate(node.children)
        ]
        if len(children) == 1:
            return self._combined(node, children[0])
        return PlanNode(node.kind, node.body, children)

    def _begin(self, node: PlanNode) -> PlanNode | None:
        if partition_count(node) != self._partitions or self._partitions == 1:
            return None
        if node.kind == "hash_join":
            region = self._join(node, None)
            return self._applied(region) if region else None
        if not pv.is_hash_repartition(node) or node.body.preserve_order:
            return None
        for key in node.body.partitioning.hash.hash_expr:
            column = pv.column_read(key)
            region = None if column is None else self._place(node, column)
            applied = self._applied(region) if region else None
            if applied:
                return applied
        return None

    def _applied(self, region: _Region) -> PlanNode | None:
        boundaries = shared_boundaries(region.scans, self._partitions, always=self._always)
        if boundaries is None:
            return None
        changed = {id(scan.scan): scan.read(boundaries)[0] for scan in region.scans}
        changed |= {id(node): self._improve(node, aligned=False) for node in region.outside}
        keys = " = ".join(dict.fromkeys(scan.name for scan in region.scans))
        self.decisions.append(
            f"read in {self._partitions} ranges of {keys}, as the files lie: "
            f"{region.spared} exchange{'' if region.spared == 1 else 's'} spared"
        )
        return _changed(region.root, changed)

    def _place(self, node: PlanNode, column: int) -> _Region | None:
        """Returns the region whose rows lie in ranges of a column, if there is one."""
        if node.kind in pv.FILE_SCAN_KINDS:
            scan = keyed_scan(node, column)
            return _Region(node, (scan,)) if scan else None
        if node.kind == "hash_join":
            return self._join(node, column)
        if not _hands_on(node, column):
            return None
        source = origin(node, column)
        below = self._place(node.children[0], source[1]) if source else None
        if below is None:
            return None
        if node.kind in {"repartition", "merge"}:
            return replace(below, spared=below.spared + 1)
        return replace(below, root=self._over(node, below.root))

    def _join(self, node: PlanNode, column: int | None) -> _Region | None:
        """Returns the region of a join, by one of its keys, or by a column of its probe side."""
        body = node.body
        if body.null_aware or body.null_equality or body.HasField("fetch"):
            return None
        wanted = None if column is None else origin(node, column)
        for left, right in join_keys(node):
            if left is None or right is None:
                continue
            if column is None or wanted in _keys_put_out(body.join_type, left, right):
                region = self._joined(node, left, right)
                if region:
                    return region
        if wanted is None or wanted[0] == 0:
            return None
        if body.partition_mode != JoinMode.COLLECT_LEFT or body.join_type in EMITS_BUILD_SIDE:
            return None
        probe = self._place(node.children[1], wanted[1])
        if probe is None:
            return None
        build = node.children[0]
        root = PlanNode(node.kind, body, [build, probe.root])
        return replace(probe, root=root, outside=(*probe.outside, build))

    def _joined(self, node: PlanNode, left: int, right: int) -> _Region | None:
        sides = self._place(node.children[0], left), self._place(node.children[1], right)
        if sides[0] is None or sides[1] is None:
            return None
        if sides[0].scans[0].type != sides[1].scans[0].type:
            return None
        body = pb.HashJoinExecNode()
        body.CopyFrom(node.body)
        body.partition_mode = JoinMode.PARTITIONED
        return _Region(
            PlanNode(node.kind, body, [compacted(sides[0].root), sides[1].root]),
            (*sides[0].scans, *sides[1].scans),
            (*sides[0].outside, *sides[1].outside),
            sides[0].spared + sides[1].spared,
        )

    def _over(self, node: PlanNode, child: PlanNode) -> PlanNode:
        """Returns an operator over the rows of one range, which it has to itself."""
        if node.kind == "aggregate" and node.body.mode in _PARTITIONED_MODE:
            body = pb.AggregateExecNode()
            body.CopyFrom(node.body)
            body.mode = _PARTITIONED_MODE[body.mode]
            node = PlanNode(node.kind, body)
        return self._combined(node, child)

    def _combined(self, node: PlanNode, child: PlanNode) -> PlanNode:
        """Returns an operator over a plan; of two steps of an aggregate that meet, one."""
        if self._one_step:
            return in_one_step(node, child)
        return PlanNode(node.kind, node.body, [child])


def _is_aligned(node: PlanNode, side: int, *, aligned: bool) -> bool:
    """True if partitions of an operator's input have to be those of something else."""
    if node.kind in {"repartition", "merge", "sort_preserving_merge"}:
        return False
    if node.kind == "union":
        return aligned
    if node.kind == "scalar_subquery":
        return aligned and side == 0
    if node.kind in LEFT_COLLAPSING:
        return aligned and side == 1
    if node.kind == "hash_join":
        return node.body.partition_mode != JoinMode.COLLECT_LEFT or (aligned and side == 1)
    return aligned or len(node.children) > 1


def _single_steps(root: PlanNode) -> int:
    """Returns how many aggregates of a plan take a single step in each partition."""
    return sum(
        node.kind == "aggregate" and node.body.mode == AggregateMode.SINGLE_PARTITIONED
        for node in root.walk()
    )


def _keys_put_out(join_type: int, left: int, right: int) -> set[tuple[int, int] | None]:
    """Returns the columns of a join's inputs that have the key in all rows of the join."""
    keys: set[tuple[int, int] | None] = set()
    if join_type in _LEFT_KEY_STAYS:
        keys.add((0, left))
    if join_type in _RIGHT_KEY_STAYS:
        keys.add((1, right))
    return keys


def _hands_on(node: PlanNode, column: int) -> bool:
    """True for an operator that may run on the rows of one range at a time."""
    match node.kind:
        case "filter" | "merge":
            return not node.body.HasField("fetch")
        case "repartition":
            return not node.body.preserve_order
        case "window":
            return column in {pv.column_read(key) for key in node.body.partition_keys}
        case "sort":
            return bool(node.body.preserve_partitioning)
    return node.kind in {"projection", "coalesce_batches", "cooperative", "aggregate"}


def _changed(node: PlanNode, changed: dict[int, PlanNode]) -> PlanNode:
    if id(node) in changed:
        return changed[id(node)]
    return PlanNode(node.kind, node.body, [_changed(child, changed) for child in node.children])
