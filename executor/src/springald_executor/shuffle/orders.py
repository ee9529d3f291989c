"""What a task has fetched from other executors, and what it gets."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from springald.errors import SpringaldError
from springald_executor.core.limits import BLOCK_BYTES_MIN
from springald_executor.core.model import StoredFile, Wanted
from springald_executor.shuffle.space import Space


class InputError(Exception):
    """An input of a task could not be had.

    Attributes:
        error: Why.
        lost_task_id: The attempt that has to be run again; empty if that would not help.
    """

    def __init__(self, error: SpringaldError, lost_task_id: str) -> None:
        super().__init__(error.message)
        self.error = error
        self.lost_task_id = lost_task_id


@dataclass(frozen=True, slots=True)
class Selection:
    """Rows that come one after the other: whose they are, how many, and where they are put."""

    task_id: str
    rows: int
    partition: int


@dataclass(frozen=True, slots=True)
class FetchOrder:
    """One call.

    Attributes:
        address: The other executor's Flight server.
        wanted: What its ticket is asked for.
        selections: What comes, in order; none if all blocks are taken as they come.
        name: The local file.
        gather_bytes: To which size rows of a partition are gathered.
    """

    address: str
    wanted: Wanted
    selections: tuple[Selection, ...]
    name: str
    gather_bytes: int = BLOCK_BYTES_MIN


@dataclass(frozen=True, slots=True)
class Look:
    """Blocks of a file that were looked at.

    Attributes:
        file: The file.
        partitions: Whose blocks.
        task_id: The attempt that made it; empty for an upload.
        modified_ns: When it had been written last; 0 if there was nothing to look at.
    """

    file: StoredFile
    partitions: tuple[int, ...]
    task_id: str
    modified_ns: int


@dataclass(frozen=True, slots=True)
class Fetched:
    """What came of an order.

    Attributes:
        files: The files, with the rows where the order's selections put them.
        looks: What was looked at in them, if they are the other executor's own files.
    """

    files: tuple[StoredFile, ...]
    looks: tuple[Look, ...] | None = None

    @property
    def in_place(self) -> bool:
        """True if they are the other executor's own files; else there is one, a copy."""
        return self.looks is not None


class Fetcher(Protocol):
    """Whoever can fetch."""

    def fetch(self, orders: Sequence[FetchOrder], space: Space) -> list[Fetched]:
        """Returns the files of each order.

        Raises:
            InputError: One of them cannot be had.
            OutOfDiskError: There is no room for it.
        """
