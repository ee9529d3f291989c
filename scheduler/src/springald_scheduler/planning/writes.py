"""Statements that write files: the stages of their query, one that writes, one that commits.

The query is planned as any other. How its rows become files is planned by the engine over a table
without rows in their place. If many files are wanted, the query's last stage writes them itself;
one file is written by one task. What comes of tasks that are run again is told in ADR 0023.
"""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Final

import pyarrow as pa
from datafusion.plan import ExecutionPlan

from springald.engine import plan_view as pv
from springald.engine import sinks
from springald.engine.catalog import AllowedPaths, local_path
from springald.engine.fragment import exchange_path
from springald.engine.plan_view import SINK_KINDS, PlanNode
from springald.engine.schemas import arrow_leaf
from springald.engine.sinks import COUNT, WRITTEN
from springald.errors import InvalidArgumentError, UnsupportedError
from springald.limits import FRAGMENT_DEPTH_MAX
from springald_scheduler.core.graph import (
    Exchange,
    ExchangeKind,
    FileTarget,
    Fragment,
    FragmentFormat,
    Repeats,
    Stage,
    StageGraph,
    StageInput,
)
from springald_scheduler.planning.cutter import renamed
from springald_scheduler.planning.distribution import (
    engine_version,
    is_about_the_session,
    plan_query,
)
from springald_scheduler.planning.engine_errors import engine_errors
from springald_scheduler.planning.explain import operators_of
from springald_scheduler.planning.fidelity import lost_when_written
from springald_scheduler.planning.model import ClusterShape
from springald_scheduler.planning.session import PlannerSession, table_kind
from springald_scheduler.planning.statements import parse_external_table
from springald_scheduler.planning.words import keywords, words
from springald_scheduler.planning.write_statements import ROWS, WriteStatement

_WRITE_ID_BYTES: Final = 8
_ONE: Final = Exchange(ExchangeKind.SINGLE, 1)
_PATTERN: Final = frozenset("*?[")


def plan_write(
    session: PlannerSession, allowed: AllowedPaths, statement: WriteStatement, shape: ClusterShape
) -> StageGraph:
    """Returns a statement that writes as stages; the last one answers with the number of rows.

    Raises:
        SpringaldError: The statement does not plan, or writes where it may not.
    """
    graph = plan_query(session, statement.query, shape)
    last = graph.stages[-1]
    if is_about_the_session("\n".join(operator.name for operator in last.operators)):
        message = "rows that are written come from tables or values: got tables of the session's"
        raise UnsupportedError(f"{message} own; fetch them instead")
    template = _template(session, statement, _rows_schema(last))
    target = _target(session, allowed, statement, template)
    *others, writer = _writing(session, last, template, target)
    commit = _that_commits(session, writer, target)
    return replace(graph, stages=(*graph.stages[:-1], *others, writer, commit))


def _template(session: PlannerSession, statement: WriteStatement, rows: pa.Schema) -> PlanNode:
    """Has the engine plan a statement over a table with these columns and without rows.

    A sink is the root of the plan, unless the engine cannot write it down.
    """
    if statement.table:
        _check_table(session, statement.table)
    else:
        _check_names(rows)
    context = session.context
    with engine_errors(statement.template) as sql, _rows_table(session, _distinct(rows)):
        plan = context.sql(sql).execution_plan()
        text = plan.display_indent()
        if "ArrowFileSink" not in text:
            root = pv.parse(plan.to_bytes(context))
            _check_options(session, statement, root.kind.removesuffix("_sink"))
            return sinks.marked(_stored(session, statement, root))
        _check_options(session, statement, "arrow")
        if "PARTITIONED" in keywords(words(statement.template)):
            message = "values become folders in Parquet, CSV and JSON: got Arrow"
            raise UnsupportedError(f"{message}; choose another format")
        (child,) = plan.children()
        return _stored(session, statement, pv.parse(child.to_bytes(context)))


def _stored(session: PlannerSession, statement: WriteStatement, template: PlanNode) -> PlanNode:
    """Returns a template that writes types as a table's other files have them."""
    if not statement.table:
        return template
    return sinks.with_stored_types(template, session.columns(statement.table), session.encoder)


def _check_options(session: PlannerSession, statement: WriteStatement, file_format: str) -> None:
    """Refuses options that would not reach those who write."""
    options = statement.options
    if statement.table:
        entry = session.entries[statement.table]
        options = entry.options
        if entry.statement:
            options = parse_external_table(entry.statement).options
    if lost := lost_when_written(file_format, options):
        message = "options of files reach those who write them: got one that the engine forgets"
        raise UnsupportedError(f"{message}, {', '.join(lost)}; leave it out")


def _check_table(session: PlannerSession, name: str) -> None:
    entry = session.entries.get(name)
    if entry is None or entry.path:
        return  # the engine knows what to say
    what = "a view" if table_kind(entry) == "view" else "rows that were uploaded"
    message = f"rows are inserted into files: got {name}, which is {what}"
    raise UnsupportedError(f"{message}; write files with COPY, and make a table of them")


def _check_names(rows: pa.Schema) -> None:
    repeated = sorted({name for name in rows.names if rows.names.count(name) > 1})
    if repeated:
        message = f"columns of a file differ in name: got {', '.join(repeated)} repeatedly"
        raise UnsupportedError(f"{message}; give one an alias")


def _distinct(rows: pa.Schema) -> pa.Schema:
    """Returns columns that differ in name, as those of a table have to."""
    if len(set(rows.names)) == len(rows):
        return rows
    return pa.schema([field.with_name(str(number)) for number, field in enumerate(rows)])


def _named(root: PlanNode, rows: pa.Schema) -> PlanNode:
    """Returns a plan whose columns have the names that the template knows."""
    names = _distinct(rows).names
    return root if names == rows.names else renamed(root, rows.names, names)


@contextmanager
def _rows_table(session: PlannerSession, rows: pa.Schema) -> Iterator[None]:
    empty = pa.RecordBatch.from_pylist([], schema=rows)
    session.context.register_record_batches(ROWS, [[empty]])
    try:
        yield
    finally:
        session.context.deregister_table(ROWS)


def _target(
    session: PlannerSession, allowed: AllowedPaths, statement: WriteStatement, template: PlanNode
) -> FileTarget:
    """Returns where files go.

    As for the engine, a name with an extension is one file, unless a folder has it.

    Raises:
        PathNotAllowedError: The cluster may not write there.
        InvalidArgumentError: There is a file where a folder is wanted.
        UnsupportedError: It is a pattern.
    """
    location = statement.location or session.entries[statement.table].path
    if not _PATTERN.isdisjoint(location):
        message = f"files are written to a path: got the pattern {location!r}"
        raise UnsupportedError(f"{message}; name a file or a folder")
    path = local_path(location)
    folder, name = os.path.split(path)
    is_folder = (
        not os.path.splitext(name)[1]  # noqa: PTH122
        or os.path.isdir(path)  # noqa: PTH112
        or (template.kind in SINK_KINDS and sinks.is_partitioned(template))
    )
    if is_folder:
        folder, name = path.rstrip("/"), ""
    if is_folder and os.path.isfile(folder):  # noqa: PTH113
        message = f"a folder is written to: got the file {folder}"
        raise InvalidArgumentError(f"{message}; remove it, or name another folder")
    allowed.check(folder)
    return FileTarget(folder, name, secrets.token_hex(_WRITE_ID_BYTES))


def _writing(
    session: PlannerSession, last: Stage, template: PlanNode, target: FileTarget
) -> tuple[Stage, ...]:
    """Returns the stage that writes, after the query's last stage if that is another one."""
    rows = _rows_schema(last)
    if last.fragment.query is None and (not target.file_name or last.partition_count == 1):
        root = sinks.with_rows(template, _named(pv.parse(last.fragment.payload), rows))
        if root.depth() <= FRAGMENT_DEPTH_MAX:
            # One file is wanted even of no rows. Offers are for the stages of a query.
            emptied_by = () if target.file_name else last.adaptive.emptied_by
            adaptive = replace(last.adaptive, offers=(), emptied_by=emptied_by)
            return (_that_writes(session, replace(last, adaptive=adaptive), root, target),)
    producer = replace(last, output=_ONE, schema=_ipc(rows), inline_rows_bytes_max=0)
    reader, leaf = _reader(session, producer, rows)
    writer = replace(reader, single_task_reason="one task writes what others have computed")
    return producer, _that_writes(
        session, writer, sinks.with_rows(template, _named(leaf, rows)), target
    )


def _that_writes(
    session: PlannerSession, stage: Stage, root: PlanNode, target: FileTarget
) -> Stage:
    return replace(
        _with_plan(session, stage, root),
        output=_ONE,
        schema=_ipc(WRITTEN),
        after=(),
        inline_rows_bytes_max=0,
        repeats=Repeats.NEVER,  # the files of another attempt have other names
        writes_files=target,
    )


def _that_commits(session: PlannerSession, writer: Stage, target: FileTarget) -> Stage:
    stage, leaf = _reader(session, writer, WRITTEN)
    return replace(
        _with_plan(session, stage, leaf),
        output=Exchange(ExchangeKind.RESULT, 1),
        single_task_reason="the files of a statement appear when all of them are there",
        schema=_ipc(COUNT),
        inline_rows_bytes_max=session.settings.inline_rows_bytes_max,
        commits_files=target,
    )


def _reader(session: PlannerSession, producer: Stage, rows: pa.Schema) -> tuple[Stage, PlanNode]:
    """Returns a stage of one partition that reads another one's rows, and its leaf."""
    stage = Stage(
        stage_id=producer.stage_id + 1,
        fragment=producer.fragment,
        inputs=(StageInput(producer.stage_id, ExchangeKind.SINGLE, 1),),
        output=_ONE,
        partition_count=1,
    )
    return stage, arrow_leaf(session.encoder.encode(rows), [[exchange_path(0, 0)]])


def _with_plan(session: PlannerSession, stage: Stage, root: PlanNode) -> Stage:
    payload = pv.serialize(root)
    plan = ExecutionPlan.from_bytes(session.context, payload)
    fragment = Fragment(FragmentFormat.PHYSICAL_PLAN, payload, engine_version())
    return replace(stage, fragment=fragment, operators=operators_of(stage.stage_id, plan))


def _rows_schema(stage: Stage) -> pa.Schema:
    """Returns the columns of a stage's rows as they lie in a file."""
    return pa.ipc.read_schema(pa.py_buffer(stage.schema)).remove_metadata()


def _ipc(schema: pa.Schema) -> bytes:
    return bytes(schema.serialize().to_pybytes())
