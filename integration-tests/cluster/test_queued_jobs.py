"""A job that was accepted and not planned outlives its scheduler, whatever it was written in."""

from pathlib import Path

import pytest

import springald
from cluster.queued import check_answers, check_queued, queue_up
from cluster.waiting import wait_until


@pytest.mark.timeout(300)
def test_queued_jobs_outlive_their_scheduler(tmp_path: Path, numbers: Path) -> None:
    """Plans that are no text are written down whole before they are acknowledged (P3.6)."""
    with (
        springald.LocalCluster(1, 1, work_dir=tmp_path, state="sqlite") as cluster,
        cluster.connect() as con,
    ):
        jobs = queue_up(con, numbers)
        check_queued(jobs)
        cluster.scheduler.kill()
        wait_until(lambda: not cluster.scheduler.is_alive, "the scheduler is dead")
        cluster.restart_scheduler()
        check_answers(jobs)
