"""What tasks measure of their operators, and what is kept of it: a sum and a time for each task."""

from array import array
from collections import Counter
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class OperatorFigures:
    """What one task measured of its operators, a column a figure.

    Attributes:
        positions: Which operators, by their position in the stage.
        rows_out: Rows that came out, one entry for each position.
        compute_ns: The engine's own time in them, in nanoseconds, likewise.
        spill_count: How often they spilled, likewise or empty; so are the two below.
        spilled_bytes: Bytes that they spilled.
        bytes_scanned: Bytes that they read from files.
        details: More figures: position, the engine's name of the figure, and the figure.
    """

    positions: tuple[int, ...] = ()
    rows_out: tuple[int, ...] = ()
    compute_ns: tuple[int, ...] = ()
    spill_count: tuple[int, ...] = ()
    spilled_bytes: tuple[int, ...] = ()
    bytes_scanned: tuple[int, ...] = ()
    details: tuple[tuple[int, str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Spread:
    """How a figure differs between tasks; of two in the middle, the median is the smaller."""

    min: int
    median: int
    max: int

    @classmethod
    def of(cls, values: "list[int] | array[int]") -> "Spread | None":
        """Returns the spread of values; None if there are none."""
        if not values:
            return None
        ordered = sorted(values)
        return cls(ordered[0], ordered[(len(ordered) - 1) // 2], ordered[-1])


@dataclass(slots=True)
class OperatorSums:
    """One operator over all tasks that measured it.

    Attributes:
        compute_ns: Its time in each of them: eight bytes a task.
        rows_out: Rows that came out; sums, like the figures below.
        details: More figures by the engine's names.
    """

    compute_ns: "array[int]" = field(default_factory=lambda: array("Q"))
    rows_out: int = 0
    spill_count: int = 0
    spilled_bytes: int = 0
    bytes_scanned: int = 0
    details: Counter[str] = field(default_factory=Counter)


class StageFigures:
    """The operators of a stage over all tasks.

    Example:
        >>> figures = StageFigures()
        >>> figures.add(OperatorFigures((0, 2), (5, 7), (100, 200)))
        >>> figures.add(OperatorFigures((0,), (1,), (300,)))
        >>> {position: sums.rows_out for position, sums in figures.by_position.items()}
        {0: 6, 2: 7}
    """

    __slots__ = ("by_position",)

    def __init__(self) -> None:
        self.by_position: dict[int, OperatorSums] = {}

    def add(self, figures: OperatorFigures) -> None:
        """Adds what a task measured."""
        sums = self.by_position
        columns = zip(figures.positions, figures.rows_out, figures.compute_ns, strict=False)
        for position, rows, compute_ns in columns:
            operator = sums.get(position)
            if operator is None:
                operator = sums[position] = OperatorSums()
            operator.rows_out += rows
            operator.compute_ns.append(compute_ns)
        for position, count in zip(figures.positions, figures.spill_count, strict=False):
            sums[position].spill_count += count
        for position, count in zip(figures.positions, figures.spilled_bytes, strict=False):
            sums[position].spilled_bytes += count
        for position, count in zip(figures.positions, figures.bytes_scanned, strict=False):
            sums[position].bytes_scanned += count
        for position, name, value in figures.details:
            if position in sums:
                sums[position].details[name] += value


NO_FIGURES = OperatorFigures()
"""Nothing was measured."""
