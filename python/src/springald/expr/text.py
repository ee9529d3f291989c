"""Expressions as text for people: what `repr` and a plan's tree show."""

from collections.abc import Callable
from typing import Any, Final

from springald.expr.node import Node
from springald.plan.v1 import expressions_pb2, functions_pb2
from springald.types import data_type_from_proto, scalar_from_proto

__all__ = ["expression_text", "name_text"]

_DEPTH_MAX: Final = 40
_INFIX: Final = frozenset({
    "+", "-", "*", "/", "%", "=", "<>", "<", "<=", ">", ">=", "and", "or", "||",
    "is distinct from", "is not distinct from", "&", "|", "^", "<<", ">>",
})  # fmt: skip
_PATTERNS: Final = {
    expressions_pb2.PATTERN_SYNTAX_LIKE: "LIKE",
    expressions_pb2.PATTERN_SYNTAX_SIMILAR: "SIMILAR TO",
    expressions_pb2.PATTERN_SYNTAX_REGULAR_EXPRESSION: "~",
}


def expression_text(node: Node, depth: int = 0) -> str:
    """Returns an expression much as SQL writes it; what is nested too deep becomes three dots."""
    if depth > _DEPTH_MAX:
        return "..."
    return _TEXTS[node.kind](node, [_lazily(node, at, depth) for at in range(len(node.inputs))])


def name_text(name: Any) -> str:  # noqa: ANN401 - a column's or a table's name, as a message
    """Returns a name with what qualifies it."""
    parts = [name.qualifier] if name.HasField("qualifier") else []
    return ".".join([*parts, name.name])


class _Operand:
    """An operand whose text is made when it is asked for."""

    def __init__(self, node: Node, depth: int) -> None:
        self.node, self.depth = node, depth

    def __str__(self) -> str:
        return expression_text(self.node, self.depth + 1)

    @property
    def bracketed(self) -> str:
        """The text, in parentheses if it is more than one word to an operator."""
        is_simple = self.node.kind in _SIMPLE or (
            self.node.kind == "call" and self.node.message.function_name not in _INFIX
        )
        return str(self) if is_simple else f"({self})"


def _lazily(node: Node, at: int, depth: int) -> _Operand:
    return _Operand(node.inputs[at], depth)


def _list(nodes: tuple[Node, ...]) -> str:
    return ", ".join(expression_text(node, _DEPTH_MAX // 2) for node in nodes)


def _column(node: Node, _: list[_Operand]) -> str:
    message = node.message
    if message.WhichOneof("reference") == "position":
        return f"#{message.position}"
    text = name_text(message.name)
    return f"outer {text}" if node.kind == "outer_column" else text


def _literal(node: Node, _: list[_Operand]) -> str:
    value = scalar_from_proto(node.message.value).as_py()
    if value is None:
        return "NULL"
    text = repr(value) if isinstance(value, str | bytes) else str(value)
    return text if len(text) <= 60 else f"{text[:57]}..."  # noqa: PLR2004 - a line's worth


def _parameter(node: Node, _: list[_Operand]) -> str:
    message = node.message
    return f"${message.position if message.WhichOneof('reference') == 'position' else message.name}"


def _star(node: Node, _: list[_Operand]) -> str:
    left_out = f" EXCEPT ({', '.join(node.message.except_names)})" * bool(node.message.except_names)
    return f"{node.message.qualifier}.*{left_out}" if node.message.qualifier else f"*{left_out}"


def _call(node: Node, operands: list[_Operand]) -> str:
    message, name = node.message, node.message.function_name
    if name in _INFIX and len(operands) > 1:
        return f" {name.upper()} ".join(operand.bracketed for operand in operands)
    if name == "not" or (name == "-" and len(operands) == 1):
        return f"{name.upper()} {operands[0].bracketed}".replace("- ", "-")
    if name.startswith("is ") and len(operands) == 1:
        return f"{operands[0].bracketed} {name.upper()}"
    inside = ", ".join(str(operand) for operand in operands) or "*" * (name == "count")
    order = _list(node.referred("sort_key_ids"))
    text = f"{name}({'DISTINCT ' * message.distinct}{inside}{f' ORDER BY {order}' * bool(order)})"
    if keys := _list(node.referred("within_group_key_ids")):
        text += f" WITHIN GROUP (ORDER BY {keys})"
    if message.null_treatment == functions_pb2.NULL_TREATMENT_IGNORE:
        text += " IGNORE NULLS"
    if condition := _list(node.referred("filter_id")):
        text += f" FILTER (WHERE {condition})"
    if message.HasField("window"):
        text += f" OVER ({_window(node)})"
    return text


def _window(node: Node) -> str:
    parts = []
    if partitions := _list(node.referred("window", "partition_ids")):
        parts.append(f"PARTITION BY {partitions}")
    if order := _list(node.referred("window", "sort_key_ids")):
        parts.append(f"ORDER BY {order}")
    if node.message.window.HasField("frame"):
        frame = node.message.window.frame
        unit = functions_pb2.FrameUnit.Name(frame.unit).removeprefix("FRAME_UNIT_")
        ends = " AND ".join(_bound(node, name) for name in ("start", "end"))
        parts.append(f"{unit} BETWEEN {ends}")
    return " ".join(parts)


def _bound(node: Node, end: str) -> str:
    kind = getattr(node.message.window.frame, end).kind
    words = functions_pb2.FrameBoundKind.Name(kind).removeprefix("FRAME_BOUND_KIND_")
    offset = _list(node.referred("window", "frame", end, "offset_id"))
    return f"{offset} {words}".strip().replace("_", " ")


def _alias(node: Node, operands: list[_Operand]) -> str:
    return f"{operands[0]} AS {node.message.name}"


def _cast(node: Node, operands: list[_Operand]) -> str:
    word = "TRY_CAST" if node.message.failure == expressions_pb2.CAST_FAILURE_NULL else "CAST"
    return f"{word}({operands[0]} AS {data_type_from_proto(node.message.type)})"


def _case(node: Node, operands: list[_Operand]) -> str:
    rest = list(operands)
    text = f"CASE {rest.pop(0)}" if node.message.has_base else "CASE"
    default = f" ELSE {rest.pop()}" if node.message.has_default else ""
    for condition, value in zip(rest[::2], rest[1::2], strict=True):
        text += f" WHEN {condition} THEN {value}"
    return f"{text}{default} END"


def _between(node: Node, operands: list[_Operand]) -> str:
    value, low, high = (operand.bracketed for operand in operands)
    return f"{value} {'NOT ' * node.message.negated}BETWEEN {low} AND {high}"


def _in_list(node: Node, operands: list[_Operand]) -> str:
    items = ", ".join(str(operand) for operand in operands[1:])
    return f"{operands[0].bracketed} {'NOT ' * node.message.negated}IN ({items})"


def _like(node: Node, operands: list[_Operand]) -> str:
    message = node.message
    word = _PATTERNS[message.syntax]
    if message.ignores_case:
        word = {"LIKE": "ILIKE", "~": "~*"}.get(word, word)
    value, pattern = (operand.bracketed for operand in operands)
    negated = "!" if word.startswith("~") else "NOT "
    return f"{value} {negated * message.negated}{word} {pattern}"


def _access(node: Node, operands: list[_Operand]) -> str:
    if node.message.kind == expressions_pb2.ACCESS_KIND_FIELD:
        return f"{operands[0].bracketed}[{node.message.field_name!r}]"
    inside = ":".join(str(operand) for operand in operands[1:])
    return f"{operands[0].bracketed}[{inside}]"


def _lambda(node: Node, operands: list[_Operand]) -> str:
    return f"({', '.join(node.message.parameters)}) -> {operands[0]}"


def _sort_key(node: Node, operands: list[_Operand]) -> str:
    message = node.message
    down = " DESC" * (message.direction == expressions_pb2.SORT_DIRECTION_DESCENDING)
    nulls = {
        expressions_pb2.NULLS_ORDER_FIRST: " NULLS FIRST",
        expressions_pb2.NULLS_ORDER_LAST: " NULLS LAST",
    }.get(message.nulls, "")
    return f"{operands[0]}{down}{nulls}"


def _subquery(node: Node, operands: list[_Operand]) -> str:
    negated = "NOT " * getattr(node.message, "negated", False)
    if node.kind == "exists":
        return f"{negated}EXISTS (<query>)"
    if node.kind == "in_subquery":
        return f"{operands[0].bracketed} {negated}IN (<query>)"
    return "(<query>)"


def _quantified(node: Node, operands: list[_Operand]) -> str:
    symbols = ["?", "=", "<>", "<", "<=", ">", ">="]
    word = expressions_pb2.Quantifier.Name(node.message.quantifier).removeprefix("QUANTIFIER_")
    return f"{operands[0].bracketed} {symbols[node.message.comparison]} {word} (<query>)"


_SIMPLE: Final = frozenset({
    "column", "outer_column", "literal", "parameter", "star", "cast", "case_when", "access",
    "lambda_variable", "scalar_subquery", "exists",
})  # fmt: skip
_TEXTS: Final[dict[str, Callable[[Node, list[_Operand]], str]]] = {
    "access": _access,
    "alias": _alias,
    "between": _between,
    "call": _call,
    "case_when": _case,
    "cast": _cast,
    "column": _column,
    "exists": _subquery,
    "in_list": _in_list,
    "in_subquery": _subquery,
    "lambda_function": _lambda,
    "lambda_variable": lambda node, _: str(node.message.name),
    "like": _like,
    "literal": _literal,
    "outer_column": _column,
    "parameter": _parameter,
    "quantified_comparison": _quantified,
    "scalar_subquery": _subquery,
    "sort_key": _sort_key,
    "star": _star,
}
