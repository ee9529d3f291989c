"""Messages one after the other on a stream of bytes, each with its length before it."""

from collections.abc import Iterator
from io import BytesIO
from typing import BinaryIO, TypeVar, cast

from google.protobuf import proto
from google.protobuf.message import Message

MessageT = TypeVar("MessageT", bound=Message)


def write_message(stream: BinaryIO, message: Message) -> None:
    """Writes a message and hands it on at once."""
    # Any stream of bytes does; the stubs of protobuf name one kind.
    proto.serialize_length_prefixed(message, cast("BytesIO", stream))
    stream.flush()


def read_messages(stream: BinaryIO, kind: type[MessageT]) -> Iterator[MessageT]:
    """Reads messages until the stream ends."""
    source = cast("BytesIO", stream)
    while (message := proto.parse_length_prefixed(kind, source)) is not None:
        yield message
