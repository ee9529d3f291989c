"""Rows as they lie in files, and as a client sees them.

An Arrow file takes one dictionary a column, and views keep whole input buffers alive, so files hold
plain types. The file of a result remembers, in its schema's metadata, which types the client was
promised, and whoever hands a result on restores them.
"""

from typing import Any, Final

import pyarrow as pa

from springald.errors import InternalError

__all__ = [
    "RESULT_SCHEMA_KEY",
    "plain_schema",
    "plain_type",
    "restore",
    "result_schema",
    "with_children",
    "with_result_schema",
]

RESULT_SCHEMA_KEY: Final = b"springald:result_schema"
"""Metadata of a file's schema: the client's schema, in Arrow's IPC form."""


def plain_schema(schema: pa.Schema) -> pa.Schema:
    """Returns how rows of a schema lie in a file; top-level fields are nullable there.

    Example:
        >>> plain_schema(pa.schema([pa.field("a", pa.string_view(), nullable=False)]))
        a: string
    """
    return pa.schema([pa.field(field.name, plain_type(field.type)) for field in schema])


def plain_type(data_type: pa.DataType) -> pa.DataType:
    """Returns a type with dictionaries and runs replaced by their values, and views by plain types.

    Example:
        >>> plain_type(pa.list_(pa.dictionary(pa.int8(), pa.string_view())))
        ListType(list<item: string>)
    """
    if pa.types.is_dictionary(data_type) or pa.types.is_run_end_encoded(data_type):
        return plain_type(data_type.value_type)
    if pa.types.is_string_view(data_type):
        return pa.string()
    if pa.types.is_binary_view(data_type):
        return pa.binary()
    children = [
        data_type.field(number).with_type(plain_type(data_type.field(number).type))
        for number in range(data_type.num_fields)
    ]
    return with_children(data_type, children) if children else data_type


def with_children(data_type: pa.DataType, children: list[pa.Field]) -> pa.DataType:
    """Returns a nested type with other children; a type of another kind stays as it is."""
    if pa.types.is_struct(data_type):
        return pa.struct(children)
    if pa.types.is_map(data_type):
        pair = children[0].type
        return pa.map_(pair.field(0), pair.field(1), keys_sorted=data_type.keys_sorted)
    if pa.types.is_fixed_size_list(data_type):
        return pa.list_(children[0], data_type.list_size)
    for is_kind, plain in (
        (pa.types.is_list, pa.list_),
        (pa.types.is_large_list, pa.large_list),
        (pa.types.is_list_view, pa.list_view),
        (pa.types.is_large_list_view, pa.large_list_view),
    ):
        if is_kind(data_type):
            return plain(children[0])
    return data_type


def with_result_schema(file_schema: pa.Schema, client_schema: pa.Schema) -> pa.Schema:
    """Returns a file's schema that remembers which schema the client was promised."""
    metadata = {**(file_schema.metadata or {})}
    metadata[RESULT_SCHEMA_KEY] = client_schema.serialize().to_pybytes()
    return file_schema.with_metadata(metadata)


def result_schema(file_schema: pa.Schema) -> pa.Schema | None:
    """Returns the schema that the client was promised, or None for a file that is no result."""
    remembered = (file_schema.metadata or {}).get(RESULT_SCHEMA_KEY)
    return None if remembered is None else pa.ipc.read_schema(pa.py_buffer(remembered))


def restore(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    """Returns a batch with the columns of another schema, matched by position.

    Works in both directions: from plain types to the client's, and from the client's to plain ones.

    Example:
        >>> plain = pa.record_batch({"a": ["x", "x"]})
        >>> restore(plain, pa.schema({"a": pa.dictionary(pa.int8(), pa.string())})).schema
        a: dictionary<values=string, indices=int8, ordered=0>

    Raises:
        InternalError: The batch does not have the schema's columns.
    """
    if batch.num_columns != len(schema):
        raise InternalError(
            f"rows have the columns of their schema: got {batch.num_columns}, want {len(schema)}"
        )
    if not batch.num_columns:  # its row count would be lost by making it again
        return batch.replace_schema_metadata(schema.metadata)
    columns = [_cast(column, field) for column, field in zip(batch.columns, schema, strict=True)]
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def _cast(column: pa.Array, field: pa.Field) -> pa.Array:
    if column.type == field.type:
        return column
    try:
        return column.cast(field.type)
    except pa.ArrowNotImplementedError:
        return _cast_by_parts(column, field.type)
    except pa.ArrowInvalid as error:
        raise InternalError(
            f"rows have the types of their schema: got {column.type}, want {field}",
            engine_message=str(error),
        ) from error


def _cast_by_parts(column: pa.Array, wanted: pa.DataType) -> pa.Array:
    """Casts where Arrow has no cast: dictionaries of other values than text, runs, list views."""
    if pa.types.is_dictionary(column.type):
        return _cast(column.dictionary_decode(), pa.field("", wanted))
    if pa.types.is_dictionary(wanted):
        values: Any = _cast(column, pa.field("", wanted.value_type))
        return values.dictionary_encode().cast(wanted)
    if pa.types.is_run_end_encoded(column.type):
        return _cast(_compute().run_end_decode(column), pa.field("", wanted))
    if pa.types.is_run_end_encoded(wanted):
        values = _cast(column, pa.field("", wanted.value_type))
        return _compute().run_end_encode(values, run_end_type=wanted.run_end_type)
    if wanted.num_fields and wanted.id == column.type.id:
        return _cast_children(column, wanted)
    raise InternalError(f"rows have the types of their schema: got {column.type}, want {wanted}")


def _cast_children(column: pa.Array, wanted: pa.DataType) -> pa.Array:
    """Casts what a nested column holds, and keeps how it is laid out."""
    whole = pa.concat_arrays([column])  # a slice's children would be counted from elsewhere
    if pa.types.is_struct(wanted):
        parts = [whole.field(number) for number in range(wanted.num_fields)]
    elif pa.types.is_map(wanted):
        pair = list(whole.type.field(0).type)
        parts = [pa.StructArray.from_arrays([whole.keys, whole.items], fields=pair)]
    else:
        parts = [whole.values]
    children = [_cast(part, wanted.field(number)) for number, part in enumerate(parts)]
    own = 1 if pa.types.is_struct(wanted) or pa.types.is_fixed_size_list(wanted) else 2
    buffers = whole.buffers()[:own]
    return pa.Array.from_buffers(wanted, len(whole), buffers, children=children)


def _compute() -> Any:  # noqa: ANN401 - a module
    """Loads what only run-end encoded columns need, and what takes a third of a client's start."""
    import pyarrow.compute  # noqa: PLC0415

    return pyarrow.compute
