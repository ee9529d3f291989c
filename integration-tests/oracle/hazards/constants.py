"""What the plan below a cut has proved and the plan above it relies on.

A filter makes a column constant, so the engine leaves it out of sort keys and partition keys above;
once an exchange lies between, the plan above must still be allowed to think so.
"""

from oracle.case import PARTITIONED, SORT_MERGE, Case, themed

CASES = themed(
    "constant",
    (
        Case(
            name="year-in_a_window",
            sql="""
                SELECT item, d_moy, rank() OVER (PARTITION BY d_year, item
                    ORDER BY amount, d_moy) AS r
                FROM sales WHERE d_year = 1999
            """,
            tables=("sales",),
        ),
        Case(
            name="year-below_an_aggregate_and_a_window",
            sql="""
                SELECT * FROM (
                    SELECT item, d_year, d_moy, sum(amount) AS s,
                        avg(sum(amount)) OVER (PARTITION BY item, d_year) AS yearly,
                        rank() OVER (PARTITION BY item, d_year ORDER BY d_year, d_moy) AS r
                    FROM sales WHERE d_year = 1999 GROUP BY item, d_year, d_moy
                ) WHERE yearly > 0 ORDER BY item, d_moy
            """,
            tables=("sales",),
            order=(0, 2),
        ),
        Case(
            name="year-joined_to_itself_by_rank",
            sql="""
                WITH v AS (
                    SELECT item, store, d_year, d_moy, sum(amount) AS s,
                        rank() OVER (PARTITION BY item, store ORDER BY d_year, d_moy) AS rn
                    FROM sales WHERE d_year = 1999 OR (d_year = 1998 AND d_moy = 12)
                    GROUP BY item, store, d_year, d_moy
                )
                SELECT v.item, v.store, v.d_moy, v.s, b.s AS before, a.s AS after
                FROM v JOIN v b ON v.item = b.item AND v.store = b.store AND v.rn = b.rn + 1
                JOIN v a ON v.item = a.item AND v.store = a.store AND v.rn = a.rn - 1
                WHERE v.d_year = 1999
            """,
            tables=("sales",),
            settings=PARTITIONED,
        ),
        Case(
            name="year-sorted_by",
            sql="""
                SELECT d_year, amount, item FROM sales WHERE d_year = 1999
                ORDER BY d_year, amount, item
            """,
            tables=("sales",),
            order=(0, 1, 2),
        ),
        Case(
            name="year-is_the_only_partition_key",
            sql="""
                SELECT item, amount, row_number() OVER (PARTITION BY d_year
                    ORDER BY amount, item, d_moy, store) AS r
                FROM sales WHERE d_year = 1999
            """,
            tables=("sales",),
        ),
        Case(
            name="year-is_a_join_key",
            sql="""
                SELECT a.item, count(*) AS n FROM sales a JOIN sales b
                ON a.d_year = b.d_year AND a.item = b.item
                WHERE a.d_year = 1999 AND b.amount > 500 GROUP BY a.item
            """,
            tables=("sales",),
            settings=PARTITIONED,
        ),
        Case(
            name="year-is_a_merge_join_key",
            sql="""
                SELECT a.item, a.d_moy, b.amount FROM sales a JOIN sales b
                ON a.d_year = b.d_year AND a.item = b.item AND a.d_moy = b.d_moy
                WHERE a.d_year = 1999 AND b.amount > 500
            """,
            tables=("sales",),
            settings=SORT_MERGE,
        ),
        Case(
            name="literal-in_a_window",
            sql="""
                SELECT item, sum(amount) OVER (PARTITION BY 1, item ORDER BY 2, amount) AS s
                FROM sales
            """,
            tables=("sales",),
        ),
        Case(
            name="literal-as_group_key",
            sql="""
                SELECT one, item, sum(amount) AS s FROM (SELECT 1 AS one, item, amount FROM sales)
                GROUP BY one, item
            """,
            tables=("sales",),
        ),
        Case(
            name="equal_columns-in_a_window",
            sql="""
                SELECT a.item, rank() OVER (PARTITION BY a.item, b.k ORDER BY a.amount, b.w) AS r
                FROM sales a JOIN dims b ON a.item = b.k
            """,
            tables=("sales", "dims"),
            settings=PARTITIONED,
        ),
        Case(
            name="constant_after_a_join",
            sql="""
                SELECT s.d_year, s.item, x.n, sum(s.amount) OVER (PARTITION BY s.d_year, s.item
                    ORDER BY s.amount) AS run
                FROM sales s JOIN (SELECT item, count(*) AS n FROM sales GROUP BY item) x
                ON s.item = x.item WHERE s.d_year = 2000 AND s.store = 'north'
            """,
            tables=("sales",),
            settings=PARTITIONED,
        ),
        Case(
            name="sorted_by_key_then_aggregated",
            sql="""
                SELECT d_year, item, array_agg(amount ORDER BY amount) AS a FROM sales
                WHERE d_year = 1999 AND d_moy < 4 GROUP BY d_year, item
            """,
            tables=("sales",),
        ),
        Case(
            name="ended_by_an_outer_join",
            sql="""
                SELECT s.item, s.amount, y.d_year,
                    rank() OVER (PARTITION BY s.item ORDER BY s.amount) AS r
                FROM sales s LEFT JOIN (SELECT * FROM sales WHERE d_year = 1999) y
                ON s.item = y.item AND s.amount = y.amount
            """,
            tables=("sales",),
            settings=PARTITIONED,
        ),
        Case(
            name="null_constant",
            sql="""
                SELECT item, store, rank() OVER (PARTITION BY store, item ORDER BY amount) AS r
                FROM sales WHERE store IS NULL
            """,
            tables=("sales",),
        ),
    ),
)
