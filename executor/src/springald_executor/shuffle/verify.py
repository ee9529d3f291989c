"""Looks at files before the engine reads them in place: it would not notice a flipped bit."""

import mmap
import os
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import xxhash

from springald.errors import InputLostError
from springald_executor.core.model import Block, StoredFile
from springald_executor.shuffle.orders import InputError, Look


def check_blocks(file: StoredFile, partitions: Iterable[int], task_id: str) -> Look:
    """Checks that blocks of some partitions are what was written (clause P5.4).

    Args:
        file: The file.
        partitions: The partitions that will be read.
        task_id: The attempt that made it; empty for an upload.

    Raises:
        InputError: A block is another one, or the file is not there any more.
    """
    numbers = tuple(partitions)
    blocks = [block for number in numbers for block in file.blocks.get(number, ())]
    if not blocks:
        return Look(file, numbers, task_id, 0)
    modified_ns, problem = _find_problem(file, blocks)
    if problem:
        message = f"an output is what was written: got {problem} in {file.path}; it is made again"
        raise InputError(InputLostError(message, node_id=task_id), task_id)
    return Look(file, numbers, task_id, modified_ns)


def check_again(looks: Iterable[Look]) -> None:
    """Checks blocks once more whose file was written after it was looked at.

    The engine reads a file some time after that. What became another one before the end of a task
    may have been read by it.

    Raises:
        InputError: A block is another one now.
    """
    for look in looks:
        # A file that is gone was read before, or the engine has said so.
        with suppress(OSError):
            if not look.modified_ns or os.stat(look.file.path).st_mtime_ns == look.modified_ns:  # noqa: PTH116
                continue
            check_blocks(look.file, look.partitions, look.task_id)


def _find_problem(file: StoredFile, blocks: list[Block]) -> tuple[int, str]:
    """Returns when a file was written last before the look, and what is wrong with its blocks."""
    try:
        with Path(file.path).open("rb") as opened:
            modified_ns = os.fstat(opened.fileno()).st_mtime_ns
            found = mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ)
    except (OSError, ValueError) as failure:
        return 0, str(failure)
    with found, memoryview(found) as view:
        if len(view) != file.size:  # reading beyond the end would end the process
            return 0, f"{len(view)} bytes instead of {file.size}"
        for block in blocks:
            with view[block.start : block.end] as written:
                if xxhash.xxh3_64_intdigest(written) != block.checksum:
                    return 0, f"block {block.number} with another checksum"
    return modified_ns, ""
