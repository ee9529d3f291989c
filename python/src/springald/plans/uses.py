"""Which nodes a node uses, and as what."""

from collections.abc import Callable, Iterator
from enum import Enum
from typing import Any, Final

from springald.plan.v1 import functions_pb2, plan_pb2

Use = tuple[int, "Role"]


class Role(Enum):
    """As what an expression is used, which says what may stand there."""

    ITEM = "an item of a projection"
    COLUMN = "a new column"
    GROUP = "a grouping expression"
    AGGREGATE = "an aggregate"
    WINDOW = "a window function"
    VALUE = "a value"
    CONSTANT = "a constant"
    SORT_KEY = "a sort key"
    OFFSET = "the offset of a frame"

    @property
    def may_be_named(self) -> bool:
        """True where an expression becomes a column, so that an alias has a meaning."""
        return self in {Role.ITEM, Role.COLUMN, Role.GROUP, Role.AGGREGATE, Role.WINDOW}

    @property
    def may_have_windows(self) -> bool:
        """True where calls of window functions may stand, also inside."""
        return self in {Role.ITEM, Role.COLUMN}


def relation_uses(relation: plan_pb2.Relation) -> Iterator[Use]:
    """Yields the expressions that a relation uses, 0 for a required one that is missing."""
    kind = relation.WhichOneof("kind")
    uses = _USES.get(kind or "")
    if kind and uses:
        yield from uses(getattr(relation, kind))


def call_uses(call: functions_pb2.CallExpression) -> Iterator[Use]:
    """Yields the expressions that modify a call; its arguments are operands."""
    if call.HasField("filter_id"):
        yield call.filter_id, Role.VALUE
    yield from _all(call.sort_key_ids, Role.SORT_KEY)
    yield from _all(call.within_group_key_ids, Role.SORT_KEY)
    yield from _all(call.window.partition_ids, Role.VALUE)
    yield from _all(call.window.sort_key_ids, Role.SORT_KEY)
    for bound in (call.window.frame.start, call.window.frame.end):
        if bound.HasField("offset_id"):
            yield bound.offset_id, Role.OFFSET


def subquery_of(expression: plan_pb2.Expression) -> int | None:
    """Returns the id of the relation that an expression holds, if its kind does."""
    kind = expression.WhichOneof("kind")
    if kind in SUBQUERY_KINDS:
        relation_id: int = getattr(expression, kind).relation_id
        return relation_id
    return None


SUBQUERY_KINDS: Final = frozenset({
    "scalar_subquery", "exists", "in_subquery", "quantified_comparison",
})  # fmt: skip
"""Kinds of expressions that hold a relation."""


def _all(ids: Any, role: Role) -> Iterator[Use]:  # noqa: ANN401 - a repeated field
    for each in ids:
        yield each, role


def _values(body: Any) -> Iterator[Use]:  # noqa: ANN401 - the body of a kind
    for row in body.rows:
        yield from _all(row.expression_ids, Role.CONSTANT)


def _series(body: Any) -> Iterator[Use]:  # noqa: ANN401
    yield body.start_id, Role.CONSTANT
    yield body.stop_id, Role.CONSTANT
    if body.HasField("step_id"):
        yield body.step_id, Role.CONSTANT


def _aggregate(body: Any) -> Iterator[Use]:  # noqa: ANN401
    yield from _all(body.grouping_ids, Role.GROUP)
    yield from _all(body.aggregate_ids, Role.AGGREGATE)


def _distinct(body: Any) -> Iterator[Use]:  # noqa: ANN401
    yield from _all(body.on_ids, Role.VALUE)
    yield from _all(body.sort_key_ids, Role.SORT_KEY)


def _filter(body: Any) -> Iterator[Use]:  # noqa: ANN401
    yield body.condition_id, Role.VALUE


def _join(body: Any) -> Iterator[Use]:  # noqa: ANN401
    for key in body.keys:
        yield key.left_id, Role.VALUE
        yield key.right_id, Role.VALUE
    if body.HasField("condition_id"):
        yield body.condition_id, Role.VALUE


_USES: Final[dict[str, Callable[[Any], Iterator[Use]]]] = {
    "values": _values,
    "series": _series,
    "table_function": lambda body: _all(body.argument_ids, Role.CONSTANT),
    "projection": lambda body: _all(body.expression_ids, Role.ITEM),
    "filter": _filter,
    "aggregate": _aggregate,
    "sort": lambda body: _all(body.sort_key_ids, Role.SORT_KEY),
    "distinct": _distinct,
    "window": lambda body: _all(body.window_ids, Role.WINDOW),
    "repartition": lambda body: _all(body.key_ids, Role.VALUE),
    "with_columns": lambda body: _all(body.expression_ids, Role.COLUMN),
    "join": _join,
}
