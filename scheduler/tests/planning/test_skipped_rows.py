"""Rows behind an OFFSET are all there, also where they are ordered once more.

The engine in one process loses some of them, so that what is right is written here.
"""

import pyarrow as pa
import pytest
from planning.conftest import Simulate

from springald.errors import UnsupportedError
from springald_scheduler.planning.skipped_rows import check_skips

ROWS = pa.table(
    {"t": ["a", "b", None, "a", "", "c", "b", "a", "d"], "i": [1, 2, 3, 4, 5, 6, 7, 8, 9]}
)
GROUPED = "CREATE VIEW grouped AS SELECT t, count(*) AS n FROM rows GROUP BY t"
ANSWERS = {
    "SELECT * FROM (SELECT * FROM grouped ORDER BY t LIMIT 1 OFFSET 1) ORDER BY t, n": [("a", 3)],
    "SELECT * FROM (SELECT * FROM grouped ORDER BY t LIMIT 3 OFFSET 2) ORDER BY t": [
        ("b", 2),
        ("c", 1),
        ("d", 1),
    ],
    "SELECT * FROM (SELECT * FROM grouped ORDER BY t LIMIT 2 OFFSET 3) ORDER BY t, n": [
        ("c", 1),
        ("d", 1),
    ],
    "SELECT t, n FROM (SELECT n, t FROM grouped ORDER BY t LIMIT 2 OFFSET 1) ORDER BY t": [
        ("a", 3),
        ("b", 2),
    ],
    "SELECT * FROM (SELECT t, i FROM rows ORDER BY t LIMIT 4 OFFSET 1) ORDER BY t, i": [
        ("a", 1),
        ("a", 4),
        ("a", 8),
        ("b", 2),
    ],
    """SELECT t, row_number() OVER (ORDER BY t, n) FROM (
        SELECT * FROM grouped ORDER BY t LIMIT 2 OFFSET 1) ORDER BY t""": [("a", 1), ("b", 2)],
    """SELECT * FROM (SELECT * FROM (SELECT * FROM grouped ORDER BY t LIMIT 4 OFFSET 1)
        ORDER BY t, n LIMIT 2 OFFSET 1) ORDER BY t, n""": [("b", 2), ("c", 1)],
    "SELECT * FROM (SELECT * FROM grouped ORDER BY t LIMIT 2 OFFSET 1) ORDER BY n, t": [
        ("b", 2),
        ("a", 3),
    ],
}


@pytest.mark.parametrize("partitions", [1, 3])
@pytest.mark.parametrize("distribution", ["always", "never"])
@pytest.mark.parametrize("query", ANSWERS)
def test_rows_behind_an_offset_that_are_ordered_once_more_are_all_there(
    simulate: Simulate, query: str, distribution: str, partitions: int
) -> None:
    """A LIMIT keeps as many rows behind its OFFSET as it says, whatever the engine moves below."""
    settings = {"springald.distribution": distribution}
    if partitions > 1:
        settings["datafusion.execution.target_partitions"] = str(partitions)
    simulation = simulate(settings)
    simulation.upload("rows", ROWS)
    simulation.statement(GROUPED)
    columns = simulation.answer(query).to_pydict().values()
    assert list(zip(*columns, strict=True)) == ANSWERS[query]


def test_plan_that_loses_rows_and_cannot_be_mended_is_refused() -> None:
    """A plan that is made again where it runs would lose them there: it is refused instead."""
    kept = "Sort: a\n  Limit: skip=1, fetch=2\n    Sort: a, fetch=3"
    lost = "GlobalLimitExec: skip=1, fetch=1\n  SortExec: TopK(fetch=2), expr=[a@0 ASC]"
    with pytest.raises(UnsupportedError, match="OFFSET 1"):
        check_skips(lost, kept)
    check_skips(lost.replace("skip=1, fetch=1", "skip=1, fetch=2"), kept)
    check_skips(lost, kept.replace("skip=1, fetch=2", "skip=1, fetch=1"))
