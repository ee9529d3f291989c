"""Relations that look at several rows at once: groups, distinct rows, windows, lists."""

from dataclasses import replace
from typing import Final

import pyarrow as pa
from pyarrow import types as pt

from springald.plan.v1 import plan_pb2, relations_pb2
from springald_scheduler.lowering.expressions import lower_key
from springald_scheduler.lowering.lowering import (
    NO_GROUPS,
    Lowering,
    placed,
    select_text,
    unique_names,
)
from springald_scheduler.lowering.model import Block, Column, Surroundings, scope_of
from springald_scheduler.lowering.relations import (
    as_table,
    closed,
    lower_input,
    lower_sort_keys,
    named_column,
    node_of,
    plain,
    rule,
)
from springald_scheduler.lowering.resolving import find
from springald_scheduler.lowering.steps import Step, all_of
from springald_scheduler.lowering.text import string

_SHORTHANDS: Final = {
    relations_pb2.GROUPING_MODE_ROLLUP: "ROLLUP",
    relations_pb2.GROUPING_MODE_CUBE: "CUBE",
}


@rule("aggregate")
def _aggregate(
    lowering: Lowering, relation: plan_pb2.Relation, around: Surroundings
) -> Step[Block]:
    aggregate = relation.aggregate
    block: Block = yield lower_input(lowering, relation, around)
    block = plain(lowering, block, around, keeps_order=False, limited=False)
    scope = scope_of(block.columns, around)
    grouped = _positions_grouped(aggregate)
    keys, columns = [], []
    for position, each in enumerate(aggregate.grouping_ids):
        key = yield lower_key(lowering, each, scope)
        column = yield named_column(lowering, each, scope)
        keys.append(key)
        # What is in no set is null in all groups, of its own type.
        null = f"first_value(CASE WHEN FALSE THEN {key} END)"
        columns.append(replace(column, sql=key if position in grouped else null))
    columns += yield all_of(named_column(lowering, each, scope) for each in aggregate.aggregate_ids)
    if not columns:
        return _one_row(relation)
    clause = _grouping(aggregate, keys) if keys else NO_GROUPS
    made = replace(block, columns=tuple(columns), order=(), is_plain=False, groups=clause)
    # Inside of a query that it takes columns from, the engine wants an aggregate as it is.
    return made if around.is_nested else closed(lowering, made, around)


def _positions_grouped(aggregate: relations_pb2.AggregateRelation) -> set[int]:
    if aggregate.grouping_mode != relations_pb2.GROUPING_MODE_SETS:
        return set(range(len(aggregate.grouping_ids)))
    return {position for each in aggregate.grouping_sets for position in each.positions}


def _one_row(relation: plan_pb2.Relation) -> Block:
    """Returns the rows of an aggregate without groups and aggregates: one, of nothing."""
    return Block(node_of(relation), '(SELECT 1 AS "#one") AS "#one"', ())


def _grouping(aggregate: relations_pb2.AggregateRelation, keys: list[str]) -> str:
    shorthand = _SHORTHANDS.get(aggregate.grouping_mode)
    if shorthand:
        return f"{shorthand} ({', '.join(keys)})"
    if aggregate.grouping_mode != relations_pb2.GROUPING_MODE_SETS:
        return ", ".join(keys)
    sets = (
        f"({', '.join(keys[position] for position in each.positions)})"
        for each in aggregate.grouping_sets
    )
    return f"GROUPING SETS ({', '.join(sets)})"


def _placed(lowering: Lowering, text: str, block: Block, around: Surroundings) -> Block:
    """Returns a query with the columns of a block, under unique names, as a table."""
    names = unique_names(block.columns)
    return placed(
        lowering,
        text,
        block.node,
        tuple(zip((column.name for column in block.columns), names, strict=True)),
        nested=around.is_nested,
        qualifiers=tuple(column.qualifier for column in block.columns),
    )


@rule("distinct")
def _distinct(lowering: Lowering, relation: plan_pb2.Relation, around: Surroundings) -> Step[Block]:
    distinct = relation.distinct
    block: Block = yield lower_input(lowering, relation, around)
    block = plain(lowering, block, around, keeps_order=False, limited=False)
    if not distinct.on_ids:
        if not block.columns:  # rows of nothing are all alike
            return replace(block, order=(), fetch=1)
        text = select_text(block, names=unique_names(block.columns))
        return _placed(lowering, text.replace("SELECT", "SELECT DISTINCT", 1), block, around)
    scope = scope_of(block.columns, around)
    keys = yield all_of(lower_key(lowering, each, scope) for each in distinct.on_ids)
    keys = list(dict.fromkeys(keys))
    order = yield lower_sort_keys(lowering, distinct.sort_key_ids, scope)
    # The engine panics on a key that comes twice, and one that is the same in a lot tells nothing.
    order = [key for key in order if key.sql not in keys]
    text = select_text(block, names=unique_names(block.columns))
    text = text.replace("SELECT", f"SELECT DISTINCT ON ({', '.join(keys)})", 1)
    if order:
        listed = [f"{key} ASC NULLS LAST" for key in keys]
        listed += [key.sql + key.direction for key in order]
        text += f" ORDER BY {', '.join(listed)}"
    return _placed(lowering, text, block, around)


@rule("window")
def _window(lowering: Lowering, relation: plan_pb2.Relation, around: Surroundings) -> Step[Block]:
    block: Block = yield lower_input(lowering, relation, around)
    block = plain(lowering, block, around, keeps_order=False, limited=False)
    scope = scope_of(block.columns, around)
    columns = list(block.columns)
    ids = relation.window.window_ids
    columns += yield all_of(named_column(lowering, each, scope) for each in ids)
    return replace(block, columns=tuple(columns), order=(), is_plain=False)


@rule("unnest")
def _unnest(lowering: Lowering, relation: plan_pb2.Relation, around: Surroundings) -> Step[Block]:
    unnest = relation.unnest
    block: Block = yield lower_input(lowering, relation, around)
    block = as_table(lowering, block, around)
    scope = scope_of(block.columns, around)
    depths = {
        find(each.column, scope, node_of(relation)): max(1, each.depth) for each in unnest.columns
    }
    types = _types(lowering, block) if not around.is_nested else {}
    columns: list[Column] = []
    for place, column in enumerate(block.columns):
        data_type = types.get(place)
        if place not in depths:
            columns.append(column)
        elif data_type is not None and pt.is_struct(data_type):
            columns += [
                Column(f"{column.name}.{field.name}", _field(column.sql, field.name))
                for field in data_type
            ]
        else:
            text = column.sql
            if unnest.keeps_nulls:
                text = f"coalesce({text}, make_array(NULL))"
            depth = depths[place]
            text = f"{'unnest(' * depth}{text}{')' * depth}"
            columns.append(Column(column.name, text))
    unnested = replace(block, columns=tuple(columns))
    text = select_text(unnested, names=unique_names(unnested.columns))
    return _placed(lowering, text, unnested, around)


def _field(struct: str, name: str) -> str:
    return f"CASE WHEN {struct} IS NOT NULL THEN get_field({struct}, {string(name)}) END"


def _types(lowering: Lowering, block: Block) -> dict[int, pa.DataType]:
    """Returns the types of a block's columns, which only the engine can tell."""
    names = tuple(f"#{place}" for place in range(len(block.columns)))
    schema = lowering.catalog.query(lowering.lowered(select_text(block, names=names)))
    return dict(enumerate(schema.types))
