"""Runs a stage graph as a cluster would, task by task, in this process.

Each task is decoded from its own bytes in an engine session of its own and sees nothing of its
neighbours but their files, so that whatever a cut or a slice loses shows as a wrong answer.
"""

import math
from collections.abc import Hashable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow as pa
from datafusion import SessionConfig, SessionContext, SQLOptions
from datafusion.plan import ExecutionPlan

from springald.engine.catalog import SqlQuery, apply_entry, apply_settings, plan_query
from springald.engine.fragment import FileRange, prepare
from springald.engine.session import make_context
from springald.results import plain_schema, restore, result_schema
from springald_scheduler.core.graph import ExchangeKind, Stage, StageGraph, StageInput
from springald_scheduler.planning.model import Answered, ClusterShape, Planned, Upload
from springald_scheduler.planning.planner import Planner

Partitions = dict[int, list[FileRange]]
ENGINE_FAULTS = {
    # Partitions that steal files from each other forget in which order the files are.
    "datafusion.execution.enable_file_stream_work_stealing": "false",
    # A limit is pushed through window functions into the aggregate below, which loses groups.
    "datafusion.optimizer.enable_topk_aggregation": "false",
}
"""What one process must not do either, if its answer is to be the right one."""

TWO_EXECUTORS = ClusterShape((2, 2))
SESSION = "s"


@dataclass
class Simulation:
    """A planner's session, a cluster of isolated tasks, and one process to compare them with.

    Attributes:
        folder: Where files of uploads and stages are written.
        width: How many partitions a task runs.
        settings: What the session sets, and one process with it.
        planner: The planner, whose only session is `SESSION`.
        uploads: The files of uploads, by id and partition.
    """

    folder: Path
    width: int = 1
    settings: Mapping[str, str] = field(default_factory=dict)
    planner: Planner = field(init=False)
    _statements: list[str] = field(default_factory=list)
    _uploads: dict[str, pa.Table] = field(default_factory=dict)
    uploads: dict[str, Partitions] = field(default_factory=dict)
    _engines: dict[int, SessionContext] = field(default_factory=dict)
    _files: int = 0

    def __post_init__(self) -> None:
        self.planner = Planner(["/"], self.folder / "planner")
        self.planner.open_session(SESSION, {"springald.distribution": "always", **self.settings})

    def statement(self, sql: str) -> Answered:
        """Carries out a statement that makes or drops a table or view, here and there."""
        answer = self.planner.run(SESSION, sql, TWO_EXECUTORS)
        assert isinstance(answer, Answered), sql
        self._statements.append(sql)
        self._engines.clear()
        return answer

    def upload(self, name: str, rows: pa.Table, partitions: int = 3) -> None:
        """Makes rows a table as if a client had uploaded them, dealt to partitions in turn."""
        upload_id = f"u{len(self.uploads)}"
        step = max(1, -(-rows.num_rows // partitions))
        plain = rows.cast(plain_schema(rows.schema))
        self.uploads[upload_id] = {
            part: [self.write(plain.schema, plain.slice(part * step, step).to_batches())]
            for part in range(partitions)
        }
        self._uploads[name] = rows
        self._engines.clear()
        schema = rows.schema.serialize().to_pybytes()
        described = Upload(upload_id, schema, rows.num_rows, rows.nbytes, partitions)
        self.planner.register_upload(SESSION, name, described)

    def set(self, name: str, value: str) -> None:
        """Changes a setting of the session, and not of the one process."""
        self.planner.run(SESSION, f"SET {name} = '{value}'", TWO_EXECUTORS)

    def graph(self, sql: str | bytes, shape: ClusterShape = TWO_EXECUTORS) -> StageGraph:
        """Plans a query."""
        planned = self.planner.run(SESSION, sql, shape)
        assert isinstance(planned, Planned), sql
        return planned.graph

    def describe(self, sql: str | bytes) -> pa.Schema:
        """Returns the schema that is told before a query runs."""
        return pa.ipc.read_schema(pa.py_buffer(self.planner.describe(SESSION, sql)))

    def answer(self, sql: str | bytes) -> pa.Table:
        """Returns the rows of a query that ran in stages."""
        return self.run(self.graph(sql))

    def run(self, graph: StageGraph) -> pa.Table:
        """Runs the stages of a graph and returns the rows of the last one."""
        query = graph.stages[0].fragment.query
        if query is not None:
            assert isinstance(query, SqlQuery)
            return self._run_whole(query, graph)
        outputs: dict[int, Partitions] = {}
        for stage in graph.stages:
            inputs = [outputs[each.stage_id] for each in stage.inputs]
            outputs[stage.stage_id] = self._run_stage(stage, inputs, dict(graph.settings))
        last = graph.stages[-1]
        ranges = [each for _, part in sorted(outputs[last.stage_id].items()) for each in part]
        return result_rows(last, ranges)

    def one_process(self, sql: str, partitions: int = 1) -> pa.Table:
        """Returns the rows of the same query in one engine, which knows nothing of stages."""
        if partitions not in self._engines:
            self._engines[partitions] = self._engine(partitions)
        return self._engines[partitions].sql(sql).to_arrow_table()

    def _engine(self, partitions: int) -> SessionContext:
        config = SessionConfig().with_target_partitions(partitions)
        for name, value in {**self.settings, **ENGINE_FAULTS}.items():
            if not name.startswith("springald.") and not name.endswith(".target_partitions"):
                config = config.set(name, value)
        context = SessionContext(config)
        for name, rows in self._uploads.items():
            context.from_arrow(rows, name=name)
        for statement in self._statements:
            context.sql(statement).collect()
        return context

    def check(self, sql: str, *, in_order: bool = False) -> StageGraph:
        """Asserts that stages and one process agree, and that one process agrees with itself.

        Args:
            sql: A query with one right answer.
            in_order: True if its rows have one right order too.
        """
        graph = self.graph(sql)
        want = rows_of(self.one_process(sql), in_order=in_order)
        again = rows_of(self.one_process(sql, 4), in_order=in_order)
        assert again == want, f"the query has several answers: {sql}"
        assert rows_of(self.run(graph), in_order=in_order) == want, sql
        return graph

    def _run_whole(self, query: SqlQuery, graph: StageGraph) -> pa.Table:
        context = make_context(dict(graph.settings), partitions=2)
        for entry in query.catalog:
            apply_entry(context, entry, {})
        apply_settings(context, query.settings)
        rows = plan_query(context, query, SQLOptions()).to_arrow_table()
        wanted = result_schema(pa.ipc.read_schema(pa.py_buffer(graph.stages[-1].schema)))
        return rows if wanted is None else rows.rename_columns(wanted.names)

    def _run_stage(
        self, stage: Stage, inputs: Sequence[Partitions], settings: Mapping[str, str]
    ) -> Partitions:
        schema = pa.ipc.read_schema(pa.py_buffer(stage.schema))
        made: Partitions = {}
        for task in self._tasks(stage):
            told = [_told(*each, task) for each in zip(stage.inputs, inputs, strict=True)]
            payload = prepare(stage.fragment.payload, task, told, self.uploads)
            for where, batches in run_task(stage, task, payload, settings):
                if batches:
                    made.setdefault(where, []).append(self.write(schema, batches))
        return made

    def _tasks(self, stage: Stage) -> Iterator[list[int]]:
        every = list(range(stage.partition_count))
        width = self.width if stage.sliceable else max(1, len(every))
        return (every[at : at + width] for at in range(0, len(every), width))

    def write(self, schema: pa.Schema, batches: Sequence[pa.RecordBatch]) -> FileRange:
        """Writes rows to a file of their own."""
        self._files += 1
        path = self.folder / f"rows-{self._files}.arrow"
        with pa.ipc.new_file(path, schema) as writer:
            for batch in batches:
                writer.write_batch(batch)
        size = path.stat().st_size
        return FileRange(str(path), 0, size, size)


def _told(leaf: StageInput, files: Partitions, task: Sequence[int]) -> Partitions:
    """Returns what a task is told of an input: no partition that it is not promised to read."""
    return {each: files[each] for each in leaf.partitions_of(_range(task)) if each in files}


def _range(task: Sequence[int]) -> range:
    return range(task[0], task[-1] + 1)


def run_task(
    stage: Stage, task: Sequence[int], payload: bytes, settings: Mapping[str, str]
) -> Iterator[tuple[int, list[pa.RecordBatch]]]:
    """Yields the batches of a task, with the output partition that they belong to."""
    schema = pa.ipc.read_schema(pa.py_buffer(stage.schema))
    for number, batches in enumerate(_run_task(payload, settings)):
        plain = [_written(batch, schema) for batch in batches]
        yield _output_partition(stage, task, number), plain


def result_rows(stage: Stage, files: Sequence[FileRange]) -> pa.Table:
    """Returns the rows of a result's files, with the types that the client was promised."""
    schema = pa.ipc.read_schema(pa.py_buffer(stage.schema))
    wanted = result_schema(schema) or schema
    batches = [
        restore(batch, wanted)
        for each in files
        for batch in pa.ipc.open_file(each.path).read_all().to_batches()
    ]
    return pa.Table.from_batches(batches, wanted)


def _run_task(payload: bytes, settings: Mapping[str, str]) -> list[list[pa.RecordBatch]]:
    """Returns the batches of all partitions of one task, all drained at once."""
    context = make_context(settings, partitions=2, memory_bytes=1 << 30)
    plan = ExecutionPlan.from_bytes(context, payload)

    def drain(partition: int) -> list[pa.RecordBatch]:
        return [batch.to_pyarrow() for batch in context.execute(plan, partition)]

    with ThreadPoolExecutor(max(1, plan.partition_count)) as threads:
        return list(threads.map(drain, range(plan.partition_count)))


def _written(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    if not batch.num_columns:
        return batch
    return pa.RecordBatch.from_arrays(batch.columns, schema=schema)


def _output_partition(stage: Stage, task: Sequence[int], number: int) -> int:
    match stage.output.kind:
        case ExchangeKind.HASH:
            return number
        case ExchangeKind.SINGLE | ExchangeKind.BROADCAST:
            return 0
        case ExchangeKind.SORTED | ExchangeKind.FORWARD | ExchangeKind.RESULT:
            return task[number]


def rows_of(table: pa.Table, *, in_order: bool = False) -> list[Any]:
    """Returns rows that can be compared, sorted unless their order counts: NaN is NaN."""
    columns = [[_comparable(value) for value in column.to_pylist()] for column in table.columns]
    names = tuple(table.column_names)
    rows = list(zip(*columns, strict=True)) if columns else [()] * table.num_rows
    return [names, *(rows if in_order else sorted(rows, key=repr))]


def _comparable(value: Any) -> Hashable:  # noqa: ANN401 - whatever Arrow holds
    if isinstance(value, float):
        return "nan" if math.isnan(value) else float(f"{value:.9g}")
    if isinstance(value, dict):
        return tuple((key, _comparable(each)) for key, each in value.items())
    if isinstance(value, list | tuple):
        return tuple(_comparable(each) for each in value)
    return value if isinstance(value, Hashable) else repr(value)
