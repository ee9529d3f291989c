"""Expressions that are computed one after another: columns on columns, values on aggregates."""

from collections.abc import Iterable, Iterator, Sequence

from springald.expr.expr import Expr
from springald.expr.node import Node, expression, rebuilt
from springald.expr.text import expression_text
from springald.plan.v1 import expressions_pb2, functions_pb2

__all__ = ["columns_in_turns", "split_aggregates"]


def columns_in_turns(columns: Iterable[Expr]) -> list[list[Expr]]:
    """Returns new columns in as few steps as let each see the ones before it.

    A step ends before a column that names a new one, or that takes its place. Without an alias a
    column is called by its text.
    """
    steps: list[list[Expr]] = []
    fresh: set[str] = set()
    for column in columns:
        node = column.node
        name = node.message.name if node.kind == "alias" else expression_text(node)
        if not steps or name in fresh or not fresh.isdisjoint(_names(node)):
            steps.append([])
            fresh = set()
        steps[-1].append(column)
        fresh.add(name)
    return steps


def split_aggregates(
    items: Sequence[Node], groups: int
) -> tuple[tuple[Node, ...], tuple[Node, ...]]:
    """Returns the calls of aggregate functions, and what is computed of them.

    Args:
        items: What an aggregate is to put out.
        groups: How many columns of groups come first in its rows.

    Returns:
        What an aggregate relation can put out, and columns over its rows; no columns where the
        items are calls alone, and where they break a rule that the server tells better.
    """
    found = [_aggregates(item) for item in items]
    if not all(found) or all(_is_call(item) for item in items):
        return tuple(items), ()
    calls = {id(call): call for listed in found for call in listed}
    if any(_aggregates(child) for call in calls.values() for child in call.children()):
        return tuple(items), ()
    places = {key: column_at(groups + at) for at, key in enumerate(calls)}
    computed = tuple(rebuilt(item, lambda node: places.get(id(node), node)) for item in items)
    return tuple(calls.values()), (*map(column_at, range(groups)), *computed)


def column_at(position: int) -> Node:
    """The column at a position, from 0."""
    return expression("column", expressions_pb2.ColumnExpression(position=position))


def _is_call(item: Node) -> bool:
    while item.kind == "alias":
        (item,) = item.inputs
    return _is_aggregate(item)


def _is_aggregate(node: Node) -> bool:
    return (
        node.kind == "call"
        and node.message.function_kind == functions_pb2.FUNCTION_KIND_AGGREGATE
        and not node.message.HasField("window")
    )


def _aggregates(root: Node) -> list[Node]:
    """The outermost calls of aggregate functions in an expression."""
    found = []
    waiting = [root]
    while waiting:
        node = waiting.pop()
        if _is_aggregate(node):
            found.append(node)
        else:
            waiting += [each for each in node.children() if each.sort == "expression"]
    return found[::-1]


def _names(root: Node) -> Iterator[str]:
    """The columns that an expression, or a subquery in it, names without saying whose they are."""
    waiting = [(root, "column")]
    seen = set()
    while waiting:
        node, kind = waiting.pop()
        if id(node) in seen:
            continue
        seen.add(id(node))
        if node.kind == kind and not node.message.name.qualifier:
            yield node.message.name.name
        waiting += [
            (child, kind if child.sort == "expression" else "outer_column")
            for child in node.children()
        ]
