"""Stages and tasks made by hand, as a planner and a scheduler would make them."""

import os
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from datafusion import SessionContext

from springald.engine import plan_view as pv
from springald.engine.catalog import SqlQuery
from springald.engine.fragment import exchange_path, upload_path
from springald.engine.plan_view import PlanNode
from springald.engine.schemas import SchemaEncoder, arrow_leaf
from springald.engine.session import make_context
from springald.results import plain_schema
from springald_executor.core.model import (
    ExchangeKind,
    Fragment,
    FragmentFormat,
    Grant,
    InputDefinition,
    LocalInput,
    StageDefinition,
    StoredFile,
    TaskInput,
    TaskReport,
    TaskRequest,
    UploadLocation,
)
from springald_executor.engine.runner import ENGINE_VERSION, TaskRunner
from springald_executor.shuffle.reader import StoredFileReader
from springald_executor.shuffle.space import Roots


def no_query(_: bytes) -> SqlQuery:
    """A decoder for tests without whole queries."""
    raise AssertionError("a stage of this test is a plan")


def parquet_files(folder: Path, tables: Sequence[pa.Table]) -> None:
    """Writes tables as the files of one folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, table in enumerate(tables):
        pq.write_table(table, folder / f"part-{number}.parquet")


def context_over(partitions: int, **folders: Path) -> SessionContext:
    """An engine session with tables over folders of Parquet files."""
    context = make_context({}, partitions=partitions)
    for name, folder in folders.items():
        context.register_parquet(name, str(folder))
    return context


def plan_of(context: SessionContext, sql: str) -> PlanNode:
    """The physical plan of a query."""
    return pv.parse(context.sql(sql).execution_plan().to_bytes(context))


def hashed(plan: PlanNode, column: str, index: int, partitions: int) -> PlanNode:
    """The plan with a hash exchange as its way out."""
    return pv.hash_repartition(plan, [pv.column(column, index)], partitions)


def reads(schema: pa.Schema, partitions: int, number: int = 0) -> PlanNode:
    """A leaf that reads the partitions of an input."""
    groups = [[exchange_path(number, partition)] for partition in range(partitions)]
    return arrow_leaf(SchemaEncoder().encode(schema), groups)


def reads_upload(schema: pa.Schema, upload_id: str, partitions: int) -> PlanNode:
    """A leaf that reads an upload."""
    groups = [[upload_path(upload_id, partition)] for partition in range(partitions)]
    return arrow_leaf(SchemaEncoder().encode(plain_schema(schema)), groups)


def stage_of(
    plan: PlanNode | bytes,
    schema: pa.Schema,
    *,
    stage_id: int = 1,
    output: ExchangeKind = ExchangeKind.RESULT,
    output_partitions: int = 1,
    inputs: tuple[InputDefinition, ...] = (),
    uploads: tuple[UploadLocation, ...] = (),
    settings: tuple[tuple[str, str], ...] = (),
) -> StageDefinition:
    """A stage of job j1; a plan in bytes is a whole query."""
    whole = isinstance(plan, bytes)
    form = FragmentFormat.SQL if whole else FragmentFormat.PHYSICAL_PLAN
    payload = plan if isinstance(plan, bytes) else pv.serialize(plan)
    return StageDefinition(
        job_id="j1",
        stage_id=stage_id,
        fragment=Fragment(form, payload, ENGINE_VERSION),
        inputs=inputs,
        output=output,
        output_partitions=output_partitions,
        schema=schema.serialize().to_pybytes(),
        settings=settings,
        uploads=uploads,
        operator_count=0 if isinstance(plan, bytes) else len(list(plan.walk())),
    )


@dataclass
class Bench:
    """Runs tasks in this process, and reads what they made."""

    folder: Path
    runner: TaskRunner = field(init=False)
    tasks: int = 0

    def __post_init__(self) -> None:
        """Makes a runner with both roots and a folder to spill to."""
        self.spill = self.folder / "spill"
        self.spill.mkdir(parents=True, exist_ok=True)
        self.roots = Roots(disk=self.folder / "disk", memory=self.folder / "memory")
        self.runner = TaskRunner(self.roots, read_query=no_query, spill_dir=self.spill)

    def request(
        self,
        stage: StageDefinition,
        partitions: Sequence[int] = (0,),
        inputs: Sequence[tuple[ExchangeKind, Sequence[StoredFile]]] = (),
        memory_bytes: int = 256 * 1024 * 1024,
    ) -> TaskRequest:
        """A task of a stage whose inputs all lie here."""
        self.tasks += 1
        task_id = f"j1/s{stage.stage_id}/t{self.tasks}#1"
        return TaskRequest(
            task_id=task_id,
            stage=stage,
            partitions=tuple(partitions),
            slots=1,
            memory_bytes=memory_bytes,
            inputs=tuple(
                TaskInput(kind, tuple(LocalInput(f"in{n}", file) for n, file in enumerate(files)))
                for kind, files in inputs
            ),
            uploads={},
            allowed_paths=(str(self.folder),),
            grant=Grant(f"jobs/j1/task-{self.tasks}", 64 * 1024 * 1024),
        )

    def run(self, request: TaskRequest) -> TaskReport:
        """Runs a task that nobody stops."""
        return self.runner.run(request, threading.Event())

    def files(self) -> list[Path]:
        """All files of tasks, in memory and on disk."""
        roots = [root for root in (self.roots.memory, self.roots.disk) if root]
        return [path for root in roots for path in root.rglob("*") if path.is_file()]


def rows(file: StoredFile, *partitions: int) -> pa.Table:
    """What lies in partitions of a file; in all of them if none is named."""
    with StoredFileReader(file, "test") as reader:
        wanted = partitions or sorted(file.blocks)
        batches = [batch for number in wanted for batch in reader.read(number)]
        return pa.Table.from_batches(batches, reader.schema)


def flip_bit(file: StoredFile, partition: int, place: float) -> None:
    """Changes a bit of a partition's first block, this far into it."""
    block = file.blocks[partition][0]
    with Path(file.path).open("r+b") as opened:
        opened.seek(block.start + int(place * (block.end - block.start)))
        (byte,) = opened.read(1)
        opened.seek(-1, os.SEEK_CUR)
        opened.write(bytes([byte ^ 1]))
