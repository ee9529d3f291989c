"""What a cluster has on this machine: its processes and its files."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
import pytest

from cluster.waiting import DEADLINE_S, wait_until

_SHM = Path("/dev/shm")  # noqa: S108 - where memory-backed files lie, and must not stay
_EXECUTOR_PREFIX = "springald-executor-"
_COMPUTES_S = 0.3


class Footprint:
    """The processes and files of clusters that have a folder as their `work_dir`.

    A process belongs to it if its command line names the folder, if it was ever seen as a
    descendant of one that does, or if it is in the (POSIX) session of one of these: so it is found
    even when whoever started it is gone.

    Args:
        folder: The `work_dir`, which nobody else uses.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._sessions: set[int] = set()
        self._seen: set[psutil.Process] = set()
        self._names: set[str] = set()

    def processes(self) -> list[psutil.Process]:
        """The processes that are alive now; zombies do not count."""
        found = {process for process in _all_processes() if self._is_ours(process)}
        for process in list(found):
            found.update(_descendants(process))
        self._seen |= found
        self._sessions |= {session for process in found if (session := _session(process))}
        return sorted(filter(lives, self._seen), key=lambda process: process.pid)

    def files(self) -> list[Path]:
        """Files and folders that are there now, in memory and on disk."""
        on_disk = _below(self.folder)
        # An executor's folder in memory is called as the one on disk.
        self._names |= {path.name for path in on_disk if path.name.startswith(_EXECUTOR_PREFIX)}
        in_memory = [_SHM / name for name in self._names]
        return sorted([*on_disk, *(path for path in in_memory if path.exists())])

    def rows_files(self) -> frozenset[Path]:
        """The files that hold rows: results, shuffle and uploads."""
        return frozenset(
            path
            for found in self.files()
            for path in ([found, *_below(found)] if found.parent == _SHM else [found])
            if path.suffix == ".arrow"
        )

    @contextmanager
    def environment(self, scheduler: Mapping[str, str]) -> Iterator[None]:
        """Has processes that are started in a block make their temporary files here.

        Args:
            scheduler: Settings of a scheduler by name.
        """
        with pytest.MonkeyPatch.context() as environment:
            environment.setenv("TMPDIR", str(self.folder))
            for name, value in scheduler.items():
                environment.setenv(f"SPRINGALD_SCHEDULER_{name.upper()}", value)
            yield

    def assert_alive(self, at_least: int) -> None:
        """Raises AssertionError unless so many processes are there, so that a test can fail."""
        alive = self.processes()
        if len(alive) < at_least:
            raise AssertionError(f"{at_least} processes or more run: got {alive}")

    def wait_gone(self, deadline_s: float = DEADLINE_S) -> None:
        """Waits until neither a process nor a file is left."""
        wait_until(
            lambda: not self.processes() or None,
            f"no process of {self.folder} is left",
            deadline_s,
        )
        wait_until(
            lambda: not self.files() or None, f"no file of {self.folder} is left", deadline_s
        )

    def _is_ours(self, process: psutil.Process) -> bool:
        with suppress(psutil.Error):
            if process.pid == os.getpid():
                return False
            return (
                any(str(self.folder) in word for word in process.cmdline())
                or _session(process) in self._sessions
            )
        return False


def _below(folder: Path) -> list[Path]:
    """Returns all files and folders below; what goes away meanwhile is no error."""
    return [
        Path(parent, name)
        for parent, folders, files in os.walk(folder)
        for name in (*folders, *files)
    ]


def children_running(parent: psutil.Process, module: str) -> list[psutil.Process]:
    """Returns the descendants of a process whose command line names a module."""
    found = []
    for child in _descendants(parent):
        with suppress(psutil.Error):
            if any(word.endswith(module) for word in child.cmdline()):
                found.append(child)
    return found


def wait_computing(parent: psutil.Process, deadline_s: float = DEADLINE_S) -> psutil.Process:
    """Waits until a descendant of a process computes, and returns the one that does."""
    before = {child: _cpu_s(child) for child in _descendants(parent)}

    def risen() -> list[psutil.Process]:
        for child in _descendants(parent):
            before.setdefault(child, _cpu_s(child))
        return [child for child, seconds in before.items() if _cpu_s(child) > seconds + _COMPUTES_S]

    return wait_until(risen, f"a child of {parent} computes", deadline_s)[0]


def _cpu_s(process: psutil.Process) -> float:
    with suppress(psutil.Error):
        return float(sum(process.cpu_times()[:2]))
    return 0.0


def _all_processes() -> Iterator[psutil.Process]:
    yield from psutil.process_iter()


def _descendants(process: psutil.Process) -> list[psutil.Process]:
    with suppress(psutil.Error):
        return process.children(recursive=True)
    return []


def _session(process: psutil.Process) -> int:
    """Returns the POSIX session, 0 if it is not known or the one of this test run."""
    with suppress(OSError):
        session = os.getsid(process.pid)
        return 0 if session == os.getsid(0) else session
    return 0


def lives(process: psutil.Process) -> bool:
    """Tells whether a process is there and not only waits for its parent to notice its end."""
    with suppress(psutil.Error, OSError):
        if process.status() != psutil.STATUS_ZOMBIE:
            return process.is_running()
        # A killed process is called a zombie while its other threads are still ending.
        return len(list(Path(f"/proc/{process.pid}/task").iterdir())) > 1
    return False
