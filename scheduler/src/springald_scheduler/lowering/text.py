"""Pieces of SQL text that cannot be read otherwise than they were meant."""

from typing import NamedTuple


class Piece(NamedTuple):
    """An expression in SQL.

    Attributes:
        sql: Its text.
        is_atom: True if it stays one thing wherever it stands.
    """

    sql: str
    is_atom: bool = True

    @property
    def inside(self) -> str:
        """Returns its text as an operand of something else."""
        return self.sql if self.is_atom else f"({self.sql})"


def quoted(name: str) -> str:
    """Returns a name that is taken as it is."""
    return '"' + name.replace('"', '""') + '"'


def string(value: str) -> str:
    """Returns a literal of text."""
    return "'" + value.replace("'", "''") + "'"


def dotted(*parts: str) -> str:
    """Returns a name of several parts."""
    return ".".join(quoted(part) for part in parts)
