"""All cases of the oracle suite, by theme."""

from oracle.case import Case
from oracle.hazards import (
    constants,
    counts,
    depth,
    files,
    grouping,
    joins,
    leaves,
    limits,
    recursion,
    sets,
    settings,
    subqueries,
    types,
    volatile,
    windows,
)

_THEMES = (
    constants,
    counts,
    depth,
    files,
    grouping,
    joins,
    leaves,
    limits,
    recursion,
    settings,
    sets,
    subqueries,
    types,
    volatile,
    windows,
)
CASES: dict[str, Case] = {}
for _theme in _THEMES:
    for _case in _theme.CASES:
        if _case.name in CASES:
            raise ValueError(f"a case has a name of its own: got {_case.name!r} twice")
        CASES[_case.name] = _case
