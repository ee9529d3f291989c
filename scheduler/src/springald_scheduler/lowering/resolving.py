"""Which column a name or a position means."""

from collections import Counter
from collections.abc import Sequence
from difflib import get_close_matches
from typing import Final

from springald.errors import InvalidQueryError, UnknownColumnError
from springald.plan.v1 import expressions_pb2, names_pb2
from springald.plans.client_names import CLIENT_NAME_PREFIX
from springald.plans.fields import number_of
from springald_scheduler.lowering.model import Column, Scope

_SHOWN_MAX: Final = 20
_COMPARED_MAX: Final = 1000


def resolve(
    column: expressions_pb2.ColumnExpression | expressions_pb2.OuterColumnExpression,
    scope: Scope,
    node: str,
) -> Column:
    """Returns the column that an expression means.

    Raises:
        UnknownColumnError: There is none.
        InvalidQueryError: The name fits several.
    """
    if column.WhichOneof("reference") == "position":
        if column.position >= len(scope.columns):
            there = number_of(len(scope.columns), "column")
            message = f"a position is that of a column: got {column.position}; there are {there}"
            raise UnknownColumnError(message, node_id=node)
        return scope.columns[column.position]
    return scope.columns[find(column.name, scope, node)]


def find(name: names_pb2.ColumnName, scope: Scope, node: str) -> int:
    """Returns the position of the only column that a name fits.

    Raises:
        UnknownColumnError: There is none.
        InvalidQueryError: It fits several.
    """
    found = find_all(name, scope, node)
    if len(found) > 1:
        message = f"a column's name fits one column: got {shown(name)}, which fits {len(found)}"
        raise InvalidQueryError(f"{message}; add a qualifier or use the position", node_id=node)
    return found[0]


def find_all(name: names_pb2.ColumnName, scope: Scope, node: str) -> list[int]:
    """Returns the positions of all columns that a name fits.

    Raises:
        UnknownColumnError: There is none.
    """
    qualifier = name.qualifier if name.HasField("qualifier") else None
    found = [
        position
        for position in scope.index.get(name.name, ())
        if qualifier is None or scope.columns[position].qualifier == qualifier
    ]
    if found:
        return found
    known = _known(scope.columns, qualified=qualifier is not None)
    near = _nearest(_written(name), known)
    guess = f"did you mean {near!r}? " if near else ""
    more = len(known) - _SHOWN_MAX
    listed = ", ".join(known[:_SHOWN_MAX]) + (f" and {more} more" if more > 0 else "")
    message = f"a column is one of the input's: got {shown(name)}; {guess}there are"
    raise UnknownColumnError(f"{message} {listed or 'none'}", node_id=node)


def shown(name: names_pb2.ColumnName) -> str:
    """Returns a name for people."""
    return _written(name) if name.HasField("qualifier") else repr(name.name)


def _written(name: names_pb2.ColumnName) -> str:
    return f"{name.qualifier}.{name.name}" if name.HasField("qualifier") else name.name


def _known(columns: Sequence[Column], *, qualified: bool) -> list[str]:
    """Returns what columns can be called, with qualifiers where those are used or needed."""
    names = Counter(column.name for column in columns)
    labels = (
        _label(each, qualified=qualified or names[each.name] > 1)
        for each in columns
        if not each.name.startswith(CLIENT_NAME_PREFIX)
    )
    return list(dict.fromkeys(labels))


def _label(column: Column, *, qualified: bool) -> str:
    qualifier = column.qualifier or CLIENT_NAME_PREFIX
    told = qualified and not qualifier.startswith(CLIENT_NAME_PREFIX)
    return f"{qualifier}.{column.name}" if told else column.name


def _nearest(name: str, known: Sequence[str]) -> str:
    """Returns what a wrong name was likely meant to be; empty if nothing is like it."""
    folded: dict[str, str] = {}
    for each in known[:_COMPARED_MAX]:
        folded.setdefault(each.casefold(), each)
    near = get_close_matches(name.casefold(), folded, n=1)
    return folded[near[0]] if near else ""
