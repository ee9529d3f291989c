"""Whether a table's files are there, asked before the engine looks at them.

The engine takes files that are gone, or empty, for no rows. So what a query scans is looked at
first, and what is missing or broken is an error instead of an answer.
"""

import os
import re
from collections.abc import Iterable, Iterator
from typing import Final

from datafusion.plan import LogicalPlan

from springald.engine.catalog import AllowedPaths, CatalogEntry
from springald.errors import FileCorruptError

_SCAN: Final = re.compile(r"^ *TableScan: (.*)$", re.MULTILINE)
# Files of these formats have a footer: not even a table without rows is an empty file.
_NEVER_EMPTY: Final = frozenset({"parquet", "arrow"})
Footprint = tuple[tuple[str, int, int, int], ...]
"""Files with size, time of the last change in nanoseconds, and inode, by name."""

_DEFAULT_SCHEMAS: Final = ("", "public.", "datafusion.public.")


def scanned_entries(plan: LogicalPlan, entries: Iterable[CatalogEntry]) -> Iterator[CatalogEntry]:
    """Yields the entries that a logical plan reads files of, views looked through."""
    scanned = set(_SCAN.findall(plan.display_indent()))
    for entry in entries:
        names = {f"{schema}{entry.name}" for schema in _DEFAULT_SCHEMAS}
        if entry.path and not scanned.isdisjoint(names):
            yield entry


def check_files(allowed: AllowedPaths, path: str, kind: str) -> str:
    """Returns a table's location as the engine takes it, if its files can be read.

    Args:
        allowed: Where files may lie.
        path: The location.
        kind: The files' format.

    Raises:
        PathNotAllowedError: It lies elsewhere, or a link below it leads elsewhere.
        DataFileNotFoundError: There is nothing.
        FileCorruptError: A file is empty that cannot be.
    """
    location = allowed.check_location(path)
    if kind in _NEVER_EMPTY:
        for file in _files(location):
            if file.endswith((f".{kind}", location)) and os.path.getsize(file) == 0:  # noqa: PTH202
                message = f"a {kind} file has a footer: got 0 bytes in {file}"
                raise FileCorruptError(f"{message}; write it again or remove it")
    return location


def footprint(path: str) -> Footprint | None:
    """Returns what tells whether a table's files have come, gone or changed.

    None if that cannot be told: of a pattern, a folder that is somewhere else, or a file that goes
    meanwhile.
    """
    if any(sign in path for sign in "*?["):
        return None
    files = [path] if os.path.isfile(path) else []  # noqa: PTH113
    for folder, folders, names in os.walk(path):
        if any(os.path.islink(os.path.join(folder, name)) for name in folders):  # noqa: PTH114, PTH118
            return None
        files += [os.path.join(folder, name) for name in names]  # noqa: PTH118
    found = []
    for file in sorted(files):
        try:
            status = os.stat(file)  # noqa: PTH116
        except OSError:
            return None
        found.append((file, status.st_size, status.st_mtime_ns, status.st_ino))
    return tuple(found)


def _files(location: str) -> Iterator[str]:
    if os.path.isfile(location):  # noqa: PTH113
        yield location
    for folder, _, names in os.walk(location):
        yield from (os.path.join(folder, name) for name in names)  # noqa: PTH118
