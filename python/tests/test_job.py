"""A job is followed to its end, whatever happens to the wire, and is released when nobody cares."""

import gc
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pyarrow as pa
import pytest
from fake_cluster import WAIT_S_MAX, FakeCluster, Script

from springald.client import Connection
from springald.errors import (
    CancelledError,
    CastFailedError,
    DivisionByZeroError,
    FetchFailedError,
    JobNotFoundError,
    PlanTooLargeError,
    SchedulerRestartedError,
    SchedulerUnavailableError,
    SpringaldError,
)
from springald.limits import STATEMENT_BYTES_MAX
from springald.progress import JobStatus, Progress

SQL = "SELECT 1"


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Pauses between tries are for real networks."""
    monkeypatch.setattr("springald.backoff.BACKOFF_FIRST_MS", 1)
    monkeypatch.setattr("springald.backoff.BACKOFF_MS_MAX", 4)


def assert_no_fetch() -> None:
    """Waits until no thread fetches rows any more."""
    for thread in threading.enumerate():
        if thread.name == "springald-rows":
            thread.join(WAIT_S_MAX / 2)
            assert not thread.is_alive()


@contextmanager
def interrupt_when(condition: Callable[[], None]) -> Iterator[None]:
    """Presses Ctrl-C once a condition holds."""

    def press() -> None:
        condition()
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    thread = threading.Thread(target=press)
    thread.start()
    try:
        yield
    finally:
        thread.join()


def test_execute_running_job_tells_where_it_stands(cluster: FakeCluster, con: Connection) -> None:
    """`execute` returns while the job runs; status, progress and the reason to wait follow it."""
    cluster.default = Script(held=True)
    job = con.sql(SQL).execute()
    told: list[Progress] = []
    advanced = threading.Event()

    def listen(progress: Progress) -> None:
        told.append(progress)
        if progress.tasks_finished == 3:
            advanced.set()

    job.on_progress(listen)
    cluster.advance(SQL, 3)
    assert advanced.wait(WAIT_S_MAX)
    assert job.id == "j1"
    assert job.status is JobStatus.RUNNING
    assert job.progress.fraction == 0.75
    assert job.waiting_reason == "the test holds it"
    assert job.error is None
    assert not job.wait(0.01).is_final
    assert "3/4 tasks" in repr(job)
    cluster.default.held = False
    assert job.wait() is JobStatus.SUCCEEDED
    assert job.result().to_pydict() == {"one": [1]}
    assert told[-1].tasks_finished == 4


def test_on_progress_listener_that_fails_changes_nothing(
    cluster: FakeCluster, con: Connection, caplog: pytest.LogCaptureFixture
) -> None:
    """What a listener raises is logged, and the job goes on."""

    def listen(progress: Progress) -> None:
        raise RuntimeError(f"no {progress}")

    cluster.default = Script(held=True)
    job = con.sql(SQL).execute()
    job.on_progress(listen)
    cluster.default.held = False
    assert job.wait() is JobStatus.SUCCEEDED
    assert "a listener of" in caplog.text


def test_result_failed_job_raises_its_error(cluster: FakeCluster, con: Connection) -> None:
    """A job's error arrives typed and whole, each time it is asked for."""
    cluster.default = Script(
        error=DivisionByZeroError("a / b", node_id="j1/s1/t1#1", executor_id="e1")
    )
    job = con.sql(SQL).execute()
    assert job.wait() is JobStatus.FAILED
    for _ in range(2):
        with pytest.raises(DivisionByZeroError) as caught:
            job.result()
        assert caught.value.node_id == "j1/s1/t1#1"
        assert caught.value.executor_id == "e1"
    assert isinstance(job.error, DivisionByZeroError)


def test_result_parts_come_in_order(cluster: FakeCluster, con: Connection) -> None:
    """Parts are read in the order in which they are listed (P5.3)."""
    rows = pa.table({"a": list(range(1000))})
    cluster.default = Script(rows=rows, parts=7)
    assert con.sql(SQL).to_arrow().equals(rows)


def test_result_inline_rows_need_no_executor(cluster: FakeCluster, con: Connection) -> None:
    """Rows that the scheduler made itself travel in its answer, and can be read again."""
    cluster.default = Script(inline=True)
    job = con.sql(SQL).execute()
    assert job.result_batches().read_all().num_rows == 1
    assert job.result_batches().read_all().num_rows == 1
    assert "get" not in cluster.calls


def test_result_part_fails_typed(cluster: FakeCluster, con: Connection) -> None:
    """An error while rows are fetched keeps its type (P6.1)."""
    cluster.default = Script(lost_part=CastFailedError("'x' is no number"))
    with pytest.raises(CastFailedError, match="no number"):
        con.sql(SQL).to_arrow()


def test_result_executor_gone_is_a_fetch_failure(cluster: FakeCluster, con: Connection) -> None:
    """An executor that went away with its rows is the cluster's fault, and names the address."""
    job = con.sql(SQL).execute()
    job.wait()
    cluster.flight.shutdown()
    with pytest.raises(FetchFailedError, match=cluster.flight.address):
        job.result()


def test_result_read_to_the_end_is_released(cluster: FakeCluster, con: Connection) -> None:
    """Rows that were read are given up at once; a table stays with its job."""
    job = con.sql(SQL).execute()
    table = job.result()
    cluster.wait_call(f"release {job.operation_id}")
    assert job.result() is table
    assert job.result_batches().read_all().equals(table)


def test_result_batches_second_reading_is_refused(cluster: FakeCluster, con: Connection) -> None:
    """A stream is read once, and a second reading says what to do."""
    job = con.sql(SQL).execute()
    job.result_batches().read_all()
    cluster.wait_call("release")
    with pytest.raises(JobNotFoundError, match="execute the query again"):
        job.result_batches()


def test_result_batches_dropped_reader_releases(cluster: FakeCluster, con: Connection) -> None:
    """A reader that is dropped in the middle ends the fetch and gives the result up."""
    stopped = threading.Event()
    schema = pa.schema([("a", pa.binary())])

    def batches() -> Iterator[pa.RecordBatch]:
        try:
            while True:
                yield pa.record_batch([[b"x" * 1024 * 1024]], schema=schema)
        finally:
            stopped.set()

    cluster.default = Script(schema=schema, batches=batches)
    reader = con.sql("SELECT a FROM endless").to_batches()
    reader.read_next_batch()
    del reader
    gc.collect()
    cluster.wait_call("release")
    assert stopped.wait(WAIT_S_MAX)


def test_result_batches_reader_never_read_releases(cluster: FakeCluster, con: Connection) -> None:
    """A reader that nobody read from ends the fetch as well."""
    reader = con.sql(SQL).to_batches()
    del reader
    gc.collect()
    cluster.wait_call("release")
    assert_no_fetch()


def test_job_dropped_while_running_is_released(cluster: FakeCluster, con: Connection) -> None:
    """A job that became garbage is given up on the cluster, and its watcher ends."""
    cluster.default = Script(held=True)
    job = con.sql(SQL).execute()
    operation_id = job.operation_id
    del job
    gc.collect()
    cluster.wait_call(f"release {operation_id}")


def test_job_kept_is_not_released(cluster: FakeCluster, con: Connection) -> None:
    """A job that somebody holds keeps its result."""
    job = con.sql(SQL).execute()
    job.wait()
    gc.collect()
    con.sql("SELECT 2").to_arrow()
    cluster.wait_call("release")
    assert f"release {job.operation_id}" not in cluster.calls
    job.release()
    cluster.wait_call(f"release {job.operation_id}")


@pytest.mark.parametrize("breaks", [1, 5])
def test_wait_broken_stream_is_attached_again(
    cluster: FakeCluster, con: Connection, breaks: int
) -> None:
    """A stream that breaks cancels nothing: the client attaches by its operation id (P3.3)."""
    cluster.default = Script(breaks=breaks)
    assert con.sql(SQL).to_arrow().num_rows == 1
    assert cluster.executed() == [SQL]
    assert cluster.calls.count("attach") == breaks


def test_execute_without_a_scheduler_says_that_none_is_there(
    cluster: FakeCluster, con: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A statement that reaches nobody all the time that it waits was not too slow."""
    monkeypatch.setattr("springald.job.CALL_MS_MAX", 300)
    cluster.default = Script(refusal=SchedulerUnavailableError("away"))
    with pytest.raises(SchedulerUnavailableError):
        con.sql("SELECT 1").execute()


def test_wait_stream_broken_for_good_fails(
    cluster: FakeCluster, con: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Attaching again is tried for a limited time while there is no news."""
    monkeypatch.setattr("springald.job_watch.SCHEDULER_AWAY_MS_MAX", 300)
    cluster.default = Script(held=True)
    job = con.sql(SQL).execute()
    cluster.default.held = True
    cluster.grpc_server.stop(None).wait()
    with pytest.raises(SchedulerUnavailableError, match=str(cluster.port)):
        job.result()
    assert job.status is JobStatus.FAILED


def test_wait_scheduler_forgot_session_says_so(cluster: FakeCluster, con: Connection) -> None:
    """A scheduler that came back without its memory is told apart from a job that never was."""
    cluster.default = Script(held=True, breaks=1)
    cluster.forgetful = False
    original = cluster.note

    def forget(call: str) -> None:
        if call == "execute":
            cluster.forgetful = True
        original(call)

    cluster.note = forget  # type: ignore[method-assign]
    with pytest.raises(SchedulerRestartedError, match="connect again"):
        con.sql(SQL).to_arrow()


def test_cancel_running_job_ends_it(cluster: FakeCluster, con: Connection) -> None:
    """Cancelling ends the job with its reason, for everybody who waits."""
    cluster.default = Script(held=True)
    job = con.sql(SQL).execute()
    job.cancel("enough")
    assert job.wait(WAIT_S_MAX) is JobStatus.CANCELLED
    with pytest.raises(CancelledError, match="enough"):
        job.result()


def test_wait_ctrl_c_cancels_on_the_cluster(cluster: FakeCluster, con: Connection) -> None:
    """Ctrl-C while waiting for rows stops the job where it runs."""
    cluster.default = Script(held=True)
    with (
        interrupt_when(lambda: cluster.wait_call("execute")),
        pytest.raises(KeyboardInterrupt),
    ):
        con.sql(SQL).to_arrow()
    cluster.wait_call("cancel")


def test_read_ctrl_c_while_executor_is_silent_returns(
    cluster: FakeCluster, con: Connection
) -> None:
    """Ctrl-C works while an executor does not answer, and gives the result up."""
    schema = pa.schema([("a", pa.int64())])
    silence = threading.Event()

    def batches() -> Iterator[pa.RecordBatch]:
        silence.wait(WAIT_S_MAX)
        yield from ()

    cluster.default = Script(schema=schema, batches=batches)
    try:
        with interrupt_when(lambda: cluster.wait_call("get")), pytest.raises(KeyboardInterrupt):
            con.sql(SQL).to_arrow()
        cluster.wait_call("release")
    finally:
        silence.set()


def test_read_executor_silent_too_long_fails(
    cluster: FakeCluster, con: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Waiting for rows has an end."""
    monkeypatch.setattr("springald.part_reader.ROWS_SILENCE_MS_MAX", 50)
    schema = pa.schema([("a", pa.int64())])
    silence = threading.Event()

    def batches() -> Iterator[pa.RecordBatch]:
        silence.wait(WAIT_S_MAX)
        yield from ()

    cluster.default = Script(schema=schema, batches=batches)
    try:
        with pytest.raises(FetchFailedError, match="50 ms"):
            con.sql(SQL).to_arrow()
        assert_no_fetch()
    finally:
        silence.set()


def test_statistics_tasks_and_bytes_are_summed(con: Connection) -> None:
    """Statistics tell tasks per executor, and rows and bytes by stage."""
    job = con.sql(SQL).execute()
    statistics = job.statistics()
    assert statistics.tasks_per_executor == {"e1": 2, "e2": 1}
    assert statistics.bytes_shuffled == 512
    assert [stage.rows_out for stage in statistics.stages] == [9, 3]
    assert statistics.stages[0].tasks == 2
    assert statistics.tasks[0].task_id == "j1/s1/t1#1"
    assert statistics.decisions == ("t is read in 4 partitions",)
    assert [stage.stage_id for stage in job.graph().stages] == [1, 2]


def test_explain_job_prints_stages_and_figures(
    con: Connection, capsys: pytest.CaptureFixture[str]
) -> None:
    """A job explains what it did: stages, exchanges, operators and what was measured."""
    job = con.sql(SQL).execute()
    job.explain()
    out = capsys.readouterr().out
    assert out == f"{job.profile().to_text()}\n"
    assert "Stage 1: 4 partitions -> hash by [a], 2 partitions" in out
    assert "reads stage 1 -> result, 2 partitions\n  -- one task: it is small" in out
    assert "AggregateExec: gby=[a]\n      ExchangeRead" in out
    assert "9 rows out" in out


def test_profile_of_any_job_is_found_by_its_id(con: Connection) -> None:
    """An operator looks at a job of another session."""
    job = con.sql(SQL).execute()
    assert con.profile(job.id).job_id == job.id
    with pytest.raises(JobNotFoundError):
        con.profile("j999")


def test_execute_statement_too_large_is_refused_here(con: Connection) -> None:
    """A statement that the scheduler would refuse is not sent."""
    with pytest.raises(PlanTooLargeError, match=str(STATEMENT_BYTES_MAX)):
        con.sql(f"SELECT '{'x' * STATEMENT_BYTES_MAX}'").to_arrow()


def test_execute_closed_connection_is_refused(cluster: FakeCluster, con: Connection) -> None:
    """After closing, nothing is sent, and the error says what to do."""
    frame = con.sql(SQL)
    job = frame.execute()
    con.close()
    for call in (frame.to_arrow, lambda: frame.schema, con.tables, job.cancel):
        with pytest.raises(SpringaldError, match="connect again"):
            call()
    assert cluster.executed() == [SQL]
