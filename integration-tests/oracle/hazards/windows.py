"""Window functions: every kind of frame, with and without PARTITION BY."""

from collections.abc import Iterator

from oracle.case import Case, themed

# Frames for a window ordered by a number; RANGE and GROUPS take ties together, ROWS does not.
_FRAMES = {
    "default": "",
    "rows-all": "ROWS BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING",
    "rows-so_far": "ROWS UNBOUNDED PRECEDING",
    "rows-from_here": "ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING",
    "rows-round": "ROWS BETWEEN 2 PRECEDING AND 1 FOLLOWING",
    "rows-before": "ROWS BETWEEN 3 PRECEDING AND 1 PRECEDING",
    "rows-after": "ROWS BETWEEN 1 FOLLOWING AND 3 FOLLOWING",
    "rows-after_to_end": "ROWS BETWEEN 2 FOLLOWING AND UNBOUNDED FOLLOWING",
    "range-all": "RANGE BETWEEN UNBOUNDED PRECEDING AND UNBOUNDED FOLLOWING",
    "range-so_far": "RANGE UNBOUNDED PRECEDING",
    "range-from_here": "RANGE BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING",
    "range-round": "RANGE BETWEEN 2 PRECEDING AND 3 FOLLOWING",
    "range-before": "RANGE BETWEEN 4 PRECEDING AND 1 PRECEDING",
    "range-after": "RANGE BETWEEN 1 FOLLOWING AND 5 FOLLOWING",
    "groups-so_far": "GROUPS UNBOUNDED PRECEDING",
    "groups-round": "GROUPS BETWEEN 1 PRECEDING AND 1 FOLLOWING",
    "groups-before": "GROUPS BETWEEN 2 PRECEDING AND 1 PRECEDING",
    "groups-after_to_end": "GROUPS BETWEEN 1 FOLLOWING AND UNBOUNDED FOLLOWING",
}
# Silent losses of a plan's written form, so that such a query is planned by the task that runs it.
_UNWRITTEN = "a window's FILTER and IGNORE NULLS are lost when the engine writes a plan down"
_BACKWARDS = "a window that runs backwards over its rows comes back as one that runs forwards"


def _frames() -> Iterator[Case]:
    for name, frame in _FRAMES.items():
        # Rows of one order key may come in any order, so ROWS needs a key that breaks ties.
        order = "o, id" if name.startswith("rows") else "o"
        for way, partition in (("partitioned", "PARTITION BY p "), ("whole", "")):
            window = f"({partition}ORDER BY {order} {frame})"
            yield Case(
                name=f"{name}-{way}",
                sql=f"""
                    SELECT id, sum(v) OVER {window} AS s, count(*) OVER {window} AS n,
                        max(f) OVER {window} AS m, avg(v) OVER {window} AS a FROM series
                """,
                tables=("series",),
                plan=("WindowAggExec",),
            )


def _series(name: str, sql: str, **more: object) -> Case:
    return Case(name=name, sql=sql, tables=("series",), **more)  # type: ignore[arg-type]


_MORE = (
    _series(
        "ranks",
        """
            SELECT id, row_number() OVER w AS rn, rank() OVER r AS rk, dense_rank() OVER r AS dr,
                percent_rank() OVER r AS pr, cume_dist() OVER r AS cd, ntile(3) OVER w AS nt
            FROM series
            WINDOW w AS (PARTITION BY p ORDER BY o, id), r AS (PARTITION BY p ORDER BY o)
        """,
    ),
    _series(
        "ranks-whole",
        """
            SELECT id, row_number() OVER (ORDER BY o, id) AS rn, rank() OVER (ORDER BY o) AS rk,
                ntile(7) OVER (ORDER BY o, id) AS nt FROM series
        """,
    ),
    _series(
        "neighbours",
        """
            SELECT id, lag(v) OVER w AS a, lag(v, 2, -1) OVER w AS b, lead(v) OVER w AS c,
                lead(f, 3) OVER w AS d FROM series WINDOW w AS (PARTITION BY p ORDER BY o, id)
        """,
    ),
    _series(
        "neighbours-ignoring_nulls",
        """
            SELECT id, lag(v) IGNORE NULLS OVER w AS a, first_value(v) IGNORE NULLS OVER w AS b
            FROM series WINDOW w AS (PARTITION BY p ORDER BY o, id)
        """,
        one_place=_UNWRITTEN,
    ),
    _series(
        "neighbours-in_two_directions",
        """
            SELECT id, lag(v) OVER w AS a, lag(v) OVER r AS b, first_value(v) OVER w AS c,
                last_value(v) OVER r AS d, row_number() OVER r AS e
            FROM series WINDOW w AS (PARTITION BY p ORDER BY o, id),
                r AS (PARTITION BY p ORDER BY o DESC, id DESC)
        """,
        one_place=_BACKWARDS,
    ),
    _series(
        "first_last_nth",
        """
            SELECT id, first_value(v) OVER w AS a, last_value(v) OVER w AS b,
                nth_value(v, 2) OVER w AS c FROM series
            WINDOW w AS (PARTITION BY p ORDER BY o, id
                ROWS BETWEEN 2 PRECEDING AND 2 FOLLOWING)
        """,
    ),
    _series(
        "range_of_days",
        """
            SELECT id, sum(v) OVER (PARTITION BY p ORDER BY day
                RANGE BETWEEN INTERVAL '3 days' PRECEDING AND INTERVAL '1 day' FOLLOWING) AS s
            FROM series
        """,
    ),
    _series(
        "descending_nulls_last",
        """
            SELECT id, sum(f) OVER (PARTITION BY p ORDER BY v DESC NULLS LAST) AS s,
                count(v) OVER (PARTITION BY p ORDER BY v NULLS FIRST, id DESC) AS n FROM series
        """,
    ),
    _series(
        "no_order",
        "SELECT id, sum(v) OVER (PARTITION BY p) AS s, count(*) OVER () AS n FROM series",
    ),
    _series(
        "no_order_no_partition",
        "SELECT id, v - avg(v) OVER () AS off FROM series",
        plan=("WindowAggExec",),
    ),
    _series(
        "several_partitionings",
        """
            SELECT id, sum(v) OVER (PARTITION BY p ORDER BY o, id) AS a,
                sum(v) OVER (PARTITION BY o % 4 ORDER BY id) AS b,
                sum(v) OVER (PARTITION BY p, day ORDER BY id) AS c,
                sum(v) OVER (ORDER BY id) AS d FROM series
        """,
    ),
    _series(
        "over_an_aggregate",
        """
            SELECT p, o % 4 AS m, sum(v) AS s, rank() OVER (PARTITION BY p
                ORDER BY sum(v) DESC) AS r,
                sum(sum(v)) OVER (PARTITION BY p) AS whole FROM series GROUP BY p, o % 4
        """,
    ),
    _series(
        "distinct_count",
        "SELECT id, count(DISTINCT v) OVER (PARTITION BY p) AS n FROM series",
    ),
    _series(
        "filter_clause",
        "SELECT id, sum(v) FILTER (WHERE v > 0) OVER (PARTITION BY p ORDER BY o) AS s FROM series",
        one_place=_UNWRITTEN,
    ),
    _series(
        "qualify",
        """
            SELECT id, p, v FROM series
            QUALIFY row_number() OVER (PARTITION BY p ORDER BY v DESC NULLS LAST, id) <= 3
        """,
    ),
    _series(
        "top_of_partition",
        """
            SELECT * FROM (
                SELECT *, row_number() OVER (PARTITION BY p ORDER BY f DESC, id) AS rn FROM series
            ) WHERE rn <= 2
        """,
    ),
    _series(
        "then_limit",
        """
            SELECT id, sum(v) OVER (PARTITION BY p ORDER BY o, id) AS s FROM series
            ORDER BY id LIMIT 11
        """,
        order=(0, 1),
    ),
    _series(
        "then_group",
        """
            SELECT p, max(s) AS s FROM (
                SELECT p, sum(v) OVER (PARTITION BY p ORDER BY o, id) AS s FROM series
            ) GROUP BY p
        """,
    ),
    Case(
        name="over_a_join",
        sql="""
            SELECT f.id, d.label, row_number() OVER (PARTITION BY f.k ORDER BY f.id, d.label) AS rn
            FROM facts f JOIN dims d ON f.k = d.k
        """,
        tables=("facts", "dims"),
    ),
    Case(
        name="of_nothing",
        sql="SELECT id, sum(n) OVER (PARTITION BY n ORDER BY id) AS s FROM none",
        tables=("none",),
        empty=True,
        one_place="no row is there to be shuffled",
    ),
    Case(
        name="of_one_row",
        sql="SELECT id, sum(n) OVER (PARTITION BY n ORDER BY id) AS s FROM one",
        tables=("one",),
        one_place="a single row is in a single place",
    ),
)

CASES = themed("window", (*_frames(), *_MORE))
