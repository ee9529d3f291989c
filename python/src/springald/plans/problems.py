"""What is wrong with a plan, said with the node at which it is wrong."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from springald.errors import InvalidArgumentError, SpringaldError
from springald.limits import ERROR_MESSAGE_BYTES_MAX

_SHOWN_BYTES_MAX: Final = ERROR_MESSAGE_BYTES_MAX // 2


@dataclass(frozen=True, slots=True)
class Problem:
    """One broken rule.

    Attributes:
        node_id: The node: `r7` is a relation, `e3` an expression; empty for the plan as a whole.
        text: The rule, what was found, and what to do.
        kind: The error that it alone would be.
    """

    node_id: str
    text: str
    kind: type[SpringaldError] = InvalidArgumentError

    def __str__(self) -> str:
        """Returns one line for people."""
        return f"{self.node_id}: {self.text}" if self.node_id else self.text


def relation_name(node_id: int) -> str:
    """Returns how errors name a relation."""
    return f"r{node_id}"


def expression_name(node_id: int) -> str:
    """Returns how errors name an expression."""
    return f"e{node_id}"


def error_of(problems: Sequence[Problem]) -> SpringaldError:
    """Returns the error that tells all problems, as far as a message holds them.

    Args:
        problems: At least one. The first one gives the error its code and its node.
    """
    first = problems[0]
    lines: list[str] = []
    size = 0
    for problem in problems:
        line = str(problem)
        size += len(line.encode()) + 1
        if size > _SHOWN_BYTES_MAX and lines:
            lines.append(f"and {len(problems) - len(lines)} more")
            break
        lines.append(line)
    return first.kind("\n".join(lines), node_id=first.node_id)
