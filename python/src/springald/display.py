"""Rows for a person: as a table of characters, or as HTML that no value can break out of."""

import unicodedata
from collections.abc import Sequence
from html import escape
from typing import Any

import pyarrow as pa

from springald.client_limits import CELL_CHARACTERS_MAX
from springald.python_values import nested_value
from springald.type_families import is_number

__all__ = ["cell_texts", "html_table", "rows_text", "text_table"]


def text_table(rows: pa.Table, note: str = "") -> str:
    """Draws rows with lines and aligned columns, numbers to the right.

    Example:
        >>> print(text_table(pa.table({"a": [1, 20], "b": ["x", None]})))
        +----+------+
        |  a | b    |
        +----+------+
        |  1 | x    |
        | 20 | NULL |
        +----+------+

    Args:
        rows: The rows, all of which are drawn.
        note: A line to put under the table.
    """
    columns = [cell_texts(column) for column in rows.columns]
    heads = [_one_line(name) for name in rows.column_names]
    if not heads:
        return "\n".join([f"({rows.num_rows} rows without columns)", *_notes(note)])
    widths = [
        max(_width(text) for text in [head, *column])
        for head, column in zip(heads, columns, strict=True)
    ]
    rights = [is_number(kind) for kind in rows.schema.types]
    rule = "+" + "+".join("-" * (width + 2) for width in widths) + "+"
    body = [_row(cells, widths, rights) for cells in zip(*columns, strict=True)]
    ruled = [rule] if body else []
    return "\n".join([rule, _row(heads, widths, rights), rule, *body, *ruled, *_notes(note)])


def rows_text(rows: pa.Table, note: str = "") -> str:
    r"""Draws rows as a table, and what EXPLAIN answers as the texts that it is.

    Example:
        >>> print(rows_text(pa.table({"plan_type": ["stages"], "plan": ["Stage 1\n  Scan"]})))
        stages:
        Stage 1
          Scan

    Args:
        rows: The rows, all of which are drawn.
        note: A line to put under a table.
    """
    if rows.column_names != ["plan_type", "plan"] or rows.schema.types != [pa.string()] * 2:
        return text_table(rows, note)
    plans = []
    for row in rows.to_pylist():
        lines = [f"{row['plan_type']}:", *str(row["plan"]).split("\n")]
        plans.append("\n".join(map(_one_line, lines)))
    return "\n\n".join(plans)


def html_table(rows: pa.Table, note: str = "") -> str:
    """Draws rows as an HTML table; names and values are text, whatever is in them.

    Example:
        >>> "<script>" in html_table(pa.table({"a": ["<script>"]}))
        False

    Args:
        rows: The rows, all of which are drawn.
        note: A line to put under the table.
    """
    columns = [cell_texts(column) for column in rows.columns]
    head = "".join(f"<th>{escape(name)}</th>" for name in rows.column_names)
    body = "".join(
        f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in cells)}</tr>"
        for cells in zip(*columns, strict=True)
    )
    foot = f"<p>{escape(note)}</p>" if note else ""
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>{foot}"


def cell_texts(column: pa.ChunkedArray, characters_max: int = CELL_CHARACTERS_MAX) -> list[str]:
    """Returns the values of a column as people read them, each on one line and cut if long.

    Example:
        >>> cell_texts(pa.chunked_array([[True, None]]))
        ['true', 'NULL']
    """
    return [_cut(_one_line(text), characters_max) for text in _texts(column)]


def _texts(column: pa.ChunkedArray) -> list[str]:
    """Lets Arrow write what it can: Python has no nanoseconds and fewer years."""
    if _reads_well_in_arrow(column.type):
        try:
            written: list[str | None] = column.cast(pa.string()).to_pylist()
        except (pa.ArrowException, NotImplementedError):
            pass
        else:
            return ["NULL" if text is None else text for text in written]
    return [_value_text(value) for chunk in column.chunks for value in chunk]


def _reads_well_in_arrow(kind: pa.DataType) -> bool:
    return bool(
        pa.types.is_temporal(kind)
        or pa.types.is_decimal(kind)
        or pa.types.is_integer(kind)
        or pa.types.is_boolean(kind)
    )


def _value_text(value: pa.Scalar) -> str:
    try:
        plain: Any = nested_value(value, _shown)
    except (ValueError, NotImplementedError):
        # What Arrow does not write as text, such as intervals in a list: its own notation.
        return str(pa.array([value], value.type))
    if plain is None:
        return "NULL"
    if isinstance(plain, bytes):
        return plain.hex()
    if isinstance(plain, bool):
        return str(plain).lower()
    return str(plain)


class _Words(str):
    """Text that stands in a list as it is, without quotes."""

    __slots__ = ()
    __repr__ = str.__str__


def _shown(value: pa.Scalar) -> Any:  # noqa: ANN401 - any value
    return _Words(value.cast(pa.string())) if pa.types.is_temporal(value.type) else value.as_py()


def _one_line(text: str) -> str:
    """Makes control characters visible: a value must not move the cursor of a terminal."""
    if text.isprintable():
        return text
    return "".join(
        character if character.isprintable() else character.encode("unicode_escape").decode()
        for character in text
    )


def _cut(text: str, characters_max: int) -> str:
    return text if len(text) <= characters_max else text[: characters_max - 1] + "…"


def _width(text: str) -> int:
    """Counts the cells of a terminal: wide characters take two, combining ones none."""
    if text.isascii():
        return len(text)
    wide = sum(unicodedata.east_asian_width(character) in "WF" for character in text)
    combining = sum(bool(unicodedata.combining(character)) for character in text)
    return len(text) + wide - combining


def _row(cells: Sequence[str], widths: Sequence[int], rights: Sequence[bool]) -> str:
    padded = [
        " " * (width - _width(cell)) + cell if right else cell + " " * (width - _width(cell))
        for cell, width, right in zip(cells, widths, rights, strict=True)
    ]
    return f"| {' | '.join(padded)} |"


def _notes(note: str) -> list[str]:
    return [note] if note else []
