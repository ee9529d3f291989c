"""Subqueries: scalar, correlated, in HAVING, in lists; each is a join or a value in the plan.

An uncorrelated scalar subquery may become a value that one process fills in and another reads.
"""

from oracle.case import PARTITIONED, Case, themed

CASES = themed(
    "subquery",
    (
        Case(
            name="scalar-in_select",
            sql="SELECT id, q - (SELECT avg(q) FROM facts) AS off FROM facts WHERE k = 3",
            tables=("facts",),
        ),
        Case(
            name="scalar-in_where",
            sql="SELECT id, q FROM facts WHERE q > (SELECT avg(q) FROM facts WHERE g = 'a')",
            tables=("facts",),
        ),
        Case(
            name="scalar-of_nothing_is_null",
            sql="""
                SELECT id, (SELECT max(w) FROM dims WHERE w > 1000) AS none FROM facts WHERE h = 1
            """,
            tables=("facts", "dims"),
        ),
        Case(
            name="scalar-twice",
            sql="""
                SELECT g, sum(q) AS n FROM facts
                WHERE q > (SELECT min(w) FROM dims) AND q < (SELECT max(w) FROM dims) GROUP BY g
            """,
            tables=("facts", "dims"),
        ),
        Case(
            name="scalar-within_scalar",
            sql="""
                SELECT count(*) AS n FROM facts
                WHERE q >= (SELECT min(w) FROM dims WHERE w > (SELECT avg(w) / 2 FROM dims))
            """,
            tables=("facts", "dims"),
        ),
        Case(
            name="scalar-in_having",
            sql="""
                SELECT g, sum(q) AS n FROM facts GROUP BY g
                HAVING sum(q) > (SELECT sum(q) / 6.0 FROM facts)
            """,
            tables=("facts",),
        ),
        Case(
            name="scalar-in_join_condition",
            sql="""
                SELECT f.id, d.label FROM facts f JOIN dims d
                ON f.k = d.k AND f.q > (SELECT avg(w) FROM dims)
            """,
            tables=("facts", "dims"),
            settings=PARTITIONED,
        ),
        Case(
            name="scalar-in_order_by",
            sql="""
                SELECT id, abs(q - (SELECT avg(q) FROM facts)) AS off FROM facts
                WHERE q IS NOT NULL ORDER BY off, id
            """,
            tables=("facts",),
            order=(1, 0),
        ),
        Case(
            name="scalar-in_case",
            sql="""
                SELECT id, CASE WHEN h = 0 THEN (SELECT max(w) FROM dims) ELSE q END AS v FROM facts
            """,
            tables=("facts", "dims"),
            one_place="a scalar of one small scan, then a projection: nothing needs an exchange",
        ),
        Case(
            name="scalar-correlated",
            sql="""
                SELECT f.id, (SELECT sum(d.w) FROM dims d WHERE d.k = f.k) AS n FROM facts f
            """,
            tables=("facts", "dims"),
        ),
        Case(
            name="scalar-correlated_count_is_zero",
            sql="""
                SELECT f.id, (SELECT count(*) FROM dims d WHERE d.k = f.k) AS n FROM facts f
            """,
            tables=("facts", "dims"),
        ),
        Case(
            name="scalar-correlated_with_its_own_table",
            sql="""
                SELECT id, q FROM facts o
                WHERE q = (SELECT max(i.q) FROM facts i WHERE i.g = o.g AND i.h = o.h)
            """,
            tables=("facts",),
            settings=PARTITIONED,
        ),
        Case(
            name="scalar-correlated_below_average",
            sql="""
                SELECT sum(f.q) AS n FROM facts f
                WHERE f.q < (SELECT 0.5 * avg(i.q) FROM facts i WHERE i.k = f.k)
            """,
            tables=("facts",),
        ),
        Case(
            name="exists-correlated",
            sql="""
                SELECT id FROM facts f
                WHERE EXISTS (SELECT * FROM dims d WHERE d.k = f.k AND d.w < f.q)
            """,
            tables=("facts", "dims"),
        ),
        Case(
            name="exists-negated",
            sql="""
                SELECT id FROM facts f
                WHERE NOT EXISTS (SELECT * FROM dims d WHERE d.k = f.k AND d.w < f.q)
            """,
            tables=("facts", "dims"),
        ),
        Case(
            name="exists-both_senses_at_once",
            sql="""
                SELECT l FROM lefts_big
                WHERE EXISTS (SELECT 1 FROM rights WHERE rk = lk)
                    AND NOT EXISTS (SELECT 1 FROM rights_big WHERE rk = lk AND rn > ln)
            """,
            tables=("lefts_big", "rights", "rights_big"),
        ),
        Case(
            name="exists-uncorrelated",
            sql="SELECT id FROM facts WHERE EXISTS (SELECT 1 FROM dims WHERE w > 3)",
            tables=("facts", "dims"),
        ),
        Case(
            name="exists-uncorrelated_false",
            sql="SELECT id FROM facts WHERE EXISTS (SELECT 1 FROM dims WHERE w > 1000) OR h = 2",
            tables=("facts", "dims"),
            no_bytes="the subquery has no row",
        ),
        Case(
            name="two_marks",
            sql="""
                SELECT id FROM facts f WHERE h = 0
                    OR EXISTS (SELECT 1 FROM dims d WHERE d.k = f.k AND d.w > 20)
                    OR EXISTS (SELECT 1 FROM rights WHERE rk = f.k)
            """,
            tables=("facts", "dims", "rights"),
            plan=("Mark",),
        ),
        Case(
            name="in-of_an_aggregate",
            sql="""
                SELECT id FROM facts WHERE k IN (SELECT k FROM dims GROUP BY k HAVING count(*) > 1)
            """,
            tables=("facts", "dims"),
        ),
        Case(
            name="in-correlated",
            sql="SELECT id FROM facts f WHERE q IN (SELECT w FROM dims d WHERE d.k <> f.k)",
            tables=("facts", "dims"),
        ),
        Case(
            name="any_and_all",
            sql="""
                SELECT id FROM facts
                WHERE q > ANY (SELECT w FROM dims WHERE k > 2) AND q <= ALL (SELECT w + 40
                    FROM dims)
            """,
            tables=("facts", "dims"),
        ),
        Case(
            name="from-within_from",
            sql="""
                SELECT h, max(n) AS n FROM (
                    SELECT h, g, count(*) AS n FROM (SELECT * FROM facts WHERE q > 10) GROUP BY h, g
                ) GROUP BY h
            """,
            tables=("facts",),
        ),
        Case(
            name="cte-used_twice",
            sql="""
                WITH t AS (SELECT k, sum(q) AS n FROM facts GROUP BY k)
                SELECT a.k, a.n, b.n AS next FROM t a LEFT JOIN t b ON b.k = a.k + 1
            """,
            tables=("facts",),
            settings=PARTITIONED,
        ),
        Case(
            name="cte-and_its_maximum",
            sql="""
                WITH t AS (SELECT k, sum(q) AS n FROM facts GROUP BY k)
                SELECT k, n FROM t WHERE n = (SELECT max(n) FROM t)
            """,
            tables=("facts",),
        ),
        Case(
            name="view",
            sql="SELECT a.g, a.n, d.label FROM v a JOIN dims d ON a.n % 10 = d.k",
            tables=("facts", "dims"),
            setup=("CREATE VIEW v AS SELECT g, count(*) AS n FROM facts GROUP BY g",),
            empty=None,
        ),
        Case(
            name="many_levels",
            sql="SELECT count(id) AS n FROM "
            + "(SELECT id + 1 AS id FROM " * 15
            + "facts WHERE h > 0"
            + ")" * 15,
            tables=("facts",),
        ),
    ),
)
