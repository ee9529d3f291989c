"""Values in a store that nobody can read are set aside, and stop nothing (issue 6, 2)."""

import pytest

from springald_scheduler.adapters.journal import (
    EPOCH,
    Cluster,
    Journal,
    batches,
    cluster_of,
    raise_epoch,
)
from springald_scheduler.adapters.stores.interface import Put
from springald_scheduler.adapters.stores.memory import MemoryStateStore
from springald_scheduler.core.actions import Persist
from springald_scheduler.core.events import Event
from springald_scheduler.core.records import SessionRecord

GARBLED = b"\0\xff garbled"


def aside(store: MemoryStateStore) -> list[bytes]:
    """What was set aside."""
    return [entry.value for entry in store.scan("aside/").entries]


@pytest.mark.parametrize("value", [GARBLED, b"", b"-1"])
def test_epoch_that_is_no_number_is_set_aside(value: bytes) -> None:
    """Whoever takes over does, and writes under its fence; the former one's writes are refused."""
    store = MemoryStateStore()
    former = raise_epoch(store)
    assert former
    assert store.transact([], [Put(EPOCH, value)])
    fence = raise_epoch(store)
    assert fence
    assert aside(store) == [value]
    assert store.transact([fence], [Put("a", b"1")])
    assert store.transact([former], [Put("a", b"2")]) is None
    assert raise_epoch(store)
    assert aside(store) == [value]


def test_epoch_counts_who_took_over() -> None:
    """A person who looks sees how often that was."""
    store = MemoryStateStore()
    for _ in range(11):
        raise_epoch(store)
    entry = store.get(EPOCH)
    assert entry
    assert entry.value == b"11"


def test_cluster_that_cannot_be_read_is_made_up_anew() -> None:
    """It is another cluster from then on, the same for all who look."""
    store = MemoryStateStore()
    former = cluster_of(store)
    assert cluster_of(store) == former
    assert store.transact([], [Put("cluster", GARBLED)])
    made = cluster_of(store)
    assert isinstance(made, Cluster)
    assert made not in (former, None)
    assert cluster_of(store) == made
    assert aside(store) == [GARBLED]


def test_record_that_cannot_be_read_is_set_aside() -> None:
    """The others are loaded; the next one who loads finds nothing wrong."""
    store = MemoryStateStore()
    fence = raise_epoch(store)
    assert fence
    journal = Journal(store, fence, 1_000)
    record = SessionRecord("s1", 0)
    for writes in batches([Persist(Event(), record)]):
        assert store.transact([], writes)
    (entry,) = store.scan("record/").entries
    assert store.transact([], [Put("record/session/s2", GARBLED), Put("record/x", entry.value)])
    assert journal.load() == [record]
    assert sorted(aside(store)) == sorted([GARBLED, entry.value])
    assert [each.key for each in store.scan("record/").entries] == ["record/session/s1"]
