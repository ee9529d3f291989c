"""Jobs that are at work while a test looks, or does something to them."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import springald
from cluster.health import slots_free, slots_total
from cluster.tables import BUSY, SPREAD
from cluster.waiting import wait_until


def start_busy(con: springald.Connection, busy: Path) -> springald.Job:
    """Starts `BUSY` in a session whose queries are spread, and waits until its join is at work."""
    con.register_parquet("busy", busy)
    job = con.sql(BUSY).execute()
    wait_until(lambda: is_at_work(job, con), "the query joins, in all slots")
    return job


def is_at_work(job: springald.Job, con: springald.Connection) -> bool:
    """Tells whether a job holds all slots with its join, whose stage is the last but one.

    Raises:
        SpringaldError: The job has failed.
    """
    if job.error is not None:
        raise job.error
    progress = job.progress
    joins = progress.stages_finished >= progress.stages_total - 2
    return joins and progress.tasks_running > 0 and slots_free(con) == 0


@contextmanager
def occupied(cluster: springald.LocalCluster, busy: Path) -> Iterator[springald.Job]:
    """Keeps all slots of a cluster occupied for the time of a block."""
    with cluster.connect(**SPREAD) as con:
        job = start_busy(con, busy)
        try:
            yield job
        finally:
            job.cancel("the test is done with it")
            wait_until(lambda: slots_free(con) == slots_total(con), "all slots are free")
