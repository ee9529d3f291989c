"""A store that keeps its records when a scheduler dies, and may fail on either side of a write."""

from collections.abc import Sequence

from simulation.chance import Chance, Fault
from simulation.rules import Ledger
from springald_scheduler.codec.records import record_from_bytes, record_to_bytes
from springald_scheduler.core import actions as do
from springald_scheduler.core.records import Key, Record


class StoreError(Exception):
    """A write failed, or nobody knows if it did."""


class Store:
    """Records by key."""

    def __init__(self, chance: Chance, ledger: Ledger) -> None:
        """Starts empty."""
        self._chance = chance
        self._ledger = ledger
        self.records: dict[Key, Record] = {}

    def write(self, changes: Sequence[do.Action]) -> int:
        """Makes changes at once; returns how long that takes.

        Raises:
            StoreError: They were made, or were not.
        """
        if self._chance.strikes(Fault.WRITE_REFUSED, 0.1):
            raise StoreError
        for change in changes:
            match change:
                case do.Persist():
                    self.records[change.record.key] = change.record
                    self._ledger.note_record(change.record)
                case do.Forget():
                    size = len(change.key)
                    gone = [key for key in self.records if key[:size] == change.key]
                    for key in gone:
                        del self.records[key]
        if self._chance.strikes(Fault.WRITE_UNHEARD, 0.1):
            raise StoreError
        return self._chance.between(1, 300) if self._chance.strikes(Fault.WRITE_SLOW) else 0

    def load(self) -> list[Record]:
        """Returns all records as a scheduler reads them that begins."""
        return [record_from_bytes(record_to_bytes(each)) for each in self.records.values()]
