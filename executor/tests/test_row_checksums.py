"""Checksums of rows: the same in any order and batches, others for other rows."""

import datetime as dt
import decimal
import random
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from springald_executor.shuffle.row_checksums import NoChecksumError, rows_checksum

_DAY = dt.date(2024, 2, 29)
COLUMNS: dict[str, tuple[pa.DataType, list[Any]]] = {
    "i64": (pa.int64(), [0, 1, -1, 2**62, None]),
    "i32": (pa.int32(), [0, 1, -1, 7, None]),
    "i16": (pa.int16(), [0, 1, -1, 7, None]),
    "u8": (pa.uint8(), [0, 1, 255, 7, None]),
    "f64": (pa.float64(), [0.0, 1.5, -1.5, float("inf"), None]),
    "f32": (pa.float32(), [0.0, 1.5, -1.5, 2.25, None]),
    "bool": (pa.bool_(), [True, False, None]),
    "dec": (pa.decimal128(20, 2), [decimal.Decimal("1.25"), decimal.Decimal("-3.00"), None]),
    "wide": (pa.decimal256(60, 2), [decimal.Decimal("1.25"), decimal.Decimal("-3.00"), None]),
    "date": (pa.date32(), [_DAY, None]),
    "time": (pa.timestamp("us"), [dt.datetime(2024, 2, 29), None]),  # noqa: DTZ001
    "text": (pa.string(), ["", "a", "b", "eightchr", "nine char", "x" * 33, "é", None]),
    "bytes": (pa.large_binary(), [b"", b"\x00", b"\x00\x00", b"abcdefghi", None]),
    "fixed": (pa.binary(11), [b"0123456789a", b"\x00" * 11, None]),
    "none": (pa.null(), [None]),
}
SCHEMA = pa.schema([pa.field(name, kind) for name, (kind, _) in COLUMNS.items()])
ROWS = st.lists(
    st.tuples(*(st.sampled_from(values) for _, values in COLUMNS.values())), max_size=12
)


def batch_of(rows: list[tuple[Any, ...]]) -> pa.RecordBatch:
    """A batch of rows."""
    columns = list(zip(*rows, strict=True)) or [()] * len(SCHEMA)
    arrays = [pa.array(c, f.type) for c, f in zip(columns, SCHEMA, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=SCHEMA)


@settings(deadline=None)
@given(rows=ROWS, seed=st.integers(0, 9), cut=st.integers(0, 12))
def test_checksum_does_not_depend_on_order_or_batches(
    rows: list[tuple[Any, ...]], seed: int, cut: int
) -> None:
    """Rows in another order, in two batches, one of them a slice, add up to the same."""
    whole = rows_checksum(batch_of(rows))
    random.Random(seed).shuffle(rows)  # noqa: S311
    batch = batch_of(rows)
    parts = (batch.slice(0, cut), batch.slice(min(cut, batch.num_rows)))
    assert sum(map(rows_checksum, parts)) % 2**64 == whole


@settings(deadline=None)
@given(rows=ROWS.filter(bool), data=st.data())
def test_checksum_of_other_rows_is_another(
    rows: list[tuple[Any, ...]], data: st.DataObject
) -> None:
    """One value changed, in any column, changes the checksum."""
    place = data.draw(st.integers(0, len(rows) - 1))
    column = data.draw(st.integers(0, len(SCHEMA) - 2))
    values = next(list(values) for values in [list(COLUMNS.values())[column][1]])
    other = data.draw(st.sampled_from([v for v in values if v != rows[place][column]]))
    changed = list(rows)
    changed[place] = (*rows[place][:column], other, *rows[place][column + 1 :])
    assert rows_checksum(batch_of(changed)) != rows_checksum(batch_of(rows))


def test_checksum_tells_which_values_are_in_one_row() -> None:
    """The same values of each column, paired otherwise, are other rows."""
    for values in (["a", "b"], [10, 20]):
        one = pa.record_batch({"n": [1, 2], "v": values})
        other = pa.record_batch({"n": [1, 2], "v": values[::-1]})
        assert rows_checksum(one) != rows_checksum(other)


def test_checksum_tells_columns_apart() -> None:
    """Two columns with their values exchanged are other rows."""
    one, other = pa.record_batch({"a": [1], "b": [2]}), pa.record_batch({"a": [2], "b": [1]})
    assert rows_checksum(one) != rows_checksum(other)


def test_checksum_that_is_not_thorough_looks_at_lengths_of_strings() -> None:
    """Where the planner vouches for the rows, strings cost their lengths only."""
    one, other = pa.record_batch({"a": ["xy"]}), pa.record_batch({"a": ["xz"]})
    longer = pa.record_batch({"a": ["xyz"]})
    assert rows_checksum(one, thorough=False) == rows_checksum(other, thorough=False)
    assert rows_checksum(one, thorough=False) != rows_checksum(longer, thorough=False)


def test_checksum_of_nested_rows_is_not_known() -> None:
    """Lists and structs are not looked into, and are not passed over either."""
    with pytest.raises(NoChecksumError):
        rows_checksum(pa.record_batch({"a": [[1, 2]]}))
    with pytest.raises(NoChecksumError):
        rows_checksum(pa.record_batch({"a": [{"b": 1}]}))
