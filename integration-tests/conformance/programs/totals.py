"""Totals of rows that nobody keeps."""

from collections.abc import Iterable

import pyarrow as pa
import pyarrow.compute as pc

from springald.conformance.v1 import vector_pb2 as pb

_WRAP = 1 << 64
_HALF = 1 << 63


def totals_of(batches: Iterable[pa.RecordBatch]) -> pb.Totals:
    """Counts rows, and adds up the columns of 64-bit integers modulo 2^64."""
    rows = 0
    sums: list[int] = []
    for batch in batches:
        rows += batch.num_rows
        sums = sums or [0] * batch.num_columns
        for position, column in enumerate(batch.columns):
            if pa.types.is_int64(column.type):
                sums[position] += pc.sum(column).as_py() or 0
    return pb.Totals(rows=rows, sums=[(total + _HALF) % _WRAP - _HALF for total in sums])
