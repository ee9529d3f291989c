"""Data types, fields and schemas to messages."""

from collections.abc import Callable, Mapping
from typing import Final

import pyarrow as pa

from springald.type.v1 import type_pb2 as pb
from springald.types.c_schema import extension_parameters
from springald.types.rules import (
    ROOT,
    Place,
    check_depth,
    checked_codes,
    checked_width,
    refusal,
    stored_as_its_like,
)
from springald.types.vocabulary import (
    DECIMAL_TO_PROTO,
    EXTENSION_ID,
    INTEGER_TO_PROTO,
    LIST_TO_PROTO,
    SIMPLE_TO_PROTO,
    UNION_TO_PROTO,
    UNIT_TO_PROTO,
)


def data_type_to_proto(data_type: pa.DataType) -> pb.DataType:
    """Writes a type.

    Raises:
        InvalidArgumentError: The type is nested too deeply, or is one that the contract lacks.

    >>> data_type_to_proto(pa.list_(pa.int8())).children[0].name
    'item'
    """
    return _type_to_proto(data_type, ROOT)


def field_to_proto(field: pa.Field) -> pb.Field:
    """Writes a field.

    Raises:
        InvalidArgumentError: As `data_type_to_proto`, or a key of the metadata is not UTF-8.

    >>> field_to_proto(pa.field("x", pa.int8())).nullable
    True
    """
    return _field_to_proto(field, ())


def schema_to_proto(schema: pa.Schema) -> pb.Schema:
    """Writes a schema.

    Raises:
        InvalidArgumentError: As `field_to_proto`.

    >>> [field.name for field in schema_to_proto(pa.schema({"x": pa.int8()})).fields]
    ['x']
    """
    return pb.Schema(
        fields=[field_to_proto(field) for field in schema],
        metadata=_metadata_to_proto(schema.metadata, ("schema",)),
    )


def _type_to_proto(data_type: pa.DataType, place: Place) -> pb.DataType:
    check_depth(place)
    if data_type.id in SIMPLE_TO_PROTO:
        return pb.DataType(simple_type=SIMPLE_TO_PROTO[data_type.id])
    if data_type.id not in _WRITERS:
        remedy = "cast it to another type first"
        raise refusal("a type is one of Arrow's", data_type, place, remedy)
    return _WRITERS[data_type.id](data_type, place)


def _write_fixed_size_binary(data_type: pa.DataType, place: Place) -> pb.DataType:
    width = checked_width(data_type.byte_width, place)
    return pb.DataType(fixed_size_binary_type=pb.FixedSizeBinaryType(byte_width=width))


def _write_decimal(data_type: pa.DataType, _: Place) -> pb.DataType:
    return pb.DataType(
        decimal_type=pb.DecimalType(
            width=DECIMAL_TO_PROTO[data_type.id],
            precision=data_type.precision,
            scale=data_type.scale,
        )
    )


def _write_time32(data_type: pa.DataType, _: Place) -> pb.DataType:
    return pb.DataType(time32_type=pb.TimeType(unit=UNIT_TO_PROTO[data_type.unit]))


def _write_time64(data_type: pa.DataType, _: Place) -> pb.DataType:
    return pb.DataType(time64_type=pb.TimeType(unit=UNIT_TO_PROTO[data_type.unit]))


def _write_timestamp(data_type: pa.DataType, _: Place) -> pb.DataType:
    return pb.DataType(
        timestamp_type=pb.TimestampType(
            unit=UNIT_TO_PROTO[data_type.unit], timezone=data_type.tz or ""
        )
    )


def _write_duration(data_type: pa.DataType, _: Place) -> pb.DataType:
    return pb.DataType(duration_type=pb.DurationType(unit=UNIT_TO_PROTO[data_type.unit]))


def _write_list(data_type: pa.DataType, place: Place) -> pb.DataType:
    return pb.DataType(
        list_type=pb.ListType(layout=LIST_TO_PROTO[data_type.id]),
        children=[_field_to_proto(data_type.value_field, place)],
    )


def _write_fixed_size_list(data_type: pa.DataType, place: Place) -> pb.DataType:
    return pb.DataType(
        fixed_size_list_type=pb.FixedSizeListType(size=data_type.list_size),
        children=[_field_to_proto(data_type.value_field, place)],
    )


def _write_struct(data_type: pa.DataType, place: Place) -> pb.DataType:
    children = [_field_to_proto(field, place) for field in data_type]
    return pb.DataType(struct_type=pb.StructType(), children=children)


def _write_map(data_type: pa.DataType, place: Place) -> pb.DataType:
    pair = (data_type.key_field, data_type.item_field)
    return pb.DataType(
        map_type=pb.MapType(keys_sorted=data_type.keys_sorted),
        children=[_field_to_proto(field, place) for field in pair],
    )


def _write_union(data_type: pa.DataType, place: Place) -> pb.DataType:
    codes = checked_codes(data_type.type_codes, len(data_type), place)
    return pb.DataType(
        union_type=pb.UnionType(mode=UNION_TO_PROTO[data_type.id], type_codes=codes),
        children=[_field_to_proto(field, place) for field in data_type],
    )


def _write_dictionary(data_type: pa.DataType, place: Place) -> pb.DataType:
    return pb.DataType(
        dictionary_type=pb.DictionaryType(
            index_type=INTEGER_TO_PROTO[data_type.index_type.id],
            value_type=_type_to_proto(data_type.value_type, (*place, "dictionary")),
            ordered=data_type.ordered,
        )
    )


def _write_run_end_encoded(data_type: pa.DataType, place: Place) -> pb.DataType:
    if pa.types.is_run_end_encoded(data_type.value_type):
        raise stored_as_its_like("a run-end encoded type", place)
    return pb.DataType(
        run_end_encoded_type=pb.RunEndEncodedType(
            run_end_type=INTEGER_TO_PROTO[data_type.run_end_type.id],
            value_type=_type_to_proto(data_type.value_type, (*place, "runs")),
        )
    )


def _write_extension(data_type: pa.DataType, place: Place) -> pb.DataType:
    if data_type.storage_type.id == EXTENSION_ID:
        raise stored_as_its_like("an extension type", place)
    return pb.DataType(
        extension_type=pb.ExtensionType(
            name=data_type.extension_name,
            storage_type=_type_to_proto(data_type.storage_type, (*place, "storage")),
            serialized=extension_parameters(data_type),
        )
    )


_WRITERS: Final[dict[int, Callable[[pa.DataType, Place], pb.DataType]]] = {
    pa.lib.Type_FIXED_SIZE_BINARY: _write_fixed_size_binary,
    **dict.fromkeys(DECIMAL_TO_PROTO, _write_decimal),
    pa.lib.Type_TIME32: _write_time32,
    pa.lib.Type_TIME64: _write_time64,
    pa.lib.Type_TIMESTAMP: _write_timestamp,
    pa.lib.Type_DURATION: _write_duration,
    **dict.fromkeys(LIST_TO_PROTO, _write_list),
    pa.lib.Type_FIXED_SIZE_LIST: _write_fixed_size_list,
    pa.lib.Type_STRUCT: _write_struct,
    pa.lib.Type_MAP: _write_map,
    **dict.fromkeys(UNION_TO_PROTO, _write_union),
    pa.lib.Type_DICTIONARY: _write_dictionary,
    pa.lib.Type_RUN_END_ENCODED: _write_run_end_encoded,
    EXTENSION_ID: _write_extension,
}


def _field_to_proto(field: pa.Field, place: Place) -> pb.Field:
    here = (*place, field.name)
    return pb.Field(
        name=field.name,
        type=_type_to_proto(field.type, here),
        nullable=field.nullable,
        metadata=_metadata_to_proto(field.metadata, here),
    )


def _metadata_to_proto(metadata: Mapping[bytes, bytes] | None, place: Place) -> list[pb.KeyValue]:
    entries = sorted((metadata or {}).items())
    try:
        return [pb.KeyValue(key=key.decode(), value=value) for key, value in entries]
    except UnicodeDecodeError as error:
        rule = "a key of metadata is UTF-8"
        raise refusal(rule, error.object, place, "rename or remove it") from error
