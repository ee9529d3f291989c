"""State that ends with the process."""

from collections.abc import Sequence

from springald_scheduler.adapters.stores.embedded import EmbeddedStore
from springald_scheduler.adapters.stores.interface import Entry


class MemoryStateStore(EmbeddedStore):
    """Keeps entries in memory.

    Example:
        >>> from springald_scheduler.adapters.stores.interface import Put
        >>> store = MemoryStateStore()
        >>> store.transact([], [Put("a", b"1")])
        1
        >>> store.get("a")
        Entry(key='a', value=b'1', revision=1)
        >>> store.close()
    """

    def __init__(self) -> None:
        super().__init__("memory", _Entries(), 0)


class _Entries:
    def __init__(self) -> None:
        self._entries: dict[str, Entry] = {}

    def get(self, key: str) -> Entry | None:
        return self._entries.get(key)

    def scan(self, prefix: str) -> list[Entry]:
        keys = sorted(key for key in self._entries if key.startswith(prefix))
        return [self._entries[key] for key in keys]

    def apply(self, puts: Sequence[Entry], deletes: Sequence[str], leased: Sequence[str]) -> None:
        del leased
        for key in deletes:
            self._entries.pop(key, None)
        self._entries |= {entry.key: entry for entry in puts}

    def close(self) -> None:
        self._entries.clear()
