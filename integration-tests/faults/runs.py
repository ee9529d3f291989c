"""Runs scenarios again and again, counts, and writes what came of them as a table."""

import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from faults.bench import Bench
from faults.scenarios import SCENARIOS, Outcome

DRAWS_MAX = 25
"""How often a fault may come too late before the scenario itself is taken for broken."""


@dataclass
class Tally:
    """What came of one scenario's runs."""

    name: str
    outcomes: list[Outcome] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def row(self) -> str:
        """Writes it as a row of the table."""
        cells = [self.name, str(len(self.outcomes) + len(self.failures)), str(len(self.failures))]
        if self.outcomes:
            ratio = statistics.median(each.took_s / each.base_s for each in self.outcomes)
            slowest = max(each.took_s for each in self.outcomes)
            tasks = sum(each.tasks for each in self.outcomes)
            repeated = sum(each.repeated for each in self.outcomes)
            cells += [f"{ratio:.1f}", f"{slowest:.1f}", f"{repeated} of {tasks}" if tasks else ""]
        else:
            cells += ["", "", ""]
        return f"| {' | '.join(cells)} |"


HEAD = (
    "| fault | runs | not right | median time ÷ fault-free | slowest, s | attempts repeated |",
    "| --- | ---: | ---: | ---: | ---: | ---: |",
)


def table(tallies: Sequence[Tally]) -> str:
    """Writes all as a table."""
    return "\n".join([*HEAD, *(each.row() for each in tallies)])


def run_once(bench: Bench, name: str) -> Outcome:
    """Runs a scenario until its fault fires, and checks that the cluster is well afterwards.

    Raises:
        AssertionError: Rows are wrong, something hung, or the cluster is not well.
    """
    for _ in range(DRAWS_MAX):
        outcome = SCENARIOS[name](bench)
        bench.mend()
        if outcome is not None:
            return outcome
    raise AssertionError(f"a fault fires in one of {DRAWS_MAX} draws: {name} did not")


def run_many(bench: Bench, names: Sequence[str], runs: int) -> Iterator[Tally]:
    """Yields what came of each scenario; a run that fails is told of and the next one begins."""
    for name in names:
        tally = Tally(name)
        for _ in range(runs):
            try:
                tally.outcomes.append(run_once(bench, name))
            except Exception as failure:  # noqa: BLE001 - counted, and shown
                tally.failures.append(repr(failure))
        yield tally
