"""Records as a store keeps them, and back.

Records are made of the core's own types, which are frozen dataclasses and enumerations all the way
down. They are written by the names of those types and of their fields, so that nothing that a type
gets is forgotten here. What reads differently than it was written is set aside by its reader.
"""

import sys
import zlib
from array import array
from collections.abc import Callable
from dataclasses import MISSING, Field, fields, is_dataclass
from enum import Enum
from functools import cache
from types import UnionType
from typing import Any, Final, Union, get_args, get_origin, get_type_hints

import pyarrow as pa
from google.protobuf.message import DecodeError

from springald.engine.catalog import CatalogEntry, SqlQuery
from springald.errors import MessageGarbledError
from springald.state.v1 import state_pb2 as pb
from springald.tickets import TICKET_KEY_BYTES
from springald_scheduler.core.records import Record
from springald_scheduler.planning.model import SessionSnapshot

VERSION: Final = 1

_LARGE: Final = 2**63
_CODES: Final = {4: "I", 8: "Q"}
_SCALAR: Final = "Scalar"
"""A value of Arrow's: a stream of one row with one column."""

_OPAQUE: Final = (SqlQuery, SessionSnapshot, CatalogEntry)
"""What records hold that the core does not look at."""


def record_to_bytes(record: Record) -> bytes:
    """Writes a record.

    Example:
        >>> from springald_scheduler.core.records import SessionRecord
        >>> record_from_bytes(record_to_bytes(SessionRecord("s1", 5)))
        SessionRecord(session_id='s1', opened_ms=5, catalog=None)
    """
    value = pb.Value()
    _write(record, value)
    data = value.SerializeToString()
    return pb.Envelope(version=VERSION, crc=zlib.crc32(data), record=data).SerializeToString()


def record_from_bytes(data: bytes) -> Record:
    """Reads a record.

    Raises:
        MessageGarbledError: It is none, or one of another version.
    """
    try:
        envelope = pb.Envelope.FromString(data)
        if envelope.version != VERSION:
            raise MessageGarbledError(f"a record is of version {VERSION}: got {envelope.version}")
        if zlib.crc32(envelope.record) != envelope.crc:
            raise MessageGarbledError("a record has its checksum: got another one")
        read = _read(pb.Value.FromString(envelope.record))
    except (
        DecodeError,
        TypeError,
        ValueError,
        KeyError,
        AttributeError,
        pa.ArrowException,
    ) as error:
        raise MessageGarbledError(f"a record is read as it was written: got {error!r}") from error
    if not isinstance(read, Record):
        raise MessageGarbledError(f"a value is a record: got a {type(read).__name__}")
    return read


def _write(value: object, to: pb.Value) -> None:
    kind: Any = type(value)
    writer = _WRITERS.get(kind)
    if writer is not None:
        writer(value, to)
    elif isinstance(value, Enum):
        to.word.type, to.word.word = kind.__name__, value.value
    elif is_dataclass(kind):
        _write_node(value, to.node)
    elif isinstance(value, pa.Scalar):
        batch = pa.record_batch([pa.array([value], value.type)], [_SCALAR])
        to.node.type = _SCALAR
        stream = pa.BufferOutputStream()
        with pa.ipc.new_stream(stream, batch.schema) as writer_of_rows:
            writer_of_rows.write_batch(batch)
        to.node.parts.add(name=_SCALAR).value.octets = stream.getvalue().to_pybytes()
    elif value is not None:
        raise TypeError(f"records are made of known types: got a {kind.__name__}")


def _write_node(value: object, node: pb.Node) -> None:
    kind: Any = type(value)
    node.type = str(kind.__name__)
    if _types().get(node.type) is not kind:
        raise TypeError(f"records are made of known types: got a {node.type}")
    for name, default in _parts(kind):
        part = getattr(value, name)
        if part is not default and part != default:
            _write(part, node.parts.add(name=name).value)


def _write_list(value: Any, to: pb.Value) -> None:  # noqa: ANN401 - as it comes
    to.list.SetInParent()
    for each in value:
        _write(each, to.list.values.add())


def _write_table(value: dict[str, object], to: pb.Value) -> None:
    to.table.SetInParent()
    for name, each in value.items():
        _write(each, to.table.entries.add(name=name).value)


def _write_range(value: range, to: pb.Value) -> None:
    to.range.start, to.range.stop = value.start, value.stop
    to.range.SetInParent()


def _write_column(value: "array[int]", to: pb.Value) -> None:
    to.column.width = value.itemsize
    to.column.numbers = _little(value).tobytes()


def _little(numbers: "array[int]") -> "array[int]":
    """Returns numbers with their bytes turned where this machine has the most significant first."""
    if sys.byteorder == "big":
        numbers = array(numbers.typecode, numbers)
        numbers.byteswap()
    return numbers


_WRITERS: Final[dict[type, Callable[[Any, pb.Value], None]]] = {
    bool: lambda value, to: setattr(to, "truth", value),
    int: lambda value, to: setattr(to, "integer" if value < _LARGE else "large", value),
    float: lambda value, to: setattr(to, "real", value),
    str: lambda value, to: setattr(to, "text", value),
    bytes: lambda value, to: setattr(to, "octets", value),
    tuple: _write_list,
    dict: _write_table,
    range: _write_range,
    array: _write_column,
}


def _read(value: pb.Value) -> Any:  # noqa: ANN401 - as it was written
    kind = value.WhichOneof("kind")
    return None if kind is None else _READERS[kind](getattr(value, kind))


def _read_node(node: pb.Node) -> object:
    if node.type == _SCALAR:
        return pa.ipc.open_stream(node.parts[0].value.octets).read_all()[0][0]
    return _named(node.type)(**{part.name: _read(part.value) for part in node.parts})


def _read_column(column: pb.Column) -> "array[int]":
    return _little(array(_CODES[column.width], column.numbers))


def _same(value: object) -> object:
    return value


_READERS: Final[dict[str, Callable[[Any], object]]] = {
    "truth": _same,
    "integer": _same,
    "large": _same,
    "real": _same,
    "text": _same,
    "octets": _same,
    "list": lambda each: tuple(map(_read, each.values)),
    "table": lambda each: {part.name: _read(part.value) for part in each.entries},
    "range": lambda each: range(each.start, each.stop),
    "column": _read_column,
    "word": lambda each: _named(each.type)(each.word),
    "node": _read_node,
}


def _named(name: str) -> type[Any]:
    return _types()[name]


@cache
def _parts(kind: type[Any]) -> tuple[tuple[str, object], ...]:
    """Returns the fields of a type with their defaults; those without one have themselves."""
    return tuple((each.name, _default(each)) for each in fields(kind))


def _default(part: "Field[Any]") -> object:
    if part.default_factory is not MISSING:
        return part.default_factory()
    return part.default


@cache
def _types() -> dict[str, type]:
    """Returns all types that records are made of, by name, as their fields tell."""
    found: dict[str, type] = {}
    pending: list[object] = [Record, *_OPAQUE]
    while pending:
        hint: Any = pending.pop()
        if get_origin(hint) in {Union, UnionType, tuple, dict}:
            pending += get_args(hint)
        elif isinstance(hint, type) and found.get(hint.__name__) is not hint:
            if is_dataclass(hint):
                # An array cannot be subscripted, except in a hint.
                pending += get_type_hints(hint, localns={"array": list}).values()
            elif not issubclass(hint, Enum):
                continue
            if hint.__name__ in found:
                raise TypeError(f"types of records have names of their own: two {hint.__name__}")
            found[hint.__name__] = hint
    return found


def cluster_to_bytes(name: str, ticket_key: bytes) -> bytes:
    """Writes what all processes of a cluster's scheduler share."""
    return pb.Cluster(name=name, ticket_key=ticket_key).SerializeToString()


def cluster_from_bytes(data: bytes) -> tuple[str, bytes]:
    """Reads what all processes of a cluster's scheduler share: its name and its ticket key.

    Raises:
        MessageGarbledError: It is something else.
    """
    try:
        message = pb.Cluster.FromString(data)
    except DecodeError as error:
        raise MessageGarbledError(f"a cluster has a name and a key: got {error}") from error
    if not message.name or len(message.ticket_key) != TICKET_KEY_BYTES:
        raise MessageGarbledError(
            f"a cluster has a name, and a key of {TICKET_KEY_BYTES} bytes: got something else"
        )
    return message.name, message.ticket_key


def scheduler_to_bytes(scheduler_id: str, address: str) -> bytes:
    """Writes who a scheduler is, and where it is reached."""
    return pb.Scheduler(scheduler_id=scheduler_id, address=address).SerializeToString()


def scheduler_from_bytes(data: bytes) -> tuple[str, str]:
    """Reads who a scheduler is, and where it is reached; empty texts for what is something else."""
    try:
        message = pb.Scheduler.FromString(data)
    except DecodeError:
        return "", ""
    return message.scheduler_id, message.address
