"""A typed value that is written to `springald.type.v1` and read again is what it was."""

import math
import struct
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from springald.errors import InvalidArgumentError, UnsupportedError
from springald.limits import SCALAR_BYTES_MAX, TYPE_DEPTH_MAX
from springald.type.v1 import type_pb2 as pb
from springald.types import data_type_to_proto, scalar_from_proto, scalar_to_proto
from springald.types.c_schema import INTERVAL_DAY_TIME, INTERVAL_MONTHS
from springald.types.vocabulary import LEAVES

NULL = pb.Value(null_value=pb.NullValue())
PAIR = pa.struct([pa.field("twin", pa.int8(), nullable=False), pa.field("twin", pa.string())])
CHOICE = [pa.field("a", pa.int8(), nullable=False, metadata={"k": "v"}), pa.field("b", pa.utf8())]


def _union_scalar(data_type: pa.DataType, code: int, child: Any) -> pa.Scalar:  # noqa: ANN401
    """Makes a union's scalar by Arrow's layout: one row, of the child with the code."""
    dense = data_type.id == pa.lib.Type_DENSE_UNION
    columns = [
        pa.array([child] if other == code else [None] * (not dense), field.type)
        for field, other in zip(data_type, data_type.type_codes, strict=True)
    ]
    buffers = [None, pa.py_buffer(struct.pack("b", code))]
    buffers += [pa.py_buffer(struct.pack("i", 0))] * dense
    return pa.Array.from_buffers(data_type, 1, buffers, children=columns)[0]


class Kelvin(pa.ExtensionType):  # type: ignore[misc]
    """An extension type as a user would write one; pyarrow has a scalar class for it."""

    def __init__(self) -> None:
        """Makes the type of temperatures."""
        super().__init__(pa.int32(), "springald.test.kelvin")

    def __arrow_ext_serialize__(self) -> bytes:
        return b""

    @classmethod
    def __arrow_ext_deserialize__(cls, *_: object) -> "Kelvin":
        return cls()


@pytest.fixture(scope="module", autouse=True)
def _registered() -> Iterator[None]:
    pa.register_extension_type(Kelvin())
    yield
    pa.unregister_extension_type("springald.test.kelvin")


def _one(values: pa.Array) -> pa.Scalar:
    return values[0]


def _encoded(values: list[Any], data_type: pa.DataType) -> pa.Array:
    return pa.RunEndEncodedArray.from_arrays(pa.array([1], pa.int16()), pa.array(values, data_type))


# Made by pyarrow's own constructors, so that reader and writer cannot agree on a mistake.
EXAMPLES = [
    (pa.scalar(None, pa.null()), NULL),
    (pa.scalar(value=True), pb.Value(bool_value=True)),
    (pa.scalar(-128, pa.int8()), pb.Value(int_value=-128)),
    (pa.scalar(-(2**15), pa.int16()), pb.Value(int_value=-(2**15))),
    (pa.scalar(2**31 - 1, pa.int32()), pb.Value(int_value=2**31 - 1)),
    (pa.scalar(-(2**63), pa.int64()), pb.Value(int_value=-(2**63))),
    (pa.scalar(255, pa.uint8()), pb.Value(uint_value=255)),
    (pa.scalar(2**16 - 1, pa.uint16()), pb.Value(uint_value=2**16 - 1)),
    (pa.scalar(2**32 - 1, pa.uint32()), pb.Value(uint_value=2**32 - 1)),
    (pa.scalar(2**64 - 1, pa.uint64()), pb.Value(uint_value=2**64 - 1)),
    (pa.scalar(-1.5, pa.float16()), pb.Value(half_bits=0xBE00)),
    (pa.scalar(0.1, pa.float32()), pb.Value(float_value=0.1)),
    (pa.scalar(-0.0), pb.Value(double_value=-0.0)),
    (pa.scalar(Decimal("-1.28"), pa.decimal32(3, 2)), pb.Value(decimal_value=b"\x80")),
    (pa.scalar(Decimal("1.28"), pa.decimal64(3, 2)), pb.Value(decimal_value=b"\x00\x80")),
    (pa.scalar(Decimal(0), pa.decimal128(1, 0)), pb.Value(decimal_value=b"\x00")),
    (pa.scalar(Decimal("-2.56E+7"), pa.decimal256(76, -5)), pb.Value(decimal_value=b"\xff\x00")),
    (pa.scalar("é", pa.string()), pb.Value(string_value="é")),
    (pa.scalar("", pa.large_string()), pb.Value(string_value="")),
    (pa.scalar("longer than twelve bytes", pa.string_view()), None),
    (pa.scalar(b"\x00\xff", pa.binary()), pb.Value(binary_value=b"\x00\xff")),
    (pa.scalar(b"x", pa.large_binary()), pb.Value(binary_value=b"x")),
    (pa.scalar(b"x", pa.binary_view()), pb.Value(binary_value=b"x")),
    (pa.scalar(b"xyz", pa.binary(3)), pb.Value(binary_value=b"xyz")),
    (pa.scalar(b"", pa.binary(0)), pb.Value(binary_value=b"")),
    (pa.scalar(-1, pa.int32()).cast(pa.date32()), pb.Value(int_value=-1)),
    (pa.scalar(86_400_000, pa.int64()).cast(pa.date64()), pb.Value(int_value=86_400_000)),
    (pa.scalar(86_399, pa.int32()).cast(pa.time32("s")), pb.Value(int_value=86_399)),
    (pa.scalar(1, pa.int64()).cast(pa.time64("ns")), pb.Value(int_value=1)),
    (pa.scalar(-(2**63), pa.timestamp("ns", "Nowhere/AtAll")), pb.Value(int_value=-(2**63))),
    (pa.scalar(2**63 - 1, pa.duration("s")), pb.Value(int_value=2**63 - 1)),
    (
        pa.scalar(pa.MonthDayNano([-1, 2, -3]), pa.month_day_nano_interval()),
        pb.Value(month_day_nano_value=pb.MonthDayNanoValue(months=-1, days=2, nanoseconds=-3)),
    ),
    (
        pa.scalar([1, None], pa.list_(pa.int8())),
        pb.Value(list_value=pb.ListValue(elements=[pb.Value(int_value=1), NULL])),
    ),
    (pa.scalar([], pa.large_list(pa.int8())), pb.Value(list_value=pb.ListValue())),
    (_one(pa.array([["x", None]], pa.list_view(pa.utf8()))), None),
    (_one(pa.array([[[1], None]], pa.large_list_view(pa.list_(pa.int8(), 1)))), None),
    (
        _one(
            pa.Array.from_buffers(
                pa.list_(pa.int8(), 0), 1, [None], children=[pa.nulls(0, pa.int8())]
            )
        ),
        pb.Value(list_value=pb.ListValue()),
    ),
    (pa.scalar({}, pa.struct([])), pb.Value(struct_value=pb.StructValue())),
    (
        _one(
            pa.StructArray.from_arrays(
                [pa.array([1], pa.int8()), pa.array([None], pa.string())], fields=list(PAIR)
            )
        ),
        pb.Value(struct_value=pb.StructValue(fields=[pb.Value(int_value=1), NULL])),
    ),
    (
        pa.scalar([("k", 1), ("k", None)], pa.map_(pa.string(), pa.int8())),
        pb.Value(
            map_value=pb.MapValue(
                keys=[pb.Value(string_value="k")] * 2, values=[pb.Value(int_value=1), NULL]
            )
        ),
    ),
    (
        _union_scalar(pa.sparse_union(CHOICE), 1, "x"),
        pb.Value(union_value=pb.UnionValue(type_code=1, value=pb.Value(string_value="x"))),
    ),
    (
        _union_scalar(pa.dense_union(CHOICE, [127, 5]), 127, 7),
        pb.Value(union_value=pb.UnionValue(type_code=127, value=pb.Value(int_value=7))),
    ),
    (_union_scalar(pa.dense_union(CHOICE, [127, 5]), 5, None), NULL),
    (_union_scalar(pa.sparse_union(CHOICE), 1, None), NULL),
    (
        _one(pa.array(["x", "y"], pa.dictionary(pa.int8(), pa.utf8()))[1:]),
        pb.Value(string_value="y"),
    ),
    # Null by its index, and by its entry.
    (_one(pa.array([None], pa.dictionary(pa.int8(), pa.utf8()))), NULL),
    (_one(pa.DictionaryArray.from_arrays(pa.array([0]), pa.array([None], pa.utf8()))), NULL),
    (_one(_encoded(["x"], pa.utf8())), pb.Value(string_value="x")),
    (_one(_encoded([None], pa.utf8())), NULL),
    (
        _one(pa.ExtensionArray.from_storage(pa.uuid(), pa.array([bytes(16)], pa.binary(16)))),
        pb.Value(binary_value=bytes(16)),
    ),
    (
        _one(pa.ExtensionArray.from_storage(Kelvin(), pa.array([7], pa.int32()))),
        pb.Value(int_value=7),
    ),
    (_one(pa.ExtensionArray.from_storage(pa.bool8(), pa.array([1], pa.int8()))), None),
    (_one(pa.ExtensionArray.from_storage(pa.json_(), pa.array(["{}"]))), None),
    (
        _one(
            pa.ExtensionArray.from_storage(
                pa.opaque(pa.utf8(), "t", "v"), pa.array([None], pa.utf8())
            )
        ),
        NULL,
    ),
    (
        _one(
            pa.ExtensionArray.from_storage(
                pa.fixed_shape_tensor(pa.int8(), (2,)), pa.array([[1, 2]], pa.list_(pa.int8(), 2))
            )
        ),
        None,
    ),
]


@pytest.mark.parametrize(("scalar", "value"), EXAMPLES, ids=lambda part: getattr(part, "type", ""))
def test_scalar_written_and_read_is_equal(scalar: pa.Scalar, value: pb.Value | None) -> None:
    """A value of each type is in the member that the contract names, and comes back."""
    message = scalar_to_proto(scalar)
    if value is not None:
        assert message.value == value
    again = scalar_from_proto(pb.Scalar.FromString(message.SerializeToString()))
    assert pa.field("x", again.type).equals(pa.field("x", scalar.type), check_metadata=True)
    assert again.as_py() == scalar.as_py() if scalar.type.id in DECODED else again.equals(scalar)
    assert scalar_to_proto(again) == message


# Equal values of these types may differ for pyarrow: in their dictionaries, or in which child of a
# union is the null one.
DECODED = {pa.lib.Type_DICTIONARY, pa.lib.Type_DENSE_UNION, pa.lib.Type_SPARSE_UNION}


@pytest.mark.parametrize("data_type", [scalar.type for scalar, _ in EXAMPLES], ids=str)
def test_scalar_null_of_any_type_is_null(data_type: pa.DataType) -> None:
    """A null keeps its type."""
    message = pb.Scalar(type=data_type_to_proto(data_type), value=NULL)
    null = scalar_from_proto(message)
    assert null.type == data_type
    assert scalar_to_proto(null) == message


def test_scalars_every_id_of_pyarrow_is_covered() -> None:
    """Each type of pyarrow has an example, or is named here with the reason why it has none."""
    without_scalars = {pa.lib.Type_INTERVAL_MONTHS, pa.lib.Type_INTERVAL_DAY_TIME}
    ids = {getattr(pa.lib, name) for name in dir(pa.lib) if name.startswith("Type_")}
    assert {scalar.type.id for scalar, _ in EXAMPLES} - {pa.uuid().id} == ids - without_scalars


def test_scalars_every_class_of_pyarrow_is_covered() -> None:
    """Each class of pyarrow's scalars has an example."""
    classes = {kind for kind in vars(pa.lib).values() if _is_scalar_class(kind)}
    assert {type(scalar) for scalar, _ in EXAMPLES} >= classes - {pa.Scalar}


def _is_scalar_class(kind: object) -> bool:
    return isinstance(kind, type) and issubclass(kind, pa.Scalar)


@pytest.mark.parametrize("data_type", [pa.float16(), pa.float32(), pa.float64()], ids=str)
@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf, -0.0])
def test_scalar_of_special_number_is_kept(data_type: pa.DataType, number: float) -> None:
    """A NaN stays a NaN, and a zero keeps its sign."""
    again = scalar_from_proto(scalar_to_proto(pa.scalar(number, data_type))).as_py()
    assert repr(again) == repr(number)


@pytest.mark.parametrize("data_type", [INTERVAL_MONTHS, INTERVAL_DAY_TIME], ids=str)
@pytest.mark.parametrize("wrap", [lambda inner: inner, pa.list_])
def test_scalar_of_older_interval_is_unsupported(data_type: pa.DataType, wrap: Any) -> None:  # noqa: ANN401
    """A value that pyarrow cannot show is refused, not guessed."""
    message = pb.Scalar(type=data_type_to_proto(wrap(data_type)), value=NULL)
    if pa.types.is_list(wrap(data_type)):
        message.value.list_value.SetInParent()
    with pytest.raises(UnsupportedError, match="month_day_nano_interval"):
        scalar_from_proto(message)


# Drawn values, nested: as messages, for which equality is exact.

LEAF_VALUES: list[tuple[pa.DataType, st.SearchStrategy[pb.Value]]] = [
    (pa.bool_(), st.booleans().map(lambda drawn: pb.Value(bool_value=drawn))),
    (pa.int8(), st.integers(-128, 127).map(lambda drawn: pb.Value(int_value=drawn))),
    (pa.uint64(), st.integers(0, 2**64 - 1).map(lambda drawn: pb.Value(uint_value=drawn))),
    (pa.float16(), st.integers(0, 2**16 - 1).map(lambda drawn: pb.Value(half_bits=drawn))),
    (pa.float64(), st.floats(allow_nan=False).map(lambda drawn: pb.Value(double_value=drawn))),
    (pa.utf8(), st.text(max_size=20).map(lambda drawn: pb.Value(string_value=drawn))),
    (pa.string_view(), st.text(max_size=20).map(lambda drawn: pb.Value(string_value=drawn))),
    (pa.binary(2), st.binary(min_size=2, max_size=2).map(lambda b: pb.Value(binary_value=b))),
    (pa.date32(), st.integers(-(2**31), 2**31 - 1).map(lambda n: pb.Value(int_value=n))),
    (pa.uuid(), st.binary(min_size=16, max_size=16).map(lambda b: pb.Value(binary_value=b))),
    (pa.null(), st.just(NULL)),
]

Typed = tuple[pa.DataType, st.SearchStrategy[pb.Value]]


def _lists(inner: Typed) -> st.SearchStrategy[Typed]:
    values = st.lists(inner[1], max_size=3).map(
        lambda drawn: pb.Value(list_value=pb.ListValue(elements=drawn))
    )
    pairs = st.lists(inner[1], min_size=2, max_size=2).map(
        lambda drawn: pb.Value(list_value=pb.ListValue(elements=drawn))
    )
    layouts = [pa.list_, pa.large_list, pa.list_view, pa.large_list_view]
    return st.sampled_from(
        [*((layout(inner[0]), values) for layout in layouts), (pa.list_(inner[0], 2), pairs)]
    )


def _structs(inner: list[Typed]) -> Typed:
    fields = [pa.field("f", data_type) for data_type, _ in inner]
    values = st.tuples(*(values for _, values in inner)).map(
        lambda drawn: pb.Value(struct_value=pb.StructValue(fields=drawn))
    )
    return pa.struct(fields), values


def _maps(inner: Typed) -> Typed:
    keys = st.text(max_size=3).map(lambda drawn: pb.Value(string_value=drawn))
    values = st.lists(st.tuples(keys, inner[1]), max_size=3).map(
        lambda drawn: pb.Value(
            map_value=pb.MapValue(keys=[k for k, _ in drawn], values=[v for _, v in drawn])
        )
    )
    return pa.map_(pa.string(), inner[0]), values


def _unions(inner: list[Typed]) -> st.SearchStrategy[Typed]:
    fields = [pa.field("f", data_type) for data_type, _ in inner]
    codes = [3 * index for index in range(len(fields))]
    values = st.one_of(
        [
            st.builds(_union_value, st.just(code), inner_values)
            for code, (_, inner_values) in zip(codes, inner, strict=True)
        ]
    )
    unions = [pa.dense_union(fields, codes), pa.sparse_union(fields, codes)]
    return st.sampled_from([(union, values) for union in unions])


def _union_value(code: int, value: pb.Value) -> pb.Value:
    if value == NULL:
        return NULL
    return pb.Value(union_value=pb.UnionValue(type_code=code, value=value))


def _encodings(inner: Typed) -> st.SearchStrategy[Typed]:
    data_type, values = inner
    kinds = [pa.dictionary(pa.int16(), data_type)]
    if not isinstance(data_type, pa.BaseExtensionType):
        kinds.append(pa.opaque(data_type, "t", "v"))
    if "extension" not in str(data_type) and not pa.types.is_run_end_encoded(data_type):
        kinds.append(pa.run_end_encoded(pa.int16(), data_type))
    return st.sampled_from([(kind, values) for kind in kinds])


def _nested(typed: st.SearchStrategy[Typed]) -> st.SearchStrategy[Typed]:
    typed = typed.map(lambda drawn: (drawn[0], st.just(NULL) | drawn[1]))
    several = st.lists(typed, min_size=1, max_size=3)
    return st.one_of(
        typed.flatmap(_lists),
        st.lists(typed, max_size=3).map(_structs),
        typed.map(_maps),
        several.flatmap(_unions),
        typed.flatmap(_encodings),
    )


scalars = st.recursive(st.sampled_from(LEAF_VALUES), _nested, max_leaves=5).flatmap(
    lambda typed: st.builds(
        pb.Scalar, type=st.just(data_type_to_proto(typed[0])), value=st.just(NULL) | typed[1]
    )
)


@given(scalars)
def test_scalar_read_and_written_is_the_same_message(message: pb.Scalar) -> None:
    """Values nest in every way in which types do, and nothing of them is lost."""
    assert scalar_to_proto(scalar_from_proto(message)) == message


numbers = st.integers(-(2**63), 2**63 - 1) | st.none()


@given(st.lists(st.dictionaries(st.text(max_size=3), numbers, max_size=3) | st.none(), max_size=3))
def test_scalar_of_python_values_is_equal_for_pyarrow(
    rows: list[dict[str, int | None] | None],
) -> None:
    """What pyarrow makes of Python values is equal, for pyarrow, after the round trip."""
    pairs = [None if row is None else list(row.items()) for row in rows]
    scalar = pa.scalar(pairs, pa.list_(pa.map_(pa.string(), pa.int64())))
    assert scalar_from_proto(scalar_to_proto(scalar)).equals(scalar)


@pytest.mark.parametrize(
    "runs", [pa.uuid(), pa.list_(pa.uuid()), pa.dictionary(pa.int8(), pa.uuid())]
)
def test_scalar_of_runs_of_extensions_is_unsupported(runs: pa.DataType) -> None:
    """What would end pyarrow's process is refused before it is made."""
    data_type = pa.list_(pa.run_end_encoded(pa.int16(), runs))
    message = pb.Scalar(type=data_type_to_proto(data_type), value=NULL)
    with pytest.raises(UnsupportedError, match="storage type"):
        scalar_from_proto(message)


def test_scalar_at_depth_limit_is_read() -> None:
    """A value decodes at the depth at which its type does."""
    data_type, value = pa.int8(), pb.Value(int_value=1)
    for _ in range(TYPE_DEPTH_MAX - 1):
        data_type = pa.list_(data_type)
        value = pb.Value(list_value=pb.ListValue(elements=[value]))
    message = pb.Scalar(type=data_type_to_proto(data_type), value=value)
    again = pb.Scalar.FromString(message.SerializeToString())
    assert scalar_to_proto(scalar_from_proto(again)) == message


def test_scalar_with_many_entries_for_its_dictionary_names_equal_ones_once() -> None:
    """A dictionary's index need only number the different values."""
    data_type = pa.list_(pa.dictionary(pa.int8(), pa.utf8()))
    scalar = pa.scalar(["x", "y", None] * 100, data_type)
    again = scalar_from_proto(scalar_to_proto(scalar))
    assert again.as_py() == scalar.as_py()
    assert len(again.values.dictionary) == 2


def _list(*elements: pb.Value) -> pb.Value:
    return pb.Value(list_value=pb.ListValue(elements=elements))


@pytest.mark.parametrize("make", [pa.dense_union, pa.sparse_union])
def test_scalar_of_many_union_rows_keeps_each(make: Any) -> None:  # noqa: ANN401
    """Each row of a union finds its own value, also where several have one alternative."""
    one, x, two = pb.Value(int_value=1), pb.Value(string_value="x"), pb.Value(int_value=2)
    message = pb.Scalar(
        type=data_type_to_proto(pa.list_(make(CHOICE))),
        value=_list(
            NULL, *(_union_value(code, value) for code, value in ((0, one), (1, x), (0, two)))
        ),
    )
    scalar = scalar_from_proto(message)
    assert scalar.as_py() == [None, 1, "x", 2]
    assert scalar_to_proto(scalar) == message


# Scalars that are refused.


ONE = pb.Value(int_value=1)
INT8_MAP = pa.map_(pa.int8(), pa.int8())
UNION = pa.dense_union(CHOICE)

MALFORMED = {
    "no value": (pa.int8(), pb.Value(), "int_value"),
    "another member": (pa.int8(), pb.Value(uint_value=1), "int_value"),
    "a value of null": (pa.null(), ONE, "null_value"),
    "int8 too large": (pa.int8(), pb.Value(int_value=128), "int8"),
    "date too large": (pa.date32(), pb.Value(int_value=2**31), "date32"),
    "half too large": (pa.float16(), pb.Value(half_bits=2**16), "halffloat"),
    "a time after midnight": (pa.time32("s"), pb.Value(int_value=86_400), "time32"),
    "decimal without bytes": (pa.decimal32(3, 0), pb.Value(decimal_value=b""), "decimal32"),
    "decimal of four digits": (
        pa.decimal32(3, 0),
        pb.Value(decimal_value=b"\x03\xe8"),
        "precision",
    ),
    "decimal of 5 bytes": (pa.decimal32(3, 0), pb.Value(decimal_value=b"\x01" * 5), "decimal32"),
    "binary too short": (pa.binary(2), pb.Value(binary_value=b"x"), "fixed_size_binary"),
    "an element of another type": (pa.list_(pa.int8()), _list(NULL, pb.Value()), "type.item"),
    "too few elements": (pa.list_(pa.int8(), 2), _list(ONE), "2 elements"),
    "too few fields": (PAIR, pb.Value(struct_value=pb.StructValue(fields=[ONE])), "2 fields"),
    "a key without value": (INT8_MAP, pb.Value(map_value=pb.MapValue(keys=[ONE])), "each key"),
    "a null key": (
        INT8_MAP,
        pb.Value(map_value=pb.MapValue(keys=[NULL], values=[ONE])),
        "never null",
    ),
    "unknown code": (
        UNION,
        pb.Value(union_value=pb.UnionValue(type_code=2, value=ONE)),
        "type code",
    ),
    "a code's null": (
        UNION,
        pb.Value(union_value=pb.UnionValue(type_code=1, value=NULL)),
        "not null",
    ),
    "a code's missing value": (UNION, pb.Value(union_value=pb.UnionValue()), "int_value"),
    "too many for the index": (
        pa.list_(pa.dictionary(pa.int8(), pa.int64())),
        _list(*(pb.Value(int_value=number) for number in range(129))),
        "wider index",
    ),
    "too many for the run ends": (
        pa.list_(pa.run_end_encoded(pa.int16(), pa.int64())),
        _list(*[ONE] * 2**15),
        "wider run end",
    ),
}


@pytest.mark.parametrize(("data_type", "value", "rule"), MALFORMED.values(), ids=MALFORMED)
def test_scalar_malformed_is_refused(data_type: pa.DataType, value: pb.Value, rule: str) -> None:
    """A value that is not of its type is refused with the rule that it breaks."""
    message = pb.Scalar(type=data_type_to_proto(data_type), value=value)
    with pytest.raises(InvalidArgumentError, match=rule):
        scalar_from_proto(message)


@pytest.mark.parametrize("kind", ["binary", "list", "lists"])
def test_scalar_that_would_fill_memory_is_refused(kind: str) -> None:
    """A null of a few bytes cannot ask for more memory than the limit."""
    wide: pa.DataType = {
        "binary": pa.binary(SCALAR_BYTES_MAX + 1),
        "list": pa.list_(pa.int8(), 2**31 - 1),
        "lists": pa.list_(pa.list_(pa.list_(pa.int8(), 1_000), 1_000), 1_000),
    }[kind]
    message = pb.Scalar(type=data_type_to_proto(wide), value=NULL)
    with pytest.raises(InvalidArgumentError, match="SCALAR_BYTES_MAX"):
        scalar_from_proto(message)


def test_scalar_of_text_that_is_not_utf8_is_refused() -> None:
    """Text that pyarrow took unchecked does not travel."""
    offsets = pa.py_buffer(struct.pack("ii", 0, 1))
    text = pa.Array.from_buffers(pa.string(), 1, [None, offsets, pa.py_buffer(b"\xff")])
    with pytest.raises(InvalidArgumentError, match="UTF-8"):
        scalar_to_proto(text[0])


def test_leaves_name_members_of_value() -> None:
    """The table of leaves and the contract agree, and no member is left unused."""
    members = {field.name for field in pb.Value.DESCRIPTOR.fields}
    parts = {"list_value", "struct_value", "map_value", "union_value", "null_value"}
    unsupported = {"day_time_value"}
    assert {member for member, _ in LEAVES.values()} == members - parts - unsupported
