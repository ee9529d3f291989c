"""Sizes of partitions to and from messages."""

import hashlib
import struct
from array import array
from typing import Final

from springald.errors import MessageGarbledError
from springald.executor.v1 import executor_pb2 as pb
from springald_scheduler.core.sizes import InputSlice, Sizes

_EMPTY: Final = 1


def sizes_from_proto(message: pb.Sizes) -> Sizes:
    """Reads sizes.

    Raises:
        MessageGarbledError: The columns are not equally long.
    """
    rows, size = array("Q", message.rows), array("Q", message.bytes)
    numbers = array("I", message.numbers) if message.numbers else range(len(rows))
    if not len(numbers) == len(rows) == len(size):
        raise MessageGarbledError(
            "columns of sizes are equally long: "
            f"got {len(numbers)} numbers, {len(rows)} rows and {len(size)} bytes"
        )
    return Sizes(numbers, rows, size)


def fingerprint(message: pb.TaskFinished) -> int:
    """Returns what tells the rows of an attempt's output from others; 0 if that is not known.

    It is made of the checksums of all partitions, whatever the order of their rows.
    """
    sizes = message.sizes
    if not sizes.rows:
        return _EMPTY if message.HasField("sizes") else 0
    if len(sizes.checksums) != len(sizes.rows):
        return 0
    numbers = sizes.numbers or range(len(sizes.rows))
    digest = hashlib.blake2b(digest_size=8)
    for number, rows, checksum in zip(numbers, sizes.rows, sizes.checksums, strict=False):
        if rows and not checksum:
            return 0
        if rows:
            digest.update(struct.pack("<QQQ", number, rows, checksum))
    return int.from_bytes(digest.digest(), "little") or _EMPTY


def output_digest(message: pb.TaskFinished) -> int:
    """Returns what tells the bytes of an attempt's output from others; 0 if that is not known."""
    sizes = message.sizes
    if not sizes.digests or len(sizes.digests) != len(sizes.rows):
        return 0
    packed = struct.pack(f"<{len(sizes.digests)}Q", *sizes.digests)
    return int.from_bytes(hashlib.blake2b(packed, digest_size=8).digest(), "little") or _EMPTY


def finished_sizes(message: pb.TaskFinished) -> Sizes:
    """Reads how large the partitions of an attempt's output are, in either of two forms.

    Raises:
        MessageGarbledError: See `sizes_from_proto`.
    """
    if message.HasField("sizes"):
        return sizes_from_proto(message.sizes)
    return Sizes.of((each.partition, each.rows, each.bytes) for each in message.partitions)


def sizes_to_proto(sizes: Sizes) -> pb.Sizes:
    """Writes sizes."""
    numbers = () if isinstance(sizes.numbers, range) else sizes.numbers
    return pb.Sizes(numbers=numbers, rows=sizes.rows, bytes=sizes.bytes)


def slice_to_proto(each: InputSlice) -> pb.InputSlice:
    """Writes what a task reads of an input."""
    return pb.InputSlice(partitions=each.partitions, sizes=map(sizes_to_proto, each.sizes))
