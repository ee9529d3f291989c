"""Rows lie in files with plain types and come back with the types that a client was promised."""

from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from springald.errors import InternalError
from springald.results import plain_schema, plain_type, restore, result_schema, with_result_schema

texts = st.none() | st.text(max_size=5)
numbers = st.none() | st.integers(-(2**31), 2**31 - 1)
leaves = st.sampled_from([
    (pa.string(), texts),
    (pa.string_view(), texts),
    (pa.dictionary(pa.int32(), pa.string()), texts),
    (pa.dictionary(pa.uint8(), pa.large_string()), texts),
    (pa.binary_view(), st.none() | st.binary(max_size=5)),
    (pa.int64(), numbers),
    (pa.dictionary(pa.int32(), pa.int64()), numbers),
    (pa.decimal128(12, 2), st.none() | st.integers(-999, 999).map(Decimal)),
    (pa.timestamp("us", "Europe/Berlin"), numbers),
])  # fmt: skip


def _nested(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(
        inner.map(lambda t: (pa.list_(t[0]), st.none() | st.lists(t[1], max_size=3))),
        inner.map(lambda t: (pa.large_list(t[0]), st.none() | st.lists(t[1], max_size=3))),
        inner.map(
            lambda t: (pa.list_(t[0], 2), st.none() | st.lists(t[1], min_size=2, max_size=2))
        ),
        st.tuples(inner, inner).map(
            lambda pair: (
                pa.struct([("x", pair[0][0]), ("y", pair[1][0])]),
                st.none() | st.fixed_dictionaries({"x": pair[0][1], "y": pair[1][1]}),
            )
        ),
        inner.map(
            lambda t: (
                pa.map_(pa.string(), t[0]),
                st.none() | st.lists(st.tuples(st.text(max_size=2), t[1]), max_size=2),
            )
        ),
    )


columns = st.recursive(leaves, _nested, max_leaves=4)


@given(st.data())
def test_restore_after_plain_gives_back_rows_and_types(data: st.DataObject) -> None:
    """What a client was promised comes back exactly, whatever slice of it was written."""
    wanted, values = data.draw(columns)
    rows = data.draw(st.lists(values, max_size=6))
    schema = pa.schema([pa.field("c", wanted)])
    batch = pa.RecordBatch.from_arrays([_array(rows, wanted)], schema=schema)
    start = data.draw(st.integers(0, len(rows)))
    batch = batch.slice(start)

    plain = restore(batch, plain_schema(schema))
    back = restore(plain, schema)

    back.validate(full=True)
    assert plain.schema == plain_schema(schema)
    assert back.schema == schema
    assert back.to_pylist() == batch.to_pylist() == plain.to_pylist()


def _array(rows: list[Any], wanted: pa.DataType) -> pa.Array:
    plain = pa.array(rows, plain_type(wanted))
    return restore(pa.record_batch([plain], ["c"]), pa.schema([("c", wanted)])).column(0)


def test_restore_of_rows_without_columns_keeps_their_number() -> None:
    """A batch without columns is its row count (`count(*)` goes through every hop)."""
    seven = pa.record_batch({"a": range(7)}).select([])

    assert restore(seven, pa.schema([])).num_rows == 7


def test_restore_of_runs_and_back() -> None:
    """Run-end encoded columns are values in a file."""
    runs = pa.array([1, 1, 2], pa.run_end_encoded(pa.int32(), pa.int64()))
    batch = pa.record_batch([runs], ["a"])
    plain = restore(batch, plain_schema(batch.schema))

    assert plain.schema.field("a").type == pa.int64()
    assert restore(plain, batch.schema).column(0).to_pylist() == [1, 1, 2]


def test_plain_schema_makes_top_level_fields_nullable() -> None:
    """A stage's file promises nothing about nulls at the top level, and keeps it inside."""
    inner = pa.field("x", pa.string_view(), nullable=False)
    schema = pa.schema([pa.field("s", pa.struct([inner]), nullable=False)])

    assert plain_schema(schema).field("s") == pa.field(
        "s", pa.struct([pa.field("x", pa.string(), nullable=False)])
    )


def test_result_schema_is_remembered_by_the_files_schema() -> None:
    """A result's file says which schema the client was promised; another file says nothing."""
    promised = pa.schema([("a", pa.string_view())], metadata={"k": "v"})
    plain = plain_schema(promised)

    assert result_schema(plain) is None
    remembered = result_schema(with_result_schema(plain, promised))
    assert remembered is not None
    assert remembered.equals(promised, check_metadata=True)


def test_restore_to_another_number_of_columns_is_an_internal_error() -> None:
    """Columns go by position, so there must be equally many."""
    with pytest.raises(InternalError, match="got 1, want 0"):
        restore(pa.record_batch({"a": [1]}), pa.schema([]))
