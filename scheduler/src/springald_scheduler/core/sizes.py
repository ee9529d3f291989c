"""How large partitions are, in columns: an exchange may have a million of them."""

from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise


def _counts() -> "array[int]":
    return array("Q")


@dataclass(frozen=True, slots=True)
class Sizes:
    """Rows and bytes of several things: the partitions of an output, or a partition's outputs.

    An entry without rows says the same as no entry. Sixteen bytes an entry, where an object would
    take a hundred.

    Attributes:
        numbers: Which things, ascending; a range from 0 where most of them have rows.
        rows: Rows of each.
        bytes: Bytes of each.

    Example:
        >>> sizes = Sizes.of([(1, 2, 30), (4, 5, 60)])
        >>> list(sizes)
        [(1, 2, 30), (4, 5, 60)]
        >>> bool(Sizes())
        False
    """

    numbers: Sequence[int] = range(0)
    rows: "array[int]" = field(default_factory=_counts)
    bytes: "array[int]" = field(default_factory=_counts)

    @classmethod
    def of(cls, entries: Iterable[tuple[int, int, int]]) -> "Sizes":
        """Returns the sizes of (number, rows, bytes)."""
        columns = list(zip(*entries, strict=True)) or [(), (), ()]
        return cls(array("I", columns[0]), array("Q", columns[1]), array("Q", columns[2]))

    def __iter__(self) -> Iterator[tuple[int, int, int]]:
        """Yields number, rows and bytes of what has rows."""
        for number, rows, size in zip(self.numbers, self.rows, self.bytes, strict=True):
            if rows:
                yield number, rows, size

    def __bool__(self) -> bool:
        """True if there is a row."""
        return any(self.rows)

    def within(self, numbers: range) -> "Sizes":
        """Returns the sizes of some of the things."""
        return Sizes.of(entry for entry in self if entry[0] in numbers)

    def ascends_below(self, count: int) -> bool:
        """True if the numbers ascend and the last one is less than a count."""
        if not self.numbers:
            return True
        dense = isinstance(self.numbers, range)
        ascends = dense or all(first < second for first, second in pairwise(self.numbers))
        return ascends and self.numbers[-1] < count


@dataclass(frozen=True, slots=True)
class InputSlice:
    """What one task reads of one input.

    Attributes:
        partitions: The input's partitions that it reads; none if that is not told by task.
        sizes: For each of them, what each output holds of it.
    """

    partitions: range = range(0)
    sizes: tuple[Sizes, ...] = ()


NOTHING = Sizes()
"""The sizes of an output without rows."""

WHOLE = InputSlice()
"""What is told of an input that is not sliced."""
