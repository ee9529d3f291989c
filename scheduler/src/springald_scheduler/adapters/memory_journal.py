"""Records that are kept in memory: they end with the process."""

from collections.abc import Sequence

from springald_scheduler.core.actions import Forget, Persist
from springald_scheduler.core.records import Key, Record


class MemoryJournal:
    """Keeps records for the life of the process.

    Example:
        >>> from springald_scheduler.core.events import Event
        >>> from springald_scheduler.core.records import SessionRecord
        >>> journal = MemoryJournal()
        >>> journal.write([Persist(Event(), SessionRecord("s1", 0)), Forget(Event(), ("session",))])
        >>> journal.records
        {}
    """

    def __init__(self) -> None:
        self.records: dict[Key, Record] = {}
        # A job's records in one place, so that forgetting it costs nothing for the others.
        self._longer: dict[Key, set[Key]] = {}

    @property
    def durable(self) -> bool:
        """False: records end with the process."""
        return False

    def write(self, changes: Sequence[Persist | Forget]) -> None:
        """See `RecordKeeper.write`."""
        for change in changes:
            if isinstance(change, Persist):
                self._persist(change.record)
            else:
                self._forget(change.key)

    def _persist(self, record: Record) -> None:
        key = record.key
        self.records[key] = record
        for length in range(1, len(key)):
            self._longer.setdefault(key[:length], set()).add(key)

    def _forget(self, key: Key) -> None:
        for each in (key, *self._longer.pop(key, ())):
            self.records.pop(each, None)
            self._longer.pop(each, None)
            for length in range(1, len(each)):
                self._longer.get(each[:length], set()).discard(each)
