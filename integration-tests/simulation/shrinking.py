"""A history that fails, with as few faults as it still fails with."""

from collections.abc import Callable
from dataclasses import replace

from simulation.chance import NO_CUTS, Cuts
from simulation.history import Outcome, run_history

Run = Callable[[int, Cuts], Outcome]


def shrink(failed: Outcome, run: Run = run_history) -> Cuts:
    """Returns what can be left out of a failed history, so that the same rule breaks still.

    Args:
        failed: How it went with all of its faults.
        run: Runs a history.
    """

    def fails(cuts: Cuts) -> bool:
        return _rule(run(failed.seed, cuts)) == _rule(failed)

    kept = NO_CUTS
    low, high = 0, max((number for number, _ in failed.faults), default=0)
    while low < high:
        middle = (low + high) // 2
        if fails(replace(kept, after=middle)):
            kept, high = replace(kept, after=middle), middle
        else:
            low = middle + 1
    for kind in dict.fromkeys(kind for _, kind in run(failed.seed, kept).faults):
        fewer = replace(kept, kinds=kept.kinds | {kind})
        if fails(fewer):
            kept = fewer
    for number, _ in reversed(run(failed.seed, kept).faults):
        fewer = replace(kept, numbers=kept.numbers | {number})
        if fails(fewer):
            kept = fewer
    return kept


def _rule(outcome: Outcome) -> str:
    """Returns which rule broke, without what was found."""
    return (outcome.error or "").partition(": got")[0].partition("\n")[0]
