"""Stages that run as isolated tasks give the rows that one process gives."""

import re

import pyarrow as pa
import pytest
from planning.conftest import PARTITIONED, Simulate
from simulate import Simulation, rows_of

SORT_MERGE = {**PARTITIONED, "datafusion.optimizer.prefer_hash_join": "false"}
FINE = {"datafusion.optimizer.repartition_file_min_size": "0"}


_ORDERED = re.compile(r"ORDER BY [^()]*$")


def queries_of(text: str) -> list[str]:
    """Returns the queries of a text, each on a line."""
    return [" ".join(query.split()) for query in text.split(";") if query.strip()]


JOINS = queries_of("""
    SELECT * FROM facts f JOIN dims d ON f.k = d.k;
    SELECT * FROM facts f LEFT JOIN dims d ON f.k = d.k;
    SELECT * FROM facts f RIGHT JOIN dims d ON f.k = d.k;
    SELECT * FROM facts f FULL JOIN dims d ON f.k = d.k;
    SELECT * FROM facts f LEFT SEMI JOIN dims d ON f.k = d.k;
    SELECT * FROM facts f LEFT ANTI JOIN dims d ON f.k = d.k;
    SELECT * FROM facts f RIGHT SEMI JOIN dims d ON f.k = d.k;
    SELECT * FROM facts f RIGHT ANTI JOIN dims d ON f.k = d.k;
    SELECT id FROM facts f WHERE EXISTS (SELECT 1 FROM dims d WHERE d.k = f.k) OR h = 1;
    SELECT id FROM facts f WHERE NOT EXISTS (SELECT 1 FROM dims d WHERE d.k = f.k) OR h = 1;
    SELECT id FROM facts WHERE k NOT IN (SELECT k FROM dims WHERE k IS NOT NULL);
    SELECT id FROM facts WHERE k NOT IN (SELECT k FROM dims);
    SELECT id, w FROM dims d LEFT JOIN facts f ON f.k = d.k AND f.q > d.w;
    SELECT id, w FROM dims d LEFT JOIN facts f ON f.q < d.w;
    SELECT id, w FROM dims d FULL JOIN facts f ON f.q < d.w AND f.h = 1;
    SELECT id, w FROM facts CROSS JOIN dims WHERE h = 2;
    SELECT a.id, b.id AS other FROM facts a FULL JOIN none n ON a.k = n.k JOIN facts b USING (q);
    SELECT d.label, x.w FROM dims d, LATERAL (SELECT max(w) AS w FROM dims e WHERE e.k = d.k) x;
""")

LIMITS = queries_of("""
    SELECT count(*) FROM (SELECT id FROM facts LIMIT 17);
    SELECT count(*) FROM (SELECT id FROM facts f LEFT JOIN dims d ON f.k = d.k LIMIT 13 OFFSET
        4);
    SELECT count(*) FROM (SELECT DISTINCT g FROM facts LIMIT 2);
    SELECT id, q FROM facts ORDER BY q DESC, id LIMIT 7 OFFSET 3;
    SELECT * FROM (SELECT id, k FROM facts ORDER BY id LIMIT 9) a FULL JOIN (SELECT k AS dk, w
        FROM dims ORDER BY w LIMIT 4) b ON a.k = b.dk;
    SELECT * FROM ((SELECT id FROM facts ORDER BY id LIMIT 5) UNION ALL SELECT k FROM dims UNION
        ALL (SELECT id FROM facts ORDER BY id DESC LIMIT 2)) ORDER BY 1 LIMIT 11;
    SELECT id, n FROM ordered ORDER BY id LIMIT 12;
    SELECT * FROM (SELECT k, sum(k) OVER (ORDER BY k DESC NULLS LAST) AS s FROM (SELECT DISTINCT
        k FROM facts)) ORDER BY k LIMIT 3;
""")

GROUPS = queries_of("""
    SELECT k, g, count(*), sum(q), min(s) FROM facts GROUP BY k, g;
    SELECT g, count(DISTINCT k), count(DISTINCT h), sum(DISTINCT q) FROM facts GROUP BY g;
    SELECT count(*) FROM facts;
    SELECT count(*), max(w) FROM none;
    SELECT g, h, grouping(g, h), sum(q) FROM facts GROUP BY CUBE (g, h);
    SELECT g, count(*) FROM facts GROUP BY GROUPING SETS ((g), ());
    SELECT count(*) FROM facts GROUP BY GROUPING SETS ((), ());
    SELECT k, array_agg(id ORDER BY id DESC), first_value(g ORDER BY id) FROM facts GROUP BY k;
    SELECT id, max(n) FROM ordered GROUP BY id ORDER BY id;
    SELECT year, sum(amount) FROM sales GROUP BY year;
    SELECT struct(g, h) AS st, count(*) FROM facts GROUP BY 1;
""")

SETS = queries_of("""
    SELECT k FROM facts UNION SELECT k FROM dims;
    SELECT k FROM facts INTERSECT ALL SELECT k FROM dims;
    SELECT k FROM facts EXCEPT ALL SELECT k FROM dims;
    SELECT x, count(*) FROM (SELECT k AS x FROM facts UNION ALL SELECT w FROM dims UNION ALL
        SELECT 3 UNION ALL SELECT value FROM generate_series(1, 5)) GROUP BY x;
    SELECT k, rank() OVER (PARTITION BY k ORDER BY x) FROM (SELECT f.k, id AS x FROM facts f
        LEFT JOIN dims d ON f.k = d.k UNION ALL SELECT k, w FROM dims);
    SELECT 1 FROM facts WHERE FALSE UNION ALL SELECT 2;
    SELECT * FROM (VALUES (1, 'a'), (2, 'b'), (NULL, 'c')) t(a, b) FULL JOIN dims ON a = k;
""")

WINDOWS = queries_of("""
    SELECT id, sum(q) OVER (PARTITION BY k ORDER BY id ROWS 2 PRECEDING) FROM facts;
    SELECT id, row_number() OVER (ORDER BY q, id), sum(q) OVER () FROM facts;
    SELECT id, sum(q) FILTER (WHERE h = 1) OVER (PARTITION BY g) FROM facts;
    SELECT id, first_value(k) IGNORE NULLS OVER (PARTITION BY g ORDER BY id) FROM facts;
    SELECT id, lag(n) OVER (ORDER BY id), lead(n) OVER (ORDER BY id DESC) FROM ordered;
    SELECT h, k, rank() OVER (PARTITION BY h, k ORDER BY s) FROM (SELECT h, k, g, sum(q) AS s
        FROM facts WHERE h = 2 AND k = 3 GROUP BY h, k, g);
    SELECT h, k, avg(s) OVER (PARTITION BY h, k) FROM (SELECT h, k, g, sum(q) AS s FROM facts
        WHERE h = 2 AND k = 3 GROUP BY h, k, g);
    SELECT id, c FROM (SELECT id, count(*) OVER (PARTITION BY h ORDER BY q, id) AS c FROM facts)
        WHERE c <= 2;
""")

SUBQUERIES = queries_of("""
    SELECT id, (SELECT max(w) FROM dims) AS m FROM facts WHERE q > (SELECT avg(q) FROM facts);
    SELECT g, sum(q) FROM facts GROUP BY g HAVING sum(q) > (SELECT avg(w) * 20 FROM dims);
    SELECT id FROM facts f WHERE q = (SELECT max(q) FROM facts x WHERE x.k = f.k);
    SELECT id FROM facts WHERE q > (SELECT max(w) FROM dims WHERE k > (SELECT min(k) FROM facts
        WHERE h > (SELECT min(h) FROM facts)));
    SELECT (SELECT count(*) FROM (SELECT DISTINCT g FROM facts)) AS a, (SELECT max(k) FROM dims);
    SELECT k + (SELECT max(w) FROM dims) AS x, count(*) FROM facts GROUP BY 1;
    SELECT k, sum(q) FROM facts WHERE q > (SELECT min(w) FROM dims) GROUP BY k
        HAVING sum(q) > (SELECT avg(w) * 3 FROM dims);
    SELECT sum(q) OVER (PARTITION BY k + (SELECT min(w) FROM dims) ORDER BY id) FROM facts;
    WITH a AS (SELECT k, sum(q) AS s FROM facts GROUP BY k), b AS (SELECT * FROM a WHERE s >
        (SELECT avg(s) FROM a)) SELECT b.*, label FROM b LEFT JOIN dims d ON d.k = b.k;
    WITH RECURSIVE r(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 5) SELECT n,
        count(k) FROM r LEFT JOIN dims ON n = k GROUP BY n;
""")

QUERIES = [*JOINS, *LIMITS, *GROUPS, *SETS, *WINDOWS, *SUBQUERIES]


def _check_all(simulation: Simulation, queries: list[str]) -> None:
    wrong = []
    for sql in queries:
        try:
            simulation.check(sql, in_order=_ORDERED.search(sql) is not None)
        except Exception as failure:  # noqa: BLE001 - all wrong queries are told at once
            wrong.append(f"{sql}\n  {type(failure).__name__}: {str(failure)[:300]}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("queries", [JOINS, LIMITS, GROUPS, SETS, WINDOWS, SUBQUERIES])
def test_answer_with_usual_settings_is_that_of_one_process(
    simulation: Simulation, queries: list[str]
) -> None:
    """Each hazard's queries, with build sides sent to every task."""
    _check_all(simulation, queries)


@pytest.mark.parametrize(
    ("settings", "width"),
    [
        (PARTITIONED, 1),
        ({**SORT_MERGE, "datafusion.execution.target_partitions": "3"}, 2),
        ({**FINE, "datafusion.execution.target_partitions": "9"}, 2),
        ({"datafusion.execution.target_partitions": "1"}, 1),
    ],
)
def test_answer_with_other_settings_is_that_of_one_process(
    simulate: Simulate, settings: dict[str, str], width: int
) -> None:
    """No setting that a session may change, and no number of partitions a task, changes rows."""
    _check_all(simulate(settings, width=width), QUERIES)


def test_upload_planned_in_parts_is_read_once(simulate: Simulate) -> None:
    """A placeholder file that the engine splits still stands for its partition, once."""
    simulation = simulate({**FINE, "datafusion.execution.target_partitions": "7"})
    simulation.upload("sent", pa.table({"a": list(range(50)), "b": [i % 4 for i in range(50)]}))
    _check_all(
        simulation,
        [
            "SELECT b, count(*), sum(a) FROM sent GROUP BY b",
            "SELECT x.a, y.b FROM sent x LEFT JOIN sent y ON x.b = y.a",
            "SELECT count(*) FROM sent JOIN facts ON a = id",
        ],
    )


OLDER_INTERVALS = {
    "months": "arrow_cast(f.k, 'Interval(YearMonth)')",
    "others": "arrow_cast(d.k, 'Interval(YearMonth)')",
    "days": "arrow_cast(f.h || ' days 5 milliseconds', 'Interval(DayTime)')",
}


@pytest.mark.parametrize(
    "query",
    queries_of("""
        SELECT {months} AS v, count(*) AS n FROM facts f GROUP BY 1;
        SELECT g, max({months}) AS v, array_agg({days} ORDER BY id) AS l FROM facts f GROUP BY g;
        SELECT {months} AS v, label FROM facts f LEFT JOIN dims d ON {months} = {others};
        SELECT DISTINCT named_struct('v', {months}) AS s FROM facts f;
        SELECT id, {days} AS v FROM facts f ORDER BY id DESC LIMIT 5;
    """),
)
def test_older_intervals_pass_exchanges_and_come_as_months_days_and_nanoseconds(
    simulate: Simulate, query: str
) -> None:
    """P5.8: the engine computes with them in every stage, and results have the newer kind."""
    simulation = simulate(PARTITIONED)
    older = query.format(**OLDER_INTERVALS)
    newer = query.format(**{name: f"{sql}::interval" for name, sql in OLDER_INTERVALS.items()})
    got, want = simulation.answer(older), simulation.one_process(newer)
    assert got.schema.types == want.schema.types
    assert rows_of(got) == rows_of(want)
    assert simulation.describe(older).types == want.schema.types
