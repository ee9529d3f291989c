"""Sizes of partitions, which travel in columns, to and from what the core keeps."""

from collections.abc import Iterator, Sequence

from springald.errors import MessageGarbledError
from springald.executor.v1 import executor_pb2 as pb
from springald_executor.core.model import InputSlice, Partition


def sizes_to_proto(partitions: Sequence[Partition]) -> pb.Sizes:
    """Writes how large partitions are, ascending; without numbers if most of the first ones are."""
    count = partitions[-1].number + 1 if partitions else 0
    sparse = 2 * len(partitions) < count
    listed: Sequence[Partition] = partitions
    if not sparse:
        filled = {each.number: each for each in partitions}
        listed = [filled.get(number) or Partition(number, 0, 0) for number in range(count)]
    known, sealed = any(each.checksum for each in listed), any(each.digest for each in listed)
    return pb.Sizes(
        numbers=[each.number for each in listed] if sparse else (),
        rows=[each.rows for each in listed],
        bytes=[each.bytes for each in listed],
        checksums=[each.checksum for each in listed] if known else (),
        digests=[each.digest for each in listed] if sealed else (),
    )


def partitions_from_proto(message: pb.Sizes) -> tuple[Partition, ...]:
    """Reads how large the partitions of an output are, as far as they have rows.

    Raises:
        MessageGarbledError: The columns are not equally long.
    """
    return tuple(Partition(*entry) for entry in _entries(message))


def slice_from_proto(message: pb.InputSlice) -> InputSlice:
    """Reads what a task reads of an input.

    Raises:
        MessageGarbledError: The columns are not equally long.
    """
    if len(message.partitions) != len(message.sizes):
        wanted, got = len(message.partitions), len(message.sizes)
        raise MessageGarbledError(f"each partition has its sizes: got {got} for {wanted}")
    outputs: dict[int, list[Partition]] = {}
    for partition, sizes in zip(message.partitions, message.sizes, strict=True):
        for output, rows, size in _entries(sizes):
            outputs.setdefault(output, []).append(Partition(partition, rows, size))
    return InputSlice(
        tuple(message.partitions), {output: tuple(each) for output, each in outputs.items()}
    )


def _entries(message: pb.Sizes) -> Iterator[tuple[int, int, int]]:
    """Yields number, rows and bytes of what has rows."""
    numbers: Sequence[int] = message.numbers or range(len(message.rows))
    if not len(numbers) == len(message.rows) == len(message.bytes):
        raise MessageGarbledError(
            f"columns of sizes are equally long: got {len(numbers)} numbers, "
            f"{len(message.rows)} rows and {len(message.bytes)} bytes"
        )
    for number, rows, size in zip(numbers, message.rows, message.bytes, strict=True):
        if rows:
            yield number, rows, size
