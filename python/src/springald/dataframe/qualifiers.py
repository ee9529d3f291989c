"""To which table or alias a column of a DataFrame belongs, as far as the plan says so."""

from typing import Final

from springald.expr.node import Node
from springald.plan.v1 import names_pb2

__all__ = ["qualifier_of"]

_KEEPING: Final = frozenset({
    "distinct", "drop_columns", "fetch", "filter", "repartition", "sample", "sort", "window",
})  # fmt: skip


def qualifier_of(rows: Node, name: str) -> str | None:
    """Returns the qualifier of a column; None if it has none, or only the server can tell.

    Args:
        rows: The relation.
        name: The column's name.
    """
    while True:
        if rows.kind == "read_named_table":
            return str(rows.message.alias or rows.message.name.table)
        if rows.kind == "subquery_alias":
            return str(rows.message.name)
        if not rows.inputs:
            return getattr(rows.message, "alias", "") or None
        if rows.kind in ("projection", "aggregate"):
            column = _passed_on(rows, name)
            if column is None:
                return None
            if column.qualifier:
                return str(column.qualifier)
        elif rows.kind not in _KEEPING:
            return None
        rows = rows.inputs[0]


def _passed_on(rows: Node, name: str) -> names_pb2.ColumnName | None:
    """The column of the input that comes out under a name; None if what does is computed."""
    path = "expression_ids" if rows.kind == "projection" else "grouping_ids"
    for node in rows.referred(path):
        if node.kind == "column" and node.message.name.name == name:
            found: names_pb2.ColumnName = node.message.name
            return found
    return None
