"""Where DataFrames come from: tables, files, rows in memory, functions that make rows."""

import itertools
import os
import weakref
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Final
from uuid import uuid4

import pyarrow as pa

from springald.checks import check_text
from springald.client_limits import INLINE_TABLE_BYTES_MAX
from springald.errors import InvalidArgumentError
from springald.expr.expr import to_value
from springald.expr.node import Node, Reference, rebuilt, relation
from springald.paths import absolute, option_text
from springald.plan.v1 import names_pb2, sources_pb2
from springald.plans.client_names import CLIENT_NAME_PREFIX
from springald.scheduler.v1 import scheduler_pb2 as pb
from springald.session import Session, new_operation_id, plan_of
from springald.sql_text import quote_name
from springald.transport import Transport
from springald.types import schema_to_proto
from springald.uploads import Tabular, bytes_expected, reader_of, upload

__all__ = [
    "OWN_TABLE_PREFIX",
    "files",
    "function_rows",
    "inline_rows",
    "kept_rows",
    "named_table",
    "rows_in_memory",
    "without_rows",
]

OWN_TABLE_PREFIX: Final = f"{CLIENT_NAME_PREFIX}rows_"
"""Names of tables that belong to DataFrames; `Connection.tables()` leaves them out."""

_ALIASES: Final = itertools.count(1)

FileOption = str | int | float | bool


def named_table(name: names_pb2.TableName) -> Node:
    """The rows of a table or view."""
    return relation("read_named_table", sources_pb2.ReadNamedTableRelation(name=name))


def function_rows(name: str, arguments: Iterable[Any]) -> Node:
    """The rows of a table function."""
    given = Reference(("argument_ids",), tuple(to_value(each).node for each in arguments))
    message = sources_pb2.TableFunctionRelation(function_name=name)
    return relation("table_function", message, (), given)


def inline_rows(rows: pa.Table, alias: str | None = None) -> Node:
    """Rows that are written into the plan."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, rows.schema) as writer:
        writer.write_table(rows)
    stream = sink.getvalue().to_pybytes()
    return relation(
        "inline_table", sources_pb2.InlineTableRelation(arrow_stream=stream, alias=alias)
    )


def rows_in_memory(session: Session, rows: Tabular) -> Node:
    """Rows of the caller: few are written into the plan, others are sent to the cluster now."""
    session.check_open()
    if not isinstance(rows, pa.RecordBatchReader) and bytes_expected(rows) > INLINE_TABLE_BYTES_MAX:
        return kept_rows(session, rows)
    reader = reader_of(rows)
    batches: list[pa.RecordBatch] = []
    size = 0
    for batch in reader:
        batches.append(batch)
        size += batch.nbytes
        if size > INLINE_TABLE_BYTES_MAX:
            everything = _resumed(reader, batches)
            return kept_rows(session, everything)
    table = pa.Table.from_batches(batches, schema=reader.schema)
    return inline_rows(table, alias=_own_alias())


def kept_rows(session: Session, rows: Tabular) -> Node:
    """Rows that are sent to the cluster, and stay there as long as the node is in use."""
    name = _own_name()
    upload(session, name, rows)
    message = sources_pb2.ReadNamedTableRelation(
        name=names_pb2.TableName(table=name), alias=_own_alias()
    )
    return replace(relation("read_named_table", message), holder=_OwnTable(session, name))


def without_rows(session: Session, root: Node) -> Node:
    """Returns a relation in which rows of the plan have become tables, as a view needs it."""

    def change(node: Node) -> Node:
        if node.kind != "inline_table":
            return node
        with pa.ipc.open_stream(node.message.arrow_stream) as reader:
            kept = kept_rows(session, reader)
        message = sources_pb2.ReadNamedTableRelation()
        message.CopyFrom(kept.message)
        if node.message.alias:
            message.alias = node.message.alias
        return kept.with_message(message)

    return rebuilt(root, change)


def files(
    file_format: str,
    path: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    options: Mapping[str, FileOption],
    *,
    schema: pa.Schema | None = None,
    partition_columns: Sequence[str] = (),
    **fields: object,
) -> Node:
    """The rows of files.

    Args:
        file_format: `parquet`, `csv`, `json` or `arrow`.
        path: A file, a folder or a pattern, as the cluster sees it.
        options: Options of the format by the engine's names.
        schema: The columns; None means what the files say.
        partition_columns: Columns that stand in the names of folders.
        **fields: Fields of the format's message; None leaves one out.
    """
    if not isinstance(path, str | os.PathLike):
        raise InvalidArgumentError(
            f"a path is one file, folder or pattern: got a {type(path).__name__}; read each by "
            "itself and put them together with union()"
        )
    message = sources_pb2.FileSet(
        path=check_text(absolute(path), "a path"),
        schema=None if schema is None else schema_to_proto(schema),
        partition_columns=partition_columns,
        options=[
            sources_pb2.FileOption(name=name, value=check_text(option_text(value), name))
            for name, value in options.items()
        ],
    )
    chosen = getattr(message, file_format)
    chosen.SetInParent()
    for name, value in fields.items():
        if value is not None:
            setattr(chosen, name, value)
    return relation("read_files", sources_pb2.ReadFilesRelation(files=message))


class _OwnTable:
    """A table of the session that nobody but a DataFrame knows; it goes with the last one."""

    def __init__(self, session: Session, name: str) -> None:
        self.name = name
        # Nothing here may keep the session alive: one that is dropped is closed.
        weakref.finalize(self, _drop_later, weakref.ref(session), name).atexit = False


def _drop_later(session_ref: weakref.ref[Session], name: str) -> None:
    session = session_ref()
    if session is not None and session.is_open:
        session.later(partial(_drop, session.transport, session.id, name))


def _drop(transport: Transport, session_id: str, name: str) -> None:
    request = pb.ExecuteRequest(
        session_id=session_id,
        operation_id=new_operation_id(),
        plan=plan_of(f"DROP TABLE IF EXISTS {quote_name(name)}"),
    )
    for _ in transport.execute(request):
        pass


def _own_alias() -> str:
    """A qualifier that tells the columns of one DataFrame from those of others, and is short."""
    return f"{CLIENT_NAME_PREFIX}{next(_ALIASES)}"


def _own_name() -> str:
    return f"{OWN_TABLE_PREFIX}{uuid4().hex}"


def _resumed(reader: pa.RecordBatchReader, read: list[pa.RecordBatch]) -> pa.RecordBatchReader:
    def batches() -> Iterable[pa.RecordBatch]:
        yield from read
        yield from reader

    return pa.RecordBatchReader.from_batches(reader.schema, batches())
