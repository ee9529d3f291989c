"""Both cores in made-up worlds: a fixed number of histories, and what makes them worth something.

More of them run with `nox -s simulate -- --histories N --seed S`.
"""

from dataclasses import replace

import pytest

from simulation.chance import Cuts, Fault
from simulation.history import Outcome, run_history
from simulation.shrinking import shrink

HISTORIES = 60


@pytest.mark.parametrize("seed", range(0, HISTORIES, 10))
def test_histories_any_fault_no_rule_broken(seed: int) -> None:
    """Whatever goes wrong, answers are right, jobs end, and nothing is left behind."""
    for each in range(seed, seed + 10):
        outcome = run_history(each)
        assert outcome.error is None, f"seed {each}: {outcome.error}"


@pytest.mark.parametrize("seed", [1_833, 16_535])
def test_history_that_was_broken_once_is_not(seed: int) -> None:
    """Histories that met what was rare: rows of two attempts mixed, a slot that stayed free."""
    outcome = run_history(seed)
    assert outcome.error is None, f"seed {seed}: {outcome.error}"


def test_history_same_seed_same_story() -> None:
    """A history follows from its seed alone."""
    first, second = (run_history(7, tell=True) for _ in range(2))
    assert first.story
    assert first == second


def test_histories_few_of_them_meet_every_fault() -> None:
    """Each kind of fault strikes: a rule that is never tried proves nothing."""
    struck: set[Fault] = set()
    for seed in range(200):
        struck |= {kind for _, kind in run_history(seed).faults}
        if len(struck) == len(Fault):
            break
    assert struck == set(Fault)


def test_shrink_failure_of_one_fault_leaves_that_fault() -> None:
    """What is left out of a failed history has nothing to do with its failure."""
    failed = run_history(4)
    assert len(failed.faults) > 1
    needed = failed.faults[0]

    def run(seed: int, cuts: Cuts) -> Outcome:
        outcome = run_history(seed, cuts)
        return replace(outcome, error="it broke" if needed in outcome.faults else None)

    cuts = shrink(replace(failed, error="it broke"), run)
    assert run_history(4, cuts).faults == (needed,)
