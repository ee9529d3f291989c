"""Values that the engine takes neither as text nor as parameters: rows of a table of their own."""

import pyarrow as pa
from pyarrow import types as pt

from springald_scheduler.lowering.lowering import Lowering
from springald_scheduler.lowering.model import PrivateTable
from springald_scheduler.lowering.text import Piece, quoted

__all__ = ["needs_table", "table_value"]

_COLUMN = "value"


def needs_table(data_type: pa.DataType) -> bool:
    """True for types with unions, run ends, or nulls inside, of which the engine binds no values.

    >>> needs_table(pa.run_end_encoded(pa.int32(), pa.string())), needs_table(pa.list_(pa.int8()))
    (True, False)
    """
    if pt.is_union(data_type) or pt.is_run_end_encoded(data_type):
        return True
    children = [data_type.field(number).type for number in range(data_type.num_fields)]
    return any(pt.is_null(child) or needs_table(child) for child in children)


def table_value(lowering: Lowering, scalar: pa.Scalar) -> Piece:
    """Returns a value as a query that reads its only row."""
    rows = pa.record_batch([pa.repeat(scalar, 1)], [_COLUMN])
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, rows.schema) as writer:
        writer.write_batch(rows)
    table = PrivateTable(lowering.new_name(), arrow_stream=sink.getvalue().to_pybytes())
    lowering.catalog.add(table)
    lowering.tables.append(table)
    return Piece(f"(SELECT {quoted(_COLUMN)} FROM {quoted(table.name)})")
