"""What was measured, and the few statistics that are made of it."""

import math
import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from benchmarks.meters import Usage


@dataclass
class Run:
    """One execution of a query in one place.

    Attributes:
        seconds: From the statement to the last row at the client.
        first_row_s: From the statement to the first batch with rows.
        rows: Rows that came.
        bytes: Their size in memory.
        counters: What the place itself counted, for example `bytes_shuffled`.
        usage: What it took from the machine; all 0 if that was not measured.
    """

    seconds: float
    first_row_s: float = 0
    rows: int = 0
    bytes: int = 0
    counters: dict[str, float] = field(default_factory=dict)
    usage: Usage = field(default_factory=Usage)


@dataclass
class Cell:
    """A query in a place: all its runs, or why it failed. One failed run fails the cell."""

    runs: list[Run] = field(default_factory=list)
    failure: str = ""

    @property
    def best(self) -> Run | None:
        """The fastest run; none if one failed or none was made."""
        if self.failure or not self.runs:
            return None
        return min(self.runs, key=lambda run: run.seconds)

    @property
    def best_s(self) -> float | None:
        """Seconds of the fastest run."""
        return self.best.seconds if self.best else None

    @property
    def median_s(self) -> float | None:
        """The median of the seconds."""
        if self.failure or not self.runs:
            return None
        return statistics.median(run.seconds for run in self.runs)


Cells = dict[str, dict[str, Cell]]
"""By place, then by query."""


@dataclass(frozen=True)
class Comparison:
    """A place against the reference, over the queries that both finished.

    Attributes:
        queries: How many these are.
        ratio: Sum of the best times over the reference's sum; none without such a query.
        worst: The largest ratio of one query.
        worst_query: Which one it is.
    """

    queries: int
    ratio: float | None
    worst: float | None
    worst_query: str


def percentile(values: Iterable[float], percent: float) -> float:
    """Returns the smallest value that at least `percent` of all values do not exceed.

    Example:
        >>> percentile([3.0, 1.0, 2.0, 4.0], 50)
        2.0
    """
    ordered = sorted(values)
    if not ordered:
        raise ValueError("a percentile needs at least one value: got none")
    return ordered[max(0, math.ceil(len(ordered) * percent / 100) - 1)]


def ratio(cell: Cell, reference: Cell | None) -> float | None:
    """Returns a cell's best time over the reference's; none if one of them failed.

    Example:
        >>> ratio(Cell([Run(3.0)]), Cell([Run(2.0), Run(2.5)]))
        1.5
    """
    if reference is None or not cell.best_s or not reference.best_s:
        return None
    return cell.best_s / reference.best_s


def compare(cells: dict[str, Cell], reference: dict[str, Cell]) -> Comparison:
    """Compares a place with the reference."""
    ratios = {query: ratio(cell, reference.get(query)) for query, cell in cells.items()}
    both = {query: value for query, value in ratios.items() if value is not None}
    if not both:
        return Comparison(0, None, None, "")
    worst = max(both, key=lambda query: both[query])
    ours, theirs = (total([side[query] for query in both]) for side in (cells, reference))
    return Comparison(len(both), ours / theirs, both[worst], worst)


def total(cells: Sequence[Cell]) -> float:
    """Sums up the best times; what failed counts nothing."""
    return sum(cell.best_s or 0 for cell in cells)


def overheads_s(
    cells: dict[str, Cell], reference: dict[str, Cell], seconds: Callable[[Cell], float | None]
) -> list[float]:
    """Returns how much longer each query took than at the reference, if both finished it.

    Args:
        cells: A place's queries.
        reference: The reference's.
        seconds: Which time of a query counts, for example `best_s`.
    """
    pairs = [(seconds(cell), seconds(reference.get(name, Cell()))) for name, cell in cells.items()]
    return [ours - theirs for ours, theirs in pairs if ours is not None and theirs is not None]


def best_s(cell: Cell) -> float | None:
    """Returns a query's best time."""
    return cell.best_s


def first_s(cell: Cell) -> float | None:
    """Returns how long a query took when it was asked for the first time."""
    return cell.runs[0].seconds if cell.best else None
