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
_ARROW_MAGIC: Final = b"ARROW1"
_ARROW_CONTINUES: Final = b"\xff\xff\xff\xff"
_ARROW_HEAD_BYTES: Final = 8
_ARROW_TAIL_BYTES: Final = 10
"""Bytes before which a file's footer ends: its length and the magic word."""

FileIdentity = tuple[int, int]
"""A file's number on its device, and when its name, owner, rights or bytes last changed, in
nanoseconds: the one differs if another file was moved to its place, the other if it was written
over, whatever time it was given then."""

Footprint = tuple[tuple[str, int, int, FileIdentity], ...]
"""Files with size, time of the last change in nanoseconds, and identity, by name."""

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
        FileCorruptError: A file is empty that cannot be, or says that it is longer than it is.
    """
    location = allowed.check_location(path)
    if kind in _NEVER_EMPTY:
        for file in _files(location):
            if file.endswith((f".{kind}", location)):
                _check_ends(file, kind)
    return location


def _check_ends(file: str, kind: str) -> None:
    """Refuses what the engine would take for no rows, or reserve memory of any size for."""
    size = os.path.getsize(file)  # noqa: PTH202
    if size == 0:
        message = f"a {kind} file has a footer: got 0 bytes in {file}"
        raise FileCorruptError(f"{message}; write it again or remove it")
    if kind == "arrow" and not 0 < _arrow_metadata_bytes(file, size) < size:
        message = f"an arrow file says how long its schema is: got another number in {file}"
        raise FileCorruptError(f"{message}; write it again or remove it")


def _arrow_metadata_bytes(file: str, size: int) -> int:
    """Returns how long the metadata is that is read first: a file's footer, a stream's schema."""
    with open(file, "rb") as source:  # noqa: PTH123
        begin = source.read(_ARROW_HEAD_BYTES)
        source.seek(max(0, size - _ARROW_TAIL_BYTES))
        end = source.read()
    if begin.startswith(_ARROW_MAGIC):
        whole = len(end) == _ARROW_TAIL_BYTES and end.endswith(_ARROW_MAGIC)
        return int.from_bytes(end[:4], "little", signed=True) if whole else 0
    length = begin[4:] if begin.startswith(_ARROW_CONTINUES) else begin[:4]
    return int.from_bytes(length, "little", signed=True)


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
        found.append((file, status.st_size, status.st_mtime_ns, file_identity(status)))
    return tuple(found)


def file_identity(status: os.stat_result) -> FileIdentity:
    """Returns what a file shares with no other state of it, nor with a file in its place.

    Example:
        >>> file_identity(os.stat(__file__)) == file_identity(os.stat(__file__))
        True
    """
    return status.st_ino, status.st_ctime_ns


class KnownFiles:
    """The files that an engine session has seen, table by table.

    The engine keeps footers and statistics by name, size and time. Of a file that took another
    one's place, and has its size and time, it believes what it knows of the former one.
    """

    def __init__(self) -> None:
        """Knows none."""
        self._footprints: dict[str, Footprint] = {}

    def clear(self) -> None:
        """Forgets all, as a new engine session has."""
        self._footprints.clear()

    def footprint(self, path: str) -> Footprint | None:
        """Returns what was met last at a table's location."""
        return self._footprints.get(path)

    def meet(self, path: str) -> bool:
        """Looks at a table's files; False if the engine takes one for another that it knows."""
        now = footprint(path) if path else None
        before = self._footprints.pop(path, None)
        if now is None:
            return True
        self._footprints[path] = now
        if before is None or before == now:
            return True
        known = {file[:3]: file[3] for file in before}
        return all(known.get(file[:3], file[3]) == file[3] for file in now)


def _files(location: str) -> Iterator[str]:
    if os.path.isfile(location):  # noqa: PTH113
        yield location
    for folder, _, names in os.walk(location):
        yield from (os.path.join(folder, name) for name in names)  # noqa: PTH118
