"""Plans that change when their stages are measured give the rows that one process gives."""

import re
from collections import Counter

import pytest
from core_cluster import CoreCluster
from planning.conftest import PARTITIONED, Simulate
from planning.test_answers import (
    GROUPS,
    JOINS,
    LIMITS,
    SETS,
    SUBQUERIES,
    WINDOWS,
    queries_of,
)
from simulate import Simulation, rows_of

from springald_scheduler.planning.explain import stages_text

RULES = (
    "adaptive_broadcast",
    "adaptive_coalesce",
    "adaptive_filter",
    "adaptive_merge",
    "adaptive_skip_empty",
    "adaptive_split",
    "adaptive_swap",
)
EMPTY = queries_of("""
    SELECT f.id, d.w FROM facts f JOIN (SELECT * FROM dims WHERE w > 99) d ON f.k = d.k;
    SELECT g, count(*) FROM facts f JOIN (SELECT k FROM dims WHERE w > 99) d USING (k) GROUP BY g;
    SELECT count(*) FROM facts f JOIN (SELECT k FROM dims WHERE w > 99) d ON f.k = d.k;
    SELECT f.id, d.w FROM facts f LEFT JOIN (SELECT * FROM dims WHERE w > 99) d ON f.k = d.k;
    SELECT f.id FROM facts f WHERE f.k NOT IN (SELECT k FROM dims WHERE w > 99 AND k > 0);
    SELECT k FROM dims WHERE w > 99 UNION SELECT k FROM facts WHERE q > 99;
    SELECT g, sum(q) FROM facts WHERE q > 99 GROUP BY ROLLUP (g);
    SELECT * FROM (SELECT k, count(*) AS c FROM facts WHERE q > 99 GROUP BY k) a
        FULL JOIN (SELECT k, sum(w) AS s FROM dims GROUP BY k) b ON a.k = b.k;
""")
CHAINS = queries_of("""
    SELECT f.id, d.label, e.w FROM dims d, facts f, dims e
        WHERE d.k = f.k AND f.h = e.w AND d.w < 9 AND e.k < 9;
    SELECT f.g, count(*), sum(e.w) FROM (SELECT k, w FROM dims WHERE w > 3) d
        JOIN facts f ON d.k = f.k JOIN (SELECT w, k FROM dims WHERE k < 5) e ON f.q = e.w
        GROUP BY f.g;
    SELECT f.id FROM facts f WHERE f.q IN (SELECT max(q) FROM facts GROUP BY h)
        AND f.k IN (SELECT k FROM facts GROUP BY k HAVING sum(q) > 100);
    SELECT count(*), sum(a.q) FROM (SELECT h, count(*) AS c FROM facts GROUP BY h) x
        JOIN facts a ON x.h = a.h WHERE a.s LIKE '%3';
    SELECT a.s, b.s, count(*) FROM (SELECT s, k FROM facts WHERE q > 25) a
        JOIN facts b ON a.k = b.k GROUP BY a.s, b.s;
    SELECT count(*), sum(a.q + b.q) FROM (SELECT k, q FROM facts WHERE q > 9) a
        JOIN (SELECT k, q FROM facts WHERE q > 9) b ON a.k = b.k;
    SELECT d.w, f.q FROM (SELECT k, w FROM dims WHERE w < 9) d JOIN facts f ON d.k = f.k
        UNION ALL SELECT e.w, f.q FROM (SELECT k, w FROM dims WHERE w > 9) e JOIN facts f
        ON e.k = f.k;
""")
SKEWED = queries_of("""
    SELECT * FROM skewed s INNER JOIN dims d ON s.k = d.k;
    SELECT * FROM skewed s LEFT JOIN dims d ON s.k = d.k;
    SELECT * FROM skewed s RIGHT JOIN dims d ON s.k = d.k;
    SELECT * FROM skewed s FULL JOIN dims d ON s.k = d.k;
    SELECT * FROM skewed s LEFT SEMI JOIN dims d ON s.k = d.k;
    SELECT * FROM skewed s LEFT ANTI JOIN dims d ON s.k = d.k;
    SELECT * FROM skewed s RIGHT SEMI JOIN dims d ON s.k = d.k;
    SELECT * FROM skewed s RIGHT ANTI JOIN dims d ON s.k = d.k;
    SELECT * FROM dims d LEFT JOIN skewed s ON s.k = d.k;
    SELECT * FROM dims d RIGHT JOIN skewed s ON s.k = d.k;
    SELECT * FROM dims d LEFT SEMI JOIN skewed s ON s.k = d.k;
    SELECT * FROM dims d LEFT ANTI JOIN skewed s ON s.k = d.k;
    SELECT d.label, count(*), sum(s.id) FROM skewed s JOIN dims d ON s.k = d.k GROUP BY d.label;
    SELECT s.k, count(*) FROM skewed s JOIN dims d ON s.k = d.k GROUP BY s.k;
    SELECT k, count(*), sum(id) FROM skewed GROUP BY k;
    SELECT s.id, d.w FROM skewed s JOIN dims d ON s.k = d.k ORDER BY s.id, d.w LIMIT 20;
    SELECT a.k, b.id FROM skewed a JOIN skewed b ON a.id = b.id;
""")
QUERIES = [*JOINS, *LIMITS, *GROUPS, *SETS, *WINDOWS, *SUBQUERIES, *EMPTY, *CHAINS, *SKEWED]


def _forced(*rules: str) -> dict[str, str]:
    return {f"springald.{rule}": "always" if rule in rules else "never" for rule in RULES}


def _decided(simulation: Simulation, query: str, slots: tuple[int, ...]) -> tuple[str, ...]:
    """Asserts that a query's answer is the right one; returns what was decided on the way."""
    in_order = re.search(r"ORDER BY [^()]*$", query) is not None
    want = rows_of(simulation.one_process(query), in_order=in_order)
    graph = simulation.graph(query)
    if graph.stages[0].fragment.query is not None:
        return ()
    cluster = CoreCluster(simulation, slots)
    assert rows_of(cluster.run(graph), in_order=in_order) == want, query
    return cluster.decisions


@pytest.mark.parametrize("slots", [(1, 1), (2, 2)], ids=str)
@pytest.mark.parametrize(
    ("rules", "word"),
    [
        ((), ""),
        (("adaptive_broadcast",), "broadcasts its build side"),
        (("adaptive_coalesce",), "instead of"),
        (("adaptive_filter",), "is filtered by the keys"),
        (("adaptive_merge",), "it reads"),
        (("adaptive_skip_empty",), "is not run"),
        (("adaptive_split",), "parts"),
        (("adaptive_swap",), "swaps the sides"),
        (("adaptive_broadcast", "adaptive_skip_empty", "adaptive_split"), "broadcasts"),
        (("adaptive_filter", "adaptive_merge", "adaptive_swap"), "is filtered by the keys"),
        (RULES, "instead of"),
    ],
    ids=str,
)
def test_answer_with_rules_for_measured_stages_is_that_of_one_process(
    simulate: Simulate, rules: tuple[str, ...], word: str, slots: tuple[int, ...]
) -> None:
    """Each rule, and all of them together, change how a query runs and not what it answers."""
    simulation = simulate({**PARTITIONED, **_forced(*rules)})
    found: Counter[bool] = Counter()
    for query in QUERIES:
        decisions = _decided(simulation, query, slots)
        found[bool(word) and any(word in each for each in decisions)] += 1
        if not rules:
            assert not any("stage" in each for each in decisions), decisions
    assert bool(found[True]) == bool(rules), found


def test_probe_side_waits_for_a_build_side_of_unknown_size(simulate: Simulate) -> None:
    """A side that is only scanned has a size that the engine knew when it chose."""
    thresholds = dict.fromkeys(PARTITIONED, "1")
    simulation = simulate({**thresholds, "springald.range_placement": "never"})
    waits, texts = {}, []
    for query in queries_of("""
        SELECT f.id, d.w FROM dims d JOIN facts f ON d.k = f.k;
        SELECT f.id, d.w FROM (SELECT k, max(w) AS w FROM dims GROUP BY k) d JOIN facts f USING (k);
    """):
        graph = simulation.graph(query)
        waits[query] = [stage.stage_id for stage in graph.stages if stage.after]
        texts.append(stages_text(graph))
    assert [bool(each) for each in waits.values()] == [False, True], waits
    assert ["; waits for the size of stage" in text for text in texts] == [False, True]
    assert ["; takes in stage" in text for text in texts] == [False, True]
