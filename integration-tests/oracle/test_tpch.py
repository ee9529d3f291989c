"""The 22 TPC-H queries on every target, held against the engine in one process."""

from collections.abc import Iterator

import pytest

from oracle.product import (
    RULES,
    RULES_FORCED,
    RULES_OFF,
    SPREAD,
    ProductSession,
    assert_distributed,
    open_session,
)
from oracle.reference import Answers, EngineSession, answers
from targets import Target
from tpch.data import QUERIES, query_text, table_folders
from tpch.frames import FRAMES

SCALE = 0.1
# Positions of the columns by which each query orders its rows.
ORDER = {
    1: (0, 1),
    2: (0, 2, 1, 3),
    3: (1, 2),
    4: (0,),
    5: (1,),
    6: (),
    7: (0, 1, 2),
    8: (0,),
    9: (0, 1),
    10: (2,),
    11: (1,),
    12: (0,),
    13: (1, 0),
    14: (),
    15: (0,),
    16: (3, 0, 1, 2),
    17: (),
    18: (4, 3),
    19: (),
    20: (0,),
    21: (1, 0),
    22: (0,),
}
PARTITIONED = {
    "datafusion.optimizer.hash_join_single_partition_threshold": "0",
    "datafusion.optimizer.hash_join_single_partition_threshold_rows": "0",
    "springald.range_placement": "never",
    "springald.runtime_filters": "never",
}
"""With these, every join reads both of its sides from an exchange."""

MEASURED = ("adaptive_broadcast", "adaptive_skip_empty", "adaptive_split")
WAYS = {
    "always": SPREAD,
    "rules": {**SPREAD, **RULES_FORCED},
    "off": {**SPREAD, **RULES_OFF},
    "auto": dict.fromkeys(SPREAD, "auto"),
    "measured": {
        **SPREAD,
        **PARTITIONED,
        **{f"springald.{rule}": "always" for rule in MEASURED},
        "springald.adaptive_coalesce": "never",
    },
    "coalesced": {**SPREAD, **PARTITIONED, "springald.adaptive_coalesce": "always"},
    "as planned": {
        **SPREAD,
        **PARTITIONED,
        **{rule: "never" for rule in RULES if rule.startswith("springald.adaptive_")},
    },
}
_TOLD: dict[int, Answers] = {}


def told(number: int) -> Answers:
    """Returns what one process says to a query; asks it once."""
    if number not in _TOLD:
        _TOLD[number] = answers(query_text(number), {}, _register)
    return _TOLD[number]


def _register(session: EngineSession | ProductSession) -> None:
    for table, folder in table_folders(SCALE).items():
        session.parquet(table, folder)


@pytest.fixture(scope="module", params=WAYS)
def session(request: pytest.FixtureRequest, target: Target) -> Iterator[ProductSession]:
    """A session with the TPC-H tables, where plans are made and changed in one of several ways."""
    with open_session(target) as opened:
        opened.apply(WAYS[request.param])
        _register(opened)
        yield opened


@pytest.mark.parametrize("number", QUERIES)
def test_tpch_with_one_and_four_partitions_agrees(number: int) -> None:
    """The engine in one process answers a TPC-H query alike however many partitions it has."""
    told(number).check_agree(ORDER[number])
    assert told(number).one.num_rows > 0


@pytest.mark.parametrize("number", QUERIES)
def test_tpch_on_target_equals_one_process(
    number: int, session: ProductSession, target: Target, request: pytest.FixtureRequest
) -> None:
    """A TPC-H query has the rows of one process; spread always, it runs on several executors."""
    ran = session.run(query_text(number))
    told(number).check(ran.rows, ORDER[number])
    if target.is_cluster and request.node.callspec.params["session"] == "always":
        assert_distributed(ran.job)
    if target.is_cluster and request.node.callspec.params["session"] == "as planned":
        assert not [each for each in ran.job.statistics().decisions if each.startswith("stage")]


@pytest.mark.parametrize("session", ["always"], indirect=True)
@pytest.mark.parametrize("number", QUERIES)
def test_tpch_frame_on_target_equals_its_sql(
    number: int, session: ProductSession, target: Target
) -> None:
    """A TPC-H query that is built with the DataFrame API has the rows of its SQL text."""
    ran = session.run_frame(FRAMES[number])
    told(number).check(ran.rows, ORDER[number])
    if target.is_cluster:
        assert_distributed(ran.job)
