"""Messages to scalars.

pyarrow makes scalars of few types by itself, but arrays of nearly all. So a scalar is read as an
array of one row, each nested type taking the values of all its rows at once.
"""

from collections.abc import Callable, Iterable, Sequence
from itertools import accumulate
from typing import Any, Final

import pyarrow as pa

from springald.errors import UnsupportedError
from springald.limits import SCALAR_BYTES_MAX
from springald.type.v1 import type_pb2 as pb
from springald.types.rules import ROOT, Place, at, refusal
from springald.types.type_reader import data_type_from_proto
from springald.types.vocabulary import (
    DECIMAL_TO_PROTO,
    EXTENSION_ID,
    LEAVES,
    LIST_TO_PROTO,
    UNION_TO_PROTO,
)

_NULL: Final = pb.Value(null_value=pb.NullValue())
_SLOT_BYTES_MIN: Final = 8


def scalar_from_proto(message: pb.Scalar) -> pa.Scalar:
    """Reads a typed value.

    A value of a dictionary type comes with a dictionary of that value alone.

    Raises:
        InvalidArgumentError: The message breaks a rule of the contract, or would make an array of
            more than `limits.SCALAR_BYTES_MAX`.
        UnsupportedError: A part of the type is an interval type that pyarrow cannot show.

    >>> scalar_from_proto(scalar_to_proto(pa.scalar(7, pa.int8())))
    <pyarrow.Int8Scalar: 7>
    """
    data_type = data_type_from_proto(message.type)
    return _ArrayMaker().array(data_type, [message.value], ROOT)[0]


class _ArrayMaker:
    """Makes the arrays of one scalar within a budget: few bytes can ask for gigabytes of nulls."""

    def __init__(self) -> None:
        self._bytes_left = SCALAR_BYTES_MAX

    def array(self, data_type: pa.DataType, values: Sequence[pb.Value], place: Place) -> pa.Array:
        """Makes an array with one row for each value."""
        make = _MAKERS.get(data_type.id)
        if make is None:
            raise UnsupportedError(
                f"pyarrow has values of the type: got {data_type} at {at(place)}; use "
                "month_day_nano_interval"
            )
        slot_bytes = _SLOT_BYTES_MIN
        if data_type.id == pa.lib.Type_FIXED_SIZE_BINARY:
            slot_bytes = max(slot_bytes, data_type.byte_width)
        self.spend(len(values) * slot_bytes, place)
        return make(self, data_type, values, place)

    def spend(self, n_bytes: int, place: Place) -> None:
        """Refuses the scalar when its arrays have become too large."""
        self._bytes_left -= n_bytes
        if self._bytes_left < 0:
            rule = f"a scalar takes at most SCALAR_BYTES_MAX = {SCALAR_BYTES_MAX} bytes in memory"
            raise refusal(rule, f"{n_bytes} bytes more", place, "make a table of it")


def _payloads(values: Iterable[pb.Value], member: str, place: Place) -> list[Any]:
    """Takes out what the values carry, None for null; refuses another member than the type's."""
    payloads = []
    for value in values:
        kind = value.WhichOneof("kind")
        if kind not in {member, "null_value"}:
            rule = f"a value of this type is a {member} or null_value"
            raise refusal(rule, kind or "none", place, "send the member that the type asks for")
        payloads.append(None if kind == "null_value" else getattr(value, member))
    return payloads


def _validity(payloads: Sequence[object]) -> pa.Buffer | None:
    """Packs which rows are there; a Boolean array has the same bits."""
    if all(payload is not None for payload in payloads):
        return None
    return pa.array([payload is not None for payload in payloads], pa.bool_()).buffers()[1]


def _make_null(
    _: _ArrayMaker, __: pa.DataType, values: Sequence[pb.Value], place: Place
) -> pa.Array:
    return pa.nulls(len(_payloads(values, "null_value", place)))


def _make_leaf(
    _: _ArrayMaker, data_type: pa.DataType, values: Sequence[pb.Value], place: Place
) -> pa.Array:
    member, storage = LEAVES[data_type.id]
    payloads = _payloads(values, member, place)
    try:
        if data_type.id in DECIMAL_TO_PROTO:
            width = data_type.byte_width
            payloads = [_decimal_bits(payload, width) for payload in payloads]
        if member == "month_day_nano_value":
            payloads = [_month_day_nano(payload) for payload in payloads]
        array = pa.array(payloads, storage or data_type)
        array = array if storage is None else array.view(data_type)
        array.validate(full=True)
    except (pa.ArrowException, OverflowError, TypeError, ValueError) as error:
        rule = f"a value is one of {data_type}"
        raise refusal(rule, error, place, "send a value in the type's range") from error
    return array


def _decimal_bits(payload: bytes | None, width: int) -> bytes | None:
    if payload is None:
        return None
    if not payload:
        raise ValueError("a decimal without bytes")
    return int.from_bytes(payload, "big", signed=True).to_bytes(width, "little", signed=True)


def _month_day_nano(payload: pb.MonthDayNanoValue | None) -> pa.MonthDayNano | None:
    if payload is None:
        return None
    return pa.MonthDayNano([payload.months, payload.days, payload.nanoseconds])


def _make_list(
    maker: _ArrayMaker, data_type: pa.DataType, values: Sequence[pb.Value], place: Place
) -> pa.Array:
    payloads = _payloads(values, "list_value", place)
    field = data_type.value_field
    elements = [element for payload in payloads if payload for element in payload.elements]
    child = maker.array(field.type, elements, (*place, field.name))
    sizes = [0 if payload is None else len(payload.elements) for payload in payloads]
    return _LIST_ARRAYS[data_type.id](data_type, sizes, child, _absent(payloads))


def _absent(payloads: Sequence[object]) -> pa.Array | None:
    """Says which rows are null, as `from_arrays` asks for it."""
    absent = [payload is None for payload in payloads]
    return pa.array(absent, pa.bool_()) if any(absent) else None


def _offsets(sizes: Iterable[int], offset_type: pa.DataType) -> pa.Array:
    return pa.array(accumulate(sizes, initial=0), offset_type)


def _list_array(
    kind: type[pa.Array], offset_type: pa.DataType
) -> Callable[[pa.DataType, list[int], pa.Array, pa.Array | None], pa.Array]:
    def make(
        data_type: pa.DataType, sizes: list[int], child: pa.Array, absent: pa.Array | None
    ) -> pa.Array:
        return kind.from_arrays(_offsets(sizes, offset_type), child, type=data_type, mask=absent)

    return make


def _list_view_array(
    kind: type[pa.Array], offset_type: pa.DataType
) -> Callable[[pa.DataType, list[int], pa.Array, pa.Array | None], pa.Array]:
    def make(
        data_type: pa.DataType, sizes: list[int], child: pa.Array, absent: pa.Array | None
    ) -> pa.Array:
        starts = _offsets(sizes, offset_type)[:-1]
        lengths = pa.array(sizes, offset_type)
        return kind.from_arrays(starts, lengths, child, type=data_type, mask=absent)

    return make


_LIST_ARRAYS: Final = {
    pa.lib.Type_LIST: _list_array(pa.ListArray, pa.int32()),
    pa.lib.Type_LARGE_LIST: _list_array(pa.LargeListArray, pa.int64()),
    pa.lib.Type_LIST_VIEW: _list_view_array(pa.ListViewArray, pa.int32()),
    pa.lib.Type_LARGE_LIST_VIEW: _list_view_array(pa.LargeListViewArray, pa.int64()),
}


def _make_fixed_size_list(
    maker: _ArrayMaker, data_type: pa.DataType, values: Sequence[pb.Value], place: Place
) -> pa.Array:
    payloads = _payloads(values, "list_value", place)
    size, field = data_type.list_size, data_type.value_field
    elements: list[pb.Value] = []
    for payload in payloads:
        if payload is None:
            maker.spend(size * _SLOT_BYTES_MIN, place)
            elements.extend([_NULL] * size)
        elif len(payload.elements) != size:
            rule = f"a list of {data_type} has {size} elements"
            raise refusal(rule, len(payload.elements), place, "send as many as the type says")
        else:
            elements.extend(payload.elements)
    child = maker.array(field.type, elements, (*place, field.name))
    # Not from_arrays, which divides by the size.
    return pa.Array.from_buffers(data_type, len(values), [_validity(payloads)], children=[child])


def _make_struct(
    maker: _ArrayMaker, data_type: pa.DataType, values: Sequence[pb.Value], place: Place
) -> pa.Array:
    payloads = _payloads(values, "struct_value", place)
    for payload in payloads:
        if payload is not None and len(payload.fields) != len(data_type):
            rule = f"a struct has a value for each of its {len(data_type)} fields"
            raise refusal(rule, len(payload.fields), place, "send as many as the type says")
    children = []
    for index, field in enumerate(data_type):
        column = [_NULL if payload is None else payload.fields[index] for payload in payloads]
        children.append(maker.array(field.type, column, (*place, field.name)))
    # Not from_arrays, which takes a struct without fields to have no rows.
    return pa.Array.from_buffers(data_type, len(values), [_validity(payloads)], children=children)


def _make_map(
    maker: _ArrayMaker, data_type: pa.DataType, values: Sequence[pb.Value], place: Place
) -> pa.Array:
    payloads = _payloads(values, "map_value", place)
    present = [payload for payload in payloads if payload is not None]
    keys = [key for payload in present for key in payload.keys]
    for payload in present:
        if len(payload.keys) != len(payload.values):
            got = f"{len(payload.keys)} keys and {len(payload.values)} values"
            raise refusal("a map has a value for each key", got, place, "send as many of both")
    if any(key.WhichOneof("kind") == "null_value" for key in keys):
        raise refusal("a map's key is never null", "null", place, "leave the pair out")
    items = [value for payload in present for value in payload.values]
    key_field, item_field = data_type.key_field, data_type.item_field
    return pa.MapArray.from_arrays(
        _offsets([0 if payload is None else len(payload.keys) for payload in payloads], pa.int32()),
        maker.array(key_field.type, keys, (*place, key_field.name)),
        maker.array(item_field.type, items, (*place, item_field.name)),
        type=data_type,
        mask=_absent(payloads),
    )


def _make_union(
    maker: _ArrayMaker, data_type: pa.DataType, values: Sequence[pb.Value], place: Place
) -> pa.Array:
    payloads = _payloads(values, "union_value", place)
    codes = list(data_type.type_codes)
    # A null is a null of the first child: a union has no validity of its own.
    chosen = [codes[0] if payload is None else payload.type_code for payload in payloads]
    for payload, code in zip(payloads, chosen, strict=True):
        if code not in codes:
            raise refusal(f"a union's type code is one of {codes}", code, place, "send one of them")
        if payload is not None and payload.value.WhichOneof("kind") == "null_value":
            rule, remedy = "a union's value is not null", "send a null_value for the union"
            raise refusal(rule, "null", place, remedy)
    parts = [_NULL if payload is None else payload.value for payload in payloads]
    dense = data_type.id == pa.lib.Type_DENSE_UNION
    children, offsets = [], [0] * len(parts)
    for index, code in enumerate(codes):
        rows = [row for row, other in enumerate(chosen) if other == code]
        if dense:
            column = [parts[row] for row in rows]
            for offset, row in enumerate(rows):
                offsets[row] = offset
        else:
            column = [
                part if other == code else _NULL for part, other in zip(parts, chosen, strict=True)
            ]
        field = data_type.field(index)
        children.append(maker.array(field.type, column, (*place, field.name)))
    buffers = [None, pa.array(chosen, pa.int8()).buffers()[1]]
    if dense:
        buffers.append(pa.array(offsets, pa.int32()).buffers()[1])
    # Not from_dense or from_sparse, which keep only the names of the children's fields.
    return pa.Array.from_buffers(data_type, len(values), buffers, children=children)


def _make_dictionary(
    maker: _ArrayMaker, data_type: pa.DataType, values: Sequence[pb.Value], place: Place
) -> pa.Array:
    here = (*place, "dictionary")
    found: dict[bytes, int] = {}
    entries: list[pb.Value] = []
    indices: list[int | None] = []
    for value in values:
        if value.WhichOneof("kind") == "null_value":
            indices.append(None)
            continue
        key = value.SerializeToString(deterministic=True)
        if key not in found:
            found[key] = len(entries)
            entries.append(value)
        indices.append(found[key])
    try:
        index_array = pa.array(indices, data_type.index_type)
    except (pa.ArrowException, OverflowError) as error:
        rule = f"a dictionary with indices of {data_type.index_type} names each of its values"
        got = f"{len(entries)} values"
        raise refusal(rule, got, here, "choose a wider index type") from error
    dictionary = maker.array(data_type.value_type, entries, here)
    return pa.DictionaryArray.from_arrays(index_array, dictionary, ordered=data_type.ordered)


def _make_run_end_encoded(
    maker: _ArrayMaker, data_type: pa.DataType, values: Sequence[pb.Value], place: Place
) -> pa.Array:
    here = (*place, "runs")
    if _holds_extension(data_type.value_type):
        # pyarrow 26 ends the process when it makes an empty array or a null of such a type.
        raise UnsupportedError(
            f"runs hold values without extension types: got {data_type} at {at(here)}; use the "
            "extension's storage type"
        )
    runs = maker.array(data_type.value_type, values, here)
    try:
        run_ends = pa.array(range(1, len(values) + 1), data_type.run_end_type)
    except (pa.ArrowException, OverflowError) as error:
        rule = f"an array with run ends of {data_type.run_end_type} counts its rows in them"
        got = f"{len(values)} rows"
        raise refusal(rule, got, here, "choose a wider run end type") from error
    return pa.RunEndEncodedArray.from_arrays(run_ends, runs)


def _holds_extension(data_type: pa.DataType) -> bool:
    if data_type.id == EXTENSION_ID:
        return True
    if data_type.id in {pa.lib.Type_DICTIONARY, pa.lib.Type_RUN_END_ENCODED}:
        return _holds_extension(data_type.value_type)
    return any(_holds_extension(data_type.field(i).type) for i in range(data_type.num_fields))


def _make_extension(
    maker: _ArrayMaker, data_type: pa.DataType, values: Sequence[pb.Value], place: Place
) -> pa.Array:
    storage = maker.array(data_type.storage_type, values, (*place, "storage"))
    return pa.ExtensionArray.from_storage(data_type, storage)


_Make = Callable[[_ArrayMaker, pa.DataType, Sequence[pb.Value], Place], pa.Array]

_MAKERS: Final[dict[int, _Make]] = {
    pa.lib.Type_NA: _make_null,
    **dict.fromkeys(LEAVES, _make_leaf),
    **dict.fromkeys(LIST_TO_PROTO, _make_list),
    pa.lib.Type_FIXED_SIZE_LIST: _make_fixed_size_list,
    pa.lib.Type_STRUCT: _make_struct,
    pa.lib.Type_MAP: _make_map,
    **dict.fromkeys(UNION_TO_PROTO, _make_union),
    pa.lib.Type_DICTIONARY: _make_dictionary,
    pa.lib.Type_RUN_END_ENCODED: _make_run_end_encoded,
    EXTENSION_ID: _make_extension,
}
