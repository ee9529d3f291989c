"""Parts of structs, lists and maps."""

from typing import TYPE_CHECKING

from springald.errors import InvalidArgumentError
from springald.expr.literals import literal_node
from springald.expr.node import Node, expression
from springald.plan.v1 import expressions_pb2, functions_pb2

if TYPE_CHECKING:
    from springald.expr.expr import Expr

__all__ = ["part_of"]

_LAST = -1


def part_of(whole: "Expr", key: "str | int | slice | Expr") -> Node:
    """Returns the node of `whole[key]`, as `Expr.__getitem__` describes it.

    Raises:
        InvalidArgumentError: The key is none of those kinds.
    """
    if isinstance(key, str):
        # A struct's field and a map's value alike: the server knows which of them it is.
        message = functions_pb2.CallExpression(
            function_name="get_field", function_kind=functions_pb2.FUNCTION_KIND_SCALAR
        )
        return expression("call", message, (whole.node, literal_node(key)))
    if isinstance(key, bool):
        raise InvalidArgumentError(f"a list's elements are counted: got {key}")
    if isinstance(key, int):
        return _access(expressions_pb2.ACCESS_KIND_ELEMENT, whole.node, literal_node(_place(key)))
    if isinstance(key, slice):
        return _slice(whole.node, key)
    node = getattr(key, "node", None)
    if not isinstance(node, Node):
        raise InvalidArgumentError(
            f"a part is a name, a number, a slice or an expression: got a {type(key).__name__}"
        )
    return _access(expressions_pb2.ACCESS_KIND_KEY, whole.node, node)


def _slice(whole: Node, key: slice) -> Node:
    """Python counts from 0 and leaves the end out; plans count from 1 and take it in."""
    first = literal_node(1 if key.start is None else _place(key.start))
    last = literal_node(_LAST if key.stop is None else _before(key.stop))
    step = () if key.step is None else (literal_node(key.step),)
    return _access(expressions_pb2.ACCESS_KIND_SLICE, whole, first, last, *step)


def _place(index: int) -> int:
    return index + 1 if index >= 0 else index


def _before(index: int) -> int:
    return index if index >= 0 else index - 1


def _access(kind: expressions_pb2.AccessKind.ValueType, *operands: Node) -> Node:
    return expression("access", expressions_pb2.AccessExpression(kind=kind), operands)
