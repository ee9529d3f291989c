"""Runs histories: `python -m simulation --histories 1000 --seed 0`; see `nox -s simulate`."""

import argparse
import sys
import time
from collections import Counter
from collections.abc import Iterable

from simulation.breakages import EXECUTOR, RARE, SCHEDULER, broken
from simulation.chance import Fault
from simulation.history import Outcome, run_history
from simulation.shrinking import shrink


def main(arguments: Iterable[str] | None = None) -> int:
    """Runs histories until one fails; returns the process's exit code."""
    parser = argparse.ArgumentParser(prog="simulation", description=__doc__)
    parser.add_argument("--histories", type=int, default=1_000, metavar="N", help="how many")
    parser.add_argument("--seed", type=int, default=0, metavar="S", help="the first one's seed")
    parser.add_argument("--tell", action="store_true", help="print the story of each")
    parser.add_argument("--breakages", action="store_true", help="break the cores on purpose")
    options = parser.parse_args(None if arguments is None else list(arguments))
    seeds = range(options.seed, options.seed + options.histories)
    if options.breakages:
        return _break(seeds)
    began, faults, steps = time.perf_counter(), Counter[Fault](), 0
    for seed in seeds:
        outcome = run_history(seed, tell=options.tell)
        steps += outcome.steps
        faults.update(kind for _, kind in outcome.faults)
        if options.tell:
            _say(outcome.story)
        if outcome.error:
            _explain(outcome)
            return 1
    seconds = time.perf_counter() - began
    rate = 60 * options.histories / seconds
    _say(f"{options.histories} histories, {steps} steps, {rate:.0f} histories a minute")
    for kind, count in faults.most_common():
        _say(f"{count:>9}  {kind.value}")
    return 0


def _break(seeds: range) -> int:
    """Prints for each breakage the first seed that finds it; returns how many none finds."""
    missed = 0
    for breakage in (*SCHEDULER, *EXECUTOR, *RARE):
        with broken(breakage):
            seed = next((each for each in seeds if run_history(each).error), None)
        missed += seed is None
        _say(f"{'none' if seed is None else seed:>7}  {breakage.name}")
    return missed


def _explain(failed: Outcome) -> None:
    """Prints a failed history with as few faults as possible."""
    cuts = shrink(failed)
    outcome = run_history(failed.seed, cuts, tell=True)
    _say(outcome.story)
    _say(f"faults: {', '.join(f'{number} {kind.value}' for number, kind in outcome.faults)}")
    _say(f"broken: {outcome.error}")
    count = len(failed.faults)
    _say(f"seed {failed.seed}: --seed {failed.seed} --histories 1 ({count} faults uncut)")


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


if __name__ == "__main__":
    sys.exit(main())
