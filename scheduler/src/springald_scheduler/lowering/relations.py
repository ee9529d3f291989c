"""Relations of plans as SQL: what dispatches, and those with one input that are a SELECT."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Final

from springald.errors import (
    InvalidQueryError,
    SpringaldError,
    UnknownColumnError,
    UnsupportedError,
)
from springald.plan.v1 import functions_pb2, plan_pb2
from springald_scheduler.lowering.expressions import lower_all, lower_expression, lower_key
from springald_scheduler.lowering.lowering import Lowering, close
from springald_scheduler.lowering.model import (
    Block,
    Column,
    OrderKey,
    Scope,
    Surroundings,
    scope_of,
)
from springald_scheduler.lowering.naming import direction, name_of
from springald_scheduler.lowering.resolving import find, find_all, resolve
from springald_scheduler.lowering.steps import Step

Rule = Callable[[Lowering, plan_pb2.Relation, Surroundings], Step[Block] | Block]

RULES: Final[dict[str, Rule]] = {}
"""Rules by kind of relation; each module of relations adds its own."""


def rule(*kinds: str) -> Callable[[Rule], Rule]:
    """Files a function as the rule for kinds of relations."""

    def file(function: Rule) -> Rule:
        RULES.update(dict.fromkeys(kinds, function))
        return function

    return file


def lower_relation(lowering: Lowering, relation_id: int, around: Surroundings) -> Step[Block]:
    """Returns a relation as a block.

    Raises:
        SpringaldError: It names what is not there, or what the engine cannot do.
    """
    relation = lowering.tree.relation(relation_id)
    try:
        lower = RULES[relation.WhichOneof("kind") or ""]
        block: Block = yield lower(lowering, relation, around)
    except SpringaldError as error:
        error.node_id = error.node_id or node_of(relation)
        raise
    return block


def node_of(relation: plan_pb2.Relation) -> str:
    """Returns how errors name a relation."""
    return f"r{relation.common.node_id}"


def lower_input(
    lowering: Lowering, relation: plan_pb2.Relation, around: Surroundings
) -> Step[Block]:
    """Returns the only input of a relation, as the relation's own block."""
    block: Block = yield lower_relation(lowering, relation.common.input_ids[0], around)
    return replace(block, node=node_of(relation))


def plain(
    lowering: Lowering, block: Block, around: Surroundings, *, keeps_order: bool, limited: bool
) -> Block:
    """Returns a block over whose columns expressions can be written.

    Args:
        lowering: The plan.
        block: The block.
        around: What is round it.
        keeps_order: Whether what follows hands the order of rows on.
        limited: Whether what follows may see the rows after a limit only when they are counted.
    """
    if block.is_plain and not (block.is_limited and not limited):
        return block if keeps_order else block.without_order()
    return close(lowering, block, nested=around.is_nested, keeps_order=keeps_order)


def closed(lowering: Lowering, block: Block, around: Surroundings) -> Block:
    """Returns a block written down, its order lost."""
    return close(lowering, block, nested=around.is_nested, keeps_order=False)


def as_table(
    lowering: Lowering, block: Block, around: Surroundings, *, atomic: bool = False
) -> Block:
    """Returns a block that is one item of a FROM, in no order."""
    if block.is_table and (block.is_atomic or not atomic):
        return replace(block, order=())
    return closed(lowering, block, around)


def with_items(
    lowering: Lowering,
    block: Block,
    columns: Iterable[Column],
    around: Surroundings,
) -> Block:
    """Returns a block with other columns, in the terms of its source.

    A SELECT orders by its own columns first, so where some are computed the keys of an order become
    columns too.
    """
    listed = tuple(columns)
    if block.groups:
        return replace(block, columns=listed, computed=block.computed + 1)
    known = {column.sql for column in block.columns}
    is_plain = all(column.sql in known for column in listed)
    changed = replace(block, columns=listed, is_plain=is_plain)
    if is_plain or not block.order:
        return changed
    if block.is_limited:
        message = "a limited order is closed before columns are computed"
        raise AssertionError(message)
    return close(lowering, changed, nested=around.is_nested, keeps_order=True)


def has_windows(lowering: Lowering, ids: Iterable[int]) -> bool:
    """True if expressions call window functions."""
    return any(
        node.call.function_kind == functions_pb2.FUNCTION_KIND_WINDOW
        for each in ids
        for node in lowering.tree.nodes_below(each)
    )


def named_column(lowering: Lowering, expression_id: int, scope: Scope) -> Step[Column]:
    """Returns an expression as a column: its text, name and qualifier."""
    expression = lowering.tree.expression(expression_id)
    match expression.WhichOneof("kind"):
        case "column":
            return resolve(expression.column, scope, f"e{expression_id}")
        case "alias":
            alias = expression.alias
            piece = yield lower_expression(lowering, expression_id, scope)
            qualifier = alias.qualifier if alias.HasField("qualifier") else None
            return Column(alias.name, piece.sql, qualifier)
    piece = yield lower_expression(lowering, expression_id, scope)
    name = yield name_of(lowering.tree, expression_id, scope)
    return Column(name, piece.sql)


def ready_for(lowering: Lowering, block: Block, around: Surroundings, ids: Iterable[int]) -> Block:
    """Returns a block over which new columns can be computed."""
    windows = has_windows(lowering, ids)
    computed = any(
        lowering.tree.expression(each).WhichOneof("kind") not in {"column", "star"} for each in ids
    )
    limited = not windows and not (computed and block.order)
    if block.groups and not block.is_limited and not windows and _is_first_over_groups(block):
        return block
    return plain(lowering, block, around, keeps_order=True, limited=limited)


def _is_first_over_groups(block: Block) -> bool:
    """True if a block's columns are its groups' alone, so that more can be computed of them."""
    return not block.order and block.computed == 0


@rule("projection")
def _projection(
    lowering: Lowering, relation: plan_pb2.Relation, around: Surroundings
) -> Step[Block]:
    ids = relation.projection.expression_ids
    block: Block = yield lower_input(lowering, relation, around)
    block = ready_for(lowering, block, around, ids)
    scope = scope_of(block.columns, around)
    columns: list[Column] = []
    for each in ids:
        expression = lowering.tree.expression(each)
        if expression.WhichOneof("kind") == "star":
            columns.extend(_star(expression, scope))
        else:
            columns.append((yield named_column(lowering, each, scope)))
    return with_items(lowering, block, columns, around)


def _star(expression: plan_pb2.Expression, scope: Scope) -> list[Column]:
    star, node = expression.star, f"e{expression.common.node_id}"
    columns = list(scope.columns)
    if star.HasField("qualifier"):
        columns = [column for column in columns if column.qualifier == star.qualifier]
        if not columns:
            message = f"a star's qualifier is one of the input's: got {star.qualifier!r}"
            raise UnknownColumnError(message, node_id=node)
    left_out = set(star.except_names)
    absent = left_out - {column.name for column in columns}
    if absent:
        message = f"a column that is left out is there: got {min(absent)!r}"
        raise UnknownColumnError(message, node_id=node)
    return [column for column in columns if column.name not in left_out]


@rule("with_columns")
def _with_columns(
    lowering: Lowering, relation: plan_pb2.Relation, around: Surroundings
) -> Step[Block]:
    ids = relation.with_columns.expression_ids
    block: Block = yield lower_input(lowering, relation, around)
    block = ready_for(lowering, block, around, ids)
    scope = scope_of(block.columns, around)
    columns = list(block.columns)
    added: set[str] = set()
    for each in ids:
        column = yield named_column(lowering, each, scope)
        places = scope.index.get(column.name, [])
        if column.name in added or len(places) > 1:
            message = f"a new column's name is given once and fits one column: got {column.name!r}"
            raise InvalidQueryError(message, node_id=f"e{each}")
        added.add(column.name)
        if places:
            columns[places[0]] = replace(column, qualifier=scope.columns[places[0]].qualifier)
        else:
            columns.append(column)
    return with_items(lowering, block, columns, around)


@rule("drop_columns")
def _drop_columns(
    lowering: Lowering, relation: plan_pb2.Relation, around: Surroundings
) -> Step[Block]:
    block: Block = yield lower_input(lowering, relation, around)
    scope = scope_of(block.columns, around)
    dropped: set[int] = set()
    for name in relation.drop_columns.columns:
        dropped.update(find_all(name, scope, node_of(relation)))
    kept = tuple(column for place, column in enumerate(block.columns) if place not in dropped)
    return replace(block, columns=kept)


@rule("rename_columns")
def _rename_columns(
    lowering: Lowering, relation: plan_pb2.Relation, around: Surroundings
) -> Step[Block]:
    block: Block = yield lower_input(lowering, relation, around)
    scope = scope_of(block.columns, around)
    columns = list(block.columns)
    renamed: set[int] = set()
    for renaming in relation.rename_columns.renamings:
        place = find(renaming.column, scope, node_of(relation))
        if place in renamed:
            message = f"a column is renamed once: got {renaming.column.name!r} twice"
            raise InvalidQueryError(message, node_id=node_of(relation))
        renamed.add(place)
        columns[place] = Column(renaming.new_name, columns[place].sql)
    return replace(block, columns=tuple(columns))


@rule("filter")
def _filter(lowering: Lowering, relation: plan_pb2.Relation, around: Surroundings) -> Step[Block]:
    block: Block = yield lower_input(lowering, relation, around)
    block = plain(lowering, block, around, keeps_order=True, limited=False)
    scope = scope_of(block.columns, around)
    condition = yield lower_expression(lowering, relation.filter.condition_id, scope)
    return replace(block, where=(*block.where, condition.inside))


@rule("sample")
def _sample(lowering: Lowering, relation: plan_pb2.Relation, around: Surroundings) -> Step[Block]:
    block: Block = yield lower_input(lowering, relation, around)
    if relation.sample.HasField("seed"):
        message = "a sample is drawn anew each time: got a seed"
        raise UnsupportedError(f"{message}; leave it out, or filter by a hash of a key")
    block = plain(lowering, block, around, keeps_order=True, limited=False)
    condition = f"(random() < {relation.sample.fraction!r}::double)"
    return replace(block, where=(*block.where, condition))


@rule("sort")
def _sort(lowering: Lowering, relation: plan_pb2.Relation, around: Surroundings) -> Step[Block]:
    block: Block = yield lower_input(lowering, relation, around)
    block = plain(lowering, block, around, keeps_order=False, limited=False)
    scope = scope_of(block.columns, around)
    keys = yield lower_sort_keys(lowering, relation.sort.sort_key_ids, scope)
    return replace(block, order=tuple(keys))


def lower_sort_keys(lowering: Lowering, ids: Iterable[int], scope: Scope) -> Step[list[OrderKey]]:
    """Returns sort keys; one that repeats an earlier one decides nothing and is left out."""
    keys: dict[str, OrderKey] = {}
    for each in ids:
        expression = lowering.tree.expression(each)
        text = yield lower_key(lowering, expression.common.operand_ids[0], scope)
        keys.setdefault(text, OrderKey(text, direction(expression.sort_key)))
    return list(keys.values())


@rule("fetch")
def _fetch(lowering: Lowering, relation: plan_pb2.Relation, around: Surroundings) -> Step[Block]:
    block: Block = yield lower_input(lowering, relation, around)
    fetch = relation.fetch
    skip = block.skip + fetch.skip_rows
    limits = [fetch.fetch_rows] if fetch.HasField("fetch_rows") else []
    if block.fetch is not None:
        limits.append(max(0, block.fetch - fetch.skip_rows))
    most = 2**63 - 1
    if skip > most or any(limit > most for limit in limits):
        message = f"rows are counted up to {most}: got more"
        raise InvalidQueryError(message, node_id=node_of(relation))
    return replace(block, skip=skip, fetch=min(limits) if limits else None)


@rule("subquery_alias")
def _subquery_alias(
    lowering: Lowering, relation: plan_pb2.Relation, around: Surroundings
) -> Step[Block]:
    block: Block = yield lower_input(lowering, relation, around)
    alias = relation.subquery_alias
    names = [column.name for column in block.columns]
    if alias.column_names:
        if len(alias.column_names) != len(names):
            message = f"an alias names all {len(names)} columns: got {len(alias.column_names)}"
            raise InvalidQueryError(message, node_id=node_of(relation))
        names = list(alias.column_names)
    return replace(
        block,
        columns=tuple(
            Column(name, column.sql, alias.name)
            for name, column in zip(names, block.columns, strict=True)
        ),
    )


@rule("repartition")
def _repartition(
    lowering: Lowering, relation: plan_pb2.Relation, around: Surroundings
) -> Step[Block]:
    block: Block = yield lower_input(lowering, relation, around)
    block = plain(lowering, block, around, keeps_order=False, limited=True)
    # A hint that is not followed; what it names is looked up all the same.
    yield lower_all(lowering, relation.repartition.key_ids, scope_of(block.columns, around))
    return block
