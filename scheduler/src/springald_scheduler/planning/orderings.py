"""States again what a plan proved below a cut.

A column that a filter made constant is left out of the sort keys above it. When the filter ends up
in another stage, the engine sees a window function whose input is not sorted by all its keys, and
refuses the fragment. Sorting by the missing columns too changes nothing: they are constant there.
"""

from collections.abc import Callable

from springald.datafusion.v55 import plan_view_pb2 as pb
from springald.engine.plan_view import PlanNode

_KEEPS_COLUMNS = frozenset({"window", "coalesce_batches", "cooperative"})


def complete_orderings(body: PlanNode, decodes: Callable[[PlanNode], str | None]) -> PlanNode:
    """Returns the fragment, with sort keys added where the engine would refuse it otherwise.

    Args:
        body: The fragment.
        decodes: Returns why the engine refuses a fragment, or nothing.
    """
    refused = decodes(body)
    if refused is None or "ordering" not in refused:
        return body
    for window in [node for node in body.walk() if node.kind == "window"]:
        _complete(window)
    return body


def _complete(window: PlanNode) -> None:
    """Adds a window's missing keys to the sort or merge that orders its input."""
    ordered = window.children[0]
    while ordered.kind in _KEEPS_COLUMNS:
        ordered = ordered.children[0]
    if ordered.kind not in {"sort", "sort_preserving_merge"}:
        return
    have = {_key(expression) for expression in ordered.body.expr}
    wanted = [key for raw in window.body.window_expr for key in _partition_keys(raw)]
    missing = [_sort_key(key) for key in dict.fromkeys(wanted) if key not in have]
    present = list(ordered.body.expr)
    del ordered.body.expr[:]
    ordered.body.expr.extend([*missing, *present])


def _partition_keys(window_expression: bytes) -> list[bytes]:
    raw = pb.PhysicalExprNode.FromString(window_expression).window_expr
    return list(pb.PhysicalWindowExprNode.FromString(raw).partition_by)


def _key(expression: bytes) -> bytes:
    """Returns the expression that a sort key sorts by."""
    return pb.PhysicalExprNode.FromString(expression).sort.expr


def _sort_key(expression: bytes) -> bytes:
    key = pb.PhysicalSortExprNode(expr=expression, asc=True, nulls_first=False)
    return pb.PhysicalExprNode(sort=key).SerializeToString()
