"""Whether two places gave one answer."""

import pyarrow as pa
from pyarrow import types

from oracle.compare import assert_same

REL_INEXACT = 1e-4
"""For engines that type and round decimals by other rules: an average has six digits or so."""


def check_same(rows: pa.Table, truth: pa.Table, *, exact: bool) -> None:
    """Raises AssertionError unless both tables have the same rows, in any order.

    Args:
        rows: What is to be judged.
        truth: What is right.
        exact: False for another engine than that of `truth`: columns are then compared by their
            position, with the types of `truth`, and decimals as floats within `REL_INEXACT`.
    """
    if exact:
        assert_same(rows, truth)
    else:
        assert_same(_loosened(rows, truth.schema), _loosened(truth, truth.schema), rel=REL_INEXACT)


def _loosened(rows: pa.Table, like: pa.Schema) -> pa.Table:
    if rows.num_columns != len(like):
        raise AssertionError(f"columns differ: got {rows.schema.names}, want {like.names}")
    columns = [
        column.cast(_loose_type(wanted.type))
        for column, wanted in zip(rows.columns, like, strict=True)
    ]
    return pa.table(columns, names=like.names)


def _loose_type(type_: pa.DataType) -> pa.DataType:
    if types.is_decimal(type_) or types.is_floating(type_):
        return pa.float64()
    return pa.string() if types.is_string_view(type_) else type_
