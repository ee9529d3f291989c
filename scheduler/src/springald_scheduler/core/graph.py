"""A query cut into stages, as the planner makes it and the core runs it."""

from dataclasses import dataclass
from enum import Enum


class ExchangeKind(Enum):
    """How the rows of one stage reach the tasks of the next."""

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


class Repeats(Enum):
    """Whether a stage's tasks put out the same rows when they are run again with the same input.

    The order of the rows does not matter, nor does that in which the input comes.
    """

    ALWAYS = "always"
    UNKNOWN = "unknown"
    NEVER = "never"


def weakest(*promises: Repeats) -> Repeats:
    """Returns what can be said of all that is promised.

    Example:
        >>> weakest(Repeats.ALWAYS, Repeats.NEVER)
        <Repeats.NEVER: 'never'>
    """
    return max(promises, key=list(Repeats).index)


@dataclass(frozen=True, slots=True)
class Exchange:
    """The output side of a stage; keys and ordering are for people."""

    kind: ExchangeKind
    partition_count: int
    keys: tuple[str, ...] = ()
    ordering: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Fragment:
    """The executable part of a stage, opaque to the core.

    A plan's bytes are the payload; a whole query that one task plans is an object of its own.
    """

    format: FragmentFormat
    payload: bytes
    engine_version: str
    query: object | None = None


@dataclass(frozen=True, slots=True)
class StageInput:
    """One leaf of a fragment that reads another stage's output.

    Attributes:
        stage_id: The other stage.
        kind: Its exchange.
        partition_count: How many partitions there are to read.
        offset: The fragment's partition that reads partition 0; the next one reads partition 1, and
            so on, and no other partition reads of them. None if nothing of the kind is promised.
    """

    stage_id: int
    kind: ExchangeKind
    partition_count: int
    offset: int | None = None

    def partitions_of(self, partitions: range) -> range:
        """Returns which partitions some of the fragment's partitions read."""
        if self.offset is None:
            return range(self.partition_count)
        start, stop = partitions.start - self.offset, partitions.stop - self.offset
        return range(max(start, 0), max(min(stop, self.partition_count), 0))


@dataclass(frozen=True, slots=True)
class Operator:
    """One node of a stage's operator tree, for people and tools.

    `rows_estimated` is how many rows the engine expected, if it had an idea and was asked.
    """

    node_id: str
    name: str
    detail: str
    input_node_ids: tuple[str, ...]
    rows_estimated: int | None = None


@dataclass(frozen=True, slots=True)
class BroadcastOffer:
    """A join of two inputs by hash that may read one of them whole in every task instead.

    Then the other input needs no exchange: its stage and the join's become one.

    Attributes:
        build_inputs: The inputs that every task would read whole, by number.
        probe_input: The input whose stage would become part of this one.
        bytes_max: How many bytes the build inputs have at most.
        rows_max: How many rows they have at most.
    """

    build_inputs: tuple[int, ...]
    probe_input: int
    bytes_max: int
    rows_max: int

    @property
    def inputs(self) -> tuple[int, ...]:
        """All inputs that it names."""
        return (*self.build_inputs, self.probe_input)

    @property
    def taken_input(self) -> int:
        """The input whose stage becomes part of this one."""
        return self.probe_input


@dataclass(frozen=True, slots=True)
class MergeOffer:
    """A stage of one partition that may do itself what one that it reads would do.

    Attributes:
        taken_input: The input whose stage would become part of this one.
        bytes_max: How many bytes that stage reads at most.
    """

    taken_input: int
    bytes_max: int

    @property
    def inputs(self) -> tuple[int, ...]:
        """All inputs that it names."""
        return (self.taken_input,)


@dataclass(frozen=True, slots=True)
class FilterOffer:
    """Rows of a stage that a join drops later may be dropped at once, by the keys of the others.

    Attributes:
        source_stage_id: The stage that has the keys; it is waited for.
        keys: The plan that reads the keys, opaque to the core.
        columns: The columns of this stage's rows that they are compared with.
        rows_max: How many rows the source has at most.
        bytes_max: How many bytes it has at most.
    """

    source_stage_id: int
    keys: bytes
    columns: tuple[int, ...]
    rows_max: int
    bytes_max: int

    @property
    def inputs(self) -> tuple[int, ...]:
        """All inputs that it names."""
        return ()


@dataclass(frozen=True, slots=True)
class SwapOffer:
    """A join of two inputs by hash that may as well build its hash table of the other one.

    Attributes:
        build_inputs: The inputs of the side that the table is made of.
        probe_inputs: Those of the other one.
        bytes_min: How many bytes the build side has at least.
    """

    build_inputs: tuple[int, ...]
    probe_inputs: tuple[int, ...]
    bytes_min: int

    @property
    def inputs(self) -> tuple[int, ...]:
        """All inputs that it names."""
        return (*self.build_inputs, *self.probe_inputs)


Offer = BroadcastOffer | MergeOffer | FilterOffer | SwapOffer
"""How a stage could be planned anew when sizes are known."""


@dataclass(frozen=True, slots=True)
class Adaptive:
    """What may change about a stage when its inputs are measured, as the planner found out.

    Inputs are told by their place in the stage's list, from 0.

    Attributes:
        task_bytes_target: There are no more tasks than the input has so many bytes; 0 for never.
        emptied_by: Inputs of which each, if it has no rows, leaves the stage without rows.
        split_inputs: Inputs of which one may be read in parts, by tasks that share a partition and
            read it whole of all others.
        split_bytes_min: How many bytes such a part has at least.
        offers: How it could be planned anew; the first that is due is taken.
    """

    task_bytes_target: int = 0
    emptied_by: tuple[int, ...] = ()
    split_inputs: tuple[int, ...] = ()
    split_bytes_min: int = 0
    offers: tuple[Offer, ...] = ()


@dataclass(frozen=True, slots=True)
class FileTarget:
    """Where the files of a statement appear, all after the last of them is whole.

    Attributes:
        folder: An absolute path on every executor.
        file_name: The only file; empty for as many as there are.
        write_id: What no other statement has.
    """

    folder: str
    file_name: str
    write_id: str


@dataclass(frozen=True, slots=True)
class Stage:
    """A fragment that runs as one or more tasks, each a slice of its partitions.

    `schema` is an Arrow schema in IPC form, opaque to the core. `single_task_reason` is empty
    where the partitions may run in several tasks. A result of at most `inline_rows_bytes_max` bytes
    that one task makes comes with its report. `after` names stages that are not
    read, and whose sizes are waited for because they may change this one. `repeats` says whether an
    output that is lost can be made again as it was. Tasks of a stage that `writes_files` put out
    what these are called, and the task of the one that `commits_files` gives them their names.
    """

    stage_id: int
    fragment: Fragment
    inputs: tuple[StageInput, ...]
    output: Exchange
    partition_count: int
    single_task_reason: str = ""
    operators: tuple[Operator, ...] = ()
    schema: bytes = b""
    upload_ids: tuple[str, ...] = ()
    decisions: tuple[str, ...] = ()
    inline_rows_bytes_max: int = 0
    adaptive: Adaptive = Adaptive()
    after: tuple[int, ...] = ()
    repeats: Repeats = Repeats.UNKNOWN
    writes_files: FileTarget | None = None
    commits_files: FileTarget | None = None

    @property
    def sliceable(self) -> bool:
        """True if the partitions may run in several tasks."""
        return not self.single_task_reason


class AnswerKind(Enum):
    """What the client of a query gets."""

    ROWS = "rows"
    PROFILE = "profile"
    FULL_PROFILE = "full profile"


@dataclass(frozen=True, slots=True)
class StageGraph:
    """The stages of a query, producers before consumers; the last one makes the result.

    Attributes:
        stages: The stages.
        decisions: What was decided about all of them, for people.
        settings: The session's settings that the engine needs.
        profile: True if tasks are to tell everything that the engine measured.
        answer: What the client gets: the rows, or what was measured, and the rows are dropped.
    """

    stages: tuple[Stage, ...]
    decisions: tuple[str, ...] = ()
    settings: tuple[tuple[str, str], ...] = ()
    profile: bool = False
    answer: AnswerKind = AnswerKind.ROWS
