"""Every code reaches every client as it was sent; a scripted cluster fails as it is told."""

from collections.abc import Iterator

import pytest
from fake_cluster import FakeCluster, Script, running_cluster

from conformance.clients import all_clients
from conformance.program import Program, started
from springald.codec.errors import error_to_proto
from springald.conformance.v1 import client_pb2 as calls
from springald.conformance.v1 import vector_pb2 as pb
from springald.error.v1 import error_pb2
from springald.errors import ERROR_BY_CODE, Position, SpringaldError

CODES = sorted(ERROR_BY_CODE)
CALLER_CODES = [code for code in CODES if ERROR_BY_CODE[code].fault == "caller"]
# A client may refuse to use a session that is gone, and say so in its own words.
SAID_BY_CLIENTS = {"SESSION_NOT_FOUND", "PROTOCOL_MISMATCH"}


@pytest.fixture(scope="module")
def cluster() -> Iterator[FakeCluster]:
    """A cluster in which the statement `fail CODE` fails so, and `refuse CODE` is refused so."""
    with running_cluster() as cluster:
        for code in CODES:
            cluster.scripts[f"SELECT fail_{code}"] = Script(error=_error(code))
            cluster.scripts[f"SELECT refuse_{code}"] = Script(refusal=_error(code))
        yield cluster


@pytest.fixture(scope="module", params=sorted(all_clients()))
def client(request: pytest.FixtureRequest, cluster: FakeCluster) -> Iterator[Program]:
    """A client with a session of the scripted cluster, which has no name."""
    with started(all_clients()[request.param].command) as program:
        program.ask(calls.Call(connect=calls.Connect(url=cluster.url)))
        program.ask(calls.Call(open=calls.OpenCall()))
        yield program


@pytest.mark.parametrize("code", CODES)
def test_code_of_a_failed_job_reaches_the_client_with_its_place(client: Program, code: str) -> None:
    """The error of a job arrives as it was made: code, fault, text, node, executor, place."""
    execute = pb.Execute()
    execute.statement.sql.text = f"SELECT fail_{code}"
    answer = client.ask(calls.Call(execute=calls.ExecuteCall(execute=execute)))
    _assert_same_error(answer.error, error_to_proto(_error(code)))


@pytest.mark.parametrize("code", sorted(set(CALLER_CODES) - SAID_BY_CLIENTS))
def test_code_of_a_refused_call_reaches_the_client_with_its_place(
    client: Program, code: str
) -> None:
    """The error of a call that fails arrives the same way, out of the call's metadata."""
    describe = calls.DescribeCall()
    describe.statement.sql.text = f"SELECT refuse_{code}"
    answer = client.ask(calls.Call(describe=describe))
    _assert_same_error(answer.error, error_to_proto(_error(code)))


def _error(code: str) -> SpringaldError:
    kind = ERROR_BY_CODE[code]
    return kind(
        f"a rule was broken: got {code}; do otherwise",
        node_id="j1/s2/t3#1",
        position=Position(1, 8),
        executor_id="executor-1",
        engine_message="the engine's own words",
    )


def _assert_same_error(got: error_pb2.Error, want: error_pb2.Error) -> None:
    # A client may draw a caret below the place that the message is about.
    assert got.message.startswith(want.message), got
    got.message = want.message
    assert got == want
