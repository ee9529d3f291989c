"""Types that a client cannot read, and those that its results have in their place (P5.7)."""

from collections.abc import Callable, Collection
from typing import Final

import pyarrow as pa

from springald.results import with_children

__all__ = ["UNSUPPORTED_TYPES", "readable_schema", "readable_type"]

Substitute = Callable[[pa.DataType], pa.DataType]


def _decimal128(data_type: pa.DataType) -> pa.DataType:
    return pa.decimal128(data_type.precision, data_type.scale)


_KINDS: Final[tuple[tuple[str, Callable[[pa.DataType], bool], Substitute], ...]] = (
    ("decimal32", pa.types.is_decimal32, _decimal128),
    ("decimal64", pa.types.is_decimal64, _decimal128),
    ("float16", pa.types.is_float16, lambda _: pa.float32()),
    ("utf8_view", pa.types.is_string_view, lambda _: pa.string()),
    ("binary_view", pa.types.is_binary_view, lambda _: pa.binary()),
    ("dictionary", pa.types.is_dictionary, lambda kind: kind.value_type),
    ("run_end_encoded", pa.types.is_run_end_encoded, lambda kind: kind.value_type),
)

UNSUPPORTED_TYPES: Final = tuple(name for name, _, _ in _KINDS)
"""The types that a client may do without; it reads all others, and all substitutes."""


def readable_type(data_type: pa.DataType, unsupported: Collection[str]) -> pa.DataType:
    """Returns a type, or what it is replaced with for a client that cannot read some.

    Example:
        >>> readable_type(pa.list_(pa.decimal32(5, 2)), {"decimal32"})
        ListType(list<item: decimal128(5, 2)>)
    """
    for name, is_kind, substitute in _KINDS:
        if name in unsupported and is_kind(data_type):
            return readable_type(substitute(data_type), unsupported)
    if pa.types.is_dictionary(data_type):
        value_type = readable_type(data_type.value_type, unsupported)
        return pa.dictionary(data_type.index_type, value_type, data_type.ordered)
    if pa.types.is_run_end_encoded(data_type):
        value_type = readable_type(data_type.value_type, unsupported)
        return pa.run_end_encoded(data_type.run_end_type, value_type)
    children = [_readable_field(data_type.field(at), unsupported) for at in _numbers(data_type)]
    return with_children(data_type, children) if children else data_type


def readable_schema(schema: pa.Schema, unsupported: Collection[str]) -> pa.Schema:
    """Returns a schema with all its types replaced as `readable_type` says.

    Example:
        >>> readable_schema(pa.schema({"price": pa.decimal64(12, 2)}), {"decimal64"})
        price: decimal128(12, 2)
    """
    if not unsupported:
        return schema
    fields = [_readable_field(field, unsupported) for field in schema]
    return pa.schema(fields, schema.metadata)


def _readable_field(field: pa.Field, unsupported: Collection[str]) -> pa.Field:
    return field.with_type(readable_type(field.type, unsupported))


def _numbers(data_type: pa.DataType) -> range:
    return range(data_type.num_fields)
