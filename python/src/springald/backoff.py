"""Pauses between tries."""

import time
from collections.abc import Iterator

from springald.client_limits import BACKOFF_FIRST_MS, BACKOFF_MS_MAX

__all__ = ["waits_s"]


def waits_s(limit_ms: int) -> Iterator[float]:
    """Yields pauses between tries, in seconds, until a time is over: each twice the last.

    The time runs from the first pause on; pauses do not grow beyond a named limit.

    Example:
        >>> next(waits_s(1_000)), list(waits_s(0))
        (0.05, [])
    """
    end = time.monotonic() + limit_ms / 1000
    wait_ms = BACKOFF_FIRST_MS
    while time.monotonic() < end:
        yield wait_ms / 1000
        wait_ms = min(2 * wait_ms, BACKOFF_MS_MAX)
