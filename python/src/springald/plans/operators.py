"""The operators of plans: scalar calls whose name SQL writes between or before operands.

`docs/protocol/plans.md` shows the same table.
"""

from dataclasses import dataclass
from enum import Enum
from typing import Final


class Fixity(Enum):
    """Where an operator stands."""

    PREFIX = "prefix"
    INFIX = "infix"
    POSTFIX = "postfix"


@dataclass(frozen=True, slots=True)
class Operator:
    """An operator.

    Attributes:
        symbol: How SQL writes it, in upper case if it is a word.
        fixity: Where it stands.
        is_associative: True if a chain of it means the same however it is put in parentheses, and
            any number of operands from two on may be given at once.
    """

    symbol: str
    fixity: Fixity
    is_associative: bool = False


_INFIX: Final = (
    "=", "<>", "<", "<=", ">", ">=", "-",
    "+",
    "*",
    "||", "/", "%", "&", "|", "^", "<<", ">>", "@>", "<@",
    "is distinct from", "is not distinct from",
)  # fmt: skip
_ASSOCIATIVE: Final = ("and", "or")
_POSTFIX: Final = (
    "is null", "is not null", "is true", "is not true", "is false", "is not false", "is unknown",
    "is not unknown",
)  # fmt: skip

OPERATORS: Final[dict[tuple[str, int], Operator]] = {
    **{(name, 2): Operator(name.upper(), Fixity.INFIX) for name in _INFIX},
    ("!=", 2): Operator("<>", Fixity.INFIX),
    **{
        (name, 2): Operator(name.upper(), Fixity.INFIX, is_associative=True)
        for name in _ASSOCIATIVE
    },
    **{(name, 1): Operator(name.upper(), Fixity.POSTFIX) for name in _POSTFIX},
    ("not", 1): Operator("NOT", Fixity.PREFIX),
    ("-", 1): Operator("-", Fixity.PREFIX),
    ("+", 1): Operator("+", Fixity.PREFIX),
}
"""By name and number of operands."""

_NAMES: Final = frozenset(name for name, _ in OPERATORS)


def operator_of(name: str, operands: int) -> Operator | None:
    """Returns the operator of a scalar call; none if it calls a function.

    >>> operator_of("is null", 1).symbol
    'IS NULL'
    """
    found = OPERATORS.get((name, operands))
    if found is None and operands > 2:  # noqa: PLR2004 - one more than an infix operator has
        found = OPERATORS.get((name, 2))
        return found if found and found.is_associative else None
    return found


def operand_counts(name: str) -> tuple[int, int | None] | None:
    """Returns the fewest and most operands of an operator; none for the name of a function.

    The most is None where there may be any number.
    """
    if name not in _NAMES:
        return None
    counts = [count for each, count in OPERATORS if each == name]
    infix = OPERATORS.get((name, 2))
    most = None if infix and infix.is_associative else max(counts)
    return min(counts), most
