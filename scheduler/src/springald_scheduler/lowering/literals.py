"""Typed values as SQL text, exactly, or as values that are bound to the text."""

import math
from collections.abc import Callable
from decimal import Decimal
from typing import Any, Final

import pyarrow as pa
from pyarrow import types as pt

from springald.errors import UnsupportedError
from springald.type.v1 import type_pb2
from springald.types import scalar_from_proto
from springald_scheduler.lowering.arrow_types import arrow_text
from springald_scheduler.lowering.text import Piece, string

_NOT_SHOWN: Final = {
    type_pb2.SIMPLE_TYPE_INTERVAL_MONTHS: "Interval(YearMonth)",
    type_pb2.SIMPLE_TYPE_INTERVAL_DAY_TIME: "Interval(DayTime)",
}


def literal_text(scalar: pa.Scalar) -> Piece | None:
    """Returns a null, or a value of a type without parts, as text; none for other values.

    The text has exactly the value's type: what SQL would take for another type is cast.

    >>> literal_text(pa.scalar(5, pa.int8())).sql
    "arrow_cast(5, 'Int8')"
    """
    if not scalar.is_valid:
        return Piece("NULL") if pt.is_null(scalar.type) else _null(scalar.type)
    for fits, written in _WRITERS:
        if fits(scalar.type):
            return written(scalar)
    return None


def interval_text(message: type_pb2.Scalar) -> Piece | None:
    """Returns a value of an interval type that pyarrow cannot show; none for other types."""
    interval = _NOT_SHOWN.get(message.type.simple_type)
    if message.type.WhichOneof("kind") != "simple_type" or interval is None:
        return None
    match message.value.WhichOneof("kind"):
        case "int_value":
            inner = f"arrow_cast({message.value.int_value}, 'Int32')"
        case "day_time_value":
            value = message.value.day_time_value
            inner = f"'{value.days} days {value.milliseconds} milliseconds'"
        case _:
            inner = "NULL"
    return Piece(f"arrow_cast({inner}, '{interval}')")


def scalar_of(message: type_pb2.Scalar) -> pa.Scalar:
    """Reads a value, without the name of an extension type, which SQL cannot say."""
    scalar = scalar_from_proto(message)
    return scalar.value if isinstance(scalar, pa.ExtensionScalar) else scalar


def cast_to(sql: str, data_type: pa.DataType) -> Piece:
    """Returns an expression as a type."""
    return Piece(f"arrow_cast({sql}, {string(arrow_text(data_type))})")


def interval_sql(scalar: pa.Scalar) -> str:
    """Returns an interval as SQL writes one."""
    months, days, nanoseconds = scalar.as_py()
    return f"INTERVAL '{months} months {days} days {nanoseconds} nanoseconds'"


def _null(data_type: pa.DataType) -> Piece | None:
    try:
        return cast_to("NULL", data_type)
    except UnsupportedError:
        return None


def _integer(scalar: pa.Scalar) -> Piece:
    value = scalar.as_py()
    if pt.is_int64(scalar.type):
        return Piece(str(value), is_atom=value >= 0)
    return cast_to(f"'{value}'" if pt.is_uint64(scalar.type) else str(value), scalar.type)


def _float(scalar: pa.Scalar) -> Piece:
    value = float(scalar.as_py())
    if math.isnan(value):
        return cast_to("'NaN'", scalar.type)
    if math.isinf(value):
        return cast_to("'inf'" if value > 0 else "'-inf'", scalar.type)
    # Through text, because a session may have numbers with a point read as decimals.
    return cast_to(f"'{value!r}'", scalar.type)


def _ticks(scalar: pa.Scalar) -> Piece:
    data_type = scalar.type
    if pt.is_date32(data_type) or pt.is_time32(data_type):
        return cast_to(f"arrow_cast({scalar.cast(pa.int32()).as_py()}, 'Int32')", data_type)
    return cast_to(str(scalar.cast(pa.int64()).as_py()), data_type)


def _decimal(scalar: pa.Scalar) -> Piece | None:
    if scalar.type.scale < 0:
        return None
    value: Decimal = scalar.as_py()
    return cast_to(f"'{value:f}'", scalar.type)


def _text(scalar: pa.Scalar) -> Piece:
    written = string(scalar.as_py())
    return Piece(written) if pt.is_string(scalar.type) else cast_to(written, scalar.type)


def _bytes(scalar: pa.Scalar) -> Piece | None:
    value = scalar.as_py()
    if not value:  # the engine refuses X'' of a fixed length
        return None
    written = f"X'{value.hex()}'"
    return Piece(written) if pt.is_binary(scalar.type) else cast_to(written, scalar.type)


def _is_ticks(data_type: pa.DataType) -> bool:
    return bool(pt.is_temporal(data_type) and not pt.is_interval(data_type))


_WRITERS: Final[list[tuple[Callable[[Any], bool], Callable[[Any], Piece | None]]]] = [
    (pt.is_boolean, lambda scalar: Piece("TRUE" if scalar.as_py() else "FALSE")),
    (pt.is_integer, _integer),
    (pt.is_floating, _float),
    (pt.is_interval, lambda scalar: Piece(interval_sql(scalar), is_atom=False)),
    (_is_ticks, _ticks),
    (pt.is_decimal, _decimal),
    (lambda t: pt.is_string(t) or pt.is_large_string(t) or pt.is_string_view(t), _text),
    (
        lambda t: (
            pt.is_binary(t)
            or pt.is_large_binary(t)
            or pt.is_binary_view(t)
            or pt.is_fixed_size_binary(t)
        ),
        _bytes,
    ),
]
