"""Values of Arrow as Python's own, the same with pandas and without."""

from datetime import UTC, datetime, time, timedelta
from typing import Any

import pyarrow as pa
import pytest

from springald.errors import CastFailedError
from springald.python_values import python_columns, python_rows

NANOS = pa.timestamp("ns")
CUT = datetime(2020, 1, 1, 0, 0, 0, 123456)  # noqa: DTZ001 - without a zone, as in the column
COUNT = 1_577_836_800_123_456_789


@pytest.mark.parametrize(
    ("column", "value"),
    [
        (pa.array([COUNT], NANOS), CUT),
        (pa.array([COUNT], pa.timestamp("ns", "UTC")), CUT.replace(tzinfo=UTC)),
        (pa.array([-1], NANOS), datetime(1969, 12, 31, 23, 59, 59, 999_999)),  # noqa: DTZ001
        (pa.array([1_999], pa.time64("ns")), time(0, 0, 0, 1)),
        (pa.array([1_999], pa.duration("ns")), timedelta(microseconds=1)),
        (pa.array([-1_999], pa.duration("ns")), timedelta(microseconds=-1)),
        (pa.array([[COUNT, None]], pa.list_(NANOS)), [CUT, None]),
        (pa.array([[COUNT]], pa.large_list(NANOS)), [CUT]),
        (pa.array([[COUNT]], pa.list_view(NANOS)), [CUT]),
        (
            pa.array([{"a": COUNT, "b": 1}], pa.struct({"a": NANOS, "b": "int8"})),
            {"a": CUT, "b": 1},
        ),
        (pa.array([[("k", COUNT)]], pa.map_(pa.string(), NANOS)), [("k", CUT)]),
        (pa.array([COUNT], NANOS).dictionary_encode(), CUT),
        (pa.RunEndEncodedArray.from_arrays([1], pa.array([COUNT], NANOS)), CUT),
        (pa.UnionArray.from_sparse(pa.array([0], "int8"), [pa.array([COUNT], NANOS)]), CUT),
    ],
    ids=lambda given: str(given.type) if isinstance(given, pa.Array) else "",
)
def test_times_of_nanoseconds_are_cut_to_microseconds(column: pa.Array, value: object) -> None:
    """Digits that Python has not are left out, at any depth, and never another library's values."""
    (found,) = python_columns(pa.table({"t": column}))["t"]
    assert found == value
    assert type(found) is type(value)
    assert python_rows(pa.table({"t": column})) == [{"t": value}]


@pytest.mark.parametrize(
    "column",
    [
        pa.array([10**12], pa.timestamp("s")),
        pa.array([2**30], pa.date32()),
        pa.array([2**60], pa.duration("s")),
        pa.array([0], pa.timestamp("us", "Nowhere/At_All")),
        pa.array([0], pa.timestamp("ns", "Nowhere/At_All")),
    ],
    ids=lambda column: str(column.type),
)
def test_times_that_python_has_not_are_refused(column: pa.Array) -> None:
    """What is out of Python's years, or of an unknown zone, is an error that says what to do."""
    with pytest.raises(CastFailedError, match=r"in column 't'; use to_arrow\(\), or cast"):
        python_columns(pa.table({"t": column}))


@pytest.mark.parametrize(
    "rows",
    [
        pa.table({"a": [1, None], "b": [["x"], []], "c": [{"d": 1}, None]}),
        pa.table({"a": pa.array([], NANOS)}),
        pa.table({}),
    ],
    ids=["values", "no rows", "no columns"],
)
def test_other_values_are_those_of_arrow(rows: pa.Table) -> None:
    """What has no nanoseconds is as pyarrow says it."""
    found: list[dict[str, Any]] = python_rows(rows)
    assert found == rows.to_pylist()
    assert python_columns(rows) == rows.to_pydict()
