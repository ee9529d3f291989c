"""Queries made at random, held against the engine in one process.

`pytest integration-tests/oracle/test_generated.py --generated 5000` makes thousands of them, and
`--generated-seed` other ones. A query that fails is made smaller before it is shown.
"""

from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, Phase, given, reject, seed, settings

from oracle.datasets import Store
from oracle.generator import TABLES, Query, queries
from oracle.product import RULE_WAYS, SPREAD, ProductSession, open_session, was_distributed
from oracle.reference import Answers, EngineSession, context
from targets import ALL, Target

QUERIES_PER_TEST = 25
ANSWERED_SHARE_MIN = 0.9
# Of the queries of one test, how many must have been spread over executors: some need no exchange.
DISTRIBUTED_SHARE_MIN = 0.3

Ask = Callable[[Query], Answers]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Makes as many tests as the queries asked for need; each target has queries of its own."""
    queries_per_round = QUERIES_PER_TEST * len(ALL)
    rounds = -(-metafunc.config.getoption("--generated") // queries_per_round)
    first = metafunc.config.getoption("--generated-seed") * 1_000_000
    if "round_number" in metafunc.fixturenames:
        metafunc.parametrize("round_number", range(first, first + rounds))
    elif "seed_number" in metafunc.fixturenames:
        metafunc.parametrize("seed_number", range(first * len(ALL), (first + rounds) * len(ALL)))


@pytest.fixture(scope="session")
def ask(store: Store) -> Ask:
    """Asks one process, with one partition and with four.

    A query that the engine refuses, or on which it disagrees with itself (in some ten thousand
    queries one shows a fault of its planner), has no answer to hold a target against: it is left.
    """

    def prepare(session: EngineSession) -> None:
        store.register(TABLES, session)

    engines = [context(partitions, {}, prepare) for partitions in (1, 4)]

    def answered(query: Query) -> Answers:
        try:
            one, four = (engine.sql(query.sql).to_arrow_table() for engine in engines)
            told = Answers(one, four)
            told.check_agree(query.order)
        # The engine raises plain exceptions where its own planner gives up.
        except Exception:  # noqa: BLE001
            reject()
        return told

    return answered


def test_generated_with_one_and_four_partitions_agrees(seed_number: int, ask: Ask) -> None:
    """The engine in one process answers nearly all generated queries, and alike."""
    asked: list[Query] = []
    answered: list[Answers] = []

    def check(query: Query) -> None:
        asked.append(query)
        answered.append(ask(query))

    _for_each(seed_number, check)
    assert len(answered) >= ANSWERED_SHARE_MIN * len(asked)
    assert any(told.one.num_rows for told in answered), "no query of this seed finds a row"


@pytest.mark.timeout(600)
def test_generated_on_target_equals_one_process(
    round_number: int, target: Target, ask: Ask, store: Store
) -> None:
    """A generated query has the rows of one process on every target, whatever rules are on."""
    rules = RULE_WAYS[round_number % len(RULE_WAYS)]
    with open_session(target) as session:
        session.apply({**SPREAD, **rules})
        store.register(TABLES, session)
        seed_number = round_number * len(ALL) + ALL.index(target.name)
        spread = _compare(seed_number, session, ask)
    if target.is_cluster and not rules:
        assert sum(spread) >= DISTRIBUTED_SHARE_MIN * len(spread), f"{sum(spread)} of {len(spread)}"


def _compare(seed_number: int, session: ProductSession, ask: Ask) -> list[bool]:
    spread = []

    def check(query: Query) -> None:
        told = ask(query)
        ran = session.run(query.sql)
        told.check(ran.rows, query.order)
        spread.append(was_distributed(ran.job))

    _for_each(seed_number, check)
    return spread


def _for_each(seed_number: int, check: Callable[[Query], None]) -> None:
    """Runs `check` on the queries of a seed; the same ones each time."""
    quiet = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
    run = given(queries())(check)
    run = settings(
        max_examples=QUERIES_PER_TEST,
        deadline=None,
        database=None,
        phases=[Phase.generate, Phase.shrink],
        suppress_health_check=quiet,
    )(run)
    seed(seed_number)(run)()
