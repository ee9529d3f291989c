"""Tells stages that put out the same rows when their tasks are run again, and those that never do.

Only where that can be told from the operators. Whoever is in doubt is compared by the checksums of
its rows.
"""

from collections.abc import Mapping, Sequence
from typing import Final

import pyarrow as pa

from springald.datafusion.v55 import plan_view_pb2 as pb
from springald.engine import plan_view as pv
from springald.engine.plan_view import PlanNode
from springald_scheduler.core.graph import Repeats
from springald_scheduler.planning.drafts import StageDraft
from springald_scheduler.planning.volatile import may_vary

_SAME_ROWS: Final = frozenset({
    "buffer", "coalesce_batches", "cooperative", "cross_join", "empty", "generate_series",
    "interleave", "merge", "nested_loop_join", "placeholder_row", "projection", "repartition",
    "scalar_subquery", "sort_merge_join", "symmetric_hash_join", "union", "unnest",
})  # fmt: skip
"""Operators whose rows follow from those that they get, whatever order these come in."""

_MAY_STOP: Final = frozenset({"filter", "hash_join", "sort", "sort_preserving_merge"})
"""The same, unless they are told to stop after some rows: which ones come first is not told."""

_EXACT: Final = frozenset({
    "avg", "bit_and", "bit_or", "bit_xor", "bool_and", "bool_or", "count", "grouping", "max", "min",
    "sum",
})  # fmt: skip
"""Aggregates that come to the same in any order, as long as no number is a float."""


def repeats_of(draft: StageDraft, schemas: Mapping[int, pa.Schema]) -> Repeats:
    """Returns what can be told of a stage.

    Args:
        draft: The stage.
        schemas: The rows of the stages that it reads, by their numbers.
    """
    if may_vary(pv.serialize(draft.root)):
        return Repeats.NEVER
    nodes = list(draft.root.walk())
    if not all(map(_is_the_same, nodes)):
        return Repeats.UNKNOWN
    rows = [draft.schema, *(schemas[each.stage_id] for each in draft.inputs)]
    adds_up = any(node.kind == "aggregate" for node in nodes)
    return Repeats.UNKNOWN if adds_up and _have_floats(rows) else Repeats.ALWAYS


def _is_the_same(node: PlanNode) -> bool:
    if node.kind in _SAME_ROWS:
        return True
    if node.kind in pv.FILE_SCAN_KINDS:
        return not pv.scan_conf(node).HasField("limit")
    if node.kind in _MAY_STOP:
        return _runs_to_the_end(node)
    if node.kind == "aggregate":
        functions = {pb.AggregateExprView.FromString(each).call.name for each in _calls(node)}
        return functions <= _EXACT and not node.body.HasField("limit")
    return False


def _runs_to_the_end(node: PlanNode) -> bool:
    body = node.body
    if node.kind in {"filter", "hash_join"}:
        return not body.HasField("fetch")
    # The engine writes -1 where there is no limit.
    return bool(body.fetch < 0)


def _calls(node: PlanNode) -> Sequence[bytes]:
    calls: Sequence[bytes] = node.body.aggr_expr
    return calls


def _have_floats(schemas: Sequence[pa.Schema]) -> bool:
    types = (each.type for schema in schemas for each in schema)
    return any("float" in str(each) or "double" in str(each) for each in types)
