"""What a place offers to the process that serves it."""

from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import pyarrow as pa


@dataclass(frozen=True)
class Setup:
    """How a place is to be started; every place of a run gets the same cores and memory.

    Attributes:
        tables: The folder of Parquet files of each table.
        executors: Processes that compute, where there is a choice.
        slots: Tasks that each of them runs at a time.
        memory_bytes: What operators may hold, all processes together.
        scratch: Where temporary files belong; watched by the harness.
        spread: Whether even a query over little data is to be cut into as many tasks as it can be.
        partitions: How many partitions a plan has; 0 leaves it to the place.
    """

    tables: Mapping[str, str]
    executors: int
    slots: int
    memory_bytes: int
    scratch: Path
    spread: bool = False
    partitions: int = 0

    @property
    def cores(self) -> int:
        """Tasks that run at a time, all executors together."""
        return self.executors * self.slots


@dataclass
class Answer:
    """The rows of a query as they come in.

    Attributes:
        batches: The rows; read once.
        schema: Their types, for an answer without a batch.
        counters: What the place says about the query after its end, for example `bytes_shuffled`.
    """

    batches: Iterator[pa.RecordBatch]
    schema: pa.Schema | None = None
    counters: dict[str, float] = field(default_factory=dict)


class Session(Protocol):
    """One client of a place."""

    def query(self, sql: str) -> Answer:
        """Starts a query."""

    def count(self, answer: Answer) -> None:
        """Fills in an answer's counters, after its rows were read and the time was taken."""


class Place(Protocol):
    """A started place."""

    def session(self) -> AbstractContextManager[Session]:
        """Opens a session in which the tables are registered."""

    def versions(self) -> Mapping[str, str]:
        """Names the programs that answer, with their versions."""
