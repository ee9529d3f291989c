"""Leaves that make their rows: VALUES, generate_series, a row of nothing. One task has them."""

from oracle.case import PARTITIONED, Case, themed

_MADE = "rows made in place belong to one task"

CASES = themed(
    "leaf",
    (
        Case(name="row", sql="SELECT 1 AS one, 'two' AS two, NULL AS three", one_place=_MADE),
        Case(
            name="row-filtered_out", sql="SELECT 1 AS one WHERE 1 > 2", one_place=_MADE, empty=True
        ),
        Case(
            name="values",
            sql="SELECT * FROM (VALUES (1, 'a'), (2, NULL), (3, 'c')) t (n, s)",
            one_place=_MADE,
        ),
        Case(
            name="values-grouped",
            sql="SELECT n, count(*) AS c FROM (VALUES (1), (2), (1)) t (n) GROUP BY n",
            one_place=_MADE,
        ),
        Case(
            name="values-joined",
            sql="""
                SELECT f.id, t.s FROM facts f JOIN (VALUES (1, 'a'), (2, 'b'), (2, 'c')) t (n, s)
                ON f.k = t.n
            """,
            tables=("facts",),
            settings=PARTITIONED,
        ),
        Case(
            name="values-left_joined",
            sql="""
                SELECT t.n, count(f.id) AS c FROM (VALUES (1), (2), (77)) t (n) LEFT JOIN facts f
                ON f.k = t.n GROUP BY t.n
            """,
            tables=("facts",),
        ),
        Case(
            name="values-crossed",
            sql="""
                SELECT t.n, sum(f.q) AS s FROM facts f CROSS JOIN (VALUES (1), (2)) t (n)
                GROUP BY t.n
            """,
            tables=("facts",),
        ),
        Case(
            name="series",
            sql="SELECT value FROM generate_series(1, 1000) ORDER BY value DESC LIMIT 5",
            order=(0,),
            one_place=_MADE,
        ),
        Case(
            name="series-grouped",
            sql="""
                SELECT value % 7 AS m, count(*) AS n, sum(value) AS s
                FROM generate_series(1, 20000) GROUP BY 1
            """,
            one_place=_MADE,
        ),
        Case(
            name="series-joined",
            sql="""
                SELECT s.value, count(f.id) AS n FROM generate_series(0, 15) s LEFT JOIN facts f
                ON f.k = s.value GROUP BY s.value
            """,
            tables=("facts",),
            settings=PARTITIONED,
        ),
        Case(
            name="series-of_days",
            sql="""
                SELECT CAST(value AS DATE) AS d FROM
                generate_series(TIMESTAMP '2024-01-01', TIMESTAMP '2024-02-01', INTERVAL '1 week')
            """,
            one_place=_MADE,
        ),
        Case(
            name="range-crossed_with_itself",
            sql="""
                SELECT count(*) AS n, sum(a.value * b.value) AS s
                FROM range(0, 40) a, range(0, 30) b
            """,
            one_place=_MADE,
        ),
        Case(
            name="unnested_literal",
            sql="""
                SELECT f.h, count(*) AS n FROM facts f, (SELECT unnest([1, 2, 3]) AS v) u
                WHERE f.h = u.v GROUP BY f.h
            """,
            tables=("facts",),
        ),
        Case(
            name="settings_table",
            sql="""
                SELECT count(*) > 0 AS some FROM information_schema.tables
                WHERE table_name = 'facts'
            """,
            tables=("facts",),
            one_place="the catalog is in the scheduler",
        ),
    ),
)
