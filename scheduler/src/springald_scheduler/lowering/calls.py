"""Calls of functions as SQL, with all that modifies them."""

from collections.abc import Callable, Sequence
from typing import Any, Final

from springald.errors import UnknownFunctionError, UnsupportedError
from springald.plan.v1 import functions_pb2, plan_pb2
from springald.plans.operators import Fixity, Operator, operator_of
from springald_scheduler.lowering.literals import interval_sql, scalar_of
from springald_scheduler.lowering.lowering import Lowering
from springald_scheduler.lowering.model import Scope
from springald_scheduler.lowering.naming import direction, frame_text
from springald_scheduler.lowering.steps import Step
from springald_scheduler.lowering.text import Piece, quoted

LowerAll = Callable[[Lowering, Any, Scope], Step[list[Piece]]]

_NOT_SCALAR: Final = frozenset({"unnest"})
"""Functions that make rows, for which there are relations."""


def lower_call(
    lowering: Lowering, expression: plan_pb2.Expression, scope: Scope, lower_all: LowerAll
) -> Step[Piece]:
    """Returns a call as SQL."""
    call = expression.call
    chained = lowering.tree.chain_of(expression)
    if chained:
        pieces = yield lower_all(lowering, chained, scope)
        return _balanced(call.function_name, pieces)
    arguments = yield lower_all(lowering, expression.common.operand_ids, scope)
    if call.function_kind == functions_pb2.FUNCTION_KIND_SCALAR:
        operator = operator_of(call.function_name, len(arguments))
        if operator:
            return _operation(operator, arguments)
        if call.function_name in _NOT_SCALAR:
            message = f"a scalar function gives one value a row: got {call.function_name}"
            raise UnknownFunctionError(f"{message}; use an UnnestRelation")
        listed = ", ".join(argument.sql for argument in arguments)
        return Piece(f"{quoted(call.function_name)}({listed})")
    text = yield _with_modifiers(lowering, call, arguments, scope, lower_all)
    if call.function_kind == functions_pb2.FUNCTION_KIND_WINDOW:
        text += yield _over(lowering, call.window, scope, lower_all)
    return Piece(text)


def _operation(operator: Operator, arguments: list[Piece]) -> Piece:
    match operator.fixity:
        case Fixity.PREFIX:
            return Piece(f"{operator.symbol} ({arguments[0].sql})", is_atom=False)
        case Fixity.POSTFIX:
            return Piece(f"{arguments[0].inside} {operator.symbol}", is_atom=False)
    pieces = [argument.inside for argument in arguments]
    return Piece(f" {operator.symbol} ".join(pieces), is_atom=False)


def _balanced(name: str, pieces: list[Piece]) -> Piece:
    """Returns operands of a chain in pairs of pairs.

    The engine looks at a chain of thousands, written flat, for minutes; as a tree, for a second.
    """
    word = f" {name.upper()} "
    while len(pieces) > 1:
        pairs = [pieces[at : at + 2] for at in range(0, len(pieces), 2)]
        pieces = [
            Piece(word.join(piece.inside for piece in pair), is_atom=False)
            if len(pair) > 1
            else pair[0]
            for pair in pairs
        ]
    return pieces[0]


def _with_modifiers(
    lowering: Lowering,
    call: functions_pb2.CallExpression,
    arguments: list[Piece],
    scope: Scope,
    lower_all: LowerAll,
) -> Step[str]:
    """Writes them in the only order that the engine's parser takes."""
    listed = ", ".join(argument.sql for argument in arguments)
    if not arguments and call.function_name == "count":
        listed = "*"
    if call.distinct:
        listed = f"DISTINCT {listed}"
    keys = yield _sort_keys(lowering, call.sort_key_ids, scope, lower_all)
    if keys:
        listed += f" ORDER BY {', '.join(keys)}"
    text = f"{quoted(call.function_name)}({listed})"
    keys = yield lower_all(lowering, call.within_group_key_ids, scope)
    if keys:
        text += f" WITHIN GROUP (ORDER BY {', '.join(key.sql for key in keys)})"
    if call.HasField("filter_id"):
        (condition,) = yield lower_all(lowering, [call.filter_id], scope)
        text += f" FILTER (WHERE {condition.sql})"
    match call.null_treatment:
        case functions_pb2.NULL_TREATMENT_IGNORE:
            text += " IGNORE NULLS"
        case functions_pb2.NULL_TREATMENT_RESPECT:
            text += " RESPECT NULLS"
    return text


def _sort_keys(
    lowering: Lowering, ids: Sequence[int], scope: Scope, lower_all: LowerAll
) -> Step[list[str]]:
    """Returns an aggregate's keys of an order without repetitions, on which the engine panics."""
    pieces = yield lower_all(lowering, ids, scope)
    keys: dict[str, str] = {}
    for each, piece in zip(ids, pieces, strict=True):
        behind = direction(lowering.tree.expression(each).sort_key)
        keys.setdefault(piece.sql.removesuffix(behind), piece.sql)
    return list(keys.values())


def _over(
    lowering: Lowering, window: functions_pb2.Window, scope: Scope, lower_all: LowerAll
) -> Step[str]:
    clauses = []
    partitions = yield lower_all(lowering, window.partition_ids, scope)
    if partitions:
        clauses.append(f"PARTITION BY {', '.join(_key(piece) for piece in partitions)}")
    keys = yield lower_all(lowering, window.sort_key_ids, scope)
    if keys:
        clauses.append(f"ORDER BY {', '.join(key.sql for key in keys)}")
    if window.HasField("frame"):
        frame = window.frame
        offsets = [_offset(lowering, bound) for bound in (frame.start, frame.end)]
        clauses.append(frame_text(frame, *offsets))
    return f" OVER ({' '.join(clauses)})"


def _key(piece: Piece) -> str:
    is_number = piece.sql.removeprefix("-").isdigit()
    return f"arrow_cast({piece.sql}, 'Int64')" if is_number else piece.inside


def _offset(lowering: Lowering, bound: functions_pb2.FrameBound) -> str:
    """Returns the distance of a bound, which the engine takes as a number or an interval."""
    if not bound.HasField("offset_id"):
        return ""
    expression = lowering.tree.expression(bound.offset_id)
    scalar = scalar_of(expression.literal.value)
    value = scalar.as_py()
    if isinstance(value, bool) or value is None:
        value = ""
    if hasattr(value, "nanoseconds") and hasattr(value, "months"):
        return interval_sql(scalar)
    try:
        if value >= 0:
            return str(value)
    except TypeError:
        pass
    node = f"e{expression.common.node_id}"
    message = f"the offset of a frame is a number or an interval, not negative: got {scalar}"
    raise UnsupportedError(f"{message}; write it as one", node_id=node)
