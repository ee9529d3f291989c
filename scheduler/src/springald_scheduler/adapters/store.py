"""Where records are kept. In memory for now: they end with the process."""

from springald_scheduler.core.records import Key, Record


class MemoryStore:
    """Keeps records for the life of the process.

    Example:
        >>> from springald_scheduler.core.records import SessionRecord
        >>> store = MemoryStore()
        >>> store.persist(SessionRecord("s1", 0))
        >>> store.forget(("session",))
        >>> store.records
        {}
    """

    def __init__(self) -> None:
        self.records: dict[Key, Record] = {}
        # A job's records in one place, so that forgetting it costs nothing for the others.
        self._longer: dict[Key, set[Key]] = {}

    def persist(self, record: Record) -> None:
        """Writes a record under its key, over the one that is there."""
        key = record.key
        self.records[key] = record
        for length in range(1, len(key)):
            self._longer.setdefault(key[:length], set()).add(key)

    def forget(self, key: Key) -> None:
        """Removes the record of this key, and all whose keys begin with it."""
        for each in (key, *self._longer.pop(key, ())):
            self.records.pop(each, None)
            self._longer.pop(each, None)
            for length in range(1, len(each)):
                self._longer.get(each[:length], set()).discard(each)
