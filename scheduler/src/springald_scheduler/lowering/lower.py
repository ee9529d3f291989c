"""A plan becomes a statement."""

from dataclasses import replace
from typing import Final

import pyarrow as pa

from springald.errors import SpringaldError
from springald.plan.v1 import plan_pb2
from springald_scheduler.lowering import commands, groups, joins, sets, sources
from springald_scheduler.lowering.literals import scalar_of
from springald_scheduler.lowering.lowering import Lowering, close, select_text, unique_names
from springald_scheduler.lowering.model import Block, Catalog, Lowered, Surroundings
from springald_scheduler.lowering.relations import lower_relation, node_of
from springald_scheduler.lowering.steps import run

RULES_FROM: Final = (commands, groups, joins, sets, sources)
"""Modules that are imported for the rules in them."""


def lower(tree: plan_pb2.RelationTree, catalog: Catalog) -> Lowered:
    """Returns a plan as a statement.

    Args:
        tree: A plan that was checked.
        catalog: Where tables are looked up.

    Raises:
        SpringaldError: It names what is not there, or asks for what the engine cannot do.
    """
    lowering = Lowering(tree, catalog)
    lowering.given = parameters_of(tree)
    root = lowering.tree.relation(tree.root_id)
    kind = root.WhichOneof("kind") or ""
    if kind in commands.COMMANDS:
        return commands.lower_command(lowering, root, query_of)
    return query_of(lowering, tree.root_id)


def parameters_of(tree: plan_pb2.RelationTree) -> dict[str, pa.Scalar]:
    """Returns the values of a plan's parameters, by name or by position as text."""
    given = {each.name: scalar_of(each.value) for each in tree.named_parameters}
    positional = enumerate(tree.positional_parameters, 1)
    return given | {str(position): scalar_of(value) for position, value in positional}


def query_of(lowering: Lowering, relation_id: int, names: tuple[str, ...] | None = None) -> Lowered:
    """Returns a relation as a query.

    Args:
        lowering: The plan.
        relation_id: The relation.
        names: Other names for its columns.
    """
    relation = lowering.tree.relation(relation_id)
    if relation.WhichOneof("kind") == "sql" and names is None:
        # Alone it is the statement, with its own order and names.
        node = node_of(relation)
        alone = lowering.lowered_alone(sources.query_text(relation))
        try:
            lowering.catalog.query(alone)
        except SpringaldError as error:
            error.node_id = error.node_id or node
            raise
        return replace(alone, node=node)
    block = run(lower_relation(lowering, relation_id, Surroundings()))
    shown = tuple(column.name for column in block.columns) if names is None else names
    unique = unique_names(
        tuple(replace(each, name=name) for each, name in zip(block.columns, shown, strict=True))
    )
    block = _without_clashes(lowering, block, unique)
    text = select_text(block, names=unique)
    lowered = lowering.lowered(text, () if unique == shown else shown)
    return replace(lowered, node=block.node)


def _without_clashes(lowering: Lowering, block: Block, names: tuple[str, ...]) -> Block:
    """Writes a block down whose new names an order could take for columns of its source."""
    if not block.order:
        return block
    own = [column.sql.rpartition('."')[2].removesuffix('"') for column in block.columns]
    if all(name.replace('"', '""') == each for name, each in zip(names, own, strict=True)):
        return block
    return close(lowering, block, nested=False, keeps_order=True)
