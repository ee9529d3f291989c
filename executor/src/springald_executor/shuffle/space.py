"""Where files are written: in a memory-backed folder within a grant, and on disk beyond it.

A file begins in memory while the grant has room, and moves to disk as a whole when it outgrows it,
so that the budget holds whatever a task makes.
"""

import contextlib
import errno
import os
import shutil
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import xxhash

from springald.errors import IoFailedError, OutOfDiskError
from springald_executor.core.limits import MEMORY_FILE_BYTES_MIN
from springald_executor.core.model import Grant

_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})
_NO_FILE: Final = -1
_ELSEWHERE: Final = "elsewhere"
_PIECES_MAX: Final = min(1024, os.sysconf("SC_IOV_MAX"))


@dataclass(frozen=True, slots=True)
class Roots:
    """The two folders under which an executor writes everything; memory may be missing."""

    disk: Path
    memory: Path | None = None

    def folders(self, relative: str) -> list[Path]:
        """Returns the places that a folder of an attempt, job or upload has."""
        return [root / relative for root in (self.memory, self.disk) if root is not None]

    def remove(self, relative: str) -> None:
        """Removes a folder in both places; one that is not there is removed already.

        What was noted to go with it goes first.
        """
        for folder in self.folders(relative):
            with contextlib.suppress(OSError):
                shutil.rmtree((folder / _ELSEWHERE).read_text(), ignore_errors=True)
            shutil.rmtree(folder, ignore_errors=True)

    def note(self, relative: str, elsewhere: Path) -> None:
        """Notes a folder that lies elsewhere and goes with one of these.

        Raises:
            OSError: There is no room for a note.
        """
        folder = self.disk / relative
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        (folder / _ELSEWHERE).write_text(str(elsewhere))


class Space:
    """The folder of one attempt or upload, with its grant of memory."""

    def __init__(self, roots: Roots, grant: Grant) -> None:
        self._roots = roots
        self._folder = grant.folder
        self._memory_bytes = grant.memory_bytes if roots.memory is not None else 0
        self._lock = threading.Lock()

    def create(self, name: str, *, held_bytes_max: int = 0) -> "SpaceFile":
        """Starts a file.

        Args:
            name: What it is called.
            held_bytes_max: Up to which size it is only held by the process, and lies nowhere.

        Raises:
            OutOfDiskError: There is no room even for an empty file.
            IoFailedError: The folder cannot be written.
        """
        memory = None if self._roots.memory is None else self._roots.memory / self._folder / name
        disk = self._roots.disk / self._folder / name
        with self._lock:
            roomy = self._memory_bytes >= MEMORY_FILE_BYTES_MIN
        return SpaceFile(self, memory if roomy else None, disk, held_bytes_max)

    def link(self, path: str, name: str) -> Path | None:
        """Gives a file of another executor a second name here; None if it cannot have one."""
        for folder in self._roots.folders(self._folder):
            with contextlib.suppress(OSError):
                folder.mkdir(parents=True, exist_ok=True, mode=0o700)
                (folder / name).hardlink_to(path)
                return folder / name
        return None

    def take(self, count: int) -> bool:
        """Takes bytes of memory from the grant; returns False if it has not as many left."""
        with self._lock:
            if count > self._memory_bytes:
                return False
            self._memory_bytes -= count
            return True

    def give_back(self, count: int) -> None:
        """Returns bytes of memory to the grant."""
        with self._lock:
            self._memory_bytes += count

    def note(self, elsewhere: Path, of_all: Path) -> None:
        """Has a folder that lies elsewhere go with this one, and that of all with the job's.

        Raises:
            OSError: There is no room for a note.
        """
        self._roots.note(self._folder, elsewhere)
        self._roots.note(os.path.dirname(self._folder), of_all)  # noqa: PTH120

    def remove(self) -> None:
        """Removes the folder with all that is in it."""
        self._roots.remove(self._folder)


class SpaceFile:
    """A file that is appended to, block by block; a sink for `pyarrow.PythonFile`.

    What is written is kept until `end_block` puts it into the file at one go, with its checksum.

    Attributes:
        held: All blocks, while they are few enough to be held; None once they lie in a file.
    """

    def __init__(
        self, space: Space, memory: Path | None, disk: Path, held_bytes_max: int = 0
    ) -> None:
        self._space = space
        self._held_bytes_max = held_bytes_max
        self._memory = memory
        self._disk = disk
        self._pieces: list[bytes | memoryview] = []
        self._pieces_bytes = 0
        self._written = 0
        self.closed = False
        self.held: bytes | None = b"" if held_bytes_max else None
        self._fd = _NO_FILE if held_bytes_max else self._open_first()

    def _open_first(self) -> int:
        if self._memory is not None:
            try:
                return _open(self._memory)
            except OutOfDiskError:
                self._memory = None
        return _open(self._disk)

    @property
    def path(self) -> Path:
        """Where the file lies now, or will."""
        return self._disk if self._memory is None else self._memory

    @property
    def in_memory(self) -> bool:
        """True if it lies in the memory-backed folder."""
        return self._memory is not None

    def write(self, data: bytes | memoryview) -> int:
        """Keeps bytes for the current block; they must not change until it ends."""
        count = memoryview(data).nbytes
        self._pieces.append(data)
        self._pieces_bytes += count
        return count

    def tell(self) -> int:
        """Returns how many bytes the file has, the current block included."""
        return self._written + self._pieces_bytes

    def flush(self) -> None:
        """Does nothing: a block is written when it ends."""

    def readable(self) -> bool:
        """Returns False: files are read when they are finished."""
        return False

    def writable(self) -> bool:
        """Returns True."""
        return True

    def seekable(self) -> bool:
        """Returns False: files are appended to."""
        return False

    def end_block(self) -> int:
        """Puts the block into the file and returns the checksum of its bytes.

        Raises:
            OutOfDiskError: The disk is full; the file is removed.
        """
        checksum = xxhash.xxh3_64()
        for piece in self._pieces:
            checksum.update(piece)
        if self.held is not None and self.tell() <= self._held_bytes_max:
            self.held += b"".join(self._pieces)
        else:
            self.settle()
            self._put()
        self._written += self._pieces_bytes
        self._pieces, self._pieces_bytes = [], 0
        return checksum.intdigest()

    def settle(self) -> None:
        """Puts what was only held until now into a file.

        Raises:
            OutOfDiskError: The disk is full; the file is removed.
        """
        if self.held is None:
            return
        current = self._pieces, self._pieces_bytes
        is_finished, self.closed = self.closed, False
        self._pieces, self._pieces_bytes, self.held = [self.held], len(self.held), None
        self._written = 0
        self._fd = self._open_first()
        self._put()
        self._written = self._pieces_bytes
        self._pieces, self._pieces_bytes = current
        if is_finished:
            self.close()

    def _put(self) -> None:
        """Puts the block into the file."""
        if self._memory is not None and not self._space.take(self._pieces_bytes):
            self._move_to_disk()
        try:
            self._append()
        except OSError as failure:
            self.discard()
            raise _typed(failure, self.path) from failure

    def _append(self) -> None:
        pending = [memoryview(piece).cast("B") for piece in self._pieces]
        while pending:
            try:
                done = os.writev(self._fd, pending[:_PIECES_MAX])
            except OSError as failure:
                if self._memory is None or failure.errno not in _FULL:
                    raise
                # What of the block is in the memory file already moves with it.
                self._space.give_back(self._pieces_bytes)
                self._move_to_disk()
                continue
            pending = _after(pending, done)

    def _move_to_disk(self) -> None:
        """Goes on in a copy on disk, and gives the memory back."""
        memory, self._memory = self._memory, None
        if memory is None:
            return
        old, self._fd = self._fd, _open(self._disk)
        try:
            shutil.copyfile(memory, self._disk)
            os.lseek(self._fd, 0, os.SEEK_END)
        except OSError as failure:
            self.discard()
            raise _typed(failure, self._disk) from failure
        finally:
            os.close(old)
            memory.unlink(missing_ok=True)
        self._space.give_back(self._written)

    def close(self) -> None:
        """Ends the file with what is still kept."""
        if not self.closed:
            if self._pieces:
                self.end_block()
            self.closed = True
            if self.held is None:
                os.close(self._fd)

    def discard(self) -> None:
        """Removes the file, whatever state it is in."""
        if not self.closed:
            self.closed = True
            self._pieces, self._pieces_bytes = [], 0
            with contextlib.suppress(OSError):
                os.close(self._fd)
        if self.held is None:
            self.path.unlink(missing_ok=True)


def _after(pending: list[memoryview], done: int) -> list[memoryview]:
    """Returns what is left of pieces of which so many bytes were written."""
    for number, piece in enumerate(pending):
        if done < len(piece):
            return [piece[done:], *pending[number + 1 :]]
        done -= len(piece)
    return []


def _open(path: Path) -> int:
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    except OSError as failure:
        raise _typed(failure, path) from failure


def _typed(failure: OSError, path: Path) -> OutOfDiskError | IoFailedError:
    if failure.errno in _FULL:
        return OutOfDiskError(f"files of a task need space: got none at {path}; free some")
    return IoFailedError(f"files of a task can be written: got {failure} at {path}")
