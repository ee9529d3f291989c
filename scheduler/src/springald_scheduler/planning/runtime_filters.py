"""Keeps rows that no join will want from being aggregated or sent.

A join drops the rows of one side that find no partner on the other. Where such rows are aggregated
or exchanged before, the keys of the other side come first: they are broadcast, and a semi-join with
them stands right above the scan. The keys are those of the smallest filtered table that the other
side's keys come from, which may be more than the join lets pass, never fewer.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from springald.datafusion.v55 import plan_view_pb2 as pb
from springald.engine import plan_view as pv
from springald.engine.modes import KEEPS_LEFT, KEEPS_RIGHT, JoinMode, JoinType
from springald.engine.plan_view import PlanNode
from springald.engine.slicing import partition_count
from springald_scheduler.planning.columns import column_name, join_keys, origin, width
from springald_scheduler.planning.fragments import KEEPS_OWN
from springald_scheduler.planning.model import Upload
from springald_scheduler.planning.scan_sizes import table_bytes
from springald_scheduler.planning.volatile import may_vary

DROPS_LONELY: Final = {
    0: KEEPS_RIGHT | {JoinType.INNER, JoinType.LEFT_SEMI},
    1: KEEPS_LEFT | {JoinType.INNER, JoinType.RIGHT_SEMI},
}
"""Join types that are the same whether or not rows of a side without a partner come."""

_BOTH_MATCH: Final = frozenset({JoinType.INNER, JoinType.LEFT_SEMI, JoinType.RIGHT_SEMI})
"""Join types in whose rows a key is a value of the other side as well."""

_LARGER_MIN: Final = 4
"""How many times larger than what its keys come from a scan is at least that is filtered."""

_PASSED_ON: Final = frozenset({"coalesce_batches", "cooperative", "filter", "projection"})


class RuntimeFilters:
    """Puts semi-joins with the keys of other tables above scans.

    Attributes:
        decisions: What was done, for people.
    """

    def __init__(self, uploads: Mapping[str, Upload], *, always: bool) -> None:
        """Takes the session's uploads, and whether to filter whatever the sizes."""
        self._uploads = uploads
        self._always = always
        self.decisions: list[str] = []

    def improve(self, node: PlanNode) -> PlanNode:
        """Returns the plan with its scans filtered where that gains."""
        children = list(node.children)
        if node.kind == "hash_join" and not node.body.null_aware and not node.body.null_equality:
            for keys in join_keys(node):
                for side in (0, 1):
                    children[side] = self._filtered(node, children, keys, side)
        return PlanNode(node.kind, node.body, [self.improve(child) for child in children])

    def _filtered(
        self,
        join: PlanNode,
        children: list[PlanNode],
        keys: tuple[int | None, int | None],
        side: int,
    ) -> PlanNode:
        """Returns one side of a join, without rows whose key the other side does not have."""
        target, others = keys[side], keys[1 - side]
        plan = children[side]
        if target is None or others is None or join.body.join_type not in DROPS_LONELY[side]:
            return plan
        sources = list(_sources(children[1 - side], others))
        if not sources:
            return plan
        source, column = min(sources, key=lambda found: table_bytes(found[0], self._uploads))
        reduced = self._reduced(plan, target, (source, column), passed=False)
        return plan if reduced is None else reduced

    def _reduced(
        self, node: PlanNode, column: int, source: tuple[PlanNode, int], *, passed: bool
    ) -> PlanNode | None:
        """Returns the plan with a semi-join above the scan that a column comes from."""
        if _is_scan(node):
            if not passed or not self._gains(node, source[0]):
                return None
            name = column_name(node, column)
            self.decisions.append(f"{name} is filtered by the keys of a smaller table first")
            return _semi_join(source, node, column)
        found = origin(node, column)
        if found is None or not lets_filter_through(node, found[0], column):
            return None
        if node.kind == "hash_join" and _filters_already(node, found, source[0]):
            return None
        passed = passed or node.kind in {"aggregate", "repartition"}
        below = self._reduced(node.children[found[0]], found[1], source, passed=passed)
        if below is None:
            return None
        children = list(node.children)
        children[found[0]] = below
        return PlanNode(node.kind, node.body, children)

    def _gains(self, target: PlanNode, source: PlanNode) -> bool:
        if self._always:
            return True
        size = table_bytes(target, self._uploads)
        return size >= _LARGER_MIN * table_bytes(source, self._uploads)


def _filters_already(join: PlanNode, key: tuple[int, int], source: PlanNode) -> bool:
    """True if a join on the way has its keys from the same source."""
    wanted = pv.serialize(source)
    side, column = key
    return any(
        pv.serialize(found) == wanted
        for keys in join_keys(join)
        if keys[side] == column and (other := keys[1 - side]) is not None
        for found, _ in _sources(join.children[1 - side], other)
    )


def lets_filter_through(node: PlanNode, side: int, column: int) -> bool:
    """True if rows with other values in a column can be left out below an operator as well."""
    match node.kind:
        case "filter" | "merge":
            return not node.body.HasField("fetch")
        case "hash_join":
            body = node.body
            own = body.join_type in KEEPS_OWN[side]
            return own and not body.null_aware and not body.HasField("fetch")
        case "window":
            return column in {pv.column_read(key) for key in node.body.partition_keys}
        case "sort":
            return bool(node.body.fetch < 0)
    return node.kind in {
        "aggregate", "coalesce_batches", "cooperative", "projection", "repartition",
    }  # fmt: skip


def _is_scan(node: PlanNode) -> bool:
    """True for scans of files with nothing but filters and projections above."""
    if node.kind in pv.FILE_SCAN_KINDS:
        return True
    if node.kind == "union":
        return all(_is_scan(child) for child in node.children)
    if node.kind == "filter" and node.body.HasField("fetch"):
        return False
    return node.kind in _PASSED_ON and _is_scan(node.children[0])


def _sources(node: PlanNode, column: int) -> Iterator[tuple[PlanNode, int]]:
    """Yields filtered scans with a column that has all the values that a column has."""
    if _is_scan(node):
        filtered = any(each.kind == "filter" for each in node.walk())
        if filtered and node.kind != "union" and not may_vary(pv.serialize(node)):
            yield node, column
        return
    found = origin(node, column)
    # Below a scope of scalar subqueries an expression may use values that are others outside of it.
    if found is None or node.kind == "scalar_subquery":
        return
    yield from _sources(node.children[found[0]], found[1])
    if node.kind == "hash_join" and node.body.join_type in _BOTH_MATCH:
        for keys in join_keys(node):
            other = keys[1 - found[0]]
            if keys[found[0]] == found[1] and other is not None and not node.body.null_equality:
                yield from _sources(node.children[1 - found[0]], other)


def _semi_join(source: tuple[PlanNode, int], node: PlanNode, column: int) -> PlanNode:
    """Returns the rows of a plan whose column has one of the source's values."""
    keys = pv.parse(pv.serialize(source[0]))
    name, index = column_name(*source), source[1]
    if width(keys) != 1:
        chosen = pb.ProjectionExecNode(expr=[pv.column(name, index)], expr_name=[name])
        keys, index = PlanNode("projection", chosen, [keys]), 0
    if partition_count(keys) > 1:
        keys = PlanNode("merge", pb.CoalescePartitionsExecNode(), [keys])
    pair = pb.JoinOn(
        left=pv.column(name, index), right=pv.column(column_name(node, column), column)
    )
    body = pb.HashJoinExecNode(
        on=[pair], join_type=JoinType.RIGHT_SEMI, partition_mode=JoinMode.COLLECT_LEFT
    )
    return PlanNode("hash_join", body, [keys, node])
