"""What a store of state can do, whatever it is made of.

Keys are texts, values are bytes. Each transaction that writes has a revision, greater than all
before; an entry knows the revision that wrote it last. So whoever has read an entry can write under
the condition that it is still the same.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from springald.errors import IoFailedError


class StoreError(IoFailedError):
    """A call of a store failed: it may have had its effect or not."""


class StoreFullError(StoreError):
    """The store has no room left."""


class WatchLostError(StoreError):
    """A watch cannot go on without a gap: read everything again and watch from there."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A key and what is kept under it.

    Attributes:
        key: The key.
        value: What is kept.
        revision: The revision that wrote it last.
        foreign: What lies there if no store of this kind wrote it, or if it lost a part; then there
            is no value.
    """

    key: str
    value: bytes
    revision: int
    foreign: bytes = b""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All entries of a prefix as they were at one revision, in the order of their keys."""

    entries: tuple[Entry, ...]
    revision: int


@dataclass(frozen=True, slots=True)
class Unchanged:
    """A condition: the key was written last by this revision; 0 means that it is not there."""

    key: str
    revision: int


@dataclass(frozen=True, slots=True)
class Put:
    """Writes a value, over the one that is there; with a lease it goes away when that ends."""

    key: str
    value: bytes
    lease: "Lease | None" = None


@dataclass(frozen=True, slots=True)
class Delete:
    """Removes a key, or with `prefix` all keys that begin with it."""

    key: str
    prefix: bool = False


Write = Put | Delete


@dataclass(frozen=True, slots=True)
class Change:
    """An entry was written, or removed if it has no value."""

    key: str
    value: bytes | None
    revision: int


class Lease(Protocol):
    """A claim that lapses unless it is kept."""

    def keep(self) -> bool:
        """Begins the lease's time anew; returns False if it has ended.

        Raises:
            StoreError: That is not known.
        """
        ...

    def revoke(self) -> None:
        """Ends the lease, and removes what was written with it; one that has ended stays so."""
        ...


class Watch(Protocol):
    """Changes in the order of their revisions; those of one transaction come together."""

    def __iter__(self) -> Iterator[tuple[Change, ...]]:
        """Yields until the watch is closed.

        Raises:
            WatchLostError: Changes may have been missed.
        """
        ...

    def close(self) -> None:
        """Ends the watch, also for a thread that waits in it."""
        ...


class StateStore(Protocol):
    """Keeps values under keys, beyond the life of the process if it is not memory.

    Safe to call from many threads. A call that raises may have had its effect. What one call has
    written every later one sees.

    Attributes:
        name: What it is, for people; without passwords.
    """

    name: str

    def get(self, key: str) -> Entry | None:
        """Returns an entry, or None.

        Raises:
            StoreError: The store does not answer.
        """
        ...

    def scan(self, prefix: str) -> Snapshot:
        """Returns all entries whose keys begin with a prefix.

        Raises:
            StoreError: The store does not answer.
        """
        ...

    def watch(self, prefix: str, after: int) -> Watch:
        """Follows all changes of keys that begin with a prefix, after a revision.

        Raises:
            StoreError: The store does not answer.
        """
        ...

    def transact(self, conditions: Sequence[Unchanged], writes: Sequence[Write]) -> int | None:
        """Writes all or nothing; each key is written once at most.

        Returns:
            The revision of the writes, or None if a condition did not hold.

        Raises:
            StoreError: Whether it was written is not known.
        """
        ...

    def lease(self, ttl_ms: int) -> Lease:
        """Begins a lease of a time; stores may round it up to a second.

        Raises:
            StoreError: The store does not answer.
        """
        ...

    def close(self) -> None:
        """Ends watches, and lets go of the store. Closing again does nothing."""
        ...


WRITES_MAX = 64
"""Writes in one transaction; callers split what has more."""

WRITES_BYTES_MAX = 512 * 1024
"""Bytes of the values of one transaction, unless it has one value only."""
