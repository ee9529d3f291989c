"""What all tasks of a stage put out, looked at by partition: the way in which it is read."""

import sys
from array import array
from collections import Counter
from collections.abc import Sequence

from springald_scheduler.core.records import OutputLocation
from springald_scheduler.core.sizes import NOTHING, Sizes

HOLDERS_MAX = 32
"""Executors that may hold an exchange's outputs before it draws tasks nowhere: of more than these,
the best one holds a few percent of a task's input."""

_FILLED_MIN = 1 / 8
_LANE_BYTES = 8
_NATIVE = sys.byteorder


class OutputTable:
    """The outputs of a finished stage, by partition.

    Building it takes one step a task where most partitions have rows: they are laid out as a matrix
    of tasks and partitions, whose columns are cut out by stride. Where few have rows, as behind a
    forward exchange, it takes one step for each that has.

    Args:
        locations: The outputs, in task order.
        partition_count: How many partitions each may have.
    """

    def __init__(self, locations: Sequence[OutputLocation], partition_count: int) -> None:
        self._executor_ids = [each.executor_id for each in locations]
        self._count = partition_count
        self._rows, self._bytes = array("Q"), array("Q")
        self._sparse: dict[int, list[tuple[int, int, int]]] | None = None
        self._held: dict[str, array[int]] = {}
        sizes = [each.sizes for each in locations]
        filled = sum(len(each.rows) for each in sizes)
        if filled < _FILLED_MIN * len(sizes) * partition_count:
            self._sparse = _by_partition(sizes)
            return
        for each in sizes:
            self._rows.extend(_spread(each.numbers, each.rows, partition_count))
            self._bytes.extend(_spread(each.numbers, each.bytes, partition_count))
        if len(set(self._executor_ids)) <= HOLDERS_MAX:
            self._held = self._sum_up()

    def of_partition(self, partition: int) -> Sizes:
        """Returns what each output, counted from 0, holds of a partition."""
        if self._sparse is not None:
            return Sizes.of(self._sparse.get(partition, ()))
        if partition >= self._count:
            return NOTHING
        column = slice(partition, None, self._count)
        return Sizes(range(len(self._executor_ids)), self._rows[column], self._bytes[column])

    @property
    def outputs_count(self) -> int:
        """How many outputs there are."""
        return len(self._executor_ids)

    def bytes_by_partition(self) -> list[int]:
        """Returns how many bytes all outputs have of each partition."""
        if self._sparse is not None:
            return [
                sum(size for _, _, size in self._sparse.get(partition, ()))
                for partition in range(self._count)
            ]
        if self._held:
            return [sum(each) for each in zip(*self._held.values(), strict=True)]
        return [sum(self._bytes[each :: self._count]) for each in range(self._count)]

    def holdings_of(self, partition: int, outputs: range) -> Counter[str]:
        """Returns how many bytes of some outputs' partition executors hold."""
        held: Counter[str] = Counter()
        for number, _, size in self.of_partition(partition):
            if number in outputs:
                held[self._executor_ids[number]] += size
        return held

    def holdings(self, partitions: range) -> Counter[str]:
        """Returns how many bytes of partitions executors hold; empty if too many have a share."""
        held: Counter[str] = Counter()
        if self._sparse is None:
            for executor_id, sizes in self._held.items():
                held[executor_id] = sum(sizes[partitions.start : partitions.stop])
        else:
            for partition in partitions:
                for number, _, size in self._sparse.get(partition, ()):
                    held[self._executor_ids[number]] += size
        return held

    def _sum_up(self) -> "dict[str, array[int]]":
        """Adds up the rows of the matrix for each executor.

        A row is taken as one large number, a lane of it for each partition, so that one addition
        adds all lanes: they never carry, as a sum of bytes stays below 2^64.
        """
        width = self._count * _LANE_BYTES
        view = memoryview(self._bytes).cast("B")
        sums: Counter[str] = Counter()
        for index, executor_id in enumerate(self._executor_ids):
            row = view[index * width : (index + 1) * width]
            sums[executor_id] += int.from_bytes(row, _NATIVE)
        modulus = 1 << (8 * width)
        return {
            executor_id: array("Q", (each % modulus).to_bytes(width, _NATIVE))
            for executor_id, each in sums.items()
        }


def _spread(numbers: Sequence[int], values: "array[int]", count: int) -> "array[int]":
    """Returns values by number, with zeros where there are none."""
    if isinstance(numbers, range) and len(numbers) == count:
        return values
    spread = array("Q", bytes(_LANE_BYTES * count))
    if isinstance(numbers, range):
        spread[: len(values)] = values
    else:
        for number, value in zip(numbers, values, strict=True):
            spread[number] = value
    return spread


def _by_partition(sizes: Sequence[Sizes]) -> dict[int, list[tuple[int, int, int]]]:
    found: dict[int, list[tuple[int, int, int]]] = {}
    for index, each in enumerate(sizes):
        for partition, rows, size in each:
            found.setdefault(partition, []).append((index, rows, size))
    return found
