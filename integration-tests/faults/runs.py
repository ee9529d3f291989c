"""Runs rows again and again, each run from a seed of its own."""

import random
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path

from cluster.waiting import Stopwatch
from faults.bench import Bench
from faults.histories import simulated
from faults.outcomes import HungError, Outcome, Record, WrongError
from faults.table import Row
from faults.worlds import WORLDS

DRAWS_MAX = 40
"""How often a fault may come too late before the scenario itself is taken for broken."""


def run_once(bench: Bench, row: Row, seed: int) -> Outcome:
    """Runs a scenario until its fault fires, and checks that the cluster is well afterwards.

    Raises:
        AssertionError: Rows are wrong, something hung, or the cluster is not well.
    """
    assert row.scenario is not None
    bench.rng = random.Random(seed)  # noqa: S311
    for _ in range(DRAWS_MAX):
        try:
            outcome = row.scenario(bench)
        except HungError as hung:
            raise HungError(f"{hung}\n{bench.fleet.stacks()}") from None
        row.mend(bench)
        bench.mend()
        if outcome is not None:
            return outcome
    raise AssertionError(f"a fault fires in one of {DRAWS_MAX} draws: {row.name} did not")


def run_many(row: Row, seeds: Sequence[int], deadline: float) -> Iterator[Record]:
    """Yields what came of a row's runs, until the time is over.

    A cluster in which a run went wrong is replaced.
    """
    left = list(seeds)
    if row.scenario is None:
        while left and time.monotonic() < deadline:
            yield _recorded(row, left.pop(0), None)
        return
    while left and time.monotonic() < deadline:
        with tempfile.TemporaryDirectory(prefix="faults-", ignore_cleanup_errors=True) as folder:
            world: AbstractContextManager[Bench] = WORLDS[row.world](Path(folder), left[0])
            with world as bench:
                is_well = True
                while is_well and left and time.monotonic() < deadline:
                    watch = Stopwatch()
                    record = _recorded(row, left.pop(0), bench)
                    record = replace(record, ran_s=round(watch.elapsed_s, 3))
                    is_well = record.outcome is not None
                    yield record


def _recorded(row: Row, seed: int, bench: Bench | None) -> Record:
    try:
        outcome = run_once(bench, row, seed) if bench else simulated(seed)
    except HungError as hung:
        return Record(row.name, seed, "hung", why=str(hung))
    except WrongError as wrong:
        return Record(row.name, seed, "wrong", why=str(wrong))
    except Exception as broken:  # noqa: BLE001 - counted, and shown
        return Record(row.name, seed, "broken", why=repr(broken))
    if outcome.finished:
        return Record(row.name, seed, "right", outcome)
    return Record(row.name, seed, "failed", outcome, bench.last_error if bench else "")
