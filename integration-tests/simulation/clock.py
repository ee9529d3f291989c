"""A clock that jumps from one thing to the next."""

import heapq
from collections.abc import Callable


class Timer:
    """Something to be done at a time, unless it is called off before."""

    __slots__ = ("act", "is_off")

    def __init__(self, act: Callable[[], None]) -> None:
        self.act = act
        self.is_off = False


class Clock:
    """Virtual time in milliseconds.

    Example:
        >>> clock, told = Clock(), []
        >>> _ = clock.after(5, lambda: told.append(clock.now_ms))
        >>> clock.run_until(9, lambda: False), told
        (False, [6])
    """

    def __init__(self) -> None:
        self.now_ms = 1  # nothing happens at 0, which stands for never
        self.steps = 0
        self._line: list[tuple[int, int, Timer]] = []
        self._order = 0

    def after(self, wait_ms: int, act: Callable[[], None]) -> Timer:
        """Has something done after a while; things of one moment are done in the order asked."""
        return self.at(self.now_ms + wait_ms, act)

    def at(self, at_ms: int, act: Callable[[], None]) -> Timer:
        """Has something done at a time, or now if that is over."""
        timer = Timer(act)
        self._order += 1
        heapq.heappush(self._line, (max(at_ms, self.now_ms), self._order, timer))
        return timer

    def run_until(self, end_ms: int, done: Callable[[], bool]) -> bool:
        """Does what is due, one thing after the other, until all is done or an end has come."""
        line = self._line
        while line and line[0][0] <= end_ms:
            at_ms, _, timer = heapq.heappop(line)
            if timer.is_off:
                continue
            self.now_ms = at_ms
            self.steps += 1
            timer.act()
            if done():
                return True
        self.now_ms = max(self.now_ms, end_ms)
        return done()
