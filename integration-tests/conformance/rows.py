"""Rows of the protocol as Arrow tables, and back."""

import io

import pyarrow as pa

from springald.conformance.v1 import vector_pb2 as pb
from springald.type.v1 import type_pb2
from springald.types import (
    data_type_to_proto,
    scalar_from_proto,
    scalar_to_proto,
    schema_from_proto,
    schema_to_proto,
)


def table_from_rows(rows: pb.Rows) -> pa.Table:
    """Makes a table of rows that are written value by value."""
    schema = schema_from_proto(rows.schema)
    if not len(schema):
        empty = pa.RecordBatch.from_struct_array(pa.array([{}] * len(rows.rows), pa.struct([])))
        return pa.Table.from_batches([empty])
    columns = [
        _array([row.values[position] for row in rows.rows], field.type)
        for position, field in enumerate(schema)
    ]
    return pa.Table.from_arrays(columns, schema=schema)


def rows_from_table(table: pa.Table, *, ordered: bool = False) -> pb.Rows:
    """Writes a table value by value."""
    columns = [[scalar_to_proto(value).value for value in column] for column in table.columns]
    rows = [
        pb.Row(values=[column[number] for column in columns]) for number in range(table.num_rows)
    ]
    return pb.Rows(schema=schema_to_proto(table.schema), rows=rows, ordered=ordered)


def ipc_from_table(table: pa.Table) -> bytes:
    """Writes a table as an Arrow IPC stream."""
    sink = io.BytesIO()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()


def table_from_ipc(stream: bytes) -> pa.Table:
    """Reads an Arrow IPC stream."""
    with pa.ipc.open_stream(stream) as reader:
        return reader.read_all()


def _array(values: list[type_pb2.Value], data_type: pa.DataType) -> pa.Array:
    """Reads values as one list, which is how the protocol writes many values of one type."""
    if not values:
        return pa.array([], data_type)
    whole = type_pb2.Scalar(
        type=data_type_to_proto(pa.large_list(data_type)),
        value=type_pb2.Value(list_value=type_pb2.ListValue(elements=values)),
    )
    return scalar_from_proto(whole).values
