"""What may change about stages when their inputs are measured: found while they are planned.

The core decides by sizes alone, so all that needs the plan is decided here: which empty input
leaves a stage without rows, which input may be read in parts, which join may become a broadcast.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from springald.engine.modes import KEEPS_LEFT, KEEPS_RIGHT, JoinMode, JoinType
from springald.engine.plan_view import PlanNode
from springald_scheduler.core.graph import Adaptive
from springald_scheduler.planning.drafts import StageDraft
from springald_scheduler.planning.fragments import (
    PROBE_ONLY,
    ROW_WISE,
    UNORDERED,
    body_of,
    input_read,
    is_measured,
    is_plain,
    same_rows,
)
from springald_scheduler.planning.offers import find_offers, stages_awaited
from springald_scheduler.planning.session_settings import AdaptiveRules

_EMPTIED_BY_LEFT: Final = KEEPS_LEFT | {JoinType.INNER, JoinType.RIGHT_SEMI}
_EMPTIED_BY_RIGHT: Final = KEEPS_RIGHT | {JoinType.INNER, JoinType.LEFT_SEMI}
_EMPTY_OF_EMPTY: Final = ROW_WISE | {
    "global_limit", "local_limit", "merge", "sort", "sort_preserving_merge", "unnest", "window",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Adapted:
    """What was found out about a stage: see `Stage.adaptive` and `Stage.after`."""

    adaptive: Adaptive
    after: tuple[int, ...] = ()


def adapt(drafts: Sequence[StageDraft], rules: AdaptiveRules) -> list[Adapted]:
    """Returns what may change about each stage of a query."""
    offers = find_offers(drafts, rules)
    found = [
        Adapted(replace(_adaptive(draft, rules), offers=tuple(offers.get(draft.stage_id, ()))))
        for draft in drafts
    ]
    for stage_id, earlier in stages_awaited(drafts, offers).items():
        found[stage_id - 1] = replace(found[stage_id - 1], after=tuple(sorted(earlier)))
    return found


def _adaptive(draft: StageDraft, rules: AdaptiveRules) -> Adaptive:
    body = body_of(draft.root)
    emptied = sorted(_emptied_by(body)) if rules.skip_empty else ()
    if draft.single_task_reason:
        return Adaptive(emptied_by=tuple(emptied))
    unordered = draft.output.kind in UNORDERED
    split = sorted(_splittable(body)) if rules.split_bytes_min and unordered else ()
    return Adaptive(
        task_bytes_target=rules.task_bytes_target if is_measured(body) else 0,
        emptied_by=tuple(emptied),
        split_inputs=tuple(split),
        split_bytes_min=rules.split_bytes_min if split else 0,
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
    following = same_rows(node)
    if node.kind != "hash_join":
        return (
            _splittable(following) if following and node.kind != "scalar_subquery" else frozenset()
        )
    if not is_plain(node):
        return frozenset()
    if node.body.partition_mode == JoinMode.COLLECT_LEFT:
        return _splittable(following) if following else frozenset()
    left, right = node.children
    found: frozenset[int] = frozenset()
    if node.body.join_type in KEEPS_LEFT | {JoinType.INNER}:
        found |= _splittable(left)
    if node.body.join_type in PROBE_ONLY:
        found |= _splittable(right)
    return found
