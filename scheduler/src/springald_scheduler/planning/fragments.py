"""What a stage's fragment is made of, for the rules that change stages when they are measured."""

from typing import Final

from springald.engine import plan_view as pv
from springald.engine.fragment import exchange_input
from springald.engine.modes import KEEPS_LEFT, KEEPS_RIGHT, AggregateMode, JoinMode, JoinType
from springald.engine.plan_view import PlanNode
from springald_scheduler.core.graph import ExchangeKind

PROBE_ONLY: Final = KEEPS_RIGHT | {JoinType.INNER}
"""Joins that put out rows of the build side with a partner only."""

KEEPS_OWN: Final = {0: KEEPS_LEFT | {JoinType.INNER}, 1: KEEPS_RIGHT | {JoinType.INNER}}
"""Joins each of whose rows comes of one row of a side, whose columns no NULLs replace."""

ROW_WISE: Final = frozenset({
    "buffer", "coalesce_batches", "cooperative", "filter", "projection",
})  # fmt: skip
"""Operators that treat each row alone."""

UNORDERED: Final = frozenset({
    ExchangeKind.HASH, ExchangeKind.SINGLE, ExchangeKind.BROADCAST, ExchangeKind.RESULT,
})  # fmt: skip
"""Exchanges whose readers rely on no order."""

_WORK_WITHOUT_BYTES: Final = frozenset({"cross_join", "generate_series", "nested_loop_join"})


def body_of(root: PlanNode) -> PlanNode:
    """Returns what lies below a fragment's way out."""
    if root.kind == "projection" and pv.is_hash_repartition(root.children[0]):
        root = root.children[0]
    return root.children[0] if pv.is_hash_repartition(root) else root


def input_read(leaf: PlanNode) -> int | None:
    """Returns the number of the input that a leaf reads, if it reads one."""
    if leaf.kind != "arrow_scan":
        return None
    files = [file for group in pv.scan_conf(leaf).file_groups for file in group.files]
    return exchange_input(files[0].path) if files else None


def path_to_join(body: PlanNode) -> list[PlanNode]:
    """Returns the operators down to a partitioned join, with it, or nothing.

    None of them cares how the rows are dealt to partitions, and none is in an order.
    """
    path, node = [], body
    while True:
        path.append(node)
        if is_partitioned(node):
            return path
        following = same_rows(node)
        if following is None:
            return []
        node = following


def same_rows(node: PlanNode) -> PlanNode | None:
    """Returns the input of an operator that treats each of its rows alone, wherever it is."""
    if node.kind in ROW_WISE or node.kind == "scalar_subquery":
        return node.children[0]
    if node.kind == "aggregate" and node.body.mode == AggregateMode.PARTIAL:
        return node.children[0]
    if node.kind == "hash_join" and is_plain(node) and node.body.join_type in PROBE_ONLY:
        return node.children[1]
    return None


def is_partitioned(node: PlanNode) -> bool:
    """True for a hash join that matches partitions of both sides."""
    return node.kind == "hash_join" and node.body.partition_mode != JoinMode.COLLECT_LEFT


def is_plain(join: PlanNode) -> bool:
    """True for a hash join whose rows do not depend on more than its keys and its condition."""
    return not join.body.null_aware and not join.body.HasField("fetch")


def is_measured(body: PlanNode) -> bool:
    """True if what a fragment has to do is told by the bytes that it reads of other stages."""
    return all(
        (node.children or input_read(node) is not None) and node.kind not in _WORK_WITHOUT_BYTES
        for node in body.walk()
    )
