"""Which message names what: the contract's enums beside pyarrow's types, ids and words."""

from collections.abc import Callable
from typing import Final

import pyarrow as pa

from springald.type.v1 import type_pb2 as pb
from springald.types.c_schema import INTERVAL_DAY_TIME, INTERVAL_MONTHS

EXTENSION_ID: Final = pa.uuid().id
"""The id of all extension types, to which pyarrow gives no name."""

SIMPLE_FROM_PROTO: Final[dict[int, pa.DataType]] = {
    pb.SIMPLE_TYPE_NULL: pa.null(),
    pb.SIMPLE_TYPE_BOOL: pa.bool_(),
    pb.SIMPLE_TYPE_INT8: pa.int8(),
    pb.SIMPLE_TYPE_INT16: pa.int16(),
    pb.SIMPLE_TYPE_INT32: pa.int32(),
    pb.SIMPLE_TYPE_INT64: pa.int64(),
    pb.SIMPLE_TYPE_UINT8: pa.uint8(),
    pb.SIMPLE_TYPE_UINT16: pa.uint16(),
    pb.SIMPLE_TYPE_UINT32: pa.uint32(),
    pb.SIMPLE_TYPE_UINT64: pa.uint64(),
    pb.SIMPLE_TYPE_FLOAT16: pa.float16(),
    pb.SIMPLE_TYPE_FLOAT32: pa.float32(),
    pb.SIMPLE_TYPE_FLOAT64: pa.float64(),
    pb.SIMPLE_TYPE_UTF8: pa.string(),
    pb.SIMPLE_TYPE_LARGE_UTF8: pa.large_string(),
    pb.SIMPLE_TYPE_UTF8_VIEW: pa.string_view(),
    pb.SIMPLE_TYPE_BINARY: pa.binary(),
    pb.SIMPLE_TYPE_LARGE_BINARY: pa.large_binary(),
    pb.SIMPLE_TYPE_BINARY_VIEW: pa.binary_view(),
    pb.SIMPLE_TYPE_DATE32: pa.date32(),
    pb.SIMPLE_TYPE_DATE64: pa.date64(),
    pb.SIMPLE_TYPE_INTERVAL_MONTHS: INTERVAL_MONTHS,
    pb.SIMPLE_TYPE_INTERVAL_DAY_TIME: INTERVAL_DAY_TIME,
    pb.SIMPLE_TYPE_INTERVAL_MONTH_DAY_NANO: pa.month_day_nano_interval(),
}
SIMPLE_TO_PROTO: Final = {
    data_type.id: pb.SimpleType.ValueType(number) for number, data_type in SIMPLE_FROM_PROTO.items()
}

UNIT_FROM_PROTO: Final[dict[int, str]] = {
    pb.TIME_UNIT_SECOND: "s",
    pb.TIME_UNIT_MILLISECOND: "ms",
    pb.TIME_UNIT_MICROSECOND: "us",
    pb.TIME_UNIT_NANOSECOND: "ns",
}
UNIT_TO_PROTO: Final = {
    unit: pb.TimeUnit.ValueType(number) for number, unit in UNIT_FROM_PROTO.items()
}
TIME32_UNITS: Final = frozenset({"s", "ms"})
TIME64_UNITS: Final = frozenset({"us", "ns"})

INTEGER_FROM_PROTO: Final[dict[int, pa.DataType]] = {
    pb.INTEGER_TYPE_INT8: pa.int8(),
    pb.INTEGER_TYPE_INT16: pa.int16(),
    pb.INTEGER_TYPE_INT32: pa.int32(),
    pb.INTEGER_TYPE_INT64: pa.int64(),
    pb.INTEGER_TYPE_UINT8: pa.uint8(),
    pb.INTEGER_TYPE_UINT16: pa.uint16(),
    pb.INTEGER_TYPE_UINT32: pa.uint32(),
    pb.INTEGER_TYPE_UINT64: pa.uint64(),
}
INTEGER_TO_PROTO: Final = {
    data_type.id: pb.IntegerType.ValueType(number)
    for number, data_type in INTEGER_FROM_PROTO.items()
}
RUN_END_FROM_PROTO: Final[dict[int, pa.DataType]] = {
    number: INTEGER_FROM_PROTO[number]
    for number in (pb.INTEGER_TYPE_INT16, pb.INTEGER_TYPE_INT32, pb.INTEGER_TYPE_INT64)
}

# For each width the most digits that it holds, and the call that makes the type.
DECIMAL_FROM_PROTO: Final[dict[int, tuple[int, Callable[[int, int], pa.DataType]]]] = {
    pb.DECIMAL_WIDTH_32: (9, pa.decimal32),
    pb.DECIMAL_WIDTH_64: (18, pa.decimal64),
    pb.DECIMAL_WIDTH_128: (38, pa.decimal128),
    pb.DECIMAL_WIDTH_256: (76, pa.decimal256),
}
DECIMAL_TO_PROTO: Final = {
    pa.lib.Type_DECIMAL32: pb.DECIMAL_WIDTH_32,
    pa.lib.Type_DECIMAL64: pb.DECIMAL_WIDTH_64,
    pa.lib.Type_DECIMAL128: pb.DECIMAL_WIDTH_128,
    pa.lib.Type_DECIMAL256: pb.DECIMAL_WIDTH_256,
}

LIST_FROM_PROTO: Final[dict[int, Callable[[pa.Field], pa.DataType]]] = {
    pb.LIST_LAYOUT_LIST: pa.list_,
    pb.LIST_LAYOUT_LARGE_LIST: pa.large_list,
    pb.LIST_LAYOUT_LIST_VIEW: pa.list_view,
    pb.LIST_LAYOUT_LARGE_LIST_VIEW: pa.large_list_view,
}
LIST_TO_PROTO: Final = {
    pa.lib.Type_LIST: pb.LIST_LAYOUT_LIST,
    pa.lib.Type_LARGE_LIST: pb.LIST_LAYOUT_LARGE_LIST,
    pa.lib.Type_LIST_VIEW: pb.LIST_LAYOUT_LIST_VIEW,
    pa.lib.Type_LARGE_LIST_VIEW: pb.LIST_LAYOUT_LARGE_LIST_VIEW,
}

UNION_FROM_PROTO: Final[dict[int, str]] = {
    pb.UNION_MODE_SPARSE: "sparse",
    pb.UNION_MODE_DENSE: "dense",
}
UNION_TO_PROTO: Final = {
    pa.lib.Type_SPARSE_UNION: pb.UNION_MODE_SPARSE,
    pa.lib.Type_DENSE_UNION: pb.UNION_MODE_DENSE,
}

# For each type whose values have no parts: the member of Value that carries one, and the type under
# which pyarrow shows the same bits as that member has them; None for the type itself.
LEAVES: Final[dict[int, tuple[str, pa.DataType | None]]] = {
    pa.lib.Type_BOOL: ("bool_value", None),
    pa.lib.Type_INT8: ("int_value", None),
    pa.lib.Type_INT16: ("int_value", None),
    pa.lib.Type_INT32: ("int_value", None),
    pa.lib.Type_INT64: ("int_value", None),
    pa.lib.Type_UINT8: ("uint_value", None),
    pa.lib.Type_UINT16: ("uint_value", None),
    pa.lib.Type_UINT32: ("uint_value", None),
    pa.lib.Type_UINT64: ("uint_value", None),
    pa.lib.Type_HALF_FLOAT: ("half_bits", pa.uint16()),
    pa.lib.Type_FLOAT: ("float_value", None),
    pa.lib.Type_DOUBLE: ("double_value", None),
    pa.lib.Type_DECIMAL32: ("decimal_value", pa.binary(4)),
    pa.lib.Type_DECIMAL64: ("decimal_value", pa.binary(8)),
    pa.lib.Type_DECIMAL128: ("decimal_value", pa.binary(16)),
    pa.lib.Type_DECIMAL256: ("decimal_value", pa.binary(32)),
    pa.lib.Type_STRING: ("string_value", None),
    pa.lib.Type_LARGE_STRING: ("string_value", None),
    pa.lib.Type_STRING_VIEW: ("string_value", None),
    pa.lib.Type_BINARY: ("binary_value", None),
    pa.lib.Type_LARGE_BINARY: ("binary_value", None),
    pa.lib.Type_BINARY_VIEW: ("binary_value", None),
    pa.lib.Type_FIXED_SIZE_BINARY: ("binary_value", None),
    pa.lib.Type_DATE32: ("int_value", pa.int32()),
    pa.lib.Type_DATE64: ("int_value", pa.int64()),
    pa.lib.Type_TIME32: ("int_value", pa.int32()),
    pa.lib.Type_TIME64: ("int_value", pa.int64()),
    pa.lib.Type_TIMESTAMP: ("int_value", pa.int64()),
    pa.lib.Type_DURATION: ("int_value", pa.int64()),
    pa.lib.Type_INTERVAL_MONTH_DAY_NANO: ("month_day_nano_value", None),
}
