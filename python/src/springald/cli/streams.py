"""Standard input, output and error, which may be closed, full, or a pipe that nobody reads."""

import os
import sys
from contextlib import suppress
from typing import Any, Final

__all__ = ["forget_output", "hold_streams"]

# Reading a closed input finds its end, and what goes to a closed error is lost. Writing to a closed
# output must fail as it does on a full disk, so its stand-in cannot be written.
_STAND_INS: Final = (
    ("stdin", "r", os.O_RDONLY),
    ("stdout", "w", os.O_RDONLY),
    ("stderr", "w", os.O_WRONLY),
)


def hold_streams() -> None:
    """Puts something in the place of standard streams that were closed before the program began.

    Python has None for them, and the next file or socket that is opened would get their numbers.
    """
    for name, mode, flags in _STAND_INS:
        if getattr(sys, name) is None:
            stream: Any = os.fdopen(os.open(os.devnull, flags), mode)
            setattr(sys, name, stream)


def forget_output() -> None:
    """Drops what could not be written, or Python would try once more, and complain, as it ends."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
