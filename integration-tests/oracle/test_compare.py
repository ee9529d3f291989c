"""The comparison can fail: it tells apart what differs and lets pass what does not."""

import math
from decimal import Decimal

import pyarrow as pa
import pytest

from oracle.compare import assert_same, assert_subset

NAN = float("nan")
INF = float("inf")


def table(**columns: pa.Array) -> pa.Table:
    """Makes a table."""
    return pa.table(columns)


def ints(*values: int | None) -> pa.Array:
    """Makes a column of integers."""
    return pa.array(values, pa.int64())


def floats(*values: float | None) -> pa.Array:
    """Makes a column of floats."""
    return pa.array(values, pa.float64())


ALIKE = {
    "same": (table(a=ints(1, 2)), table(a=ints(1, 2))),
    "other_order": (table(a=ints(1, 2, 2)), table(a=ints(2, 1, 2))),
    "null": (table(a=ints(None, 1)), table(a=ints(1, None))),
    "nan": (table(a=floats(NAN, 1.0)), table(a=floats(1.0, NAN))),
    "zero_signs": (table(a=floats(0.0)), table(a=floats(-0.0))),
    "infinity": (table(a=floats(INF, -INF)), table(a=floats(-INF, INF))),
    "sum_in_another_order": (table(a=floats(0.1 + 0.2 + 0.3)), table(a=floats(0.3 + 0.2 + 0.1))),
    "floats_that_sort_otherwise": (
        table(a=floats(1.0, 1.0 + 1e-15), b=floats(7.0, 3.0)),
        table(a=floats(1.0 + 1e-15, 1.0), b=floats(7.0, 3.0)),
    ),
    "view": (table(a=pa.array(["x"], pa.string_view())), table(a=pa.array(["x"]))),
    "nested_float": (table(a=pa.array([[0.1 + 0.2]])), table(a=pa.array([[0.3]]))),
    "nanoseconds": (
        table(a=pa.array([1], pa.timestamp("ns", "UTC"))),
        table(a=pa.array([1], pa.timestamp("ns", "UTC"))),
    ),
    "chunks": (pa.table({"a": pa.chunked_array([[1], [2]])}), pa.table({"a": [1, 2]})),
    "no_rows": (table(a=ints()), table(a=ints())),
    "nullability": (
        pa.table([ints(1)], schema=pa.schema([pa.field("a", pa.int64(), nullable=False)])),
        table(a=ints(1)),
    ),
}
APART = {
    "value": (table(a=ints(1, 2)), table(a=ints(1, 3))),
    "one_row_more": (table(a=ints(1, 1)), table(a=ints(1))),
    "one_row_less": (table(a=ints(1)), table(a=ints(1, 1))),
    "how_often": (table(a=ints(1, 1, 2)), table(a=ints(1, 2, 2))),
    "no_rows": (table(a=ints()), table(a=ints(1))),
    "null_and_zero": (table(a=ints(None)), table(a=ints(0))),
    "nan_and_null": (table(a=floats(NAN)), table(a=floats(None))),
    "nan_and_number": (table(a=floats(NAN)), table(a=floats(0.0))),
    "infinities": (table(a=floats(INF)), table(a=floats(-INF))),
    "float": (table(a=floats(1.0)), table(a=floats(1.000001))),
    "float_pairs_crossed": (
        table(a=floats(1.0, 2.0), b=floats(1.0, 2.0)),
        table(a=floats(1.0, 2.0), b=floats(2.0, 1.0)),
    ),
    "pairs_crossed": (table(a=ints(1, 2), b=ints(1, 2)), table(a=ints(1, 2), b=ints(2, 1))),
    "name": (table(a=ints(1)), table(b=ints(1))),
    "column_order": (table(a=ints(1), b=ints(1)), table(b=ints(1), a=ints(1))),
    "column_missing": (table(a=ints(1)), table(a=ints(1), b=ints(1))),
    "int_width": (table(a=ints(1)), table(a=pa.array([1], pa.int32()))),
    "float_type": (table(a=floats(1.0)), table(a=ints(1))),
    "decimal_scale": (
        table(a=pa.array([Decimal("1.0")], pa.decimal128(5, 1))),
        table(a=pa.array([Decimal("1.0")], pa.decimal128(5, 2))),
    ),
    "decimal_last_digit": (
        table(a=pa.array([Decimal("1.01")])),
        table(a=pa.array([Decimal("1.02")])),
    ),
    "time_zone": (
        table(a=pa.array([1], pa.timestamp("us", "UTC"))),
        table(a=pa.array([1], pa.timestamp("us"))),
    ),
    "nanosecond": (
        table(a=pa.array([1], pa.timestamp("ns"))),
        table(a=pa.array([2], pa.timestamp("ns"))),
    ),
    "dictionary": (table(a=pa.array(["x"]).dictionary_encode()), table(a=pa.array(["x"]))),
    "large_string": (table(a=pa.array(["x"], pa.large_string())), table(a=pa.array(["x"]))),
    "nested": (table(a=pa.array([[1, 2]])), table(a=pa.array([[2, 1]]))),
    "field_name": (table(a=pa.array([{"x": 1}])), table(a=pa.array([{"y": 1}]))),
    "empty_and_null_list": (
        table(a=pa.array([[]], pa.list_(pa.int64()))),
        table(a=pa.array([None], pa.list_(pa.int64()))),
    ),
}


@pytest.mark.parametrize("pair", ALIKE.values(), ids=ALIKE)
def test_compare_of_one_answer_passes(pair: tuple[pa.Table, pa.Table]) -> None:
    """Two tables that are one answer are taken as one, whichever comes first."""
    assert_same(*pair)
    assert_same(*reversed(pair))


@pytest.mark.parametrize("pair", APART.values(), ids=APART)
def test_compare_of_two_answers_fails(pair: tuple[pa.Table, pa.Table]) -> None:
    """Two tables that are different answers are told apart, whichever comes first."""
    with pytest.raises(AssertionError, match="differ"):
        assert_same(*pair)
    with pytest.raises(AssertionError, match="differ"):
        assert_same(*reversed(pair))


def test_compare_of_two_columns_with_one_name_looks_at_both() -> None:
    """Columns are compared by position, so that a name may come twice."""
    one = pa.Table.from_arrays([ints(1), ints(2)], names=["a", "a"])
    other = pa.Table.from_arrays([ints(1), ints(3)], names=["a", "a"])
    assert_same(one, one)
    with pytest.raises(AssertionError, match="rows differ"):
        assert_same(one, other)


def test_compare_without_columns_counts_rows() -> None:
    """A table without columns still has a number of rows."""
    two = table(a=ints(1, 2)).select([])
    one = table(a=ints(1)).select([])
    assert_same(two, two)
    with pytest.raises(AssertionError, match="rows differ"):
        assert_same(two, one)


def test_compare_in_order_sees_a_swap() -> None:
    """Rows out of the order that the query asked for fail, though the rows are right."""
    want = table(a=ints(1, 2, 3))
    with pytest.raises(AssertionError, match="order differs at row 1"):
        assert_same(table(a=ints(1, 3, 2)), want, order=(0,))


def test_compare_in_order_lets_ties_stand_as_they_come() -> None:
    """Rows with equal keys have no order among them."""
    want = table(a=ints(1, 1, 2), b=ints(7, 8, 9))
    assert_same(table(a=ints(1, 1, 2), b=ints(8, 7, 9)), want, order=(0,))
    with pytest.raises(AssertionError, match="order differs"):
        assert_same(table(a=ints(1, 1, 2), b=ints(8, 7, 9)), want, order=(0, 1))


def test_compare_with_a_tolerance_holds_to_it() -> None:
    """A case may allow more than rounding, and no more than it says."""
    assert_same(table(a=floats(100.0)), table(a=floats(104.0)), rel=0.05)
    with pytest.raises(AssertionError, match="rows differ"):
        assert_same(table(a=floats(100.0)), table(a=floats(106.0)), rel=0.05)


def test_compare_shows_what_is_missing_and_what_is_extra() -> None:
    """The message names the rows, so that a failure can be read."""
    with pytest.raises(AssertionError, match=r"missing 1: \(2, 0.5\)\nextra 1: \(1, 0.5\)"):
        assert_same(table(a=ints(1), b=floats(0.5)), table(a=ints(2), b=floats(0.5)))


def test_subset_takes_each_row_once() -> None:
    """A query that may choose its rows cannot choose one twice, nor make one up."""
    whole = table(a=ints(1, 2, 2))
    assert_subset(table(a=ints(2, 2)), whole)
    with pytest.raises(AssertionError, match="not in the whole"):
        assert_subset(table(a=ints(1, 1)), whole)
    with pytest.raises(AssertionError, match="not in the whole"):
        assert_subset(table(a=ints(4)), whole)


def test_float_sum_example_really_differs() -> None:
    """The tolerance is needed: the same terms in another order give another sum."""
    assert 0.1 + 0.2 + 0.3 != 0.3 + 0.2 + 0.1
    assert math.isclose(0.1 + 0.2 + 0.3, 0.3 + 0.2 + 0.1)
