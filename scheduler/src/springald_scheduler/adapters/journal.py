"""Records in a store of state, written under a fence.

Each process that takes over raises the cluster's epoch, which is an entry of the store. All that it
writes is written under the condition that the epoch is still its own, compared in the same
transaction. So nothing of a process that was replaced gets in, however late it comes.
"""

import secrets
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote, unquote

import structlog

from springald.errors import MessageGarbledError, NotLeaderError
from springald.tickets import TICKET_KEY_BYTES
from springald_scheduler.adapters.stores.interface import (
    WRITES_BYTES_MAX,
    WRITES_MAX,
    Delete,
    Entry,
    Put,
    StateStore,
    StoreError,
    Unchanged,
    Write,
)
from springald_scheduler.codec.records import (
    cluster_from_bytes,
    cluster_to_bytes,
    record_from_bytes,
    record_to_bytes,
)
from springald_scheduler.core.actions import Forget, Persist
from springald_scheduler.core.records import Key, Record
from springald_scheduler.limits import STATE_RETRY_FIRST_MS, STATE_RETRY_MS_MAX

log = structlog.get_logger("springald.state")

EPOCH: Final = "epoch"
_CLUSTER: Final = "cluster"
_RECORDS: Final = "record/"
RECORDED: Final = "recorded"
"""Written in each transaction that changes records, if others read them: its revision is theirs."""

RECORDS: Final = "record"
"""What the keys of all records, and the one above, begin with."""

_SET_ASIDE: Final = "aside/"


@dataclass(frozen=True, slots=True)
class Cluster:
    """What all processes of a cluster's scheduler share.

    Attributes:
        name: How ids of its sessions begin.
        ticket_key: Signs its tickets.
    """

    name: str
    ticket_key: bytes

    @classmethod
    def made_up(cls) -> "Cluster":
        """A new one."""
        return cls(secrets.token_hex(4), secrets.token_bytes(TICKET_KEY_BYTES))


class Journal:
    """A process's way to its records, from when it takes over until another one does.

    Args:
        store: Keeps them.
        fence: The epoch of this process.
        patience_ms: How long a write is tried again that fails.
        read_by_others: True if other processes read the records while this one writes.
    """

    def __init__(
        self,
        store: StateStore,
        fence: Unchanged,
        patience_ms: int,
        *,
        read_by_others: bool = False,
    ) -> None:
        self._store = store
        self._fence = fence
        self._patience_s = patience_ms / 1000
        self._mark = [Put(RECORDED, b"")] if read_by_others else []
        self._closed = threading.Event()

    @property
    def durable(self) -> bool:
        """True: records outlive the process."""
        return True

    def write(self, changes: Sequence[Persist | Forget]) -> None:
        """See `RecordKeeper.write`.

        Raises:
            NotLeaderError: Another process has taken over.
            StoreError: It was tried for too long, or is not to be tried any more.
        """
        for writes in batches(changes):
            self._commit(writes)

    def load(self) -> list[Record]:
        """Returns all records; values that are none are set aside.

        Raises:
            StoreError: The store does not answer.
            NotLeaderError: Another process has taken over.
        """
        found: list[Record] = []
        for entry in self._store.scan(_RECORDS).entries:
            try:
                found.append(record_of(entry.key, entry.value))
            except MessageGarbledError as error:
                self._commit([Delete(entry.key), set_aside(entry, error.message)])
        return found

    def close(self) -> None:
        """Tries no write again; one that is under way fails."""
        self._closed.set()

    def _commit(self, writes: Sequence[Write]) -> None:
        """Writes, perhaps more than once: that changes nothing."""
        deadline = time.monotonic() + self._patience_s
        wait_ms = STATE_RETRY_FIRST_MS
        while True:
            try:
                revision = self._store.transact([self._fence], [*writes, *self._mark])
            except StoreError as error:
                if time.monotonic() > deadline or self._closed.wait(wait_ms / 1000):
                    raise
                log.warning("state is not written, trying again", reason=error.message)
                wait_ms = min(2 * wait_ms, STATE_RETRY_MS_MAX)
            else:
                if revision is None:
                    raise NotLeaderError.of("", "a write of its state")
                return


def raise_epoch(
    store: StateStore, *also: Write, under: Sequence[Unchanged] = ()
) -> Unchanged | None:
    """Makes this process the one that may write; returns its fence, None if others were faster.

    Args:
        store: The store.
        also: What is written with it.
        under: Conditions for it.

    Raises:
        StoreError: Whether it was done is not known.
    """
    entry = store.get(EPOCH)
    number, writes = 1, list(also)
    if entry and entry.value.isdigit():
        number = int(entry.value) + 1
    elif entry:
        # Writes are fenced by its revision; the number is for people.
        writes.append(set_aside(entry, "an epoch is a number: got something else"))
    condition = Unchanged(EPOCH, entry.revision if entry else 0)
    writes.append(Put(EPOCH, str(number).encode()))
    revision = store.transact([condition, *under], writes)
    return None if revision is None else Unchanged(EPOCH, revision)


def cluster_of(store: StateStore) -> Cluster:
    """Returns what processes of the store's cluster share; the first one makes it up.

    If it cannot be read it is another cluster from then on: tickets of before open nothing.

    Raises:
        StoreError: The store does not answer.
    """
    while True:
        entry, writes = store.get(_CLUSTER), list[Write]()
        if entry:
            try:
                return Cluster(*cluster_from_bytes(entry.value))
            except MessageGarbledError as error:
                writes.append(set_aside(entry, error.message))
        made = Cluster.made_up()
        writes.append(Put(_CLUSTER, cluster_to_bytes(made.name, made.ticket_key)))
        store.transact([Unchanged(_CLUSTER, entry.revision if entry else 0)], writes)


def set_aside(entry: Entry, reason: str) -> Put:
    """Returns what keeps a value that cannot be read, for whoever looks into it."""
    aside = f"{_SET_ASIDE}{entry.revision}/{entry.key}"
    log.error("value set aside", key=entry.key, aside=aside, reason=reason)
    return Put(aside, entry.foreign or entry.value)


def batches(changes: Sequence[Persist | Forget]) -> Iterator[list[Write]]:
    """Yields what is to be written, as few transactions in order.

    Example:
        >>> from springald_scheduler.core.events import Event
        >>> from springald_scheduler.core.records import SessionRecord
        >>> changes = [Persist(Event(), SessionRecord("s1", 0)), Forget(Event(), ("session", "s1"))]
        >>> list(batches(changes))  # doctest: +NORMALIZE_WHITESPACE
        [[Delete(key='record/session/s1', prefix=False),
          Delete(key='record/session/s1/', prefix=True)]]
    """
    batch = _Batch()
    for change in changes:
        if isinstance(change, Forget):
            batch.forget(_path(change.key))
        else:
            put = Put(_path(change.record.key), record_to_bytes(change.record))
            if not batch.takes(put):
                yield batch.writes
                batch = _Batch()
            batch.put(put)
        if batch.is_full:
            yield batch.writes
            batch = _Batch()
    if batch.writes:
        yield batch.writes


class _Batch:
    """Writes of one transaction: the last one of each key."""

    def __init__(self) -> None:
        self._by_key: dict[str, Write] = {}
        self._bytes = 0

    @property
    def writes(self) -> list[Write]:
        return list(self._by_key.values())

    @property
    def is_full(self) -> bool:
        return len(self._by_key) >= WRITES_MAX - 1

    def takes(self, put: Put) -> bool:
        """False if it is too large, or below a prefix that is removed: order would matter."""
        if self._by_key and self._bytes + len(put.value) > WRITES_BYTES_MAX:
            return False
        removed = (key for key, each in self._by_key.items() if isinstance(each, Delete))
        return not any(key.endswith("/") and put.key.startswith(key) for key in removed)

    def put(self, put: Put) -> None:
        self._by_key[put.key] = put
        self._bytes += len(put.value)

    def forget(self, path: str) -> None:
        below = f"{path}/"
        for key in [key for key in self._by_key if key == path or key.startswith(below)]:
            del self._by_key[key]
        self._by_key[path] = Delete(path)
        self._by_key[below] = Delete(below, prefix=True)


def record_of(path: str, value: bytes) -> Record:
    """Reads what is kept under a key of records.

    Raises:
        MessageGarbledError: It is no record, or one of another key.
    """
    record = record_from_bytes(value)
    if _path(record.key) != path:
        raise MessageGarbledError(f"a record lies under its key: got {record.key}")
    return record


def _path(key: Key) -> str:
    return _RECORDS + "/".join(quote(part, safe="") for part in key)


def key_of(path: str) -> Key:
    """Returns the key of a record's place in a store.

    Example:
        >>> key_of("record/job/j1")
        ('job', 'j1')
    """
    return tuple(unquote(part) for part in path.removeprefix(_RECORDS).split("/"))
