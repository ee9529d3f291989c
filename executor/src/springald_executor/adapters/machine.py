"""What the machine offers: memory within the limits of the container, and processors."""

import os
import shutil
from pathlib import Path
from typing import Final

import psutil

_CGROUP_LIMITS: Final = (
    "/sys/fs/cgroup/memory.max",
    "/sys/fs/cgroup/memory/memory.limit_in_bytes",
)
_TASKS_PERCENT: Final = 50
"""What `auto` deals out to tasks; the rest is for engines' own needs, files and other programs."""

_SHUFFLE_PERCENT: Final = 25
"""What `auto` gives to files in memory, of the tasks' memory."""


def memory_total() -> int:
    """Returns the bytes of memory that the machine, or its container, has."""
    limits = [
        psutil.virtual_memory().total,
        *map(_limit, _own_cgroup()),
        *map(_limit, _CGROUP_LIMITS),
    ]
    return min(limit for limit in limits if limit > 0)


def task_memory_auto(sharers: int = 1) -> int:
    """Returns what an executor deals out to tasks when nobody says how much.

    Args:
        sharers: How many executors share the machine.
    """
    return memory_total() * _TASKS_PERCENT // 100 // sharers


def shuffle_memory_auto(task_memory: int, memory_root: Path | None, sharers: int = 1) -> int:
    """Returns how much of files lies in memory when nobody says how much.

    Args:
        task_memory: What the executor deals out to tasks.
        memory_root: The memory-backed folder; it may be small, in a container 64 MiB.
        sharers: How many executors share the machine.
    """
    if memory_root is None:
        return 0
    room = shutil.disk_usage(memory_root).free // 2 // sharers
    return min(task_memory * _SHUFFLE_PERCENT // 100, room)


def processors() -> int:
    """Returns how many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _own_cgroup() -> list[str]:
    """Returns where the limit of this process's own group is, under version 2."""
    try:
        lines = Path("/proc/self/cgroup").read_text().splitlines()
    except OSError:
        return []
    return [f"/sys/fs/cgroup{line.split('::', 1)[1]}/memory.max" for line in lines if "::" in line]


def _limit(path: str) -> int:
    try:
        return int(Path(path).read_text())
    except (OSError, ValueError):  # no such group, or `max`
        return 0
