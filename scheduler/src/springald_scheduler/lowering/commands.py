"""Commands as the statements that they are."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Final, Protocol

from springald.errors import UnsupportedError
from springald.plan.v1 import commands_pb2, plan_pb2
from springald.plans.relation_rules import COMMANDS
from springald_scheduler.lowering.lowering import Lowering
from springald_scheduler.lowering.model import Lowered
from springald_scheduler.lowering.sources import copy_text, external_table_text, table_text
from springald_scheduler.lowering.text import quoted, string

__all__ = ["COMMANDS", "lower_command"]

_SHOWN: Final = {
    commands_pb2.SHOW_KIND_ALL_SETTINGS: "SHOW ALL",
    commands_pb2.SHOW_KIND_TABLES: "SHOW TABLES",
    commands_pb2.SHOW_KIND_FUNCTIONS: "SHOW FUNCTIONS",
}
_INSERTS: Final = {
    commands_pb2.INSERT_MODE_OVERWRITE: "INSERT OVERWRITE",
    commands_pb2.INSERT_MODE_REPLACE: "REPLACE INTO",
}


class QueryOf(Protocol):
    """Lowers the query of a command."""

    def __call__(
        self, lowering: Lowering, relation_id: int, names: tuple[str, ...] | None = None
    ) -> Lowered:
        """Returns a relation as a query."""
        ...


def lower_command(lowering: Lowering, root: plan_pb2.Relation, query_of: QueryOf) -> Lowered:
    """Returns a command as a statement.

    Raises:
        SpringaldError: Its query cannot be lowered, or it asks for what SQL does not say.
    """
    kind = root.WhichOneof("kind") or ""
    body = getattr(root, kind)
    if not root.common.input_ids:
        return Lowered(_STATEMENTS[kind](body))
    names = tuple(body.column_names) if kind == "create_view" and body.column_names else None
    query = query_of(lowering, root.common.input_ids[0], names)
    if query.names:
        message = "the columns of what is made, written or explained differ in name"
        if kind != "explain":
            raise UnsupportedError(f"{message}: got {query.names}; give one an alias")
    if kind == "create_view" and (query.parameters or query.tables):
        message = "a view stands on tables of the session and on plain literals"
        raise UnsupportedError(
            f"{message}: got parameters, nested literals, files or rows of the plan; "
            "register the rows or files as a table"
        )
    return replace(query, sql=_QUERIES[kind](body, query.sql), steps=())


def _explain(body: commands_pb2.ExplainCommand, query: str) -> str:
    words = ["EXPLAIN", *(["ANALYZE"] if body.is_analyze else [])]
    return " ".join([*words, *(["VERBOSE"] if body.is_verbose else []), query])


def _create_words(mode: commands_pb2.CreateMode.ValueType) -> tuple[str, str]:
    before = "OR REPLACE " if mode == commands_pb2.CREATE_MODE_REPLACE else ""
    behind = "IF NOT EXISTS " if mode == commands_pb2.CREATE_MODE_IF_NOT_EXISTS else ""
    return before, behind


def _create_view(body: commands_pb2.CreateViewCommand, query: str) -> str:
    before, behind = _create_words(body.mode)
    return f"CREATE {before}VIEW {behind}{table_text(body.name)} AS {query}"


def _create_table_as(body: commands_pb2.CreateTableAsCommand, query: str) -> str:
    before, behind = _create_words(body.mode)
    return f"CREATE {before}TABLE {behind}{table_text(body.name)} AS {query}"


def _copy_to(body: commands_pb2.CopyToCommand, query: str) -> str:
    return copy_text(body.files, query)


def _insert(body: commands_pb2.InsertCommand, query: str) -> str:
    columns = ", ".join(quoted(name) for name in body.column_names)
    start = _INSERTS.get(body.mode, "INSERT INTO")
    return f"{start} {table_text(body.name)}{f' ({columns})' if columns else ''} {query}"


def _create_external_table(body: commands_pb2.CreateExternalTableCommand) -> str:
    return external_table_text(table_text(body.name), body.files, _create_words(body.mode))


def _drop(body: commands_pb2.DropCommand) -> str:
    what = "VIEW" if body.kind == commands_pb2.TABLE_KIND_VIEW else "TABLE"
    return f"DROP {what} {'IF EXISTS ' if body.if_exists else ''}{table_text(body.name)}"


def _show(body: commands_pb2.ShowCommand) -> str:
    if body.kind == commands_pb2.SHOW_KIND_SETTING:
        return f"SHOW {_setting(body.setting)}"
    if body.kind == commands_pb2.SHOW_KIND_COLUMNS:
        return f"SHOW COLUMNS FROM {table_text(body.table)}"
    return _SHOWN[body.kind]


def _setting(name: str) -> str:
    """Returns a setting's name, each part of which is taken as it is."""
    return ".".join(quoted(part) for part in name.split("."))


_STATEMENTS: Final[dict[str, Callable[[Any], str]]] = {
    "create_external_table": _create_external_table,
    "drop": _drop,
    "set_setting": lambda body: f"SET {_setting(body.name)} = {string(body.value)}",
    "reset_setting": lambda body: f"RESET {_setting(body.name)}",
    "show": _show,
    "describe": lambda body: f"DESCRIBE {table_text(body.name)}",
}
_QUERIES: Final[dict[str, Callable[[Any, str], str]]] = {
    "explain": _explain,
    "create_view": _create_view,
    "create_table_as": _create_table_as,
    "copy_to": _copy_to,
    "insert": _insert,
}
