"""What is left to chance in a history: all of it follows from one seed."""

from dataclasses import dataclass
from enum import Enum
from random import Random
from typing import TypeVar

_T = TypeVar("_T")


class Fault(Enum):
    """What may go wrong."""

    STREAM_BROKEN = "stream broken"
    MESSAGES_LINGER = "messages of a broken stream arrive late"
    END_UNHEARD = "one side does not hear that a stream broke"
    EXECUTOR_KILLED = "executor killed"
    EXECUTOR_PAUSED = "executor paused"
    EXECUTOR_DRAINED = "executor told to leave"
    ENGINE_DIED = "engine died"
    ENGINE_STILLBORN = "engine died before it was ready"
    ENGINE_OUTGREW = "engine outgrew its memory"
    TASK_BROKE = "task failed"
    FETCH_FAILED = "peer not reached"
    OUTPUT_DAMAGED = "output damaged"
    CALL_LOST = "call lost on its way"
    REPLY_LOST = "reply lost on its way"
    SCHEDULER_KILLED = "scheduler killed"
    WRITE_REFUSED = "write failed before its effect"
    WRITE_UNHEARD = "write failed after its effect"
    WRITE_SLOW = "write took long"
    PLAN_FAILED = "statement does not plan"
    REPLAN_FAILED = "stage not planned anew"
    CLIENT_VANISHED = "client vanished"


@dataclass(frozen=True, slots=True)
class Cuts:
    """Faults that are left out of a history, to see if it fails without them.

    Attributes:
        kinds: No fault of these kinds.
        after: None after so many.
        numbers: None of these, counted from 1.
    """

    kinds: frozenset[Fault] = frozenset()
    after: int | None = None
    numbers: frozenset[int] = frozenset()

    def has(self, number: int, kind: Fault) -> bool:
        """True if a fault is left out."""
        late = self.after is not None and number > self.after
        return late or kind in self.kinds or number in self.numbers


NO_CUTS = Cuts()

_RATES = (0.0, 0.0, 0.01, 0.03, 0.1, 0.3)
"""Most histories have few kinds of faults: many kinds at once hide each other."""


class Chance:
    """Draws what happens, and when a fault strikes.

    Example:
        >>> one, other = Chance(7), Chance(7)
        >>> one.between(1, 1_000) == other.between(1, 1_000)
        True
    """

    def __init__(self, seed: int, cuts: Cuts = NO_CUTS) -> None:
        """Starts from a seed; what is cut is drawn and does not strike."""
        self._world = Random(f"world {seed}")  # noqa: S311 - repeatable
        self._faults = Random(f"faults {seed}")  # noqa: S311 - repeatable
        self._cuts = cuts
        self._rates = {kind: self._faults.choice(_RATES) for kind in Fault}
        self._drawn = 0
        self.struck: list[tuple[int, Fault]] = []
        self.calm = False

    def between(self, low: int, high: int) -> int:
        """Returns a whole number, both ends included."""
        return low + int(self._world.random() * (high - low + 1))

    def one_of(self, *values: _T) -> _T:
        """Returns one of some values."""
        return self._world.choice(values)

    def strikes(self, kind: Fault, scale: float = 1.0) -> bool:
        """True if a fault strikes here; none does once it is calm."""
        if self.calm or self._faults.random() >= self._rates[kind] * scale:
            return False
        self._drawn += 1
        if self._cuts.has(self._drawn, kind):
            return False
        self.struck.append((self._drawn, kind))
        return True
