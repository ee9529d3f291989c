"""Arrow's values as Python's own.

Python's dates and times know microseconds and the years from 1 to 9999. What is finer is cut, with
pandas and without; what is further away is refused.
"""

from collections.abc import Callable
from typing import Any, Final, TypeAlias

import pyarrow as pa
import pyarrow.types as pt

from springald.errors import CastFailedError

__all__ = ["cut_value", "has_nanoseconds", "holds", "nested_value", "python_columns", "python_rows"]

Column: TypeAlias = pa.Array | pa.ChunkedArray
Is: TypeAlias = Callable[[pa.DataType], bool]
_WRAPPED: Final = (
    pa.DictionaryScalar, pa.ExtensionScalar, pa.RunEndEncodedScalar, pa.UnionScalar,
)  # fmt: skip


def python_columns(rows: pa.Table) -> dict[str, list[Any]]:
    """Returns a list of Python values for each column; the last of those that share a name.

    Example:
        >>> python_columns(pa.table({"t": pa.array([1_500], pa.timestamp("ns"))}))
        {'t': [datetime.datetime(1970, 1, 1, 0, 0, 0, 1)]}

    Raises:
        CastFailedError: Python has no such value.
    """
    return {
        name: _values(name, column)
        for name, column in zip(rows.column_names, rows.columns, strict=True)
    }


def python_rows(rows: pa.Table) -> list[dict[str, Any]]:
    """Returns a dictionary of Python values for each row.

    Example:
        >>> python_rows(pa.table({"t": pa.array([1_500], pa.duration("ns"))}))
        [{'t': datetime.timedelta(microseconds=1)}]

    Raises:
        CastFailedError: Python has no such value.
    """
    columns = python_columns(rows)
    if not columns:
        return [{} for _ in range(rows.num_rows)]
    return [
        dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)
    ]


def holds(kind: pa.DataType, is_wanted: Is) -> bool:
    """True if a type, or one at any depth inside of it, is of some sort.

    Example:
        >>> holds(pa.list_(pa.timestamp("ns")), has_nanoseconds)
        True
    """
    if is_wanted(kind):
        return True
    if pt.is_dictionary(kind) or pt.is_run_end_encoded(kind):
        return holds(kind.value_type, is_wanted)
    if isinstance(kind, pa.BaseExtensionType):
        return holds(kind.storage_type, is_wanted)
    return any(holds(kind.field(at).type, is_wanted) for at in range(kind.num_fields))


def has_nanoseconds(kind: pa.DataType) -> bool:
    """True for times that are finer than Python's.

    Example:
        >>> has_nanoseconds(pa.time64("ns")), has_nanoseconds(pa.time64("us"))
        (True, False)
    """
    is_time = pt.is_timestamp(kind) or pt.is_duration(kind) or pt.is_time64(kind)
    return bool(is_time and kind.unit == "ns")


def nested_value(
    scalar: pa.Scalar, leaf: Callable[[pa.Scalar], Any], mapping: Callable[[Any], Any] = list
) -> Any:  # noqa: ANN401 - any value
    """Returns a value of any depth.

    Args:
        scalar: The value.
        leaf: What becomes of a value that is neither nested nor NULL.
        mapping: What becomes of the pairs of a map.
    """
    kind = scalar.type
    if not scalar.is_valid:
        return None

    def inner(held: pa.Scalar) -> Any:  # noqa: ANN401
        return nested_value(held, leaf, mapping)

    if isinstance(scalar, _WRAPPED):
        return inner(scalar.value)
    if pt.is_map(kind):
        return mapping((inner(pair["key"]), inner(pair["value"])) for pair in scalar.values)
    if pt.is_struct(kind):
        return {name: inner(each) for name, each in scalar.items()}
    if pt.is_nested(kind):
        return [inner(each) for each in scalar.values]
    return leaf(scalar)


def cut_value(scalar: pa.Scalar) -> Any:  # noqa: ANN401
    """Returns a value without the digits that Python has not.

    An instant is cut to the microsecond before it, a duration to the one nearer to none.

    Example:
        >>> cut_value(pa.scalar(-1, pa.timestamp("ns")))
        datetime.datetime(1969, 12, 31, 23, 59, 59, 999999)
    """
    kind = scalar.type
    if not has_nanoseconds(kind):
        return scalar.as_py()
    if pt.is_duration(kind):
        micros = abs(scalar.value) // 1000
        return pa.scalar(micros if scalar.value > 0 else -micros, pa.duration("us")).as_py()
    finer = pa.time64("us") if pt.is_time64(kind) else pa.timestamp("us", kind.tz)
    return pa.scalar(scalar.value // 1000, finer).as_py()


def _values(name: str, column: Column) -> list[Any]:
    try:
        if not holds(column.type, has_nanoseconds):
            values: list[Any] = column.to_pylist()
            return values
        return [nested_value(each, cut_value) for each in column]
    except (ArithmeticError, LookupError, ValueError) as error:
        message = "a date or time of Python is in the years from 1 to 9999, of a zone that is known"
        raise CastFailedError(
            f"{message}: got {str(error) or type(error).__name__!r} in column {name!r}; use "
            "to_arrow(), or cast it to text"
        ) from error
