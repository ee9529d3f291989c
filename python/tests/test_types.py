"""What is written to `springald.type.v1` and read again is what it was; the rest is refused."""

import doctest
import importlib
import pkgutil
from collections.abc import Callable, Iterator
from typing import Any

import pyarrow as pa
import pytest
from google.protobuf.descriptor import EnumDescriptor
from google.protobuf.message import Message
from hypothesis import given
from hypothesis import strategies as st

import springald.types
from springald.errors import InvalidArgumentError
from springald.limits import TYPE_DEPTH_MAX
from springald.type.v1 import type_pb2 as pb
from springald.types import (
    data_type_from_proto,
    data_type_to_proto,
    field_from_proto,
    field_to_proto,
    schema_from_proto,
    schema_to_proto,
)
from springald.types.c_schema import INTERVAL_DAY_TIME, INTERVAL_MONTHS

NULL = pb.Value(null_value=pb.NullValue())
PAIR = pa.struct([pa.field("twin", pa.int8(), nullable=False), pa.field("twin", pa.string())])
CHOICE = [pa.field("a", pa.int8(), nullable=False, metadata={"k": "v"}), pa.field("b", pa.utf8())]
KEY = pa.field("k", pa.string(), nullable=False)


class Celsius(pa.ExtensionType):  # type: ignore[misc]
    """An extension type as a user would write one."""

    def __init__(self, digits: int) -> None:
        """Makes the type of temperatures with so many digits."""
        self.digits = digits
        super().__init__(pa.int32(), "springald.test.celsius")

    def __arrow_ext_serialize__(self) -> bytes:
        return str(self.digits).encode()

    @classmethod
    def __arrow_ext_deserialize__(cls, _: pa.DataType, serialized: bytes) -> "Celsius":
        return cls(int(serialized))


@pytest.fixture
def registered() -> Iterator[None]:
    """Has pyarrow know Celsius."""
    pa.register_extension_type(Celsius(0))
    yield
    pa.unregister_extension_type("springald.test.celsius")


# Types: one or more of each of Arrow's, with every parameter.

TYPES = [
    pa.null(),
    pa.bool_(),
    *(pa.int8(), pa.int16(), pa.int32(), pa.int64()),
    *(pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64()),
    *(pa.float16(), pa.float32(), pa.float64()),
    *(pa.decimal32(9, 2), pa.decimal64(18, -3), pa.decimal128(38, 40), pa.decimal256(76, 0)),
    *(pa.string(), pa.large_string(), pa.string_view()),
    *(pa.binary(), pa.large_binary(), pa.binary_view(), pa.binary(0), pa.binary(16)),
    *(pa.date32(), pa.date64()),
    *(pa.time32("s"), pa.time32("ms"), pa.time64("us"), pa.time64("ns")),
    *(pa.timestamp("s"), pa.timestamp("ns", "Europe/Paris"), pa.timestamp("ms", "+05:30")),
    *(pa.duration("us"), pa.duration("s")),
    *(INTERVAL_MONTHS, INTERVAL_DAY_TIME, pa.month_day_nano_interval()),
    pa.list_(pa.field("element", pa.int8(), nullable=False, metadata={"k": "v"})),
    *(pa.large_list(pa.utf8()), pa.list_view(pa.utf8()), pa.large_list_view(pa.utf8())),
    *(pa.list_(pa.int8(), 0), pa.list_(pa.int8(), 3)),
    *(pa.struct([]), PAIR),
    *(pa.map_(pa.string(), pa.int8()), pa.map_(KEY, PAIR, keys_sorted=True)),
    *(pa.sparse_union(CHOICE), pa.dense_union(CHOICE, [127, 0])),
    *(pa.dictionary(pa.uint8(), pa.utf8()), pa.dictionary(pa.int64(), PAIR, ordered=True)),
    *(pa.run_end_encoded(pa.int16(), pa.utf8()), pa.run_end_encoded(pa.int64(), pa.float64())),
    *(pa.uuid(), pa.json_(pa.large_string()), pa.bool8(), pa.opaque(PAIR, "pair", "acme")),
    pa.fixed_shape_tensor(pa.int32(), (2, 3), dim_names=("x", "y"), permutation=(1, 0)),
]

names = st.text(max_size=5)
# Of the extension types here only those whose storage is not drawn.
leaf_types = st.sampled_from([data_type for data_type in TYPES if data_type.id != PAIR.id])
metadata = st.none() | st.dictionaries(names, st.binary(max_size=5), min_size=1, max_size=3)


def _fields(types: st.SearchStrategy[pa.DataType]) -> st.SearchStrategy[pa.Field]:
    return st.builds(_field, names, types, st.booleans(), metadata)


def _field(name: str, data_type: pa.DataType, nullable: bool, metadata: Any) -> pa.Field:  # noqa: ANN401, FBT001
    # pyarrow has no fields of type null that are not nullable.
    return pa.field(name, data_type, nullable or pa.types.is_null(data_type), metadata)


def _nested(types: st.SearchStrategy[pa.DataType]) -> st.SearchStrategy[pa.DataType]:
    fields = _fields(types)
    key_types = types.filter(lambda drawn: not pa.types.is_null(drawn))
    keys = st.builds(pa.field, names, key_types, st.just(value=False), metadata)
    children = st.lists(fields, min_size=1, max_size=3)
    unions = children.flatmap(
        lambda drawn: st.tuples(
            st.just(drawn),
            st.lists(st.integers(0, 127), min_size=len(drawn), max_size=len(drawn), unique=True),
        )
    )
    integers = st.sampled_from([pa.int8(), pa.uint16(), pa.int32(), pa.uint64()])
    return st.one_of(
        fields.map(pa.list_),
        fields.map(pa.large_list),
        fields.map(pa.list_view),
        fields.map(pa.large_list_view),
        st.builds(pa.list_, fields, st.integers(0, 3)),
        st.lists(fields, max_size=3).map(pa.struct),
        st.builds(pa.map_, keys, fields, st.booleans()),
        unions.map(lambda drawn: pa.sparse_union(*drawn)),
        unions.map(lambda drawn: pa.dense_union(*drawn)),
        st.builds(pa.dictionary, integers, types, st.booleans()),
        st.builds(
            pa.run_end_encoded,
            st.sampled_from([pa.int16(), pa.int64()]),
            types.filter(lambda drawn: not pa.types.is_run_end_encoded(drawn)),
        ),
    )


types = st.recursive(leaf_types, _nested, max_leaves=6)
schemas = st.builds(pa.schema, st.lists(_fields(types), max_size=4), metadata)


@given(schemas)
def test_schema_written_and_read_is_equal(schema: pa.Schema) -> None:
    """No name, type, nullability or metadata is lost, at any depth."""
    message = pb.Schema.FromString(schema_to_proto(schema).SerializeToString())
    assert schema_from_proto(message).equals(schema, check_metadata=True)


@pytest.mark.parametrize("data_type", TYPES, ids=str)
def test_type_written_and_read_is_equal(data_type: pa.DataType) -> None:
    """Each of Arrow's types has a message of its own."""
    field = pa.field("x", data_type)
    again = pa.field("x", data_type_from_proto(data_type_to_proto(data_type)))
    assert again.equals(field, check_metadata=True)
    assert field_from_proto(field_to_proto(field)).equals(field, check_metadata=True)
    twins = [other for other in TYPES if data_type_to_proto(other) == data_type_to_proto(data_type)]
    assert twins == [data_type]


def test_types_every_id_of_pyarrow_is_covered() -> None:
    """A type that a new pyarrow brings is noticed here first."""
    ids = {getattr(pa.lib, name) for name in dir(pa.lib) if name.startswith("Type_")}
    assert {data_type.id for data_type in TYPES} == ids | {pa.uuid().id}


def test_types_every_class_of_pyarrow_is_covered() -> None:
    """Each class of types is in the list, or is named here with the reason why it is not."""
    without_instances = {"BaseExtensionType", "ExtensionType", "UnionType"}
    unregistered = {"UnknownExtensionType"}  # what unpickling leaves; not a type of Arrow
    listed = {type(data_type).__name__ for data_type in TYPES}
    classes = {
        kind.__name__ for kind in _subclasses(pa.DataType) if kind.__module__ == "pyarrow.lib"
    }
    assert classes - without_instances - unregistered <= listed


def _subclasses(kind: type) -> Iterator[type]:
    sub: type
    for sub in kind.__subclasses__():
        yield sub
        yield from _subclasses(sub)


def test_types_every_part_of_the_contract_is_used() -> None:
    """No kind, parameter or enum value of the contract is without an Arrow type that needs it."""
    used: set[str] = set()
    for data_type in TYPES:
        _collect(data_type_to_proto(data_type), used)
    used |= {name for unit in ("s", "ms", "us", "ns") for name in _names(pa.duration(unit))}
    for index in (pa.int8, pa.int16, pa.int32, pa.int64, pa.uint8, pa.uint16, pa.uint32, pa.uint64):
        used |= _names(pa.dictionary(index(), pa.utf8()))
    kinds = pb.DataType.DESCRIPTOR.oneofs_by_name["kind"].fields
    assert {field.full_name for field in kinds} <= used
    wanted = {
        value.name
        for enum in pb.DESCRIPTOR.enum_types_by_name.values()
        for value in enum.values
        if value.number
    }
    assert wanted <= used


def _names(data_type: pa.DataType) -> set[str]:
    names: set[str] = set()
    _collect(data_type_to_proto(data_type), names)
    return names


def _collect(message: Message, used: set[str]) -> None:
    """Collects the full names of a message's fields and the names of its enum values."""
    for field, value in message.ListFields():
        used.add(field.full_name)
        if isinstance(field.enum_type, EnumDescriptor):
            used.add(field.enum_type.values_by_number[value].name)
        for part in value if field.is_repeated else [value]:
            if isinstance(part, Message):
                _collect(part, used)


# Nesting.


NESTERS = {
    "list": pa.list_,
    "fixed_size_list": lambda inner: pa.list_(inner, 1),
    "struct": lambda inner: pa.struct([pa.field("s", inner)]),
    "map_value": lambda inner: pa.map_(pa.int8(), inner),
    "map_key": lambda inner: pa.map_(inner, pa.int8()),
    "union": lambda inner: pa.dense_union([pa.field("u", inner)]),
    "dictionary": lambda inner: pa.dictionary(pa.int8(), inner),
    # The next two not straight inside themselves: Arrow cannot.
    "run_end_encoded": lambda inner: (
        pa.list_(inner)
        if pa.types.is_run_end_encoded(inner)
        else pa.run_end_encoded(pa.int32(), inner)
    ),
    "extension": lambda inner: (
        pa.list_(inner) if isinstance(inner, pa.OpaqueType) else pa.opaque(inner, "t", "v")
    ),
}


def _deep(nester: Any, depth: int) -> pa.DataType:  # noqa: ANN401 -- one of NESTERS
    data_type = pa.timestamp("s")
    for _ in range(depth - 1):
        data_type = nester(data_type)
    return data_type


@pytest.mark.parametrize("nester", NESTERS.values(), ids=NESTERS)
def test_type_at_depth_limit_is_read(nester: Any) -> None:  # noqa: ANN401
    """A type of 32 levels decodes, in any kind, with 34 levels left for messages round it."""
    schema = pa.schema([pa.field("x", _deep(nester, TYPE_DEPTH_MAX))])
    message = schema_to_proto(schema)
    assert _levels(message) <= 66
    again = schema_from_proto(pb.Schema.FromString(message.SerializeToString()))
    assert again.equals(schema, check_metadata=True)


def _levels(message: Message) -> int:
    parts = [
        part
        for field, value in message.ListFields()
        for part in (value if field.is_repeated else [value])
        if isinstance(part, Message)
    ]
    return 1 + max(map(_levels, parts), default=0)


@pytest.mark.parametrize("nester", NESTERS.values(), ids=NESTERS)
def test_type_below_depth_limit_is_refused_when_written(nester: Any) -> None:  # noqa: ANN401
    """A type of 33 levels is refused by whoever would write it, with the limit's name."""
    with pytest.raises(InvalidArgumentError, match="TYPE_DEPTH_MAX = 32"):
        data_type_to_proto(_deep(nester, TYPE_DEPTH_MAX + 1))


def _list_of(inner: pb.DataType) -> pb.DataType:
    kind = pb.ListType(layout=pb.LIST_LAYOUT_LIST)
    return pb.DataType(list_type=kind, children=[pb.Field(type=inner)])


def _dictionary_of(inner: pb.DataType) -> pb.DataType:
    kind = pb.DictionaryType(index_type=pb.INTEGER_TYPE_INT8, value_type=inner)
    return pb.DataType(dictionary_type=kind)


def _extension_of_list_of(inner: pb.DataType) -> pb.DataType:
    kind = pb.ExtensionType(name="nobody.knows", storage_type=_list_of(inner))
    return pb.DataType(extension_type=kind)


@pytest.mark.parametrize(
    "data_type",
    [
        pa.run_end_encoded(pa.int16(), pa.run_end_encoded(pa.int16(), pa.int8())),
        pa.opaque(pa.uuid(), "t", "v"),
        pa.union([], mode="dense"),
    ],
    ids=str,
)
def test_type_that_arrow_cannot_hold_is_refused_when_written(data_type: pa.DataType) -> None:
    """What pyarrow can name but not fill or send is refused by its writer."""
    with pytest.raises(InvalidArgumentError, match="type"):
        data_type_to_proto(data_type)


@pytest.mark.parametrize(
    ("wrap", "levels"), [(_list_of, 1), (_dictionary_of, 1), (_extension_of_list_of, 2)]
)
def test_type_below_depth_limit_is_refused_when_read(
    wrap: Callable[[pb.DataType], pb.DataType], levels: int
) -> None:
    """A type of 33 levels is refused by its reader, wherever it comes from."""
    message = pb.DataType(simple_type=pb.SIMPLE_TYPE_INT8)
    for _ in range(TYPE_DEPTH_MAX // levels):
        message = wrap(message)
    with pytest.raises(InvalidArgumentError, match="TYPE_DEPTH_MAX = 32"):
        data_type_from_proto(message)
    with pytest.raises(InvalidArgumentError, match="TYPE_DEPTH_MAX = 32"):
        field_from_proto(pb.Field(name="x", type=message))


# Types that are refused.

INT8 = pb.DataType(simple_type=pb.SIMPLE_TYPE_INT8)
CHILD = pb.Field(name="c", type=INT8)
DECIMAL = {"width": pb.DECIMAL_WIDTH_32, "precision": 9, "scale": 0}


def _union(codes: list[int], mode: int = pb.UNION_MODE_DENSE, children: int = 2) -> pb.DataType:
    kind = pb.UnionType(mode=pb.UnionMode.ValueType(mode), type_codes=codes)
    return pb.DataType(union_type=kind, children=[CHILD] * children)


MALFORMED = {
    "no kind": (pb.DataType(), "has a kind"),
    # Field 99, which a later version may give to a kind.
    "unknown kind": (pb.DataType.FromString(b"\x9a\x06\x00"), "has a kind"),
    "no simple type": (pb.DataType(simple_type=pb.SIMPLE_TYPE_UNSPECIFIED), "simple type"),
    "unknown simple type": (pb.DataType.FromString(b"\x08\x63"), "simple type"),
    "children of a leaf": (
        pb.DataType(simple_type=pb.SIMPLE_TYPE_INT8, children=[CHILD]),
        "children",
    ),
    "wide binary": (
        pb.DataType(fixed_size_binary_type=pb.FixedSizeBinaryType(byte_width=2**31)),
        "width",
    ),
    "no decimal width": (pb.DataType(decimal_type=pb.DecimalType(precision=1)), "width"),
    "decimal without digits": (
        pb.DataType(decimal_type=pb.DecimalType(width=pb.DECIMAL_WIDTH_32)),
        "1 to 9 digits",
    ),
    "decimal of ten digits": (
        pb.DataType(decimal_type=pb.DecimalType(width=pb.DECIMAL_WIDTH_32, precision=10)),
        "1 to 9 digits",
    ),
    "time32 in nanoseconds": (
        pb.DataType(time32_type=pb.TimeType(unit=pb.TIME_UNIT_NANOSECOND)),
        "ms or s",
    ),
    "time64 in seconds": (
        pb.DataType(time64_type=pb.TimeType(unit=pb.TIME_UNIT_SECOND)),
        "ns or us",
    ),
    "time without unit": (pb.DataType(time32_type=pb.TimeType()), "unit"),
    "timestamp without unit": (pb.DataType(timestamp_type=pb.TimestampType()), "unit"),
    "duration without unit": (pb.DataType(duration_type=pb.DurationType()), "unit"),
    "list without layout": (pb.DataType(list_type=pb.ListType(), children=[CHILD]), "layout"),
    "list without element": (
        pb.DataType(list_type=pb.ListType(layout=pb.LIST_LAYOUT_LIST)),
        "children",
    ),
    "long fixed list": (
        pb.DataType(fixed_size_list_type=pb.FixedSizeListType(size=2**32 - 1), children=[CHILD]),
        "size",
    ),
    "map with one child": (pb.DataType(map_type=pb.MapType(), children=[CHILD]), "children"),
    "map with a nullable key": (
        pb.DataType(
            map_type=pb.MapType(), children=[pb.Field(name="k", type=INT8, nullable=True), CHILD]
        ),
        "never null.*type.k",
    ),
    "null that is not nullable": (
        pb.DataType(
            struct_type=pb.StructType(),
            children=[pb.Field(name="n", type=pb.DataType(simple_type=pb.SIMPLE_TYPE_NULL))],
        ),
        "nullable.*type.n",
    ),
    "union without mode": (_union([0, 1], pb.UNION_MODE_UNSPECIFIED), "mode"),
    "union without children": (_union([], children=0), "type code"),
    "union with one code for two": (_union([1, 1]), "type code"),
    "union with few codes": (_union([1]), "type code"),
    "union with a code too large": (_union([1, 128]), "type code"),
    "dictionary without index": (
        pb.DataType(dictionary_type=pb.DictionaryType(value_type=INT8)),
        "index",
    ),
    "dictionary without values": (
        pb.DataType(dictionary_type=pb.DictionaryType(index_type=pb.INTEGER_TYPE_INT8)),
        "kind.*type.dictionary",
    ),
    "run ends of 8 bits": (
        pb.DataType(
            run_end_encoded_type=pb.RunEndEncodedType(
                run_end_type=pb.INTEGER_TYPE_INT8, value_type=INT8
            )
        ),
        "run end",
    ),
    "runs of runs": (
        pb.DataType(
            run_end_encoded_type=pb.RunEndEncodedType(
                run_end_type=pb.INTEGER_TYPE_INT16,
                value_type=pb.DataType(run_end_encoded_type=pb.RunEndEncodedType()),
            )
        ),
        "not stored as another",
    ),
    "extension without name": (
        pb.DataType(extension_type=pb.ExtensionType(storage_type=INT8)),
        "name",
    ),
    "extension that refuses its storage": (
        pb.DataType(extension_type=pb.ExtensionType(name="arrow.uuid", storage_type=INT8)),
        "arrow.uuid",
    ),
    "extension of an extension": (
        pb.DataType(
            extension_type=pb.ExtensionType(
                name="a",
                storage_type=pb.DataType(
                    extension_type=pb.ExtensionType(name="b", storage_type=INT8)
                ),
            )
        ),
        "not stored as another",
    ),
    "unregistered extension": (
        pb.DataType(extension_type=pb.ExtensionType(name="nobody.knows", storage_type=INT8)),
        "registered",
    ),
}


@pytest.mark.parametrize(("message", "rule"), MALFORMED.values(), ids=MALFORMED)
def test_type_malformed_is_refused(message: pb.DataType, rule: str) -> None:
    """A message that is no type is refused with the rule that it breaks and its place."""
    with pytest.raises(InvalidArgumentError, match=rule):
        data_type_from_proto(message)


def test_type_refused_tells_the_place() -> None:
    """An error names the fields round the broken one, and only some of a long path."""
    broken = pb.Field(name="inner", type=pb.DataType())
    struct = pb.DataType(struct_type=pb.StructType(), children=[broken])
    with pytest.raises(InvalidArgumentError, match=r"at outer\.inner;"):
        field_from_proto(pb.Field(name="outer", type=struct))
    with pytest.raises(InvalidArgumentError, match=r"at x{40}\.\.\.;"):
        field_from_proto(pb.Field(name="x" * 1_000))


# Extension types and metadata.


@pytest.mark.usefixtures("registered")
def test_extension_registered_is_read_as_itself() -> None:
    """A type that a program registered comes back with its parameters."""
    field = pa.field("t", pa.list_(Celsius(3)), metadata={"k": "v"})
    again = field_from_proto(field_to_proto(field))
    assert again.equals(field, check_metadata=True)
    assert again.type.value_type.digits == 3


def test_extension_unregistered_in_a_field_is_kept_in_its_metadata() -> None:
    """A reader that does not know an extension keeps it as Arrow does in a file."""
    message = field_to_proto(pa.field("t", Celsius(3), metadata={"k": "v"}))
    again = field_from_proto(message)
    assert again.type == pa.int32()
    assert again.metadata == {
        b"k": b"v",
        b"ARROW:extension:name": b"springald.test.celsius",
        b"ARROW:extension:metadata": b"3",
    }


@pytest.mark.usefixtures("registered")
def test_extension_whose_reader_fails_is_refused() -> None:
    """Whatever a registered type raises, the caller gets a typed error."""
    message = data_type_to_proto(Celsius(3))
    message.extension_type.serialized = b"three"
    with pytest.raises(InvalidArgumentError, match="takes its parameters"):
        data_type_from_proto(message)


def test_metadata_in_another_order_makes_equal_messages() -> None:
    """The order of metadata means nothing, so writers have one."""
    one = pa.field("x", pa.int8(), metadata={"a": "1", "b": "2"})
    other = pa.field("x", pa.int8(), metadata={"b": "2", "a": "1"})
    assert field_to_proto(one) == field_to_proto(other)


def test_metadata_with_a_key_twice_is_refused() -> None:
    """Keys are unique."""
    entries = [pb.KeyValue(key="k", value=b"1"), pb.KeyValue(key="k", value=b"2")]
    with pytest.raises(InvalidArgumentError, match="there once"):
        field_from_proto(pb.Field(name="x", type=INT8, metadata=entries))
    with pytest.raises(InvalidArgumentError, match="there once"):
        schema_from_proto(pb.Schema(metadata=entries))


def test_metadata_with_a_key_that_is_not_text_is_refused() -> None:
    """Keys are UTF-8; values are any bytes."""
    assert field_to_proto(pa.field("x", pa.int8(), metadata={b"k": b"\xff"})).metadata
    with pytest.raises(InvalidArgumentError, match="UTF-8"):
        field_to_proto(pa.field("x", pa.int8(), metadata={b"\xff": b"v"}))


@pytest.mark.parametrize(
    "module", [module.name for module in pkgutil.iter_modules(springald.types.__path__)]
)
def test_examples_in_docstrings_hold(module: str) -> None:
    """Documentation is executed."""
    found = importlib.import_module(f"springald.types.{module}")
    public = {name: getattr(springald.types, name) for name in springald.types.__all__}
    assert doctest.testmod(found, extraglobs=public).failed == 0
