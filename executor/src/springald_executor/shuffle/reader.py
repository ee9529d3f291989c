"""Reads partitions back from the file of an attempt, block by block, never the file whole."""

from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Self

import pyarrow as pa
import xxhash

from springald.errors import InputLostError
from springald_executor.core.model import Block, StoredFile


class StoredFileReader:
    """A finished file, mapped into memory; batches stay valid after it is closed or removed."""

    def __init__(self, file: StoredFile, name: str) -> None:
        """Opens the file.

        Args:
            file: The file and what lies where in it.
            name: Whose file it is, for errors: an attempt or an upload.

        Raises:
            InputLostError: It is not there, or is no Arrow file.
        """
        self._file = file
        self._name = name
        try:
            self._source = pa.memory_map(file.path)
        except OSError as failure:
            raise self._lost("a file that cannot be opened") from failure
        if self._source.size() != file.size:  # reading beyond the end would end the process
            self._source.close()
            raise self._lost("a file of another size")
        try:
            self._batches = pa.ipc.open_file(self._source)
        except pa.ArrowException as failure:
            self._source.close()
            raise self._lost("a file that is damaged") from failure

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        raised: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._source.close()

    @property
    def schema(self) -> pa.Schema:
        """What the file declares."""
        return self._batches.schema

    def read(self, partition: int) -> Iterator[pa.RecordBatch]:
        """Yields the blocks of a partition.

        Raises:
            InputLostError: A block is not what was written (clause P5.4).
        """
        yield from self.read_blocks(self._file.blocks.get(partition, ()))

    def read_blocks(self, blocks: Iterable[Block]) -> Iterator[pa.RecordBatch]:
        """Yields blocks in the order given."""
        for block in blocks:
            self._source.seek(block.start)
            written = self._source.read_buffer(block.end - block.start)
            if xxhash.xxh3_64_intdigest(written) != block.checksum:
                raise self._lost(f"block {block.number} with another checksum")
            yield self._batches.get_batch(block.number)

    def _lost(self, what: str) -> InputLostError:
        message = f"an output is what was written: got {what}; it is made again"
        return InputLostError(message, node_id=self._name)
