"""How stages could be planned anew when sizes are known: found while a query is planned."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final

from springald.engine.modes import JoinMode
from springald.engine.plan_view import PlanNode
from springald.engine.slicing import PARTITION_WISE
from springald.limits import FRAGMENT_DEPTH_MAX
from springald_scheduler.core.graph import (
    BroadcastOffer,
    ExchangeKind,
    FilterOffer,
    MergeOffer,
    Offer,
    SwapOffer,
)
from springald_scheduler.planning.drafts import StageDraft
from springald_scheduler.planning.fragments import (
    PROBE_ONLY,
    ROW_WISE,
    UNORDERED,
    body_of,
    input_read,
    is_measured,
    is_partitioned,
    is_plain,
    path_to_join,
)
from springald_scheduler.planning.key_filters import find_filters
from springald_scheduler.planning.replanned_joins import can_swap
from springald_scheduler.planning.session_settings import AdaptiveRules

_REDUCING: Final = frozenset({
    "aggregate", "filter", "global_limit", "hash_join", "local_limit", "nested_loop_join",
    "sort_merge_join", "unnest",
})  # fmt: skip
_MERGED_KINDS: Final = frozenset({ExchangeKind.SINGLE, ExchangeKind.SORTED})


def find_offers(drafts: Sequence[StageDraft], rules: AdaptiveRules) -> dict[int, list[Offer]]:
    """Returns how each stage could be planned anew, best first, by its id."""
    found: dict[int, list[Offer]] = {draft.stage_id: [] for draft in drafts}
    for draft in drafts:
        unordered = draft.output.kind in UNORDERED
        body = body_of(draft.root)
        if not draft.single_task_reason and unordered and rules.broadcast_bytes_max:
            offer = _broadcast(draft, drafts, body, rules)
            found[draft.stage_id] += [offer] if offer else []
        if rules.swap_bytes_min:
            found[draft.stage_id] += _swaps(draft, body, rules)
        if rules.merge_bytes_max:
            found[draft.stage_id] += _merges(draft, drafts, rules)
    if rules.filter_rows_max:
        broadcast = {
            (stage_id, offer.probe_input)
            for stage_id, offers in found.items()
            for offer in offers
            if isinstance(offer, BroadcastOffer)
        }
        for stage_id, filters in find_filters(drafts, rules, broadcast).items():
            found[stage_id] += filters
    return found


def stages_awaited(
    drafts: Sequence[StageDraft], offers: Mapping[int, Sequence[Offer]]
) -> dict[int, set[int]]:
    """Returns for each stage the earlier ones whose sizes it waits for, though it may not read."""
    awaited: dict[int, set[int]] = {draft.stage_id: set() for draft in drafts}
    for draft in drafts:
        for offer in offers[draft.stage_id]:
            match offer:
                case BroadcastOffer():
                    probe = draft.inputs[offer.probe_input].stage_id
                    builds = {draft.inputs[number].stage_id for number in offer.build_inputs}
                    awaited[probe] |= {build for build in builds if build < probe}
                case FilterOffer():
                    awaited[draft.stage_id].add(offer.source_stage_id)
                case MergeOffer() | SwapOffer():
                    pass
    return awaited


def _merges(
    draft: StageDraft, drafts: Sequence[StageDraft], rules: AdaptiveRules
) -> Iterator[MergeOffer]:
    """Yields the stages that one of a single partition may do itself if they read little."""
    if draft.partition_count != 1 or _has_scope(draft):
        return
    for number, leaf in enumerate(draft.inputs):
        taken = drafts[leaf.stage_id - 1]
        reads = [
            each for every in drafts for each in every.inputs if each.stage_id == leaf.stage_id
        ]
        deep = taken.root.depth() + draft.root.depth() > FRAGMENT_DEPTH_MAX
        if leaf.kind not in _MERGED_KINDS or len(reads) > 1 or deep or _has_scope(taken):
            continue
        if taken.inputs and is_measured(taken.root):
            yield MergeOffer(number, rules.merge_bytes_max)


def _has_scope(draft: StageDraft) -> bool:
    return any(node.kind == "scalar_subquery" for node in draft.root.walk())


def _swaps(draft: StageDraft, body: PlanNode, rules: AdaptiveRules) -> Iterator[SwapOffer]:
    """Yields the joins of two inputs that could build their table of either of them.

    Their rows are in no order, so nothing above can rely on one.
    """
    for join in body.walk():
        if not is_partitioned(join) or not is_plain(join) or not can_swap(join):
            continue
        below = [node.kind for child in join.children for node in child.walk()]
        build, probe = (_hash_inputs(draft, child) for child in join.children)
        if build and probe and not {"sort", "hash_join"}.intersection(below):
            yield SwapOffer(build, probe, rules.swap_bytes_min)


def _broadcast(
    draft: StageDraft, drafts: Sequence[StageDraft], body: PlanNode, rules: AdaptiveRules
) -> BroadcastOffer | None:
    """Returns how a fragment's join could do without an exchange, if it could."""
    path = path_to_join(body)
    join = path[-1] if path else None
    if join is None or not is_plain(join) or join.body.join_type not in PROBE_ONLY:
        return None
    build, probe = join.children
    while probe.kind in ROW_WISE:
        probe = probe.children[0]
    number = input_read(probe) if not probe.children else None
    builds = _hash_inputs(draft, build)
    if number is None or not builds or draft.inputs[number].kind is not ExchangeKind.HASH:
        return None
    taken = drafts[draft.inputs[number].stage_id - 1]
    deep = taken.root.depth() + draft.root.depth() > FRAGMENT_DEPTH_MAX
    reads = [leaf for each in drafts for leaf in each.inputs if leaf.stage_id == taken.stage_id]
    if taken.single_task_reason or deep or _has_scope(taken) or len(reads) > 1:
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
