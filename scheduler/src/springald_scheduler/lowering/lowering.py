"""What is shared while one plan is lowered: names that were given, and what was found."""

from dataclasses import replace
from typing import Final

import pyarrow as pa

from springald.plan.v1 import plan_pb2
from springald_scheduler.lowering.model import (
    Block,
    Catalog,
    Column,
    Lowered,
    OrderKey,
    PrivateTable,
)
from springald_scheduler.lowering.text import dotted, quoted
from springald_scheduler.lowering.tree import Tree

PARSER_DEPTH: Final = 4_000
"""How deep the engine's parser may go into text that is made here; plans have their own limits."""

NO_GROUPS: Final = "()"
"""The group of all rows."""


class Lowering:
    """One plan being lowered.

    Attributes:
        tree: The plan.
        catalog: Where tables are looked up.
        parameters: Values that are bound to the text, by name.
        tables: Tables that exist for this statement only.
        needs_lambdas: True if the text has lambdas.
        is_recursive: True if the text has a recursive query.
        given: Values of the plan's own parameters, by name.
    """

    def __init__(self, tree: plan_pb2.RelationTree, catalog: Catalog) -> None:
        """Takes a tree that was checked."""
        self.tree = Tree(tree)
        self.catalog = catalog
        self.parameters: dict[str, pa.Scalar] = {}
        self.tables: list[PrivateTable] = []
        self.needs_lambdas = False
        self.is_recursive = False
        self.given: dict[str, pa.Scalar] = {}
        self._parts: list[tuple[str, str, str]] = []
        self._count = 0

    def new_name(self) -> str:
        """Returns a name that nothing else has."""
        self._count += 1
        return f"#{self._count}"

    def bind(self, scalar: pa.Scalar) -> str:
        """Binds a value; returns its parameter."""
        name = f"literal_{len(self.parameters) + 1}"
        self.parameters[name] = scalar
        return f"${name}"

    def give(self, name: str) -> str:
        """Binds the value of a parameter of the plan; returns the parameter."""
        self.parameters[name] = self.given[name]
        return f"${name}"

    def part(self, node: str, name: str, query: str, columns: tuple[str, ...] = ()) -> None:
        """Puts a query under a name at the top of the text, its columns under others if given."""
        listed = f"({', '.join(quoted(column) for column in columns)})" if columns else ""
        self._parts.append((node, quoted(name), f"{quoted(name)}{listed} AS ({query})"))

    def lowered(self, query: str, names: tuple[str, ...] = ()) -> Lowered:
        """Returns the statement for a query over all that was named."""
        settings = [("datafusion.sql_parser.recursion_limit", str(PARSER_DEPTH))]
        if self.needs_lambdas:
            settings.append(("datafusion.sql_parser.dialect", "duckdb"))
        named, steps = self._with()
        return Lowered(
            sql=named + query,
            parameters=tuple(self.parameters.items()),
            tables=tuple(self.tables),
            settings=tuple(settings),
            steps=tuple(steps),
            names=names,
        )

    def lowered_alone(self, query: str) -> Lowered:
        """Returns a query that reads nothing but tables, as a statement of its own."""
        settings = (("datafusion.sql_parser.recursion_limit", str(PARSER_DEPTH)),)
        return Lowered(query, tuple(self.given.items()), tuple(self.tables), settings)

    def _with(self) -> tuple[str, list[tuple[str, str, int]]]:
        """Returns the named parts as text, and where each ends."""
        if not self._parts:
            return "", []
        text = "WITH RECURSIVE " if self.is_recursive else "WITH "
        ends, size = [], len(text)
        for node, name, part in self._parts:
            size += len(part)
            ends.append((node, name, size))
            size += len(", ")
        return f"{text}{', '.join(part for _, _, part in self._parts)} ", ends


def select_text(block: Block, *, names: tuple[str, ...] = (), extra: tuple[str, ...] = ()) -> str:
    """Returns a block as a SELECT, its columns under the names that are given.

    Args:
        block: The block.
        names: A name for each column.
        extra: More items of the SELECT list.
    """
    items = [
        f"{column.sql} AS {quoted(name)}" for column, name in zip(block.columns, names, strict=True)
    ]
    text = f"SELECT {', '.join([*items, *extra])}"
    if block.source:
        text += f" FROM {block.source}"
    if block.where:
        text += f" WHERE {' AND '.join(block.where)}"
    if block.groups and block.groups != NO_GROUPS:
        text += f" GROUP BY {block.groups}"
    if block.order:
        keys = ", ".join(key.sql + key.direction for key in block.order)
        text += f" ORDER BY {keys}"
    if block.fetch is not None:
        text += f" LIMIT {block.fetch}"
    if block.skip:
        text += f" OFFSET {block.skip}"
    return text


def unique_names(columns: tuple[Column, ...]) -> tuple[str, ...]:
    """Returns names for columns that do not clash, mostly their own."""
    names: list[str] = []
    seen: set[str] = set()
    for column in columns:
        name, number = column.name or "#", 1
        while name in seen:
            number += 1
            name = f"{column.name}#{number}"
        seen.add(name)
        names.append(name)
    return tuple(names)


def close(lowering: Lowering, block: Block, *, nested: bool, keeps_order: bool) -> Block:
    """Writes a block down, so that it is one table without conditions for what follows.

    Args:
        lowering: The plan.
        block: The block.
        nested: Whether it must stand where it is used.
        keeps_order: Whether rows keep their order, which needs the keys beside the columns.
    """
    names = unique_names(block.columns)
    inner = block if block.is_limited else replace(block, order=())
    alias = lowering.new_name()
    carried = block.order if keeps_order else ()
    keys = tuple(f"{key.sql} AS {quoted(f'#key{i}')}" for i, key in enumerate(carried))
    nothing = () if names or keys else ('1 AS "#one"',)
    text = select_text(inner, names=names, extra=(*keys, *nothing))
    return placed(
        lowering,
        text,
        block.node,
        tuple(zip((each.name for each in block.columns), names, strict=True)),
        alias=alias,
        nested=nested,
        qualifiers=tuple(each.qualifier for each in block.columns),
        order=tuple(
            OrderKey(dotted(alias, f"#key{i}"), key.direction) for i, key in enumerate(carried)
        ),
    )


def placed(
    lowering: Lowering,
    query: str,
    node: str,
    columns: tuple[tuple[str, str], ...],
    *,
    nested: bool,
    alias: str = "",
    qualifiers: tuple[str | None, ...] = (),
    order: tuple[OrderKey, ...] = (),
) -> Block:
    """Returns a query as a table.

    Args:
        lowering: The plan.
        query: The query.
        node: The plan's node that it is.
        columns: The plan's name and the text's name of each column.
        nested: Whether it must stand where it is used.
        alias: The table's name, if it has one already.
        qualifiers: The plan's qualifier of each column; none if empty.
        order: The order of the rows.
    """
    alias = alias or lowering.new_name()
    if nested:
        source = f"({query}) AS {quoted(alias)}"
    else:
        lowering.part(node, alias, query)
        source = quoted(alias)
    listed = qualifiers or (None,) * len(columns)
    return Block(
        node=node,
        source=source,
        columns=tuple(
            Column(name, dotted(alias, written), qualifier)
            for (name, written), qualifier in zip(columns, listed, strict=True)
        ),
        order=order,
    )
