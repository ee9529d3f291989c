"""Exchanges that are spared because rows lie by their keys already, and those that must stay."""

import pytest
from core_cluster import CoreCluster
from planning.conftest import PARTITIONED, Simulate
from planning.test_answers import queries_of
from simulate import Simulation, rows_of

from springald_scheduler.core.graph import StageGraph

SETTING = "springald.spared_exchanges"
ALIGNED = queries_of("""
    SELECT d.k, count(f.id), sum(f.q) FROM dims d LEFT JOIN facts f ON f.k = d.k GROUP BY d.k;
    SELECT c, count(*) FROM (SELECT d.k, count(f.id) AS c FROM dims d LEFT JOIN facts f
        ON f.k = d.k AND f.q > 20 GROUP BY d.k) x GROUP BY c;
    SELECT d.label, min(f.id) FROM dims d LEFT JOIN facts f ON f.s = d.label GROUP BY d.label;
    SELECT d.k, d.w, count(f.id) FROM dims d LEFT JOIN facts f ON f.k = d.k AND f.q = d.w
        GROUP BY d.k, d.w;
    SELECT k, count(*) FROM dims d WHERE EXISTS (SELECT 1 FROM facts f WHERE f.k = d.k) GROUP BY k;
    SELECT k, max(w) FROM dims d WHERE NOT EXISTS (SELECT 1 FROM facts f WHERE f.k = d.k AND q > 20)
        GROUP BY k;
    SELECT x.k, x.c, y.q FROM (SELECT d.k, count(f.id) AS c FROM dims d LEFT JOIN facts f
        ON f.k = d.k GROUP BY d.k) x FULL JOIN facts y ON x.k = y.k;
    SELECT d.k, count(*) OVER (PARTITION BY d.k) FROM dims d LEFT JOIN facts f ON f.k = d.k;
""")
ASTRAY = queries_of("""
    SELECT f.k, count(*), sum(d.w) FROM dims d LEFT JOIN facts f ON f.k = d.k AND f.q > 30
        GROUP BY f.k;
    SELECT d.k, count(*) FROM dims d FULL JOIN facts f ON f.k = d.k AND f.q > 30 GROUP BY d.k;
    SELECT f.k, count(*) FROM dims d FULL JOIN facts f ON f.k = d.k AND d.w > 9 GROUP BY f.k;
    SELECT d.w, count(f.id) FROM dims d LEFT JOIN facts f ON f.k = d.k GROUP BY d.w;
    SELECT d.w, d.k, count(f.id) FROM dims d LEFT JOIN facts f ON f.k = d.k AND f.q = d.w
        GROUP BY d.w, d.k;
    SELECT d.k + 1, count(f.id) FROM dims d LEFT JOIN facts f ON f.k = d.k GROUP BY d.k + 1;
    SELECT d.k, count(f.id) FROM dims d LEFT JOIN facts f ON f.k = d.k GROUP BY ROLLUP (d.k);
    SELECT k, count(*) FROM (SELECT d.k FROM dims d LEFT JOIN facts f ON f.k = d.k UNION ALL
        SELECT h FROM facts) u GROUP BY k;
""")
"""Keys that NULLs replace, other keys, in another order, computed, or of several inputs."""


def _spared(graph: StageGraph) -> bool:
    return any("an exchange is spared" in decision for decision in graph.decisions)


def _check(simulation: Simulation, query: str) -> StageGraph:
    """Asserts that the stages of a query answer as one process does; returns them."""
    graph = simulation.graph(query)
    want = rows_of(simulation.one_process(query), in_order=False)
    rows = CoreCluster(simulation, (1, 1)).run(graph)
    assert rows_of(rows, in_order=False) == want, query
    return graph


@pytest.mark.parametrize("query", ALIGNED)
def test_exchange_by_keys_that_a_join_keeps_is_spared(simulate: Simulate, query: str) -> None:
    """A row of a kept side lies in the partition of its join's keys: nobody sends it there."""
    simulation = simulate()
    spared = _check(simulation, query)
    assert _spared(spared)
    simulation.set(SETTING, "never")
    sent = _check(simulation, query)
    assert not _spared(sent)
    assert len(sent.stages) == len(spared.stages) + 1


@pytest.mark.parametrize("joins", [{}, PARTITIONED], ids=["broadcast", "partitioned"])
@pytest.mark.parametrize("query", ASTRAY)
def test_exchange_by_keys_by_which_rows_do_not_lie_stays(
    simulate: Simulate, query: str, joins: dict[str, str]
) -> None:
    """Rows that an outer join pads lie anywhere, and hashes of other keys say another partition."""
    assert not _spared(_check(simulate(joins), query))


@pytest.mark.parametrize("query", ALIGNED)
def test_spared_exchange_with_stages_that_change_gives_the_same_rows(
    simulate: Simulate, query: str
) -> None:
    """Rules for measured stages never move rows from the partition that an aggregate relies on."""
    rules = ("broadcast", "filter", "merge", "skip_empty", "split", "swap")
    settings = {f"springald.adaptive_{rule}": "always" for rule in rules}
    _check(simulate(settings), query)


def test_aggregate_behind_a_spared_exchange_takes_one_step(simulate: Simulate) -> None:
    """Nothing divides its two steps any more, unless one-step aggregates are off."""
    simulation = simulate()
    assert _modes(simulation.graph(ALIGNED[0])) == ["SinglePartitioned"]
    simulation.set("springald.one_step_aggregates", "never")
    assert _modes(_check(simulation, ALIGNED[0])) == ["FinalPartitioned", "Partial"]


def _modes(graph: StageGraph) -> list[str]:
    return [
        operator.detail.partition("mode=")[2].partition(",")[0]
        for operator in graph.stages[-1].operators
        if operator.name == "AggregateExec"
    ]
