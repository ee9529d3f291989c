"""Scalars to messages."""

from collections.abc import Callable
from typing import Final

import pyarrow as pa

from springald.errors import InvalidArgumentError, UnsupportedError
from springald.type.v1 import type_pb2 as pb
from springald.types.type_writer import data_type_to_proto
from springald.types.vocabulary import DECIMAL_TO_PROTO, LEAVES, LIST_TO_PROTO, UNION_TO_PROTO

_NULL: Final = pb.Value(null_value=pb.NullValue())


def scalar_to_proto(scalar: pa.Scalar) -> pb.Scalar:
    """Writes a typed value.

    A dictionary or run-end encoding stays in the type; the value is written without it.

    Raises:
        InvalidArgumentError: As `data_type_to_proto`, or a text is not UTF-8.
        UnsupportedError: A part of the value is of an interval type that pyarrow cannot show.

    >>> scalar_to_proto(pa.scalar(7, pa.int8())).value.int_value
    7
    """
    data_type = data_type_to_proto(scalar.type)
    try:
        return pb.Scalar(type=data_type, value=_value(scalar))
    except UnicodeDecodeError as error:
        raise InvalidArgumentError(
            f"text is UTF-8: got {error.object[:40]!r} in a {scalar.type}; use a binary type"
        ) from error
    except (KeyError, NotImplementedError) as error:
        raise UnsupportedError(
            f"pyarrow shows the value: got {error} in a {scalar.type}; cast its months or days and "
            "milliseconds to month_day_nano_interval"
        ) from error


def _value(scalar: pa.Scalar | None) -> pb.Value:
    if scalar is None or not scalar.is_valid:
        return _NULL
    if isinstance(scalar, (pa.DictionaryScalar, pa.RunEndEncodedScalar, pa.ExtensionScalar)):
        return _value(scalar.value)
    if scalar.type.id in LEAVES:
        return _leaf_values(pa.repeat(scalar, 1))[0]
    return _WRITERS[scalar.type.id](scalar)


def _values(array: pa.Array) -> list[pb.Value]:
    if array.type.id in LEAVES:
        return _leaf_values(array)
    return [_value(scalar) for scalar in array]


def _leaf_values(array: pa.Array) -> list[pb.Value]:
    member, storage = LEAVES[array.type.id]
    plain = (array if storage is None else array.view(storage)).to_pylist()
    if array.type.id in DECIMAL_TO_PROTO:
        plain = [None if bits is None else _decimal(bits) for bits in plain]
    if member == "month_day_nano_value":
        plain = [None if parts is None else _month_day_nano(parts) for parts in plain]
    return [_NULL if part is None else pb.Value(**{member: part}) for part in plain]


def _decimal(bits: bytes) -> bytes:
    unscaled = int.from_bytes(bits, "little", signed=True)
    magnitude = unscaled if unscaled >= 0 else ~unscaled
    return unscaled.to_bytes(magnitude.bit_length() // 8 + 1, "big", signed=True)


def _month_day_nano(parts: pa.MonthDayNano) -> pb.MonthDayNanoValue:
    months, days, nanoseconds = parts
    return pb.MonthDayNanoValue(months=months, days=days, nanoseconds=nanoseconds)


def _write_list(scalar: pa.Scalar) -> pb.Value:
    return pb.Value(list_value=pb.ListValue(elements=_values(scalar.values)))


def _write_struct(scalar: pa.StructScalar) -> pb.Value:
    # By position: two fields may have one name.
    fields = [_value(scalar[index]) for index in range(len(scalar.type))]
    return pb.Value(struct_value=pb.StructValue(fields=fields))


def _write_map(scalar: pa.MapScalar) -> pb.Value:
    entries = scalar.values
    keys, values = _values(entries.field(0)), _values(entries.field(1))
    return pb.Value(map_value=pb.MapValue(keys=keys, values=values))


def _write_union(scalar: pa.UnionScalar) -> pb.Value:
    value = _value(scalar.value)
    if value.WhichOneof("kind") == "null_value":
        return _NULL
    return pb.Value(union_value=pb.UnionValue(type_code=scalar.type_code, value=value))


_WRITERS: Final[dict[int, Callable[[pa.Scalar], pb.Value]]] = {
    **dict.fromkeys(LIST_TO_PROTO, _write_list),
    pa.lib.Type_FIXED_SIZE_LIST: _write_list,
    pa.lib.Type_STRUCT: _write_struct,
    pa.lib.Type_MAP: _write_map,
    **dict.fromkeys(UNION_TO_PROTO, _write_union),
}
