"""Tickets for clients: for a result's outputs, and for a place to store rows."""

from collections.abc import Callable

from springald.executor.v1.executor_pb2 import ReadOutputs, StoreUpload, TicketClaims
from springald.limits import TICKET_LIFETIME_MS
from springald.tickets import sign


class Mint:
    """Signs tickets with the cluster's key.

    Args:
        key: The key, 32 bytes.
        now_ms: Tells the time in milliseconds since 1970-01-01 UTC.
    """

    def __init__(self, key: bytes, now_ms: Callable[[], int]) -> None:
        self.key = key
        self._now_ms = now_ms

    def read_ticket(self, read: ReadOutputs) -> bytes:
        """Returns a ticket that opens outputs."""
        return sign(TicketClaims(expires_ms=self._expires_ms(), read_outputs=read), self.key)

    def store_ticket(self, upload_id: str) -> bytes:
        """Returns a ticket that lets a client store an upload."""
        store = StoreUpload(upload_id=upload_id)
        return sign(TicketClaims(expires_ms=self._expires_ms(), store_upload=store), self.key)

    def _expires_ms(self) -> int:
        return self._now_ms() + TICKET_LIFETIME_MS
