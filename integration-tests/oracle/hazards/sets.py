"""Set operations: branches of unequal size and type, duplicates that count, unions within unions.

A union numbers its partitions child by child, so a slice of it is a different slice of each child.
"""

from oracle.case import PARTITIONED, Case, partitions, themed

_DEEP_BRANCHES = 40
_DEEP_UNION = " UNION ALL ".join(
    f"SELECT id, {at} AS branch FROM {table} WHERE id % {_DEEP_BRANCHES} = {at}"
    for at, table in enumerate(["facts", "series"] * (_DEEP_BRANCHES // 2))
)
_NESTED_UNION = "SELECT id, h FROM facts"
for _at in range(12):
    _NESTED_UNION = (
        f"SELECT * FROM ({_NESTED_UNION}) UNION ALL SELECT id, {_at} FROM many WHERE n = 1"
    )

CASES = themed(
    "set",
    (
        Case(
            name="union_all-unequal_branches",
            sql="""
                SELECT k, w FROM dims UNION ALL SELECT k, q FROM facts
                UNION ALL SELECT 1, 2 UNION ALL SELECT NULL, id FROM many
            """,
            tables=("dims", "facts", "many"),
            one_place="a union hands its branches on: nothing needs an exchange",
            plan=("UnionExec",),
        ),
        Case(
            name="union_all-of_types_that_differ",
            sql="""
                SELECT g, sum(v) AS v FROM (
                    SELECT g, h AS v FROM facts UNION ALL SELECT 'b', d FROM facts
                    UNION ALL SELECT label, x FROM (SELECT label, 0.25 AS x FROM dims)
                ) GROUP BY g
            """,
            tables=("facts", "dims"),
        ),
        Case(
            name="union_all-then_group",
            sql="""
                SELECT k, count(*) AS n, sum(v) AS v FROM (
                    SELECT k, q AS v FROM facts UNION ALL SELECT k, w FROM dims
                    UNION ALL SELECT k, w FROM dims WHERE w > 20
                ) GROUP BY k
            """,
            tables=("facts", "dims"),
        ),
        Case(
            name="union_all-of_grouped_branches",
            sql="""
                SELECT k, sum(n) AS n FROM (
                    SELECT k, count(*) AS n FROM facts GROUP BY k
                    UNION ALL SELECT k, count(*) FROM dims GROUP BY k
                ) GROUP BY k
            """,
            tables=("facts", "dims"),
        ),
        Case(
            name="union_all-of_joins",
            sql="""
                SELECT l, r FROM lefts JOIN rights_big ON lk = rk
                UNION ALL SELECT l, r FROM lefts_big LEFT JOIN rights ON lk = rk
                UNION ALL SELECT l, NULL FROM lefts
            """,
            tables=("lefts", "rights_big", "lefts_big", "rights"),
            settings=PARTITIONED,
        ),
        Case(
            name="union_all-joined",
            sql="""
                SELECT u.id, d.label FROM (
                    SELECT id, k FROM facts WHERE h = 1 UNION ALL SELECT id, n FROM many
                ) u JOIN dims d ON u.k = d.k
            """,
            tables=("facts", "many", "dims"),
        ),
        Case(
            name="union_all-of_order_and_limit",
            sql="""
                (SELECT id FROM facts ORDER BY id LIMIT 5) UNION ALL
                (SELECT id FROM facts ORDER BY id DESC LIMIT 7) UNION ALL SELECT w FROM dims
            """,
            tables=("facts", "dims"),
        ),
        Case(
            name="union_all-sorted",
            sql="SELECT id, h FROM facts UNION ALL SELECT id, n FROM many ORDER BY id, h",
            tables=("facts", "many"),
            order=(0, 1),
        ),
        Case(
            name="union_all-with_empty_tables",
            sql="""
                SELECT n, count(*) AS rows FROM (
                    SELECT n FROM none UNION ALL SELECT n FROM half UNION ALL SELECT n FROM no_files
                ) GROUP BY n
            """,
            tables=("none", "half", "no_files"),
        ),
        Case(
            name="union_all-of_values_counts_once",
            sql="""
                SELECT g, count(*) AS n FROM (
                    SELECT g FROM facts UNION ALL VALUES ('a'), ('z'), (NULL)
                    UNION ALL SELECT 'q' UNION ALL SELECT 'z' FROM generate_series(1, 3)
                ) GROUP BY g
            """,
            tables=("facts",),
        ),
        Case(
            name="union_all-deep",
            sql=f"SELECT branch, count(*) AS n FROM ({_DEEP_UNION}) GROUP BY branch",
            tables=("facts", "series"),
        ),
        Case(
            name="union_all-nested",
            sql=f"SELECT h, count(*) AS n, sum(id) AS ids FROM ({_NESTED_UNION}) GROUP BY h",
            tables=("facts", "many"),
            settings=partitions(6),
        ),
        Case(
            name="union_by_name",
            sql="SELECT k, label FROM dims UNION BY NAME SELECT id, k FROM facts WHERE h = 2",
            tables=("facts", "dims"),
        ),
        Case(
            name="union-distinct",
            sql="SELECT k, g FROM facts UNION SELECT k, 'a' FROM dims UNION SELECT NULL, NULL",
            tables=("facts", "dims"),
        ),
        Case(
            name="union-of_one_table_with_itself",
            sql="SELECT k, h FROM facts WHERE h = 1 UNION SELECT k, h FROM facts WHERE h = 2",
            tables=("facts",),
            settings={"datafusion.optimizer.enable_unions_to_filter": "true"},
        ),
        Case(
            name="intersect",
            sql="SELECT k FROM facts INTERSECT SELECT k FROM dims",
            tables=("facts", "dims"),
        ),
        Case(
            name="intersect-all",
            sql="SELECT k FROM facts INTERSECT ALL SELECT k FROM dims",
            tables=("facts", "dims"),
        ),
        Case(
            name="intersect-of_two_columns_with_nulls",
            sql="SELECT k, g FROM facts WHERE h < 2 INTERSECT SELECT k, g FROM facts WHERE h >= 2",
            tables=("facts",),
            settings=PARTITIONED,
        ),
        Case(
            name="except",
            sql="SELECT k FROM dims EXCEPT SELECT k FROM facts",
            tables=("facts", "dims"),
        ),
        Case(
            name="except-all",
            sql="SELECT k FROM dims EXCEPT ALL SELECT k FROM facts WHERE k IS NOT NULL",
            tables=("facts", "dims"),
        ),
        Case(
            name="except-null_equals_null",
            sql="SELECT k FROM dims EXCEPT SELECT k FROM facts WHERE k IS NULL",
            tables=("facts", "dims"),
        ),
        Case(
            name="except-nothing",
            sql="SELECT n, t FROM half EXCEPT SELECT n, t FROM none",
            tables=("half", "none"),
        ),
        Case(
            name="mixed",
            sql="""
                (SELECT k FROM facts INTERSECT SELECT k FROM dims)
                UNION ALL (SELECT k FROM dims EXCEPT SELECT k FROM facts)
            """,
            tables=("facts", "dims"),
        ),
    ),
)
