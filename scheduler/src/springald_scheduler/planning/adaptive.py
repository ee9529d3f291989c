"""What may change about stages when their inputs are measured: found while they are planned.

The core decides by sizes alone, so all that needs the plan is decided here: which empty input
leaves a stage without rows, which input may be read in parts, which join may become a broadcast.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from springald.engine import plan_view as pv
from springald.engine.fragment import exchange_input
from springald.engine.modes import KEEPS_LEFT, KEEPS_RIGHT, AggregateMode, JoinMode, JoinType
from springald.engine.plan_view import PlanNode
from springald.engine.slicing import PARTITION_WISE
from springald.limits import FRAGMENT_DEPTH_MAX
from springald_scheduler.core.graph import Adaptive, BroadcastOffer, ExchangeKind
from springald_scheduler.planning.cutter import StageDraft
from springald_scheduler.planning.session_settings import AdaptiveRules

_EMPTIED_BY_LEFT: Final = KEEPS_LEFT | {JoinType.INNER, JoinType.RIGHT_SEMI}
_EMPTIED_BY_RIGHT: Final = KEEPS_RIGHT | {JoinType.INNER, JoinType.LEFT_SEMI}
_PROBE_ONLY: Final = KEEPS_RIGHT | {JoinType.INNER}
_ROW_WISE: Final = frozenset({
    "buffer", "coalesce_batches", "cooperative", "filter", "projection",
})  # fmt: skip
_EMPTY_OF_EMPTY: Final = _ROW_WISE | {
    "global_limit", "local_limit", "merge", "sort", "sort_preserving_merge", "unnest", "window",
}  # fmt: skip
_UNORDERED: Final = frozenset({
    ExchangeKind.HASH, ExchangeKind.SINGLE, ExchangeKind.BROADCAST, ExchangeKind.RESULT,
})  # fmt: skip
_WORK_WITHOUT_BYTES: Final = frozenset({"cross_join", "generate_series", "nested_loop_join"})
_REDUCING: Final = frozenset({
    "aggregate", "filter", "global_limit", "hash_join", "local_limit", "nested_loop_join",
    "sort_merge_join", "unnest",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Adapted:
    """What was found out about a stage: see `Stage.adaptive` and `Stage.after`."""

    adaptive: Adaptive
    after: tuple[int, ...] = ()


def adapt(drafts: Sequence[StageDraft], rules: AdaptiveRules) -> list[Adapted]:
    """Returns what may change about each stage of a query."""
    found = [Adapted(_adaptive(draft, drafts, rules)) for draft in drafts]
    for draft, each in zip(drafts, list(found), strict=True):
        for offer in each.adaptive.broadcasts:
            probe = draft.inputs[offer.probe_input].stage_id - 1
            builds = {draft.inputs[number].stage_id for number in offer.build_inputs}
            earlier = tuple(sorted(build for build in builds if build <= probe))
            found[probe] = replace(found[probe], after=earlier)
    return found


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
        if node.kind == "hash_join" and node.body.partition_mode != JoinMode.COLLECT_LEFT:
            return path
        following = _same_rows(node)
        if following is None:
            return []
        node = following


def _same_rows(node: PlanNode) -> PlanNode | None:
    """Returns the input of an operator that treats each of its rows alone, wherever it is."""
    if node.kind in _ROW_WISE or node.kind == "scalar_subquery":
        return node.children[0]
    if node.kind == "aggregate" and node.body.mode == AggregateMode.PARTIAL:
        return node.children[0]
    if node.kind == "hash_join" and _is_plain(node) and node.body.join_type in _PROBE_ONLY:
        return node.children[1]
    return None


def _is_plain(join: PlanNode) -> bool:
    return not join.body.null_aware and not join.body.HasField("fetch")


def _adaptive(draft: StageDraft, drafts: Sequence[StageDraft], rules: AdaptiveRules) -> Adaptive:
    body = body_of(draft.root)
    emptied = sorted(_emptied_by(body)) if rules.skip_empty else ()
    if draft.single_task_reason:
        return Adaptive(emptied_by=tuple(emptied))
    unordered = draft.output.kind in _UNORDERED
    split = sorted(_splittable(body)) if rules.split_bytes_min and unordered else ()
    offer = _offer(draft, drafts, body, rules) if rules.broadcast_bytes_max and unordered else None
    return Adaptive(
        task_bytes_target=rules.task_bytes_target if _is_measured(body) else 0,
        emptied_by=tuple(emptied),
        split_inputs=tuple(split),
        split_bytes_min=rules.split_bytes_min if split else 0,
        broadcasts=(offer,) if offer else (),
    )


def _is_measured(body: PlanNode) -> bool:
    """True if what a fragment has to do is told by the bytes that it reads of other stages."""
    return all(
        (node.children or input_read(node) is not None) and node.kind not in _WORK_WITHOUT_BYTES
        for node in body.walk()
    )


def _emptied_by(node: PlanNode) -> frozenset[int]:
    """Returns the inputs of which each, if it is empty, leaves an operator without rows."""
    if not node.children:
        number = input_read(node)
        return frozenset() if number is None else frozenset({number})
    inputs = [_emptied_by(child) for child in node.children]
    match node.kind:
        case "hash_join" | "nested_loop_join":
            left = inputs[0] if node.body.join_type in _EMPTIED_BY_LEFT else frozenset()
            right = inputs[1] if node.body.join_type in _EMPTIED_BY_RIGHT else frozenset()
            return left | right
        case "cross_join":
            return inputs[0] | inputs[1]
        case "union" | "interleave":
            return frozenset.intersection(*inputs)
        case "aggregate":
            grouped = node.body.group_expr and not node.body.has_grouping_set
            return inputs[0] if grouped else frozenset()
        case "scalar_subquery":
            return inputs[0]
    return inputs[0] if node.kind in _EMPTY_OF_EMPTY else frozenset()


def _splittable(node: PlanNode) -> frozenset[int]:
    """Returns the inputs of which one may be read in parts.

    An operator over parts of that input, with all of the others each time, puts out the same rows
    as over the whole.
    """
    number = input_read(node) if not node.children else None
    if number is not None:
        return frozenset({number})
    following = _same_rows(node)
    if node.kind != "hash_join":
        return (
            _splittable(following) if following and node.kind != "scalar_subquery" else frozenset()
        )
    if not _is_plain(node):
        return frozenset()
    if node.body.partition_mode == JoinMode.COLLECT_LEFT:
        return _splittable(following) if following else frozenset()
    left, right = node.children
    found: frozenset[int] = frozenset()
    if node.body.join_type in KEEPS_LEFT | {JoinType.INNER}:
        found |= _splittable(left)
    if node.body.join_type in _PROBE_ONLY:
        found |= _splittable(right)
    return found


def _offer(
    draft: StageDraft, drafts: Sequence[StageDraft], body: PlanNode, rules: AdaptiveRules
) -> BroadcastOffer | None:
    """Returns how a fragment's join could do without an exchange, if it could."""
    path = path_to_join(body)
    join = path[-1] if path else None
    if join is None or not _is_plain(join) or join.body.join_type not in _PROBE_ONLY:
        return None
    build, probe = join.children
    while probe.kind in _ROW_WISE:
        probe = probe.children[0]
    number = input_read(probe) if not probe.children else None
    builds = _hash_inputs(draft, build)
    if number is None or not builds or draft.inputs[number].kind is not ExchangeKind.HASH:
        return None
    taken = drafts[draft.inputs[number].stage_id - 1]
    deep = taken.root.depth() + draft.root.depth() > FRAGMENT_DEPTH_MAX
    scoped = any(node.kind == "scalar_subquery" for node in taken.root.walk())
    reads = [leaf for each in drafts for leaf in each.inputs if leaf.stage_id == taken.stage_id]
    if taken.single_task_reason or deep or scoped or len(reads) > 1:
        return None
    sources = [drafts[draft.inputs[each].stage_id - 1] for each in builds]
    if not rules.broadcast_always and not all(_is_estimated(each, drafts) for each in sources):
        return None
    return BroadcastOffer(builds, number, rules.broadcast_bytes_max, rules.broadcast_rows_max)


def _hash_inputs(draft: StageDraft, build: PlanNode) -> tuple[int, ...]:
    """Returns the inputs of a build side, if it reads nothing else, and all of them by hash."""
    numbers = []
    for node in build.walk():
        number = input_read(node)
        if number is not None and draft.inputs[number].kind is ExchangeKind.HASH:
            numbers.append(number)
        elif not _is_by_partition(node):
            return ()
    return tuple(sorted(numbers))


def _is_by_partition(node: PlanNode) -> bool:
    """True for an operator that does the same with one large partition as with several."""
    if node.kind == "hash_join":
        return bool(node.body.partition_mode != JoinMode.COLLECT_LEFT)
    return bool(node.children) and (node.kind in PARTITION_WISE or node.kind == "sort")


def _is_estimated(draft: StageDraft, drafts: Sequence[StageDraft]) -> bool:
    """True if the engine cannot have known how many rows come out of a stage."""
    return any(
        node.kind in _REDUCING for each in _below(draft, drafts) for node in each.root.walk()
    )


def _below(draft: StageDraft, drafts: Sequence[StageDraft]) -> Iterator[StageDraft]:
    pending = [draft]
    while pending:
        each = pending.pop()
        yield each
        pending.extend(drafts[leaf.stage_id - 1] for leaf in each.inputs)
