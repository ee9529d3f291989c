"""Recursive queries: the work table is local to a process, so the recursion is one task."""

from oracle.case import Case, themed

_RECURSION = "a recursive query and the work table it reads are one task"

CASES = themed(
    "recursion",
    (
        Case(
            name="numbers",
            sql="""
                WITH RECURSIVE r (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM r WHERE n < 40)
                SELECT n, n * n AS square FROM r
            """,
            one_place=_RECURSION,
        ),
        Case(
            name="paths",
            sql="""
                WITH RECURSIVE paths (src, dst, hops) AS (
                    SELECT src, dst, 1 FROM edges WHERE src = 0
                    UNION ALL
                    SELECT p.src, e.dst, p.hops + 1 FROM paths p JOIN edges e ON p.dst = e.src
                    WHERE p.hops < 5
                )
                SELECT dst, hops, count(*) AS ways FROM paths GROUP BY dst, hops
            """,
            tables=("edges",),
            one_place=_RECURSION,
        ),
        Case(
            name="reached",
            sql="""
                WITH RECURSIVE reached (node) AS (
                    SELECT 0 UNION SELECT e.dst FROM reached r JOIN edges e ON r.node = e.src
                )
                SELECT node FROM reached
            """,
            tables=("edges",),
            one_place=_RECURSION,
        ),
        Case(
            name="joined_outside",
            sql="""
                WITH RECURSIVE r (n) AS (SELECT 0 UNION ALL SELECT n + 1 FROM r WHERE n < 9)
                SELECT r.n, count(f.id) AS rows, sum(f.q) AS q FROM r LEFT JOIN facts f ON f.k = r.n
                GROUP BY r.n
            """,
            tables=("facts",),
            one_place=_RECURSION,
        ),
        Case(
            name="fed_by_an_aggregate",
            sql="""
                WITH RECURSIVE r (n, total) AS (
                    SELECT max(dst), CAST(0 AS BIGINT) FROM edges
                    UNION ALL
                    SELECT e.src, r.total + 1 FROM r JOIN edges e ON e.dst = r.n WHERE r.total < 3
                )
                SELECT n, total, count(*) AS ways FROM r GROUP BY n, total
            """,
            tables=("edges",),
            one_place=_RECURSION,
        ),
        Case(
            name="two_at_once",
            sql="""
                WITH RECURSIVE
                    a (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM a WHERE n < 6),
                    b (n) AS (SELECT 4 UNION ALL SELECT n + 2 FROM b WHERE n < 12)
                SELECT a.n, b.n AS m FROM a JOIN b ON a.n = b.n
            """,
            one_place=_RECURSION,
        ),
    ),
)
