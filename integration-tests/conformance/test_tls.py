"""Encrypted connections: scripted servers that show certificates and ask for one."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest
import trustme
from cryptography.hazmat.primitives import serialization
from fake_cluster import FakeCluster, FakeTls, Script, running_cluster

from conformance.clients import all_clients
from conformance.program import Program, started
from conformance.rows import table_from_ipc
from springald.conformance.v1 import client_pb2 as calls
from springald.conformance.v1 import vector_pb2 as pb
from springald.error.v1 import error_pb2

QUERY = "SELECT what the script says"
ROWS = pa.table({"a": list(range(10))})
CLIENTS = sorted(name for name, each in all_clients().items() if pb.FEATURE_TLS in each.features)
NAME = "cluster.test"


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with an authority, and a certificate and key of the server and of a client."""
    folder = tmp_path_factory.mktemp("certificates")
    authority = trustme.CA()
    authority.cert_pem.write_to_path(folder / "authority.pem")
    trustme.CA().cert_pem.write_to_path(folder / "stranger.pem")
    for name, host in (("server", NAME), ("client", "client.test")):
        issued = authority.issue_cert(host)
        issued.cert_chain_pems[0].write_to_path(folder / f"{name}.pem")
        key = serialization.load_pem_private_key(issued.private_key_pem.bytes(), None)
        (folder / f"{name}.key").write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.PKCS8,
                serialization.NoEncryption(),
            )
        )
    return folder


@pytest.fixture(scope="module")
def cluster(files: Path) -> Iterator[FakeCluster]:
    """A cluster whose servers show a certificate for a name that they are not reached by."""
    names = ("server.pem", "server.key", "authority.pem")
    with running_cluster(FakeTls(*((files / name).read_bytes() for name in names))) as cluster:
        cluster.scripts[QUERY] = Script(rows=ROWS, parts=2, rows_told=5)
        yield cluster


@pytest.fixture(scope="module", params=CLIENTS)
def client(request: pytest.FixtureRequest) -> Iterator[Program]:
    """A client without a session."""
    with started(all_clients()[request.param].command) as program:
        yield program


def options(folder: Path) -> calls.Tls:
    """What opens the connection."""
    return calls.Tls(
        trusted_certificates=str(folder / "authority.pem"),
        client_certificate=str(folder / "client.pem"),
        client_key=str(folder / "client.key"),
        host_name=NAME,
    )


def connect(client: Program, cluster: FakeCluster, tls: calls.Tls | None) -> calls.Answer:
    """Opens a session, which has no name."""
    client.ask(calls.Call(connect=calls.Connect(url=cluster.url, tls=tls)))
    return client.ask(calls.Call(open=calls.OpenCall()))


def test_rows_come_over_encrypted_connections(
    client: Program, cluster: FakeCluster, files: Path
) -> None:
    """Certificates are shown to the scheduler and to executors, and theirs are looked at."""
    assert connect(client, cluster, options(files)).HasField("done")
    execute = pb.Execute()
    execute.statement.sql.text = QUERY
    answer = client.ask(calls.Call(execute=calls.ExecuteCall(execute=execute)))
    assert table_from_ipc(answer.rows) == ROWS


@pytest.mark.parametrize("missing", ["authority", "certificate", "name", "all"])
def test_connection_that_is_not_trusted_is_not_made(
    client: Program, cluster: FakeCluster, files: Path, missing: str
) -> None:
    """A server of a stranger or of another name is not spoken to, nor is a client without one."""
    tls: calls.Tls | None = options(files)
    match missing, tls:
        case "authority", calls.Tls():
            tls.trusted_certificates = str(files / "stranger.pem")
        case "certificate", calls.Tls():
            tls.client_certificate = tls.client_key = ""
        case "name", calls.Tls():
            tls.host_name = ""
        case _:
            tls = None
    error = connect(client, cluster, tls).error
    assert error.code == error_pb2.CODE_SCHEDULER_UNAVAILABLE


def test_file_that_is_no_certificate_is_told(
    client: Program, cluster: FakeCluster, files: Path, tmp_path: Path
) -> None:
    """What cannot be read is the caller's mistake, and not the server's."""
    garbled = tmp_path / "garbled.pem"
    garbled.write_text("no certificate")
    for path in (garbled, tmp_path / "nowhere.pem"):
        tls = options(files)
        tls.trusted_certificates = str(path)
        assert connect(client, cluster, tls).error.code == error_pb2.CODE_INVALID_ARGUMENT
