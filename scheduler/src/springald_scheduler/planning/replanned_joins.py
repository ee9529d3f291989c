"""Joins of stages that have not begun: filtered before they meet, or with their sides swapped."""

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Final

from springald.datafusion.v55 import plan_view_pb2 as pb
from springald.engine import plan_view as pv
from springald.engine.modes import JoinMode, JoinType
from springald.engine.plan_view import PlanNode
from springald.errors import UnsupportedError
from springald_scheduler.core.graph import (
    Adaptive,
    FilterOffer,
    Offer,
    Operator,
    Stage,
    StageInput,
    SwapOffer,
)
from springald_scheduler.planning.columns import column_name, origin, projection, width
from springald_scheduler.planning.fragments import body_of, input_read, is_partitioned
from springald_scheduler.planning.rebuilding import Origins, moved_offer, rebuilt
from springald_scheduler.planning.runtime_filters import lets_filter_through

_WORTH_SPARING: Final = frozenset({"aggregate", "hash_join", "sort", "window"})
"""Operators that have less to do if rows are dropped before them."""

_MIRRORED: Final = {
    JoinType.INNER: JoinType.INNER,
    JoinType.LEFT: JoinType.RIGHT,
    JoinType.RIGHT: JoinType.LEFT,
    JoinType.FULL: JoinType.FULL,
    JoinType.LEFT_SEMI: JoinType.RIGHT_SEMI,
    JoinType.RIGHT_SEMI: JoinType.LEFT_SEMI,
    JoinType.LEFT_ANTI: JoinType.RIGHT_ANTI,
    JoinType.RIGHT_ANTI: JoinType.LEFT_ANTI,
    JoinType.LEFT_MARK: JoinType.RIGHT_MARK,
    JoinType.RIGHT_MARK: JoinType.LEFT_MARK,
}
_JOINED: Final = frozenset({JoinType.INNER, JoinType.LEFT, JoinType.RIGHT, JoinType.FULL})
"""Joins that put out the columns of the left side, and then those of the right one."""

_NEW_INPUT: Final = -1


def filtered(stage: Stage, source: Stage, offer: FilterOffer) -> Stage:
    """Returns a stage without the rows whose keys another, finished stage does not have."""
    root = pv.parse(stage.fragment.payload)
    origins = Origins.of((stage, root))
    parent, place, columns = _place(root, offer.columns)
    keys = pv.parse(offer.keys)
    read = StageInput(source.stage_id, source.output.kind, source.output.partition_count)
    for leaf in keys.walk():
        if input_read(leaf) is not None:
            origins.inputs[id(leaf)] = (read, source.stage_id, _NEW_INPUT)
    below = parent.children[place]
    names = [_name(below, column) for column in columns]
    pairs = [
        pb.JoinOn(left=pv.column(keys.body.expr_name[n], n), right=pv.column(names[n], column))
        for n, column in enumerate(columns)
    ]
    body = pb.HashJoinExecNode(
        on=pairs, join_type=JoinType.RIGHT_SEMI, partition_mode=JoinMode.COLLECT_LEFT
    )
    join = PlanNode("hash_join", body, [keys, below])
    parent.children[place] = join
    _tell(origins, join, keys, names, columns)
    made, places = rebuilt(stage, root, origins)
    return replace(made, adaptive=_adaptive(stage, offer, places))


def _place(root: PlanNode, columns: Sequence[int]) -> tuple[PlanNode, int, list[int]]:
    """Returns the operator to filter under, which of its inputs, and the columns there."""
    node, parent = root, None
    while node is not body_of(root):
        node, parent = node.children[0], node
    if parent is None:
        raise UnsupportedError("rows that are filtered go to an exchange by hash: got none")
    at = list(columns)
    best = parent, 0, at
    while node.children and node.kind != "scalar_subquery":
        sources = [origin(node, column) for column in at]
        sides = {source[0] if source else None for source in sources}
        side = sides.pop()
        if sides or side is None:
            break
        if not all(lets_filter_through(node, side, column) for column in at):
            break
        at = [source[1] for source in sources if source]
        if node.kind in _WORTH_SPARING:
            best = node, side, at
        node = node.children[side]
    return best


def _name(node: PlanNode, column: int) -> str:
    try:
        return column_name(node, column)
    except ValueError:
        return f"key{column}"  # a column is read by its number; its name is for people


def _tell(
    origins: Origins, join: PlanNode, keys: PlanNode, names: Iterable[str], columns: Iterable[int]
) -> None:
    """Lets people know what is new in a fragment."""
    pairs = [
        f"({left}@{number}, {right}@{column})"
        for number, (left, right, column) in enumerate(
            zip(keys.body.expr_name, names, columns, strict=True)
        )
    ]
    told = f"mode=CollectLeft, join_type=RightSemi, on=[{', '.join(pairs)}]"
    origins.operators[id(join)] = Operator("", "HashJoinExec", told, ())
    listed = ", ".join(f"{name}@{number}" for number, name in enumerate(keys.body.expr_name))
    origins.operators[id(keys)] = Operator("", "ProjectionExec", f"expr=[{listed}]", ())
    origins.operators[id(keys.children[0])] = Operator("", "DataSourceExec", "file_type=arrow", ())


def _adaptive(stage: Stage, offer: Offer, places: dict[tuple[int, int], int]) -> Adaptive:
    """Returns what may still change about a stage whose inputs have got other numbers."""
    own = stage.adaptive

    def moved(numbers: Iterable[int]) -> tuple[int, ...]:
        return tuple(sorted(places[stage.stage_id, each] for each in numbers))

    return Adaptive(
        task_bytes_target=own.task_bytes_target,
        emptied_by=moved(own.emptied_by),
        split_inputs=moved(own.split_inputs),
        split_bytes_min=own.split_bytes_min,
        offers=tuple(moved_offer(each, stage, places) for each in own.offers if each != offer),
    )


def can_swap(join: PlanNode) -> bool:
    """True for a join that can be told with its sides exchanged."""
    if join.body.join_type not in _JOINED:
        return True
    return all(width(child) is not None for child in join.children)


def swapped(stage: Stage, offer: SwapOffer) -> Stage:
    """Returns a stage whose join makes its hash table of the side that is the smaller one."""
    root = pv.parse(stage.fragment.payload)
    origins = Origins.of((stage, root))
    join = _join_of(root, offer)
    _swap(join)
    kind = JoinType(join.body.join_type).name.title().replace("_", "")
    origins.operators[id(join)] = Operator("", "HashJoinExec", f"{_told(join)}={kind}", ())
    made, places = rebuilt(stage, root, origins)
    return replace(made, adaptive=_adaptive(stage, offer, places))


def _join_of(root: PlanNode, offer: SwapOffer) -> PlanNode:
    """Returns the join whose sides read the inputs that an offer says."""
    wanted = [set(offer.build_inputs), set(offer.probe_inputs)]
    for node in root.walk():
        if is_partitioned(node) and can_swap(node):
            sides = [{input_read(leaf) for leaf in child.walk()} for child in node.children]
            if [side - {None} for side in sides] == wanted:
                return node
    raise UnsupportedError(f"a join has the sides that its offer says: got none of {wanted}")


def _told(join: PlanNode) -> str:
    pairs = [f"({_key(pair.left)}, {_key(pair.right)})" for pair in join.body.on]
    return f"mode=Partitioned, on=[{', '.join(pairs)}], join_type"


def _key(expression: bytes) -> str:
    parsed = pb.PhysicalExprNode.FromString(expression)
    named = parsed.WhichOneof("kind") == "column"
    return f"{parsed.column.name}@{parsed.column.index}" if named else "..."


def _swap(join: PlanNode) -> None:
    """Exchanges a join's sides; its rows keep their columns."""
    body = join.body
    left, right = (width(child) or 0 for child in join.children)
    if body.join_type in _JOINED:
        chosen = projection(join)
        shown = range(left + right) if chosen is None else chosen
        moved = [each + right if each < left else each - left for each in shown]
        body.projection[:] = moved or body.projection
    body.join_type = _MIRRORED[JoinType(body.join_type)]
    for pair in body.on:
        pair.left, pair.right = pair.right, pair.left
    if body.HasField("filter"):
        condition = pb.JoinFilter.FromString(body.filter)
        for column in condition.column_indices:
            column.side = 1 - column.side if column.side in {0, 1} else column.side
        body.filter = condition.SerializeToString()
    join.children.reverse()
