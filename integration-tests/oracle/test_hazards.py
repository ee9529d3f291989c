"""Every hazard of a distributed plan, on every target, held against the engine in one process."""

import pytest

from oracle.case import Case
from oracle.datasets import Store
from oracle.hazards.every import CASES
from oracle.product import SPREAD, assert_distributed, open_session
from oracle.reference import Oracle
from targets import Target


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_case_on_target_equals_one_process(
    case: Case, target: Target, oracle: Oracle, store: Store
) -> None:
    """A query has the rows of one process, spread over executors or with a reason why not."""
    with open_session(target) as session:
        session.apply({**SPREAD, **case.settings})
        session.attempt(case.tried)
        store.register(case.tables, session)
        for statement in case.setup:
            session.statement(statement)
        ran = session.run(case.sql)
        oracle.judge(case, ran.rows)
        if target.is_cluster and not case.one_place:
            assert_distributed(ran.job, shuffled_bytes_min=0 if case.no_bytes else 1)
