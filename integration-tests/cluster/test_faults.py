"""Processes that die, hang and lie at random moments of real queries; rows stay right.

A small fixed part of `python -m faults`: one run of each row that is quick. Each proves that its
fault fired, that rows are those of one process, that nothing hung, and that the cluster is well
afterwards.
"""

from collections.abc import Iterator

import pytest

from faults.bench import Bench
from faults.runs import run_once
from faults.table import ROWS, Row
from faults.worlds import WORLDS

SEED = 20
# Those that share a world stand side by side, so that it is started once.
TESTED = sorted((each for each in ROWS if each.tested), key=lambda row: row.world)


@pytest.fixture(scope="module")
def bench(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Bench]:
    """A cluster to break, which neighbours of one world share."""
    world = str(request.param)
    print(f"seed {SEED}")  # noqa: T201 - to run the same again
    with WORLDS[world](tmp_path_factory.mktemp(world.replace(" ", "-")), SEED) as running:
        yield running


@pytest.mark.parametrize(
    ("bench", "row"),
    [pytest.param(each.world, each, id=each.name) for each in TESTED],
    indirect=["bench"],
    scope="module",
)
def test_query_with_a_fault_has_the_rows_of_one_process(bench: Bench, row: Row) -> None:
    """P3.2, P4.3, P4.4, P5.4: whatever breaks, rows are right, or the loss is told."""
    outcome = run_once(bench, row, SEED)
    assert outcome.finished or row.failures_max is None, bench.last_error
