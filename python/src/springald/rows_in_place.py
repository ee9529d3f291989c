"""Parts of a result that lie on this host: read from their files instead of over Flight (P5.6)."""

import os
import stat
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pyarrow as pa

from springald.client_limits import LOCATE_MS_MAX
from springald.errors import InputLostError, SpringaldError
from springald.executor.v1 import files_pb2
from springald.results import restore, result_schema

if TYPE_CHECKING:
    from pyarrow import flight

__all__ = ["RowsInPlace", "rows_in_place"]

_LOCATE: Final = "locate"
_MAGIC_BYTES: Final = 8
_BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")


def rows_in_place(client: "flight.FlightClient", ticket: bytes) -> "RowsInPlace | None":
    """Opens the files in which the rows of a ticket lie.

    Args:
        client: The executor that holds them.
        ticket: The ticket, as the scheduler gave it.

    Returns:
        The rows, or None if they have to be fetched: they lie on another host, their files are not
        this user's, the executor does not say, or blocks cannot be checked here.
    """
    from pyarrow import flight  # noqa: PLC0415 - loading it takes long; whoever has a client has it

    # Whoever has an executor installed has it; a thin client does without, and fetches its rows.
    if find_spec("xxhash") is None:
        return None
    try:
        here = _BOOT_ID.read_text().strip()
        options = flight.FlightCallOptions(timeout=LOCATE_MS_MAX / 1000)
        (answer,) = client.do_action(flight.Action(_LOCATE, ticket), options)
        told = files_pb2.LocatedFiles.FromString(answer.body.to_pybytes())
        if not here or told.host_id != here or not told.files:
            return None
        return RowsInPlace([_File(each) for each in told.files])
    except (SpringaldError, pa.ArrowException, OSError, ValueError):
        return None


class RowsInPlace:
    """Rows of one part; a `springald.transport.Rows`.

    The files are open from the start, so that they are there until they are read, also if the job
    is released or the executor ends.
    """

    def __init__(self, files: "list[_File]") -> None:
        self._files = files
        written = files[0].schema
        self.schema: pa.Schema = result_schema(written) or written
        self._closed = False
        self._rows = self._read()

    def __iter__(self) -> "RowsInPlace":
        return self

    def __next__(self) -> pa.RecordBatch:
        return next(self._rows)

    def close(self) -> None:
        """Ends the reading before its end."""
        self._closed = True

    def _read(self) -> Iterator[pa.RecordBatch]:
        for file in self._files:
            for batch in file.read():
                if self._closed:
                    return
                yield restore(batch, self.schema)


def _batch_of(block: pa.Buffer, schema: pa.Schema, *, is_first: bool) -> pa.RecordBatch:
    """Reads a block; a file's first one begins with what makes it a file, and the schema."""
    reader = pa.BufferReader(block)
    if is_first:
        reader.seek(_MAGIC_BYTES)
        pa.ipc.read_message(reader)
    return pa.ipc.read_record_batch(pa.ipc.read_message(reader), schema)


class _File:
    """One file, opened and proved to be the one that the executor told of."""

    def __init__(self, told: files_pb2.LocatedFile) -> None:
        """Opens the file.

        Raises:
            OSError: It is not there, or not this user's to open.
            InputLostError: It is another one.
        """
        fd = os.open(told.path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            found = os.fstat(fd)
            is_same = (found.st_ino, found.st_size) == (told.inode, told.size_bytes)
            if not (is_same and stat.S_ISREG(found.st_mode) and found.st_uid == os.geteuid()):
                raise InputLostError(f"a result is the file that was told of: got {told.path}")
            # Read and not mapped: what was read is the reader's own memory, and is given back.
            self._file = pa.OSFile(f"/proc/self/fd/{fd}")
        finally:
            os.close(fd)
        self.schema: pa.Schema = pa.ipc.open_file(self._file).schema
        self._task_id = told.task_id
        self._partitions = told.partitions

    def read(self) -> Iterator[pa.RecordBatch]:
        """Yields the blocks that were told of.

        Raises:
            InputLostError: A block is not what was written (P5.4).
        """
        import xxhash  # noqa: PLC0415 - a thin client has none

        for part in self._partitions:
            for start, end, checksum in zip(part.starts, part.ends, part.checksums, strict=True):
                self._file.seek(start)
                block = self._file.read_buffer(end - start)
                if block.size != end - start or xxhash.xxh3_64_intdigest(block) != checksum:
                    message = "a result is what was written: got a block with another checksum"
                    raise InputLostError(message, node_id=self._task_id)
                yield _batch_of(block, self.schema, is_first=start == 0)
