"""What every store of state does alike: memory, sqlite, and etcd of two releases."""

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import count
from queue import SimpleQueue

import pytest

from cluster.waiting import wait_until
from etcd_servers import etcd_servers
from springald_scheduler.adapters.stores.etcd import EtcdStateStore
from springald_scheduler.adapters.stores.interface import (
    WRITES_MAX,
    Change,
    Delete,
    Put,
    StateStore,
    Unchanged,
    WatchLostError,
)
from springald_scheduler.adapters.stores.memory import MemoryStateStore
from springald_scheduler.adapters.stores.sqlite import SqliteStateStore

KINDS = ("memory", "sqlite", "etcd system 1", "etcd pypi 1", "etcd system 3", "etcd pypi 3")
DEADLINE_S = 20.0
LEASE_MS = 1_000

Opener = Callable[[], StateStore]


@pytest.fixture(scope="module", params=KINDS)
def opener(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Opener]:
    """Opens an empty store of each kind."""
    numbers = count()
    kind = str(request.param)
    with ExitStack() as stack:
        if kind == "memory":
            yield MemoryStateStore
        elif kind == "sqlite":
            folder = tmp_path_factory.mktemp("state")
            yield lambda: SqliteStateStore(folder / f"state-{next(numbers)}.db")
        else:
            _, release, members = kind.split()
            servers = stack.enter_context(etcd_servers(int(members), release))
            yield lambda: EtcdStateStore(servers.address, f"/springald/{next(numbers)}/")


@pytest.fixture
def store(opener: Opener) -> Iterator[StateStore]:
    """An empty store of each kind."""
    opened = opener()
    yield opened
    opened.close()


def put(store: StateStore, key: str, value: bytes) -> int:
    """Writes one key."""
    revision = store.transact([], [Put(key, value)])
    assert revision is not None
    return revision


def values(store: StateStore, prefix: str) -> dict[str, bytes]:
    """What is kept below a prefix."""
    return {entry.key: entry.value for entry in store.scan(prefix).entries}


class Follower:
    """A thread that follows a watch."""

    def __init__(self, store: StateStore, prefix: str, after: int) -> None:
        self.watch = store.watch(prefix, after)
        self.seen: SimpleQueue[tuple[Change, ...] | WatchLostError] = SimpleQueue()
        self.thread = threading.Thread(target=self._follow, daemon=True)
        self.thread.start()

    def _follow(self) -> None:
        try:
            for changes in self.watch:
                self.seen.put(changes)
        except WatchLostError as error:
            self.seen.put(error)

    def take(self) -> tuple[Change, ...]:
        """Waits for the next changes."""
        taken = self.seen.get(timeout=DEADLINE_S)
        assert not isinstance(taken, WatchLostError)
        return taken

    def close(self) -> None:
        """Ends it."""
        self.watch.close()
        self.thread.join(DEADLINE_S)
        assert not self.thread.is_alive()


def test_what_is_written_is_read(store: StateStore) -> None:
    """A value comes back as it was written, also an empty one and one that is no text."""
    value = bytes(range(256))
    revision = put(store, "a", value)
    entry = store.get("a")
    assert entry is not None
    assert (entry.key, entry.value, entry.revision) == ("a", value, revision)
    put(store, "a", b"")
    assert values(store, "a") == {"a": b""}
    assert store.get("b") is None


def test_scan_returns_a_prefix_in_order(store: StateStore) -> None:
    """Keys with a prefix, sorted, and no others; `a` is no prefix of `b`, `a/` none of `ab`."""
    for key in ("a/2", "a/10", "ab", "b", "a/é", "a"):
        put(store, key, key.encode())
    found = store.scan("a/")
    assert [entry.key for entry in found.entries] == ["a/10", "a/2", "a/é"]
    assert [entry.key for entry in store.scan("a").entries] == ["a", "a/10", "a/2", "a/é", "ab"]
    assert found.revision >= max(entry.revision for entry in found.entries)


def test_scan_returns_many_entries(store: StateStore) -> None:
    """More than fit a page."""
    keys = [f"k/{number:04}" for number in range(150)]
    for start in range(0, len(keys), WRITES_MAX):
        writes = [Put(key, key.encode()) for key in keys[start : start + WRITES_MAX]]
        assert store.transact([], writes)
    assert values(store, "k/") == {key: key.encode() for key in keys}


def test_revisions_ascend(store: StateStore) -> None:
    """Each transaction that writes has a greater revision than all before."""
    revisions = [put(store, key, b"1") for key in ("a", "b", "a")]
    assert revisions == sorted(set(revisions))
    entry = store.get("b")
    assert entry is not None
    assert entry.revision == revisions[1]


def test_condition_that_holds_lets_a_write_pass(store: StateStore) -> None:
    """Unchanged since a revision, or not there."""
    first = store.transact([Unchanged("a", 0)], [Put("a", b"1")])
    assert first is not None
    assert store.transact([Unchanged("a", first), Unchanged("b", 0)], [Put("a", b"2")])
    assert values(store, "") == {"a": b"2"}


def test_condition_that_does_not_hold_stops_every_write(store: StateStore) -> None:
    """All or nothing: changed meanwhile, removed meanwhile, there already."""
    first = put(store, "a", b"1")
    put(store, "a", b"2")
    writes = [Put("a", b"3"), Put("b", b"3")]
    assert store.transact([Unchanged("a", first)], writes) is None
    assert store.transact([Unchanged("a", 0)], writes) is None
    assert store.transact([Unchanged("c", first)], writes) is None
    assert values(store, "") == {"a": b"2"}


def test_one_of_many_who_compare_and_swap_wins(store: StateStore) -> None:
    """Of threads that all read the same entry and write under it, one succeeds at a time."""
    put(store, "n", b"0")
    wins: SimpleQueue[int] = SimpleQueue()

    def add_up() -> None:
        done = 0
        while done < 5:
            entry = store.get("n")
            assert entry is not None
            value = str(int(entry.value) + 1).encode()
            if store.transact([Unchanged("n", entry.revision)], [Put("n", value)]):
                done += 1
                wins.put(1)

    threads = [threading.Thread(target=add_up) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(DEADLINE_S)
    assert values(store, "n") == {"n": b"20"}
    assert wins.qsize() == 20


def test_delete_removes_a_key_or_a_prefix(store: StateStore) -> None:
    """And nothing else; what is not there is removed already."""
    for key in ("job/1", "job/1/stage/1", "job/1/stage/2", "job/10"):
        put(store, key, b"x")
    assert store.transact([], [Delete("job/1"), Delete("job/2")])
    assert set(values(store, "")) == {"job/1/stage/1", "job/1/stage/2", "job/10"}
    assert store.transact([], [Delete("job/1/", prefix=True)])
    assert set(values(store, "")) == {"job/10"}


@pytest.mark.parametrize("size", [512 * 1024, 512 * 1024 + 1, 3 * 1024 * 1024 + 7])
def test_large_value_comes_back_whole(store: StateStore, size: int) -> None:
    """Also one that a store has to take apart; a smaller one in its place leaves nothing of it."""
    value = (bytes(range(251)) * (size // 251 + 1))[:size]
    first = store.transact([Unchanged("big", 0)], [Put("big", value), Put("other", b"1")])
    assert first is not None
    assert values(store, "") == {"big": value, "other": b"1"}
    again = value[::-1]
    assert store.transact([Unchanged("big", first)], [Put("big", again)])
    assert store.transact([Unchanged("big", first)], [Put("big", value)]) is None
    assert values(store, "big") == {"big": again}
    assert store.transact([], [Put("big", b"small")])
    assert values(store, "") == {"big": b"small", "other": b"1"}
    assert store.transact([], [Put("big", value)])
    assert store.transact([], [Delete("big", prefix=True)])
    assert values(store, "") == {"other": b"1"}


def test_watch_tells_all_changes_after_a_revision_in_order(store: StateStore) -> None:
    """Writes and removals below a prefix, those of one transaction together, none twice."""
    put(store, "a/0", b"before")
    after = put(store, "a/1", b"seen")
    missed = put(store, "a/2", b"missed")
    follower = Follower(store, "a/", after)
    put(store, "b", b"elsewhere")
    both = store.transact([], [Put("a/3", b"3"), Delete("a/0")])
    big = bytes(700 * 1024)
    last = put(store, "a/4", big)
    assert both is not None
    assert follower.take() == (Change("a/2", b"missed", missed),)
    assert set(follower.take()) == {Change("a/3", b"3", both), Change("a/0", None, both)}
    assert follower.take() == (Change("a/4", big, last),)
    follower.close()


def test_watch_ends_when_it_is_closed(store: StateStore) -> None:
    """Also for a thread that waits in it."""
    follower = Follower(store, "a", store.scan("").revision)
    follower.close()
    assert follower.seen.empty()


def test_lease_that_is_kept_lasts(store: StateStore) -> None:
    """And so does what was written with it; without a sign of life both go, and a watch tells."""
    lease = store.lease(LEASE_MS)
    assert store.transact([Unchanged("leader", 0)], [Put("leader", b"me", lease), Put("x", b"")])
    follower = Follower(store, "leader", store.scan("").revision)
    assert lease.keep()
    assert set(values(store, "")) == {"leader", "x"}
    (change,) = follower.take()
    assert (change.key, change.value) == ("leader", None)
    follower.close()
    assert set(values(store, "")) == {"x"}
    assert not lease.keep()
    assert store.transact([], [Put("leader", b"me", lease)]) is None


def test_lease_that_is_revoked_takes_its_keys_along(store: StateStore) -> None:
    """At once; a key that was written again without the lease stays."""
    lease = store.lease(60_000)
    assert store.transact([], [Put("a", b"1", lease), Put("b", b"1", lease)])
    put(store, "b", b"2")
    lease.revoke()
    lease.revoke()
    wait_until(lambda: set(values(store, "")) == {"b"}, "the key goes")


def test_closed_store_ends_its_watches(opener: Opener) -> None:
    """Closing ends them, and closing again does nothing."""
    store = opener()
    follower = Follower(store, "a", 0)
    store.close()
    store.close()
    follower.thread.join(DEADLINE_S)
    assert not follower.thread.is_alive()
