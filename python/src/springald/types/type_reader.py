"""Messages to data types, fields and schemas."""

from collections.abc import Callable, Iterable
from typing import Final

import pyarrow as pa

from springald.type.v1 import type_pb2 as pb
from springald.types.c_schema import (
    EXTENSION_NAME_KEY,
    EXTENSION_SERIALIZED_KEY,
    registered_extension,
)
from springald.types.rules import (
    ROOT,
    Place,
    check_depth,
    checked_codes,
    checked_width,
    known,
    refusal,
    stored_as_its_like,
)
from springald.types.vocabulary import (
    DECIMAL_FROM_PROTO,
    INTEGER_FROM_PROTO,
    LIST_FROM_PROTO,
    RUN_END_FROM_PROTO,
    SIMPLE_FROM_PROTO,
    TIME32_UNITS,
    TIME64_UNITS,
    UNION_FROM_PROTO,
    UNIT_FROM_PROTO,
)


def data_type_from_proto(message: pb.DataType) -> pa.DataType:
    """Reads a type.

    Raises:
        InvalidArgumentError: The message breaks a rule of the contract, or names an extension type
            that is not registered here.

    >>> data_type_from_proto(data_type_to_proto(pa.list_(pa.int8())))
    ListType(list<item: int8>)
    """
    return _type_from_proto(message, ROOT)


def field_from_proto(message: pb.Field) -> pa.Field:
    """Reads a field.

    A field whose own type is an extension type that is not registered here becomes a field of the
    storage type, which keeps the extension in its metadata, as when Arrow reads a file.

    Raises:
        InvalidArgumentError: As `data_type_from_proto`, or the metadata has a key twice.

    >>> field_from_proto(field_to_proto(pa.field("x", pa.int8())))
    pyarrow.Field<x: int8>
    """
    return _field_from_proto(message, ())


def schema_from_proto(message: pb.Schema) -> pa.Schema:
    """Reads a schema.

    Raises:
        InvalidArgumentError: As `field_from_proto`.

    >>> schema_from_proto(schema_to_proto(pa.schema({"x": pa.int8()}))).names
    ['x']
    """
    return pa.schema(
        [field_from_proto(field) for field in message.fields],
        metadata=_metadata_from_proto(message.metadata, ("schema",)),
    )


def _type_from_proto(message: pb.DataType, place: Place) -> pa.DataType:
    check_depth(place)
    kind = message.WhichOneof("kind")
    if kind is None:
        remedy = "set its kind, or use a version that knows it"
        raise refusal("a type has a kind that this version knows", "none", place, remedy)
    read, child_count = _READERS[kind]
    if child_count is not None and len(message.children) != child_count:
        rule = f"the number of children of a {kind} is {child_count}"
        raise refusal(rule, len(message.children), place, "send the fields that it needs")
    children = [_field_from_proto(child, place) for child in message.children]
    return read(getattr(message, kind), children, place)


def _read_simple(number: int, _: list[pa.Field], place: Place) -> pa.DataType:
    return known(SIMPLE_FROM_PROTO, number, "a simple type", place)


def _read_fixed_size_binary(
    kind: pb.FixedSizeBinaryType, _: list[pa.Field], place: Place
) -> pa.DataType:
    return pa.binary(checked_width(kind.byte_width, place))


def _read_decimal(kind: pb.DecimalType, _: list[pa.Field], place: Place) -> pa.DataType:
    digits_max, make = known(DECIMAL_FROM_PROTO, kind.width, "a decimal's width", place)
    if not 1 <= kind.precision <= digits_max:
        rule = f"a decimal of this width has a precision of 1 to {digits_max} digits"
        raise refusal(rule, kind.precision, place, "choose another width or precision")
    return make(kind.precision, kind.scale)


def _read_time32(kind: pb.TimeType, _: list[pa.Field], place: Place) -> pa.DataType:
    return pa.time32(_unit(kind.unit, TIME32_UNITS, place))


def _read_time64(kind: pb.TimeType, _: list[pa.Field], place: Place) -> pa.DataType:
    return pa.time64(_unit(kind.unit, TIME64_UNITS, place))


def _unit(number: int, allowed: frozenset[str], place: Place) -> str:
    unit = known(UNIT_FROM_PROTO, number, "a time's unit", place)
    if unit not in allowed:
        rule = f"a time of this width has the unit {' or '.join(sorted(allowed))}"
        raise refusal(rule, unit, place, "choose another unit or width")
    return unit


def _read_timestamp(kind: pb.TimestampType, _: list[pa.Field], place: Place) -> pa.DataType:
    unit = known(UNIT_FROM_PROTO, kind.unit, "a timestamp's unit", place)
    return pa.timestamp(unit, kind.timezone or None)


def _read_duration(kind: pb.DurationType, _: list[pa.Field], place: Place) -> pa.DataType:
    return pa.duration(known(UNIT_FROM_PROTO, kind.unit, "a duration's unit", place))


def _read_list(kind: pb.ListType, children: list[pa.Field], place: Place) -> pa.DataType:
    return known(LIST_FROM_PROTO, kind.layout, "a list's layout", place)(children[0])


def _read_fixed_size_list(
    kind: pb.FixedSizeListType, children: list[pa.Field], place: Place
) -> pa.DataType:
    return pa.list_(children[0], checked_width(kind.size, place))


def _read_struct(_: pb.StructType, children: list[pa.Field], __: Place) -> pa.DataType:
    return pa.struct(children)


def _read_map(kind: pb.MapType, children: list[pa.Field], place: Place) -> pa.DataType:
    key, value = children
    if key.nullable:
        remedy = "declare it as not nullable"
        raise refusal("a map's key is never null", "a nullable field", (*place, key.name), remedy)
    return pa.map_(key, value, keys_sorted=kind.keys_sorted)


def _read_union(kind: pb.UnionType, children: list[pa.Field], place: Place) -> pa.DataType:
    mode = known(UNION_FROM_PROTO, kind.mode, "a union's mode", place)
    return pa.union(children, mode, checked_codes(kind.type_codes, len(children), place))


def _read_dictionary(kind: pb.DictionaryType, _: list[pa.Field], place: Place) -> pa.DataType:
    index_type = known(INTEGER_FROM_PROTO, kind.index_type, "a dictionary's index type", place)
    value_type = _type_from_proto(kind.value_type, (*place, "dictionary"))
    return pa.dictionary(index_type, value_type, kind.ordered)


def _read_run_end_encoded(
    kind: pb.RunEndEncodedType, _: list[pa.Field], place: Place
) -> pa.DataType:
    if kind.value_type.WhichOneof("kind") == "run_end_encoded_type":
        raise stored_as_its_like("a run-end encoded type", place)
    run_end_type = known(RUN_END_FROM_PROTO, kind.run_end_type, "a run end's type", place)
    return pa.run_end_encoded(run_end_type, _type_from_proto(kind.value_type, (*place, "runs")))


def _read_extension(kind: pb.ExtensionType, _: list[pa.Field], place: Place) -> pa.DataType:
    data_type, _storage = _extension_and_storage(kind, place)
    if data_type is None:
        rule = "an extension type outside a field is registered with pyarrow"
        raise refusal(rule, repr(kind.name), place, "register it, or use its storage type")
    return data_type


def _extension_and_storage(
    kind: pb.ExtensionType, place: Place
) -> tuple[pa.DataType | None, pa.DataType]:
    """Reads an extension type, which is None if it is not registered, and its storage type."""
    if not kind.name:
        raise refusal("an extension type has a name", "none", place, "set it")
    if kind.storage_type.WhichOneof("kind") == "extension_type":
        raise stored_as_its_like("an extension type", place)
    storage = _type_from_proto(kind.storage_type, (*place, "storage"))
    try:
        return registered_extension(kind.name, kind.serialized, storage), storage
    except Exception as error:  # whoever registered the type decides what its reader raises
        rule = f"extension type {kind.name!r} takes its parameters and storage type"
        raise refusal(rule, f"{storage}: {error}", place, "send what the type expects") from error


# For each kind how it is read, and how many children it has; None for any number.
_READERS: Final[dict[str, tuple[Callable[..., pa.DataType], int | None]]] = {
    "simple_type": (_read_simple, 0),
    "fixed_size_binary_type": (_read_fixed_size_binary, 0),
    "decimal_type": (_read_decimal, 0),
    "time32_type": (_read_time32, 0),
    "time64_type": (_read_time64, 0),
    "timestamp_type": (_read_timestamp, 0),
    "duration_type": (_read_duration, 0),
    "list_type": (_read_list, 1),
    "fixed_size_list_type": (_read_fixed_size_list, 1),
    "struct_type": (_read_struct, None),
    "map_type": (_read_map, 2),
    "union_type": (_read_union, None),
    "dictionary_type": (_read_dictionary, 0),
    "run_end_encoded_type": (_read_run_end_encoded, 0),
    "extension_type": (_read_extension, 0),
}


def _field_from_proto(message: pb.Field, place: Place) -> pa.Field:
    here = (*place, message.name)
    metadata = _metadata_from_proto(message.metadata, here)
    if message.type.WhichOneof("kind") == "extension_type" and not message.type.children:
        extension = message.type.extension_type
        check_depth(here)
        data_type, storage = _extension_and_storage(extension, here)
        if data_type is None:
            data_type = storage
            metadata[EXTENSION_NAME_KEY] = extension.name.encode()
            metadata[EXTENSION_SERIALIZED_KEY] = extension.serialized
    else:
        data_type = _type_from_proto(message.type, here)
    if not message.nullable and data_type.id == pa.lib.Type_NA:
        raise refusal("a field of type null is nullable", "one that is not", here, "declare it so")
    return pa.field(message.name, data_type, message.nullable, metadata or None)


def _metadata_from_proto(entries: Iterable[pb.KeyValue], place: Place) -> dict[bytes, bytes]:
    metadata: dict[bytes, bytes] = {}
    for entry in entries:
        key = entry.key.encode()
        if key in metadata:
            raise refusal("a key of metadata is there once", repr(entry.key), place, "remove one")
        metadata[key] = entry.value
    return metadata
