"""Processes that die, hang and lie at random moments of real queries; rows stay right.

A small fixed part of `python -m faults`: each scenario proves that its fault fired, that rows are
those of one process, that nothing hung, and that the cluster is well afterwards.
"""

from collections.abc import Iterator

import pytest

from faults.bench import Bench, started
from faults.runs import run_once
from faults.scenarios import SCENARIOS

_SEED = 20


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    """A cluster of three executors to break."""
    print(f"seed {_SEED}")  # noqa: T201 - to run the same again
    with started(tmp_path_factory.mktemp("faults"), _SEED) as running:
        yield running


@pytest.mark.parametrize("name", SCENARIOS)
def test_query_with_a_fault_has_the_rows_of_one_process(bench: Bench, name: str) -> None:
    """P3.2, P4.3, P4.4, P5.4: whatever breaks, rows are right, or the loss is told."""
    outcome = run_once(bench, name)
    assert outcome.took_s > 0
