"""Whether a plan still means the same after the engine has written it down and read it back.

Two losses were found in DataFusion 55, both without an error: a window function's FILTER and IGNORE
NULLS are not written at all, and an aggregate over the grouping set of no columns comes back as an
aggregate without grouping sets. A plan that may lose something is planned where it runs instead.
"""

import re
from typing import Final

_LOST: Final = re.compile(
    r"WindowAggExec: .*(?:FILTER \(WHERE|IGNORE NULLS)|AggregateExec: mode=\w+, gby=\[\(\)"
)
_COMPARED: Final = re.compile(
    r"\s*((?:Aggregate|Filter|Sort|Unnest|GlobalLimit|LocalLimit|\w*WindowAgg|\w*Join|"
    r"CoalescePartitions|SortPreservingMerge)Exec\b.*)"
)


def loses_meaning(plan_text: str) -> bool:
    """True for a plan with something that the engine is known not to write down."""
    return _LOST.search(plan_text) is not None


def same_operators(before: str, after: str) -> bool:
    """True if two plan texts have the same operators with the same arguments.

    Leaves and projections are left out: they are written differently without meaning anything
    else (a union's branches get one more projection when they are read back).
    """
    return _operators(before) == _operators(after)


def _operators(plan_text: str) -> list[str]:
    return sorted(
        match.group(1) for line in plan_text.splitlines() if (match := _COMPARED.match(line))
    )
