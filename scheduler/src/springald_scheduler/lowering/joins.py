"""Joins, and expressions that hold a relation."""

from dataclasses import replace
from typing import Final

from springald.errors import InvalidQueryError
from springald.plan.v1 import plan_pb2, relations_pb2
from springald_scheduler.lowering.expressions import (
    SUBQUERY,
    lower_expression,
)
from springald_scheduler.lowering.lowering import Lowering, placed, select_text, unique_names
from springald_scheduler.lowering.model import Block, Column, Scope, Surroundings, scope_of
from springald_scheduler.lowering.naming import comparison
from springald_scheduler.lowering.relations import as_table, lower_relation, node_of, rule
from springald_scheduler.lowering.resolving import resolve
from springald_scheduler.lowering.steps import Step
from springald_scheduler.lowering.text import Piece, dotted, quoted

_WORDS: Final = {
    relations_pb2.JOIN_TYPE_INNER: "INNER",
    relations_pb2.JOIN_TYPE_LEFT: "LEFT",
    relations_pb2.JOIN_TYPE_RIGHT: "RIGHT",
    relations_pb2.JOIN_TYPE_FULL: "FULL",
    relations_pb2.JOIN_TYPE_LEFT_SEMI: "LEFT SEMI",
    relations_pb2.JOIN_TYPE_RIGHT_SEMI: "RIGHT SEMI",
    relations_pb2.JOIN_TYPE_LEFT_ANTI: "LEFT ANTI",
    relations_pb2.JOIN_TYPE_RIGHT_ANTI: "RIGHT ANTI",
}
_LEFT_ONLY: Final = frozenset({
    relations_pb2.JOIN_TYPE_LEFT_SEMI, relations_pb2.JOIN_TYPE_LEFT_ANTI,
})  # fmt: skip
_RIGHT_ONLY: Final = frozenset({
    relations_pb2.JOIN_TYPE_RIGHT_SEMI, relations_pb2.JOIN_TYPE_RIGHT_ANTI,
})  # fmt: skip
_MARKS: Final = frozenset({
    relations_pb2.JOIN_TYPE_LEFT_MARK, relations_pb2.JOIN_TYPE_RIGHT_MARK,
})  # fmt: skip


@rule("join")
def _join(lowering: Lowering, relation: plan_pb2.Relation, around: Surroundings) -> Step[Block]:
    join, inputs = relation.join, relation.common.input_ids
    left = yield lower_relation(lowering, inputs[0], around)
    left = as_table(lowering, left, around, atomic=join.type in _MARKS)
    if join.is_lateral:
        lateral: Block = yield _lateral(lowering, relation, left, around)
        return lateral
    right = yield lower_relation(lowering, inputs[1], around)
    right = as_table(lowering, right, around, atomic=True)
    condition = yield _condition(lowering, relation, left, right, around)
    if join.type in _MARKS:
        return _marked(lowering, relation, left, right, condition, around)
    return _joined(lowering, relation, left, right, condition)


def _condition(
    lowering: Lowering,
    relation: plan_pb2.Relation,
    left: Block,
    right: Block,
    around: Surroundings,
) -> Step[str]:
    """Returns when rows match; empty if always."""
    join = relation.join
    equal = "="
    if join.null_equality == relations_pb2.NULL_EQUALITY_EQUAL:
        equal = "IS NOT DISTINCT FROM"
    parts = []
    for key in join.keys:
        one = yield lower_expression(lowering, key.left_id, scope_of(left.columns, around))
        other = yield lower_expression(lowering, key.right_id, scope_of(right.columns, around))
        parts.append(f"{one.inside} {equal} {other.inside}")
    if join.HasField("condition_id"):
        scope = scope_of((*left.columns, *right.columns), around)
        piece = yield lower_expression(lowering, join.condition_id, scope)
        parts.append(piece.inside)
    return " AND ".join(f"({part})" for part in parts) if len(parts) > 1 else "".join(parts)


def _joined(
    lowering: Lowering, relation: plan_pb2.Relation, left: Block, right: Block, condition: str
) -> Block:
    join = relation.join
    if not condition and join.type == relations_pb2.JOIN_TYPE_INNER:
        source = f"{left.source} CROSS JOIN {right.source}"
    else:
        source = f"{left.source} {_WORDS[join.type]} JOIN {right.source} ON {condition or 'TRUE'}"
    columns = (*left.columns, *right.columns)
    if join.type in _LEFT_ONLY:
        columns = left.columns
    elif join.type in _RIGHT_ONLY:
        columns = right.columns
    block = Block(node_of(relation), source, columns, is_atomic=False)
    if join.merges_keys and join.type not in _LEFT_ONLY | _RIGHT_ONLY:
        merged = _merged(lowering, relation, left, right)
        return replace(block, columns=merged.columns, is_plain=merged.is_plain)
    return block


def _merged(lowering: Lowering, relation: plan_pb2.Relation, left: Block, right: Block) -> Block:
    """Returns what comes out of a join of which each key comes out once: only its columns count."""
    join, node = relation.join, node_of(relation)
    columns, gone = list(left.columns), set()
    for key in join.keys:
        one = _place(lowering, key.left_id, left, node)
        other = _place(lowering, key.right_id, right, node)
        own, its = left.columns[one], right.columns[other]
        if own.name != its.name:
            message = f"merged keys have one name: got {own.name!r} and {its.name!r}"
            raise InvalidQueryError(f"{message}; leave merges_keys out", node_id=node)
        gone.add(other)
        if join.type == relations_pb2.JOIN_TYPE_RIGHT:
            columns[one] = replace(own, sql=its.sql)
        elif join.type == relations_pb2.JOIN_TYPE_FULL:
            columns[one] = replace(own, sql=f"coalesce({own.sql}, {its.sql})")
    columns += [each for place, each in enumerate(right.columns) if place not in gone]
    is_plain = join.type != relations_pb2.JOIN_TYPE_FULL
    return Block(node, "", tuple(columns), is_plain=is_plain)


def _place(lowering: Lowering, expression_id: int, block: Block, node: str) -> int:
    """Returns the place of a key that is a column."""
    expression = lowering.tree.expression(expression_id)
    if expression.WhichOneof("kind") != "column":
        message = f"merged keys are columns: got another expression, e{expression_id}"
        raise InvalidQueryError(f"{message}; leave merges_keys out", node_id=node)
    found = resolve(expression.column, scope_of(block.columns, Surroundings()), node)
    return block.columns.index(found)


def _marked(
    lowering: Lowering,
    relation: plan_pb2.Relation,
    left: Block,
    right: Block,
    condition: str,
    around: Surroundings,
) -> Block:
    """Returns one side with whether each row has a match.

    The engine has no SQL for it. Rows with a match and rows without one come from two joins, which
    read each side twice.
    """
    is_left = relation.join.type == relations_pb2.JOIN_TYPE_LEFT_MARK
    kept, word = (left, "LEFT") if is_left else (right, "RIGHT")
    columns = (*kept.columns, Column("mark", "TRUE"))
    names = unique_names(columns)
    texts = []
    for how, mark in (("SEMI", "TRUE"), ("ANTI", "FALSE")):
        source = f"{left.source} {word} {how} JOIN {right.source} ON {condition or 'TRUE'}"
        listed = (*kept.columns, Column("mark", mark))
        texts.append(select_text(Block(node_of(relation), source, listed), names=names))
    return placed(
        lowering,
        " UNION ALL ".join(texts),
        node_of(relation),
        tuple(zip((each.name for each in columns), names, strict=True)),
        nested=around.is_nested,
        qualifiers=tuple(each.qualifier for each in columns),
    )


def _lateral(
    lowering: Lowering, relation: plan_pb2.Relation, left: Block, around: Surroundings
) -> Step[Block]:
    """Returns a join whose right side is computed for each row of the left one."""
    inner = Surroundings(scope_of(left.columns, around), around.names, is_nested=True)
    right = yield lower_relation(lowering, relation.common.input_ids[1], inner)
    names = unique_names(right.columns)
    alias = lowering.new_name()
    source = f"LATERAL ({select_text(right, names=names)}) AS {quoted(alias)}"
    columns = tuple(
        Column(column.name, dotted(alias, name), column.qualifier)
        for column, name in zip(right.columns, names, strict=True)
    )
    table = Block(node_of(relation), source, columns)
    condition = yield _condition(lowering, relation, left, table, around)
    return _joined(lowering, relation, left, table, condition)


def subquery_text(
    lowering: Lowering,
    expression: plan_pb2.Expression,
    relation_id: int,
    scope: Scope,
    *,
    columns: int | None,
) -> Step[str]:
    """Returns the query of an expression.

    Args:
        lowering: The plan.
        expression: The expression that holds it.
        relation_id: The relation.
        scope: What the expression may name.
        columns: How many columns it must have; None if they do not matter.
    """
    around = Surroundings(scope, scope.names, lowering.tree.is_correlated(relation_id))
    block = yield lower_relation(lowering, relation_id, around)
    if columns is None:
        return select_text(replace(block.without_order(), columns=()), extra=("1",))
    if len(block.columns) != columns:
        message = f"a subquery that is compared has {columns} column: got {len(block.columns)}"
        raise InvalidQueryError(message, node_id=f"e{expression.common.node_id}")
    return select_text(block.without_order(), names=unique_names(block.columns))


def _scalar(lowering: Lowering, expression: plan_pb2.Expression, scope: Scope) -> Step[Piece]:
    relation_id = expression.scalar_subquery.relation_id
    text = yield subquery_text(lowering, expression, relation_id, scope, columns=1)
    return Piece(f"({text})")


def _exists(lowering: Lowering, expression: plan_pb2.Expression, scope: Scope) -> Step[Piece]:
    exists = expression.exists
    text = yield subquery_text(lowering, expression, exists.relation_id, scope, columns=None)
    return Piece(f"{'NOT ' if exists.negated else ''}EXISTS ({text})", is_atom=False)


def _in(lowering: Lowering, expression: plan_pb2.Expression, scope: Scope) -> Step[Piece]:
    within = expression.in_subquery
    value = yield lower_expression(lowering, expression.common.operand_ids[0], scope)
    text = yield subquery_text(lowering, expression, within.relation_id, scope, columns=1)
    return Piece(f"{value.inside} {'NOT ' if within.negated else ''}IN ({text})", is_atom=False)


def _quantified(lowering: Lowering, expression: plan_pb2.Expression, scope: Scope) -> Step[Piece]:
    compared = expression.quantified_comparison
    value = yield lower_expression(lowering, expression.common.operand_ids[0], scope)
    text = yield subquery_text(lowering, expression, compared.relation_id, scope, columns=1)
    return Piece(f"{value.inside} {comparison(compared)} ({text})", is_atom=False)


SUBQUERY.update(
    scalar_subquery=_scalar, exists=_exists, in_subquery=_in, quantified_comparison=_quantified
)
