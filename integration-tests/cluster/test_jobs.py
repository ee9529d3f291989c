"""Jobs: what they tell, how they are stopped, and what becomes of their files."""

import gc
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

import springald
from cluster.footprint import Footprint
from cluster.health import slots_free, slots_total
from cluster.occupied import occupied, start_busy
from cluster.tables import FILES, NUMBERS_ROWS, SPREAD, SUMS, numbers_table, sums
from cluster.waiting import Stopwatch, wait_until
from springald import JobStatus
from springald.errors import CancelledError, JobNotFoundError, SessionNotFoundError

_CANCEL_S_MAX = 2.0
_CLIENTS = 8
_QUERIES_EACH = 6


def test_job_succeeded_tells_what_it_did(con: springald.Connection) -> None:
    """A job's figures add up: each task ran somewhere, each stage put out what its tasks did."""
    job = con.sql(SUMS).execute()
    assert job.wait(20) is JobStatus.SUCCEEDED
    progress = job.progress
    assert progress.tasks_finished == progress.tasks_total > 1
    assert progress.stages_finished == progress.stages_total > 1
    assert (progress.tasks_running, progress.fraction) == (0, 1.0)
    statistics = job.statistics()
    assert (statistics.job_id, statistics.status) == (job.id, JobStatus.SUCCEEDED)
    assert {task.state for task in statistics.tasks} == {"finished"}
    assert len(statistics.tasks) == progress.tasks_total
    assert sum(statistics.tasks_per_executor.values()) == progress.tasks_total
    assert set(statistics.tasks_per_executor) == {executor.id for executor in con.executors()}
    assert [stage.stage_id for stage in statistics.stages] == [*range(1, progress.stages_total + 1)]
    for stage in statistics.stages:
        tasks = [task for task in statistics.tasks if task.stage_id == stage.stage_id]
        assert len(tasks) == stage.tasks == stage.tasks_finished
        assert sum(task.rows_out for task in tasks) == stage.rows_out
        assert sum(task.bytes_out for task in tasks) == stage.bytes_out
        assert all(task.task_id.startswith(f"{job.id}/s{stage.stage_id}/") for task in tasks)
    first, last = statistics.stages[0], statistics.stages[-1]
    assert first.bytes_shuffled == first.bytes_out > 0
    assert (last.rows_out, last.bytes_shuffled) == (len(sums()["k"]), 0)
    read = sum(stage.bytes_read_local for stage in statistics.stages)
    assert read >= first.bytes_out, "the rest of the job read all that the first stage put out"
    assert not any(stage.bytes_read_remote for stage in statistics.stages), "all is on one host"


def test_job_of_executors_that_fetch_tells_what_crossed(
    footprint: Footprint, numbers: Path
) -> None:
    """Without reading in place, what another executor made is fetched and counted as remote."""
    with (
        springald.LocalCluster(2, 1, read_in_place=False, work_dir=footprint.folder) as cluster,
        cluster.connect(**SPREAD) as con,
    ):
        con.register_parquet("numbers", str(numbers))
        job = con.sql(SUMS).execute()
        assert job.result().num_rows == len(sums()["k"])
        statistics = job.statistics()
    assert all(statistics.tasks_per_executor.values())
    assert any(stage.bytes_read_local for stage in statistics.stages)
    assert any(stage.bytes_read_remote for stage in statistics.stages), "rows crossed executors"


def test_job_running_tells_its_progress(con: springald.Connection, busy: Path) -> None:
    """While a job runs it says so, with its tasks, to whoever asks and to listeners."""
    job = start_busy(con, busy)
    heard: list[springald.Progress] = []
    job.on_progress(heard.append)
    assert job.status is JobStatus.RUNNING
    assert job.error is None
    assert 0 < job.progress.tasks_finished < job.progress.tasks_total
    assert heard[0].tasks_running > 0
    statistics = job.statistics()
    states = {task.state for task in statistics.tasks}
    assert "running" in states
    assert statistics.elapsed_ms > 0
    (info,) = [listed for listed in con.jobs() if listed.id == job.id]
    assert (info.status, info.operation_id) == (JobStatus.RUNNING, job.operation_id)
    job.cancel()
    assert job.wait(10) is JobStatus.CANCELLED
    assert job.progress.tasks_running == 0


def test_jobs_are_listed_newest_first(con: springald.Connection) -> None:
    """`jobs()` lists this session's jobs; `all_sessions` everybody's; both newest first."""
    good = con.sql("SELECT 1 AS one").execute()
    good.wait()
    bad = con.sql("SELECT nothing FROM numbers")
    with pytest.raises(springald.CallerError):
        bad.to_arrow()
    mine = con.jobs()
    assert [(job.statement, job.status) for job in mine[:2]] == [
        ("SELECT nothing FROM numbers", JobStatus.FAILED),
        ("SELECT 1 AS one", JobStatus.SUCCEEDED),
    ]
    assert isinstance(mine[0].error, springald.CallerError)
    assert {job.session_id for job in mine} == {con.session_id}
    assert len(con.jobs(jobs_max=1)) == 1
    everybodys = [job.id for job in con.jobs(all_sessions=True, jobs_max=1000)]
    assert set(everybodys) > {job.id for job in mine}
    assert everybodys == sorted(everybodys, key=lambda name: -int(name.removeprefix("j")))


def test_job_cancelled_stops_within_two_seconds(
    con: springald.Connection, busy: Path, footprint: Footprint
) -> None:
    """Cancelling stops running tasks within two seconds and frees slots and files (P3.4)."""
    files_before = footprint.rows_files()
    job = start_busy(con, busy)
    assert footprint.rows_files() != files_before, "the first stages have put something out"
    watch = Stopwatch()
    job.cancel("enough of it")
    assert job.wait(_CANCEL_S_MAX) is JobStatus.CANCELLED
    wait_until(lambda: slots_free(con) == slots_total(con), "all slots are free", _CANCEL_S_MAX)
    wait_until(lambda: footprint.rows_files() <= files_before, "its files are gone", _CANCEL_S_MAX)
    assert watch.elapsed_s < _CANCEL_S_MAX
    with pytest.raises(CancelledError, match="enough of it"):
        job.result()
    assert con.sql(SUMS).to_pydict() == sums()


def test_job_cancelled_by_another_session_says_why(
    con: springald.Connection, patient: springald.LocalCluster, busy: Path
) -> None:
    """An operator stops a job by its id, and the job's owner reads the reason."""
    job = start_busy(con, busy)
    with patient.connect() as operator:
        operator.cancel_job(job.id, "maintenance at noon")
    with pytest.raises(CancelledError, match="maintenance at noon"):
        job.result()


def test_job_waiting_is_cancelled(
    con: springald.Connection, patient: springald.LocalCluster, busy: Path
) -> None:
    """A job that waits for slots can be cancelled like one that runs."""
    with occupied(patient, busy):
        job = con.sql(SUMS).execute()
        wait_until(lambda: job.progress.tasks_total > 0, "the job is planned")
        assert (job.status, job.progress.tasks_running) == (JobStatus.RUNNING, 0)
        job.cancel()
        assert job.wait(_CANCEL_S_MAX) is JobStatus.CANCELLED


def test_cancelling_ended_jobs_changes_nothing(con: springald.Connection) -> None:
    """A job that has ended stays as it ended; a job that never was is an error (P3.1, P3.4)."""
    job = con.sql("SELECT 1 AS one").execute()
    assert job.wait(20) is JobStatus.SUCCEEDED
    job.cancel()
    assert job.status is JobStatus.SUCCEEDED
    assert job.result().to_pydict() == {"one": [1]}
    with pytest.raises(JobNotFoundError, match="j987654321"):
        con.cancel_job("j987654321")


def test_result_dropped_removes_its_files(con: springald.Connection, footprint: Footprint) -> None:
    """When nobody holds a job any more, its files vanish from the executors (P5.5)."""
    files_before = footprint.rows_files()
    job = con.sql("SELECT * FROM numbers").execute()
    assert job.wait(20) is JobStatus.SUCCEEDED
    assert footprint.rows_files() != files_before
    del job
    gc.collect()
    wait_until(lambda: footprint.rows_files() <= files_before, "the files are gone")


def test_result_released_removes_its_files(con: springald.Connection, footprint: Footprint) -> None:
    """Releasing a job gives up its result at once; reading it afterwards is refused."""
    files_before = footprint.rows_files()
    job = con.sql("SELECT * FROM numbers").execute()
    assert job.wait(20) is JobStatus.SUCCEEDED
    assert footprint.rows_files() != files_before
    job.release()
    wait_until(lambda: footprint.rows_files() <= files_before, "the files are gone")
    job.release()
    with pytest.raises(JobNotFoundError):
        job.result()


def test_result_read_removes_its_files(con: springald.Connection, footprint: Footprint) -> None:
    """A result that was read to its end is given up; as a table it can be asked for again."""
    files_before = footprint.rows_files()
    job = con.sql("SELECT id FROM numbers ORDER BY id").execute()
    assert job.result().column(0).to_pylist() == list(range(NUMBERS_ROWS))
    wait_until(lambda: footprint.rows_files() <= files_before, "the files are gone")
    assert job.result() is job.result()
    assert job.result_batches().read_all().equals(job.result())


def test_session_closed_ends_its_jobs_and_files(
    patient: springald.LocalCluster, busy: Path, footprint: Footprint
) -> None:
    """Closing a session cancels its jobs and removes its results and uploads."""
    files_before = footprint.rows_files()
    con = patient.connect(**SPREAD)
    con.register("mine", numbers_table(100))
    kept = con.sql("SELECT * FROM mine").execute()
    assert kept.wait(20) is JobStatus.SUCCEEDED
    running = start_busy(con, busy)
    assert footprint.rows_files() != files_before
    con.close()
    assert running.wait(_CANCEL_S_MAX) in (JobStatus.CANCELLED, JobStatus.FAILED)
    wait_until(lambda: footprint.rows_files() <= files_before, "the files are gone")
    with pytest.raises(SessionNotFoundError):
        con.sql("SELECT 1")
    with patient.connect() as other:
        wait_until(lambda: slots_free(other) == slots_total(other), "the slots are free")


def test_sessions_with_equal_table_names_do_not_mix(patient: springald.LocalCluster) -> None:
    """Two clients at once with tables of one name each see their own."""
    both_are_in = threading.Barrier(2, timeout=20)

    def ask(factor: int) -> list[int]:
        with patient.connect(**SPREAD) as con:
            con.register("mine", {"a": [factor * i for i in range(1000)]})
            con.sql(f"CREATE VIEW big AS SELECT * FROM mine WHERE a >= {factor * 900}")
            both_are_in.wait()
            answers = [
                con.sql("SELECT sum(a) FROM big").to_arrow().column(0)[0].as_py()
                for _ in range(_QUERIES_EACH)
            ]
            both_are_in.wait()
        return answers

    with ThreadPoolExecutor(2) as pool:
        one, thousand = pool.map(ask, (1, 1000))
    expected = sum(range(900, 1000))
    assert one == [expected] * _QUERIES_EACH
    assert thousand == [1000 * expected] * _QUERIES_EACH


def test_many_small_queries_at_once_are_answered(
    patient: springald.LocalCluster, numbers: Path
) -> None:
    """Many clients with many small queries each get their answers, spread or not."""

    def ask(client: int) -> list[int]:
        settings = SPREAD if client % 2 else {}
        with patient.connect(**settings) as con:
            con.register_parquet("numbers", numbers)
            return [
                con.sql(f"SELECT count(*) FROM numbers WHERE id < {at + client}")
                .to_arrow()
                .column(0)[0]
                .as_py()
                for at in range(_QUERIES_EACH)
            ]

    with ThreadPoolExecutor(_CLIENTS) as pool:
        answers = list(pool.map(ask, range(_CLIENTS)))
    assert answers == [[at + client for at in range(_QUERIES_EACH)] for client in range(_CLIENTS)]


def test_one_connection_serves_many_threads(con: springald.Connection) -> None:
    """A connection may be used from several threads at once."""
    with ThreadPoolExecutor(_CLIENTS) as pool:
        queries = [f"SELECT max(id) FROM numbers WHERE id <= {at}" for at in range(16)]
        answers = list(pool.map(lambda sql: con.sql(sql).to_arrow().column(0)[0].as_py(), queries))
    assert answers == list(range(16))


def test_more_tasks_than_slots_take_turns(con: springald.Connection) -> None:
    """A stage with more partitions than there are slots runs all of them."""
    con.sql("SET datafusion.execution.target_partitions = 16")
    job = con.sql(SUMS).execute()
    assert job.result().to_pydict() == sums()
    partitions = [len(task.partitions) for task in job.statistics().tasks]
    assert sum(partitions) > 2 * slots_total(con)
    assert slots_total(con) < FILES
