"""Decides whether a query is cut, and makes its stage graph."""

from dataclasses import replace
from functools import cache
from importlib.metadata import version
from typing import Final

import pyarrow as pa
from datafusion import DataFrame
from datafusion.plan import ExecutionPlan

from springald.engine import plan_view as pv
from springald.engine.failures import error_from_engine
from springald.engine.fragment import upload_of
from springald.engine.plan_view import PlanNode
from springald.engine.schemas import nullable
from springald.errors import PlanTooLargeError, SpringaldError, UnsupportedError
from springald.limits import FRAGMENT_DEPTH_MAX, MESSAGE_BYTES_MAX, PARTITIONS_MAX
from springald.results import plain_schema, with_result_schema
from springald.substitutes import readable_schema
from springald_scheduler.core.graph import (
    Exchange,
    ExchangeKind,
    Fragment,
    FragmentFormat,
    Operator,
    Stage,
    StageGraph,
)
from springald_scheduler.planning.adaptive import adapt
from springald_scheduler.planning.cutter import Cutter
from springald_scheduler.planning.drafts import StageDraft
from springald_scheduler.planning.engine_errors import engine_errors
from springald_scheduler.planning.explain import operators_of
from springald_scheduler.planning.fidelity import (
    keeps_options,
    loses_meaning,
    mend_series,
    runs_backwards,
    same_operators,
)
from springald_scheduler.planning.model import ClusterShape
from springald_scheduler.planning.repeatable import repeats_of
from springald_scheduler.planning.rules import improvements
from springald_scheduler.planning.scan_sizes import scanned_bytes
from springald_scheduler.planning.session import PlannerSession, table_kind
from springald_scheduler.planning.skipped_rows import check_skips, may_skip_too_much, mend_skips

FILE_STATISTICS_BYTES_MAX: Final = 256 * 1024
"""A fragment larger than this does without statistics of single files."""

_IN_MEMORY_TIMES: Final = 4
"""How many times as large as in their files rows are in memory, as a rule of thumb."""

_UNDISTRIBUTED: Final = "does not satisfy distribution requirements"
"""What the engine says of a plan of its own that it cannot run."""

_ROUNDS_MAX: Final = 16
"""How many times as many partitions as slots a query has at most, unless a session says so."""


def plan_query(session: PlannerSession, sql: str, shape: ClusterShape) -> StageGraph:
    """Returns a query as stages.

    Raises:
        SpringaldError: The query does not plan, or is too large.
    """
    key = session.plan_key(sql, shape)
    graph = session.plans.find(key) if key else None
    if graph is None:
        graph = _planned(session, sql, shape)
        if key:
            session.plans.keep(key, graph, session.scanned)
    return graph


def _planned(session: PlannerSession, sql: str, shape: ClusterShape) -> StageGraph:
    """Plans for one task first: a query that is small should cost one plan, and most are."""
    partitions = _partitions(session, shape)
    frame, plan = _physical_plan(session, sql, _partitions_of_one_task(session, shape))
    tree = _tree(session, frame, plan)
    if tree is None:
        return _whole_query(session, sql, frame, plan)
    reason = _reason_for_one_task(session, tree, shape)
    if reason is not None:
        return _uncut(session, sql, tree, frame, reason)
    if session.settings.target_partitions is None:
        partitions = min(PARTITIONS_MAX, partitions * _rounds(session, tree, shape))
    if session.partitions != partitions:
        frame, plan = _physical_plan(session, sql, partitions)
        tree = _tree(session, frame, plan)
        if tree is None:
            return _whole_query(session, sql, frame, plan)
    return _cut(session, sql, tree, frame)


def _physical_plan(
    session: PlannerSession, sql: str, partitions: int
) -> tuple[DataFrame, ExecutionPlan]:
    """Plans a query for a number of partitions.

    For one partition the engine forgets to bring the inputs of a union together where a window is
    partitioned by a constant, and refuses its own plan; for two it does not.
    """
    frame = session.query(sql, partitions)
    try:
        with engine_errors(sql):
            return frame, frame.execution_plan()
    except SpringaldError as error:
        if partitions > 1 or _UNDISTRIBUTED not in error.engine_message:
            raise
    return _physical_plan(session, sql, 2)


def query_schema(session: PlannerSession, sql: str) -> pa.Schema:
    """Returns the schema of a query's rows without running it.

    Raises:
        SpringaldError: The query does not plan.
    """
    frame, _ = _physical_plan(session, sql, 1)  # tells what has types and still cannot run
    with engine_errors(sql):
        named = _named(session, session.schema(frame))
        return readable_schema(named, session.settings.unsupported_types)


def is_about_the_session(plan_text: str) -> bool:
    """True for a plan that reads the session's own tables of tables, and no files."""
    return "StreamingTableExec" in plan_text and "DataSourceExec" not in plan_text


def _partitions(session: PlannerSession, shape: ClusterShape) -> int:
    fewest = 2 if session.settings.distribution == "always" else 1
    wanted = session.settings.target_partitions or max(fewest, shape.slots_total)
    return min(wanted, PARTITIONS_MAX)


def _rounds(session: PlannerSession, tree: PlanNode, shape: ClusterShape) -> int:
    """Returns in how many rounds the slots work, so that what a round reads fits their memory.

    A hash table cannot spill. With more partitions than slots, each is smaller.
    """
    if not shape.memory_bytes:
        return 1
    needed = scanned_bytes(tree, session.uploads) * _IN_MEMORY_TIMES
    return min(_ROUNDS_MAX, max(1, -(-needed * 2 // shape.memory_bytes)))


def _partitions_of_one_task(session: PlannerSession, shape: ClusterShape) -> int:
    partitions = _partitions(session, shape)
    if session.settings.target_partitions is not None or session.settings.distribution == "always":
        return partitions
    return min(partitions, max(shape.slots, default=partitions))


def _tree(session: PlannerSession, frame: DataFrame, plan: ExecutionPlan) -> PlanNode | None:
    """Returns the plan as a tree, or nothing if it does not survive being serialised."""
    text = plan.display_indent()
    if loses_meaning(text):
        return None
    try:
        data = plan.to_bytes(session.context)
        tree = pv.parse(data)
        if runs_backwards(tree) or _forgets_options(session, tree) or not mend_series(tree):
            return None
        if tree.depth() <= FRAGMENT_DEPTH_MAX:
            again = ExecutionPlan.from_bytes(session.context, data).display_indent()
            if not same_operators(text, again):
                return None
        if may_skip_too_much(text):
            mend_skips(tree, frame.optimized_logical_plan().display_indent())
    except Exception:  # noqa: BLE001 - the engine raises bare exceptions
        return None
    session.placeholders.mark(tree, session.uploads)
    return tree


def _forgets_options(session: PlannerSession, tree: PlanNode) -> bool:
    """True for a scan of a format of which the session has a table with options that get lost.

    A scan does not tell its table, so one such table is held against all of its format.
    """
    scanned = {node.kind.removesuffix("_scan") for node in tree.walk()}
    known = (*session.entries.values(), *session.bound.entries)
    entries = (entry for entry in known if entry.options)
    return any(
        table_kind(entry) in scanned and not keeps_options(table_kind(entry), entry.options)
        for entry in entries
    )


def _reason_for_one_task(
    session: PlannerSession, tree: PlanNode, shape: ClusterShape
) -> str | None:
    distribution = session.settings.distribution
    if distribution == "always":
        return None
    if distribution == "never":
        return "the session asks for one task"
    if len(shape.slots) == 1:
        return "there is one executor, which shares its work without files"
    scanned, limit = scanned_bytes(tree, session.uploads), session.settings.single_task_bytes_max
    if scanned <= limit:
        return f"the query scans {scanned} bytes, which is at most {limit}"
    return None


def _cut(session: PlannerSession, sql: str, tree: PlanNode, frame: DataFrame) -> StageGraph:
    streams = "ordering_mode=" in frame.execution_plan().display_indent()
    reason = ""
    for plan in improvements(session.settings, tree, session.partitions, session.uploads):
        cutter = Cutter(
            session.context,
            session.encoder,
            session.partitions,
            session.settings.cut_rules,
            may_forward=not streams,
        )
        try:
            drafts = cutter.cut(pv.parse(pv.serialize(plan.root)))
            _check_types(session, drafts[-1], frame)
            schemas = {draft.stage_id: draft.schema for draft in drafts}
            stages = tuple(
                replace(
                    _stage(session, draft),
                    adaptive=found.adaptive,
                    after=found.after,
                    repeats=repeats_of(draft, schemas),
                )
                for draft, found in zip(
                    drafts, adapt(drafts, session.settings.adaptive), strict=True
                )
            )
        except Exception as failure:  # noqa: BLE001 - whatever cannot be cut runs whole
            reason = error_from_engine(failure).message
            continue
        told = (*plan.decisions, *cutter.decisions)
        return _checked(StageGraph(stages, decisions=told, settings=_settings(session)))
    return _uncut(session, sql, tree, frame, f"the plan is not cut: {reason}")


def _check_types(session: PlannerSession, result: StageDraft, frame: DataFrame) -> None:
    """Refuses a plan whose rows got other types on the way, such as a literal of 16 bits.

    What the query says as it was written is asked first, because it costs nothing. It may not know
    the types of a union, which the optimizer settles.
    """
    rows = result.rows_schema
    if rows != nullable(frame.schema()) and rows != session.schema(frame):
        message = "a plan keeps the types of its query when it is written down"
        raise UnsupportedError(f"{message}: got {rows.types}")


def _uncut(
    session: PlannerSession, sql: str, tree: PlanNode, frame: DataFrame, reason: str
) -> StageGraph:
    for plan in improvements(session.settings, tree, session.partitions, session.uploads):
        cutter = Cutter(session.context, session.encoder, 1, session.settings.cut_rules)
        try:
            (draft,) = cutter.whole(plan.root)
            _check_types(session, draft, frame)
            stage = replace(_stage(session, draft), single_task_reason=reason)
        except Exception:  # noqa: BLE001, S112 - what does not decode is planned where it runs
            continue
        told = (f"one task: {reason}", *plan.decisions)
        return _checked(StageGraph((stage,), decisions=told, settings=_settings(session)))
    return _whole_query(session, sql, frame, frame.execution_plan(), reason)


def _whole_query(
    session: PlannerSession,
    sql: str,
    frame: DataFrame,
    plan: ExecutionPlan,
    reason: str = "the engine cannot write its plan down without a loss",
) -> StageGraph:
    schema = session.schema(frame)
    text = plan.display_indent()
    if may_skip_too_much(text):
        check_skips(text, frame.optimized_logical_plan().display_indent())
    if len(text) > MESSAGE_BYTES_MAX // 2:
        message = f"a plan's text has at most {MESSAGE_BYTES_MAX // 2} characters: got {len(text)}"
        raise PlanTooLargeError(f"{message}; compute large values from rows of a table")
    query = session.whole(sql)
    stage = Stage(
        stage_id=1,
        fragment=Fragment(FragmentFormat.SQL, b"", engine_version(), query),
        inputs=(),
        output=Exchange(ExchangeKind.RESULT, 1),
        partition_count=1,
        single_task_reason=reason,
        operators=operators_of(1, plan),
        schema=_result_schema(session, plain_schema(schema), schema),
        upload_ids=tuple(sorted(session.uploads)),
        inline_rows_bytes_max=session.settings.inline_rows_bytes_max,
    )
    return StageGraph((stage,), decisions=(f"one task: {reason}",), settings=_settings(session))


def _stage(session: PlannerSession, draft: StageDraft) -> Stage:
    payload = pv.serialize(draft.root)
    if len(payload) > FILE_STATISTICS_BYTES_MAX:
        pv.forget_file_statistics(draft.root)
        payload = pv.serialize(draft.root)
    plan = ExecutionPlan.from_bytes(session.context, payload)
    operators = operators_of(draft.stage_id, plan)
    output = draft.output
    if output.kind is ExchangeKind.HASH:
        output = replace(output, keys=_keys(operators))
    schema = draft.schema
    is_result = output.kind is ExchangeKind.RESULT
    return Stage(
        stage_id=draft.stage_id,
        fragment=Fragment(FragmentFormat.PHYSICAL_PLAN, payload, engine_version()),
        inputs=draft.inputs,
        output=output,
        partition_count=draft.partition_count,
        single_task_reason=draft.single_task_reason,
        operators=operators,
        schema=_result_schema(session, schema, draft.rows_schema) if is_result else _ipc(schema),
        upload_ids=_uploads_of(draft.root),
        decisions=tuple(draft.decisions),
        inline_rows_bytes_max=session.settings.inline_rows_bytes_max if is_result else 0,
    )


def _keys(operators: tuple[Operator, ...]) -> tuple[str, ...]:
    spread = next(o.detail for o in operators if o.name == "RepartitionExec")
    inside = spread.partition("Hash([")[2].rpartition("]")[0]
    return (inside,)


def _uploads_of(root: PlanNode) -> tuple[str, ...]:
    found = {
        marked[0]
        for scan in root.walk()
        if scan.kind == "arrow_scan"
        for group in pv.scan_conf(scan).file_groups
        for file in group.files
        if (marked := upload_of(file.path))
    }
    return tuple(sorted(found))


def _result_schema(session: PlannerSession, plain: pa.Schema, rows: pa.Schema) -> bytes:
    """Returns a file's schema that also tells which types the client wants back."""
    wanted = _named(session, readable_schema(rows, session.settings.unsupported_types))
    return _ipc(plain if plain.equals(wanted) else with_result_schema(plain, wanted))


def _named(session: PlannerSession, schema: pa.Schema) -> pa.Schema:
    """Returns a schema with the names that a statement wants and its text could not say."""
    names = session.bound.names
    if not names:
        return schema
    fields = [field.with_name(name) for field, name in zip(schema, names, strict=True)]
    return pa.schema(fields, schema.metadata)


def _ipc(schema: pa.Schema) -> bytes:
    return bytes(schema.serialize().to_pybytes())


def _settings(session: PlannerSession) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(session.settings.engine.items()))


def _checked(graph: StageGraph) -> StageGraph:
    for stage in graph.stages:
        size = len(stage.fragment.payload)
        if size > MESSAGE_BYTES_MAX // 2:
            message = f"a fragment has at most {MESSAGE_BYTES_MAX // 2} bytes: got {size}"
            raise PlanTooLargeError(f"{message}; read fewer files or shorten the query")
    return graph


@cache
def engine_version() -> str:
    """Returns the version of the engine that plans."""
    return version("datafusion")
