"""Rows as lines of JSON."""

import json
import math
from collections.abc import Callable, Iterator
from typing import Any, Final

import pyarrow as pa
import pyarrow.types as pt

from springald.errors import UnsupportedError
from springald.python_values import cut_value, has_nanoseconds, holds, nested_value

__all__ = ["json_lines"]

_PER_SECOND: Final = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
# How long a time or an instant is up to its microseconds.
_TIME_LENGTH: Final = len("00:00:00.000000")
_INSTANT_LENGTH: Final = len("0000-00-00T00:00:00.000000")


def json_lines(batch: pa.RecordBatch) -> Iterator[str]:
    """Returns an object for each row; the last of the columns that share a name counts.

    Example:
        >>> rows = pa.record_batch({"d": pa.array([1_500], pa.duration("ms")), "n": [None]})
        >>> list(json_lines(rows))
        ['{"d": "PT1.5S", "n": null}']

    Raises:
        UnsupportedError: A map has keys that are no keys of JSON.
    """
    names = batch.schema.names
    columns = [_values(column) for column in batch.columns]
    rows = zip(*columns, strict=True) if columns else [()] * batch.num_rows
    for row in rows:
        yield _line(dict(zip(names, row, strict=True)))


def _values(column: pa.Array) -> list[Any]:
    if holds(column.type, _is_written_here):
        return [nested_value(value, _leaf, dict) for value in column]
    values: list[Any] = column.to_pylist(maps_as_pydicts="lossy")
    return values


def _is_written_here(kind: pa.DataType) -> bool:
    return has_nanoseconds(kind) or pt.is_duration(kind) or pt.is_interval(kind)


def _leaf(scalar: pa.Scalar) -> Any:  # noqa: ANN401 - any value
    kind = scalar.type
    if pt.is_duration(kind):
        return f"{'-' * (scalar.value < 0)}PT{_seconds(abs(scalar.value), _PER_SECOND[kind.unit])}"
    if pt.is_interval(kind):
        months, days, nanoseconds = scalar.as_py()
        rest = f"{'-' * (nanoseconds < 0)}{_seconds(abs(nanoseconds), _PER_SECOND['ns'])}"
        return f"P{months}M{days}DT{rest}"
    value = cut_value(scalar)
    if not has_nanoseconds(kind) or not (digits := scalar.value % 1000):
        return value
    text = value.isoformat(timespec="microseconds")
    end = _TIME_LENGTH if pt.is_time64(kind) else _INSTANT_LENGTH
    return f"{text[:end]}{digits:03d}{text[end:]}"


def _seconds(count: int, per_second: int) -> str:
    whole, rest = divmod(count, per_second)
    digits = len(str(per_second)) - 1
    return f"{whole}{f'.{rest:0{digits}d}'.rstrip('0') if rest else ''}S"


def _line(row: dict[str, object]) -> str:
    try:
        return json.dumps(row, default=_other, ensure_ascii=False, allow_nan=False)
    except ValueError:
        return json.dumps(_finite(row), default=_other, ensure_ascii=False)
    except TypeError as error:
        raise UnsupportedError(
            f"a map's key in a JSON file is text or a number: got {error}; cast it, or write "
            "Parquet"
        ) from error


def _finite(value: object) -> object:
    """The same value with null for every number that JSON has not."""
    if isinstance(value, dict):
        return {key: _finite(held) for key, held in value.items()}
    if isinstance(value, list):
        return [_finite(held) for held in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def _other(value: object) -> str:
    """What JSON has no form of its own for."""
    if isinstance(value, bytes):
        return value.hex()
    as_text: Callable[[], str] | None = getattr(value, "isoformat", None)
    return as_text() if as_text is not None else str(value)
