"""Writes the one Arrow file of an attempt, with an index of what lies where in it (ADR 0006)."""

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

import pyarrow as pa
import xxhash

from springald.results import restore
from springald_executor.core.limits import (
    BLOCK_BYTES_FLOOR,
    BLOCK_BYTES_MIN,
    GATHER_SHARE_DIVISOR,
)
from springald_executor.core.model import Block, StoredFile
from springald_executor.shuffle.row_checksums import NoChecksumError
from springald_executor.shuffle.space import SpaceFile

RowsChecksum: TypeAlias = Callable[[pa.RecordBatch], int]

_CHECKSUM_BITS: Final = 64


def block_bytes(memory_bytes: int, partitions: int) -> int:
    """Returns to which size rows are gathered, so that all partitions together stay small.

    Example:
        >>> block_bytes(memory_bytes=2**30, partitions=16)
        1048576
    """
    share = memory_bytes // GATHER_SHARE_DIVISOR // max(1, partitions)
    return max(BLOCK_BYTES_FLOOR, min(BLOCK_BYTES_MIN, share))


@dataclass(slots=True)
class _Gathered:
    """Rows of a partition that wait until they are a block."""

    batches: list[pa.RecordBatch] = field(default_factory=list)
    bytes: int = 0


class OutputWriter:
    """Takes batches from several threads and appends them, a block at a time.

    Rows of one partition that come from one thread keep their order.
    """

    def __init__(
        self,
        file: SpaceFile,
        schema: pa.Schema,
        *,
        gather_bytes: int = BLOCK_BYTES_MIN,
        checksum: RowsChecksum | None = None,
        is_sealed: bool = False,
    ) -> None:
        """Starts the file.

        Args:
            file: Where to write.
            schema: What the file declares; batches are brought to it by position.
            gather_bytes: The size to which rows of a partition are gathered.
            checksum: Returns the checksum of a block's rows; none if nobody needs it.
            is_sealed: True if the bytes of each partition are to have a digest.
        """
        self._is_sealed = is_sealed
        self._checksum = checksum
        self._checksums: Counter[int] = Counter()
        self._file = file
        self._schema = schema
        self._met, self._met_is_plain = schema, True
        self._gather_bytes = gather_bytes
        self._row_bytes_likely = 0
        self._gathered: dict[int, _Gathered] = {}
        self._gathering = threading.Lock()
        self._blocks: dict[int, list[Block]] = {}
        self._blocks_written = 0
        self._start = 0  # the schema belongs to the first block
        self._appending = threading.Lock()
        self._writer = pa.ipc.new_file(pa.PythonFile(file, mode="w"), schema)

    @property
    def schema(self) -> pa.Schema:
        """What the file declares."""
        return self._schema

    def write(self, partition: int, batch: pa.RecordBatch) -> None:
        """Adds rows to a partition.

        Raises:
            OutOfDiskError: The disk is full.
            InternalError: The batch cannot be brought to the schema.
        """
        if not batch.num_rows:
            return
        if not self._is_plain(batch.schema):
            # A view would keep more alive than it shows; it is not gathered as it is.
            batch = restore(batch, self._schema)
        with self._gathering:
            gathered = self._gathered.setdefault(partition, _Gathered())
            gathered.batches.append(batch)
            gathered.bytes += self._bytes_of(batch)
            if gathered.bytes < self._gather_bytes:
                return
            del self._gathered[partition]
        self._append(partition, gathered)

    def end_partition(self, partition: int) -> None:
        """Appends what is still gathered of a partition."""
        with self._gathering:
            gathered = self._gathered.pop(partition, None)
        if gathered is not None:
            self._append(partition, gathered)

    @property
    def held(self) -> bytes | None:
        """The whole file, if it is finished and only held."""
        return self._file.held

    def finish(self) -> StoredFile:
        """Ends the file and returns what lies where; a file without rows has its schema.

        A file that is only held has no path.
        """
        for partition in sorted(self._gathered):
            self.end_partition(partition)
        self._writer.close()
        self._file.close()
        return self._stored()

    def settle(self) -> StoredFile:
        """Puts a finished file that was only held into its place.

        Raises:
            OutOfDiskError: The disk is full.
        """
        self._file.settle()
        return self._stored()

    def _stored(self) -> StoredFile:
        is_held = self._file.held is not None
        blocks = {number: tuple(blocks) for number, blocks in sorted(self._blocks.items())}
        return StoredFile(
            path="" if is_held else str(self._file.path),
            size=self._file.tell(),
            in_memory=self._file.in_memory and not is_held,
            blocks=blocks,
            checksums=self._rows_checksums(),
            digests={number: _digest(blocks[number]) for number in blocks if self._is_sealed},
        )

    def _rows_checksums(self) -> dict[int, int]:
        if self._checksum is None:
            return {}
        # Zero is how it is said that a checksum is not known.
        modulus = 1 << _CHECKSUM_BITS
        return {number: total % modulus or 1 for number, total in self._checksums.items()}

    def discard(self) -> None:
        """Removes the file, finished or not."""
        self._file.discard()

    def _is_plain(self, schema: pa.Schema) -> bool:
        """True if batches of a schema have the file's types; all of a task mostly have one."""
        if not schema.equals(self._met):
            self._met, self._met_is_plain = schema, schema.types == self._schema.types
        return self._met_is_plain

    def _bytes_of(self, batch: pa.RecordBatch) -> int:
        """Returns how large a batch is, about.

        Measuring exactly takes long for a small batch. The size of its buffers is at hand, and is
        the same unless the batch is a slice of something larger.
        """
        held: int = batch.get_total_buffer_size()
        if held <= batch.num_rows * self._row_bytes_likely:
            return held
        exact: int = batch.nbytes
        self._row_bytes_likely = 2 * exact // batch.num_rows + 1
        return exact

    def _append(self, partition: int, gathered: _Gathered) -> None:
        block = joined(gathered.batches, self._schema)
        rows_checksum = self._checksum_of(block)
        with self._appending:
            self._checksums[partition] += rows_checksum
            self._writer.write_batch(block)
            checksum = self._file.end_block()
            end = self._file.tell()
            written = Block(self._blocks_written, self._start, end, block.num_rows, checksum)
            self._blocks.setdefault(partition, []).append(written)
            self._blocks_written += 1
            self._start = end

    def _checksum_of(self, block: pa.RecordBatch) -> int:
        if self._checksum is None:
            return 0
        try:
            return self._checksum(block)
        except NoChecksumError:
            self._checksum = None
            return 0


def _digest(blocks: Sequence[Block]) -> int:
    """Returns what tells the bytes of some blocks from all others."""
    digest = xxhash.xxh3_64()
    for block in blocks:
        digest.update(block.checksum.to_bytes(8, "little"))
    return digest.intdigest() or 1


def joined(batches: list[pa.RecordBatch], schema: pa.Schema) -> pa.RecordBatch:
    """Returns the rows of all batches as one of the schema."""
    if len(batches) == 1:
        return restore(batches[0], schema)
    if not len(schema):
        # Joining columns is joining nothing: the number of rows is all there is.
        rows = sum(batch.num_rows for batch in batches)
        return restore(pa.record_batch([pa.nulls(rows)], ["rows"]).select([]), schema)
    first = batches[0].schema
    if any(not batch.schema.equals(first) for batch in batches):
        batches = [restore(batch, schema) for batch in batches]
    return restore(pa.concat_batches(batches), schema)
