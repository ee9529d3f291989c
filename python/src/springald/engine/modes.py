"""Variants of joins and aggregates, numbered as the engine does in its plans.

Example:
    >>> JoinType.RIGHT in KEEPS_RIGHT, JoinType.RIGHT in EMITS_BUILD_SIDE
    (True, False)
"""

from enum import IntEnum
from typing import Final


class JoinType(IntEnum):
    """Which rows a join puts out; its left side is the build side of a hash join."""

    INNER = 0
    LEFT = 1
    RIGHT = 2
    FULL = 3
    LEFT_SEMI = 4
    LEFT_ANTI = 5
    RIGHT_SEMI = 6
    RIGHT_ANTI = 7
    LEFT_MARK = 8
    RIGHT_MARK = 9


class JoinMode(IntEnum):
    """How a hash join reads its left side: all of it, or the partition of the right side's."""

    COLLECT_LEFT = 0
    PARTITIONED = 1


class AggregateMode(IntEnum):
    """Which step of an aggregate an operator is, and whether its groups are partitioned."""

    PARTIAL = 0
    FINAL = 1
    FINAL_PARTITIONED = 2
    SINGLE = 3
    SINGLE_PARTITIONED = 4


KEEPS_LEFT: Final = frozenset(
    {JoinType.LEFT, JoinType.LEFT_SEMI, JoinType.LEFT_ANTI, JoinType.LEFT_MARK}
)
"""Joins each of whose rows comes of one row of the left side, whatever the right one is."""

KEEPS_RIGHT: Final = frozenset(
    {JoinType.RIGHT, JoinType.RIGHT_SEMI, JoinType.RIGHT_ANTI, JoinType.RIGHT_MARK}
)
"""The same with the sides swapped."""

EMITS_BUILD_SIDE: Final = KEEPS_LEFT | {JoinType.FULL}
"""Joins that put out rows of the left side by whether they found a partner."""
