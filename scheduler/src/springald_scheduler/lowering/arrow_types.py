"""Arrow types as the engine writes them in `arrow_cast`."""

from collections.abc import Callable
from typing import Any, Final

import pyarrow as pa
from pyarrow import types as pt

from springald.errors import UnsupportedError
from springald.types.c_schema import INTERVAL_DAY_TIME, INTERVAL_MONTHS

_SIMPLE: Final[dict[Any, str]] = {
    pa.null(): "Null",
    pa.bool_(): "Boolean",
    pa.int8(): "Int8",
    pa.int16(): "Int16",
    pa.int32(): "Int32",
    pa.int64(): "Int64",
    pa.uint8(): "UInt8",
    pa.uint16(): "UInt16",
    pa.uint32(): "UInt32",
    pa.uint64(): "UInt64",
    pa.float16(): "Float16",
    pa.float32(): "Float32",
    pa.float64(): "Float64",
    pa.string(): "Utf8",
    pa.large_string(): "LargeUtf8",
    pa.string_view(): "Utf8View",
    pa.binary(): "Binary",
    pa.large_binary(): "LargeBinary",
    pa.binary_view(): "BinaryView",
    pa.date32(): "Date32",
    pa.date64(): "Date64",
    INTERVAL_MONTHS: "Interval(YearMonth)",
    INTERVAL_DAY_TIME: "Interval(DayTime)",
    pa.month_day_nano_interval(): "Interval(MonthDayNano)",
}
_SQL: Final[dict[Any, str]] = {
    pa.bool_(): "BOOLEAN",
    pa.int8(): "TINYINT",
    pa.int16(): "SMALLINT",
    pa.int32(): "INT",
    pa.int64(): "BIGINT",
    pa.uint8(): "TINYINT UNSIGNED",
    pa.uint16(): "SMALLINT UNSIGNED",
    pa.uint32(): "INT UNSIGNED",
    pa.uint64(): "BIGINT UNSIGNED",
    pa.float32(): "FLOAT",
    pa.float64(): "DOUBLE",
    pa.string(): "VARCHAR",
    pa.string_view(): "VARCHAR",
    pa.large_string(): "VARCHAR",
    pa.binary(): "BYTEA",
    pa.date32(): "DATE",
    pa.timestamp("ns"): "TIMESTAMP",
    pa.timestamp("us"): "TIMESTAMP(6)",
    pa.timestamp("ms"): "TIMESTAMP(3)",
    pa.timestamp("s"): "TIMESTAMP(0)",
    pa.time64("ns"): "TIME",
}


def arrow_text(data_type: pa.DataType) -> str:
    """Returns a type as `arrow_cast` reads it.

    Raises:
        UnsupportedError: The engine has no way to write it.

    >>> arrow_text(pa.list_(pa.timestamp("us", "UTC")))
    'List(Timestamp(us, "UTC"))'
    """
    if data_type in _SIMPLE:
        return _SIMPLE[data_type]
    for fits, written in _WRITERS:
        if fits(data_type):
            return written(data_type)
    message = f"the engine writes the type down: got {data_type}"
    raise UnsupportedError(f"{message}; use another type, or a table that has it")


def sql_text(data_type: pa.DataType) -> str:
    """Returns a type as SQL declares a column of it.

    Raises:
        UnsupportedError: SQL has no name for it.
    """
    if data_type in _SQL:
        return _SQL[data_type]
    if pt.is_decimal(data_type):
        return f"DECIMAL({data_type.precision}, {data_type.scale})"
    message = f"a column of a file is declared with a type that SQL names: got {data_type}"
    raise UnsupportedError(f"{message}; leave the schema out, and cast what is read")


def _field(field: pa.Field) -> str:
    return ("" if field.nullable else "non-null ") + arrow_text(field.type)


def _named(field: pa.Field) -> str:
    if '"' in field.name or "\\" in field.name:
        message = f"the engine writes the names in a type down: got {field.name!r}"
        raise UnsupportedError(f"{message}; use names without quotation marks and backslashes")
    return f'"{field.name}": {_field(field)}'


def _list(name: str) -> Callable[[Any], str]:
    def written(data_type: Any) -> str:  # noqa: ANN401 - a list type of pyarrow
        field = data_type.value_field
        named = "" if field.name == "item" else f", field: '{field.name}'"
        return f"{name}({_field(field)}{named})"

    return written


def _fixed_list(data_type: Any) -> str:  # noqa: ANN401
    field = data_type.value_field
    named = "" if field.name == "item" else f", field: '{field.name}'"
    return f"FixedSizeList({data_type.list_size} x {_field(field)}{named})"


def _timestamp(data_type: Any) -> str:  # noqa: ANN401
    zone = f', "{data_type.tz}"' if data_type.tz else ""
    return f"Timestamp({data_type.unit}{zone})"


def _map(data_type: Any) -> str:  # noqa: ANN401
    order = "sorted" if data_type.keys_sorted else "unsorted"
    pair = f"{_named(data_type.key_field)}, {_named(data_type.item_field)}"
    return f'Map("entries": non-null Struct({pair}), {order})'


def _run_ends(data_type: Any) -> str:  # noqa: ANN401
    ends, values = arrow_text(data_type.run_end_type), arrow_text(data_type.value_type)
    return f'RunEndEncoded("run_ends": non-null {ends}, "values": {values})'


_WRITERS: Final[list[tuple[Callable[[Any], bool], Callable[[Any], str]]]] = [
    (pt.is_decimal, lambda t: f"Decimal{t.bit_width}({t.precision}, {t.scale})"),
    (pt.is_timestamp, _timestamp),
    (pt.is_duration, lambda t: f"Duration({t.unit})"),
    (pt.is_time32, lambda t: f"Time32({t.unit})"),
    (pt.is_time64, lambda t: f"Time64({t.unit})"),
    (pt.is_fixed_size_binary, lambda t: f"FixedSizeBinary({t.byte_width})"),
    (pt.is_list, _list("List")),
    (pt.is_large_list, _list("LargeList")),
    (pt.is_list_view, _list("ListView")),
    (pt.is_large_list_view, _list("LargeListView")),
    (pt.is_fixed_size_list, _fixed_list),
    (pt.is_struct, lambda t: f"Struct({', '.join(_named(field) for field in t)})"),
    (pt.is_map, _map),
    (
        pt.is_dictionary,
        lambda t: f"Dictionary({arrow_text(t.index_type)}, {arrow_text(t.value_type)})",
    ),
    (pt.is_run_end_encoded, _run_ends),
]
