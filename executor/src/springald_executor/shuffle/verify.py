"""Looks at files before the engine reads them in place: it would not notice a flipped bit."""

import mmap
from collections.abc import Iterable
from pathlib import Path

import xxhash

from springald.errors import InputLostError
from springald_executor.core.model import Block, StoredFile
from springald_executor.shuffle.orders import InputError


def check_blocks(file: StoredFile, partitions: Iterable[int], task_id: str) -> None:
    """Checks that blocks of some partitions are what was written (clause P5.4).

    Args:
        file: The file.
        partitions: The partitions that will be read.
        task_id: The attempt that made it; empty for an upload.

    Raises:
        InputError: A block is another one, or the file is not there any more.
    """
    blocks = [block for number in partitions for block in file.blocks.get(number, ())]
    if not blocks:
        return
    problem = _find_problem(file, blocks)
    if problem:
        message = f"an output is what was written: got {problem} in {file.path}; it is made again"
        raise InputError(InputLostError(message, node_id=task_id), task_id)


def _find_problem(file: StoredFile, blocks: list[Block]) -> str:
    try:
        with Path(file.path).open("rb") as opened:
            found = mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ)
    except (OSError, ValueError) as failure:
        return str(failure)
    with found, memoryview(found) as view:
        if len(view) != file.size:  # reading beyond the end would end the process
            return f"{len(view)} bytes instead of {file.size}"
        for block in blocks:
            with view[block.start : block.end] as written:
                if xxhash.xxh3_64_intdigest(written) != block.checksum:
                    return f"block {block.number} with another checksum"
    return ""
