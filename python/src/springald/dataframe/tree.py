"""A plan as text for people: a line for each relation, its inputs below it."""

from collections.abc import Callable, Iterator
from typing import Any, Final

from springald.expr.node import Node
from springald.expr.text import expression_text, name_text
from springald.plan.v1 import relations_pb2

__all__ = ["node_text", "tree_text"]

_LINES_MAX: Final = 200
_LINE_MAX: Final = 160


def tree_text(root: Node) -> str:
    """Returns the tree of a relation.

    Example:
        >>> from springald.dataframe.relations import fetched, sql_query
        >>> print(tree_text(fetched(sql_query("SELECT 1"), 3)))
        Limit: 3
          Sql: SELECT 1
    """
    lines = []
    for count, line in enumerate(_lines(root)):
        if count == _LINES_MAX:
            lines.append("...")
            break
        lines.append(line)
    return "\n".join(lines)


def node_text(node: Node) -> str:
    """Returns one line for a relation, or the text of an expression."""
    return next(_lines(node)) if node.sort == "relation" else expression_text(node)


def _lines(root: Node) -> Iterator[str]:
    waiting = [(root, 0)]
    while waiting:
        node, depth = waiting.pop()
        detail = _DETAILS.get(node.kind, _nothing)(node)
        title = node.kind.title().replace("_", "")
        line = f"{_TITLES.get(node.kind, title)}{': ' * bool(detail)}{detail}"
        yield f"{'  ' * depth}{line if len(line) <= _LINE_MAX else line[: _LINE_MAX - 3] + '...'}"
        below = [*node.inputs, *_subqueries(node)]
        waiting += [(each, depth + 1) for each in reversed(below)]


def _subqueries(node: Node) -> Iterator[Node]:
    """The relations that a relation's expressions hold."""
    waiting = [each for reference in node.references for each in reference.nodes]
    while waiting:
        each = waiting.pop()
        if each.sort == "relation":
            yield each
        else:
            waiting += each.children()


def _nothing(_: Node) -> str:
    return ""


def _listed(node: Node, *path: str | int) -> str:
    return ", ".join(expression_text(each) for each in node.referred(*path))


def _table(node: Node) -> str:
    name = node.message.name
    parts = [name.catalog, name.schema, name.table]
    written = ".".join(part for part in parts if part)
    alias: str = node.message.alias
    return f"{written} AS {alias}" if alias else written


def _files(node: Node) -> str:
    files = node.message.files
    return f"{files.WhichOneof('format')} {files.path}"


def _values(node: Node) -> str:
    return f"{len(node.message.rows)} rows"


def _inline(node: Node) -> str:
    return f"{len(node.message.arrow_stream)} bytes"


def _aggregate(node: Node) -> str:
    message = node.message
    by = _listed(node, "grouping_ids")
    if message.grouping_mode != relations_pb2.GROUPING_MODE_UNSPECIFIED:
        groups = node.referred("grouping_ids")
        sets = (
            ", ".join(expression_text(groups[at]) for at in chosen.positions)
            for chosen in message.grouping_sets
        )
        by = f"sets {', '.join(f'({each})' for each in sets)}"
    return f"[{_listed(node, 'aggregate_ids')}]{' by ' * bool(by)}{by}"


def _fetch(node: Node) -> str:
    message = node.message
    count = str(message.fetch_rows) if message.HasField("fetch_rows") else "all"
    return f"{count} from {message.skip_rows}" if message.skip_rows else count


def _join(node: Node) -> str:
    message = node.message
    how = relations_pb2.JoinType.Name(message.type).removeprefix("JOIN_TYPE_").lower()
    keys = [
        f"{_listed(node, 'keys', at, 'left_id')} = {_listed(node, 'keys', at, 'right_id')}"
        for at in range(len(message.keys))
    ]
    conditions = " AND ".join([*keys, *filter(None, [_listed(node, "condition_id")])])
    return f"{how.replace('_', ' ')}{' on ' * bool(conditions)}{conditions}"


def _set_operation(node: Node) -> str:
    words: str = relations_pb2.SetOperationType.Name(node.message.type)
    by_name = " by name" * bool(node.message.by_name)
    return words.removeprefix("SET_OPERATION_TYPE_").replace("_", " ").lower() + by_name


def _distinct(node: Node) -> str:
    on, keys = _listed(node, "on_ids"), _listed(node, "sort_key_ids")
    return f"{on and f'on {on}'}{keys and f' first by {keys}'}"


def _unnest(node: Node) -> str:
    return ", ".join(name_text(each.column) for each in node.message.columns)


def _sample(node: Node) -> str:
    return f"{node.message.fraction:g}"


def _repartition(node: Node) -> str:
    keys = _listed(node, "key_ids")
    return f"{node.message.partition_count}{' by ' * bool(keys)}{keys}"


def _renamings(node: Node) -> str:
    return ", ".join(
        f"{name_text(each.column)} AS {each.new_name}" for each in node.message.renamings
    )


def _series(node: Node) -> str:
    ends = [_listed(node, f"{name}_id") for name in ("start", "stop", "step")]
    return ", ".join(filter(None, ends))


def _expressions(field: str) -> Callable[[Node], str]:
    return lambda node: _listed(node, field)


def _field(name: str) -> Callable[[Node], str]:
    def text(node: Node) -> str:
        value: Any = getattr(node.message, name)
        return " ".join(str(value).split())

    return text


_TITLES: Final = {"fetch": "Limit", "read_named_table": "Table", "read_files": "Files"}
_DETAILS: Final[dict[str, Callable[[Node], str]]] = {
    "aggregate": _aggregate,
    "distinct": _distinct,
    "drop_columns": lambda node: ", ".join(map(name_text, node.message.columns)),
    "fetch": _fetch,
    "filter": _expressions("condition_id"),
    "inline_table": _inline,
    "join": _join,
    "projection": _expressions("expression_ids"),
    "read_files": _files,
    "read_named_table": _table,
    "rename_columns": _renamings,
    "repartition": _repartition,
    "sample": _sample,
    "series": _series,
    "set_operation": _set_operation,
    "sort": _expressions("sort_key_ids"),
    "sql": _field("query"),
    "subquery_alias": _field("name"),
    "table_function": lambda node: f"{node.message.function_name}({_listed(node, 'argument_ids')})",
    "unnest": _unnest,
    "values": _values,
    "window": _expressions("window_ids"),
    "with_columns": _expressions("expression_ids"),
}
