"""The oracle is sound: each case is a question with one answer, and shows the hazard it names."""

import re

import pytest

from oracle.case import Case
from oracle.hazards.every import CASES
from oracle.reference import Oracle


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_case_with_one_and_four_partitions_agrees(case: Case, oracle: Oracle) -> None:
    """The engine in one process answers a case alike with one partition and with four."""
    told = oracle.told(case)
    oracle.judge(case, told.four)
    if case.empty is not None:
        assert (told.one.num_rows == 0) == case.empty, f"{told.one.num_rows} rows"


@pytest.mark.parametrize("case", [case for case in CASES.values() if case.plan], ids=str)
def test_case_as_planned_shows_its_hazard(case: Case, oracle: Oracle) -> None:
    """The engine plans a case the way that its hazard is about."""
    shown = oracle.plan(case)
    for pattern in case.plan:
        assert re.search(pattern, shown), f"{pattern!r} is not in the plan:\n{shown}"
