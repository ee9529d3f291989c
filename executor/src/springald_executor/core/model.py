"""What tasks are made of, what they make, and where it lies: plain facts, passed between rooms."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from enum import Enum


class ExchangeKind(Enum):
    """How the rows of a stage reach the tasks of the next."""

    HASH = "hash"
    SINGLE = "single"
    BROADCAST = "broadcast"
    SORTED = "sorted"
    RESULT = "result"
    FORWARD = "forward"


class FragmentFormat(Enum):
    """What a fragment's payload holds."""

    PHYSICAL_PLAN = "physical plan"
    SQL = "sql"


@dataclass(frozen=True, slots=True)
class Fragment:
    """The executable part of a stage, opaque to the core."""

    format: FragmentFormat
    payload: bytes
    engine_version: str


@dataclass(frozen=True, slots=True)
class Block:
    """A record batch in a file.

    Attributes:
        number: Which record batch of the file, from 0.
        start: The first byte; 0 for the first block, because the schema comes before it.
        end: The byte after the last one.
        rows: How many rows it holds.
        checksum: XXH3 (64 bits) of the bytes from start to end.
    """

    number: int
    start: int
    end: int
    rows: int
    checksum: int


class Repeats(Enum):
    """Whether a stage's task puts out the same rows when it is run again."""

    ALWAYS = "always"
    UNKNOWN = "unknown"
    NEVER = "never"


@dataclass(frozen=True, slots=True)
class Partition:
    """A partition with at least one row, as a scheduler is told of it.

    Attributes:
        checksum: Of its rows, whatever their order; 0 if it is not known.
        digest: Of the bytes of its blocks in order; 0 if it is not known.
    """

    number: int
    rows: int
    bytes: int
    checksum: int = 0
    digest: int = 0


@dataclass(frozen=True, slots=True)
class StoredFile:
    """A finished Arrow file and what lies where in it.

    Attributes:
        path: The absolute path; empty if its rows went with their report, and it lies nowhere.
        size: Bytes in all.
        in_memory: True if it lies in the memory-backed folder.
        blocks: For each partition with rows, its blocks in the order of the rows.
        checksums: For each partition whose rows have one, the checksum of its rows.
        digests: The same for the digest of its bytes.
    """

    path: str
    size: int
    in_memory: bool
    blocks: dict[int, tuple[Block, ...]]
    checksums: dict[int, int] = field(default_factory=dict)
    digests: dict[int, int] = field(default_factory=dict)

    def only(self, partitions: Iterable[int]) -> "StoredFile":
        """Returns the file with the blocks of some partitions."""
        blocks = {each: self.blocks[each] for each in partitions if each in self.blocks}
        return replace(self, blocks=blocks)

    def ranges(self, partition: int) -> Iterator[tuple[int, int]]:
        """Yields where a partition's bytes lie, neighbouring blocks joined."""
        start = end = -1
        for block in self.blocks.get(partition, ()):
            if block.start == end:
                end = block.end
                continue
            if end >= 0:
                yield start, end
            start, end = block.start, block.end
        if end >= 0:
            yield start, end

    def partitions(self) -> tuple[Partition, ...]:
        """Returns what each partition with rows holds, ascending."""
        return tuple(
            Partition(
                number,
                sum(block.rows for block in blocks),
                sum(block.end - block.start for block in blocks),
                self.checksums.get(number, 0),
                self.digests.get(number, 0),
            )
            for number, blocks in sorted(self.blocks.items())
        )

    @property
    def rows(self) -> int:
        """Rows of all partitions."""
        return sum(block.rows for blocks in self.blocks.values() for block in blocks)


@dataclass(frozen=True, slots=True)
class OutputLocation:
    """Where the output of an attempt lies, and which of its partitions have rows."""

    task_id: str
    executor_id: str
    address: str
    partitions: tuple[Partition, ...]


@dataclass(frozen=True, slots=True)
class InputDefinition:
    """One input of a stage: how its rows arrive, and the outputs that hold them, in task order.

    If it is `sliced`, each task is told which partitions it reads and what outputs hold of them.
    """

    kind: ExchangeKind
    outputs: tuple[OutputLocation, ...]
    sliced: bool = False


@dataclass(frozen=True, slots=True)
class InputSlice:
    """What one task reads of one input.

    Attributes:
        partitions: The input's partitions that it reads.
        outputs: What outputs hold of them, by the place of the output in the input's definition.
    """

    partitions: tuple[int, ...]
    outputs: dict[int, tuple[Partition, ...]]


@dataclass(frozen=True, slots=True)
class UploadLocation:
    """Where an upload lies, and in how many partitions."""

    upload_id: str
    executor_id: str
    address: str
    rows: int
    partition_count: int


@dataclass(frozen=True, slots=True)
class FileTarget:
    """Where the files of a statement appear, all after the last of them is whole.

    Attributes:
        folder: An absolute path.
        file_name: The only file; empty for as many as there are.
        write_id: What no other statement has.
    """

    folder: str
    file_name: str
    write_id: str


@dataclass(frozen=True, slots=True)
class StageDefinition:
    """What the tasks of a stage have in common; the schema is Arrow's IPC form, or empty.

    `operator_count` is how many operators the fragment has, 0 if that is not known. With `profile`,
    everything that the engine measured is wanted. A result of up to `inline_rows_bytes_max` bytes
    goes with the report. Tasks of a stage that `writes_files` put out what these are called, and
    the task of the one that `commits_files` gives them their names.
    """

    job_id: str
    stage_id: int
    fragment: Fragment
    inputs: tuple[InputDefinition, ...]
    output: ExchangeKind
    output_partitions: int
    schema: bytes
    settings: tuple[tuple[str, str], ...] = ()
    uploads: tuple[UploadLocation, ...] = ()
    operator_count: int = 0
    profile: bool = False
    inline_rows_bytes_max: int = 0
    repeats: Repeats = Repeats.UNKNOWN
    writes_files: FileTarget | None = None
    commits_files: FileTarget | None = None

    @property
    def name(self) -> str:
        """The stage's full id."""
        return f"{self.job_id}/s{self.stage_id}"


@dataclass(frozen=True, slots=True)
class Grant:
    """Where an attempt or upload may write.

    Attributes:
        folder: Its own folder, relative to the memory-backed root and to the disk root.
        memory_bytes: How much of it may lie in memory; the rest goes to disk.
    """

    folder: str
    memory_bytes: int


@dataclass(frozen=True, slots=True)
class LocalInput:
    """An output, or an upload, that lies here: its partitions are read in place."""

    task_id: str
    file: StoredFile


@dataclass(frozen=True, slots=True)
class RemoteInput:
    """An output that lies on another executor, whose partitions are fetched."""

    task_id: str
    executor_id: str
    address: str
    partitions: tuple[Partition, ...]


@dataclass(frozen=True, slots=True)
class RemoteUpload:
    """An upload that lies on another executor and is fetched whole."""

    upload_id: str
    address: str
    partition_count: int
    rows: int


@dataclass(frozen=True, slots=True)
class OutputsWanted:
    """Partitions of outputs of a job that a task wants to fetch, by attempt, in order."""

    job_id: str
    selections: tuple[tuple[str, int], ...]


@dataclass(frozen=True, slots=True)
class UploadWanted:
    """An upload that a task wants to fetch."""

    upload_id: str


@dataclass(frozen=True, slots=True)
class UploadOffered:
    """An upload that another executor is to take over."""

    upload_id: str


Wanted = OutputsWanted | UploadWanted | UploadOffered
"""What a ticket to another executor is asked for."""


@dataclass(frozen=True, slots=True)
class TaskInput:
    """One input of a task, its outputs in task order.

    `told` is which partitions the outputs are known for; None for all.
    """

    kind: ExchangeKind
    outputs: tuple[LocalInput | RemoteInput, ...]
    told: tuple[int, ...] | None = None


@dataclass(frozen=True, slots=True)
class TaskRequest:
    """All that an engine needs to run one attempt."""

    task_id: str
    stage: StageDefinition
    partitions: tuple[int, ...]
    slots: int
    memory_bytes: int
    inputs: tuple[TaskInput, ...]
    uploads: dict[str, StoredFile | RemoteUpload]
    allowed_paths: tuple[str, ...]
    grant: Grant


@dataclass(frozen=True, slots=True)
class OperatorFigures:
    """What an attempt measured of its operators, a column a figure.

    Attributes:
        positions: Which operators, by their position in the fragment, ascending.
        rows_out: Rows that came out, one entry for each position; so the figures below.
        compute_ns: The engine's own time in them, in nanoseconds.
        spill_count: How often they spilled; empty if none did, and so are the bytes below.
        spilled_bytes: Bytes that they spilled.
        bytes_scanned: Bytes that they read from files.
        details: More figures: position, the engine's name of the figure, and the figure.
    """

    positions: tuple[int, ...] = ()
    rows_out: tuple[int, ...] = ()
    compute_ns: tuple[int, ...] = ()
    spill_count: tuple[int, ...] = ()
    spilled_bytes: tuple[int, ...] = ()
    bytes_scanned: tuple[int, ...] = ()
    details: tuple[tuple[int, str, int], ...] = ()


NO_FIGURES = OperatorFigures()
"""Nothing was measured."""


@dataclass(frozen=True, slots=True)
class RanOperator:
    """An operator of a plan that a task made itself; inputs by their positions."""

    name: str
    detail: str
    inputs: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class TaskReport:
    """What an attempt made.

    Attributes:
        output: Its file.
        copies: Broadcast outputs that were fetched whole, by the attempt that made them; later
            tasks of the job read the copy in place.
        bytes_read_local: Bytes of inputs read in place.
        bytes_read_remote: Bytes of inputs fetched from other executors.
        elapsed_ms: How long it ran.
        figures: What its operators measured.
        operators: The operators, if the task planned a whole query itself.
        rows: The rows as an Arrow IPC stream, if they are all of a small result.
    """

    output: StoredFile
    copies: dict[str, StoredFile] = field(default_factory=dict)
    bytes_read_local: int = 0
    bytes_read_remote: int = 0
    elapsed_ms: int = 0
    figures: OperatorFigures = NO_FIGURES
    operators: tuple[RanOperator, ...] = ()
    rows: bytes = b""
