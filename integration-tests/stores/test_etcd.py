"""State in etcd: members that fail, users, encryption, and what others wrote."""

import hashlib
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from cluster.waiting import wait_until
from etcd_servers import EtcdServers, etcd_servers
from springald.etcd_address import EtcdAddress
from springald_scheduler.adapters.stores.etcd import PART_BYTES, EtcdStateStore
from springald_scheduler.adapters.stores.etcd_client import EtcdClient, wait_members
from springald_scheduler.adapters.stores.interface import (
    Delete,
    Put,
    StoreError,
    Unchanged,
    WatchLostError,
)

DEADLINE_S = 20.0


@pytest.fixture(scope="module")
def servers() -> Iterator[EtcdServers]:
    """One member."""
    with etcd_servers() as started:
        yield started


def etcdctl(servers: EtcdServers, *words: str) -> str:
    """Runs etcd's own command line."""
    command = ["etcdctl", f"--endpoints={','.join(servers.members)}", *words]
    done = subprocess.run(
        command, check=True, capture_output=True, text=True, env={"ETCDCTL_API": "3"}
    )
    return done.stdout


def test_stores_below_two_prefixes_do_not_meet(servers: EtcdServers) -> None:
    """Two clusters share an etcd; one prefix may begin with the other."""
    one, two = (EtcdStateStore(servers.address, prefix) for prefix in ("a", "a/b"))
    one.transact([], [Put("k", b"1")])
    two.transact([], [Put("k", b"2")])
    assert [entry.value for entry in one.scan("").entries] == [b"1"]
    assert one.transact([], [Delete("", prefix=True)])
    assert [entry.value for entry in two.scan("").entries] == [b"2"]
    for store in (one, two):
        store.close()


def test_value_of_others_or_in_pieces_is_empty(servers: EtcdServers) -> None:
    """What no scheduler wrote, or what lost a part, has no value; what there is of it is told."""
    store = EtcdStateStore(servers.address, "odd")
    etcdctl(servers, "put", "odd/.values/foreign", "hello")
    store.transact([], [Put("torn", bytes(2 * PART_BYTES + 1)), Put("well", b"1")])
    digest = hashlib.sha256(bytes(2 * PART_BYTES + 1)).hexdigest()
    etcdctl(servers, "del", f"odd/.parts/torn/{digest}/000001")
    found = {entry.key: entry.value for entry in store.scan("").entries}
    assert found == {"foreign": b"", "torn": b"", "well": b"1"}
    left = {entry.key: entry.foreign for entry in store.scan("").entries}
    assert left["foreign"] == b"hello"
    assert len(left["torn"]) == 1 + len(bytes.fromhex(digest)) + PART_BYTES + 1
    assert not left["well"]
    store.close()


def test_parts_of_former_values_are_removed(servers: EtcdServers) -> None:
    """A large value in the place of another one leaves the parts of its own, whichever is first."""
    store = EtcdStateStore(servers.address, "large")
    store.transact([], [Put("ab", bytes(PART_BYTES + 1)), Put("a", bytes(PART_BYTES + 1))])
    for filling in range(1, 6):
        value = bytes([filling]) * (2 * PART_BYTES + 1)
        assert store.transact([], [Put("a", value)])
        entry = store.get("a")
        assert entry
        assert entry.value == value
        parts = etcdctl(servers, "get", "--prefix", "--keys-only", "large/.parts/a/").split()
        assert len(parts) == 3
    other = etcdctl(servers, "get", "--prefix", "--keys-only", "large/.parts/ab/").split()
    assert len(other) == 2
    store.close()


def test_watch_from_a_forgotten_revision_is_lost(servers: EtcdServers) -> None:
    """A gap is told, never passed over."""
    store = EtcdStateStore(servers.address, "compacted")
    first = store.transact([], [Put("a", b"1")])
    last = store.transact([], [Put("a", b"2")])
    assert first is not None
    etcdctl(servers, "compact", str(last))
    with pytest.raises(WatchLostError):
        next(iter(store.watch("a", first - 1)))
    store.close()


def test_users_and_passwords_are_asked_for() -> None:
    """With a name and a password the store works, also when its token is taken back."""
    with etcd_servers(options=["--auth-token-ttl=1"]) as servers:
        etcdctl(servers, "user", "add", "root:secret")
        etcdctl(servers, "user", "grant-role", "root", "root")
        etcdctl(servers, "auth", "enable")
        address = replace(servers.address, user="root", password="secret")  # noqa: S106
        store = EtcdStateStore(address)
        assert store.transact([], [Put("a", b"1")])
        etcdctl(servers, "--user=root:secret", "auth", "disable")
        etcdctl(servers, "auth", "enable")
        assert store.get("a")
        assert store.transact([], [Put("a", b"2")])
        assert "secret" not in f"{store.name} {address!r}"
        store.close()
        stranger = EtcdStateStore(replace(address, password="wrong"))  # noqa: S106
        with pytest.raises(StoreError, match="password"):
            stranger.get("a")
        stranger.close()


def test_connections_are_encrypted(tmp_path: Path) -> None:
    """With an authority and a certificate of the client's own; without them nothing is told."""
    ca, certificate, key = make_certificates(tmp_path)
    options = [
        f"--cert-file={certificate}",
        f"--key-file={key}",
        f"--trusted-ca-file={ca}",
        "--client-cert-auth",
    ]
    with etcd_servers(options=options, scheme="https") as servers:
        address = EtcdAddress(servers.members, tls=True, ca=ca, certificate=certificate, key=key)
        client = EtcdClient(address)
        wait_members(client, DEADLINE_S)
        client.close()
        store = EtcdStateStore(address)
        assert store.transact([], [Put("a", b"1")])
        store.close()
        for stranger in (
            EtcdAddress(servers.members),
            EtcdAddress(servers.members, tls=True, ca=ca),
        ):
            store = EtcdStateStore(stranger)
            with pytest.raises(StoreError):
                store.get("a")
            store.close()


def make_certificates(folder: Path) -> tuple[Path, Path, Path]:
    """An authority that signs itself, and its certificate for this host."""
    certificate, key = folder / "own.pem", folder / "own.key"
    words = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=etcd"]
    names = ["-addext", "subjectAltName=IP:127.0.0.1"]
    files = ["-keyout", str(key), "-out", str(certificate)]
    command = [shutil.which("openssl") or "openssl", *words, *names, *files]
    subprocess.run(command, check=True, capture_output=True)
    return certificate, certificate, key


def test_one_member_of_three_may_die() -> None:
    """Reads and writes go on, also over the one that led; a watch misses nothing."""
    with etcd_servers(3) as servers:
        store = EtcdStateStore(servers.address)
        after = store.transact([], [Put("a/0", b"0")])
        assert after is not None
        watch = iter(store.watch("a/", after))
        written = []
        for number in range(3):
            servers.kill(number)
            written.append(write_some(store, f"a/{number + 1}"))
            servers.restart(number)
            servers.wait_ready()
            assert store.get(f"a/{number + 1}")
        seen = [next(watch) for _ in written]
        assert [change.key for changes in seen for change in changes] == ["a/1", "a/2", "a/3"]
        store.close()


def write_some(store: EtcdStateStore, key: str) -> int:
    """Writes a key that is not there, as one does who cannot know whether it was written."""

    def write() -> int:
        try:
            return store.transact([Unchanged(key, 0)], [Put(key, b"1")]) or 0
        except StoreError:
            entry = store.get(key)
            return entry.revision if entry else 0

    return wait_until(write, "a write succeeds")


def test_majority_lost_is_an_error_and_not_a_wait() -> None:
    """Every call ends; when the majority is back the store goes on."""
    with etcd_servers(3) as servers:
        store = EtcdStateStore(servers.address)
        assert store.transact([], [Put("a", b"1")])
        lease = store.lease(60_000)
        for number in (0, 1):
            servers.processes[number].send_signal(signal.SIGSTOP)
        begun = time.monotonic()
        for call in (
            lambda: store.transact([], [Put("a", b"2")]),
            lambda: store.scan("a"),
            lambda: store.lease(1_000),
            lease.keep,
        ):
            with pytest.raises(StoreError):
                call()
        assert time.monotonic() - begun < 2 * DEADLINE_S
        for number in (0, 1):
            servers.processes[number].send_signal(signal.SIGCONT)
        wait_until(lambda: is_writable(store), "the majority is back")
        assert lease.keep()
        store.close()


def is_writable(store: EtcdStateStore) -> bool:
    """True if a write succeeds."""
    try:
        return store.transact([], [Put("b", b"1")]) is not None
    except StoreError:
        return False
