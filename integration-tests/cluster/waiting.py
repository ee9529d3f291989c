"""The one way in which these tests wait: for a state, with a deadline."""

import time
from collections.abc import Callable
from typing import TypeVar

DEADLINE_S = 20.0
_POLL_S = 0.02

SeenT = TypeVar("SeenT")


def wait_until(condition: Callable[[], SeenT], what: str, deadline_s: float = DEADLINE_S) -> SeenT:
    """Waits until a condition holds, and returns what it then returns.

    Args:
        condition: Looks at the world; anything that counts as true ends the waiting.
        what: The state waited for, for the error.
        deadline_s: How long it may take, in seconds.

    Raises:
        AssertionError: The state did not come in time.
    """
    deadline = time.monotonic() + deadline_s
    while True:
        seen = condition()
        if seen:
            return seen
        if time.monotonic() > deadline:
            raise AssertionError(f"{what} within {deadline_s:g} s: got {seen!r}")
        time.sleep(_POLL_S)


class Stopwatch:
    """Seconds since it was made."""

    def __init__(self) -> None:
        self._start = time.monotonic()

    @property
    def elapsed_s(self) -> float:
        """Seconds so far."""
        return time.monotonic() - self._start
