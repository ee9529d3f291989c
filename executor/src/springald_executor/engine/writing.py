"""Files of a statement that writes: staged by its tasks, named by its last one.

A task writes below `<folder>/.springald-<write id>`, in a folder that no other attempt has, and
puts out a row for each file. The task that commits reads the rows of attempts that count, and
renames their files. So nothing of a statement that fails is seen, nor of an attempt that does not
count, and each file appears whole. Run again, it knows by its inode what it has renamed.
"""

import contextlib
import os
import shutil
import threading
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pyarrow as pa
from datafusion import SessionContext
from datafusion.plan import ExecutionPlan

from springald.engine import plan_view as pv
from springald.engine.catalog import AllowedPaths
from springald.engine.schemas import output_schema
from springald.engine.sinks import COUNT, WRITTEN
from springald.errors import InputLostError, InternalError
from springald.results import restore
from springald_executor.core.model import FileTarget, TaskRequest
from springald_executor.engine.drain import Rows
from springald_executor.shuffle.orders import InputError
from springald_executor.shuffle.space import Space

_RANDOM_CHARACTERS: Final = 16
"""Names of the engine's files begin with so many random characters."""


Drained = Callable[[Rows, Sequence[int]], None]
"""Puts all rows of a plan somewhere: those of each of its partitions under a number."""


@dataclass(frozen=True, slots=True)
class Staging:
    """Where one attempt writes.

    Attributes:
        target: Where its files are to lie.
        folder: Its own folder.
    """

    target: FileTarget
    folder: Path

    @property
    def place(self) -> str:
        """What a sink of the engine is told: a file, or a folder, which ends with a slash."""
        return f"{self.folder}/{self.target.file_name}"


def make_staging(request: TaskRequest, space: Space) -> Staging:
    """Makes the folder of an attempt, which goes with the attempt's own or with its job's.

    Raises:
        PathNotAllowedError: The target lies outside of the folders that the cluster may use.
        OSError: It cannot be made.
    """
    target = request.stage.writes_files
    if target is None:
        raise InternalError(f"a task is told where its files go: got none for {request.task_id}")
    AllowedPaths(request.allowed_paths).check(target.folder)
    folder = _staging_root(target) / f"{_task(request.task_id)}-{uuid.uuid4().hex}"
    space.note(folder, of_all=_staging_root(target))
    folder.mkdir(parents=True)
    return Staging(target, folder)


def stage_files(
    request: TaskRequest,
    context: SessionContext,
    plan: ExecutionPlan,
    staging: Staging,
    drain: Drained,
    output: Rows,
) -> None:
    """Writes rows into files, has the disk keep them, and puts out a row for each.

    Args:
        request: The attempt.
        context: The engine session.
        plan: The attempt's plan, which ends in a sink unless the engine cannot write that down.
        staging: Where to write.
        drain: Puts all rows of the plan into what it is given.
        output: What the attempt puts out.
    """
    template = pv.parse(request.stage.fragment.payload)
    if template.kind in pv.SINK_KINDS:
        counted = _Batches()
        drain(counted, [0])
        rows = sum(batch.column(0)[0].as_py() for batch in counted.batches)
    else:
        files = _ArrowFiles(staging, output_schema(context, template))
        try:
            drain(files, range(plan.partition_count))
        finally:
            files.close()
        rows = files.rows
    for path in sorted(path for path in staging.folder.rglob("*") if path.is_file()):
        _sync(path)
        told = {
            "task_id": request.task_id,
            "staged": str(path.relative_to(staging.target.folder)),
            "name": _name(path.relative_to(staging.folder), staging.target, request.task_id),
            "inode": path.stat().st_ino,
            "rows": rows,
        }
        output.write(0, pa.RecordBatch.from_pylist([told], WRITTEN))
        rows = 0


def commit_files(request: TaskRequest, plan: ExecutionPlan, drain: Drained, output: Rows) -> None:
    """Gives the files that other attempts wrote their names, and puts out how many rows they have.

    Args:
        request: The attempt.
        plan: Its plan, which reads what those attempts have put out.
        drain: Puts all rows of the plan into what it is given.
        output: What the attempt puts out.

    Raises:
        InputError: A file is neither where it was staged nor where it is to lie.
        PathNotAllowedError: A link leads out of the target's folder.
        OSError: A file cannot be renamed.
    """
    target = request.stage.commits_files
    if target is None:
        raise InternalError(f"a task is told where files appear: got none for {request.task_id}")
    found = _Batches()
    drain(found, [0] * plan.partition_count)
    files = pa.Table.from_batches([batch.cast(WRITTEN) for batch in found.batches], WRITTEN)
    told = files.to_pylist()
    allowed = AllowedPaths([target.folder], are_written=True)
    for folder in {os.path.dirname(f"{target.folder}/{file['name']}") for file in told}:  # noqa: PTH120
        allowed.check(folder)
    is_first = request.task_id.endswith("#1")
    rows = _commit(target, told, is_first=is_first)
    output.write(0, pa.RecordBatch.from_pylist([{"count": rows}], COUNT))


@dataclass(slots=True)
class _Batches:
    """A few rows, kept."""

    batches: list[pa.RecordBatch] = field(default_factory=list)

    def write(self, _: int, batch: pa.RecordBatch) -> None:
        self.batches.append(batch)


class _ArrowFiles:
    """Arrow IPC files, one for each partition with rows."""

    def __init__(self, staging: Staging, schema: pa.Schema) -> None:
        self._staging = staging
        self._schema = schema
        self._writers: dict[int, pa.ipc.RecordBatchFileWriter] = {}
        self._opening = threading.Lock()
        self.rows = 0

    def write(self, partition: int, batch: pa.RecordBatch) -> None:
        with self._opening:
            self.rows += batch.num_rows
            writer = self._writers.get(partition) or self._open(partition)
        writer.write_batch(restore(batch, self._schema))

    def close(self) -> None:
        """Ends the files; where one file is wanted there is one, with rows or without."""
        if self._staging.target.file_name and not self._writers:
            self._open(0)
        for writer in self._writers.values():
            writer.close()

    def _open(self, partition: int) -> pa.ipc.RecordBatchFileWriter:
        name = f"{'0' * _RANDOM_CHARACTERS}_{partition}.arrow"
        path = self._staging.folder / (self._staging.target.file_name or name)
        writer = self._writers[partition] = pa.ipc.new_file(str(path), self._schema)
        return writer


def _commit(target: FileTarget, files: Sequence[Mapping[str, Any]], *, is_first: bool) -> int:
    """Renames files and returns how many rows they have; looks for all before, and again after."""
    for file in files:
        _check(target, file)
    if not is_first:
        _remove_others(target, {file["name"] for file in files})
    folder = Path(target.folder)
    named: list[tuple[Path, Path]] = []
    try:
        for file in files:
            staged, name = folder / file["staged"], folder / file["name"]
            name.parent.mkdir(parents=True, exist_ok=True)
            with contextlib.suppress(FileNotFoundError):  # it has its name, or is missed below
                staged.replace(name)
                named.append((staged, name))
        for file in files:
            _check(target, file, is_named=True)
        for each in {(folder / file["name"]).parent for file in files}:
            _sync(each)
    except (OSError, InputError):
        _take_back(target, named)
        raise
    shutil.rmtree(_staging_root(target), ignore_errors=True)
    return sum(file["rows"] for file in files)


def _take_back(target: FileTarget, named: Sequence[tuple[Path, Path]]) -> None:
    """Puts files back that have their names while others cannot have theirs.

    What a single file has replaced is gone, so that one stays.
    """
    if target.file_name:
        return
    for staged, name in named:
        with contextlib.suppress(OSError):
            name.replace(staged)
            if name.parent != Path(target.folder):
                name.parent.rmdir()


def _check(target: FileTarget, file: Mapping[str, Any], *, is_named: bool = False) -> None:
    """Looks for a file; one of another attempt may have its name, but not its inode."""
    folder = Path(target.folder)
    if not is_named and (folder / file["staged"]).exists():
        return
    name = folder / file["name"]
    if name.exists() and name.stat().st_ino == file["inode"]:
        return
    lost = file["task_id"]
    message = f"files that were written stay until they have their names: got none at {folder}"
    raise InputError(
        InputLostError(
            f"{message}/{file['staged']}; let all executors see the same folder there", node_id=lost
        ),
        lost,
    )


def _remove_others(target: FileTarget, names: set[str]) -> None:
    """Removes what an earlier attempt to commit has named, and what does not count any more."""
    folder = Path(target.folder)
    for path in folder.rglob(f"{target.write_id}-*"):
        if str(path.relative_to(folder)) not in names:
            path.unlink(missing_ok=True)


def _staging_root(target: FileTarget) -> Path:
    return Path(target.folder) / f".springald-{target.write_id}"


def _name(relative: Path, target: FileTarget, task_id: str) -> str:
    """Returns what a staged file is to be called: the same for each attempt of a task."""
    if target.file_name:
        return target.file_name
    name = f"{target.write_id}-{_task(task_id)}{relative.name[_RANDOM_CHARACTERS:]}"
    return str(relative.with_name(name))


def _task(task_id: str) -> str:
    """Returns a task's number in its stage.

    Example:
        >>> _task("j1/s2/t34#1")
        '34'
    """
    return task_id.rpartition("/")[2].partition("#")[0].removeprefix("t")


def _sync(path: Path) -> None:
    """Has the disk keep a file, or the names in a folder."""
    fd = os.open(path, os.O_RDONLY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
