"""Runs one attempt: from a stage's fragment and a slice of its partitions to a finished file.

Knows nothing of processes: an engine process calls it, and local mode does in its own threads.
"""

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import datafusion
import pyarrow as pa
from datafusion import SessionContext, SQLOptions
from datafusion.plan import ExecutionPlan

from springald.engine.catalog import (
    AllowedPaths,
    CatalogEntry,
    SqlQuery,
    apply_settings,
    build,
    plan_query,
)
from springald.engine.failures import error_from_engine
from springald.engine.fragment import Needs, needs, prepare
from springald.engine.session import ENGINE_NAME
from springald.errors import EngineMismatchError, InternalError, IoFailedError, SpringaldError
from springald_executor.core.model import (
    NO_FIGURES,
    ExchangeKind,
    FragmentFormat,
    OperatorFigures,
    Repeats,
    StageDefinition,
    StoredFile,
    TaskReport,
    TaskRequest,
)
from springald_executor.engine.contexts import Contexts
from springald_executor.engine.drain import Drain, Rows, StuckError
from springald_executor.engine.figures import ran_operators, read_figures
from springald_executor.engine.files import check_files, check_unchanged
from springald_executor.engine.inline import inline_bytes_max, inline_rows
from springald_executor.engine.inputs import GatheredInputs, as_mappings, gather
from springald_executor.engine.writing import commit_files, make_staging, stage_files
from springald_executor.shuffle.orders import Fetcher, InputError
from springald_executor.shuffle.row_checksums import rows_checksum
from springald_executor.shuffle.space import Roots, Space
from springald_executor.shuffle.verify import check_again
from springald_executor.shuffle.writer import OutputWriter, RowsChecksum, block_bytes

ENGINE_VERSION = f"{ENGINE_NAME} {datafusion.__version__}"
"""The engine's name and version, as it is registered and as fragments name it."""


class TaskError(Exception):
    """An attempt failed.

    Attributes:
        error: Why.
        lost_task_id: The attempt whose output could not be read, or an empty string.
        engine_usable: False if the engine may still be busy, or has panicked.
        figures: What its operators measured up to then.
    """

    def __init__(
        self, error: SpringaldError, *, lost_task_id: str = "", engine_usable: bool = True
    ) -> None:
        super().__init__(error.message)
        self.error = error
        self.lost_task_id = lost_task_id
        self.engine_usable = engine_usable
        self.figures = NO_FIGURES


class TaskRunner:
    """Runs attempts one after the other; what they can share is kept."""

    def __init__(
        self,
        roots: Roots,
        *,
        read_query: Callable[[bytes], SqlQuery],
        fetcher: Fetcher | None = None,
        spill_dir: Path | None = None,
    ) -> None:
        """Prepares nothing yet.

        Args:
            roots: Where files are written.
            read_query: Decodes the payload of a fragment that is a whole query.
            fetcher: Who fetches inputs from other executors; none if everything lies here.
            spill_dir: Where operators spill.
        """
        self._roots = roots
        self._read_query = read_query
        self._fetcher = fetcher
        self._contexts = Contexts(spill_dir)
        self._drain = Drain()
        self._plan: ExecutionPlan | None = None

    def run(self, request: TaskRequest, stop: threading.Event) -> TaskReport:
        """Runs an attempt.

        Args:
            request: The attempt.
            stop: Set by whoever wants it stopped; it then ends at the next batch.

        Raises:
            TaskError: It failed; its files are removed.
        """
        began = time.monotonic()
        space = Space(self._roots, request.grant)
        self._plan = None
        try:
            report = self._run(request, space, stop)
        except BaseException as failure:
            space.remove()
            error = self._task_error(failure)
            error.figures = self._figures_so_far(request, failure)
            raise error from failure
        finally:
            self._plan = None
        elapsed_ms = round((time.monotonic() - began) * 1000)
        return replace(report, elapsed_ms=elapsed_ms)

    def _figures_so_far(self, request: TaskRequest, failure: BaseException) -> OperatorFigures:
        if self._plan is None or not isinstance(failure, Exception):
            return NO_FIGURES
        try:
            return read_figures(self._plan, request)
        except Exception:  # noqa: BLE001 - the failure itself matters more
            return NO_FIGURES

    def _task_error(self, failure: BaseException) -> TaskError:
        error, folder = _task_error(failure), self._contexts.lost_folder()
        if folder and not error.lost_task_id:
            # The engine knows only that some file is not there.
            message = f"an executor's work folder stays as long as it runs: got none at {folder}"
            error.error = IoFailedError(f"{message}; it is made again")
        return error

    def _run(self, request: TaskRequest, space: Space, stop: threading.Event) -> TaskReport:
        stage = request.stage
        if stage.fragment.engine_version != ENGINE_VERSION:
            raise EngineMismatchError(
                f"a fragment is for this engine, {ENGINE_VERSION}: "
                f"got one for {stage.fragment.engine_version}"
            )
        if stage.fragment.format is FragmentFormat.SQL:
            return self._run_query(request, space, stop)
        needed = needs(stage.fragment.payload, request.partitions)
        check_files(needed.files, request.allowed_paths)
        found = gather(request, needed, space, self._fetcher)
        inputs, uploads = as_mappings(found)
        staging = make_staging(request, space) if stage.writes_files else None
        place = "" if staging is None else staging.place
        plan_bytes = prepare(stage.fragment.payload, request.partitions, inputs, uploads, place)
        with self._contexts.borrowed(request) as context:
            self._plan = plan = ExecutionPlan.from_bytes(context, plan_bytes)

            def drain(rows: Rows, numbers: Sequence[int]) -> None:
                self._drain.run(context, plan, rows, numbers, stop)

            if staging is not None:
                fill, count = partial(stage_files, request, context, plan, staging, drain), 1
            elif stage.commits_files is not None:
                fill, count = partial(commit_files, request, plan, drain), 1
            else:
                numbers = _output_numbers(stage, request.partitions, plan.partition_count)
                fill, count = partial(drain, numbers=numbers), len(numbers)
            with _unchanged(found):
                output, rows = self._write(request, space, fill, count)
        check_unchanged(needed.files)
        return replace(_report(output, found), rows=rows, figures=read_figures(plan, request))

    def _run_query(self, request: TaskRequest, space: Space, stop: threading.Event) -> TaskReport:
        """Plans and runs a whole query, for a plan that the engine cannot write down."""
        query = self._read_query(request.stage.fragment.payload)
        read = {entry.upload_id: [0] for entry in query.catalog if entry.upload_id}
        found = gather(request, Needs({}, read, []), space, self._fetcher)
        context = self._contexts.fresh(request)
        missing = _make_tables(context, query.catalog, request.allowed_paths, found.upload_paths)
        try:
            apply_settings(context, query.settings)
            plan = plan_query(context, query, SQLOptions()).execution_plan()
        except Exception as failure:  # noqa: BLE001 - the engine raises bare exceptions
            # A table that could not be made is no matter, unless the query reads it.
            cause = next((why for name, why in missing.items() if name in str(failure)), failure)
            raise cause from None
        self._plan = plan
        numbers = [0] * plan.partition_count

        def fill(rows: Rows) -> None:
            self._drain.run(context, plan, rows, numbers, stop)

        with _unchanged(found):
            output, rows = self._write(request, space, fill, len(numbers))
        figures, operators = read_figures(plan, request), ran_operators(plan)
        return replace(_report(output, found), rows=rows, figures=figures, operators=operators)

    def _write(
        self,
        request: TaskRequest,
        space: Space,
        fill: Callable[[OutputWriter], None],
        count: int,
    ) -> tuple[StoredFile, bytes]:
        """Returns what lies where in the file, and the rows if they need none."""
        schema = pa.ipc.read_schema(pa.py_buffer(request.stage.schema))
        gather_bytes = block_bytes(request.memory_bytes, count)
        file = space.create("output.arrow", held_bytes_max=inline_bytes_max(request))
        is_result = request.stage.output is ExchangeKind.RESULT
        writer = OutputWriter(
            file,
            schema,
            gather_bytes=gather_bytes,
            checksum=None if is_result else _checksum(request.stage),
            is_sealed=is_result,
        )
        try:
            fill(writer)
            output, rows = writer.finish(), b""
            if writer.held is not None:
                rows = inline_rows(request, output, writer.held)
                output = output if rows else writer.settle()
        except BaseException:
            writer.discard()
            raise
        return output, rows


def _make_tables(
    context: SessionContext,
    catalog: Sequence[CatalogEntry],
    allowed_paths: Sequence[str],
    uploads: Mapping[str, str],
) -> dict[str, BaseException]:
    """Makes a session's tables; returns why some could not be made, by name."""
    allowed = AllowedPaths(allowed_paths)
    missing: dict[str, BaseException] = {}
    readable = []
    for entry in catalog:
        try:
            if entry.path:
                allowed.check_location(entry.path)
        except SpringaldError as error:
            missing[entry.name] = error
        else:
            readable.append(entry)
    return missing | build(context, readable, uploads)


def _output_numbers(stage: StageDefinition, partitions: Sequence[int], count: int) -> Sequence[int]:
    """Returns, for each partition of a task's plan, the output partition that its rows go to."""
    match stage.output:
        case ExchangeKind.HASH:
            return range(count)
        case ExchangeKind.SINGLE | ExchangeKind.BROADCAST:
            return [0] * count
        case _:
            if count != len(partitions):
                message = f"a plan of {len(partitions)} partitions has as many: got {count}"
                raise InternalError(message)
            return partitions


def _checksum(stage: StageDefinition) -> RowsChecksum | None:
    """Returns how to look at rows that may have to be made again.

    Where the planner vouches for a stage a glance is enough, and what varies is not compared.
    """
    if stage.repeats is Repeats.NEVER:
        return None
    return partial(rows_checksum, thorough=stage.repeats is Repeats.UNKNOWN)


@contextmanager
def _unchanged(found: GatheredInputs) -> Iterator[None]:
    """Checks after the rows were read that inputs are still what was looked at before.

    An input that is not is the cause of whatever the engine found wrong with it.
    """
    try:
        yield
    except Exception:
        check_again(found.looks)
        raise
    check_again(found.looks)


def _report(output: StoredFile, found: GatheredInputs) -> TaskReport:
    for file in found.scratch:
        Path(file.path).unlink(missing_ok=True)
    return TaskReport(output, found.copies, found.bytes_local, found.bytes_remote)


def _task_error(failure: BaseException) -> TaskError:
    match failure:
        case InputError():
            return TaskError(failure.error, lost_task_id=failure.lost_task_id)
        case StuckError():
            cause = failure.__cause__ or failure
            return TaskError(error_from_engine(cause), engine_usable=False)
        case _:
            panicked = not isinstance(failure, Exception)
            return TaskError(error_from_engine(failure), engine_usable=not panicked)
