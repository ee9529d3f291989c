"""Counts and columns: batches without a column carry a row count through every hop."""

from oracle.case import Case, partitions, themed
from oracle.tables import WIDE_COLUMNS

_FROM_STATISTICS = "the files' own statistics answer it: there is nothing to run"
# Without statistics a count has to read; a scan of no column is what it reads.
_COUNTED = {"datafusion.execution.collect_statistics": "false"}
_SUM_OF_COLUMNS = ", ".join(f"sum(c{at:03}) AS s{at:03}" for at in range(WIDE_COLUMNS))

CASES = themed(
    "count",
    (
        Case(
            name="all",
            sql="SELECT count(*) AS n FROM facts",
            tables=("facts",),
            one_place=_FROM_STATISTICS,
        ),
        Case(
            name="all-read",
            sql="SELECT count(*) AS n FROM facts",
            tables=("facts",),
            settings=_COUNTED,
            plan=("DataSourceExec",),
        ),
        Case(
            name="all-filtered",
            sql="SELECT count(*) AS n FROM facts WHERE q > 10",
            tables=("facts",),
        ),
        Case(
            name="constants",
            sql="SELECT 1 AS one FROM facts WHERE q > 10",
            tables=("facts",),
            one_place="a projection of a scan: nothing needs an exchange",
        ),
        Case(
            name="of_a_cross_join",
            sql="SELECT count(*) AS n FROM facts, dims",
            tables=("facts", "dims"),
            settings=_COUNTED,
            plan=("CrossJoinExec",),
        ),
        Case(
            name="of_a_cross_join_of_three",
            sql="SELECT count(*) AS n FROM dims a, dims b, lefts",
            tables=("dims", "lefts"),
            settings={**_COUNTED, **partitions(5)},
        ),
        Case(
            name="of_a_join",
            sql="SELECT count(*) AS n FROM facts f JOIN dims d ON f.k = d.k",
            tables=("facts", "dims"),
        ),
        Case(
            name="of_a_union",
            sql="SELECT count(*) AS n FROM (SELECT id FROM facts UNION ALL SELECT k FROM dims)",
            tables=("facts", "dims"),
            settings=_COUNTED,
        ),
        Case(
            name="of_groups",
            sql="SELECT count(*) AS n FROM (SELECT k, g FROM facts GROUP BY k, g)",
            tables=("facts",),
        ),
        Case(
            name="of_a_sort",
            sql="SELECT count(*) AS n FROM (SELECT id FROM facts ORDER BY q LIMIT 120)",
            tables=("facts",),
            settings=_COUNTED,
        ),
        Case(
            name="of_a_window",
            sql="SELECT count(*) AS n FROM (SELECT sum(q) OVER (PARTITION BY k) FROM facts)",
            tables=("facts",),
            settings=_COUNTED,
        ),
        Case(
            name="beside_a_count",
            sql="""
                SELECT a.n, b.n AS m FROM (SELECT count(*) AS n
                FROM facts) a, (SELECT count(*) AS n FROM dims) b
            """,
            tables=("facts", "dims"),
            settings=_COUNTED,
        ),
        Case(
            name="many_partitions",
            sql="SELECT count(*) AS n FROM many",
            tables=("many",),
            settings={**_COUNTED, **partitions(24)},
        ),
        Case(
            name="existing_rows",
            sql="SELECT count(*) AS n FROM facts WHERE EXISTS (SELECT 1 FROM dims)",
            tables=("facts", "dims"),
            settings=_COUNTED,
        ),
        Case(
            name="names_twice",
            sql="SELECT a.k, b.k, a.w, b.w FROM dims a JOIN dims b ON a.w < b.w AND a.k = b.k",
            tables=("dims",),
        ),
        Case(
            name="names_twice-sorted",
            sql="""
                SELECT a.id, b.id FROM facts a JOIN facts b ON a.q = b.q AND a.id < b.id
                ORDER BY a.id, b.id
            """,
            tables=("facts",),
            order=(0, 1),
        ),
        Case(
            name="names_twice-of_other_types",
            sql="""
                SELECT a.id, b.g AS id2, b.k, d.k FROM facts a JOIN facts b ON a.id = b.id + 1
                JOIN dims d ON d.k = a.k
            """,
            tables=("facts", "dims"),
        ),
        Case(
            name="odd_names",
            sql="""
                SELECT g AS "Ünïcode Näme", sum(q) AS "sum(q)", count(*) AS "a.b", max(h) AS ""
                FROM facts GROUP BY g
            """,
            tables=("facts",),
        ),
        Case(
            name="very_wide",
            sql="SELECT * FROM wide ORDER BY c000, id",
            tables=("wide",),
            order=(1, 0),
        ),
        Case(
            name="very_wide-summed",
            sql=f"SELECT id % 3 AS m, {_SUM_OF_COLUMNS} FROM wide GROUP BY id % 3",
            tables=("wide",),
        ),
        Case(
            name="very_wide-joined",
            sql="SELECT * FROM wide a JOIN wide b ON a.id = b.id",
            tables=("wide",),
        ),
        Case(
            name="long_values",
            sql="SELECT n, max(t) AS t, count(*) AS c FROM fat GROUP BY n",
            tables=("fat",),
        ),
        Case(
            name="long_values-sorted",
            sql="SELECT id, t || t AS t FROM fat ORDER BY t, id",
            tables=("fat",),
            order=(1, 0),
        ),
    ),
)
