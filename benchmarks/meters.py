"""What a place takes from the machine while it works: CPU, memory, files; measured from outside."""

import os
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psutil

_SAMPLE_S: Final = 0.1
_TREE_EVERY: Final = 5
"""Finding new processes reads all of /proc, so it is done only at every so manieth sample."""

_SHARED_MEMORY: Final = Path("/dev/shm")  # noqa: S108 - looked at, nothing is made there
_BLOCK: Final = 512


@dataclass
class Usage:
    """What was taken in a span of time.

    Attributes:
        seconds: How long the span was.
        cpu_s: CPU seconds of all processes of the place.
        peak_bytes: Most memory at a time: anonymous pages of all processes, and memory-backed
            files. Pages of mapped files on disk are the page cache's and not counted.
        client_peak_bytes: The same for the place's first process, which is the client.
        files: New files that were seen; those that lived shorter than a sample may be missed.
        disk_peak_bytes: Most bytes of files on disk at a time, in the place's folder.
        others_cpu_s: CPU seconds that other programs took on the whole machine meanwhile.
    """

    seconds: float = 0
    cpu_s: float = 0
    peak_bytes: int = 0
    client_peak_bytes: int = 0
    files: int = 0
    disk_peak_bytes: int = 0
    others_cpu_s: float = 0


class Meter:
    """Looks at a process, all its descendants, and the files below a folder.

    Args:
        pid: The process.
        scratch: The folder. A folder of the same name as one below it, in /dev/shm, belongs to it.
    """

    def __init__(self, pid: int, scratch: Path) -> None:
        self._root = psutil.Process(pid)
        self._scratch = scratch
        self._tree = [self._root]

    def cpu_s(self) -> float:
        """CPU seconds of all processes so far, those that have ended and were waited for too."""
        self._tree = self.processes()
        return sum(map(_cpu_s, self._tree))

    def processes(self) -> list[psutil.Process]:
        """The process and its descendants."""
        with suppress(psutil.Error):
            return [self._root, *self._root.children(recursive=True)]
        return []

    @contextmanager
    def span(self) -> Iterator[Usage]:
        """Measures what happens in a block; the figures are there when it has ended."""
        usage = Usage()
        done = threading.Event()
        known = self._files()
        cpu_s, busy_s, began = self.cpu_s(), _busy_elsewhere_s(), time.perf_counter()
        sampler = threading.Thread(target=self._sample, args=(usage, done, known), daemon=True)
        sampler.start()
        try:
            yield usage
        finally:
            usage.seconds = time.perf_counter() - began
            usage.cpu_s = self.cpu_s() - cpu_s
            busy_s = _busy_elsewhere_s() - busy_s
            done.set()
            sampler.join()
            usage.others_cpu_s = max(0.0, busy_s - usage.cpu_s)

    def memory_folders(self) -> list[Path]:
        """The memory-backed folders of the place."""
        with suppress(OSError):
            own = {entry.name for entry in _SHARED_MEMORY.iterdir() if entry.is_dir()}
            if own:
                below = (name for _, names, _ in os.walk(self._scratch) for name in names)
                return [_SHARED_MEMORY / name for name in own.intersection(below)]
        return []

    def _sample(self, usage: Usage, done: threading.Event, known: dict[str, int]) -> None:
        seen: set[str] = set()
        last, count = False, 0
        while True:
            if count % _TREE_EVERY == 0:
                self._tree = self.processes()
            count += 1
            memory = _files_below(self.memory_folders())
            disk = _files_below([self._scratch])
            seen.update(disk.keys() - known.keys(), memory.keys() - known.keys())
            anonymous = [_anonymous_bytes(process.pid) for process in self._tree]
            usage.files = len(seen)
            usage.peak_bytes = max(usage.peak_bytes, sum(anonymous) + sum(memory.values()))
            usage.client_peak_bytes = max(usage.client_peak_bytes, *anonymous[:1], 0)
            usage.disk_peak_bytes = max(usage.disk_peak_bytes, sum(disk.values()))
            if last:
                return
            last = done.wait(_SAMPLE_S)

    def _files(self) -> dict[str, int]:
        return {**_files_below([self._scratch]), **_files_below(self.memory_folders())}


def _anonymous_bytes(pid: int) -> int:
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("RssAnon:"):
                return int(line.split()[1]) * 1024
    return 0


def _cpu_s(process: psutil.Process) -> float:
    with suppress(psutil.Error):
        times = process.cpu_times()
        return float(times.user + times.system + times.children_user + times.children_system)
    return 0.0


def _busy_elsewhere_s() -> float:
    """CPU seconds of the machine, without idle ones, those of this process, and the host's."""
    times, own = psutil.cpu_times(), os.times()
    return float(
        times.user + times.system + times.nice + times.irq + times.softirq - own.user - own.system
    )


def _files_below(folders: list[Path]) -> dict[str, int]:
    """Returns the bytes of each file; what goes away meanwhile is left out."""
    found = {}
    for folder in folders:
        for parent, _, names in os.walk(folder):
            for name in names:
                path = f"{parent}/{name}"
                with suppress(OSError):
                    found[path] = os.lstat(path).st_blocks * _BLOCK
    return found
