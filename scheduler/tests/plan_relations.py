"""Each kind of relation as a plan, and the SQL that a person writes for it."""

import plan_kit as k
import pyarrow as pa

FACTS, DIMS = k.table("facts"), k.table("dims")
F, D = k.table("facts", "f"), k.table("dims", "d")
KEYS = [(k.col("k", "f"), k.col("k", "d"))]
NUMBERS = pa.schema({"a": pa.int64()})
ROWS = pa.table({"a": [1, 2, None], "b": ["x", None, "y"]})


def numbers(*rows: int | None) -> k.Rel:
    """Returns rows of one column, `a`."""
    return k.values(NUMBERS, *([k.lit(row, pa.int64())] for row in rows))


def joined(kind: str) -> tuple[k.Rel, str]:
    """Returns a join with a key and a condition, and its SQL."""
    plan = k.join(F, D, kind, keys=KEYS, condition=k.call("<", "q", k.call("*", "w", 3)))
    sql = f"{kind.replace('_', ' ')} JOIN dims d ON f.k = d.k AND q < w * 3"
    if "SEMI" in kind or "ANTI" in kind:
        return plan, f"SELECT * FROM facts f {sql}"  # noqa: S608
    names = ["id", "fk", "g", "h", "q", "s", "dk", "label", "w"]
    listed = "id, f.k AS fk, g, h, q, s, d.k AS dk, label, w"
    return k.named(plan, "j", *names), f"SELECT {listed} FROM facts f {sql}"  # noqa: S608


RELATIONS: dict[str, tuple[k.Rel, str]] = {
    "read": (FACTS, "SELECT * FROM facts"),
    "values": (
        k.values(
            pa.schema({"a": pa.int8(), "b": pa.string()}), [1, k.lit("x")], [None, k.lit("y")]
        ),
        "SELECT arrow_cast(a, 'Int8') AS a, b FROM (VALUES (1, 'x'), (NULL, 'y')) v(a, b)",
    ),
    "values without rows": (k.values(NUMBERS), "SELECT 1 AS a WHERE FALSE"),
    "values without columns": (
        k.group(k.values(pa.schema([]), [], []), [], k.alias(k.agg("count"), "n")),
        "SELECT 2 AS n",
    ),
    "inline": (k.inline(ROWS), "SELECT * FROM (VALUES (1, 'x'), (2, NULL), (NULL, 'y')) v(a, b)"),
    "inline with a qualifier": (
        k.project(k.inline(ROWS, "i"), k.col("a", "i")),
        "SELECT * FROM (VALUES (1), (2), (NULL)) v(a)",
    ),
    "sql": (
        k.where(k.sql("SELECT id, g FROM facts -- all\n;"), k.call("<", "id", 5)),
        "SELECT id, g FROM facts WHERE id < 5",
    ),
    "series": (k.series(1, 9, 3), "SELECT * FROM generate_series(1, 9, 3)"),
    "series without its end": (
        k.series(1, 7, 3, includes_stop=False),
        "SELECT * FROM range(1, 7, 3)",
    ),
    "series of times": (
        k.series(
            k.lit(0, pa.timestamp("ns")),
            k.lit(3_600_000_000_000, pa.timestamp("ns")),
            k.lit((0, 0, 1_800_000_000_000), pa.month_day_nano_interval()),
        ),
        """SELECT * FROM generate_series(TIMESTAMP '1970-01-01', TIMESTAMP '1970-01-01 01:00:00',
            INTERVAL '30 minutes')""",
    ),
    "table function": (k.table_function("range", 2, 5), "SELECT * FROM range(2, 5)"),
    "projection": (
        k.project(FACTS, "id", k.alias(k.call("+", "id", 1), "next")),
        "SELECT id, id + 1 AS next FROM facts",
    ),
    "projection of all": (
        k.project(F, k.star("f", besides=["s", "h"]), k.alias("h", "again")),
        "SELECT id, k, g, q, h AS again FROM facts",
    ),
    "projection of nothing": (
        k.group(k.project(FACTS), [], k.alias(k.agg("count"), "n")),
        "SELECT count(*) AS n FROM facts",
    ),
    "with columns": (
        k.with_columns(DIMS, k.alias(k.call("+", "w", "k"), "w"), k.alias("label", "same")),
        "SELECT k, label, w + k AS w, label AS same FROM dims",
    ),
    "drop columns": (k.drop_columns(FACTS, "s", "g"), "SELECT id, k, h, q FROM facts"),
    "rename columns": (
        k.rename(DIMS, w="k", k="W w"),
        'SELECT k AS "W w", label, w AS k FROM dims',
    ),
    "filter": (
        k.where(FACTS, k.call("and", k.call(">", "id", 5), k.call("is not null", "g"))),
        "SELECT * FROM facts WHERE id > 5 AND g IS NOT NULL",
    ),
    "filter of a null": (k.where(FACTS, k.call(">", "k", 3)), "SELECT * FROM facts WHERE k > 3"),
    "aggregate": (
        k.group(FACTS, ["g"], k.alias(k.agg("sum", "q"), "s"), k.alias(k.agg("count"), "n")),
        "SELECT g, sum(q) AS s, count(*) AS n FROM facts GROUP BY g",
    ),
    "aggregate without groups": (
        k.group(k.where(FACTS, k.call("<", "id", 0)), [], k.alias(k.agg("sum", "q"), "s")),
        "SELECT sum(q) AS s FROM facts WHERE id < 0",
    ),
    "aggregate of a number": (
        k.group(FACTS, [k.alias(1, "one")], k.alias(k.agg("count"), "n")),
        "SELECT 1 AS one, count(*) AS n FROM facts",
    ),
    "grouping sets": (
        k.group(
            FACTS,
            ["g", "h", "k"],
            k.alias(k.agg("count"), "n"),
            k.alias(k.agg("grouping", "g"), "b"),
            mode="SETS",
            sets=[[0], [1], []],
        ),
        """SELECT g, h, arrow_cast(NULL, 'Int32') AS k, count(*) AS n, grouping(g) AS b
            FROM facts GROUP BY GROUPING SETS ((g), (h), ())""",
    ),
    "rollup": (
        k.group(FACTS, ["g", "h"], k.alias(k.agg("sum", "q"), "s"), mode="ROLLUP"),
        "SELECT g, h, sum(q) AS s FROM facts GROUP BY ROLLUP (g, h)",
    ),
    "cube": (
        k.group(FACTS, ["g", "h"], k.alias(k.agg("sum", "q"), "s"), mode="CUBE"),
        "SELECT g, h, sum(q) AS s FROM facts GROUP BY CUBE (g, h)",
    ),
    "fetch": (
        k.fetch(k.fetch(k.sort(FACTS, k.asc("id")), 10, 3), 5, 2),
        "SELECT * FROM facts ORDER BY id LIMIT 5 OFFSET 5",
    ),
    "fetch none": (k.fetch(FACTS, 0), "SELECT * FROM facts LIMIT 0"),
    "skip": (
        k.fetch(k.sort(FACTS, k.asc("id")), None, 90),
        "SELECT * FROM facts ORDER BY id OFFSET 90",
    ),
    "distinct": (k.distinct(k.project(DIMS, "k")), "SELECT DISTINCT k FROM dims"),
    "distinct on": (
        k.distinct(DIMS, "k", order=[k.desc("w")]),
        "SELECT DISTINCT ON (k) * FROM dims ORDER BY k, w DESC",
    ),
    "distinct on a key that is ordered by": (
        k.distinct(DIMS, "k", "k", order=[k.asc("k"), k.desc("w"), k.asc("w"), k.desc("k")]),
        "SELECT DISTINCT ON (k) * FROM dims ORDER BY k, w DESC",
    ),
    "distinct of nothing": (
        k.group(k.distinct(k.project(DIMS)), [], k.alias(k.agg("count"), "n")),
        "SELECT 1 AS n",
    ),
    "window": (
        k.window(
            k.project(FACTS, "id", "g", "q"),
            k.alias(k.over("row_number", by=["g"], order=[k.asc("id")]), "n"),
        ),
        "SELECT id, g, q, row_number() OVER (PARTITION BY g ORDER BY id) AS n FROM facts",
    ),
    "subquery alias": (
        k.where(k.named(k.project(DIMS, "k", "w"), "x", "a", "b"), k.call(">", k.col("b", "x"), 5)),
        "SELECT k AS a, w AS b FROM dims WHERE w > 5",
    ),
    "sample of all": (k.sample(FACTS, 1), "SELECT * FROM facts"),
    "sample of none": (k.sample(FACTS, 0), "SELECT * FROM facts WHERE FALSE"),
    "repartition": (k.repartition(DIMS, 3, "k"), "SELECT * FROM dims"),
    **{
        kind.lower(): joined(kind)
        for kind in (
            "INNER", "LEFT", "RIGHT", "FULL", "LEFT_SEMI", "RIGHT_SEMI", "LEFT_ANTI", "RIGHT_ANTI",
        )
    },
    "left mark": (
        k.project(k.join(F, D, "LEFT_MARK", keys=KEYS), "id", "mark"),
        "SELECT id, coalesce(k IN (0,1,2,3,4,5,7,90,91), FALSE) AS mark FROM facts",
    ),
    "right mark": (
        k.project(k.join(F, D, "RIGHT_MARK", keys=KEYS, nulls_equal=True), "w", "mark"),
        "SELECT w, k IS NULL OR k < 11 AS mark FROM dims",
    ),
    "cross join": (
        k.project(k.join(F, D), "id", "w"),
        "SELECT id, w FROM facts CROSS JOIN dims",
    ),
    "join of nulls": (
        k.project(k.join(F, D, keys=KEYS, nulls_equal=True), "id", "w"),
        "SELECT id, w FROM facts f JOIN dims d ON f.k IS NOT DISTINCT FROM d.k",
    ),
    **{
        f"merged {kind.lower()}": (
            k.project(k.join(F, D, kind, keys=KEYS, merges=True), "k", "id", "w"),
            f"SELECT {key} AS k, id, w FROM facts f {kind} JOIN dims d ON f.k = d.k",  # noqa: S608
        )
        # The engine's own USING gives the left key for all of them.
        for kind, key in (
            ("INNER", "f.k"), ("LEFT", "f.k"), ("RIGHT", "d.k"), ("FULL", "coalesce(f.k, d.k)"),
        )
    },
    "lateral": (
        k.project(
            k.join(
                D,
                k.project(k.where(FACTS, k.call("=", "k", k.outer("k", "d"))), "id"),
                lateral=True,
            ),
            "w",
            "id",
        ),
        "SELECT w, id FROM dims d CROSS JOIN LATERAL (SELECT id FROM facts f WHERE f.k = d.k) x",
    ),
    "lateral left": (
        k.project(
            k.join(
                D,
                k.project(k.where(FACTS, k.call("=", "k", k.outer("k", "d"))), "id"),
                "LEFT",
                lateral=True,
            ),
            "w",
            "id",
        ),
        """SELECT w, id FROM dims d LEFT JOIN LATERAL (SELECT id FROM facts f WHERE f.k = d.k) x
            ON TRUE""",
    ),
    "join of three": (
        k.project(
            k.join(
                k.join(F, D, keys=KEYS),
                k.join(k.table("one", "o"), k.table("none", "n"), "LEFT", keys=[
                    (k.col("k", "o"), k.col("k", "n"))
                ]),
                "LEFT",
                keys=[(k.col("k", "d"), k.col("k", "o"))],
            ),
            "id",
            k.col("label", "d"),
            k.alias(k.col("w", "n"), "nothing"),
        ),
        """SELECT id, d.label, n.w AS nothing FROM facts f JOIN dims d ON f.k = d.k
            LEFT JOIN (one o LEFT JOIN none n ON o.k = n.k) ON d.k = o.k""",
    ),
    "union all": (
        k.combine("UNION_ALL", k.project(FACTS, "id"), k.project(DIMS, "w"), numbers(1, None)),
        """SELECT id FROM facts UNION ALL SELECT w FROM dims
            UNION ALL SELECT * FROM (VALUES (1), (NULL)) v(a)""",
    ),
    "union": (
        k.combine("UNION_DISTINCT", k.project(FACTS, "k"), k.project(DIMS, "k")),
        "SELECT k FROM facts UNION SELECT k FROM dims",
    ),
    "union by name": (
        k.combine(
            "UNION_ALL",
            k.project(FACTS, "id", "k"),
            k.project(DIMS, "label", "k"),
            by_name=True,
        ),
        "SELECT id, k, NULL AS label FROM facts UNION ALL SELECT NULL, k, label FROM dims",
    ),
    "union of limits": (
        k.combine(
            "UNION_ALL",
            k.fetch(k.sort(k.project(FACTS, "id"), k.asc("id")), 2),
            k.fetch(k.sort(k.project(FACTS, "id"), k.desc("id")), 2),
        ),
        "SELECT id FROM facts WHERE id < 2 OR id > 93",
    ),
    "intersect": (
        k.combine("INTERSECT_DISTINCT", numbers(1, 1, 2, None), numbers(None, 1, 1)),
        "SELECT * FROM (VALUES (1), (NULL)) v(a)",
    ),
    "intersect all": (
        k.combine("INTERSECT_ALL", numbers(1, 1, 2, None, None), numbers(1, 1, 1, None)),
        "SELECT * FROM (VALUES (1), (1), (NULL)) v(a)",
    ),
    "except": (
        k.combine("EXCEPT_DISTINCT", numbers(1, 1, 2, 2, None, 3), numbers(1, None)),
        "SELECT * FROM (VALUES (2), (3)) v(a)",
    ),
    "except all": (
        k.combine("EXCEPT_ALL", numbers(1, 1, 2, None), numbers(1, None), numbers(5)),
        "SELECT * FROM (VALUES (1), (2)) v(a)",
    ),
    "with": (
        k.with_names(
            k.project(
                k.join(
                    k.read_cte("b"),
                    k.read_cte("a", "other"),
                    keys=[(k.col("k", "b"), k.col("k", "other"))],
                ),
                k.col("w", "b"),
                k.alias(k.col("w", "other"), "v"),
            ),
            a=DIMS,
            b=k.where(k.read_cte("a"), k.call(">", "w", 5)),
        ),
        """WITH a AS (SELECT * FROM dims), b AS (SELECT * FROM a WHERE w > 5)
            SELECT b.w, other.w AS v FROM b JOIN a other ON b.k = other.k""",
    ),
    "recursive": (
        k.recursive(
            "r",
            numbers(1),
            k.project(k.where(k.read_cte("r"), k.call("<", "a", 9)), k.call("*", "a", 2)),
        ),
        "SELECT * FROM (VALUES (1), (2), (4), (8), (16)) v(a)",
    ),
    "recursive in a join": (
        k.project(
            k.join(
                k.recursive(
                    "r",
                    numbers(0),
                    k.project(
                        k.join(
                            k.read_cte("r"), DIMS, keys=[(k.call("+", k.col("a", "r"), 1), "k")]
                        ),
                        k.cast("k", pa.int64()),
                    ),
                ),
                FACTS,
                keys=[("a", "id")],
            ),
            "a",
            "q",
        ),
        """WITH RECURSIVE r AS (SELECT 0 AS a
            UNION ALL SELECT k FROM r JOIN dims ON r.a + 1 = dims.k)
            SELECT a, q FROM r JOIN facts ON a = id""",
    ),
}  # fmt: skip

ORDERED: dict[str, tuple[k.Rel, str]] = {
    "nulls last": (k.sort(FACTS, k.asc("k"), k.asc("id")), "SELECT * FROM facts ORDER BY k, id"),
    "nulls first": (
        k.sort(FACTS, k.desc("k"), k.asc("g", "FIRST"), k.desc("id", "LAST")),
        "SELECT * FROM facts ORDER BY k DESC, g NULLS FIRST, id DESC",
    ),
    "by a number": (k.sort(FACTS, k.asc(1), k.asc("id")), "SELECT * FROM facts ORDER BY id"),
    "filter, fetch and projection": (
        k.project(
            k.where(k.fetch(k.sort(FACTS, k.desc("q"), k.asc("id")), 9, 2), k.call(">", "id", 3)),
            k.alias(k.call("-", 0, "id"), "q"),
        ),
        """SELECT n AS q FROM (SELECT -id AS n, id, q AS o FROM facts ORDER BY q DESC, id
            LIMIT 9 OFFSET 2) x WHERE id > 3 ORDER BY o DESC, id""",
    ),
    "names that change places": (
        k.fetch(
            k.project(
                k.sort(FACTS, k.asc("q"), k.asc("id")), k.alias("q", "id"), k.alias("id", "q")
            ),
            7,
        ),
        "SELECT a AS id, b AS q FROM (SELECT q AS a, id AS b FROM facts) x ORDER BY a, b LIMIT 7",
    ),
    "a sort of a fetch": (
        k.sort(k.fetch(k.sort(FACTS, k.asc("id")), 5), k.desc("id")),
        "SELECT * FROM facts WHERE id < 5 ORDER BY id DESC",
    ),
    "a fetch behind a computation": (
        k.fetch(k.project(k.sort(FACTS, k.desc("id")), k.alias(k.call("*", "id", 2), "d")), 3, 1),
        "SELECT id * 2 AS d FROM facts ORDER BY d DESC LIMIT 3 OFFSET 1",
    ),
    "an alias and columns of its own": (
        k.where(
            k.with_columns(
                k.named(k.sort(FACTS, k.desc("id")), "x"), k.alias(k.call("+", "id", "q"), "z")
            ),
            k.call("<", "z", 50),
        ),
        "SELECT *, id + q AS z FROM facts WHERE id + q < 50 ORDER BY id DESC",
    ),
    "text at the root": (
        k.sql("SELECT id FROM facts ORDER BY id DESC LIMIT 4"),
        "SELECT id FROM facts ORDER BY id DESC LIMIT 4",
    ),
    "a window over a fetch": (
        k.project(
            k.fetch(k.sort(FACTS, k.asc("id")), 3),
            "id",
            k.alias(k.over("count"), "n"),
        ),
        "SELECT id, count(*) OVER () AS n FROM facts WHERE id < 3 ORDER BY id",
    ),
}
