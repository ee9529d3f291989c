"""What the footers of Parquet files say of a column: which row groups hold which values."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import lru_cache
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from springald.datafusion.v55 import plan_view_pb2 as pb
from springald.engine import plan_view as pv
from springald_scheduler.planning.table_files import FileIdentity, file_identity

_INTEGERS = frozenset({"INT32", "INT64"})
_FILES_ASKED = 8
_EPOCH = date(1970, 1, 1).toordinal()


@dataclass(frozen=True, slots=True)
class RowGroup:
    """A row group, and the values of one column in it, which has no NULLs there.

    Attributes:
        low: The smallest value.
        high: The largest value.
        start: Where in the file the engine takes it to begin, in bytes.
        end: Where the next one begins, or the file ends.
    """

    low: int
    high: int
    start: int
    end: int

    @property
    def size(self) -> int:
        """Its length in the file, in bytes."""
        return self.end - self.start


def row_groups(path: str, size: int, modified_ns: int, column: str) -> tuple[RowGroup, ...] | None:
    """Returns the row groups of a file that is known by its size and time, in the file's order.

    A file that took another one's place, with its size and time, has an identity of its own.

    Returns nothing if the file does not tell: the column is not there, is no whole number or date,
    has NULLs or no statistics, its dates are out of Python's range, or the file cannot be read.
    """
    return _row_groups(path, size, modified_ns, _identity(path), column)


@lru_cache(maxsize=4096)
def _row_groups(
    path: str, size: int, modified_ns: int, who: FileIdentity, column: str
) -> tuple[RowGroup, ...] | None:
    try:
        footer = _footer(path, size, modified_ns, who)
        number = _number(footer, column)
        return None if number is None else _groups(footer, number, size)
    except (OSError, OverflowError, ValueError, pa.ArrowException):
        return None


def share_of_columns(path: str, size: int, modified_ns: int, columns: frozenset[str]) -> float:
    """Returns which part of a file some of its columns take, fields of theirs included.

    Returns 1 if the file cannot be read.
    """
    return _share_of_columns(path, size, modified_ns, _identity(path), columns)


@lru_cache(maxsize=4096)
def _share_of_columns(
    path: str, size: int, modified_ns: int, who: FileIdentity, columns: frozenset[str]
) -> float:
    try:
        footer = _footer(path, size, modified_ns, who)
        groups = [footer.row_group(place) for place in range(footer.num_row_groups)]
        chunks = [group.column(n) for group in groups for n in range(footer.num_columns)]
    except (OSError, pa.ArrowException):
        return 1.0
    every = sum(chunk.total_compressed_size for chunk in chunks)
    read = sum(
        chunk.total_compressed_size
        for chunk in chunks
        if chunk.path_in_schema.partition(".")[0] in columns
    )
    return read / every if every else 1.0


def rows_read(conf: pb.FileScanExecConf) -> int | None:
    """Returns about how many rows a scan of local Parquet files reads, or nothing if none tells.

    A few of the files are asked, and the others taken to be like them.
    """
    if conf.object_store_url != "file:///":
        return None
    files = [file for group in conf.file_groups for file in group.files]
    asked = files[:_FILES_ASKED]
    rows = [_rows(f"/{f.path.lstrip('/')}", f.size, f.last_modified_ns) for f in asked]
    told = [(count, file.size) for count, file in zip(rows, asked, strict=True) if count]
    if not told:
        return None
    density = sum(count for count, _ in told) / sum(size for _, size in told)
    return int(density * sum(pv.bytes_read(file) for file in files))


def _rows(path: str, size: int, modified_ns: int) -> int | None:
    try:
        return int(_footer(path, size, modified_ns, _identity(path)).num_rows)
    except (OSError, pa.ArrowException):
        return None


def _identity(path: str) -> FileIdentity:
    """Returns what tells a file from others in its place; zeros if there is no such file."""
    try:
        return file_identity(Path(path).stat())
    except OSError:
        return 0, 0


@lru_cache(maxsize=128)
def _footer(path: str, size: int, modified_ns: int, who: FileIdentity) -> pq.FileMetaData:
    del size, modified_ns, who  # they tell one state of the file from the next
    return pq.read_metadata(path)


def _number(footer: pq.FileMetaData, column: str) -> int | None:
    if "." in column:  # could be a field of a struct as well
        return None
    named = [n for n in range(footer.num_columns) if footer.schema.column(n).path == column]
    if len(named) != 1 or footer.schema.column(named[0]).physical_type not in _INTEGERS:
        return None
    return named[0]


def _groups(footer: pq.FileMetaData, number: int, size: int) -> tuple[RowGroup, ...] | None:
    starts = list(_starts(footer))
    ends = [*starts[1:], size]
    if any(start >= end for start, end in zip(starts, ends, strict=True)):
        return None
    groups = []
    for place, (start, end) in enumerate(zip(starts, ends, strict=True)):
        statistics = footer.row_group(place).column(number).statistics
        if statistics is None or not statistics.has_min_max or statistics.null_count != 0:
            return None
        low, high = _whole(statistics.min), _whole(statistics.max)
        if low is None or high is None:
            return None
        groups.append(RowGroup(low, high, start, end))
    return tuple(groups)


def _starts(footer: pq.FileMetaData) -> Iterator[int]:
    """Yields where the engine takes row groups to begin: at the first page of the first column."""
    for place in range(footer.num_row_groups):
        first = footer.row_group(place).column(0)
        dictionary = first.dictionary_page_offset
        yield first.data_page_offset if dictionary is None else dictionary


def _whole(value: object) -> int | None:
    if type(value) is int:
        return value
    return value.toordinal() - _EPOCH if type(value) is date else None
