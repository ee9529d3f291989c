"""One of several schedulers leads: chosen by a key under a lease, fenced by the epoch.

The lease is not trusted: whoever is paused past it may still think that it leads. So whoever takes
over raises the epoch in the same transaction that makes it the leader, and from then on the store
takes no write of the former one.
"""

import secrets
import threading
import time
from collections.abc import Callable

import structlog

from springald.errors import SpringaldError
from springald.leader_finder import LEADER
from springald_scheduler.adapters.journal import raise_epoch, set_aside
from springald_scheduler.adapters.stores.interface import (
    Lease,
    Put,
    StateStore,
    StoreError,
    Unchanged,
)
from springald_scheduler.codec.records import scheduler_from_bytes, scheduler_to_bytes
from springald_scheduler.limits import LEADER_LEASE_MS, LEADER_LOOK_MS

log = structlog.get_logger("springald.election")


class Election:
    """A scheduler's part in it, from its start to its end; it runs on a thread of its own.

    Args:
        store: Where the schedulers meet.
        address: Where this one is reached.
        lead: Begins to lead under a fence; returns what ends that.
        lease_ms: How long a leader that is silent stays one.
    """

    def __init__(
        self,
        store: StateStore,
        address: str,
        lead: Callable[[Unchanged], Callable[[], None]],
        lease_ms: int = LEADER_LEASE_MS,
    ) -> None:
        self._store = store
        self._lead = lead
        self._lease_ms = lease_ms
        self._me = scheduler_to_bytes(secrets.token_hex(8), address)
        self._leader_address = ""
        self._stepped_down = threading.Event()
        self._closed = threading.Event()
        self._thread = threading.Thread(target=self._run, name="springald-election", daemon=True)

    @property
    def leader_address(self) -> str:
        """Where the scheduler is that leads, as of a moment ago; empty if that is not known."""
        return self._leader_address

    def begin(self) -> None:
        """Takes part."""
        self._thread.start()

    def step_down(self) -> None:
        """Has this scheduler lead no more, if it does; returns at once."""
        self._stepped_down.set()

    def close(self) -> None:
        """Takes part no more, and gives the lead away at once."""
        self._closed.set()
        self._stepped_down.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._closed.is_set():
            try:
                self._take_part()
            except SpringaldError as error:
                log.warning("election goes on", reason=error.message)
            except Exception:
                # Whoever takes part no more would follow for ever, also when nobody leads.
                log.exception("election goes on")
            self._closed.wait(LEADER_LOOK_MS / 1000)

    def _take_part(self) -> None:
        entry, aside = self._store.get(LEADER), list[Put]()
        if entry and entry.value != self._me:
            leader_id, self._leader_address = scheduler_from_bytes(entry.value)
            if leader_id:
                return
            # No lease may end with it, so nobody would ever lead.
            aside.append(set_aside(entry, "a leader is a scheduler: got something else"))
        self._leader_address = ""
        began_s = time.monotonic()
        lease = self._store.lease(self._lease_ms)
        try:
            condition = Unchanged(LEADER, entry.revision if entry else 0)
            fence = raise_epoch(
                self._store, Put(LEADER, self._me, lease), *aside, under=[condition]
            )
            if fence:
                self._serve(fence, lease, began_s)
        finally:
            _give_up(lease)

    def _serve(self, fence: Unchanged, lease: Lease, kept_s: float) -> None:
        """Leads as long as the lease is kept; gives up before others can take it for ended."""
        self._stepped_down.clear()
        log.info("scheduler leads")
        end = self._lead(fence)
        try:
            while not self._stepped_down.wait(self._lease_ms / 4000):
                asked_s = time.monotonic()
                try:
                    if not lease.keep():
                        break
                    kept_s = asked_s
                except StoreError as error:
                    log.warning("lease is not kept", reason=error.message)
                if (time.monotonic() - kept_s) * 1000 > self._lease_ms:
                    break
        finally:
            log.warning("scheduler leads no more")
            end()


def _give_up(lease: Lease) -> None:
    try:
        lease.revoke()
    except StoreError:
        return  # It ends by itself.
