"""What happened in a history, for a person who wants to know why it went wrong."""

from collections import deque
from dataclasses import fields
from typing import Final

_LINES_MAX: Final = 4_000
_SHOWN: Final = (str, int, bool)
_LEFT_OUT: Final = frozenset(
    {"cause", "digest", "statement", "facts", "memory_bytes", "pid", "host"}
)


class Story:
    """Lines with their time; costs nothing unless it is told."""

    def __init__(self, *, is_told: bool) -> None:
        """Starts empty."""
        self.is_told = is_told
        self._lines: deque[str] = deque(maxlen=_LINES_MAX)

    def add(self, now_ms: int, who: str, what: object) -> None:
        """Adds a line, or an event or action in short."""
        if self.is_told:
            self._lines.append(f"{now_ms:>8} ms  {who:<10} {_short(what)}")

    def __str__(self) -> str:
        """Returns the last lines."""
        return "\n".join(self._lines)


def _short(what: object) -> str:
    if isinstance(what, str):
        return what
    shown = []
    for each in fields(what) if hasattr(what, "__dataclass_fields__") else ():  # type: ignore[arg-type]
        value = getattr(what, each.name)
        failure = getattr(value, "code", None)
        if failure and hasattr(value, "message"):
            shown.append(f"{failure}: {value.message}")
        elif hasattr(value, "stage_id"):
            shown.append(f"stage={value.stage_id}")
        elif isinstance(value, _SHOWN) and value not in {"", 0} and each.name not in _LEFT_OUT:
            shown.append(f"{each.name}={value}")
        elif isinstance(value, range):
            shown.append(f"{each.name}={value.start}..{value.stop - 1}")
    return " ".join([type(what).__name__, *shown])
