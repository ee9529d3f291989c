"""Copies string views that a join has gathered, before another join gathers them again.

A view keeps the buffers of the rows it was taken from. The build side of a join holds all of its
rows as one batch, so whatever is gathered from it refers to all of its buffers; gathered once more,
each batch refers to all buffers of all batches. The engine's own repartition copies views, which
hides this; where an exchange was spared, a query of TPC-H's q18 took ten times as long (SF 10).
"""

from contextlib import suppress
from typing import Final

from springald.datafusion.v55 import plan_view_pb2 as pb
from springald.engine import plan_view as pv
from springald.engine.plan_view import PlanNode
from springald_scheduler.planning.columns import column_name, origin, scanned_column, width

_PLAIN: Final = {b"\x9a\x02\x00": b"\x72\x00", b"\x92\x02\x00": b"\x7a\x00"}
"""The plain type of strings and of bytes, by that of views, as the engine writes them."""


def compacted(node: PlanNode) -> PlanNode:
    """Returns the plan with copies of the views that a join has gathered in it, if there are any.

    A plan whose columns cannot be named is left as it is.
    """
    columns = range(width(node) or 0)
    views = {index: kind for index in columns if (kind := _gathered_view(node, index))}
    if not views:
        return node
    with suppress(ValueError):
        names = [column_name(node, index) for index in columns]
        read = [pv.column(name, index) for index, name in enumerate(names)]
        for index, kind in views.items():
            read[index] = pv.cast(pv.cast(read[index], _PLAIN[kind]), kind)
        return PlanNode("projection", pb.ProjectionExecNode(expr=read, expr_name=names), [node])
    return node


def _gathered_view(node: PlanNode, index: int) -> bytes | None:
    """Returns a column's type if it is a view that the build side of a join was gathered for."""
    gathered = False
    while node.kind not in pv.FILE_SCAN_KINDS:
        source = (0, index) if node.kind == "union" else origin(node, index)
        if source is None:
            return None
        gathered |= node.kind == "hash_join" and source[0] == 0
        node, index = node.children[source[0]], source[1]
    number = scanned_column(node, index)
    columns = pb.Schema.FromString(pv.scan_conf(node).schema).columns
    if not gathered or number is None or number >= len(columns):
        return None
    kind = bytes(columns[number].arrow_type)
    return kind if kind in _PLAIN else None
