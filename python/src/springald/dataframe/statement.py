"""What a DataFrame sends: the text of a query, or a plan."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from springald.checks import check_statement
from springald.dataframe.relations import sql_query
from springald.dataframe.tree import node_text, tree_text
from springald.errors import InvalidArgumentError, SpringaldError, UnsupportedError
from springald.expr.literals import literal_node
from springald.expr.node import Node, relation
from springald.expr.plan_writer import node_at, relation_tree
from springald.plan.v1 import commands_pb2, plan_pb2
from springald.session import plan_of, plan_of_tree
from springald.sql_text import explain_query, is_nestable, strip_end, with_caret

__all__ = ["Parameters", "Statement"]


@dataclass(frozen=True, slots=True)
class Parameters:
    """The values of a statement's parameters: by number, or by name.

    Attributes:
        positional: For `$1`, `$2` and so on.
        named: For `$name`.
    """

    positional: tuple[Any, ...] = ()
    named: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, values: Mapping[str, object] | Sequence[object] | None) -> "Parameters":
        """Returns parameters by name, or in order."""
        if isinstance(values, Mapping):
            return cls(named=dict(values))
        return cls(positional=tuple(values or ()))

    def joined(self, other: "Parameters") -> "Parameters":
        """Returns the parameters of two statements that become one.

        Raises:
            InvalidArgumentError: They contradict each other.
        """
        positional = self.positional or other.positional
        named = {**self.named, **other.named}
        clash = self.positional and other.positional and self.positional != other.positional
        differing = [name for name in self.named if named[name] is not self.named[name]]
        if clash or differing or (positional and named):
            raise InvalidArgumentError(
                "DataFrames that are put together have one set of parameters: got "
                f"{self.positional or dict(self.named)} and "
                f"{other.positional or dict(other.named)}; put them together first, then call "
                "with_parameters()"
            )
        return Parameters(positional, named)

    def fill(self, message: plan_pb2.SqlText | plan_pb2.RelationTree) -> None:
        """Writes them into a statement."""
        for value in self.positional:
            message.positional_parameters.add().CopyFrom(literal_node(value).message.value)
        for name, value in self.named.items():
            given = literal_node(value).message.value
            message.named_parameters.append(plan_pb2.NamedParameter(name=name, value=given))


@dataclass(frozen=True, slots=True)
class Statement:
    """A query, or another statement in SQL.

    Attributes:
        sql: Its text, if it was written in SQL and nothing was added to it.
        root: The relation whose rows are the answer; None if there is the text only.
        parameters: The values of its parameters.
    """

    sql: str | None
    root: Node | None
    parameters: Parameters = field(default_factory=Parameters)

    def over(self, root: Node) -> "Statement":
        """Returns a query for other rows, with the same parameters."""
        return Statement(None, root, self.parameters)

    def with_parameters(self, parameters: Parameters) -> "Statement":
        """Returns the same statement with other values of parameters."""
        return replace(self, parameters=parameters)

    def relation(self) -> Node:
        """Returns the relation, to build on.

        Raises:
            UnsupportedError: The statement is none that a query can be made of.
        """
        if self.root is not None:
            return self.root
        sql = self.sql or ""
        if not is_nestable(sql):
            raise UnsupportedError(
                f"a query is made of a SELECT, WITH, VALUES or FROM: got {sql[:40]!r}; work with "
                "what to_arrow() returns"
            )
        return sql_query(strip_end(check_statement(sql)))

    @property
    def is_nestable(self) -> bool:
        """True if a query can be made of it."""
        return self.root is not None or is_nestable(self.sql or "")

    def to_plan(self) -> plan_pb2.Plan:
        """Returns the message that is sent."""
        if self.sql is not None:
            plan = plan_of(self.sql)
            self.parameters.fill(plan.sql)
            if self.parameters.positional or self.parameters.named:
                plan.version.minor = 1
            return plan
        tree = relation_tree(self.relation())
        self.parameters.fill(tree)
        return plan_of_tree(tree)

    def explained(self, *, verbose: bool, analyze: bool) -> "Statement":
        """Returns the statement that tells how this one is run."""
        if self.sql is not None:
            text = explain_query(self.sql, verbose=verbose, analyze=analyze)
            return Statement(text, None, self.parameters)
        command = commands_pb2.ExplainCommand(is_analyze=analyze, is_verbose=verbose)
        return self.over(relation("explain", command, (self.relation(),)))

    def pointed(self, error: SpringaldError) -> SpringaldError:
        """Adds to an error's message where it is: a caret under SQL, or a part of the plan."""
        if self.sql is not None:
            return with_caret(error, self.sql)
        if self.root is None or not error.node_id:
            return error
        node = node_at(self.root, error.node_id)
        place = "" if node is None else f"{error.node_id}: {node_text(node)}"
        if place and place not in error.message:
            error.message = f"{error.message}\n{place}"
        return error

    def __str__(self) -> str:
        """Returns the text of SQL, or the tree of a plan."""
        return self.sql if self.sql is not None else tree_text(self.relation())
