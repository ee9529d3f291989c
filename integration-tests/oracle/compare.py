"""Says whether two tables hold the same answer.

What counts as the same:

- Column names and their order are equal, and so are types, except that a view type equals its
  plain type (`string_view` and `string`, `binary_view` and `binary`): an exchange copies views to
  let go of the buffers behind them. Nullability and field metadata are not compared: the engine
  itself reports different ones for one query.
- Rows are compared as multisets, or in sequence on the columns by which the query orders.
- NULL equals NULL and NaN equals NaN. Finite floating-point values are equal within a relative
  tolerance, because a sum depends on the order of its terms. Everything else is exact.
"""

import math
from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass

import pyarrow as pa
from pyarrow import types

REL_DEFAULT = 1e-9
_ABS = 1e-9
_SHOWN_MAX = 6
_PLAIN = {"string_view": "string", "binary_view": "binary"}
_TEMPORAL = (types.is_timestamp, types.is_duration, types.is_date, types.is_time)


@dataclass(frozen=True)
class Row:
    """A row cut in two: what must be equal exactly, and the finite floats in reading order."""

    exact: tuple[Hashable, ...]
    floats: tuple[float, ...]

    def close_to(self, other: "Row", rel: float) -> bool:
        """Tells whether both rows are one row, given the tolerance for floats."""
        return self.exact == other.exact and _close(self.floats, other.floats, rel)

    def __str__(self) -> str:
        floats = iter(self.floats)
        shown = [_shown(value, floats) for value in self.exact]
        return f"({', '.join(shown)})"


class _Mark:
    """Stands in the exact part of a row for a float: one kept beside it, or no number."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return self.name


_FLOAT = _Mark("float")
_NAN = _Mark("NaN")


def assert_same(
    got: pa.Table,
    want: pa.Table,
    *,
    order: Sequence[int] | None = None,
    rel: float = REL_DEFAULT,
) -> None:
    """Raises AssertionError with the first differences when `got` is not the answer `want`.

    Args:
        got: the answer to be judged.
        want: the answer that is right.
        order: positions of the columns that the query orders by, in sequence; None for any order.
        rel: relative tolerance for floats.
    """
    assert_same_schema(got.schema, want.schema)
    got_rows, want_rows = rows_of(got), rows_of(want)
    missing, extra = unmatched(got_rows, want_rows, rel)
    if missing or extra:
        raise AssertionError(
            f"rows differ: got {len(got_rows)}, want {len(want_rows)}\n"
            f"missing {len(missing)}: {_some(missing)}\n"
            f"extra {len(extra)}: {_some(extra)}"
        )
    if order:
        _assert_same_sequence(got.select(list(order)), want.select(list(order)), rel)


def assert_same_schema(got: pa.Schema, want: pa.Schema) -> None:
    """Raises AssertionError unless names and types are equal, position by position."""
    got_columns = [(field.name, type_text(field.type)) for field in got]
    want_columns = [(field.name, type_text(field.type)) for field in want]
    if got_columns != want_columns:
        raise AssertionError(f"columns differ: got {got_columns}, want {want_columns}")


def assert_subset(got: pa.Table, whole: pa.Table, *, rel: float = REL_DEFAULT) -> None:
    """Raises AssertionError unless each row of `got` is a row of `whole`, no more often."""
    assert_same_schema(got.schema, whole.schema)
    _, extra = unmatched(rows_of(got), rows_of(whole), rel)
    if extra:
        raise AssertionError(f"{len(extra)} rows are not in the whole: {_some(extra)}")


def type_text(type_: pa.DataType) -> str:
    """Writes a type without what is not compared: views, nullability, names of list items."""
    if types.is_dictionary(type_):
        return f"dictionary<{type_text(type_.index_type)}, {type_text(type_.value_type)}>"
    if types.is_struct(type_):
        inner = ", ".join(f"{field.name}: {type_text(field.type)}" for field in type_)
        return f"struct<{inner}>"
    if types.is_map(type_):
        return f"map<{type_text(type_.key_type)}, {type_text(type_.item_type)}>"
    if types.is_fixed_size_list(type_):
        return f"list[{type_.list_size}]<{type_text(type_.value_type)}>"
    if types.is_large_list(type_):
        return f"large_list<{type_text(type_.value_type)}>"
    if types.is_list(type_):
        return f"list<{type_text(type_.value_type)}>"
    return _PLAIN.get(str(type_), str(type_))


def rows_of(table: pa.Table) -> list[Row]:
    """Reads a table into comparable rows; two columns may have one name."""
    columns = [_values(column) for column in table.columns]
    if not columns:
        return [Row((), ())] * table.num_rows
    return [_row(values) for values in zip(*columns, strict=True)]


def unmatched(got: list[Row], want: list[Row], rel: float) -> tuple[list[Row], list[Row]]:
    """Pairs off equal rows; returns those of `want` and those of `got` that are left alone."""
    groups: dict[Hashable, tuple[list[Row], list[Row]]] = {}
    for row in got:
        groups.setdefault(row.exact, ([], []))[0].append(row)
    for row in want:
        groups.setdefault(row.exact, ([], []))[1].append(row)
    missing: list[Row] = []
    extra: list[Row] = []
    for ours, theirs in groups.values():
        alone, unpaired = _pair(ours, theirs, rel)
        extra += alone
        missing += unpaired
    return missing, extra


def _pair(ours: list[Row], theirs: list[Row], rel: float) -> tuple[list[Row], list[Row]]:
    """Pairs rows of one exact part: in sorted order if that works, else each with any close one."""
    ours = sorted(ours, key=lambda row: row.floats)
    theirs = sorted(theirs, key=lambda row: row.floats)
    if len(ours) == len(theirs) and all(
        one.close_to(other, rel) for one, other in zip(ours, theirs, strict=True)
    ):
        return [], []
    alone = []
    for row in ours:
        match = next((i for i, other in enumerate(theirs) if row.close_to(other, rel)), None)
        if match is None:
            alone.append(row)
        else:
            del theirs[match]
    return alone, theirs


def _assert_same_sequence(got: pa.Table, want: pa.Table, rel: float) -> None:
    for at, (ours, theirs) in enumerate(zip(rows_of(got), rows_of(want), strict=True)):
        if not ours.close_to(theirs, rel):
            raise AssertionError(f"order differs at row {at}: got {ours}, want {theirs}")


def _values(column: pa.ChunkedArray) -> list[object]:
    """Reads a column; times as integers, because Python's cannot hold every one of them."""
    if any(test(column.type) for test in _TEMPORAL):
        column = column.cast(pa.int32() if column.type.bit_width == 32 else pa.int64())
    values: list[object] = column.to_pylist()
    return values


def _row(values: Iterable[object]) -> Row:
    floats: list[float] = []
    exact = tuple(_split(value, floats) for value in values)
    return Row(exact, tuple(floats))


def _split(value: object, floats: list[float]) -> Hashable:
    """Moves the finite floats of a value, however deep, to `floats`."""
    if isinstance(value, float):
        if math.isnan(value):
            return _NAN
        if math.isinf(value):
            return value
        floats.append(value)
        return _FLOAT
    if isinstance(value, list | tuple):
        return tuple(_split(item, floats) for item in value)
    if isinstance(value, dict):
        return tuple((key, _split(item, floats)) for key, item in value.items())
    return value


def _close(ours: tuple[float, ...], theirs: tuple[float, ...], rel: float) -> bool:
    return len(ours) == len(theirs) and all(
        math.isclose(one, other, rel_tol=rel, abs_tol=_ABS)
        for one, other in zip(ours, theirs, strict=True)
    )


def _shown(value: Hashable, floats: Iterable[float]) -> str:
    if value is _FLOAT:
        return repr(next(iter(floats)))
    if isinstance(value, tuple):
        return f"({', '.join(_shown(item, floats) for item in value)})"
    return repr(value)[:80]


def _some(rows: list[Row]) -> str:
    text = "; ".join(str(row) for row in rows[:_SHOWN_MAX])
    return text + (" …" if len(rows) > _SHOWN_MAX else "")
