"""What stages compute here: programs over rows that are numbers, small enough to check any answer.

A row is a number, and its key is what remains of it. A stage's program says for each of its
partitions which rows come out, whatever its tasks are. So the rows of a whole query are known
beforehand, and each row that is lost, doubled or taken from elsewhere shows.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

KEYS = 8

Rows = list[int]
Reads = Callable[[int, int | None], Rows]
"""Returns the rows of an input: of one of its partitions, or of all."""


def key_of(row: int) -> int:
    """What rows are joined and routed by."""
    return row % KEYS


@dataclass(frozen=True, slots=True)
class Table:
    """Rows that are there from the beginning, by partition."""

    parts: tuple[tuple[int, ...], ...]


@dataclass(frozen=True, slots=True)
class Read:
    """The rows of an input: of the partition that lies `offset` before, or of all if it is None."""

    number: int
    offset: int | None = None
    count: int = 1


@dataclass(frozen=True, slots=True)
class Join:
    """The rows of one side whose key the other side has too."""

    main: "Program"
    side: "Program"


@dataclass(frozen=True, slots=True)
class Beside:
    """The rows of one side; the other one is read, and changes nothing."""

    main: "Program"
    side: "Program"


@dataclass(frozen=True, slots=True)
class Union:
    """The rows of several, one after the other."""

    parts: "tuple[Program, ...]"


@dataclass(frozen=True, slots=True)
class Whole:
    """All partitions of another program at once."""

    inner: "Program"
    count: int


Program = Table | Read | Join | Beside | Union | Whole


def evaluate(program: Program, partition: int, reads: Reads) -> Rows:
    """Returns the rows of one partition of a program."""
    match program:
        case Table(parts):
            return list(parts[partition]) if partition < len(parts) else []
        case Read(number, offset, count):
            if offset is None:
                return reads(number, None)
            wanted = partition - offset
            return reads(number, wanted) if 0 <= wanted < count else []
        case Join(main, side):
            keys = {key_of(row) for row in evaluate(side, partition, reads)}
            return [row for row in evaluate(main, partition, reads) if key_of(row) in keys]
        case Beside(main, side):
            evaluate(side, partition, reads)
            return evaluate(main, partition, reads)
        case Union(several):
            return [row for each in several for row in evaluate(each, partition, reads)]
        case Whole(inner, count):
            return [row for each in range(count) for row in evaluate(inner, each, reads)]


def renumbered(program: Program, places: "Mapping[int, int | Program]") -> Program:
    """Returns a program with other numbers, or whole programs, in the places of its inputs."""
    match program:
        case Table():
            return program
        case Read(number):
            place = places[number]
            return replace(program, number=place) if isinstance(place, int) else place
        case Join(main, side):
            return Join(renumbered(main, places), renumbered(side, places))
        case Beside(main, side):
            return Beside(renumbered(main, places), renumbered(side, places))
        case Union(several):
            return Union(tuple(renumbered(each, places) for each in several))
        case Whole(inner, count):
            return Whole(renumbered(inner, places), count)


def widened(program: Program, numbers: Sequence[int]) -> Program:
    """Returns a program that reads some of its inputs whole."""
    match program:
        case Read(number, _, count) if number in numbers:
            return Read(number, None, count)
        case Table() | Read():
            return program
        case Join(main, side):
            return Join(widened(main, numbers), widened(side, numbers))
        case Beside(main, side):
            return Beside(widened(main, numbers), widened(side, numbers))
        case Union(several):
            return Union(tuple(widened(each, numbers) for each in several))
        case Whole(inner, count):
            return Whole(widened(inner, numbers), count)
