"""The simulation finds what is broken: each core in more than ten ways, see `breakages`."""

import pytest

from simulation.breakages import EXECUTOR, SCHEDULER, Breakage, broken
from simulation.history import run_history

HISTORIES_MAX = 60


@pytest.mark.parametrize("breakage", [*SCHEDULER, *EXECUTOR], ids=lambda each: each.name)
def test_breakage_of_a_core_is_found_in_few_histories(breakage: Breakage) -> None:
    """A promise of a core that is broken breaks a rule of some history."""
    first = breakage.seed
    with broken(breakage):
        found = any(run_history(seed).error for seed in range(first, first + HISTORIES_MAX))
    assert found
