"""Relations as nodes: what each method of a DataFrame adds to its plan."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from springald.checks import check_name
from springald.errors import InvalidArgumentError
from springald.expr.expr import (
    ColumnOrExpr,
    Expr,
    IntoSortKey,
    column_name,
    nodes_of_columns,
    sort_keys,
)
from springald.expr.node import Node, Reference, expression, relation
from springald.plan.v1 import expressions_pb2, relations_pb2, sources_pb2

__all__ = [
    "JOIN_TYPES",
    "SET_OPERATIONS",
    "aliased",
    "distinct",
    "dropped",
    "fetched",
    "filtered",
    "is_count",
    "joined",
    "projected",
    "renamed",
    "repartitioned",
    "sampled",
    "set_operation",
    "sorted_by",
    "sql_query",
    "unnested",
    "windowed",
    "with_columns",
]

JOIN_TYPES: Final = {
    "inner": relations_pb2.JOIN_TYPE_INNER,
    "left": relations_pb2.JOIN_TYPE_LEFT,
    "right": relations_pb2.JOIN_TYPE_RIGHT,
    "full": relations_pb2.JOIN_TYPE_FULL,
    "semi": relations_pb2.JOIN_TYPE_LEFT_SEMI,
    "anti": relations_pb2.JOIN_TYPE_LEFT_ANTI,
    "right_semi": relations_pb2.JOIN_TYPE_RIGHT_SEMI,
    "right_anti": relations_pb2.JOIN_TYPE_RIGHT_ANTI,
    "mark": relations_pb2.JOIN_TYPE_LEFT_MARK,
    "right_mark": relations_pb2.JOIN_TYPE_RIGHT_MARK,
}
SET_OPERATIONS: Final = {
    ("union", False): relations_pb2.SET_OPERATION_TYPE_UNION_ALL,
    ("union", True): relations_pb2.SET_OPERATION_TYPE_UNION_DISTINCT,
    ("intersect", False): relations_pb2.SET_OPERATION_TYPE_INTERSECT_ALL,
    ("intersect", True): relations_pb2.SET_OPERATION_TYPE_INTERSECT_DISTINCT,
    ("except", False): relations_pb2.SET_OPERATION_TYPE_EXCEPT_ALL,
    ("except", True): relations_pb2.SET_OPERATION_TYPE_EXCEPT_DISTINCT,
}

_PARTITIONS_MAX: Final = 2**32 - 1


def sql_query(query: str) -> Node:
    """The rows of a query in SQL."""
    return relation("sql", sources_pb2.SqlRelation(query=query))


def projected(rows: Node, columns: Iterable[ColumnOrExpr]) -> Node:
    """The given columns."""
    named = Reference(("expression_ids",), nodes_of_columns(columns))
    return relation("projection", relations_pb2.ProjectionRelation(), (rows,), named)


def with_columns(rows: Node, columns: Iterable[Expr]) -> Node:
    """All columns and more; one of a name that is there takes its place."""
    named = Reference(("expression_ids",), nodes_of_columns(columns))
    return relation("with_columns", relations_pb2.WithColumnsRelation(), (rows,), named)


def dropped(rows: Node, names: Iterable[str]) -> Node:
    """All columns but some."""
    message = relations_pb2.DropColumnsRelation(columns=[column_name(name) for name in names])
    return relation("drop_columns", message, (rows,))


def renamed(rows: Node, names: Mapping[str, str]) -> Node:
    """All columns, some under other names."""
    renamings = [
        relations_pb2.ColumnRenaming(column=column_name(old), new_name=new)
        for old, new in names.items()
    ]
    message = relations_pb2.RenameColumnsRelation(renamings=renamings)
    return relation("rename_columns", message, (rows,))


def filtered(rows: Node, condition: Expr) -> Node:
    """The rows for which a condition is true."""
    named = Reference(("condition_id",), (condition.node,))
    return relation("filter", relations_pb2.FilterRelation(), (rows,), named)


def sorted_by(rows: Node, keys: Iterable[IntoSortKey]) -> Node:
    """The rows in an order."""
    named = Reference(("sort_key_ids",), sort_keys(keys))
    return relation("sort", relations_pb2.SortRelation(), (rows,), named)


def fetched(rows: Node, count: int | None, offset: int = 0) -> Node:
    """A run of the rows."""
    message = relations_pb2.FetchRelation(skip_rows=offset, fetch_rows=count)
    return relation("fetch", message, (rows,))


def distinct(rows: Node, on: Sequence[ColumnOrExpr] = (), keys: Sequence[IntoSortKey] = ()) -> Node:
    """Rows that differ, in all columns or in some expressions."""
    named = Reference(("on_ids",), nodes_of_columns(on))
    order = Reference(("sort_key_ids",), sort_keys(keys))
    return relation("distinct", relations_pb2.DistinctRelation(), (rows,), named, order)


def windowed(rows: Node, calls: Iterable[Expr]) -> Node:
    """All columns, and those of window functions."""
    named = Reference(("window_ids",), nodes_of_columns(calls))
    return relation("window", relations_pb2.WindowRelation(), (rows,), named)


def unnested(rows: Node, depths: Mapping[str, int], *, keeps_nulls: bool) -> Node:
    """A row for each element of lists."""
    columns = [
        relations_pb2.UnnestColumn(column=column_name(name), depth=depth)
        for name, depth in depths.items()
    ]
    message = relations_pb2.UnnestRelation(columns=columns, keeps_nulls=keeps_nulls)
    return relation("unnest", message, (rows,))


def aliased(rows: Node, name: str) -> Node:
    """The same rows under another name."""
    message = relations_pb2.SubqueryAliasRelation(name=check_name(name, "an alias"))
    return relation("subquery_alias", message, (rows,))


def sampled(rows: Node, fraction: float, seed: int | None) -> Node:
    """Some of the rows, by chance."""
    return relation("sample", relations_pb2.SampleRelation(fraction=fraction, seed=seed), (rows,))


def is_count(given: object, most: int) -> bool:
    """Whether something is a whole number from 0 to another one."""
    return isinstance(given, int) and 0 <= given <= most


def repartitioned(rows: Node, count: int, keys: Sequence[ColumnOrExpr] = ()) -> Node:
    """The same rows, spread otherwise."""
    if not is_count(count, _PARTITIONS_MAX):
        raise InvalidArgumentError(
            f"partitions are at least 0 in number and at most {_PARTITIONS_MAX}: got {count!r}; "
            "0 leaves it open"
        )
    message = relations_pb2.RepartitionRelation(partition_count=count)
    return relation(
        "repartition", message, (rows,), Reference(("key_ids",), nodes_of_columns(keys))
    )


def set_operation(
    left: Node, right: Node, operation: str, *, is_distinct: bool, by_name: bool = False
) -> Node:
    """The rows of two inputs together."""
    kind = SET_OPERATIONS[operation, is_distinct]
    message = relations_pb2.SetOperationRelation(type=kind, by_name=by_name)
    return relation("set_operation", message, (left, right))


def joined(
    left: Node,
    right: Node,
    how: str,
    *,
    keys: Sequence[tuple[str, str]] = (),
    condition: Expr | None = None,
    merges_keys: bool = False,
    nulls_equal: bool = False,
) -> Node:
    """Pairs of rows that match."""
    message = relations_pb2.JoinRelation(
        type=join_type(how),
        keys=[relations_pb2.JoinKey() for _ in keys],
        merges_keys=merges_keys,
        null_equality=relations_pb2.NULL_EQUALITY_EQUAL
        if nulls_equal
        else relations_pb2.NULL_EQUALITY_UNEQUAL,
    )
    references = []
    for at, (left_name, right_name) in enumerate(keys):
        references += [
            Reference(("keys", at, "left_id"), (_column(left_name),)),
            Reference(("keys", at, "right_id"), (_column(right_name),)),
        ]
    if condition is not None:
        references.append(Reference(("condition_id",), (condition.node,)))
    return relation("join", message, (left, right), *references)


def join_type(how: str) -> relations_pb2.JoinType.ValueType:
    """Returns the type of a join by its name.

    Raises:
        InvalidArgumentError: It is no name of one.
    """
    kind = JOIN_TYPES.get(how.removeprefix("left_"))
    if kind is None:
        raise InvalidArgumentError(f"a join is one of {', '.join(JOIN_TYPES)}: got {how!r}")
    return kind


def _column(name: str) -> Node:
    return expression("column", expressions_pb2.ColumnExpression(name=column_name(name)))
