"""What comes of a run: an outcome if rows were right, or else in which way it went wrong."""

from collections.abc import Mapping
from dataclasses import dataclass, field


class WrongError(AssertionError):
    """Rows are not those of one process."""


class HungError(AssertionError):
    """Something did not end in time."""


@dataclass(frozen=True)
class Outcome:
    """One fault that fired, and what came of it.

    Attributes:
        base_s: How long the query takes without a fault; 0 if that says nothing.
        took_s: How long it took with it.
        again: Tasks that were run again.
        lost: Tasks that the fault took, or might have.
        finished: False if the query failed with an error that may be expected.
        figures: More that was measured, by name.
    """

    base_s: float
    took_s: float
    again: int = 0
    lost: int = 0
    finished: bool = True
    figures: Mapping[str, float] = field(default_factory=dict)


@dataclass(frozen=True)
class Record:
    """One run as it is kept.

    Attributes:
        row: Which row of the table it counts for.
        seed: What it followed from.
        came_to: `right`, `failed` (an error that may be expected), `wrong`, `hung` or `broken`.
        outcome: Its figures, if it is one of the first two.
        why: What was wrong, or the error.
        ran_s: How long the run took with all that is round it.
    """

    row: str
    seed: int
    came_to: str
    outcome: Outcome | None = None
    why: str = ""
    ran_s: float = 0.0
