"""What goes into the planner and comes out of it."""

from dataclasses import dataclass

import pyarrow as pa

from springald.engine.catalog import CatalogEntry
from springald_scheduler.core.graph import StageGraph


@dataclass(frozen=True, slots=True)
class ClusterShape:
    """The executors as a plan sees them.

    Attributes:
        slots: The slots of each executor.
        memory_bytes: The memory that all executors deal out.
    """

    slots: tuple[int, ...]
    memory_bytes: int = 0

    @property
    def slots_total(self) -> int:
        """Slots of all executors."""
        return sum(self.slots)


@dataclass(frozen=True, slots=True)
class TableInfo:
    """A table or view; its schema is in IPC form.

    Attributes:
        name: The name.
        kind: `parquet`, `csv`, `json`, `arrow`, `view` or `upload`.
        schema: The serialised Arrow schema.
        released_upload_ids: Uploads that making the table left without one.
    """

    name: str
    kind: str
    schema: bytes
    released_upload_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Upload:
    """Rows that a client uploaded: their schema in IPC form, and their size."""

    upload_id: str
    schema: bytes
    rows: int
    bytes: int
    partition_count: int


@dataclass(frozen=True, slots=True)
class Bound:
    """What comes with a statement beside its text.

    Attributes:
        parameters: Values of the parameters in the text, by name without the dollar sign.
        entries: Tables that exist for it only.
        settings: Settings of the engine that its text needs.
        names: The names of its columns, if the text cannot say all of them.
        substrait_plan: The statement itself, if it has no text.
        digest: Of the plan that all of it comes from; empty for text without parameters.
    """

    parameters: tuple[tuple[str, pa.Scalar], ...] = ()
    entries: tuple[CatalogEntry, ...] = ()
    settings: tuple[tuple[str, str], ...] = ()
    names: tuple[str, ...] = ()
    substrait_plan: bytes = b""
    digest: bytes = b""


@dataclass(frozen=True, slots=True)
class SessionSnapshot:
    """All that makes a session what it is, so that it can be made again elsewhere."""

    own_settings: dict[str, str]
    engine_settings: dict[str, str]
    entries: tuple[CatalogEntry, ...]
    uploads: tuple[Upload, ...]


@dataclass(frozen=True, slots=True)
class Answered:
    """A statement that needed no executor: its rows as an Arrow IPC stream."""

    arrow_stream: bytes
    released_upload_ids: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Planned:
    """A query as stages."""

    graph: StageGraph
