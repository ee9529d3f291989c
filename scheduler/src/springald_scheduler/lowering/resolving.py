"""Which column a name or a position means."""

from springald.errors import InvalidQueryError, UnknownColumnError
from springald.plan.v1 import expressions_pb2, names_pb2
from springald_scheduler.lowering.model import Column, Scope

_SHOWN_MAX = 20


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
            message = f"a position is one of {len(scope.columns)} columns"
            raise UnknownColumnError(f"{message}: got {column.position}", node_id=node)
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
    known = ", ".join(_label(column) for column in scope.columns[:_SHOWN_MAX]) or "none"
    if len(scope.columns) > _SHOWN_MAX:
        known += f" and {len(scope.columns) - _SHOWN_MAX} more"
    message = f"a column is one of the input's: got {shown(name)}; there are {known}"
    raise UnknownColumnError(message, node_id=node)


def shown(name: names_pb2.ColumnName) -> str:
    """Returns a name for people."""
    return f"{name.qualifier}.{name.name}" if name.HasField("qualifier") else repr(name.name)


def _label(column: Column) -> str:
    return f"{column.qualifier}.{column.name}" if column.qualifier is not None else column.name
