"""What a store inside the process has in common, wherever it keeps its entries."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Protocol

from springald_scheduler.adapters.stores.interface import (
    Change,
    Delete,
    Entry,
    Lease,
    Put,
    Snapshot,
    Unchanged,
    WatchLostError,
    Write,
)

CHANGES_KEPT_MAX = 1_000
"""Changes that a new watch may still ask for."""


class Shelf(Protocol):
    """Where entries are kept; called by one thread at a time."""

    def get(self, key: str) -> Entry | None:
        """Returns an entry, or None."""
        ...

    def scan(self, prefix: str) -> list[Entry]:
        """Returns the entries whose keys begin with a prefix, in their order."""
        ...

    def apply(self, puts: Sequence[Entry], deletes: Sequence[str], leased: Sequence[str]) -> None:
        """Writes all or nothing, durably; what is leased does not outlive the process."""
        ...

    def close(self) -> None:
        """Lets go of it."""
        ...


class EmbeddedStore:
    """A store over a shelf: conditions, revisions, watches and leases.

    Args:
        name: What it is, for people.
        shelf: Keeps the entries.
        revision: The last one that was written.
        now_s: The time in seconds, on a clock that never goes back.
    """

    def __init__(
        self, name: str, shelf: Shelf, revision: int, now_s: Callable[[], float] = time.monotonic
    ) -> None:
        self.name = name
        self._shelf = shelf
        self._revision = revision
        self._now_s = now_s
        self._lock = threading.RLock()
        self._history: list[tuple[Change, ...]] = []
        self._known_from = revision
        self._watches: set[_Watch] = set()
        self._leases: set[_Lease] = set()
        self._timer: threading.Timer | None = None
        self._closed = False

    def get(self, key: str) -> Entry | None:
        """See `StateStore.get`."""
        with self._lock:
            self._expire()
            return self._shelf.get(key)

    def scan(self, prefix: str) -> Snapshot:
        """See `StateStore.scan`."""
        with self._lock:
            self._expire()
            return Snapshot(tuple(self._shelf.scan(prefix)), self._revision)

    def watch(self, prefix: str, after: int) -> "_Watch":
        """See `StateStore.watch`."""
        with self._lock:
            watch = _Watch(prefix, self._watches.discard)
            if after < self._known_from:
                watch.lose()
            for changes in self._history:
                if changes[0].revision > after:
                    watch.tell(changes)
            self._watches.add(watch)
            return watch

    def transact(self, conditions: Sequence[Unchanged], writes: Sequence[Write]) -> int | None:
        """See `StateStore.transact`."""
        with self._lock:
            self._expire()
            for condition in conditions:
                entry = self._shelf.get(condition.key)
                if (entry.revision if entry else 0) != condition.revision:
                    return None
            leases = [each.lease for each in writes if isinstance(each, Put) and each.lease]
            if not all(isinstance(each, _Lease) and each in self._leases for each in leases):
                return None
            return self._write(writes)

    def lease(self, ttl_ms: int) -> "_Lease":
        """See `StateStore.lease`."""
        with self._lock:
            lease = _Lease(self, ttl_ms / 1000, self._now_s() + ttl_ms / 1000)
            self._leases.add(lease)
            self._set_timer()
            return lease

    def close(self) -> None:
        """See `StateStore.close`."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            if self._timer:
                self._timer.cancel()
            watches = list(self._watches)
            self._shelf.close()
        for watch in watches:
            watch.close()

    # Below, the lock is held.

    def _write(self, writes: Sequence[Write]) -> int:
        revision = self._revision + 1
        puts: list[Entry] = []
        deletes: list[str] = []
        for write in writes:
            if isinstance(write, Put):
                puts.append(Entry(write.key, write.value, revision))
            elif write.prefix:
                deletes += [each.key for each in self._shelf.scan(write.key)]
            elif self._shelf.get(write.key):
                deletes.append(write.key)
        leased = [each.key for each in writes if isinstance(each, Put) and each.lease]
        self._shelf.apply(puts, deletes, leased)
        self._revision = revision
        for write in writes:
            if isinstance(write, Put):
                for lease in self._leases:
                    lease.keys.discard(write.key)
                if isinstance(write.lease, _Lease):
                    write.lease.keys.add(write.key)
        self._publish(
            [
                *(Change(each, None, revision) for each in deletes),
                *(Change(each.key, each.value, revision) for each in puts),
            ]
        )
        return revision

    def _publish(self, changes: Sequence[Change]) -> None:
        if not changes:
            return
        self._history.append(tuple(changes))
        while len(self._history) > CHANGES_KEPT_MAX:
            self._known_from = self._history.pop(0)[0].revision
        for watch in list(self._watches):
            watch.tell(tuple(changes))

    def _expire(self) -> None:
        now_s = self._now_s()
        for lease in [each for each in self._leases if each.ends_s <= now_s]:
            self._end_lease(lease)

    def _end_lease(self, lease: "_Lease") -> None:
        if lease in self._leases:
            self._leases.discard(lease)
            if lease.keys:
                self._write([Delete(key) for key in sorted(lease.keys)])

    def _set_timer(self) -> None:
        """Has the next lease noticed that ends, also by those who only watch."""
        if self._timer:
            self._timer.cancel()
            self._timer = None
        if self._leases and not self._closed:
            wait_s = min(each.ends_s for each in self._leases) - self._now_s()
            self._timer = threading.Timer(max(0.0, wait_s), self._ring)
            self._timer.daemon = True
            self._timer.start()

    def _ring(self) -> None:
        with self._lock:
            if not self._closed:
                self._expire()
                self._set_timer()

    def keep_lease(self, lease: "_Lease") -> bool:
        """Begins a lease's time anew, unless it has ended."""
        with self._lock:
            self._expire()
            if lease not in self._leases:
                return False
            lease.ends_s = self._now_s() + lease.ttl_s
            self._set_timer()
            return True

    def revoke_lease(self, lease: "_Lease") -> None:
        """Ends a lease."""
        with self._lock:
            self._end_lease(lease)
            self._set_timer()


@dataclass(eq=False)
class _Lease:
    """A lease of an embedded store."""

    store: EmbeddedStore
    ttl_s: float
    ends_s: float
    keys: set[str] = field(default_factory=set)

    def keep(self) -> bool:
        """See `Lease.keep`."""
        return self.store.keep_lease(self)

    def revoke(self) -> None:
        """See `Lease.revoke`."""
        self.store.revoke_lease(self)


class _Watch:
    """A watch of an embedded store."""

    def __init__(self, prefix: str, forget: Callable[["_Watch"], None]) -> None:
        self._prefix = prefix
        self._forget = forget
        self._queue: SimpleQueue[tuple[Change, ...] | WatchLostError | None] = SimpleQueue()

    def tell(self, changes: tuple[Change, ...]) -> None:
        """Puts the changes in line that are watched."""
        mine = tuple(each for each in changes if each.key.startswith(self._prefix))
        if mine:
            self._queue.put(mine)

    def lose(self) -> None:
        """Puts in line that changes are not known any more."""
        self._queue.put(WatchLostError("a watch begins at a known revision: got an older one"))

    def __iter__(self) -> Iterator[tuple[Change, ...]]:
        """See `Watch.__iter__`."""
        while (item := self._queue.get()) is not None:
            if isinstance(item, WatchLostError):
                raise item
            yield item

    def close(self) -> None:
        """See `Watch.close`."""
        self._forget(self)
        self._queue.put(None)


__all__ = ["CHANGES_KEPT_MAX", "EmbeddedStore", "Lease", "Shelf"]
