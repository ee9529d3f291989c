"""Set operations, relations with names, and recursion."""

from dataclasses import replace
from typing import Final

from springald.errors import InvalidQueryError, UnsupportedError
from springald.plan.v1 import plan_pb2, relations_pb2
from springald_scheduler.lowering.lowering import Lowering, placed, select_text, unique_names
from springald_scheduler.lowering.model import (
    Block,
    Column,
    Cte,
    Names,
    Surroundings,
)
from springald_scheduler.lowering.relations import as_table, lower_relation, node_of, rule
from springald_scheduler.lowering.steps import Step
from springald_scheduler.lowering.text import quoted

_WORDS: Final = {
    relations_pb2.SET_OPERATION_TYPE_UNION_ALL: "UNION ALL",
    relations_pb2.SET_OPERATION_TYPE_UNION_DISTINCT: "UNION",
    relations_pb2.SET_OPERATION_TYPE_INTERSECT_ALL: "INTERSECT",
    relations_pb2.SET_OPERATION_TYPE_INTERSECT_DISTINCT: "INTERSECT",
    relations_pb2.SET_OPERATION_TYPE_EXCEPT_ALL: "EXCEPT",
    relations_pb2.SET_OPERATION_TYPE_EXCEPT_DISTINCT: "EXCEPT",
}
_COUNTED: Final = frozenset({
    relations_pb2.SET_OPERATION_TYPE_INTERSECT_ALL, relations_pb2.SET_OPERATION_TYPE_EXCEPT_ALL,
})  # fmt: skip
_COUNT: Final = "#copy"


@rule("set_operation")
def _set_operation(
    lowering: Lowering, relation: plan_pb2.Relation, around: Surroundings
) -> Step[Block]:
    operation, node = relation.set_operation, node_of(relation)
    blocks: list[Block] = []
    for input_id in relation.common.input_ids:
        block = yield lower_relation(lowering, input_id, around)
        if block.is_limited or operation.type in _COUNTED:
            block = as_table(lowering, block, around)
        blocks.append(replace(block, order=()))
    if operation.by_name:
        columns = _columns_by_name(blocks, node)
        blocks = [_in_order(block, columns) for block in blocks]
    else:
        columns = blocks[0].columns
        for number, block in enumerate(blocks):
            if len(block.columns) != len(columns):
                message = f"inputs have as many columns as the first, {len(columns)}"
                text = f"{message}: got {len(block.columns)} in number {number}"
                raise InvalidQueryError(text, node_id=node)
    names = unique_names(columns)
    texts = [_branch(block, names, counted=operation.type in _COUNTED) for block in blocks]
    text = f" {_WORDS[operation.type]} ".join(texts)
    return placed(
        lowering,
        text,
        node,
        tuple(zip((each.name for each in columns), names, strict=True)),
        nested=around.is_nested,
        qualifiers=tuple(each.qualifier for each in columns),
    )


def _branch(block: Block, names: tuple[str, ...], *, counted: bool) -> str:
    """Returns one input of a set operation.

    With ALL, intersections and differences count copies: each copy of a row gets a number, and rows
    with their numbers differ. The engine's own INTERSECT ALL and EXCEPT ALL do not count.
    """
    if not counted:
        nothing = () if names else ('1 AS "#one"',)
        return select_text(block, names=names, extra=nothing)
    keys = ", ".join(column.sql for column in block.columns)
    partition = f"PARTITION BY {keys}" if keys else ""
    copy = f"row_number() OVER ({partition}) AS {quoted(_COUNT)}"
    return select_text(block, names=names, extra=(copy,))


def _columns_by_name(blocks: list[Block], node: str) -> tuple[Column, ...]:
    """Returns all columns of the inputs by name, in the order in which they come first."""
    found: dict[str, Column] = {}
    for number, block in enumerate(blocks):
        own = {column.name for column in block.columns}
        if len(own) != len(block.columns):
            message = f"inputs that go together by name have no name twice: got one in {number}"
            raise InvalidQueryError(f"{message}; rename a column", node_id=node)
        for column in block.columns:
            found.setdefault(column.name, Column(column.name, "NULL"))
    return tuple(found.values())


def _in_order(block: Block, columns: tuple[Column, ...]) -> Block:
    own = {column.name: column for column in block.columns}
    return replace(block, columns=tuple(own.get(each.name, each) for each in columns))


@rule("with_names")
def _with(lowering: Lowering, relation: plan_pb2.Relation, around: Surroundings) -> Step[Block]:
    *inputs, body = relation.common.input_ids
    for name, input_id in zip(relation.with_names.names, inputs, strict=True):
        block = yield lower_relation(lowering, input_id, around)
        cte = _named(lowering, block, around)
        around = replace(around, names=Names({name: cte}, around.names))
    last: Block = yield lower_relation(lowering, body, around)
    return last


def _named(lowering: Lowering, block: Block, around: Surroundings) -> Cte:
    """Gives a relation a name in the text, or keeps its text where it cannot have one."""
    names = unique_names(block.columns)
    nothing = () if names else ('1 AS "#one"',)
    text = select_text(block.without_order(), names=names, extra=nothing)
    shown = tuple(column.name for column in block.columns)
    if around.is_nested:
        return Cte(f"({text})", names, shown)
    alias = lowering.new_name()
    lowering.part(block.node, alias, text)
    return Cte(quoted(alias), names, shown)


@rule("recursive")
def _recursive(
    lowering: Lowering, relation: plan_pb2.Relation, around: Surroundings
) -> Step[Block]:
    recursive, node = relation.recursive, node_of(relation)
    if around.is_nested:
        message = "a recursive relation stands outside of what uses columns round it"
        raise UnsupportedError(f"{message}: got one inside", node_id=node)
    first = yield lower_relation(lowering, relation.common.input_ids[0], around)
    first = as_table(lowering, first, around) if first.is_limited else replace(first, order=())
    names = unique_names(first.columns)
    shown = tuple(column.name for column in first.columns)
    alias = lowering.new_name()
    own = Cte(quoted(alias), names, shown)
    inner = Surroundings(around.outer, Names({recursive.name: own}, around.names), is_nested=True)
    following = yield lower_relation(lowering, relation.common.input_ids[1], inner)
    if len(following.columns) != len(names):
        message = f"both inputs have as many columns, {len(names)}: got {len(following.columns)}"
        raise InvalidQueryError(message, node_id=node)
    union = "UNION" if recursive.is_distinct else "UNION ALL"
    text = (
        f"{select_text(first, names=names)} {union} "
        f"{select_text(following.without_order(), names=names)}"
    )
    lowering.is_recursive = True
    lowering.part(node, alias, text, names)
    return Block(
        node,
        quoted(alias),
        tuple(
            Column(name, f"{quoted(alias)}.{quoted(written)}")
            for name, written in zip(shown, names, strict=True)
        ),
    )
