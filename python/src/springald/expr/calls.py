"""Calls of functions: what the generated modules of `springald.functions` are made of."""

from collections.abc import Sequence
from typing import Any, TypeAlias

from springald.expr.expr import ColumnOrExpr, Expr, IntoExpr, IntoSortKey, sort_keys, to_value
from springald.expr.modifiers import Window
from springald.expr.node import Node, Reference, expression
from springald.expr.window import NullTreatment
from springald.plan.v1 import functions_pb2

__all__ = [
    "OrderBy",
    "PartitionBy",
    "aggregate_call",
    "arguments",
    "ordered_set_call",
    "scalar_call",
    "window_call",
]

OrderBy: TypeAlias = Sequence[IntoSortKey] | IntoSortKey | None
PartitionBy: TypeAlias = Sequence[ColumnOrExpr] | ColumnOrExpr | None


def arguments(
    *given: Any,  # noqa: ANN401 - checked by to_value
    optional: Sequence[tuple[Any, IntoExpr]] = (),
) -> tuple[Node, ...]:
    """Returns the nodes of arguments; what is no expression is a value.

    Args:
        *given: What must be there; None is NULL.
        optional: What may be left out, which None means, each with what stands for it where a later
            one is given.

    Example:
        >>> nodes = arguments(7, optional=[(None, 1), (9, 1)])
        >>> [node.message.value.value.int_value for node in nodes]
        [7, 1, 9]
    """
    wanted = list(optional)
    while wanted and wanted[-1][0] is None:
        wanted.pop()
    filled = [default if item is None else item for item, default in wanted]
    return tuple(_plain(to_value(item).node) for item in (*given, *filled))


def scalar_call(name: str, operands: tuple[Node, ...]) -> Expr:
    """Calls a scalar function."""
    return _call(name, functions_pb2.FUNCTION_KIND_SCALAR, operands)


def aggregate_call(
    name: str,
    operands: tuple[Node, ...],
    *,
    distinct: bool = False,
    filter: Expr | None = None,  # noqa: A002 - datafusion-python's name
    order_by: OrderBy = None,
    null_treatment: NullTreatment | None = None,
) -> Expr:
    """Calls an aggregate function."""
    return _call(
        name,
        functions_pb2.FUNCTION_KIND_AGGREGATE,
        operands,
        Reference(("filter_id",), () if filter is None else (filter.node,)),
        Reference(("sort_key_ids",), sort_keys(order_by)),
        distinct=distinct,
        null_treatment=_null_treatment(null_treatment),
    )


def ordered_set_call(
    name: str,
    key: IntoSortKey,
    operands: tuple[Node, ...],
    *,
    distinct: bool = False,
    filter: Expr | None = None,  # noqa: A002 - datafusion-python's name
) -> Expr:
    """Calls an aggregate function over an order: `name(...) WITHIN GROUP (ORDER BY key)`."""
    return _call(
        name,
        functions_pb2.FUNCTION_KIND_AGGREGATE,
        operands,
        Reference(("filter_id",), () if filter is None else (filter.node,)),
        Reference(("within_group_key_ids",), sort_keys(key)),
        distinct=distinct,
    )


def window_call(
    name: str,
    operands: tuple[Node, ...],
    *,
    partition_by: PartitionBy = None,
    order_by: OrderBy = None,
    null_treatment: NullTreatment | None = None,
) -> Expr:
    """Calls a window function."""
    call = _call(
        name,
        functions_pb2.FUNCTION_KIND_WINDOW,
        operands,
        null_treatment=_null_treatment(null_treatment),
        window=functions_pb2.Window(),
    )
    return call.over(Window(partition_by=partition_by, order_by=order_by))


def _call(
    name: str,
    kind: functions_pb2.FunctionKind.ValueType,
    operands: tuple[Node, ...],
    *references: Reference,
    **fields: Any,  # noqa: ANN401 - fields of a message
) -> Expr:
    message = functions_pb2.CallExpression(function_name=name, function_kind=kind, **fields)
    return Expr(expression("call", message, operands, *references))


def _null_treatment(given: NullTreatment | None) -> functions_pb2.NullTreatment.ValueType:
    if given is NullTreatment.IGNORE_NULLS:
        return functions_pb2.NULL_TREATMENT_IGNORE
    # To respect them is what every function does, also those that have no choice.
    return functions_pb2.NULL_TREATMENT_UNSPECIFIED


def _plain(node: Node) -> Node:
    return node.inputs[0] if node.kind == "alias" else node
