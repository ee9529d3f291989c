"""States again what a plan proved below a cut.

A column that a filter made constant is left out of the sort keys above it. When the filter ends up
in another stage, the engine sees a window function whose input is not sorted by all its keys, and
refuses to run it. Sorting by the missing columns too changes no order, because they are constant
there, or equal to a column that is in the keys.
"""

import re
from typing import Final

from springald.datafusion.v55 import plan_view_pb2 as pb
from springald.engine import plan_view as pv
from springald.engine.plan_view import PlanNode
from springald.errors import UnsupportedError

_KEPT: Final = re.compile(r"preserve_order=true, sort_exprs=(.+)$")
_KEY: Final = re.compile(r"(.+?)@(\d+) (ASC|DESC)( NULLS LAST)?(?:, |$)")
_KEEPS_COLUMNS: Final = frozenset({"window", "coalesce_batches", "cooperative"})


def complete_orderings(body: PlanNode) -> None:
    """Adds the keys of window functions to the sorts of a fragment that lack them."""
    for window in [node for node in body.walk() if node.kind == "window"]:
        if window.body.WhichOneof("input_order_mode") in {None, "sorted"}:
            _complete(window)


def sort_windows(body: PlanNode) -> None:
    """Sorts the rows of window functions anew where a cut forgot that they are sorted."""
    for window in [node for node in body.walk() if node.kind == "window"]:
        below = window.children[0]
        if window.body.WhichOneof("input_order_mode") in {None, "sorted"} and below.kind != "sort":
            function = pb.PhysicalWindowExprNode.FromString(window.body.window_expr[0])
            keys = {_same(key): _sort_key(key) for key in function.partition_by}
            for key in function.order_by:
                wrapped = pb.PhysicalExprNode(sort=key).SerializeToString()
                keys.setdefault(_same(key.expr), wrapped)
            sort = pb.SortExecNode(expr=keys.values(), fetch=-1, preserve_partitioning=True)
            window.children[0] = PlanNode("sort", sort, [below])


def _complete(window: PlanNode) -> None:
    ordered = window.children[0]
    while ordered.kind in _KEEPS_COLUMNS:
        ordered = ordered.children[0]
    if ordered.kind not in {"sort", "sort_preserving_merge"}:
        return
    have = [_same(pb.PhysicalExprNode.FromString(key).sort.expr) for key in ordered.body.expr]
    wanted = {_same(key): key for raw in window.body.window_expr for key in _partition_keys(raw)}
    missing = [_sort_key(key) for same, key in wanted.items() if same not in have]
    if not missing:
        return
    # Behind the partition keys that are there: they come first, in whatever order.
    place = sum(1 for key in have if key in wanted)
    keys = list(ordered.body.expr)
    del ordered.body.expr[:]
    ordered.body.expr.extend([*keys[:place], *missing, *keys[place:]])


def _partition_keys(window_expression: bytes) -> list[bytes]:
    return list(pb.PhysicalWindowExprNode.FromString(window_expression).partition_by)


def _same(expression: bytes) -> bytes | int:
    """Returns what two expressions have in common if they are the same column, or the same."""
    parsed = pb.PhysicalExprNode.FromString(expression)
    return parsed.column.index if parsed.WhichOneof("kind") == "column" else expression


def _sort_key(expression: bytes, *, asc: bool = True, nulls_first: bool = False) -> bytes:
    key = pb.PhysicalSortExprNode(expr=expression, asc=asc, nulls_first=nulls_first)
    return pb.PhysicalExprNode(sort=key).SerializeToString()


def read_sort_keys(repartition: str) -> list[bytes]:
    """Reads the order that a repartition keeps from the engine's line about it.

    Raises:
        UnsupportedError: It keeps none, or orders by something else than columns.
    """
    kept = _KEPT.search(repartition)
    keys = list(_KEY.finditer(kept.group(1))) if kept else []
    if kept is None or "".join(key.group() for key in keys) != kept.group(1):
        message = f"an order that a repartition keeps is one of columns: got {repartition.strip()}"
        raise UnsupportedError(f"{message}; the query runs as one task instead")
    return [
        _sort_key(
            pv.column(key.group(1), int(key.group(2))),
            asc=key.group(3) == "ASC",
            nulls_first=key.group(4) is None,
        )
        for key in keys
    ]
