"""Pauses between tries."""

from collections.abc import Iterator

from springald.client_limits import BACKOFF_FIRST_MS, BACKOFF_MS_MAX

__all__ = ["waits_s"]


def waits_s(tries_max: int) -> Iterator[float]:
    """Yields the pauses between a number of tries, in seconds: each twice the last, up to a limit.

    Example:
        >>> list(waits_s(4))
        [0.05, 0.1, 0.2]
    """
    for tried in range(tries_max - 1):
        yield min(BACKOFF_FIRST_MS * 2**tried, BACKOFF_MS_MAX) / 1000
