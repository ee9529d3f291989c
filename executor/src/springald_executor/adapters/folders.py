"""The folders of one life of an executor: made, kept from others, and removed in any case.

Each folder holds a file that its executor keeps locked, so that another one can tell the folder of
a dead executor and remove it. A janitor process removes both folders as soon as the executor and
all of its engines are gone, however they went.
"""

import contextlib
import os
import subprocess
import sys
from pathlib import Path
from typing import Final

from springald.errors import IoFailedError
from springald.own_folder import OwnFolder, new_name
from springald_executor.core.limits import FAREWELL_MS_MAX
from springald_executor.shuffle.space import Roots

_PREFIX: Final = "springald-executor-"
SHARED_MEMORY: Final = Path("/dev/shm")  # noqa: S108 - every file in it is private to its owner

# Waits until nobody holds the other end of its standard input, then removes the folders. What is
# being written at that moment cannot be: its writers held the other end, too.
_JANITOR: Final = """
import os, shutil, sys
while os.read(0, 1):
    pass
for folder in sys.argv[1:]:
    shutil.rmtree(folder, ignore_errors=True)
"""


class Folders:
    """A folder on disk and one in memory, for one life of an executor."""

    def __init__(
        self, work_dir: Path, memory_dir: Path | None = SHARED_MEMORY, *, janitor: bool = True
    ) -> None:
        """Makes both folders, after removing those that dead executors left there.

        Args:
            work_dir: Where the folder on disk is made.
            memory_dir: Where the one in memory is made; none for files on disk only.
            janitor: False where no child process is wanted; then what a killed process leaves is
                removed by the next one that makes folders here.

        Raises:
            IoFailedError: The folder on disk cannot be made.
        """
        name = new_name(_PREFIX)
        self._own: list[OwnFolder] = []
        try:
            work_dir.mkdir(parents=True, exist_ok=True)
            disk = self._make(work_dir, name)
        except OSError as failure:
            message = f"an executor writes into its work folder: got {failure}"
            raise IoFailedError(f"{message}; name another one with --work-dir") from failure
        self.roots = Roots(disk=disk, memory=self._make_memory(memory_dir, name))
        self._janitor: subprocess.Popen[bytes] | None = None
        self.lifeline_fd = -1
        if janitor:
            self._janitor, self.lifeline_fd = self._start_janitor()

    @property
    def spill(self) -> Path:
        """Where operators spill, a folder below for each engine."""
        return self.roots.disk / "spill"

    def remove(self) -> None:
        """Removes both folders and ends the janitor; everything that writes there has ended."""
        for folder in self._own:
            folder.remove()
        if self._janitor is not None:
            os.close(self.lifeline_fd)
            with contextlib.suppress(subprocess.TimeoutExpired):
                self._janitor.wait(FAREWELL_MS_MAX / 1000)

    def _make_memory(self, memory_dir: Path | None, name: str) -> Path | None:
        if memory_dir is None or not os.access(memory_dir, os.W_OK):
            return None
        with contextlib.suppress(OSError):
            return self._make(memory_dir, name)
        return None

    def _make(self, parent: Path, name: str) -> Path:
        folder = OwnFolder(parent, name)
        self._own.append(folder)
        return folder.path

    def _start_janitor(self) -> tuple["subprocess.Popen[bytes]", int]:
        """Starts the janitor; its pipe is open as long as somebody keeps the other end."""
        read, write = os.pipe()
        try:
            janitor = subprocess.Popen(  # noqa: S603 - the text above
                [
                    sys.executable,
                    "-I",
                    "-S",
                    "-c",
                    _JANITOR,
                    *(str(folder.path) for folder in self._own),
                ],
                stdin=read,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                start_new_session=True,  # a signal to the executor's group is not for the janitor
                cwd="/",
            )
        finally:
            os.close(read)
        return janitor, write
