"""Where the keys of a finished stage can drop rows of one that has not begun.

A join drops rows of a side that find no partner. Where both sides come from exchanges, the keys of
the side that is finished first are read whole by the stage that makes the other one, and a
semi-join with them stands as low in it as it gains. What the keys leave is measured and not
guessed: the filter is made only if the finished side has few rows.
"""

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Final

from springald.datafusion.v55 import plan_view_pb2 as pb
from springald.engine import plan_view as pv
from springald.engine.fragment import exchange_path
from springald.engine.plan_view import PlanNode
from springald_scheduler.core.graph import ExchangeKind, FilterOffer, StageInput
from springald_scheduler.planning.columns import join_keys, origin
from springald_scheduler.planning.drafts import StageDraft
from springald_scheduler.planning.fragments import body_of, input_read, is_partitioned, is_plain
from springald_scheduler.planning.row_groups import rows_read
from springald_scheduler.planning.runtime_filters import DROPS_LONELY, lets_filter_through
from springald_scheduler.planning.session_settings import AdaptiveRules
from springald_scheduler.planning.volatile import may_vary

_FEWER_TIMES: Final = 2
"""How many times fewer rows are left of the keys' table for a filter to gain."""

_UNKNOWN_TIMES: Final = 8
"""The same in proportion to the rows that are filtered, where the keys' table is not known."""

_SELECTIVE: Final = frozenset({"filter", "global_limit", "hash_join", "local_limit"})
_SOURCE_KINDS: Final = frozenset({ExchangeKind.HASH, ExchangeKind.SINGLE, ExchangeKind.BROADCAST})


@dataclass(frozen=True, slots=True)
class _Read:
    """A column of an exchange that a column of a join's side comes from."""

    leaf: PlanNode
    number: int
    column: int


def find_filters(
    drafts: Sequence[StageDraft], rules: AdaptiveRules, broadcast: AbstractSet[tuple[int, int]]
) -> dict[int, list[FilterOffer]]:
    """Returns by which keys rows of each stage could be dropped, by the stage's id.

    Args:
        drafts: All stages.
        rules: From which sizes on.
        broadcast: Inputs, by stage and number, that need no filter: without an exchange all their
            rows meet the join at once.
    """
    found: dict[int, list[FilterOffer]] = {}
    for draft in drafts:
        for join in body_of(draft.root).walk():
            if not is_partitioned(join) or not is_plain(join) or join.body.null_equality:
                continue
            for side in (0, 1):
                for target, offer in _filters(draft, drafts, join, side, rules):
                    if (draft.stage_id, target) not in broadcast:
                        stage_id = draft.inputs[target].stage_id
                        found.setdefault(stage_id, []).append(offer)
    return found


def _filters(
    draft: StageDraft,
    drafts: Sequence[StageDraft],
    join: PlanNode,
    side: int,
    rules: AdaptiveRules,
) -> Iterator[tuple[int, FilterOffer]]:
    """Yields inputs that one side of a join comes from, and how the other side filters them."""
    if join.body.join_type not in DROPS_LONELY[side]:
        return
    pairs: dict[tuple[int, int], list[tuple[_Read, _Read]]] = {}
    for keys in join_keys(join):
        key, other_key = keys[side], keys[1 - side]
        if key is None or other_key is None:
            continue
        own = _followed(join.children[side], key, filtered=True)
        others = _followed(join.children[1 - side], other_key, filtered=False)
        if own and others:
            pairs.setdefault((own.number, others.number), []).append((own, others))
    for (own_number, source_number), reads in pairs.items():
        target, source = (draft.inputs[each] for each in (own_number, source_number))
        if source.kind not in _SOURCE_KINDS or not _may_be_filtered(drafts, target, source):
            continue
        columns = [(own.column, other.column) for own, other in reads]
        if not _same_types(drafts, target, source, columns):
            continue
        rows_max = _rows_max(drafts, target, source, columns[0][1], rules)
        if rows_max:
            keys_read = _keys_read(reads[0][1].leaf, source, [other for _, other in columns])
            offer = FilterOffer(
                source.stage_id,
                pv.serialize(keys_read),
                tuple(own for own, _ in columns),
                rows_max,
                rules.filter_bytes_max,
            )
            yield own_number, offer


def _followed(node: PlanNode, column: int, *, filtered: bool) -> _Read | None:
    """Returns the column of an exchange that a column comes from, if rows may be dropped there."""
    while node.children:
        source = origin(node, column)
        if source is None or (filtered and not lets_filter_through(node, source[0], column)):
            return None
        node, column = node.children[source[0]], source[1]
    number = input_read(node)
    return None if number is None else _Read(node, number, column)


def _may_be_filtered(drafts: Sequence[StageDraft], target: StageInput, source: StageInput) -> bool:
    """True if a stage can wait for another one, and nobody else wants the rows that go."""
    stage = drafts[target.stage_id - 1]
    reads = [leaf for each in drafts for leaf in each.inputs if leaf.stage_id == target.stage_id]
    later = source.stage_id < target.stage_id
    hashed = target.kind is ExchangeKind.HASH
    return later and hashed and len(reads) == 1 and not may_vary(pv.serialize(stage.root))


def _same_types(
    drafts: Sequence[StageDraft],
    target: StageInput,
    source: StageInput,
    columns: Sequence[tuple[int, int]],
) -> bool:
    """True if the keys lie in the source's files in the types in which the target has them."""
    rows, files = drafts[target.stage_id - 1].rows_schema, drafts[source.stage_id - 1].schema
    return all(rows.field(own).type == files.field(other).type for own, other in columns)


def _rows_max(
    drafts: Sequence[StageDraft],
    target: StageInput,
    source: StageInput,
    column: int,
    rules: AdaptiveRules,
) -> int:
    """Returns how many rows the source has at most for its keys to be worth a look-up a row."""
    if rules.filter_always:
        return rules.filter_rows_max
    filtered = _scanned_rows(drafts[target.stage_id - 1])
    if not filtered or not _is_selective(drafts[source.stage_id - 1], drafts):
        return 0
    table = _table_rows(drafts, source.stage_id, column)
    fewer = filtered // _UNKNOWN_TIMES if table is None else min(table, filtered) // _FEWER_TIMES
    return min(fewer, rules.filter_rows_max)


def _scanned_rows(draft: StageDraft) -> int:
    scans = (node for node in draft.root.walk() if node.kind == "parquet_scan")
    return sum(rows_read(pv.scan_conf(scan)) or 0 for scan in scans)


def _table_rows(drafts: Sequence[StageDraft], stage_id: int, column: int) -> int | None:
    """Returns how many rows are read of the table that a stage's column comes from."""
    node = drafts[stage_id - 1].root
    while True:
        while node.children:
            source = (0, column) if node.kind == "union" else origin(node, column)
            if source is None:
                return None
            node, column = node.children[source[0]], source[1]
        if node.kind == "parquet_scan":
            return rows_read(pv.scan_conf(node))
        number = input_read(node)
        if number is None:
            return None
        stage_id = drafts[stage_id - 1].inputs[number].stage_id
        node = drafts[stage_id - 1].root


def _is_selective(draft: StageDraft, drafts: Sequence[StageDraft]) -> bool:
    """True if something in a stage, or before it, may have dropped rows."""
    if any(node.kind in _SELECTIVE for node in draft.root.walk()):
        return True
    return any(_is_selective(drafts[leaf.stage_id - 1], drafts) for leaf in draft.inputs)


def _keys_read(leaf: PlanNode, source: StageInput, columns: Sequence[int]) -> PlanNode:
    """Returns what reads some columns of all partitions of an exchange as one."""
    conf = pv.scan_conf(leaf)
    names = [field.name for field in pb.Schema.FromString(conf.schema).columns]
    conf.ClearField("file_groups")
    conf.ClearField("output_partitioning")
    files = [
        pb.PartitionedFile(path=exchange_path(0, partition))
        for partition in range(source.partition_count)
    ]
    conf.file_groups.append(pb.FileGroup(files=files))
    body = pb.ProjectionExecNode(
        expr=[pv.column(names[each], each) for each in columns],
        expr_name=[names[each] for each in columns],
    )
    return PlanNode("projection", body, [pv.with_scan_conf(leaf, conf)])
