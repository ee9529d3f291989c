"""How a job ran: its stages and their operators, with what was measured over all tasks."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Self

import pyarrow as pa

from springald.codec.errors import error_from_proto
from springald.physical.v1 import physical_pb2
from springald.profile_text import profile_text
from springald.progress import JobStatus
from springald.scheduler.v1 import scheduler_pb2 as pb

__all__ = ["JobProfile", "OperatorProfile", "Spread", "StageProfile"]

_TABLE = pa.schema([
    ("stage_id", pa.int64()),
    ("node_id", pa.string()),
    ("operator", pa.string()),
    ("detail", pa.string()),
    ("depth", pa.int64()),
    ("tasks", pa.int64()),
    ("rows_in", pa.int64()),
    ("rows_out", pa.int64()),
    ("rows_estimated", pa.int64()),
    ("min_ms", pa.float64()),
    ("median_ms", pa.float64()),
    ("max_ms", pa.float64()),
    ("total_ms", pa.float64()),
    ("spill_count", pa.int64()),
    ("bytes_spilled", pa.int64()),
    ("bytes_scanned", pa.int64()),
    ("bytes_out", pa.int64()),
    ("bytes_read_local", pa.int64()),
    ("bytes_read_remote", pa.int64()),
])  # fmt: skip

_OPERATOR_COLUMNS = (
    "node_id", "detail", "depth", "tasks", "rows_in", "rows_out", "rows_estimated", "total_ms",
    "spill_count", "bytes_spilled", "bytes_scanned",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Spread:
    """How a time differs between the tasks of a stage, in milliseconds.

    Attributes:
        min: The shortest.
        median: The one in the middle; of two, the shorter.
        max: The longest.
    """

    min: float
    median: float
    max: float


@dataclass(frozen=True, slots=True)
class OperatorProfile:
    """One operator of a stage, over all tasks that measured it.

    What every task computes for itself, such as the build side of a small join, counts once for
    each task.

    Attributes:
        node_id: Its name in the job, for example `s2/o4`.
        name: The engine's name of it, for example `HashJoinExec`.
        detail: Its arguments as the engine prints them.
        depth: How many operators of its stage lie above it.
        inputs: The node ids of its inputs, in order.
        tasks: Tasks that measured it.
        rows_in: Rows that its inputs put out; None for a leaf, and where one is not measured.
        rows_out: Rows that came out; None if nobody measured it.
        rows_estimated: Rows that were expected of the whole query at planning; None if not known.
        task_ms: The engine's own time in it, without its inputs, of each task: a sum over the
            task's partitions.
        total_ms: The same, summed over tasks.
        spill_count: How often it spilled.
        bytes_spilled: Bytes that it wrote to disk because its memory was used up.
        bytes_scanned: Bytes that it read from files.
        details: More figures by the engine's names, such as what was pruned; times are nanoseconds.
            Only for a query that was profiled: `EXPLAIN ANALYZE`, or `SET springald.profile`.
    """

    node_id: str
    name: str
    detail: str
    depth: int
    inputs: tuple[str, ...]
    tasks: int = 0
    rows_in: int | None = None
    rows_out: int | None = None
    rows_estimated: int | None = None
    task_ms: Spread | None = None
    total_ms: float = 0.0
    spill_count: int = 0
    bytes_spilled: int = 0
    bytes_scanned: int = 0
    details: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StageProfile:
    """One stage of a job.

    Attributes:
        stage_id: Its number in the job, from 1.
        exchange: How its rows reach the tasks that read them: `hash`, `broadcast`, `result` ...
        keys: What a hash exchange goes by, as the engine prints it.
        partitions: How many partitions its fragment has.
        output_partitions: How many partitions come out.
        reads: The stages that it reads.
        single_task_reason: Why it is one task; empty if it need not be.
        decisions: What was decided about it, at planning and later, one sentence a decision.
        tasks: Tasks planned; 0 if it has not begun.
        tasks_finished: Tasks done.
        elapsed_ms: From its first task's start to the last one's end.
        task_ms: How long its finished tasks ran; None if there is none.
        rows_in: Rows that the stages it reads put out.
        rows_out: Rows that came out.
        bytes_out: Bytes that came out.
        bytes_shuffled: Bytes that it put through an exchange; 0 for the last stage.
        bytes_read_local: Bytes of other stages that tasks read in place.
        bytes_read_remote: Bytes of other stages that tasks fetched from other executors.
        operators: Its operators, the root first, each before its inputs.
    """

    stage_id: int
    exchange: str
    keys: tuple[str, ...]
    partitions: int
    output_partitions: int
    reads: tuple[int, ...]
    single_task_reason: str
    decisions: tuple[str, ...]
    tasks: int
    tasks_finished: int
    elapsed_ms: int
    task_ms: Spread | None
    rows_in: int
    rows_out: int
    bytes_out: int
    bytes_shuffled: int
    bytes_read_local: int
    bytes_read_remote: int
    operators: tuple[OperatorProfile, ...]

    @property
    def bytes_spilled(self) -> int:
        """Bytes that its operators wrote to disk because their memory was used up."""
        return sum(operator.bytes_spilled for operator in self.operators)


@dataclass(frozen=True, slots=True)
class JobProfile:
    """How a job ran, as far as it did.

    Attributes:
        job_id: The scheduler's name for the job.
        statement: The statement, cut to 1,000 characters.
        status: Where it stood when it was asked.
        error: Why it failed or was cancelled; empty if it did not.
        elapsed_ms: How long it has run, or ran.
        decisions: What was decided about the whole query, one sentence a decision.
        stages: Its stages, producers first; none if it was not planned, or needed no task.
    """

    job_id: str
    statement: str
    status: JobStatus
    error: str
    elapsed_ms: int
    decisions: tuple[str, ...]
    stages: tuple[StageProfile, ...]

    def to_text(self, *, verbose: bool = False) -> str:
        """Returns the profile as a person reads it, the stage of the result first.

        Args:
            verbose: Tell all that the engine measured, if the query was profiled.
        """
        return profile_text(self, verbose=verbose)

    def to_json(self) -> str:
        """Returns the profile as a JSON object with the names of these attributes."""
        profile = asdict(self) | {"status": self.status.value}
        for stage, written in zip(self.stages, profile["stages"], strict=True):
            written["bytes_spilled"] = stage.bytes_spilled
        return json.dumps(profile, ensure_ascii=False)

    def to_arrow(self) -> pa.Table:
        """Returns a table with a row for each stage and, after it, one for each of its operators.

        A stage has the node id `s1` and no operator. Its times are those of whole tasks.
        """
        return pa.Table.from_pylist(list(self._rows()), schema=_TABLE)

    def __str__(self) -> str:
        return self.to_text()

    def _rows(self) -> Iterator[dict[str, object]]:
        for stage in self.stages:
            common = {"stage_id": stage.stage_id}
            yield common | {
                "node_id": f"s{stage.stage_id}",
                "tasks": stage.tasks,
                "rows_in": stage.rows_in if stage.reads else None,
                "rows_out": stage.rows_out,
                **_times(stage.task_ms),
                "spill_count": sum(operator.spill_count for operator in stage.operators),
                "bytes_spilled": stage.bytes_spilled,
                "bytes_scanned": sum(operator.bytes_scanned for operator in stage.operators),
                "bytes_out": stage.bytes_out,
                "bytes_read_local": stage.bytes_read_local,
                "bytes_read_remote": stage.bytes_read_remote,
            }
            for each in stage.operators:
                figures = {name: getattr(each, name) for name in _OPERATOR_COLUMNS}
                yield common | figures | {"operator": each.name, **_times(each.task_ms)}

    @classmethod
    def from_proto(cls, message: pb.DescribeJobResponse) -> Self:
        """Reads a message."""
        summary, measured = message.summary, {each.stage_id: each for each in message.stages}
        nothing = pb.StageStatistics()
        rows_out = {each.stage_id: each.rows_out for each in message.stages}
        return cls(
            job_id=summary.job_id,
            statement=summary.statement,
            status=JobStatus.from_proto(summary.status),
            error=str(error_from_proto(summary.error)) if summary.HasField("error") else "",
            elapsed_ms=summary.elapsed_ms,
            decisions=tuple(message.graph.decisions),
            stages=tuple(
                _stage(stage, measured.get(stage.stage_id, nothing), rows_out)
                for stage in message.graph.stages
            ),
        )


def _stage(
    stage: physical_pb2.Stage, measured: pb.StageStatistics, rows_out: Mapping[int, int]
) -> StageProfile:
    kind = physical_pb2.ExchangeKind.Name(stage.output.kind)
    reads = tuple(dict.fromkeys(leaf.stage_id for leaf in stage.inputs))
    return StageProfile(
        stage_id=stage.stage_id,
        exchange=kind.removeprefix("EXCHANGE_KIND_").lower(),
        keys=tuple(stage.output.keys),
        partitions=stage.partition_count,
        output_partitions=stage.output.partition_count,
        reads=reads,
        single_task_reason=stage.single_task_reason,
        decisions=tuple(stage.decisions),
        tasks=measured.tasks_total,
        tasks_finished=measured.tasks_finished,
        elapsed_ms=measured.elapsed_ms,
        task_ms=_spread(measured.task_ms) if measured.HasField("task_ms") else None,
        rows_in=sum(rows_out.get(each, 0) for each in reads),
        rows_out=measured.rows_out,
        bytes_out=measured.bytes_out,
        bytes_shuffled=measured.bytes_shuffled,
        bytes_read_local=measured.bytes_read_local,
        bytes_read_remote=measured.bytes_read_remote,
        operators=tuple(_operators(stage.operators, measured.operators)),
    )


def _operators(
    planned: Sequence[physical_pb2.Operator], measured: Sequence[pb.OperatorStatistics]
) -> Iterator[OperatorProfile]:
    figures = {each.node_id: each for each in measured}
    depths: dict[str, int] = {}
    for operator in planned:
        depth = depths.get(operator.node_id, 0)
        depths.update(dict.fromkeys(operator.input_node_ids, depth + 1))
        inputs = tuple(operator.input_node_ids)
        known = all(node_id in figures for node_id in inputs)
        common: dict[str, Any] = {
            "node_id": operator.node_id,
            "name": operator.name,
            "detail": operator.detail,
            "depth": depth,
            "inputs": inputs,
            "rows_in": sum(figures[i].rows_out for i in inputs) if inputs and known else None,
            "rows_estimated": (
                operator.rows_estimated if operator.HasField("rows_estimated") else None
            ),
        }
        each = figures.get(operator.node_id)
        if each is None:
            yield OperatorProfile(**common)
            continue
        yield OperatorProfile(
            **common,
            tasks=each.tasks,
            rows_out=each.rows_out,
            task_ms=_spread(each.task_us, 1_000),
            total_ms=each.total_us / 1_000,
            spill_count=each.spill_count,
            bytes_spilled=each.spilled_bytes,
            bytes_scanned=each.bytes_scanned,
            details={detail.name: detail.value for detail in each.details},
        )


def _spread(message: pb.Spread, divisor: int = 1) -> Spread:
    return Spread(message.min / divisor, message.median / divisor, message.max / divisor)


def _times(spread: Spread | None) -> dict[str, float]:
    if spread is None:
        return {}
    return {"min_ms": spread.min, "median_ms": spread.median, "max_ms": spread.max}
