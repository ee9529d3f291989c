"""Follows a column of an operator's rows down to where it comes from.

An operator puts out columns of its inputs, in an order of its own, beside what it computes. Only
columns that are handed on as they are can be followed.
"""

from typing import Final

from springald.datafusion.v55 import plan_view_pb2 as pb
from springald.engine import plan_view as pv
from springald.engine.modes import AggregateMode, JoinType
from springald.engine.plan_view import PlanNode

_SAME: Final = frozenset({
    "buffer", "coalesce_batches", "cooperative", "global_limit", "local_limit", "merge",
    "repartition", "scalar_subquery", "sort", "sort_preserving_merge",
})  # fmt: skip
"""Operators whose rows have the columns of their first input."""

_FIRST_INPUT: Final = _SAME | {"union", "window"}
"""Operators whose rows begin with as many columns as their first input has."""

_LEFT_ONLY: Final = frozenset({JoinType.LEFT_SEMI, JoinType.LEFT_ANTI})
"""Joins that put out columns of the left side alone."""

_RIGHT_ONLY: Final = frozenset({JoinType.RIGHT_SEMI, JoinType.RIGHT_ANTI})
"""The same with the sides swapped."""

_NO_COLUMNS: Final = [2**32 - 1]
"""How the engine writes a projection to nothing, to tell it from none."""


def width(node: PlanNode) -> int | None:
    """Returns how many columns an operator puts out, or nothing if that is not known."""
    body = node.body
    match node.kind:
        case "projection":
            return len(body.expr)
        case "filter":
            return len(body.projection)
        case "aggregate":
            # A partial one keeps a state of any number of columns.
            return len(body.group_expr) + len(body.aggr_expr) if _is_final(node) else None
        case "hash_join" | "nested_loop_join" | "cross_join":
            chosen = projection(node)
            return _joined_width(node) if chosen is None else len(chosen)
    if node.kind in pv.FILE_SCAN_KINDS:
        return len(_scanned(node))
    if node.kind not in _FIRST_INPUT:
        return None
    below = width(node.children[0])
    return below + len(body.window_expr) if below and node.kind == "window" else below


def origin(node: PlanNode, index: int) -> tuple[int, int] | None:
    """Returns which input, and which of its columns, a column is, if it is handed on as it is."""
    body = node.body
    match node.kind:
        case "projection":
            return _read(0, body.expr[index])
        case "filter":
            return 0, body.projection[index]
        case "aggregate":
            grouped = index < len(body.group_expr) and not body.has_grouping_set
            return _read(0, body.group_expr[index]) if grouped else None
        case "hash_join" | "nested_loop_join" | "cross_join":
            chosen = projection(node)
            return _joined(node, index if chosen is None else chosen[index])
        case "window":
            below = width(node.children[0])
            return (0, index) if below is not None and index < below else None
    return (0, index) if node.kind in _SAME else None


def scanned_column(scan: PlanNode, index: int) -> int | None:
    """Returns which column of its table a scan puts out as it is."""
    return _scanned(scan)[index]


def column_name(node: PlanNode, index: int) -> str:
    """Returns the name of a column that can be followed to a scan, or to where it got the name."""
    while node.kind not in pv.FILE_SCAN_KINDS:
        if node.kind == "projection":
            return str(node.body.expr_name[index])
        if node.kind == "aggregate":
            return str([*node.body.group_expr_name, *node.body.aggr_expr_name][index])
        source = (0, index) if node.kind == "union" else origin(node, index)
        if source is None:
            raise ValueError(f"a column that is followed comes from a scan: got {node.kind}")
        node, index = node.children[source[0]], source[1]
    conf = pv.scan_conf(node)
    if conf.HasField("projection_exprs"):
        return conf.projection_exprs.projections[index].alias
    return pb.Schema.FromString(conf.schema).columns[conf.projection[index]].name


def join_keys(join: PlanNode) -> list[tuple[int | None, int | None]]:
    """Returns the columns of either input that a join holds equal; nothing for an expression."""
    return [(pv.column_read(pair.left), pv.column_read(pair.right)) for pair in join.body.on]


def _read(child: int, expression: bytes) -> tuple[int, int] | None:
    index = pv.column_read(expression)
    return None if index is None else (child, index)


def _is_final(aggregate: PlanNode) -> bool:
    return aggregate.body.mode != AggregateMode.PARTIAL and not aggregate.body.has_grouping_set


def projection(join: PlanNode) -> list[int] | None:
    """Returns which columns a join puts out of those it joins, or nothing if all of them."""
    chosen = [] if join.kind == "cross_join" else list(join.body.projection)
    if not chosen:
        return None
    return [] if chosen == _NO_COLUMNS else chosen


def _joined_width(join: PlanNode) -> int | None:
    left, right = (width(child) for child in join.children)
    kind = JoinType.INNER if join.kind == "cross_join" else join.body.join_type
    if kind in _LEFT_ONLY:
        return left
    if kind in _RIGHT_ONLY:
        return right
    if kind in {JoinType.LEFT_MARK, JoinType.RIGHT_MARK}:
        side = left if kind == JoinType.LEFT_MARK else right
        return None if side is None else side + 1
    return None if left is None or right is None else left + right


def _joined(join: PlanNode, index: int) -> tuple[int, int] | None:
    kind = JoinType.INNER if join.kind == "cross_join" else join.body.join_type
    if kind in _RIGHT_ONLY or kind == JoinType.RIGHT_MARK:
        side = width(join.children[1])
        return None if side is None or index >= side else (1, index)
    left = width(join.children[0])
    if left is None:
        return None
    if index < left:
        return 0, index
    return None if kind in _LEFT_ONLY or kind == JoinType.LEFT_MARK else (1, index - left)


def _scanned(scan: PlanNode) -> list[int | None]:
    conf = pv.scan_conf(scan)
    if conf.HasField("projection_exprs"):
        return [pv.column_read(each.expr) for each in conf.projection_exprs.projections]
    return list(conf.projection)
