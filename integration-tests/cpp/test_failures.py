"""What the C++ client does when a cluster fails it: a scripted one, which fails on demand."""

import time
from collections.abc import Callable, Iterator

import pyarrow as pa
import pytest
from fake_cluster import FakeCluster, Script, running_cluster, syntax_error

from conformance.program import Program, started
from conformance.rows import table_from_ipc
from cpp.programs import BUILD
from springald.conformance.v1 import client_pb2, vector_pb2
from springald.error.v1 import error_pb2
from springald.errors import FetchFailedError, UnknownTableError

CLIENT = BUILD / "conformance" / "client_under_test"
ROWS = pa.table({"a": list(range(10))})


@pytest.fixture
def cluster() -> Iterator[FakeCluster]:
    """A scripted cluster."""
    with running_cluster() as cluster:
        yield cluster


@pytest.fixture
def client() -> Iterator[Program]:
    """The C++ client under test; that it ends well is checked when the test is over."""
    assert CLIENT.exists(), f"the C++ build must have run: got no {CLIENT}; run ./dev cpp"
    with started([str(CLIENT)]) as program:
        yield program


@pytest.fixture
def con(client: Program, cluster: FakeCluster) -> Program:
    """The client with a session of the scripted cluster, which has no name."""
    client.ask(client_pb2.Call(connect=client_pb2.Connect(url=cluster.url)))
    client.ask(client_pb2.Call(open=client_pb2.OpenCall()))
    return client


def _execute(
    con: Program,
    sql: str,
    cancel: vector_pb2.CancelMoment.ValueType = vector_pb2.CANCEL_MOMENT_UNSPECIFIED,
) -> client_pb2.Answer:
    execute = vector_pb2.Execute(cancel=cancel)
    execute.statement.sql.text = sql
    return con.ask(client_pb2.Call(execute=client_pb2.ExecuteCall(execute=execute)))


def _error(con: Program, sql: str) -> error_pb2.Error:
    answer = _execute(con, sql)
    assert answer.HasField("error"), answer
    return answer.error


def test_stream_broken_is_attached_again(con: Program, cluster: FakeCluster) -> None:
    """A stream that breaks cancels nothing: the client attaches by its operation id (P3.3)."""
    cluster.scripts["q"] = Script(rows=ROWS, breaks=2)
    assert table_from_ipc(_execute(con, "q").rows) == ROWS
    assert cluster.calls.count("attach") == 2
    assert cluster.executed() == ["q"]


def test_scheduler_without_memory_says_so(
    con: Program, cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A scheduler that came back without its memory is told apart from a job that never was."""
    cluster.scripts["q"] = Script(breaks=1)
    monkeypatch.setattr(cluster, "note", _forgetting(cluster))
    error = _error(con, "q")
    assert error.code == error_pb2.CODE_SCHEDULER_RESTARTED
    assert error.retryable


def _forgetting(cluster: FakeCluster) -> Callable[[str], None]:
    """Has a cluster forget its sessions once it has taken a statement."""
    remember = cluster.note

    def note(call: str) -> None:
        remember(call)
        if call == "execute":
            cluster.forgetful = True

    return note


@pytest.mark.parametrize("as_job", [True, False], ids=["job", "call"])
def test_error_arrives_whole(con: Program, cluster: FakeCluster, *, as_job: bool) -> None:
    """Code, fault, position and text are those that the scheduler sent, with a caret added."""
    told = syntax_error(1, 3)
    cluster.scripts["SELEKT"] = Script(error=told) if as_job else Script(refusal=told)
    error = _error(con, "SELEKT")
    assert (error.code, error.fault) == (error_pb2.CODE_SQL_SYNTAX, error_pb2.FAULT_CALLER)
    assert (error.position.line, error.position.column) == (1, 3)
    assert error.message == "the text must parse: got FORM\nline 1: SELEKT\n          ^"


def test_parts_come_in_order_and_the_job_is_released(con: Program, cluster: FakeCluster) -> None:
    """Parts are read in the order in which they are listed (P5.3), and then given up."""
    cluster.scripts["q"] = Script(rows=ROWS, parts=3, rows_told=1)
    assert table_from_ipc(_execute(con, "q").rows) == ROWS
    cluster.wait_call("release")


def test_part_with_fewer_rows_than_told_is_refused(con: Program, cluster: FakeCluster) -> None:
    """Rows that end before their number is reached are no answer."""
    cluster.scripts["q"] = Script(rows=ROWS, rows_told=11)
    error = _error(con, "q")
    assert error.code == error_pb2.CODE_FETCH_FAILED
    assert "got 10 of 11" in error.message


def test_part_that_fails_keeps_its_error(con: Program, cluster: FakeCluster) -> None:
    """An error while rows are fetched keeps its type (P6.1)."""
    cluster.scripts["q"] = Script(lost_part=FetchFailedError("the file is gone", node_id="j1/s1"))
    error = _error(con, "q")
    assert (error.code, error.message, error.node_id) == (
        error_pb2.CODE_FETCH_FAILED,
        "the file is gone",
        "j1/s1",
    )


def test_executor_gone_is_a_fetch_failure(con: Program, cluster: FakeCluster) -> None:
    """An executor that went away with its rows is the cluster's fault, and names the address."""
    cluster.flight.shutdown()
    error = _error(con, "q")
    assert (error.code, error.fault) == (error_pb2.CODE_FETCH_FAILED, error_pb2.FAULT_CLUSTER)
    assert cluster.flight.address in error.message


def test_client_after_errors_goes_on(con: Program, cluster: FakeCluster) -> None:
    """After an error the same session answers the next statement (P6.3)."""
    cluster.scripts["bad"] = Script(refusal=UnknownTableError("no table t"))
    assert _error(con, "bad").code == error_pb2.CODE_UNKNOWN_TABLE
    assert _execute(con, "good").HasField("rows")


def test_cancel_ends_a_held_job(con: Program, cluster: FakeCluster) -> None:
    """A cancelled job ends with CANCELLED and its reason, and its rows are never waited for."""
    cluster.scripts["q"] = Script(held=True)
    answer = _execute(con, "q", cancel=vector_pb2.CANCEL_MOMENT_AT_ONCE)
    assert answer.error.code == error_pb2.CODE_CANCELLED
    assert "a vector wants it" in answer.error.message


def test_other_protocol_is_refused(client: Program, cluster: FakeCluster) -> None:
    """Sides with different major versions part (P1.1)."""
    cluster.protocol_major = 2
    client.ask(client_pb2.Call(connect=client_pb2.Connect(url=cluster.url)))
    answer = client.ask(client_pb2.Call(open=client_pb2.OpenCall()))
    assert answer.error.code == error_pb2.CODE_PROTOCOL_MISMATCH


def test_session_is_kept_and_closed(con: Program, cluster: FakeCluster) -> None:
    """A session ends with the client's own object, and a closed one is refused without a call."""
    con.ask(client_pb2.Call(close=client_pb2.CloseCall()))
    cluster.wait_call("close session1")
    assert _error(con, "q").code == error_pb2.CODE_SESSION_NOT_FOUND
    assert cluster.executed() == []


def test_session_with_a_short_lease_is_kept(client: Program, cluster: FakeCluster) -> None:
    """A client tells that its session is alive, three times in its lease."""
    cluster.lease_ms = 300
    client.ask(client_pb2.Call(connect=client_pb2.Connect(url=cluster.url)))
    client.ask(client_pb2.Call(open=client_pb2.OpenCall()))
    cluster.wait_call("keep", times=3)


def test_scheduler_gone_ends_soon(client: Program) -> None:
    """Nobody at an address is a cluster's error within seconds, and worth another try."""
    url = "springald://127.0.0.1:1"
    client.ask(client_pb2.Call(connect=client_pb2.Connect(url=url)))
    start = time.monotonic()
    answer = client.ask(client_pb2.Call(open=client_pb2.OpenCall()))
    assert answer.error.code == error_pb2.CODE_SCHEDULER_UNAVAILABLE
    assert answer.error.retryable
    assert time.monotonic() - start < 10


def test_upload_arrives_whole(con: Program, cluster: FakeCluster) -> None:
    """Rows are sent with the mark of their end, and registered with their schema."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, ROWS.schema) as writer:
        writer.write_table(ROWS, max_chunksize=3)
    rows = sink.getvalue().to_pybytes()
    con.ask(client_pb2.Call(upload=client_pb2.UploadCall(name="t", rows=rows)))
    assert cluster.uploads["u1"] == ROWS
    assert cluster.tables["t"] == ("upload", ROWS.schema)
