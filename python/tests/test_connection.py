"""A connection: opening and closing it, and what it says about tables, jobs and executors."""

import gc
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest
from fake_cluster import FakeCluster, Script, running_cluster

import springald
from springald.client import Connection
from springald.errors import (
    InvalidArgumentError,
    JobNotFoundError,
    MessageTooLargeError,
    ProtocolMismatchError,
    SchedulerUnavailableError,
    SessionNotFoundError,
    SpringaldError,
    UnknownTableError,
)
from springald.limits import MESSAGE_BYTES_MAX
from springald.listings import TableInfo
from springald.physical.v1 import physical_pb2
from springald.progress import JobStatus

SECONDS_MAX = 10


def test_connect_nothing_there_fails_within_seconds() -> None:
    """Connecting to nothing fails soon, and names the address."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{bound.getsockname()[1]}"
        start = time.monotonic()
        with pytest.raises(SchedulerUnavailableError, match=address):
            springald.connect(f"springald://{address}")
        assert time.monotonic() - start < SECONDS_MAX


def test_connect_silent_host_fails_within_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    """A host that accepts and says nothing is not reachable either."""
    monkeypatch.setattr("springald.client_limits.CONNECT_MS_MAX", 200)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}"
        with pytest.raises(
            SchedulerUnavailableError, match=f"200 ms: got no answer from {address}"
        ):
            springald.connect(f"springald://{address}")


def test_connect_other_protocol_version_is_refused(cluster: FakeCluster) -> None:
    """Sides of different major versions part, and guess nothing (P1.1)."""
    cluster.protocol_major = 99
    with pytest.raises(ProtocolMismatchError, match="99"):
        springald.connect(cluster.url)


def test_connect_settings_are_sent_as_text(cluster: FakeCluster) -> None:
    """Settings of the first moment go with the session."""
    settings = {
        "springald.distribution": "always",
        "datafusion.execution.batch_size": 10,
        "x": True,
    }
    with springald.connect(cluster.url, **settings):
        assert list(cluster.sessions.values()) == [
            {
                "springald.distribution": "always",
                "datafusion.execution.batch_size": "10",
                "x": "true",
            }
        ]


def test_close_session_ends_on_the_scheduler_once(cluster: FakeCluster) -> None:
    """Closing tells the scheduler, and closing again says nothing."""
    con = springald.connect(cluster.url)
    con.close()
    con.close()
    assert cluster.calls == ["open", "close session1"]
    assert repr(con) == f"Connection('{cluster.url}', closed)"
    with pytest.raises(SessionNotFoundError):
        con.sql("SELECT 1")


def test_close_connection_dropped_is_closed(cluster: FakeCluster) -> None:
    """A connection that nobody holds is closed, and its thread ends."""
    con = springald.connect(cluster.url)
    frame = con.sql("SELECT 1")
    del con
    gc.collect()
    assert frame.to_arrow().num_rows == 1
    del frame
    gc.collect()
    cluster.wait_call("close session1")


def test_close_interpreter_ends_session_is_closed(cluster: FakeCluster) -> None:
    """A script that forgets to close, and leaves a result half read, ends cleanly."""
    cluster.default = Script(rows=pa.table({"a": list(range(1000))}), parts=50)
    code = (
        "import springald; "
        f"con = springald.connect('{cluster.url}'); "
        "reader = con.sql('SELECT 1').to_batches(); reader.read_next_batch(); print('done')"
    )
    ran = subprocess.run(  # noqa: S603 - this interpreter
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "done\n", "")
    cluster.wait_call("close session1")


def test_close_scheduler_ends_first_is_quiet() -> None:
    """A scheduler that stops while a client is connected leaves no noise on its terminal."""
    code = (
        "import springald; from fake_cluster import FakeCluster; cluster = FakeCluster(); "
        "con = springald.connect(cluster.url); con.sql('SELECT 1').to_arrow(); "
        "cluster.close(); con.close()"
    )
    ran = subprocess.run(  # noqa: S603 - this interpreter
        [sys.executable, "-c", code],
        cwd=Path(__file__).parent,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (ran.returncode, ran.stderr) == (0, "")


def test_keep_idle_session_is_kept_alive() -> None:
    """A session tells that it is alive well before its lease ends."""
    with running_cluster() as cluster:
        cluster.lease_ms = 30
        with springald.connect(cluster.url):
            cluster.wait_call("keep", times=3)


def test_keep_scheduler_away_for_a_moment_is_survived(cluster: FakeCluster) -> None:
    """A sign of life that fails does not end the session."""
    cluster.lease_ms = 30
    original = cluster.sessions
    with springald.connect(cluster.url) as con:
        cluster.forgetful = True
        cluster.wait_call("keep", times=2)
        cluster.forgetful = False
        assert con.tables() == {}
        assert cluster.sessions is original


def test_tables_registered_are_listed_by_name(cluster: FakeCluster, con: Connection) -> None:
    """`tables()` is a mapping in the order of names."""
    schema = pa.schema([("a", pa.int64())])
    cluster.tables = {"b": ("view", schema), "a": ("parquet", schema)}
    assert list(con.tables()) == ["a", "b"]
    assert con.tables()["b"] == TableInfo("b", "view", schema)


@pytest.mark.parametrize(
    ("name", "sql"),
    [
        ("t", "SELECT * FROM t"),
        ("My Table", 'SELECT * FROM "My Table"'),
        ("public.t", "SELECT * FROM public.t"),
        ("Other", "SELECT * FROM Other"),
    ],
)
def test_table_name_is_quoted_if_known(
    cluster: FakeCluster, con: Connection, name: str, sql: str
) -> None:
    """A name that `tables()` tells means that table; another is read as SQL reads it."""
    schema = pa.schema([("a", pa.int64())])
    cluster.tables = {"t": ("view", schema), "My Table": ("upload", schema)}
    assert con.table(name).sql == sql


def test_table_unknown_raises_at_once(cluster: FakeCluster, con: Connection) -> None:
    """A table that is not there is noticed when it is asked for."""
    cluster.default = Script(refusal=UnknownTableError("no table nope"))
    with pytest.raises(UnknownTableError):
        con.table("nope")


@pytest.mark.parametrize(
    ("register", "file_format"),
    [
        (Connection.register_parquet, physical_pb2.FILE_FORMAT_PARQUET),
        (Connection.register_csv, physical_pb2.FILE_FORMAT_CSV),
        (Connection.register_json, physical_pb2.FILE_FORMAT_JSON),
        (Connection.register_arrow, physical_pb2.FILE_FORMAT_ARROW),
    ],
)
def test_register_files_relative_path_is_made_absolute(
    cluster: FakeCluster,
    con: Connection,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    register: Callable[..., None],
    file_format: int,
) -> None:
    """A path means what it means to the caller, wherever the scheduler runs."""
    monkeypatch.chdir(tmp_path)
    register(con, "t", "data/../rows", has_header=False)
    files = cluster.files["t"]
    assert files.format == file_format
    assert files.path == str(tmp_path / "rows")
    assert [(option.name, option.value) for option in files.options] == [("has_header", "false")]


def test_register_files_url_and_folder_are_kept(
    cluster: FakeCluster, con: Connection, tmp_path: Path
) -> None:
    """A URL stays as it is, and a folder that is written as one stays one."""
    con.register_parquet("a", "s3://bucket/rows")
    con.register_parquet("b", f"{tmp_path}/")
    assert cluster.files["a"].path == "s3://bucket/rows"
    assert cluster.files["b"].path == f"{tmp_path}/"
    with pytest.raises(InvalidArgumentError, match="empty"):
        con.register_parquet("c", "")


@pytest.mark.parametrize(
    "call",
    [
        lambda con: con.sql("SELECT '\ud800'").to_arrow(),
        lambda con: con.sql("SELECT '\ud800'").schema,
        lambda con: con.register_parquet("\ud800", "t"),
        lambda con: con.register_parquet("t", "\udcff"),
        lambda con: con.register_csv("t", "t", delimiter="\ud800"),
        lambda con: con.register("\ud800", {"a": [1]}),
    ],
)
def test_call_half_a_character_is_refused(
    cluster: FakeCluster, con: Connection, call: Callable[[Connection], object]
) -> None:
    """Text that cannot be encoded is refused here, with its place."""
    with pytest.raises(InvalidArgumentError, match="UTF-8"):
        call(con)
    assert cluster.executed() == []


def test_deregister_table_and_view_are_dropped(cluster: FakeCluster, con: Connection) -> None:
    """Tables and views are dropped by their exact names; an unknown one is refused."""
    schema = pa.schema([("a", pa.int64())])
    cluster.tables = {"T": ("upload", schema), "v": ("view", schema)}
    con.deregister_table("T")
    con.deregister_table("v")
    assert cluster.executed() == ['DROP TABLE "T"', "DROP VIEW v"]
    with pytest.raises(UnknownTableError, match="'t'"):
        con.deregister_table("t")


def test_jobs_own_and_all_are_listed(cluster: FakeCluster, con: Connection) -> None:
    """A connection lists its own jobs, newest first, and everybody's when asked to."""
    con.sql("SELECT 1").to_arrow()
    con.sql("SELECT 2").to_arrow()
    with springald.connect(cluster.url) as other:
        other.sql("SELECT 3").to_arrow()
        assert [job.statement for job in other.jobs()] == ["SELECT 3"]
        assert len(other.jobs(all_sessions=True)) == 3
    first, second = con.jobs()
    assert (first.statement, second.statement) == ("SELECT 2", "SELECT 1")
    assert first.status is JobStatus.SUCCEEDED
    assert first.submitted == datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)


def test_cancel_job_by_id_ends_another_sessions_job(cluster: FakeCluster, con: Connection) -> None:
    """An operator stops any job by its id; an unknown one is an error."""
    cluster.default = Script(held=True)
    job = con.sql("SELECT 1").execute()
    with springald.connect(cluster.url) as operator:
        operator.cancel_job(job.id, "maintenance")
        with pytest.raises(JobNotFoundError):
            operator.cancel_job("j99")
    assert job.wait() is JobStatus.CANCELLED


def test_executors_are_listed(con: Connection) -> None:
    """The cluster's executors, with their slots."""
    (executor,) = con.executors()
    assert (executor.id, executor.slots, executor.state) == ("e1", 2, "active")


def test_call_message_too_large_is_not_sent(cluster: FakeCluster, con: Connection) -> None:
    """A message beyond the limit is refused here, with the limit's value."""
    with pytest.raises(MessageTooLargeError, match=str(MESSAGE_BYTES_MAX)):
        con.register_parquet("t", "x" * MESSAGE_BYTES_MAX)
    assert cluster.files == {}


def test_call_garbled_server_is_typed() -> None:
    """A server that speaks something else ends in a typed error, within seconds."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            peer, _ = server.accept()
            with peer:
                peer.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

        thread = threading.Thread(target=answer)
        thread.start()
        with pytest.raises(SpringaldError):
            springald.connect(f"springald://127.0.0.1:{server.getsockname()[1]}")
        thread.join()


def test_connection_two_threads_and_two_connections_at_once(cluster: FakeCluster) -> None:
    """Threads share a connection, and connections share a process."""
    cluster.default = Script(rows=pa.table({"a": list(range(100))}), parts=3)
    failures: list[BaseException] = []

    def work(con: Connection) -> None:
        try:
            for _ in range(10):
                assert con.sql("SELECT a FROM t").to_arrow().num_rows == 100
        except BaseException as error:  # noqa: BLE001 - told to the test's thread
            failures.append(error)

    with springald.connect(cluster.url) as one, springald.connect(cluster.url) as two:
        threads = [threading.Thread(target=work, args=(con,)) for con in (one, one, two)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert len(one.jobs()) == 20
        assert len(two.jobs()) == 10
    assert failures == []


@pytest.mark.parametrize("statement", [None, 1, b"SELECT 1"])
def test_sql_of_what_is_no_text_is_refused(con: Connection, statement: object) -> None:
    """What cannot be a statement is told as any other argument that is wrong."""
    with pytest.raises(InvalidArgumentError, match="a statement is text: got a "):
        con.sql(statement)  # type: ignore[arg-type]


@pytest.mark.parametrize("jobs_max", [0, -1, 1_001, 10**12])
def test_jobs_beyond_their_limits_are_refused(con: Connection, jobs_max: int) -> None:
    """A number that does not fit its message is no other error than one that is too large."""
    with pytest.raises(InvalidArgumentError, match="jobs_max is 1 to 1000"):
        con.jobs(jobs_max=jobs_max)
