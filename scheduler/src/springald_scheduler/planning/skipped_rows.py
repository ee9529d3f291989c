"""Rows that the engine leaves out where rows with an OFFSET are ordered once more, put right.

DataFusion 55 moves an order that is asked for above `LIMIT f OFFSET s` below it, and keeps `f` rows
there where it must keep `s + f`: `f - s` rows come out, without an error, in one process too. It is
mended upstream after this version. The logical plan tells the limit that was meant.
"""

import re
from collections import Counter
from typing import Final

from springald.engine.plan_view import PlanNode
from springald.errors import UnsupportedError

_SKIPS: Final = re.compile(r"GlobalLimitExec: skip=([1-9]\d*), fetch=(\d+)")
_MEANT: Final = re.compile(r"^\s*Limit: skip=([1-9]\d*), fetch=(\d+)$", re.MULTILINE)
_PASSED: Final = frozenset({"merge", "projection", "sort_preserving_merge"})

Limit = tuple[int, int]
"""How many rows are skipped, and how many come out then."""


def may_skip_too_much(plan_text: str) -> bool:
    """True for a physical plan with a limit that may be one of the wrong ones."""
    return _SKIPS.search(plan_text) is not None


def mend_skips(root: PlanNode, logical_text: str) -> int:
    """Gives limits back the rows that the engine took from them.

    Args:
        root: The physical plan, which is changed.
        logical_text: The optimized logical plan.

    Returns:
        How many limits were mended.
    """
    meant = _limits(_MEANT, logical_text)
    limits = [node for node in root.walk() if node.kind == "global_limit" and node.body.skip]
    meant.subtract(_limit(node) for node in limits)
    mended = 0
    for node in limits:
        below = _kept_below(node)
        kept = below[-1].body.fetch if below else 0
        wanted = (node.body.skip, kept)
        if meant[_limit(node)] >= 0 or meant[wanted] <= 0:
            continue
        meant[_limit(node)] += 1
        meant[wanted] -= 1
        node.body.fetch = kept
        for each in below:
            if each.body.fetch == kept:
                each.body.fetch = node.body.skip + kept
        mended += 1
    return mended


def check_skips(plan_text: str, logical_text: str) -> None:
    """Refuses a plan that cannot be mended, because it is made again where it runs.

    Raises:
        UnsupportedError: It has a limit from which the engine took rows.
    """
    limits = _limits(_SKIPS, plan_text)
    missing = _limits(_MEANT, logical_text) - limits
    for skip, fetch in limits - _limits(_MEANT, logical_text):
        if any(skip == each and max(0, kept - each) == fetch for each, kept in missing):
            raise UnsupportedError(
                f"rows behind OFFSET {skip} that are ordered once more are all kept: the engine "
                "loses some here; give the outer ORDER BY a LIMIT, too"
            )


def _limits(pattern: re.Pattern[str], text: str) -> Counter[Limit]:
    return Counter((int(skip), int(fetch)) for skip, fetch in pattern.findall(text))


def _limit(node: PlanNode) -> Limit:
    return node.body.skip, node.body.fetch


def _kept_below(limit: PlanNode) -> list[PlanNode]:
    """Returns the operators below a limit that keep so many rows, the sort of them the last."""
    found, node = [], limit.children[0]
    while node.kind in _PASSED:
        if node.kind == "sort_preserving_merge":
            found.append(node)
        node = node.children[0]
    return [*found, node] if node.kind == "sort" else []
