"""Relations without inputs as SQL."""

import re
from dataclasses import replace
from typing import Final

import pyarrow as pa

from springald.errors import (
    InvalidArgumentError,
    InvalidQueryError,
    UnknownTableError,
    UnsupportedError,
)
from springald.plan.v1 import names_pb2, plan_pb2, sources_pb2
from springald.sql_text import is_nestable
from springald.types import schema_from_proto
from springald_scheduler.lowering.arrow_types import sql_text
from springald_scheduler.lowering.expressions import lower_all
from springald_scheduler.lowering.literals import cast_to, scalar_of
from springald_scheduler.lowering.lowering import Lowering, unique_names
from springald_scheduler.lowering.model import (
    Block,
    Column,
    PrivateTable,
    Surroundings,
    scope_of,
)
from springald_scheduler.lowering.relations import node_of, rule
from springald_scheduler.lowering.steps import Step
from springald_scheduler.lowering.text import Piece, dotted, quoted, string

_WORD: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PLAIN_NAME: Final = re.compile(r"[a-z_][a-z0-9_]*")
_COMPRESSIONS: Final = {
    sources_pb2.COMPRESSION_GZIP: "gzip",
    sources_pb2.COMPRESSION_BZIP2: "bzip2",
    sources_pb2.COMPRESSION_XZ: "xz",
    sources_pb2.COMPRESSION_ZSTD: "zstd",
}
_CSV_CHARACTERS: Final = ("delimiter", "quote", "escape", "comment")


def table_text(name: names_pb2.TableName) -> str:
    """Returns a table's name in SQL."""
    parts = [name.table]
    if name.HasField("schema"):
        parts.insert(0, name.schema)
    if name.HasField("catalog"):
        if not name.HasField("schema"):
            message = f"a table name with a catalog has a schema: got {name.catalog!r} alone"
            raise InvalidArgumentError(message)
        parts.insert(0, name.catalog)
    return dotted(*parts)


def _block(node: str, source: str, alias: str, schema: pa.Schema, qualifier: str | None) -> Block:
    return Block(
        node,
        f"{source} AS {quoted(alias)}",
        tuple(Column(name, dotted(alias, name), qualifier) for name in schema.names),
    )


@rule("read_named_table")
def _read_named_table(lowering: Lowering, relation: plan_pb2.Relation, _: Surroundings) -> Block:
    read = relation.read_named_table
    name = table_text(read.name)
    qualifier = read.alias if read.HasField("alias") else read.name.table
    schema = lowering.catalog.table(name)
    return _block(node_of(relation), name, lowering.new_name(), schema, qualifier)


@rule("read_files")
def _read_files(lowering: Lowering, relation: plan_pb2.Relation, _: Surroundings) -> Block:
    read = relation.read_files
    name = lowering.new_name()
    table = PrivateTable(
        name,
        statement=external_table_text(quoted(name), read.files),
        path=read.files.path,
        format=read.files.WhichOneof("format") or "",
        options=format_options(read.files),
    )
    schema = lowering.catalog.add(table)
    lowering.tables.append(table)
    alias = read.alias if read.HasField("alias") else None
    return _block(node_of(relation), quoted(name), name, schema, alias)


@rule("inline_table")
def _inline_table(lowering: Lowering, relation: plan_pb2.Relation, _: Surroundings) -> Block:
    inline = relation.inline_table
    name = lowering.new_name()
    shown, table = _with_unique_names(PrivateTable(name, arrow_stream=inline.arrow_stream))
    names = lowering.catalog.add(table).names
    lowering.tables.append(table)
    alias = inline.alias if inline.HasField("alias") else None
    return Block(
        node_of(relation),
        f"{quoted(name)} AS {quoted(name)}",
        tuple(
            Column(shown, dotted(name, written), alias)
            for shown, written in zip(shown or names, names, strict=True)
        ),
    )


def _with_unique_names(table: PrivateTable) -> tuple[list[str], PrivateTable]:
    """Returns the names of a table's columns, and it with names that the engine tells apart."""
    try:
        with pa.ipc.open_stream(table.arrow_stream) as reader:
            shown = reader.schema.names
            names = unique_names(tuple(Column(each, "") for each in shown))
            if list(names) == shown:
                return shown, table
            rows = reader.read_all().rename_columns(list(names))
    except (pa.ArrowException, OSError):
        return [], table  # What is wrong with the stream is told when the table is made.
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, rows.schema) as writer:
        writer.write_table(rows)
    return shown, replace(table, arrow_stream=sink.getvalue().to_pybytes())


def query_text(relation: plan_pb2.Relation) -> str:
    """Returns the text of a relation that is a query in SQL.

    Raises:
        InvalidQueryError: It is another statement, which planning alone might carry out.
    """
    query = relation.sql.query.strip().rstrip(";")
    if not is_nestable(query):
        raise InvalidQueryError(
            "SQL text in a plan is a query, a SELECT, WITH, VALUES or FROM: got "
            f"{query[:40]!r}; send a command as a statement of its own",
            node_id=node_of(relation),
        )
    return query


@rule("sql")
def _sql(lowering: Lowering, relation: plan_pb2.Relation, _: Surroundings) -> Block:
    query = query_text(relation)
    for name, scalar in lowering.given.items():
        lowering.parameters[name] = scalar
    schema = lowering.catalog.query(lowering.lowered_alone(query))
    alias = lowering.new_name()
    qualifier = relation.sql.alias if relation.sql.HasField("alias") else None
    # A comment at the query's end must not swallow what follows.
    return _block(node_of(relation), f"({query}\n)", alias, schema, qualifier)


@rule("series")
def _series(lowering: Lowering, relation: plan_pb2.Relation, around: Surroundings) -> Step[Block]:
    series = relation.series
    ids = [
        series.start_id,
        series.stop_id,
        *([series.step_id] if series.HasField("step_id") else []),
    ]
    listed = []
    for each in ids:
        number = _whole_number(lowering, each)
        if number is None:
            (piece,) = yield lower_all(lowering, [each], scope_of((), around))
            number = piece.sql
        listed.append(number)
    function = "generate_series" if series.includes_stop else "range"
    alias = lowering.new_name()
    source = f"{function}({', '.join(listed)}) AS {quoted(alias)}"
    return Block(node_of(relation), source, (Column("value", dotted(alias, "value")),))


def _whole_number(lowering: Lowering, expression_id: int) -> str | None:
    """Returns a literal whole number, which the engine takes for a series in 64 bits only."""
    expression = lowering.tree.expression(expression_id)
    if expression.WhichOneof("kind") != "literal":
        return None
    message = expression.literal.value
    if message.value.WhichOneof("kind") not in {"int_value", "uint_value"}:
        return None
    scalar = scalar_of(message)
    return str(scalar.as_py()) if pa.types.is_integer(scalar.type) else None


@rule("table_function")
def _table_function(
    lowering: Lowering, relation: plan_pb2.Relation, around: Surroundings
) -> Step[Block]:
    function = relation.table_function
    pieces = yield lower_all(lowering, function.argument_ids, scope_of((), around))
    name = function.function_name
    written = name if _PLAIN_NAME.fullmatch(name) else quoted(name)
    call = f"{written}({', '.join(piece.sql for piece in pieces)})"
    schema = lowering.catalog.query(lowering.lowered_alone(f"SELECT * FROM {call}"))
    alias = function.alias if function.HasField("alias") else None
    return _block(node_of(relation), call, lowering.new_name(), schema, alias)


@rule("read_cte")
def _read_cte(lowering: Lowering, relation: plan_pb2.Relation, around: Surroundings) -> Block:
    read = relation.read_cte
    found = around.names.get(read.name) if around.names else None
    if found is None:
        raise UnknownTableError(f"a name is that of a relation round it: got {read.name!r}")
    alias = lowering.new_name()
    qualifier = read.alias if read.HasField("alias") else read.name
    return Block(
        node_of(relation),
        f"{found.source} AS {quoted(alias)}",
        tuple(
            Column(name, dotted(alias, written), qualifier)
            for name, written in zip(found.names, found.columns, strict=True)
        ),
    )


@rule("values")
def _values(lowering: Lowering, relation: plan_pb2.Relation, around: Surroundings) -> Step[Block]:
    values = relation.values
    fields = list(schema_from_proto(values.schema))
    scope = scope_of((), around)
    rows = []
    for row in values.rows:
        pieces = yield lower_all(lowering, row.expression_ids, scope)
        cells = [
            _typed(lowering, each, piece, field.type)
            for each, piece, field in zip(row.expression_ids, pieces, fields, strict=True)
        ]
        rows.append(f"({', '.join(cells) or '1'})")
    alias = lowering.new_name()
    columns = tuple(Column(field.name, "") for field in fields)
    names = unique_names(columns)
    if rows:
        listed = ", ".join(quoted(name) for name in names or ("#one",))
        source = f"(VALUES {', '.join(rows)}) AS {quoted(alias)}({listed})"
    else:
        items = [
            f"{cast_to('NULL', field.type).sql} AS {quoted(name)}"
            for name, field in zip(names, fields, strict=True)
        ]
        nothing = items or ['1 AS "#one"']
        source = f"(SELECT {', '.join(nothing)} WHERE FALSE) AS {quoted(alias)}"
    return Block(
        node_of(relation),
        source,
        tuple(
            Column(column.name, dotted(alias, name))
            for column, name in zip(columns, names, strict=True)
        ),
    )


def _typed(lowering: Lowering, expression_id: int, piece: Piece, data_type: pa.DataType) -> str:
    """Returns a cell as its column's type, without a cast where it has it already."""
    expression = lowering.tree.expression(expression_id)
    if expression.WhichOneof("kind") == "literal":
        scalar = scalar_of(expression.literal.value)
        if scalar.type == data_type:
            return piece.sql
    return cast_to(piece.sql, data_type).sql


def format_options(files: sources_pb2.FileSet) -> tuple[tuple[str, str], ...]:
    """Returns the options of a format under the engine's names."""
    form = files.WhichOneof("format") or ""
    options: list[tuple[str, str]] = []
    if form == "csv":
        csv = files.csv
        has_header = csv.has_header if csv.HasField("has_header") else True
        options.append(("format.has_header", str(has_header).lower()))
        options += [
            (f"format.{name}", getattr(csv, name)) for name in _CSV_CHARACTERS if csv.HasField(name)
        ]
        if csv.HasField("newlines_in_values"):
            options.append(("format.newlines_in_values", str(csv.newlines_in_values).lower()))
        if csv.HasField("null_pattern"):
            options.append(("format.null_regex", csv.null_pattern))
    if form in {"csv", "json"}:
        body = getattr(files, form)
        if body.HasField("infer_rows_max"):
            options.append(("format.schema_infer_max_rec", str(body.infer_rows_max)))
        if body.compression in _COMPRESSIONS:
            options.append(("format.compression", _COMPRESSIONS[body.compression]))
    options += [(option.name, option.value) for option in files.options]
    return tuple(options)


def _partition_column(name: str) -> str:
    """Returns a name as the engine takes it there: it keeps quotation marks as letters."""
    if not _WORD.fullmatch(name):
        message = f"a column in the names of folders is a word of letters and digits: got {name!r}"
        raise UnsupportedError(f"{message}; rename it")
    return name


def external_table_text(
    name: str, files: sources_pb2.FileSet, words: tuple[str, str] = ("", "")
) -> str:
    """Returns the `CREATE EXTERNAL TABLE` of a set of files.

    Args:
        name: The table's name in SQL.
        files: The files.
        words: What stands behind `CREATE` and behind `TABLE`.
    """
    before, behind = words
    columns = ""
    if files.HasField("schema"):
        fields = schema_from_proto(files.schema)
        declared = [f"{quoted(each.name)} {sql_text(each.type)}" for each in fields]
        of_folders = (each for each in files.partition_columns if each not in fields.names)
        declared += [f"{quoted(each)} VARCHAR" for each in of_folders]
        columns = f" ({', '.join(declared)})"
    text = f"CREATE {before}EXTERNAL TABLE {behind}{name}{columns}"
    text += f" STORED AS {(files.WhichOneof('format') or '').upper()}"
    if files.partition_columns:
        text += f" PARTITIONED BY ({', '.join(map(_partition_column, files.partition_columns))})"
    return f"{text} LOCATION {string(files.path)}{_options_text(files)}"


def copy_text(files: sources_pb2.FileSet, query: str) -> str:
    """Returns the `COPY` of a query's rows to files."""
    text = f"COPY ({query}) TO {string(files.path)}"
    text += f" STORED AS {(files.WhichOneof('format') or '').upper()}"
    if files.partition_columns:
        text += f" PARTITIONED BY ({', '.join(map(_partition_column, files.partition_columns))})"
    return text + _options_text(files)


def _options_text(files: sources_pb2.FileSet) -> str:
    listed = ", ".join(f"{string(key)} {string(value)}" for key, value in format_options(files))
    return f" OPTIONS ({listed})" if listed else ""
