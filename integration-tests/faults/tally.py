"""Counts what runs came to, holds it against what must hold, and writes it as a row."""

import statistics
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from faults.outcomes import Outcome, Record


@dataclass(frozen=True)
class Tally:
    """What came of one row's runs.

    Attributes:
        name: The row.
        records: Its runs.
    """

    name: str
    records: Sequence[Record]

    @property
    def outcomes(self) -> list[Outcome]:
        """Of all runs whose rows were right, or that failed as they may."""
        return [each.outcome for each in self.records if each.outcome]

    def count(self, *came_to: str) -> int:
        """Counts runs by what they came to."""
        return sum(each.came_to in came_to for each in self.records)

    def figures(self, name: str) -> list[float]:
        """Returns a figure of all runs that have it."""
        return [each.figures[name] for each in self.outcomes if name in each.figures]

    def ratio(self, detection_s: float = 0.0) -> float | None:
        """The median of the times against those without a fault, less what detection takes."""
        timed = [each for each in self.outcomes if each.base_s and each.finished]
        if not timed:
            return None
        return statistics.median((each.took_s - detection_s) / each.base_s for each in timed)


Bar = Callable[[Tally], str]
"""Returns what does not hold, or nothing."""


def none_wrong(tally: Tally) -> str:
    """Rows are right, what is promised beside them holds, and nothing hangs."""
    bad = tally.count("wrong", "broken", "hung")
    return f"{bad} runs were wrong, broken or hung" if bad else ""


def unfinished_max(count: int) -> Bar:
    """So many queries may fail."""

    def bar(tally: Tally) -> str:
        failed = tally.count("failed")
        return f"{failed} queries failed, {count} may" if failed > count else ""

    return bar


def ratio_max(most: float, detection_s: float = 0.0) -> Bar:
    """Times are at most so many times those without a fault, plus what detection takes."""

    def bar(tally: Tally) -> str:
        ratio = tally.ratio(detection_s)
        return f"times are {ratio:.2f} of those without a fault" if (ratio or 0) > most else ""

    return bar


def again_within_lost(tally: Tally) -> str:
    """No run repeats more tasks than it lost."""
    over = [each for each in tally.outcomes if each.again > each.lost]
    return f"{len(over)} runs repeated more tasks than they lost" if over else ""


def kept_min(share: float) -> Bar:
    """Of finished tasks so many are not run again."""

    def bar(tally: Tally) -> str:
        lost = sum(each.lost for each in tally.outcomes)
        again = sum(each.again for each in tally.outcomes)
        kept = 1 - again / lost if lost else 1.0
        return f"{kept:.0%} of finished tasks were kept" if kept < share else ""

    return bar


def each_at_most(name: str, most: float) -> Bar:
    """A figure is at most so large in each run."""

    def bar(tally: Tally) -> str:
        worst = max(tally.figures(name), default=0.0)
        return f"{name}: got {worst:.1f}, at most {most:g}" if worst > most else ""

    return bar


def some(name: str) -> Bar:
    """A figure is not nought in all runs: what is to be proved did happen."""

    def bar(tally: Tally) -> str:
        return "" if not tally.outcomes or any(tally.figures(name)) else f"{name}: got none"

    return bar


def no_growth(most_percent: float) -> Bar:
    """Nothing that is held has grown by more than that in the second half."""

    def bar(tally: Tally) -> str:
        grown = [
            f"{name}: got {value:.1f}"
            for each in tally.outcomes
            for name, value in each.figures.items()
            if name.startswith("growth") and value > most_percent
        ]
        return "; ".join(grown)

    return bar


_COLUMNS = "fault | runs | wrong | hung | not finished | time ÷ fault-free | slowest, s | run again"
HEAD = (
    f"| {_COLUMNS} | also | seeds |",
    "| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | --- | --- |",
)


def row(tally: Tally, shown: Iterable[str], wanted: int) -> str:
    """Writes a tally as a row of the table, with figures to be shown and the runs wanted."""
    runs = len(tally.records)
    outcomes = tally.outcomes
    ratio = tally.ratio()
    lost, again = (sum(getattr(each, name) for each in outcomes) for name in ("lost", "again"))
    took = [each.took_s for each in outcomes if each.took_s]
    cells = [
        tally.name,
        f"{runs:,}" if runs >= wanted else f"{runs:,} of {wanted:,}",
        str(tally.count("wrong", "broken")),
        str(tally.count("hung")),
        str(tally.count("failed")),
        "" if ratio is None else f"{ratio:.1f}",
        f"{max(took):.1f}" if took else "",
        f"{again} of {lost}" if lost else "",
        "; ".join(filter(None, (_figure(tally, name) for name in shown))),
        _ranges(each.seed for each in tally.records),
    ]
    return f"| {' | '.join(cells)} |"


def _figure(tally: Tally, name: str) -> str:
    """Writes a figure: its median and its largest, or its sum if it is a count of events."""
    values = tally.figures(name)
    if not values:
        return ""
    if name.endswith(", s"):
        return f"{name}: {statistics.median(values):.1f}, at most {max(values):.1f}"
    if name.startswith("growth"):
        return f"{name}: {max(values):.1f}"
    if "at most" in name or "in the end" in name:
        return f"{name}: {max(values):g}"
    return f"{name}: {sum(values):,.0f}"


def _ranges(seeds: Iterable[int]) -> str:
    """Writes numbers with their neighbours joined.

    Example:
        >>> _ranges([3, 1, 2, 7])
        '1 to 3, 7'
    """
    spans: list[list[int]] = []
    for each in sorted(set(seeds)):
        if spans and each == spans[-1][1] + 1:
            spans[-1][1] = each
        else:
            spans.append([each, each])
    return ", ".join(str(a) if a == b else f"{a} to {b}" for a, b in spans)
