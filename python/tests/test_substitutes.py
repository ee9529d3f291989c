"""A client that cannot read a type gets its rows in another one (P5.7)."""

from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest

from springald.results import plain_schema, restore
from springald.substitutes import UNSUPPORTED_TYPES, readable_schema, readable_type

NUMBER = Decimal("-123.45")
ENCODED = pa.run_end_encoded(pa.int32(), pa.decimal64(12, 2))
CASES: list[tuple[str, pa.DataType, pa.DataType, Any]] = [
    ("decimal32", pa.decimal32(5, 2), pa.decimal128(5, 2), NUMBER),
    ("decimal64", pa.decimal64(12, 2), pa.decimal128(12, 2), NUMBER),
    ("float16", pa.float16(), pa.float32(), 1.5),
    ("utf8_view", pa.string_view(), pa.string(), "a longer text than twelve"),
    ("binary_view", pa.binary_view(), pa.binary(), b"a longer text than twelve"),
    ("dictionary", pa.dictionary(pa.int8(), pa.string()), pa.string(), "a"),
    ("run_end_encoded", ENCODED, pa.decimal64(12, 2), NUMBER),
    ("decimal64", ENCODED, pa.run_end_encoded(pa.int32(), pa.decimal128(12, 2)), NUMBER),
    (
        "decimal32",
        pa.struct([("x", pa.list_(pa.decimal32(5, 2)))]),
        pa.struct([("x", pa.list_(pa.decimal128(5, 2)))]),
        {"x": [NUMBER, None]},
    ),
    (
        "decimal32",
        pa.map_(pa.string(), pa.decimal32(5, 2)),
        pa.map_(pa.string(), pa.decimal128(5, 2)),
        [("a", NUMBER)],
    ),
    (
        "utf8_view",
        pa.dictionary(pa.int8(), pa.string_view()),
        pa.dictionary(pa.int8(), pa.string()),
        "a",
    ),
]


@pytest.mark.parametrize(("name", "kind", "substitute", "value"), CASES)
def test_restore_to_a_readable_schema_keeps_the_values(
    name: str, kind: pa.DataType, substitute: pa.DataType, value: object
) -> None:
    """Rows as they lie in files become those of the substitute, at any depth."""
    promised = readable_schema(pa.schema({"c": kind}), {name})
    assert promised.field("c").type == substitute
    (plain,) = plain_schema(pa.schema({"c": kind}))
    rows = pa.array([value, None], type=plain.type)
    batch = restore(pa.record_batch([rows], schema=pa.schema([plain])), promised)
    assert batch.schema == promised
    assert batch.column("c").to_pylist() == [value, None]


def test_every_type_has_a_case() -> None:
    """No substitute is without a test of its values."""
    assert {name for name, *_ in CASES} == set(UNSUPPORTED_TYPES)


def test_readable_type_keeps_what_the_client_reads() -> None:
    """Only what a client named is replaced, and what is left as it was."""
    kinds = [kind for _, kind, _, _ in CASES]
    assert [readable_type(kind, ()) for kind in kinds] == kinds
    named = readable_type(
        pa.struct([pa.field("x", pa.decimal32(5, 2), nullable=False)]), {"float16"}
    )
    assert not named.field("x").nullable
