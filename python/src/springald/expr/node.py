"""Nodes: relations and expressions of a plan before they have ids."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from google.protobuf.message import Message

__all__ = ["Node", "Path", "Reference", "Sort", "expression", "rebuilt", "relation"]

Sort = Literal["expression", "relation"]
Path = tuple[str | int, ...]
"""Where a message names nodes: names of fields and places in lists."""


@dataclass(frozen=True, slots=True, eq=False)
class Reference:
    """A field of a node's message that names other nodes.

    Attributes:
        path: The field, for example `("window", "sort_key_ids")` or `("keys", 0, "left_id")`.
        nodes: The nodes; one, if the field is no list.
    """

    path: Path
    nodes: tuple["Node", ...]


@dataclass(frozen=True, slots=True, eq=False)
class Node:
    """A relation or an expression.

    It is never changed, so one may stand in any number of plans, and in any number of places.

    Attributes:
        sort: Which of the two lists of a plan it goes to.
        kind: The member of `Relation.kind` or `Expression.kind`.
        message: What that member holds, without ids.
        inputs: The relations whose rows it takes, or the operands.
        references: Other nodes that the message names.
        holder: What must live as long as this node, such as rows that were uploaded for it.
    """

    sort: Sort
    kind: str
    message: Any
    inputs: tuple["Node", ...] = ()
    references: tuple[Reference, ...] = ()
    holder: object = None

    def children(self) -> Iterator["Node"]:
        """Every node that this one names, in the order in which ids are given."""
        yield from self.inputs
        for reference in self.references:
            yield from reference.nodes

    def referred(self, *path: str | int) -> tuple["Node", ...]:
        """The nodes that one field names; none if it names none."""
        for reference in self.references:
            if reference.path == path:
                return reference.nodes
        return ()

    def with_reference(self, *path: str | int, to: tuple["Node", ...]) -> "Node":
        """Returns the same node with other nodes in one field."""
        others = tuple(kept for kept in self.references if kept.path != path)
        return replace(self, references=(*others, Reference(path, to)) if to else others)

    def with_children(self, made: Mapping[int, "Node"]) -> "Node":
        """Returns the same node with other children, which are looked up by `id`."""
        if all(made[id(child)] is child for child in self.children()):
            return self
        references = tuple(
            Reference(each.path, tuple(made[id(node)] for node in each.nodes))
            for each in self.references
        )
        inputs = tuple(made[id(node)] for node in self.inputs)
        return replace(self, inputs=inputs, references=references)

    def with_message(self, message: Message) -> "Node":
        """Returns the same node with another message."""
        return replace(self, message=message)


def rebuilt(root: Node, change: Callable[[Node], Node]) -> Node:
    """Returns a tree in which every node is what a function makes of it, children first."""
    made: dict[int, Node] = {}
    waiting = [root]
    while waiting:
        node = waiting[-1]
        missing = [child for child in node.children() if id(child) not in made]
        if missing:
            waiting += missing
            continue
        waiting.pop()
        made[id(node)] = change(node.with_children(made))
    return made[id(root)]


def expression(
    kind: str, message: Message, operands: tuple[Node, ...] = (), *references: Reference
) -> Node:
    """Makes a node of an expression."""
    kept = tuple(reference for reference in references if reference.nodes)
    return Node("expression", kind, message, operands, kept)


def relation(
    kind: str, message: Message, inputs: tuple[Node, ...] = (), *references: Reference
) -> Node:
    """Makes a node of a relation."""
    kept = tuple(reference for reference in references if reference.nodes)
    return Node("relation", kind, message, inputs, kept)
