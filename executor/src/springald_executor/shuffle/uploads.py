"""How the rows of an upload are divided: by a rule, so that every copy is divided alike."""

from dataclasses import replace

from springald_executor.core.limits import UPLOAD_PARTITION_BYTES, UPLOAD_PARTITIONS_MAX
from springald_executor.core.model import Block, StoredFile


def upload_partitions(size: int, blocks: int) -> int:
    """Returns in how many partitions an upload is read.

    Example:
        >>> upload_partitions(size=40 * 1024 * 1024, blocks=40)
        10
    """
    return max(1, min(size // UPLOAD_PARTITION_BYTES, blocks, UPLOAD_PARTITIONS_MAX))


def divided(file: StoredFile, partitions: int) -> StoredFile:
    """Returns the file with its blocks dealt out: equally many neighbours to each partition."""
    blocks = sorted(
        (block for each in file.blocks.values() for block in each), key=lambda block: block.number
    )
    dealt: dict[int, list[Block]] = {}
    for number, block in enumerate(blocks):
        dealt.setdefault(number * partitions // len(blocks), []).append(block)
    return replace(file, blocks={number: tuple(each) for number, each in dealt.items()})
