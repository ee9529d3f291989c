"""What must hold of an expression by itself: how many operands it has, and what its fields say."""

from collections.abc import Callable, Iterator
from typing import Any, Final

from springald.plan.v1 import expressions_pb2, functions_pb2, plan_pb2
from springald.plans.fields import between, enum_problem, missing, number_of, twice
from springald.plans.operators import operand_counts

_OPERANDS: Final[dict[str, tuple[int, int | None]]] = {
    **dict.fromkeys(
        (
            "column", "literal", "parameter", "outer_column", "star", "lambda_variable",
            "scalar_subquery", "exists",
        ),
        (0, 0),
    ),
    **dict.fromkeys(
        ("alias", "cast", "lambda_function", "sort_key", "in_subquery", "quantified_comparison"),
        (1, 1),
    ),
    "call": (0, None),
    "case_when": (2, None),
    "between": (3, 3),
    "in_list": (1, None),
    "like": (2, 2),
    "access": (1, 4),
}  # fmt: skip

_ACCESSES: Final = {
    expressions_pb2.ACCESS_KIND_FIELD: (1, 1),
    expressions_pb2.ACCESS_KIND_ELEMENT: (2, 2),
    expressions_pb2.ACCESS_KIND_SLICE: (3, 4),
    expressions_pb2.ACCESS_KIND_KEY: (2, 2),
}

EXPRESSION_KINDS: Final = frozenset(_OPERANDS)
"""All kinds of expressions."""


def expression_problems(expression: plan_pb2.Expression) -> Iterator[str]:
    """Says what is wrong with an expression by itself."""
    kind = expression.WhichOneof("kind")
    if kind is None:
        yield "an expression has a kind that this version knows: got none; send an older plan"
        return
    operands = len(expression.common.operand_ids)
    yield from _counted(kind, operands, _OPERANDS[kind])
    rule = _RULES.get(kind)
    if rule:
        yield from rule(getattr(expression, kind), operands)


def _counted(what: str, count: int, allowed: tuple[int, int | None]) -> Iterator[str]:
    fewest, most = allowed
    if count >= fewest and (most is None or count <= most):
        return
    yield f"{what} has {between(fewest, most, 'operand')}: got {count}"


def _column(body: Any, _: int) -> Iterator[str]:  # noqa: ANN401 - the body of a kind
    match body.WhichOneof("reference"):
        case None:
            yield missing("reference")
        case "name" if not body.name.name:
            yield missing("name.name")


def _literal(body: expressions_pb2.LiteralExpression, _: int) -> Iterator[str]:
    if not body.value.HasField("type") or not body.value.HasField("value"):
        yield missing("value with its type")


def _parameter(body: expressions_pb2.ParameterExpression, _: int) -> Iterator[str]:
    reference = body.WhichOneof("reference")
    if reference is None or not getattr(body, reference):
        yield missing("position from 1, or name,")


def _alias(body: expressions_pb2.AliasExpression, _: int) -> Iterator[str]:
    if not body.name:
        yield missing("name")


def _cast(body: expressions_pb2.CastExpression, _: int) -> Iterator[str]:
    if not body.HasField("type"):
        yield missing("type")
    yield from enum_problem(expressions_pb2.CastFailure, body.failure, "failure", required=False)


def _case(body: expressions_pb2.CaseExpression, operands: int) -> Iterator[str]:
    branches = operands - body.has_base - body.has_default
    if branches < 2 or branches % 2:  # noqa: PLR2004 - a condition and a value
        got = number_of(branches, "operand")
        yield f"a case has a condition and a value for each branch: got {got} of both"


def _like(body: expressions_pb2.LikeExpression, _: int) -> Iterator[str]:
    yield from enum_problem(expressions_pb2.PatternSyntax, body.syntax, "syntax")
    is_like = body.syntax == expressions_pb2.PATTERN_SYNTAX_LIKE
    if body.ignores_case and body.syntax == expressions_pb2.PATTERN_SYNTAX_SIMILAR:
        yield "ignores_case does not go with PATTERN_SYNTAX_SIMILAR: got both"
    if body.HasField("escape") and (not is_like or len(body.escape) != 1):
        yield f"escape is one character of a LIKE pattern: got {body.escape[:20]!r}"


def _access(body: expressions_pb2.AccessExpression, operands: int) -> Iterator[str]:
    yield from enum_problem(expressions_pb2.AccessKind, body.kind, "kind")
    if body.kind in _ACCESSES:
        yield from _counted("this access", operands, _ACCESSES[body.kind])
    if (body.kind == expressions_pb2.ACCESS_KIND_FIELD) != bool(body.field_name):
        yield "field_name goes with ACCESS_KIND_FIELD, and with no other kind"


def _sort_key(body: expressions_pb2.SortKeyExpression, _: int) -> Iterator[str]:
    enums = expressions_pb2
    yield from enum_problem(enums.SortDirection, body.direction, "direction", required=False)
    yield from enum_problem(enums.NullsOrder, body.nulls, "nulls", required=False)


def _quantified(body: Any, _: int) -> Iterator[str]:  # noqa: ANN401
    yield from enum_problem(expressions_pb2.Comparison, body.comparison, "comparison")
    yield from enum_problem(expressions_pb2.Quantifier, body.quantifier, "quantifier")


def _lambda(body: functions_pb2.LambdaExpression, _: int) -> Iterator[str]:
    if not body.parameters or not all(body.parameters):
        yield missing("parameters")
    yield from twice("parameters", body.parameters)


def _variable(body: functions_pb2.LambdaVariableExpression, _: int) -> Iterator[str]:
    if not body.name:
        yield missing("name")


def _call(body: functions_pb2.CallExpression, operands: int) -> Iterator[str]:
    kinds = functions_pb2
    yield from enum_problem(kinds.FunctionKind, body.function_kind, "function_kind")
    yield from enum_problem(
        kinds.NullTreatment, body.null_treatment, "null_treatment", required=False
    )
    if not body.function_name:
        yield missing("function_name")
    match body.function_kind:
        case kinds.FUNCTION_KIND_SCALAR:
            yield from _scalar_call(body, operands)
        case kinds.FUNCTION_KIND_AGGREGATE:
            if body.HasField("window"):
                yield "window goes with FUNCTION_KIND_WINDOW only: got an aggregate with one"
            if body.sort_key_ids and body.within_group_key_ids:
                yield "an aggregate has sort_key_ids or within_group_key_ids: got both"
        case kinds.FUNCTION_KIND_WINDOW:
            yield from _window_call(body)


def _scalar_call(body: functions_pb2.CallExpression, operands: int) -> Iterator[str]:
    allowed = operand_counts(body.function_name)
    if allowed:
        yield from _counted(f"the operator {body.function_name}", operands, allowed)
    modified = (
        body.distinct
        or body.HasField("filter_id")
        or body.HasField("window")
        or body.sort_key_ids
        or body.within_group_key_ids
        or body.null_treatment
    )
    if modified:
        yield "a scalar function has arguments and nothing else: got modifiers of an aggregate"


def _window_call(body: functions_pb2.CallExpression) -> Iterator[str]:
    if not body.HasField("window"):
        yield missing("window")
    if body.sort_key_ids or body.within_group_key_ids:
        yield "a window function is ordered by its window: got an order of its own"
    if not body.window.HasField("frame"):
        return
    frame = body.window.frame
    yield from enum_problem(functions_pb2.FrameUnit, frame.unit, "frame.unit")
    for name, bound in (("start", frame.start), ("end", frame.end)):
        kind = bound.kind
        yield from enum_problem(functions_pb2.FrameBoundKind, kind, f"frame.{name}.kind")
        if (kind in _DISTANT) != bound.HasField("offset_id"):
            yield f"frame.{name} has an offset if it is PRECEDING or FOLLOWING, and only then"
    if frame.start.kind == functions_pb2.FRAME_BOUND_KIND_UNBOUNDED_FOLLOWING:
        yield "a frame starts before the partition's end: got UNBOUNDED_FOLLOWING"
    if frame.end.kind == functions_pb2.FRAME_BOUND_KIND_UNBOUNDED_PRECEDING:
        yield "a frame ends behind the partition's start: got UNBOUNDED_PRECEDING"
    if 0 < frame.end.kind < frame.start.kind:
        yield "a frame ends behind its start: got an end before it"


_DISTANT: Final = frozenset({
    functions_pb2.FRAME_BOUND_KIND_PRECEDING, functions_pb2.FRAME_BOUND_KIND_FOLLOWING,
})  # fmt: skip

_RULES: Final[dict[str, Callable[[Any, int], Iterator[str]]]] = {
    "column": _column,
    "outer_column": _column,
    "literal": _literal,
    "parameter": _parameter,
    "alias": _alias,
    "cast": _cast,
    "case_when": _case,
    "like": _like,
    "access": _access,
    "sort_key": _sort_key,
    "quantified_comparison": _quantified,
    "lambda_function": _lambda,
    "lambda_variable": _variable,
    "call": _call,
}
