"""Expressions of plans as SQL."""

from collections.abc import Callable
from typing import Any, Final

from springald.errors import InvalidQueryError, SpringaldError, UnsupportedError
from springald.plan.v1 import expressions_pb2, plan_pb2
from springald.types import data_type_from_proto
from springald_scheduler.lowering.arrow_types import arrow_text
from springald_scheduler.lowering.calls import lower_call
from springald_scheduler.lowering.literal_tables import needs_table, table_value
from springald_scheduler.lowering.literals import cast_to, interval_text, literal_text, scalar_of
from springald_scheduler.lowering.lowering import Lowering
from springald_scheduler.lowering.model import Scope
from springald_scheduler.lowering.naming import direction, like_operator
from springald_scheduler.lowering.resolving import resolve
from springald_scheduler.lowering.steps import Step, all_of
from springald_scheduler.lowering.text import Piece, quoted, string

Rule = Callable[[Lowering, plan_pb2.Expression, Scope], Step[Piece] | Piece]

SUBQUERY: Final[dict[str, Rule]] = {}
"""Rules for expressions that hold a relation; filled by what lowers relations."""


def lower_expression(lowering: Lowering, expression_id: int, scope: Scope) -> Step[Piece]:
    """Returns an expression as SQL.

    Raises:
        SpringaldError: It names what is not there, or has a value that the engine does not take.
    """
    expression = lowering.tree.expression(expression_id)
    kind = expression.WhichOneof("kind") or ""
    rule = _RULES.get(kind) or SUBQUERY[kind]
    try:
        piece: Piece = yield rule(lowering, expression, scope)
    except SpringaldError as error:
        error.node_id = error.node_id or node_of(expression)
        raise
    return piece


def lower_all(lowering: Lowering, ids: Any, scope: Scope) -> Step[list[Piece]]:  # noqa: ANN401
    """Returns several expressions as SQL."""
    pieces: list[Piece] = yield all_of(lower_expression(lowering, each, scope) for each in ids)
    return pieces


def lower_key(lowering: Lowering, expression_id: int, scope: Scope) -> Step[str]:
    """Returns an expression by which rows are grouped or ordered.

    A number that stands there alone would mean a column by its position.
    """
    piece: Piece = yield lower_expression(lowering, expression_id, scope)
    if piece.sql.removeprefix("-").isdigit():
        return f"arrow_cast({piece.sql}, 'Int64')"
    return piece.inside


def node_of(expression: plan_pb2.Expression) -> str:
    """Returns how errors name an expression."""
    return f"e{expression.common.node_id}"


def _column(_: Lowering, expression: plan_pb2.Expression, scope: Scope) -> Piece:
    return Piece(resolve(expression.column, scope, node_of(expression)).sql)


def _outer(_: Lowering, expression: plan_pb2.Expression, scope: Scope) -> Piece:
    found: Scope | None = scope
    for _level in range(expression.outer_column.levels or 1):
        found = found.outer if found else None
    if found is None:
        message = "an outer column is of a query round it: got none there"
        raise InvalidQueryError(message, node_id=node_of(expression))
    return Piece(resolve(expression.outer_column, found, node_of(expression)).sql)


def _literal(lowering: Lowering, expression: plan_pb2.Expression, _: Scope) -> Piece:
    message = expression.literal.value
    interval = interval_text(message)
    if interval:
        return interval
    scalar = scalar_of(message)
    text = literal_text(scalar)
    if text is None and needs_table(scalar.type):
        return table_value(lowering, scalar)
    return text or _bound(lowering.bind(scalar), scalar.type)


def _bound(parameter: str, data_type: Any) -> Piece:  # noqa: ANN401 - a type of pyarrow
    """Returns a parameter with its type, which the engine otherwise learns too late."""
    try:
        return cast_to(parameter, data_type)
    except UnsupportedError:
        return Piece(parameter)


def _parameter(lowering: Lowering, expression: plan_pb2.Expression, _: Scope) -> Piece:
    parameter = expression.parameter
    name = parameter.name or str(parameter.position)
    if name not in lowering.given:
        message = f"a parameter has a value: got none for ${name}"
        raise InvalidQueryError(f"{message}; send one", node_id=node_of(expression))
    scalar = lowering.given[name]
    piece = literal_text(scalar)
    if piece is None and needs_table(scalar.type):
        piece = table_value(lowering, scalar)
    piece = piece or _bound(lowering.give(name), scalar.type)
    if parameter.HasField("type"):
        return cast_to(piece.sql, data_type_from_proto(parameter.type))
    return piece


def _alias(lowering: Lowering, expression: plan_pb2.Expression, scope: Scope) -> Step[Piece]:
    piece: Piece = yield lower_expression(lowering, expression.common.operand_ids[0], scope)
    return piece


def _cast(lowering: Lowering, expression: plan_pb2.Expression, scope: Scope) -> Step[Piece]:
    operand = yield lower_expression(lowering, expression.common.operand_ids[0], scope)
    data_type = arrow_text(data_type_from_proto(expression.cast.type))
    tries = expression.cast.failure == expressions_pb2.CAST_FAILURE_NULL
    function = "arrow_try_cast" if tries else "arrow_cast"
    return Piece(f"{function}({operand.sql}, {string(data_type)})")


def _case(lowering: Lowering, expression: plan_pb2.Expression, scope: Scope) -> Step[Piece]:
    case = expression.case_when
    pieces = yield lower_all(lowering, expression.common.operand_ids, scope)
    text = f"CASE {pieces.pop(0).inside}" if case.has_base else "CASE"
    default = f" ELSE {pieces.pop().inside}" if case.has_default else ""
    for when, then in zip(pieces[::2], pieces[1::2], strict=True):
        text += f" WHEN {when.inside} THEN {then.inside}"
    return Piece(f"{text}{default} END")


def _between(lowering: Lowering, expression: plan_pb2.Expression, scope: Scope) -> Step[Piece]:
    value, low, high = yield lower_all(lowering, expression.common.operand_ids, scope)
    word = "NOT BETWEEN" if expression.between.negated else "BETWEEN"
    return Piece(f"{value.inside} {word} {low.inside} AND {high.inside}", is_atom=False)


def _in_list(lowering: Lowering, expression: plan_pb2.Expression, scope: Scope) -> Step[Piece]:
    value, *items = yield lower_all(lowering, expression.common.operand_ids, scope)
    negated = expression.in_list.negated
    if not items:
        return Piece("TRUE" if negated else "FALSE")
    listed = ", ".join(item.inside for item in items)
    return Piece(f"{value.inside} {'NOT ' if negated else ''}IN ({listed})", is_atom=False)


def _like(lowering: Lowering, expression: plan_pb2.Expression, scope: Scope) -> Step[Piece]:
    like = expression.like
    value, pattern = yield lower_all(lowering, expression.common.operand_ids, scope)
    if like.HasField("escape") and like.escape != "\\":
        pattern = _escaped_anew(lowering, expression.common.operand_ids[1], like.escape)
    return Piece(f"{value.inside} {like_operator(like)} {pattern.inside}", is_atom=False)


def _escaped_anew(lowering: Lowering, pattern_id: int, escape: str) -> Piece:
    """Returns a pattern with backslashes in the place of another escape, for the engine."""
    literal = lowering.tree.expression(pattern_id).literal.value.value
    if literal.WhichOneof("kind") != "string_value":
        message = "a pattern with another escape than a backslash is a literal of text: got another"
        raise UnsupportedError(f"{message}; write the pattern with backslashes")
    made, characters = "", iter(literal.string_value)
    for each in characters:
        kept = next(characters, escape) if each == escape else each
        is_plain = kept != "\\" and (each != escape or kept not in "%_")
        made += kept if is_plain else f"\\{kept}"
    return Piece(string(made))


def _access(lowering: Lowering, expression: plan_pb2.Expression, scope: Scope) -> Step[Piece]:
    access = expression.access
    if access.kind == expressions_pb2.ACCESS_KIND_FIELD:
        field: Piece = yield _field(lowering, expression, scope)
        return field
    pieces = yield lower_all(lowering, expression.common.operand_ids, scope)
    listed = ", ".join(piece.sql for piece in pieces)
    match access.kind:
        case expressions_pb2.ACCESS_KIND_ELEMENT:
            return Piece(f"array_element({listed})")
        case expressions_pb2.ACCESS_KIND_SLICE:
            return Piece(f"array_slice({listed})")
        case _:
            return Piece(f"array_element(map_extract({listed}), 1)")


def _field(lowering: Lowering, expression: plan_pb2.Expression, scope: Scope) -> Step[Piece]:
    """Returns a field of a struct, or of a struct in it.

    The engine takes what lies under a null struct for the field's value, so structs of tables are
    looked at first. Those that the engine makes have nothing there, and looking at them would
    write what makes them twice, at each level.
    """
    names = [expression.access.field_name]
    below = lowering.tree.expression(expression.common.operand_ids[0])
    while below.access.kind == expressions_pb2.ACCESS_KIND_FIELD:
        names.append(below.access.field_name)
        below = lowering.tree.expression(below.common.operand_ids[0])
    base: Piece = yield lower_expression(lowering, below.common.node_id, scope)
    text, structs = base.sql, []
    for name in reversed(names):
        structs.append(f"{text} IS NOT NULL")
        text = f"get_field({text}, {string(name)})"
    if below.WhichOneof("kind") not in {"column", "outer_column", "lambda_variable"}:
        return Piece(text)
    return Piece(f"CASE WHEN {' AND '.join(structs)} THEN {text} END")


def _lambda(lowering: Lowering, expression: plan_pb2.Expression, scope: Scope) -> Step[Piece]:
    lowering.needs_lambdas = True
    body = yield lower_expression(lowering, expression.common.operand_ids[0], scope)
    names = ", ".join(quoted(name) for name in expression.lambda_function.parameters)
    return Piece(f"({names}) -> {body.sql}", is_atom=False)


def _lambda_variable(_: Lowering, expression: plan_pb2.Expression, __: Scope) -> Piece:
    return Piece(quoted(expression.lambda_variable.name))


def _sort_key(lowering: Lowering, expression: plan_pb2.Expression, scope: Scope) -> Step[Piece]:
    key = yield lower_key(lowering, expression.common.operand_ids[0], scope)
    return Piece(key + direction(expression.sort_key), is_atom=False)


def _call(lowering: Lowering, expression: plan_pb2.Expression, scope: Scope) -> Step[Piece]:
    piece: Piece = yield lower_call(lowering, expression, scope, lower_all)
    return piece


def _star(_: Lowering, expression: plan_pb2.Expression, __: Scope) -> Piece:
    message = "a star is an item of a projection: got one elsewhere"
    raise InvalidQueryError(message, node_id=node_of(expression))


_RULES: Final[dict[str, Rule]] = {
    "column": _column,
    "outer_column": _outer,
    "literal": _literal,
    "parameter": _parameter,
    "star": _star,
    "alias": _alias,
    "cast": _cast,
    "case_when": _case,
    "between": _between,
    "in_list": _in_list,
    "like": _like,
    "access": _access,
    "lambda_function": _lambda,
    "lambda_variable": _lambda_variable,
    "sort_key": _sort_key,
    "call": _call,
}
