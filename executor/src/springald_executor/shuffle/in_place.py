"""Files of other executors on this host: told by one, and read by the other where they lie.

The reader makes a link of its own to the file, so that the file stays while the task reads it, also
if the executor that made it dies.
"""

import os
import stat
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pyarrow as pa
from pyarrow import flight

from springald.errors import SpringaldError
from springald_executor.core.limits import LOCATE_MS_MAX
from springald_executor.core.model import Block, OutputsWanted, StoredFile
from springald_executor.shuffle.orders import FetchOrder, Look
from springald_executor.shuffle.space import Space
from springald_executor.shuffle.verify import check_blocks

LOCATE: Final = "locate"
"""The Flight action that asks where the files of a ticket lie."""

_BOOT_ID: Final = Path("/proc/sys/kernel/random/boot_id")


@dataclass(frozen=True, slots=True)
class LocatedFile:
    """A file as its executor tells of it: the attempt, and the blocks that were asked for."""

    task_id: str
    file: StoredFile
    inode: int


@dataclass(frozen=True, slots=True)
class Located:
    """Files, and the host on which they lie; it is empty if that is not known."""

    host_id: str
    files: tuple[LocatedFile, ...]


def host_id() -> str:
    """Returns what tells this host from others, or an empty string where nothing does."""
    try:
        return _BOOT_ID.read_text().strip()
    except OSError:
        return ""


def locate(files: Mapping[str, StoredFile]) -> Located:
    """Returns where files lie, by the attempts that made them, for another executor.

    Raises:
        FileNotFoundError: One is not there any more.
    """
    told = (LocatedFile(name, file, Path(file.path).stat().st_ino) for name, file in files.items())
    return Located(host_id(), tuple(told))


class Neighbours:
    """Knows which executors share this host's files, and links to what they tell of."""

    def __init__(self, read_located: Callable[[bytes], Located]) -> None:
        """Takes who reads what they answer."""
        self._read_located = read_located
        self._host_id = host_id()
        self._apart: set[str] = set()

    def find(
        self, order: FetchOrder, client: flight.FlightClient, ticket: bytes, space: Space
    ) -> tuple[Look, ...] | None:
        """Returns the files of an order, looked at, or None if its rows have to be fetched.

        Raises:
            InputError: A block of one is not what was written.
        """
        if not self._host_id or order.address in self._apart:
            return None
        try:
            action = flight.Action(LOCATE, ticket)
            options = flight.FlightCallOptions(timeout=LOCATE_MS_MAX / 1000)
            answers = list(client.do_action(action, options))
            located = self._read_located(answers[0].body.to_pybytes())
        except (pa.ArrowException, SpringaldError, OSError, IndexError):
            return None  # whoever fetches the rows is told why
        files = self._link_all(located, order, space)
        if files is None:
            self._apart.add(order.address)
        return files

    def _link_all(
        self, located: Located, order: FetchOrder, space: Space
    ) -> tuple[Look, ...] | None:
        if located.host_id != self._host_id:
            return None
        blocks = _placed(located, order)
        if blocks is None:
            return None
        linked = []
        for number, each in enumerate(located.files):
            path = space.link(each.file.path, f"{number}-{order.name}")
            if path is None or not _is_same(path, each):
                return None
            # The memory that it takes is counted where it was made.
            file = StoredFile(str(path), each.file.size, in_memory=False, blocks=blocks[number])
            linked.append(check_blocks(file, file.blocks, each.task_id))
        return tuple(linked)


_Blocks = dict[int, tuple[Block, ...]]


def _placed(located: Located, order: FetchOrder) -> list[_Blocks] | None:
    """Returns the blocks of each file where the order puts them; None if they are others."""
    if not isinstance(order.wanted, OutputsWanted):
        return [each.file.blocks for each in located.files]
    numbers = {each.task_id: number for number, each in enumerate(located.files)}
    placed: list[_Blocks] = [{} for _ in located.files]
    for selection, (task_id, partition) in zip(
        order.selections, order.wanted.selections, strict=True
    ):
        if task_id not in numbers:
            return None
        number = numbers[task_id]
        blocks = located.files[number].file.blocks.get(partition, ())
        if sum(block.rows for block in blocks) != selection.rows:
            return None
        before = placed[number].get(selection.partition, ())
        placed[number][selection.partition] = before + blocks
    return placed


def _is_same(path: Path, told: LocatedFile) -> bool:
    """True if a file is the one that was told of, and nobody else's."""
    found = path.lstat()
    return (
        stat.S_ISREG(found.st_mode)
        and found.st_uid == os.geteuid()
        and (found.st_ino, found.st_size) == (told.inode, told.file.size)
    )
