"""What others wrote into a store, or what lost a part, is set aside with its bytes."""

import hashlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Protocol

import pytest

from etcd_servers import EtcdServers, etcd_servers
from springald.etcd.v1 import etcd_pb2 as pb
from springald_scheduler.adapters.journal import Journal, batches, cluster_of, raise_epoch
from springald_scheduler.adapters.stores.etcd import PART_BYTES, EtcdStateStore
from springald_scheduler.adapters.stores.etcd_client import EtcdClient
from springald_scheduler.adapters.stores.interface import Put, StateStore
from springald_scheduler.adapters.stores.sqlite import SqliteStateStore
from springald_scheduler.core.actions import Persist
from springald_scheduler.core.events import Event
from springald_scheduler.core.records import SessionRecord

FOREIGN = b"h\xe9llo"
WELL = SessionRecord("s1", 0)


class Place(Protocol):
    """A store, and a way into it that is not its own."""

    def open(self) -> StateStore:
        """Opens it."""
        ...

    def put(self, key: str, value: bytes) -> None:
        """Writes as somebody else, while it is closed."""
        ...


class SqlitePlace:
    """A file, and the sqlite of others."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def open(self) -> StateStore:
        """Opens it."""
        return SqliteStateStore(self._path)

    def put(self, key: str, value: bytes) -> None:
        """Writes text, as a person does, which need not be UTF-8."""
        connection = sqlite3.connect(self._path)
        connection.execute(
            "INSERT OR REPLACE INTO entry VALUES (?, CAST(? AS TEXT), '7', 0)", (key, value)
        )
        connection.commit()
        connection.close()


class EtcdPlace:
    """A prefix in etcd, and a bare client."""

    def __init__(self, servers: EtcdServers, prefix: str) -> None:
        self.servers = servers
        self.prefix = prefix

    def open(self) -> StateStore:
        """Opens it."""
        return EtcdStateStore(self.servers.address, self.prefix)

    def put(self, key: str, value: bytes) -> None:
        """Writes without what marks a value as a scheduler's."""
        self.transact(
            pb.RequestOp(
                request_put=pb.PutRequest(key=f"{self.prefix}/.values/{key}".encode(), value=value)
            )
        )

    def transact(self, step: pb.RequestOp) -> None:
        """Does one thing."""
        client = EtcdClient(self.servers.address)
        client.transact(pb.TxnRequest(success=[step]))
        client.close()


@pytest.fixture(scope="module")
def servers() -> Iterator[EtcdServers]:
    """One member."""
    with etcd_servers() as started:
        yield started


@pytest.fixture(params=["sqlite", "etcd"])
def place(request: pytest.FixtureRequest, servers: EtcdServers, tmp_path: Path) -> Place:
    """Each kind that outlives a process."""
    if request.param == "sqlite":
        return SqlitePlace(tmp_path / "state.db")
    return EtcdPlace(servers, "foreign")


def aside(store: StateStore) -> dict[str, bytes]:
    """What was set aside, by key."""
    return {entry.key.split("/", 2)[2]: entry.value for entry in store.scan("aside/").entries}


def begin(store: StateStore) -> Journal:
    """Takes the store over, as a scheduler that starts."""
    cluster_of(store)
    fence = raise_epoch(store)
    assert fence
    return Journal(store, fence, 1_000)


def test_value_of_others_is_set_aside_with_its_bytes(place: Place) -> None:
    """Whatever key it lies at: the scheduler starts, and a person finds what was there."""
    store = place.open()
    begin(store).write([Persist(Event(), WELL)])
    store.close()
    keys = ("record/session/s2", "record/odd", "epoch", "cluster")
    for key in keys:
        place.put(key, FOREIGN)
    store = place.open()
    assert begin(store).load() == [WELL]
    assert aside(store) == dict.fromkeys(keys, FOREIGN)
    assert [each.key for each in store.scan("record/").entries] == ["record/session/s1"]
    assert begin(store).load() == [WELL], "the next one finds nothing wrong"
    assert aside(store) == dict.fromkeys(keys, FOREIGN)
    store.close()


def test_key_that_is_no_text_stops_no_scheduler(tmp_path: Path) -> None:
    """Its value is set aside, like any other that is not ours."""
    place = SqlitePlace(tmp_path / "state.db")
    place.open().close()
    connection = sqlite3.connect(tmp_path / "state.db")
    connection.execute("INSERT INTO entry VALUES (CAST(x'7265636f72642f80' AS TEXT), 'x', 1, 0)")
    connection.commit()
    connection.close()
    store = place.open()
    assert begin(store).load() == []
    assert list(aside(store).values()) == [b"x"]
    store.close()


def test_value_that_lost_a_part_is_set_aside_with_the_rest(servers: EtcdServers) -> None:
    """A large value lies in parts in etcd; what is left of one is kept, and its parts go."""
    place = EtcdPlace(servers, "torn")
    store = place.open()
    assert store.transact([], [Put("record/session/s2", bytes(2 * PART_BYTES + 1))])
    for writes in batches([Persist(Event(), WELL)]):
        assert store.transact([], writes)
    digest = hashlib.sha256(bytes(2 * PART_BYTES + 1)).hexdigest()
    part = f"torn/.parts/record/session/s2/{digest}/000001".encode()
    place.transact(pb.RequestOp(request_delete_range=pb.DeleteRangeRequest(key=part)))
    assert begin(store).load() == [WELL]
    (left,) = aside(store).values()
    assert left == b"\1" + bytes.fromhex(digest) + bytes(PART_BYTES + 1)
    client = EtcdClient(servers.address)
    found = client.range(
        pb.RangeRequest(key=b"torn/.parts/record/", range_end=b"torn/.parts/record0")
    )
    client.close()
    assert not found.kvs
    store.close()
