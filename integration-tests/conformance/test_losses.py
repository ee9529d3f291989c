"""Rows and schedulers that are lost, and what each client does about it: on a scripted cluster."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pyarrow as pa
import pytest
from fake_cluster import FakeCluster, Script, running_cluster

from cluster.waiting import wait_until
from conformance.clients import all_clients
from conformance.program import Program, started
from conformance.rows import table_from_ipc
from springald.conformance.v1 import client_pb2 as calls
from springald.conformance.v1 import vector_pb2 as pb
from springald.error.v1 import error_pb2

QUERY = "SELECT what the script says"
ROWS = pa.table({"a": list(range(10))})
OTHERS = pa.table({"a": [*range(5), *range(105, 110)]})


@pytest.fixture(scope="module", params=sorted(all_clients()))
def client(request: pytest.FixtureRequest) -> Iterator[Program]:
    """A client without a session."""
    with started(all_clients()[request.param].command) as program:
        yield program


@pytest.fixture
def cluster() -> Iterator[FakeCluster]:
    """A scripted cluster."""
    with running_cluster() as cluster:
        yield cluster


@pytest.fixture
def other(cluster: FakeCluster) -> Iterator[FakeCluster]:
    """Another scheduler of that cluster, which knows what the first one does."""
    with running_cluster() as other:
        other.scripts, other.sessions, other.jobs = cluster.scripts, cluster.sessions, cluster.jobs
        yield other


def connect(client: Program, url: str) -> calls.Answer:
    """Opens a session, which has no name."""
    client.ask(calls.Call(connect=calls.Connect(url=url)))
    return client.ask(calls.Call(open=calls.OpenCall()))


def start(client: Program, sql: str, *, takes_first_batch: bool = False) -> None:
    """Runs a statement until it has succeeded."""
    call = calls.StartCall(takes_first_batch=takes_first_batch)
    call.statement.sql.text = sql
    assert client.ask(calls.Call(start=call)).HasField("done")


def fetch(client: Program) -> calls.Answer:
    """Takes the rows of what was started."""
    return client.ask(calls.Call(fetch=calls.FetchCall()))


def execute(client: Program, sql: str) -> calls.Answer:
    """Runs a statement and takes its rows."""
    call = pb.Execute()
    call.statement.sql.text = sql
    return client.ask(calls.Call(execute=calls.ExecuteCall(execute=call)))


def address(cluster: FakeCluster) -> str:
    """Where its scheduler is, as errors name it."""
    return cluster.url.removeprefix("springald://")


@pytest.mark.parametrize("rows", range(5))
def test_part_that_is_lost_is_made_again_and_taken_up(
    client: Program, cluster: FakeCluster, rows: int
) -> None:
    """P5.9: the scheduler is told which output is lost, and rows go on where they broke off."""
    cluster.scripts[QUERY] = Script(rows=ROWS, parts=2, lost_after=rows)
    connect(client, cluster.url)
    start(client, QUERY, takes_first_batch=True)
    assert table_from_ipc(fetch(client).rows).to_pydict() == ROWS.to_pydict()
    assert cluster.calls.count("lost j1/s1/t2#1") == 1


def test_rows_that_were_not_given_out_may_be_others(client: Program, cluster: FakeCluster) -> None:
    """P5.9: only what was given out before must be what it was."""
    cluster.scripts[QUERY] = Script(rows=ROWS, parts=2, lost_after=0, again=OTHERS)
    connect(client, cluster.url)
    start(client, QUERY, takes_first_batch=True)
    assert table_from_ipc(fetch(client).rows).to_pydict() == OTHERS.to_pydict()


def test_rows_that_were_given_out_are_not_taken_back(client: Program, cluster: FakeCluster) -> None:
    """P5.9: rows that would have to follow others than they did are a failure, and no answer."""
    cluster.scripts[QUERY] = Script(rows=ROWS, lost_after=7, again=OTHERS)
    connect(client, cluster.url)
    start(client, QUERY, takes_first_batch=True)
    error = fetch(client).error
    assert error.code == error_pb2.CODE_INPUT_LOST
    assert "where they broke off" in error.message


def test_scheduler_that_does_not_lead_names_the_one_that_does(
    client: Program, cluster: FakeCluster, other: FakeCluster
) -> None:
    """P3.9: a client asks the leader that it is told of, also if nobody told it of that one."""
    cluster.leader_address = address(other)
    cluster.scripts[QUERY] = Script(rows=ROWS, rows_told=10)
    assert connect(client, cluster.url).HasField("done")
    assert table_from_ipc(execute(client, QUERY).rows) == ROWS
    assert "execute" in other.calls
    assert "execute" not in cluster.calls


def test_scheduler_that_knows_no_leader_has_the_next_one_asked(
    client: Program, cluster: FakeCluster, other: FakeCluster
) -> None:
    """P3.9: where no leader is named, the other schedulers of the URL are asked in turn."""
    cluster.leader_address = ""
    assert connect(client, f"{cluster.url},{address(other)}").HasField("done")
    assert "open" in other.calls


def test_job_goes_on_at_the_scheduler_that_took_over(
    client: Program, cluster: FakeCluster, other: FakeCluster
) -> None:
    """P3.3: when the scheduler dies the client follows its job at another one, and it is one job.

    By its operation id, whether or not it had heard of the job before.
    """
    cluster.scripts[QUERY] = Script(rows=ROWS, rows_told=10, held=True)
    connect(client, f"{cluster.url},{address(other)}")
    with ThreadPoolExecutor(1) as pool:
        rows = pool.submit(execute, client, QUERY)
        cluster.wait_call("execute")
        cluster.grpc_server.stop(None).wait()
        wait_until(lambda: other.jobs[0].streams == 2, "the job is followed once more")
        other.finish(QUERY)
        answer = rows.result()
        assert answer.HasField("rows"), answer.error
        assert table_from_ipc(answer.rows) == ROWS
    assert other.executed() == [QUERY]


def test_lost_part_is_asked_for_where_the_scheduler_is_now(
    client: Program, cluster: FakeCluster, other: FakeCluster
) -> None:
    """P3.9, P5.9: rows and the leader may be lost at once."""
    many = pa.table({"a": list(range(60))})
    cluster.scripts[QUERY] = Script(rows=many, parts=2, lost_after=25)
    connect(client, cluster.url)
    start(client, QUERY, takes_first_batch=True)
    cluster.leader_address = address(other)
    assert table_from_ipc(fetch(client).rows).to_pydict() == many.to_pydict()
    assert "lost j1/s1/t2#1" in other.calls
