"""A process that must not outlive the one that started it: the pipe on its standard input tells.

The starter keeps the other end of the pipe and says on it, a line each, what to do when it is
gone: `remove PATH` names a folder to remove, and `keep` takes that back. When the pipe closes,
however the starter ended, the process stops, and so do all of its siblings.
"""

import atexit
import os
import shutil
import threading
from collections.abc import Callable
from typing import Final

__all__ = ["KEEP", "REMOVE", "watch_parent"]

REMOVE: Final = "remove"
KEEP: Final = "keep"

_GRACE_S: Final = 10.0
_STDIN: Final = 0
_READ_BYTES: Final = 4096


def watch_parent(stop: Callable[[], None], *, grace_s: float = _GRACE_S) -> threading.Thread:
    """Has a thread wait for the end of standard input, and then end this process.

    Args:
        stop: Begins an orderly stop at once and returns; it is called on the watching thread. For
            an executor that means without waiting for its tasks.
        grace_s: How long the orderly stop may take before the process is ended without it.

    Returns:
        The thread, which is a daemon and needs no joining.
    """
    lifeline = _Lifeline(stop, grace_s)
    # Registered early, run late: after everything else has let go of its files.
    atexit.register(lifeline.remove_folders)
    thread = threading.Thread(target=lifeline.watch, name="springald-lifeline", daemon=True)
    thread.start()
    return thread


class _Lifeline:
    def __init__(self, stop: Callable[[], None], grace_s: float) -> None:
        self._stop = stop
        self._grace_s = grace_s
        self._folders: list[str] = []
        self._parent_is_gone = False

    def watch(self) -> None:
        for line in _lines():
            command, _, path = line.partition(" ")
            if command == REMOVE:
                self._folders.append(path)
            elif command == KEEP:
                self._folders.clear()
        self._parent_is_gone = True
        ending = threading.Timer(self._grace_s, self._end)
        ending.daemon = True
        ending.start()
        self._stop()

    def remove_folders(self) -> None:
        if self._parent_is_gone:
            for folder in self._folders:
                shutil.rmtree(folder, ignore_errors=True)

    def _end(self) -> None:
        self.remove_folders()
        os._exit(1)


def _lines() -> list[str]:
    """Reads lines as they come, up to the end; the file object of `sys.stdin` is left alone."""
    read = bytearray()
    while chunk := os.read(_STDIN, _READ_BYTES):
        read += chunk
    return os.fsdecode(bytes(read)).splitlines()
