"""Flight tickets: what they open, until when, and the seal that nobody else can make.

A ticket is a serialised `springald.executor.v1.SignedTicket`. The scheduler signs tickets for
clients, executors sign them for each other, and every Flight server verifies before it looks at
anything else (clause P5.2).
"""

import hashlib
import hmac
from typing import Final

from google.protobuf.message import DecodeError

from springald.errors import TicketExpiredError, TicketInvalidError
from springald.executor.v1.executor_pb2 import SignedTicket, TicketClaims

__all__ = ["TICKET_KEY_BYTES", "sign", "verify"]

TICKET_KEY_BYTES: Final = 32
"""A cluster's ticket key: as long as the digest that it seals with."""


def sign(claims: TicketClaims, key: bytes) -> bytes:
    """Seals claims into a ticket.

    Example:
        >>> claims = TicketClaims(expires_ms=2_000)
        >>> claims.read_upload.upload_id = "u1"
        >>> ticket = sign(claims, bytes(32))
        >>> verify(ticket, bytes(32), now_ms=1_999).read_upload.upload_id
        'u1'

    Args:
        claims: What the ticket opens, and until when.
        key: The cluster's ticket key, 32 bytes.

    Returns:
        The ticket: bytes that their holder shows and does not read.
    """
    sealed = claims.SerializeToString()
    return SignedTicket(claims=sealed, signature=_seal(sealed, key)).SerializeToString()


def verify(ticket: bytes, key: bytes, now_ms: int) -> TicketClaims:
    """Returns what a ticket opens, or says why it opens nothing.

    Args:
        ticket: The bytes as they were shown.
        key: The cluster's ticket key, 32 bytes.
        now_ms: The time, in milliseconds since 1970-01-01 UTC.

    Returns:
        The claims, with their grant set.

    Raises:
        TicketInvalidError: The ticket does not decode, was not signed with this key, or grants
            nothing that this version knows.
        TicketExpiredError: The ticket is genuine and its time is over.
    """
    try:
        signed = SignedTicket.FromString(ticket)
    except DecodeError as error:
        raise TicketInvalidError(
            f"a ticket is what the scheduler handed out: got {len(ticket)} bytes that do not "
            "decode; pass the ticket on unchanged"
        ) from error
    # The claims are looked at only after the seal proved that a cluster member wrote them.
    if not hmac.compare_digest(signed.signature, _seal(signed.claims, key)):
        raise TicketInvalidError(
            "a ticket is signed by this cluster: got another signature; "
            "ask this cluster's scheduler for a ticket"
        )
    claims = TicketClaims.FromString(signed.claims)
    if claims.WhichOneof("grant") is None:
        raise TicketInvalidError(
            "a ticket grants something that this version knows: got no such grant; "
            "bring both sides to one version"
        )
    if now_ms >= claims.expires_ms:
        raise TicketExpiredError(
            f"a ticket opens until its time is over: got one that ended "
            f"{now_ms - claims.expires_ms} ms ago; ask the scheduler for a new one"
        )
    return claims


def _seal(claims: bytes, key: bytes) -> bytes:
    if len(key) != TICKET_KEY_BYTES:
        raise ValueError(f"a ticket key is {TICKET_KEY_BYTES} bytes: got {len(key)}")
    return hmac.digest(key, claims, hashlib.sha256)
