"""Engine processes that die while they run a task: the task is lost, and nothing else is."""

import signal
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

import springald
from cluster.fixtures import started_in
from cluster.footprint import Footprint, children_running, lives, wait_computing
from cluster.health import slots_free, slots_total
from cluster.occupied import start_busy
from cluster.tables import SPREAD, SUMS, sum_of, sums
from cluster.waiting import wait_until
from springald import JobStatus
from springald.errors import TaskLostError


@pytest.fixture(scope="module")
def footprint(tmp_path_factory: pytest.TempPathFactory) -> Footprint:
    """Looks at the module's own cluster from outside."""
    return Footprint(tmp_path_factory.mktemp("own"))


@pytest.fixture(scope="module")
def cluster(footprint: Footprint) -> Iterator[springald.LocalCluster]:
    """A cluster of its own, whose processes are to die."""
    with started_in(footprint) as started:
        yield started


def _engines(executor: springald.ExecutorProcess) -> list[psutil.Process]:
    return children_running(psutil.Process(executor.pid), "engine_process")


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGSEGV, signal.SIGTERM])
def test_engine_process_killed_has_its_task_alone_run_again(
    con: springald.Connection,
    patient: springald.LocalCluster,
    busy: Path,
    how: signal.Signals,
) -> None:
    """An engine process that dies costs its task a try, and nothing else.

    Its executor stays registered, no other task runs again, and uploads and results that lie there
    are still readable.
    """
    con.register("sent", {"a": [1, 2, 3]})
    kept = con.sql("SELECT id FROM numbers WHERE id < 3 ORDER BY id").execute()
    assert kept.wait(20) is JobStatus.SUCCEEDED
    listed = con.executors()
    job = start_busy(con, busy)
    before = {task.task_id for task in job.statistics().tasks}
    _kill(patient.executors[0], how)
    wait_until(lambda: _tried_again(job), "the task runs again")
    after = {task.task_id for task in job.statistics().tasks}
    assert len(before - after) == 1, "one task has another attempt"
    assert job.status is JobStatus.RUNNING
    job.cancel()
    wait_until(lambda: slots_free(con) == slots_total(con), "all slots are free")
    assert [(e.id, e.pid) for e in con.executors()] == [(e.id, e.pid) for e in listed]
    assert kept.result().to_pydict() == {"id": [0, 1, 2]}
    assert con.table("sent").to_pydict() == {"a": [1, 2, 3]}
    assert con.sql(SUMS).to_pydict() == sums()


def test_task_that_takes_three_engines_down_fails_its_job_by_name(
    con: springald.Connection, patient: springald.LocalCluster
) -> None:
    """A task that kills what runs it is stopped, and its error says which one it is."""
    with patient.connect(**{"datafusion.execution.target_partitions": "1"}) as doomed:
        job = doomed.sql(_spin(10**12)).execute()
        for attempt in range(1, 4):
            wait_until(lambda: _runs(job, attempt), f"attempt {attempt} runs")  # noqa: B023
            (task,) = job.statistics().tasks
            _kill(next(e for e in patient.executors if e.executor_id == task.executor_id))
        assert job.wait(10) is JobStatus.FAILED
    error = job.error
    assert isinstance(error, TaskLostError)
    assert (error.fault, error.attempts) == ("cluster", 3)
    assert error.node_id == f"{job.id}/s1/t1#3"
    assert error.node_id in error.message
    assert isinstance(error.cause, TaskLostError)
    assert error.cause.node_id == f"{job.id}/s1/t1#1"
    assert con.sql(SUMS).to_pydict() == sums()


def test_engine_process_killed_does_not_disturb_other_queries(tmp_path: Path, busy: Path) -> None:
    """A query in another slot of the same executor goes on while its neighbour's engine dies."""
    footprint = Footprint(tmp_path)
    with springald.LocalCluster(executors=1, slots=2, work_dir=tmp_path) as cluster:
        settings = {**SPREAD, "datafusion.execution.target_partitions": "1"}
        with cluster.connect(**settings) as one, cluster.connect(**settings) as other:
            hit = one.sql(_spin(10**12)).execute()
            engine = wait_computing(psutil.Process(cluster.executors[0].pid))
            other.register_parquet("busy", busy)
            other_job = other.sql(_spin(4 * 10**8)).execute()
            wait_until(lambda: other_job.progress.tasks_running == 1, "both run side by side")
            assert hit.progress.tasks_running == 1
            engine.kill()
            wait_until(lambda: _tried_again(hit), "the task runs again")
            assert not other_job.status.is_final, "the neighbour was at work when it happened"
            assert other_job.result().column(0).to_pylist() == [4 * 10**8]
            assert not _tried_again(other_job)
            hit.cancel()
    assert footprint.processes() == []


def test_spare_engine_process_killed_is_replaced(patient: springald.LocalCluster) -> None:
    """Engine processes that die while they are idle cost nothing: new ones take their place."""
    executor = patient.executors[0]
    before = _engines(executor)
    assert before
    for engine in before:
        engine.kill()
    wait_until(
        lambda: {*_engines(executor)} - {*before} and not {*_engines(executor)} & {*before},
        "other engine processes are ready",
    )
    assert executor.is_alive


def test_planner_process_killed_costs_no_session(
    con: springald.Connection, patient: springald.LocalCluster
) -> None:
    """The scheduler's children may die between two statements: sessions stay as they were."""
    con.sql("CREATE VIEW kept AS SELECT 1 AS one")
    planners = children_running(psutil.Process(patient.scheduler.pid), "planner_process")
    assert planners, "planning happens in a process of its own"
    for planner in planners:
        planner.kill()
    wait_until(lambda: not any(map(lives, planners)), "the planners are gone")
    assert con.table("kept").to_pydict() == {"one": [1]}
    assert con.sql(SUMS).to_pydict() == sums()
    assert con.sql("SHOW springald.distribution").to_pydict()["value"] == ["always"]


def test_planner_process_killed_mid_statement_costs_that_statement(
    con: springald.Connection, patient: springald.LocalCluster
) -> None:
    """A planner that dies of a statement ends it with a typed error, and it alone."""
    con.sql("CREATE VIEW kept AS SELECT 1 AS one")
    job = con.sql(sum_of(5_000)).execute()
    planner = wait_computing(psutil.Process(patient.scheduler.pid))
    assert job.status is JobStatus.QUEUED
    planner.kill()
    assert job.wait(10) is JobStatus.FAILED
    assert job.error is not None
    assert con.table("kept").to_pydict() == {"one": [1]}
    assert con.sql(SUMS).to_pydict() == sums()


def _spin(rows: int) -> str:
    """Returns a query of one task that counts so many rows, one by one."""
    return f"SELECT count(value) FROM generate_series(1, {rows}) WHERE value % 2 + 1 > 0"


def _kill(executor: springald.ExecutorProcess, how: signal.Signals = signal.SIGKILL) -> None:
    """Ends the engine process of an executor that computes."""
    engine = wait_computing(psutil.Process(executor.pid))
    engine.send_signal(how)
    wait_until(lambda: not lives(engine), "the engine process is gone")


def _tried_again(job: springald.Job) -> bool:
    return any(task.task_id.endswith("#2") for task in job.statistics().tasks)


def _runs(job: springald.Job, attempt: int) -> bool:
    tasks = job.statistics().tasks
    return any(each.task_id.endswith(f"#{attempt}") and each.state == "running" for each in tasks)
