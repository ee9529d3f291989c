"""Values of Python and Arrow as nodes, and Python's types as Arrow's."""

import datetime as dt
from decimal import Decimal
from typing import Any, Final, TypeAlias

import pyarrow as pa

from springald.errors import InvalidArgumentError
from springald.expr.node import Node, expression
from springald.plan.v1 import expressions_pb2
from springald.types import data_type_to_proto, scalar_to_proto

__all__ = ["Value", "arrow_type", "cast_node", "literal_node"]

Value: TypeAlias = (
    "bool | int | float | str | bytes | Decimal | dt.date | dt.time"
    " | dt.timedelta | list[Any] | dict[str, Any] | pa.Scalar | None"
)
"""What can stand in a plan as it is."""

_TYPES: Final[dict[type, pa.DataType]] = {
    bool: pa.bool_(),
    int: pa.int64(),
    float: pa.float64(),
    str: pa.string(),
    bytes: pa.binary(),
    dt.date: pa.date32(),
    dt.datetime: pa.timestamp("us"),
    dt.time: pa.time64("us"),
}


def literal_node(value: object) -> Node:
    """Returns the node of a value.

    Example:
        >>> literal_node(7).message.value.value.int_value
        7

    Raises:
        InvalidArgumentError: Arrow has no type for it.
    """
    try:
        scalar = value if isinstance(value, pa.Scalar) else pa.scalar(value)
    except (pa.ArrowException, TypeError, ValueError) as error:
        raise InvalidArgumentError(
            f"a value in a plan has a type of Arrow: got {str(value)[:80]!r} of type "
            f"{type(value).__name__} ({error}); give a pyarrow.Scalar"
        ) from None
    message = expressions_pb2.LiteralExpression(value=scalar_to_proto(scalar))
    return expression("literal", message)


def cast_node(value: Node, to: object, *, failure: expressions_pb2.CastFailure.ValueType) -> Node:
    """Returns the node of a conversion.

    Raises:
        InvalidArgumentError: The type is neither one of Arrow's nor one that stands for one.
    """
    message = expressions_pb2.CastExpression(
        type=data_type_to_proto(arrow_type(to)), failure=failure
    )
    return expression("cast", message, (value,))


def arrow_type(to: object) -> pa.DataType:
    """Returns the type of Arrow that is meant.

    Example:
        >>> str(arrow_type(float)), str(arrow_type(pa.int8()))
        ('double', 'int8')

    Raises:
        InvalidArgumentError: None is.
    """
    if isinstance(to, pa.DataType):
        return to
    known = _TYPES.get(to) if isinstance(to, type) else None
    if known is None:
        names = ", ".join(sorted(kind.__name__ for kind in _TYPES))
        raise InvalidArgumentError(
            f"a type is a pyarrow.DataType, or one of {names}: got {to!r}; see pyarrow.types"
        )
    return known
