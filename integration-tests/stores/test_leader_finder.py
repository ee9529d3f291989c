"""Clients and executors find in a real etcd which scheduler leads."""

from collections.abc import Iterator
from pathlib import Path

import pytest

import springald
from cluster.waiting import wait_until
from etcd_servers import EtcdServers, etcd_servers
from springald import client
from springald.errors import SchedulerUnavailableError
from springald.etcd_address import EtcdAddress
from springald.leader_finder import LEADER
from springald.urls import finder_of
from springald_scheduler.adapters.stores.etcd import EtcdStateStore
from springald_scheduler.adapters.stores.interface import Delete, Put, StoreError
from springald_scheduler.codec.records import scheduler_to_bytes
from stores.test_etcd import etcdctl, make_certificates

A, B = "10.0.0.1:50050", "10.0.0.2:50050"


@pytest.fixture(scope="module")
def servers() -> Iterator[EtcdServers]:
    """Three members."""
    with etcd_servers(3) as started:
        yield started


def lead(store: EtcdStateStore, address: str) -> None:
    """Writes who leads, as schedulers do."""
    assert store.transact([], [Put(LEADER, scheduler_to_bytes("id", address))])


def find(url: str) -> list[str]:
    """Returns who leads, as a client sees it."""
    finder = finder_of(url)
    assert finder is not None
    return list(finder())


def test_leader_is_found_as_it_changes(servers: EtcdServers) -> None:
    """The key says who leads; without it nobody does. Other prefixes are other clusters."""
    store = EtcdStateStore(servers.address, "finder/mine")
    url = f"springald+{servers.url}/finder/mine"
    assert find(url) == []
    for address in (A, B):
        lead(store, address)
        assert find(url) == [address]
    assert find(f"springald+{servers.url}/finder/other") == []
    etcdctl(servers, "put", "finder/mine/.values/leader", "hello")
    assert find(url) == []
    lead(store, A)
    assert store.transact([], [Delete(LEADER)])
    assert find(url) == []
    store.close()


def test_member_that_is_gone_is_left_out(servers: EtcdServers) -> None:
    """Any member of a majority tells."""
    store = EtcdStateStore(servers.address, "finder/members")
    lead(store, A)
    store.close()
    servers.kill(0)
    try:
        assert find(f"springald+{servers.url}/finder/members") == [A]
    finally:
        servers.restart(0)


def test_users_and_passwords_are_shown(tmp_path: Path) -> None:
    """A name and a password, better in a file, of a user who may read who leads and no more."""
    with etcd_servers() as servers:
        store = EtcdStateStore(servers.address)
        lead(store, A)
        store.close()
        etcdctl(servers, "user", "add", "root:secret")
        etcdctl(servers, "user", "grant-role", "root", "root")
        etcdctl(servers, "role", "add", "looker")
        key = "springald/.values/leader"
        etcdctl(servers, "role", "grant-permission", "looker", "read", key)
        etcdctl(servers, "user", "add", "me:secret")
        etcdctl(servers, "user", "grant-role", "me", "looker")
        etcdctl(servers, "auth", "enable")
        (member,) = servers.members
        assert find(f"springald+etcd://me:secret@{member}") == [A]
        (tmp_path / "password").write_text("secret\n")
        url = f"springald+etcd://me@{member}?password_file={tmp_path / 'password'}"
        assert find(url) == [A]
        assert find(f"springald+etcd://me:wrong@{member}") == []
        assert find(f"springald+etcd://{member}") == []


def test_connection_is_encrypted(tmp_path: Path) -> None:
    """With an authority and a certificate of one's own; without them nothing is told."""
    ca, certificate, key = make_certificates(tmp_path)
    options = [f"--cert-file={certificate}", f"--key-file={key}", f"--trusted-ca-file={ca}"]
    with etcd_servers(options=[*options, "--client-cert-auth"], scheme="https") as servers:
        files = f"ca={ca}&certificate={certificate}&key={key}"
        url = f"springald+etcd://{servers.members[0]}/mine?{files}"
        address = EtcdAddress(servers.members, tls=True, ca=ca, certificate=certificate, key=key)
        store = EtcdStateStore(address, "mine")
        wait_until(lambda: _answers(store), "etcd answers")
        lead(store, A)
        store.close()
        assert find(url) == [A]
        assert find(f"springald+etcd://{servers.members[0]}/mine?ca={ca}") == []
        assert find(f"springald+etcd://{servers.members[0]}/mine") == []


def _answers(store: EtcdStateStore) -> bool:
    try:
        store.get(LEADER)
    except StoreError:
        return False
    return True


def test_etcd_without_a_leader_is_told_of(
    servers: EtcdServers, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who connects is told within the time of an election where none leads."""
    monkeypatch.setattr(client, "ELECTION_MS_MAX", 300)
    with pytest.raises(SchedulerUnavailableError, match="finder/none within 300 ms"):
        springald.connect(f"springald+{servers.url}/finder/none")
