"""A scheduler whose store fails in one call of twenty: before it has an effect, or after."""

import os
import random
import sys
from collections.abc import Callable, Sequence
from typing import Final, TypeVar

import structlog

from springald_scheduler import __main__ as scheduler
from springald_scheduler.adapters.stores.interface import (
    Entry,
    Lease,
    Snapshot,
    StateStore,
    StoreError,
    Unchanged,
    Watch,
    Write,
)
from springald_scheduler.adapters.stores.opening import open_store

SEED: Final = "FAULTS_STORE_SEED"
_FAILS: Final = 0.05
_T = TypeVar("_T")

log = structlog.get_logger("faults")


class UnluckyStore:
    """A store that is as good as its luck.

    Args:
        store: The real one.
        rng: Its luck.
    """

    def __init__(self, store: StateStore, rng: random.Random) -> None:
        self.name = store.name
        self._store = store
        self._rng = rng
        # A scheduler whose store fails before it serves is not started.
        self._serves = False

    def _try(self, what: str, call: Callable[[], _T]) -> _T:
        drawn = self._rng.random() if self._serves else 1.0
        if drawn < _FAILS / 2:
            raise self._fail(what, "before")
        answer = call()
        if drawn < _FAILS:
            raise self._fail(what, "after")
        return answer

    def _fail(self, what: str, when: str) -> StoreError:
        log.warning("store fails on purpose", call=what, when=when)
        return StoreError(f"a store answers: got bad luck {when} {what}; try again")

    def get(self, key: str) -> Entry | None:
        """See `StateStore`."""
        return self._try("get", lambda: self._store.get(key))

    def scan(self, prefix: str) -> Snapshot:
        """See `StateStore`."""
        self._serves = True
        return self._store.scan(prefix)

    def watch(self, prefix: str, after: int) -> Watch:
        """See `StateStore`."""
        return self._store.watch(prefix, after)

    def transact(self, conditions: Sequence[Unchanged], writes: Sequence[Write]) -> int | None:
        """See `StateStore`."""
        return self._try("transact", lambda: self._store.transact(conditions, writes))

    def lease(self, ttl_ms: int) -> Lease:
        """See `StateStore`."""
        return self._store.lease(ttl_ms)

    def close(self) -> None:
        """See `StateStore`."""
        self._store.close()


def main() -> int:
    """Runs the scheduler."""
    rng = random.Random(os.environ.get(SEED, "0"))  # noqa: S311 - luck, not secrets
    scheduler.open_store = lambda name: UnluckyStore(open_store(name), rng)  # type: ignore[attr-defined]
    return scheduler.main()


if __name__ == "__main__":
    sys.exit(main())
