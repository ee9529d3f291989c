"""What must hold of a relation by itself: how many inputs it has, and what its fields say."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any, Final

from springald.limits import CUBE_EXPRESSIONS_MAX
from springald.plan.v1 import commands_pb2, plan_pb2, relations_pb2, sources_pb2
from springald.plans.fields import between, enum_problem, missing, twice

INPUTS: Final[dict[str, tuple[int, int | None]]] = {
    **dict.fromkeys(
        (
            "read_named_table", "values", "read_files", "inline_table", "sql", "series",
            "table_function", "read_cte", "create_external_table", "drop", "set_setting",
            "reset_setting", "show", "describe",
        ),
        (0, 0),
    ),
    **dict.fromkeys(
        (
            "projection", "filter", "aggregate", "sort", "fetch", "distinct", "window", "unnest",
            "subquery_alias", "sample", "repartition", "with_columns", "drop_columns",
            "rename_columns", "explain", "create_view", "create_table_as", "copy_to", "insert",
        ),
        (1, 1),
    ),
    "join": (2, 2),
    "set_operation": (2, None),
    "with_names": (2, None),
    "recursive": (2, 2),
}  # fmt: skip
"""The fewest and the most inputs of each kind; None is as many as there are."""

COMMANDS: Final = frozenset({
    "explain", "create_external_table", "create_view", "create_table_as", "drop", "copy_to",
    "insert", "set_setting", "reset_setting", "show", "describe",
})  # fmt: skip
"""Kinds that stand at the root only."""

_ONE_SIDED: Final = frozenset({
    relations_pb2.JOIN_TYPE_LEFT_SEMI, relations_pb2.JOIN_TYPE_RIGHT_SEMI,
    relations_pb2.JOIN_TYPE_LEFT_ANTI, relations_pb2.JOIN_TYPE_RIGHT_ANTI,
    relations_pb2.JOIN_TYPE_LEFT_MARK, relations_pb2.JOIN_TYPE_RIGHT_MARK,
})  # fmt: skip
_LATERAL: Final = frozenset({relations_pb2.JOIN_TYPE_INNER, relations_pb2.JOIN_TYPE_LEFT})
_UNIONS: Final = frozenset({
    relations_pb2.SET_OPERATION_TYPE_UNION_ALL, relations_pb2.SET_OPERATION_TYPE_UNION_DISTINCT,
})  # fmt: skip


def relation_problems(relation: plan_pb2.Relation) -> Iterator[str]:
    """Says what is wrong with a relation by itself."""
    kind = relation.WhichOneof("kind")
    if kind is None:
        yield "a relation has a kind that this version knows: got none; send an older plan"
        return
    inputs = len(relation.common.input_ids)
    fewest, most = INPUTS[kind]
    if inputs < fewest or (most is not None and inputs > most):
        yield f"{kind} has {between(fewest, most, 'input')}: got {inputs}"
    rule = _RULES.get(kind)
    if rule:
        yield from rule(getattr(relation, kind), inputs)


Rule = Callable[[Any, int], Iterator[str]]


def _named_table(body: Any, _: int) -> Iterator[str]:  # noqa: ANN401 - the body of a kind
    yield from _table(body.name)


def _table(name: Any) -> Iterator[str]:  # noqa: ANN401
    if not name.table:
        yield missing("name.table")


def _values(body: sources_pb2.ValuesRelation, _: int) -> Iterator[str]:
    width = len(body.schema.fields)
    for number, row in enumerate(body.rows):
        if len(row.expression_ids) != width:
            yield (
                f"a row has one expression a column, {width}: got {len(row.expression_ids)} in "
                f"row {number}"
            )


def file_problems(files: sources_pb2.FileSet) -> Iterator[str]:
    """Says what is wrong with a set of files."""
    if not files.path:
        yield missing("files.path")
    form = files.WhichOneof("format")
    if form is None:
        yield missing("files.format")
    elif form in {"csv", "json"}:
        yield from enum_problem(
            sources_pb2.Compression, getattr(files, form).compression, "compression", required=False
        )
    if form == "csv":
        for name in ("delimiter", "quote", "escape", "comment"):
            value = getattr(files.csv, name)
            if files.csv.HasField(name) and (len(value) != 1 or not value.isascii()):
                yield f"{name} is one ASCII character: got {value[:20]!r}"
    yield from twice("partition_columns", files.partition_columns)


def _files(body: Any, _: int) -> Iterator[str]:  # noqa: ANN401
    yield from file_problems(body.files)


def _inline(body: sources_pb2.InlineTableRelation, _: int) -> Iterator[str]:
    if not body.arrow_stream:
        yield missing("arrow_stream")


def _sql(body: sources_pb2.SqlRelation, _: int) -> Iterator[str]:
    if not body.query.strip():
        yield missing("query")


def _table_function(body: sources_pb2.TableFunctionRelation, _: int) -> Iterator[str]:
    if not body.function_name:
        yield missing("function_name")


def _name(body: Any, _: int) -> Iterator[str]:  # noqa: ANN401
    if not body.name:
        yield missing("name")


def _aggregate(body: relations_pb2.AggregateRelation, _: int) -> Iterator[str]:
    modes = relations_pb2
    width = len(body.grouping_ids)
    yield from enum_problem(modes.GroupingMode, body.grouping_mode, "grouping_mode", required=False)
    if body.grouping_mode == modes.GROUPING_MODE_SETS:
        if not body.grouping_sets:
            yield "GROUPING_MODE_SETS has at least one grouping set: got none"
    elif body.grouping_sets:
        yield "grouping_sets go with GROUPING_MODE_SETS only: got some with another mode"
    if body.grouping_mode == modes.GROUPING_MODE_CUBE and width > CUBE_EXPRESSIONS_MAX:
        yield f"a cube has at most {CUBE_EXPRESSIONS_MAX} grouping expressions: got {width}"
    for number, grouping in enumerate(body.grouping_sets):
        positions = grouping.positions
        if any(position >= width for position in positions):
            yield f"grouping sets name one of {width} grouping expressions: set {number} does not"
        if len(set(positions)) != len(positions):
            yield f"a grouping set names each expression once: set {number} does not"


def _sort(body: relations_pb2.SortRelation, _: int) -> Iterator[str]:
    if not body.sort_key_ids:
        yield "a sort has at least one key: got none"


def _distinct(body: relations_pb2.DistinctRelation, _: int) -> Iterator[str]:
    if body.sort_key_ids and not body.on_ids:
        yield "sort_key_ids go with on_ids only: got them alone"


def _window(body: relations_pb2.WindowRelation, _: int) -> Iterator[str]:
    if not body.window_ids:
        yield "window has at least one window function: got none"


def _unnest(body: relations_pb2.UnnestRelation, _: int) -> Iterator[str]:
    if not body.columns:
        yield "unnest names at least one column: got none"
    yield from _columns([each.column for each in body.columns])


def _columns(names: Iterable[Any]) -> Iterator[str]:
    if any(not name.name for name in names):
        yield missing("column.name")


def _drop_columns(body: relations_pb2.DropColumnsRelation, _: int) -> Iterator[str]:
    yield from _columns(body.columns)


def _rename(body: relations_pb2.RenameColumnsRelation, _: int) -> Iterator[str]:
    yield from _columns([each.column for each in body.renamings])


def _sample(body: relations_pb2.SampleRelation, _: int) -> Iterator[str]:
    if not 0 <= body.fraction <= 1:
        yield f"fraction is from 0 to 1: got {body.fraction}"


def _join(body: relations_pb2.JoinRelation, _: int) -> Iterator[str]:
    yield from enum_problem(relations_pb2.JoinType, body.type, "type")
    yield from enum_problem(
        relations_pb2.NullEquality, body.null_equality, "null_equality", required=False
    )
    if body.is_lateral and body.type not in _LATERAL:
        yield "a lateral join is INNER or LEFT: got another type"
    if body.merges_keys and not body.keys and body.type not in _ONE_SIDED:
        yield "merges_keys goes with keys: got none"


def _set_operation(body: relations_pb2.SetOperationRelation, _: int) -> Iterator[str]:
    yield from enum_problem(relations_pb2.SetOperationType, body.type, "type")
    if body.by_name and body.type not in _UNIONS:
        yield "by_name goes with unions only: got another set operation"


def _with(body: relations_pb2.WithRelation, inputs: int) -> Iterator[str]:
    if len(body.names) + 1 != inputs:
        yield f"a with has one input more than names, {len(body.names) + 1}: got {inputs}"
    if not all(body.names):
        yield missing("names")
    yield from twice("names", body.names)


def _create(body: Any, _: int) -> Iterator[str]:  # noqa: ANN401
    yield from _table(body.name)
    yield from enum_problem(commands_pb2.CreateMode, body.mode, "mode", required=False)


def _create_external_table(body: Any, inputs: int) -> Iterator[str]:  # noqa: ANN401
    yield from _create(body, inputs)
    yield from file_problems(body.files)


def _drop(body: commands_pb2.DropCommand, _: int) -> Iterator[str]:
    yield from _table(body.name)
    yield from enum_problem(commands_pb2.TableKind, body.kind, "kind")


def _copy(body: commands_pb2.CopyToCommand, _: int) -> Iterator[str]:
    yield from file_problems(body.files)
    if body.files.HasField("schema"):
        yield "the files of copy_to have no schema of their own: got one"


def _insert(body: commands_pb2.InsertCommand, _: int) -> Iterator[str]:
    yield from _table(body.name)
    yield from enum_problem(commands_pb2.InsertMode, body.mode, "mode", required=False)
    yield from twice("column_names", body.column_names)


def _show(body: commands_pb2.ShowCommand, _: int) -> Iterator[str]:
    yield from enum_problem(commands_pb2.ShowKind, body.kind, "kind")
    if (body.kind == commands_pb2.SHOW_KIND_SETTING) != bool(body.setting):
        yield "setting goes with SHOW_KIND_SETTING, and with no other kind"
    if (body.kind == commands_pb2.SHOW_KIND_COLUMNS) != bool(body.table.table):
        yield "table goes with SHOW_KIND_COLUMNS, and with no other kind"


_RULES: Final[dict[str, Rule]] = {
    "read_named_table": _named_table,
    "values": _values,
    "read_files": _files,
    "inline_table": _inline,
    "sql": _sql,
    "table_function": _table_function,
    "read_cte": _name,
    "aggregate": _aggregate,
    "sort": _sort,
    "distinct": _distinct,
    "window": _window,
    "unnest": _unnest,
    "subquery_alias": _name,
    "sample": _sample,
    "drop_columns": _drop_columns,
    "rename_columns": _rename,
    "join": _join,
    "set_operation": _set_operation,
    "with_names": _with,
    "recursive": _name,
    "create_external_table": _create_external_table,
    "create_view": _create,
    "create_table_as": _create,
    "drop": _drop,
    "copy_to": _copy,
    "insert": _insert,
    "set_setting": _name,
    "reset_setting": _name,
    "show": _show,
    "describe": _named_table,
}
