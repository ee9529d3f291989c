"""What can be said about a call of an aggregate or window function."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Self

from springald.errors import InvalidArgumentError
from springald.expr.literals import literal_node
from springald.expr.node import Node
from springald.expr.window import NullTreatment, WindowFrame
from springald.plan.v1 import functions_pb2

if TYPE_CHECKING:
    from springald.expr.expr import ColumnOrExpr, Expr, IntoSortKey

__all__ = ["Modifiers", "Window"]

_AGGREGATE = functions_pb2.FUNCTION_KIND_AGGREGATE
_WINDOW = functions_pb2.FUNCTION_KIND_WINDOW


class Window:
    """Which rows a function sees, and in which order.

    Example:
        >>> from springald import col, functions as f
        >>> f.sum(col("a")).over(Window(partition_by=[col("b")], order_by=[col("c")]))
        Expr(sum(a) OVER (PARTITION BY b ORDER BY c NULLS LAST))

    Args:
        partition_by: Rows see those that are equal in these expressions; None means all.
        window_frame: Which of them; None means up to the row and its peers if there is an order,
            and all if there is none.
        order_by: The order of the rows.
        null_treatment: Whether rows whose argument is NULL are seen.
    """

    __slots__ = ("null_treatment", "order_by", "partition_by", "window_frame")

    def __init__(
        self,
        partition_by: "Sequence[ColumnOrExpr] | ColumnOrExpr | None" = None,
        window_frame: WindowFrame | None = None,
        order_by: "Sequence[IntoSortKey] | IntoSortKey | None" = None,
        null_treatment: NullTreatment | None = None,
    ) -> None:
        self.partition_by = partition_by
        self.window_frame = window_frame
        self.order_by = order_by
        self.null_treatment = null_treatment


class Modifiers:
    """The methods of an expression that is a call of an aggregate or window function.

    Each returns the changed call, so that they can follow each other; `build()` ends such a chain
    for datafusion-python's sake.
    """

    __slots__ = ()

    node: Node

    def distinct(self) -> Self:
        """Has an aggregate take equal arguments once.

        Example:
            >>> from springald import col, functions as f
            >>> f.sum(col("a")).distinct()
            Expr(sum(DISTINCT a))
        """
        return self._changed("distinct", distinct=True)

    def filter(self, filter: "Expr") -> Self:  # noqa: A002 - datafusion-python's name
        """Has an aggregate see only the rows for which a condition is true.

        Example:
            >>> from springald import col, functions as f
            >>> f.sum(col("a")).filter(col("b") > 1)
            Expr(sum(a) FILTER (WHERE b > 1))
        """
        node = self._call("filter")
        return self._with_node(node.with_reference("filter_id", to=(filter.node,)))

    def order_by(self, *exprs: "IntoSortKey") -> Self:
        """Says in which order the rows are seen.

        Example:
            >>> from springald import col, functions as f
            >>> f.array_agg(col("a")).order_by(col("b").sort())
            Expr(array_agg(a ORDER BY b NULLS LAST))
        """
        from springald.expr.expr import sort_keys  # noqa: PLC0415 - it needs this module

        node = self._call("order_by")
        keys = sort_keys(exprs)
        if node.message.HasField("window"):
            return self._with_node(node.with_reference("window", "sort_key_ids", to=keys))
        return self._with_node(node.with_reference("sort_key_ids", to=keys))

    def null_treatment(self, null_treatment: NullTreatment) -> Self:
        """Says whether rows whose argument is NULL are seen.

        Example:
            >>> from springald import col, functions as f
            >>> f.last_value(col("a")).null_treatment(NullTreatment.IGNORE_NULLS)
            Expr(last_value(a) IGNORE NULLS)
        """
        return self._changed("null_treatment", null_treatment=null_treatment.value)

    def partition_by(self, *partition_by: "ColumnOrExpr") -> Self:
        """Has a function see those rows that are equal in some expressions.

        Example:
            >>> from springald import col, functions as f
            >>> f.row_number().partition_by(col("a"))
            Expr(row_number() OVER (PARTITION BY a))
        """
        return self.over(Window(partition_by=partition_by))

    def window_frame(self, window_frame: WindowFrame) -> Self:
        """Has a function see a run of rows round the row.

        Example:
            >>> from springald import col, functions as f
            >>> f.sum(col("a")).window_frame(WindowFrame("rows", 1, 1))
            Expr(sum(a) OVER (ROWS BETWEEN 1 PRECEDING AND 1 FOLLOWING))
        """
        return self.over(Window(window_frame=window_frame))

    def over(self, window: Window | None = None) -> Self:
        """Has a function compute a value for each row, out of the rows of its window.

        What the call says already stays where the window says nothing.

        Example:
            >>> from springald import col, functions as f
            >>> f.avg(col("a")).over(Window(partition_by="b"))
            Expr(avg(a) OVER (PARTITION BY b))
        """
        from springald.expr.expr import Expr, nodes_of_columns, sort_keys  # noqa: PLC0415 - as above

        window = window or Window()
        node = _windowed(self._call("over"))
        if window.partition_by is not None:
            listed = window.partition_by
            items = [listed] if isinstance(listed, Expr | str) else listed
            node = node.with_reference("window", "partition_ids", to=nodes_of_columns(items))
        if window.order_by is not None:
            node = node.with_reference("window", "sort_key_ids", to=sort_keys(window.order_by))
        if window.window_frame is not None:
            node = _framed(node, window.window_frame)
        if window.null_treatment is not None:
            message = functions_pb2.CallExpression(null_treatment=window.null_treatment.value)
            message.MergeFrom(node.message)
            message.null_treatment = window.null_treatment.value
            node = node.with_message(message)
        return self._with_node(node)

    def build(self) -> Self:
        """Returns the call as it is.

        Example:
            >>> from springald import col, functions as f
            >>> f.sum(col("a")).distinct().build()
            Expr(sum(DISTINCT a))
        """
        return self

    def _changed(self, method: str, **fields: Any) -> Self:  # noqa: ANN401 - fields of a message
        node = self._call(method)
        message = functions_pb2.CallExpression()
        message.CopyFrom(node.message)
        for name, value in fields.items():
            setattr(message, name, value)
        return self._with_node(node.with_message(message))

    def _call(self, method: str) -> Node:
        node = self.node
        if node.kind == "call" and node.message.function_kind in (_AGGREGATE, _WINDOW):
            return node
        raise InvalidArgumentError(
            f"{method}() belongs to a call of an aggregate or window function: got {self}; give a "
            "name with alias() last"
        )

    def _with_node(self, node: Node) -> Self:
        raise NotImplementedError


def _windowed(node: Node) -> Node:
    """The order in which an aggregate sees its rows becomes that of its window."""
    if node.message.HasField("window"):
        return node
    message = functions_pb2.CallExpression()
    message.CopyFrom(node.message)
    message.function_kind = _WINDOW
    message.window.SetInParent()
    order = node.referred("sort_key_ids")
    bare = node.with_message(message).with_reference("sort_key_ids", to=())
    return bare.with_reference("window", "sort_key_ids", to=order)


def _framed(node: Node, frame: WindowFrame) -> Node:
    message = functions_pb2.CallExpression()
    message.CopyFrom(node.message)
    message.window.frame.CopyFrom(frame.to_proto())
    node = node.with_message(message)
    for end in ("start", "end"):
        node = node.with_reference("window", "frame", end, "offset_id", to=())
    for end, offset in frame.offsets():
        distance = (literal_node(offset),)
        node = node.with_reference("window", "frame", end, "offset_id", to=distance)
    return node
