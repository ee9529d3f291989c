"""Records are read as they were written, whatever they hold."""

import dataclasses
import zlib
from array import array
from collections.abc import Sequence
from enum import Enum
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from springald.engine.catalog import CatalogEntry, SqlQuery
from springald.errors import MessageGarbledError
from springald.state.v1 import state_pb2 as pb
from springald_scheduler.codec.records import record_from_bytes, record_to_bytes
from springald_scheduler.core.failures import Failure
from springald_scheduler.core.records import JobRecord, Record, SessionRecord
from springald_scheduler.core.sizes import Sizes
from springald_scheduler.core.states import JobState
from springald_scheduler.planning.model import SessionSnapshot

TEXTS = st.text(max_size=5)
NUMBERS = st.integers(0, 2**64 - 1)
SIZES = st.lists(st.tuples(st.integers(0, 99), NUMBERS, NUMBERS), max_size=3).map(
    lambda entries: Sizes.of((number, *rest) for number, rest in enumerate(map(_tail, entries)))
)


def _tail(entry: tuple[int, int, int]) -> tuple[int, int]:
    return entry[1:]


def of_type(hint: Any, depth: int = 0) -> st.SearchStrategy[Any]:  # noqa: ANN401, PLR0911 - a table
    """Values of a type, made of its fields."""
    origin, inner = get_origin(hint), get_args(hint)
    if origin in {Union, UnionType}:
        return st.one_of([of_type(each, depth) for each in inner])
    if origin is tuple:
        if inner[-1] is Ellipsis:
            return st.lists(of_type(inner[0], depth + 1), max_size=2).map(tuple)
        return st.tuples(*(of_type(each, depth + 1) for each in inner))
    if origin is dict:
        return st.dictionaries(TEXTS, TEXTS, max_size=2)
    if hint is Sizes:
        return SIZES
    if hint is object:
        return st.one_of(of_type(SqlQuery), of_type(SessionSnapshot))
    if hint is Failure and depth > 1:
        return st.just(Failure("CODE", "message"))
    if isinstance(hint, type) and issubclass(hint, Enum):
        return st.sampled_from(hint)
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        hints = get_type_hints(hint, localns={"array": Sequence})
        return st.builds(hint, **{name: of_type(each, depth + 1) for name, each in hints.items()})
    simple: dict[Any, st.SearchStrategy[Any]] = {
        int: NUMBERS,
        str: TEXTS,
        bytes: st.binary(max_size=5),
        bool: st.booleans(),
        float: st.floats(allow_nan=False),
        range: st.builds(range, st.integers(0, 9), st.integers(0, 9)),
        type(None): st.none(),
        pa.Scalar: st.sampled_from([pa.scalar(5), pa.scalar(None, pa.date32()), pa.scalar(["a"])]),
    }
    return simple[hint]


@pytest.mark.parametrize("kind", get_args(Record), ids=lambda kind: kind.__name__)
@given(data=st.data())
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
def test_record_is_read_as_it_was_written(kind: type[Record], data: st.DataObject) -> None:
    """All fields of all types that records are made of, those to come included."""
    record = data.draw(of_type(kind))
    assert record_from_bytes(record_to_bytes(record)) == record


def test_sizes_keep_their_form() -> None:
    """A dense output stays a range, which is how it is told from a sparse one."""
    sizes = Sizes(range(2), array("Q", [1, 2]), array("Q", [3, 4]))
    record = SessionRecord("s", 1, SqlQuery("q", (CatalogEntry("t", statement="c"),)))
    assert record_from_bytes(record_to_bytes(record)) == record
    assert isinstance(sizes.numbers, range)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"hello",
        b"\xff" * 40,
        pb.Envelope(version=2).SerializeToString(),
        pb.Envelope(version=1, crc=5, record=b"x").SerializeToString(),
    ],
)
def test_foreign_value_is_refused(data: bytes) -> None:
    """What no scheduler wrote, or one of another version, is an error of one kind."""
    with pytest.raises(MessageGarbledError):
        record_from_bytes(data)


def test_flipped_bit_is_found() -> None:
    """Wherever it is."""
    record = JobRecord("j1", "s", "o", "SELECT 1", b"d", 5, JobState.RUNNING)
    data = record_to_bytes(record)
    for place in range(8 * len(data)):
        garbled = bytearray(data)
        garbled[place // 8] ^= 1 << place % 8
        try:
            assert record_from_bytes(bytes(garbled)) == record
        except MessageGarbledError:
            continue


def test_name_that_is_not_known_is_refused() -> None:
    """A record of a later release is set aside, not read in part."""
    record = SessionRecord("s1", 5)
    data = record_to_bytes(record)
    envelope = pb.Envelope.FromString(data)
    value = pb.Value.FromString(envelope.record)
    value.node.parts.add(name="colour").value.text = "red"
    envelope.record = value.SerializeToString()
    envelope.crc = zlib.crc32(envelope.record)
    with pytest.raises(MessageGarbledError, match="colour"):
        record_from_bytes(envelope.SerializeToString())
