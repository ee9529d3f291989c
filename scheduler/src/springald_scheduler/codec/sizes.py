"""Sizes of partitions to and from messages."""

from array import array

from springald.errors import MessageGarbledError
from springald.executor.v1 import executor_pb2 as pb
from springald_scheduler.core.sizes import InputSlice, Sizes


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
