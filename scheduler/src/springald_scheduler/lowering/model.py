"""What lowering works with: columns, blocks of SQL, scopes, and what comes of it all."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

import pyarrow as pa


@dataclass(frozen=True, slots=True)
class PrivateTable:
    """A table that exists for one statement.

    Attributes:
        name: Its name, which no table of a session has.
        statement: The `CREATE EXTERNAL TABLE` that makes it, if it is over files.
        path: Where its files lie, if it is over files.
        format: Their format.
        options: Options of the format by name.
        arrow_stream: Its rows as an Arrow IPC stream, if they came with the plan.
    """

    name: str
    statement: str = ""
    path: str = ""
    format: str = ""
    options: tuple[tuple[str, str], ...] = ()
    arrow_stream: bytes = b""


class Catalog(Protocol):
    """What lowering asks about tables; all of it raises SpringaldError."""

    def table(self, name: str) -> pa.Schema:
        """Returns the columns of a table or view, whose name is quoted."""
        ...

    def add(self, table: PrivateTable) -> pa.Schema:
        """Makes a table for this statement and returns its columns."""
        ...

    def query(self, lowered: "Lowered") -> pa.Schema:
        """Returns the columns of a query, which is planned for it."""
        ...


@dataclass(frozen=True, slots=True)
class Lowered:
    """A statement in SQL.

    Attributes:
        sql: Its text.
        parameters: Values of the parameters in it, by name without the dollar sign.
        tables: Tables that must exist while it is planned or run.
        settings: Settings of the engine that its text needs.
        node: The plan's node that is all of it.
        steps: For each named part of the text, the plan's node, its name, and where it ends. The
            text up to there is a query with a SELECT behind it, so an error of the engine can be
            given a node.
        names: Names of the columns, if not all of them could be said in the text.
        substrait_plan: The statement, if it is one of Substrait and has no text.
        is_written: True if people wrote the text, so that places in it mean something.
    """

    sql: str
    parameters: tuple[tuple[str, pa.Scalar], ...] = ()
    tables: tuple[PrivateTable, ...] = ()
    settings: tuple[tuple[str, str], ...] = ()
    node: str = ""
    steps: tuple[tuple[str, str, int], ...] = ()
    names: tuple[str, ...] = ()
    substrait_plan: bytes = b""
    is_written: bool = False


@dataclass(frozen=True, slots=True)
class Column:
    """A column of a relation: how the plan names it, and how the text does."""

    name: str
    sql: str
    qualifier: str | None = None


@dataclass(frozen=True, slots=True)
class OrderKey:
    """A key of an order: an expression of the text, and ` ASC NULLS LAST` or the like."""

    sql: str
    direction: str


@dataclass(frozen=True, slots=True)
class Block:
    """A relation as a SELECT that is not written yet, so that the next relation can join it.

    Attributes:
        node: The plan's node that it is.
        source: What stands behind FROM; empty if there is no FROM.
        columns: Its columns, in the terms of the source.
        where: Conditions.
        order: The order of its rows; only if all columns are plain.
        skip: How many rows are left out first.
        fetch: How many rows come out at most.
        groups: What stands behind GROUP BY, if rows are grouped; `NO_GROUPS` if all are one group.
        computed: How often something was computed of its groups' columns.
        is_plain: True if each column is one of the source's, unchanged.
        is_atomic: True if the source is one table, not a join.
    """

    node: str
    source: str
    columns: tuple[Column, ...]
    where: tuple[str, ...] = ()
    order: tuple[OrderKey, ...] = ()
    skip: int = 0
    fetch: int | None = None
    groups: str = ""
    computed: int = 0
    is_plain: bool = True
    is_atomic: bool = True

    @property
    def is_limited(self) -> bool:
        """True if rows are left out by their number."""
        return self.fetch is not None or self.skip > 0

    @property
    def is_table(self) -> bool:
        """True if it is its source as it is."""
        return self.is_plain and not self.where and not self.is_limited

    def without_order(self) -> "Block":
        """Returns it without a promised order; one that decides which rows come out stays."""
        return self if self.is_limited else replace(self, order=())


@dataclass(frozen=True, slots=True)
class Cte:
    """A relation with a name in the plan: what stands behind FROM for it, and its columns."""

    source: str
    columns: tuple[str, ...]
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Names:
    """Relations with names, the innermost first."""

    found: Mapping[str, Cte]
    outer: "Names | None" = None

    def get(self, name: str) -> Cte | None:
        """Returns the innermost one of a name."""
        here: Names | None = self
        while here is not None:
            if name in here.found:
                return here.found[name]
            here = here.outer
        return None


@dataclass(frozen=True, slots=True)
class Scope:
    """What an expression may name.

    Attributes:
        columns: Columns of the relation's inputs, one after the other.
        outer: The query round this one.
        names: Relations with names.
        index: Positions of columns by name.
    """

    columns: tuple[Column, ...]
    outer: "Scope | None" = None
    names: Names | None = None
    index: Mapping[str, list[int]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What is round a relation.

    Attributes:
        outer: The query whose expression it is in, if any.
        names: Relations that it may read by name.
        is_nested: True if its parts cannot have a name at the top of the text, because they use
            what is round them.
    """

    outer: Scope | None = None
    names: Names | None = None
    is_nested: bool = False


def scope_of(columns: tuple[Column, ...], around: Surroundings) -> Scope:
    """Returns the scope of expressions over columns."""
    index: dict[str, list[int]] = {}
    for position, column in enumerate(columns):
        index.setdefault(column.name, []).append(position)
    return Scope(columns, around.outer, around.names, index)
