"""A job that waits behind a slow one, with a plan that is no text and too large for one write."""

from pathlib import Path

import springald
from cluster.tables import sum_of
from cluster.waiting import wait_until
from springald.progress import JobStatus

SLOW_TERMS = 400
LETTERS = 1024 * 1024


def queue_up(con: springald.Connection, numbers: Path) -> list[springald.Job]:
    """Starts a statement that is planned for seconds, and one that waits for that.

    The second one has a parameter of a megabyte.
    """
    con.register_parquet("numbers", numbers)
    slow = con.sql(sum_of(SLOW_TERMS))
    large = con.sql("SELECT length($1) AS n FROM numbers WHERE id = $2", ["x" * LETTERS, 1])
    jobs = [con.execute_plan(each.to_plan()) for each in (slow, large)]
    wait_until(lambda: all(each.id for each in jobs), "both are accepted")
    return jobs


def check_queued(jobs: list[springald.Job]) -> None:
    """Both are not planned yet."""
    assert [each.status for each in jobs] == [JobStatus.QUEUED] * len(jobs)


def check_answers(jobs: list[springald.Job]) -> None:
    """Both answers are right."""
    slow, large = jobs
    assert slow.result().to_pydict() == {"one": [SLOW_TERMS]}
    assert large.result().to_pydict() == {"n": [LETTERS]}
