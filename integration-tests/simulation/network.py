"""Streams between executors and schedulers: each direction in order, until one breaks."""

from typing import Protocol

from simulation.chance import Chance, Fault
from simulation.clock import Clock
from springald.executor.v1.executor_pb2 import ConnectRequest, ConnectResponse


class ExecutorEnd(Protocol):
    """Who holds the lower end of a stream."""

    def hear(self, stream: "Stream", message: ConnectResponse) -> None:
        """Takes a message."""

    def lose(self, stream: "Stream") -> None:
        """Takes in that the stream ended."""


class SchedulerEnd(Protocol):
    """Who holds the upper end of a stream."""

    def hear(self, stream: "Stream", message: ConnectRequest) -> None:
        """Takes a message."""

    def lose(self, stream: "Stream", reason: str) -> None:
        """Takes in that the stream ended."""


class Lane:
    """One direction: when the last message arrives, before which none that is later may."""

    __slots__ = ("is_cut", "last_ms")

    def __init__(self) -> None:
        self.last_ms = 0
        self.is_cut = False


class Stream:
    """A connection of an executor. Messages of two streams may overtake each other."""

    def __init__(
        self, clock: Clock, chance: Chance, below: ExecutorEnd, above: SchedulerEnd
    ) -> None:
        """Opens it; nobody is told."""
        self._clock = clock
        self._chance = chance
        self._below = below
        self._above = above
        self._up = Lane()
        self._down = Lane()
        self.is_broken = False
        self._is_ending = False

    def send_up(self, message: ConnectRequest) -> None:
        """Sends a message to the scheduler; it may be the one at which the stream breaks."""
        if not self._take(self._up):
            return
        lane, at_ms = self._up, self._arrival(self._up)

        def arrive() -> None:
            if not lane.is_cut:
                self._above.hear(self, message)

        self._clock.at(at_ms, arrive)

    def send_down(self, message: ConnectResponse) -> None:
        """Sends a message to the executor; it may be the one at which the stream breaks."""
        if not self._take(self._down):
            return
        lane, at_ms = self._down, self._arrival(self._down)

        def arrive() -> None:
            if not lane.is_cut:
                self._below.hear(self, message)

        self._clock.at(at_ms, arrive)

    def end_down(self) -> None:
        """The scheduler ends the stream, after all that it has sent."""
        if not self.is_broken and not self._is_ending:
            self._is_ending = True
            self._clock.at(self._arrival(self._down), self._end_below)

    def end_up(self, reason: str) -> None:
        """The executor ends the stream, after all that it has sent."""
        if not self.is_broken and not self._is_ending:
            self._is_ending = True
            self._clock.at(self._arrival(self._up), lambda: self._end_above(reason))

    def break_off(self, *, below_is_gone: bool = False, above_is_gone: bool = False) -> None:
        """Breaks the stream: what is on its way is lost, or comes later than it should.

        Each side hears of it in its own time, the executor at the latest when its probes fail.
        """
        if self.is_broken:
            return
        self.is_broken = True
        chance = self._chance
        if not chance.strikes(Fault.MESSAGES_LINGER, 3):
            self._up.is_cut = self._down.is_cut = True
        self._up.is_cut |= above_is_gone
        self._down.is_cut |= below_is_gone
        unheard = chance.strikes(Fault.END_UNHEARD, 3)
        if not above_is_gone and not unheard:
            self._clock.after(chance.between(1, 400), lambda: self._end_above("its stream ended"))
        if not below_is_gone:
            wait_ms = chance.between(5_000, 20_000) if unheard else chance.between(1, 400)
            self._clock.after(wait_ms, self._end_below)

    def _take(self, lane: Lane) -> bool:
        if self.is_broken or self._is_ending or lane.is_cut:
            return False
        if self._chance.strikes(Fault.STREAM_BROKEN, 0.2):
            self.break_off()
            return False
        return True

    def _arrival(self, lane: Lane) -> int:
        wait_ms = self._chance.one_of(0, 0, 1, 2, 5)
        if not self._chance.between(0, 30):
            wait_ms = self._chance.between(20, 1_500)
        lane.last_ms = max(lane.last_ms, self._clock.now_ms + wait_ms)
        return lane.last_ms

    def _end_below(self) -> None:
        self.is_broken = self._down.is_cut = True
        self._below.lose(self)

    def _end_above(self, reason: str) -> None:
        self.is_broken = self._up.is_cut = True
        self._above.lose(self, reason)
