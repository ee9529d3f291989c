"""Queries while there is no executor: they wait and say why, go on when one comes, or fail."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

import springald
from cluster.footprint import Footprint
from cluster.tables import SPREAD, SUMS, sums
from cluster.waiting import Stopwatch, wait_until
from springald import JobStatus
from springald.errors import ExecutorLostError, NoExecutorError

_LIMIT_S = 3.0


@pytest.fixture(scope="module")
def lonely(tmp_path_factory: pytest.TempPathFactory) -> Iterator[springald.LocalCluster]:
    """A scheduler alone, which lets jobs wait for an executor for a short time."""
    footprint = Footprint(tmp_path_factory.mktemp("own"))
    with footprint.environment({"no_executor_timeout": str(_LIMIT_S)}):
        cluster = springald.LocalCluster(executors=0, slots=1, work_dir=footprint.folder)
    with cluster:
        yield cluster


def test_query_without_executors_waits_visibly_and_fails(lonely: springald.LocalCluster) -> None:
    """A query that no executor can run says so, and fails after the named limit (P3.5).

    What needs no executor is answered all the same.
    """
    with lonely.connect() as con:
        watch = Stopwatch()
        job = con.sql("SELECT value FROM generate_series(1, 3)").execute()
        wait_until(lambda: "executor" in job.waiting_reason, "the job says why it waits", _LIMIT_S)
        (info,) = [listed for listed in con.jobs() if listed.id == job.id]
        assert "executor" in info.waiting_reason
        assert con.sql("SHOW springald.distribution").to_pydict()["value"] == ["auto"]
        assert job.wait(2 * _LIMIT_S) is springald.JobStatus.FAILED
        assert watch.elapsed_s > _LIMIT_S / 2
        with pytest.raises(NoExecutorError, match=f"{_LIMIT_S:g} s") as raised:
            job.result()
        assert raised.value.retryable
        assert job.waiting_reason == ""


def test_upload_without_executors_fails_after_the_limit(lonely: springald.LocalCluster) -> None:
    """Rows that no executor can take are refused after the same limit."""
    watch = Stopwatch()
    with lonely.connect() as con, pytest.raises(NoExecutorError):
        con.register("sent", {"a": [1]})
    assert _LIMIT_S / 2 < watch.elapsed_s < 3 * _LIMIT_S


def _waits(job: springald.Job) -> bool:
    return bool(job.waiting_reason)


_PATIENCE_S = 15


def test_query_goes_on_when_an_executor_comes(tmp_path: Path, numbers: Path) -> None:
    """A query that waits for an executor is answered when one comes (P3.5).

    It makes no difference whether there was none yet, or the last one is gone: with it went the
    results and uploads that it held, which is said of them and does not wait.
    """
    with (
        Footprint(tmp_path).environment({"no_executor_timeout": str(_PATIENCE_S)}),
        springald.LocalCluster(executors=0, slots=1, work_dir=tmp_path) as cluster,
        cluster.connect(**SPREAD) as con,
    ):
        con.register_parquet("numbers", numbers)
        for _ in range(2):
            job = con.sql(SUMS).execute()
            wait_until(partial(_waits, job), "the job says why it waits")
            added = cluster.add_executor()
            assert job.result().to_pydict() == sums()
            assert job.waiting_reason == ""
            assert [*job.statistics().tasks_per_executor] == [added.executor_id]
            con.register("sent", {"a": [1, 2, 3]})
            kept = con.sql("SELECT id FROM numbers").execute()
            assert kept.wait(20) is JobStatus.SUCCEEDED
            added.kill()
            wait_until(lambda: not con.executors(), "the scheduler has noticed")
            with pytest.raises(NoExecutorError) as lost:
                kept.result()  # asks for it to be made again
            assert lost.value.retryable
            with pytest.raises(ExecutorLostError, match="register the table again"):
                con.table("sent").to_arrow()
