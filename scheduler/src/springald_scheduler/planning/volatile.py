"""Tells plans whose rows may differ each time they run."""

from typing import Final

_NAMES: Final = (b"random", b"uuid")


def may_vary(plan: bytes) -> bool:
    """Returns True for a serialised plan that may call a function without a fixed answer.

    A text that holds such a function's name is taken for a call. The time is none of them: the
    engine fixes it when it plans.
    """
    return any(name in plan for name in _NAMES)
