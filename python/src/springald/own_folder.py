"""Folders of one process: private, kept from others by a lock, and known when nobody holds it.

A process that is killed removes nothing. So each folder holds a file that its process keeps locked,
and whoever makes the next folder at the same place removes those whose lock is free.
"""

import fcntl
import os
import secrets
import shutil
from pathlib import Path
from typing import Final

__all__ = ["OwnFolder", "new_name", "remove_stale"]

_LOCK: Final = "lock"


class OwnFolder:
    """A folder that is this process's until it is removed.

    Attributes:
        path: Where it is.
    """

    def __init__(self, parent: Path, name: str) -> None:
        """Makes it in a folder that exists, after removing what dead processes left there.

        Args:
            parent: The folder to make it in.
            name: Its name, from `new_name`.

        Raises:
            OSError: It cannot be made.
        """
        remove_stale(parent, name.rpartition("-")[0] + "-")
        # Under its final name the folder is locked from the start.
        unready = parent / f".{name}"
        unready.mkdir(mode=0o700)
        self._lock = os.open(unready / _LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        self.path = unready.rename(parent / name)

    def remove(self) -> None:
        """Removes it with all that is in it; removing again does nothing."""
        if self._lock < 0:
            return
        shutil.rmtree(self.path, ignore_errors=True)
        os.close(self._lock)
        self._lock = -1


def new_name(prefix: str) -> str:
    """Returns a name that nobody else has; the prefix ends in a dash and tells whose kind it is."""
    return f"{prefix}{secrets.token_hex(6)}"


def remove_stale(parent: Path, prefix: str) -> None:
    """Removes the folders of processes that are gone."""
    for folder in parent.glob(f"{prefix}*"):
        if _is_abandoned(folder):
            shutil.rmtree(folder, ignore_errors=True)


def _is_abandoned(folder: Path) -> bool:
    try:
        lock = os.open(folder / _LOCK, os.O_RDWR)
    except OSError:
        return False  # being removed by somebody else, or not ours to look at
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    finally:
        os.close(lock)
    return True
