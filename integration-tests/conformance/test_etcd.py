"""Each client finds in a real etcd which scheduler leads."""

from collections.abc import Iterator

import pyarrow as pa
import pytest
from fake_cluster import FakeCluster, Script, running_cluster

from conformance.clients import all_clients
from conformance.program import Program, started
from conformance.rows import table_from_ipc
from etcd_servers import EtcdServers, etcd_servers
from springald.conformance.v1 import client_pb2 as calls
from springald.conformance.v1 import vector_pb2 as pb
from springald.error.v1 import error_pb2
from springald.leader_finder import LEADER
from springald_scheduler.adapters.stores.etcd import EtcdStateStore
from springald_scheduler.adapters.stores.interface import Put
from springald_scheduler.codec.records import scheduler_to_bytes

QUERY = "SELECT what the script says"
ROWS = pa.table({"a": list(range(10))})
PREFIX = "clients/mine"


@pytest.fixture(scope="module")
def cluster() -> Iterator[FakeCluster]:
    """A scripted cluster."""
    with running_cluster() as cluster:
        cluster.scripts[QUERY] = Script(rows=ROWS, parts=2, rows_told=5)
        yield cluster


@pytest.fixture(scope="module")
def servers(cluster: FakeCluster) -> Iterator[EtcdServers]:
    """An etcd in which the cluster's scheduler says that it leads."""
    with etcd_servers() as servers:
        store = EtcdStateStore(servers.address, PREFIX)
        address = cluster.url.removeprefix("springald://")
        assert store.transact([], [Put(LEADER, scheduler_to_bytes("id", address))])
        store.close()
        yield servers


@pytest.fixture(scope="module", params=sorted(all_clients()))
def client(request: pytest.FixtureRequest) -> Iterator[Program]:
    """A client without a session."""
    with started(all_clients()[request.param].command) as program:
        yield program


def connect(client: Program, url: str) -> calls.Answer:
    """Opens a session, which has no name."""
    client.ask(calls.Call(connect=calls.Connect(url=url)))
    return client.ask(calls.Call(open=calls.OpenCall()))


def test_leader_is_found_in_etcd(client: Program, servers: EtcdServers) -> None:
    """The scheduler that leads is asked; a member of etcd that is not there is left out."""
    absent = "springald+etcd://127.0.0.1:1"
    assert connect(client, f"{absent},{servers.members[0]}/{PREFIX}").HasField("done")
    execute = pb.Execute()
    execute.statement.sql.text = QUERY
    answer = client.ask(calls.Call(execute=calls.ExecuteCall(execute=execute)))
    assert table_from_ipc(answer.rows) == ROWS


@pytest.mark.parametrize("wrong", ["127.0.0.1", "me:secret@h", "h:1?what=1", ""])
def test_etcd_that_is_named_wrongly_is_told(client: Program, wrong: str) -> None:
    """What is no address in etcd is the caller's mistake; no password is repeated."""
    error = connect(client, f"springald+etcd://{wrong}").error
    assert error.code == error_pb2.CODE_INVALID_ARGUMENT
    assert "secret" not in error.message
