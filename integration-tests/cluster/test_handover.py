"""An executor that is told to leave hands uploads over; their tables go on as if nothing was."""

from pathlib import Path

import pyarrow as pa
import pytest

import springald
from cluster.tables import SPREAD
from cluster.waiting import Stopwatch

ROWS = 1_000_000
LEFT_S_MAX = 20.0
"""Less than the time for which an executor stays that nobody relieves."""

SUM = "SELECT count(*) AS n, sum(id) AS s, count(DISTINCT word) AS w FROM sent"


def answer() -> dict[str, list[int]]:
    """The answer to the query, worked out here."""
    return {"n": [ROWS], "s": [sum(range(ROWS))], "w": [1_000]}


@pytest.mark.timeout(300)
def test_table_outlives_the_executor_that_it_was_sent_to(tmp_path: Path) -> None:
    """P4.7: SIGTERM costs an upload nothing; its executor leaves as soon as another one has it."""
    words = pa.array([f"word {number % 1_000}" for number in range(ROWS)])
    rows = pa.table({"id": range(ROWS), "word": words})
    with (
        springald.LocalCluster(2, 1, work_dir=tmp_path) as cluster,
        cluster.connect(**SPREAD) as con,
    ):
        con.register("sent", rows)
        assert con.sql(SUM).to_pydict() == answer()
        # All have held it in the end, whichever it was sent to.
        for executor in list(cluster.executors):
            cluster.add_executor()
            watch = Stopwatch()
            executor.terminate()
            assert con.sql(SUM).to_pydict() == answer()
            assert executor.wait(LEFT_S_MAX) == 0
            assert watch.elapsed_s < LEFT_S_MAX
            assert con.sql(SUM).to_pydict() == answer()
        handed = [each for each in cluster.executors if "upload is handed over" in each.log]
        assert handed
        assert len(con.executors()) == 2
