"""The name of an expression that becomes a column: docs/protocol/plans.md, P8.

The names do not depend on the engine, so that they stay when the engine changes.
"""

from collections.abc import Callable
from typing import Final

from springald.plan.v1 import expressions_pb2, functions_pb2, plan_pb2
from springald.plans.operators import Fixity, operator_of
from springald_scheduler.lowering.literals import interval_text, scalar_of
from springald_scheduler.lowering.model import Scope
from springald_scheduler.lowering.resolving import resolve
from springald_scheduler.lowering.steps import Step, all_of
from springald_scheduler.lowering.tree import Tree

_UNITS: Final = {
    functions_pb2.FRAME_UNIT_ROWS: "ROWS",
    functions_pb2.FRAME_UNIT_RANGE: "RANGE",
    functions_pb2.FRAME_UNIT_GROUPS: "GROUPS",
}
_BOUNDS: Final = {
    functions_pb2.FRAME_BOUND_KIND_UNBOUNDED_PRECEDING: "UNBOUNDED PRECEDING",
    functions_pb2.FRAME_BOUND_KIND_PRECEDING: "{} PRECEDING",
    functions_pb2.FRAME_BOUND_KIND_CURRENT_ROW: "CURRENT ROW",
    functions_pb2.FRAME_BOUND_KIND_FOLLOWING: "{} FOLLOWING",
    functions_pb2.FRAME_BOUND_KIND_UNBOUNDED_FOLLOWING: "UNBOUNDED FOLLOWING",
}
COMPARISONS: Final = {
    expressions_pb2.COMPARISON_EQUAL: "=",
    expressions_pb2.COMPARISON_NOT_EQUAL: "<>",
    expressions_pb2.COMPARISON_LESS: "<",
    expressions_pb2.COMPARISON_LESS_OR_EQUAL: "<=",
    expressions_pb2.COMPARISON_GREATER: ">",
    expressions_pb2.COMPARISON_GREATER_OR_EQUAL: ">=",
}


def name_of(tree: Tree, expression_id: int, scope: Scope) -> Step[str]:
    """Returns the name of an expression."""
    expression = tree.expression(expression_id)
    kind = expression.WhichOneof("kind") or ""
    if kind == "column":
        return resolve(expression.column, scope, f"e{expression_id}").name
    ids = [] if kind in {"alias", "lambda_function"} else expression.common.operand_ids
    ids = tree.chain_of(expression) or ids
    operands: list[str] = yield all_of(name_of(tree, each, scope) for each in ids)
    if kind == "call":
        called: str = yield _call(tree, expression.call, operands, scope)
        return called
    named = _NAMED.get(kind)
    return named(expression, operands) if named else kind


def direction(key: expressions_pb2.SortKeyExpression) -> str:
    """Returns what stands behind a sort key, with nothing left to defaults."""
    descending = key.direction == expressions_pb2.SORT_DIRECTION_DESCENDING
    nulls = key.nulls or (
        expressions_pb2.NULLS_ORDER_FIRST if descending else expressions_pb2.NULLS_ORDER_LAST
    )
    first = nulls == expressions_pb2.NULLS_ORDER_FIRST
    return f" {'DESC' if descending else 'ASC'} NULLS {'FIRST' if first else 'LAST'}"


def like_operator(like: expressions_pb2.LikeExpression) -> str:
    """Returns the operator of a pattern."""
    match like.syntax:
        case expressions_pb2.PATTERN_SYNTAX_REGULAR_EXPRESSION:
            return ("!" if like.negated else "") + ("~*" if like.ignores_case else "~")
        case expressions_pb2.PATTERN_SYNTAX_SIMILAR:
            word = "SIMILAR TO"
        case _:
            word = "ILIKE" if like.ignores_case else "LIKE"
    return f"NOT {word}" if like.negated else word


def frame_text(frame: functions_pb2.WindowFrame, start: str, end: str) -> str:
    """Returns a frame; the offsets are given, empty for bounds without one."""
    bounds = f"{_BOUNDS[frame.start.kind].format(start)} AND {_BOUNDS[frame.end.kind].format(end)}"
    return f"{_UNITS[frame.unit]} BETWEEN {bounds}"


def _literal(expression: plan_pb2.Expression) -> str:
    message = expression.literal.value
    if interval_text(message):
        match message.value.WhichOneof("kind"):
            case "int_value":
                return str(message.value.int_value)
            case "day_time_value":
                length = message.value.day_time_value
                return f"{length.days} days {length.milliseconds} milliseconds"
        return "NULL"
    scalar = scalar_of(message)
    if not scalar.is_valid:
        return "NULL"
    value = str(scalar)
    return f"'{value}'" if message.value.WhichOneof("kind") == "string_value" else value


def _call(
    tree: Tree, call: functions_pb2.CallExpression, operands: list[str], scope: Scope
) -> Step[str]:
    name = call.function_name
    if call.function_kind == functions_pb2.FUNCTION_KIND_SCALAR:
        operator = operator_of(name, len(operands))
        if operator is None:
            return f"{name}({','.join(operands)})"
        match operator.fixity:
            case Fixity.INFIX:
                return f" {operator.symbol} ".join(operands)
            case Fixity.PREFIX:
                return f"{operator.symbol} {operands[0]}"
            case Fixity.POSTFIX:
                return f"{operands[0]} {operator.symbol}"
    arguments = ",".join(operands) or ("*" if name == "count" else "")
    text = f"{name}({'DISTINCT ' if call.distinct else ''}{arguments})"
    if call.HasField("filter_id"):
        condition = yield name_of(tree, call.filter_id, scope)
        text += f" FILTER (WHERE {condition})"
    if call.null_treatment == functions_pb2.NULL_TREATMENT_IGNORE:
        text += " IGNORE NULLS"
    for word, ids in (
        ("WITHIN GROUP", call.within_group_key_ids),
        ("ORDER BY", call.sort_key_ids),
        ("PARTITION BY", call.window.partition_ids),
        ("ORDER BY", call.window.sort_key_ids),
    ):
        names: list[str] = yield all_of(name_of(tree, each, scope) for each in ids)
        if names:
            text += f" {word} [{', '.join(names)}]"
    if call.window.HasField("frame"):
        frame = call.window.frame
        offsets = []
        for bound in (frame.start, frame.end):
            named = bound.HasField("offset_id")
            offsets.append((yield name_of(tree, bound.offset_id, scope)) if named else "")
        text += " " + frame_text(frame, *offsets)
    return text


def _case(case: expressions_pb2.CaseExpression, operands: list[str]) -> str:
    base = f" {operands[0]}" if case.has_base else ""
    rest = operands[1:] if case.has_base else operands
    default = f" ELSE {rest[-1]}" if case.has_default else ""
    branches = rest[:-1] if case.has_default else rest
    pairs = zip(branches[::2], branches[1::2], strict=True)
    return f"CASE{base}{''.join(f' WHEN {when} THEN {then}' for when, then in pairs)}{default} END"


def _access(access: expressions_pb2.AccessExpression, operands: list[str]) -> str:
    if access.kind == expressions_pb2.ACCESS_KIND_FIELD:
        return f"{operands[0]}[{access.field_name}]"
    separator = ":" if access.kind == expressions_pb2.ACCESS_KIND_SLICE else ""
    return f"{operands[0]}[{separator.join(operands[1:])}]"


def _parameter(expression: plan_pb2.Expression, _: list[str]) -> str:
    return f"${expression.parameter.position or expression.parameter.name}"


def _outer_column(expression: plan_pb2.Expression, _: list[str]) -> str:
    column = expression.outer_column
    return column.name.name if column.WhichOneof("reference") == "name" else f"#{column.position}"


def _between(expression: plan_pb2.Expression, operands: list[str]) -> str:
    word = "NOT BETWEEN" if expression.between.negated else "BETWEEN"
    value, low, high = operands
    return f"{value} {word} {low} AND {high}"


def _in_list(expression: plan_pb2.Expression, operands: list[str]) -> str:
    value, *items = operands
    return f"{value} {'NOT IN' if expression.in_list.negated else 'IN'} ({','.join(items)})"


def _exists(expression: plan_pb2.Expression, _: list[str]) -> str:
    return f"{'NOT ' if expression.exists.negated else ''}EXISTS (subquery)"


def _in_subquery(expression: plan_pb2.Expression, operands: list[str]) -> str:
    return f"{operands[0]} {'NOT IN' if expression.in_subquery.negated else 'IN'} (subquery)"


def comparison(compared: expressions_pb2.QuantifiedComparisonExpression) -> str:
    """Returns the operator and the quantifier of a comparison with a subquery."""
    is_any = compared.quantifier == expressions_pb2.QUANTIFIER_ANY
    return f"{COMPARISONS[compared.comparison]} {'ANY' if is_any else 'ALL'}"


_NAMED: Final[dict[str, Callable[[plan_pb2.Expression, list[str]], str]]] = {
    "alias": lambda expression, _: expression.alias.name,
    "literal": lambda expression, _: _literal(expression),
    "parameter": _parameter,
    "outer_column": _outer_column,
    "lambda_variable": lambda expression, _: expression.lambda_variable.name,
    "cast": lambda _, operands: operands[0],
    "case_when": lambda expression, operands: _case(expression.case_when, operands),
    "between": _between,
    "in_list": _in_list,
    "like": lambda each, names: f"{names[0]} {like_operator(each.like)} {names[1]}",
    "access": lambda expression, operands: _access(expression.access, operands),
    "sort_key": lambda each, operands: operands[0] + direction(each.sort_key),
    "scalar_subquery": lambda *_: "(subquery)",
    "exists": _exists,
    "in_subquery": _in_subquery,
    "quantified_comparison": lambda each, names: (
        f"{names[0]} {comparison(each.quantified_comparison)} (subquery)"
    ),
}
