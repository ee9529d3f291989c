"""Grouping and aggregates: partial states that meet, groups from NULL, sets of groupings."""

from oracle.case import Case, partitions, themed

_ORDERED = "id"


def _facts(name: str, sql: str, **more: object) -> Case:
    return Case(name=name, sql=sql, tables=("facts",), **more)  # type: ignore[arg-type]


CASES = themed(
    "group",
    (
        _facts("by_key_with_null", "SELECT k, count(*) AS n, sum(q) AS s FROM facts GROUP BY k"),
        _facts(
            "by_every_type",
            "SELECT k, g, h, d, day, b, s, count(*) AS n FROM facts GROUP BY k, g, h, d, day, b, s",
        ),
        _facts("by_float", "SELECT x, count(*) AS n FROM facts GROUP BY x"),
        Case(
            name="by_nan_and_zero_signs",
            sql="SELECT f64, count(*) AS n FROM numbers GROUP BY f64",
            tables=("numbers",),
        ),
        _facts("by_expression", "SELECT q % 7 AS m, count(*) AS n FROM facts GROUP BY q % 7"),
        _facts("by_all", "SELECT g, h, max(q) AS q FROM facts GROUP BY ALL"),
        _facts(
            "without_keys",
            "SELECT count(*) AS n, count(q) AS c, sum(q) AS s, avg(q) AS a, min(s) AS f FROM facts",
        ),
        _facts(
            "without_keys_of_nothing",
            "SELECT count(*) AS n, sum(q) AS s, max(s) AS m FROM facts WHERE id < 0",
        ),
        _facts(
            "with_keys_of_nothing",
            "SELECT k, count(*) AS n FROM facts WHERE q < 0 GROUP BY k",
            empty=True,
            no_bytes="no row is left to be shuffled",
        ),
        _facts(
            "having",
            "SELECT k, avg(x) AS a FROM facts GROUP BY k HAVING count(*) > 15 AND min(q) < 9",
        ),
        _facts(
            "twice",
            """
                SELECT n, count(*) AS groups FROM (SELECT k, g, count(*) AS n FROM facts
                GROUP BY k, g) GROUP BY n
            """,
        ),
        _facts(
            "sets",
            """
                SELECT g, h, k, count(*) AS n, sum(q) AS s, grouping(g) AS gg, grouping(h, k) AS gk
                FROM facts GROUP BY GROUPING SETS ((g, h), (k), (g), ())
            """,
        ),
        _facts(
            "sets-and_a_key",
            "SELECT g, h, b, count(*) AS n FROM facts GROUP BY g, GROUPING SETS ((h), (b), ())",
        ),
        _facts(
            "sets-total_only",
            "SELECT count(*) AS n, sum(q) AS s FROM facts GROUP BY GROUPING SETS (())",
            one_place="the grouping set of no columns is lost when the engine writes a plan down",
        ),
        _facts(
            "rollup",
            "SELECT g, h, count(*) AS n, grouping(g, h) AS level FROM facts GROUP BY ROLLUP (g, h)",
        ),
        _facts(
            "rollup-of_nothing",
            "SELECT g, h, count(*) AS n FROM facts WHERE id < 0 GROUP BY ROLLUP (g, h)",
            empty=None,
        ),
        _facts(
            "cube",
            "SELECT g, h, b, sum(q) AS s, count(*) AS n FROM facts GROUP BY CUBE (g, h, b)",
        ),
        _facts(
            "cube-distinct", "SELECT g, h, count(DISTINCT k) AS n FROM facts GROUP BY CUBE (g, h)"
        ),
        _facts("distinct", "SELECT DISTINCT g, b FROM facts"),
        _facts("distinct-sorted", "SELECT DISTINCT g, h FROM facts ORDER BY g, h", order=(0, 1)),
        _facts(
            "distinct_on",
            "SELECT DISTINCT ON (g) g, id, q FROM facts ORDER BY g, q DESC NULLS LAST, id",
            order=(0,),
        ),
        _facts("distinct-limit", "SELECT DISTINCT h FROM facts LIMIT 10"),
        _facts("distinct-count", "SELECT count(DISTINCT k) AS n FROM facts"),
        _facts(
            "distinct-several",
            """
                SELECT g, count(DISTINCT k) AS k, count(DISTINCT s) AS s, sum(DISTINCT q) AS q,
                    avg(DISTINCT q) AS a, count(*) AS n FROM facts GROUP BY g
            """,
        ),
        _facts(
            "distinct-of_two_columns", "SELECT h, count(DISTINCT (k, g)) AS n FROM facts GROUP BY h"
        ),
        _facts(
            "filter",
            """
                SELECT g, count(*) FILTER (WHERE h = 1) AS n, sum(q) FILTER (WHERE b) AS s,
                    count(DISTINCT k) FILTER (WHERE q > 50) AS k,
                    max(q) FILTER (WHERE q < 0) AS none FROM facts GROUP BY g
            """,
        ),
        _facts(
            "ordered",
            f"""
                SELECT g, array_agg(q ORDER BY {_ORDERED}) AS all_q,
                    string_agg(s, ',' ORDER BY {_ORDERED} DESC) AS all_s,
                    first_value(s ORDER BY {_ORDERED}) AS f, last_value(s ORDER BY {_ORDERED}) AS l,
                    nth_value(q, 3 ORDER BY {_ORDERED}) AS third FROM facts GROUP BY g
            """,
        ),
        _facts(
            "ordered-by_two_orders",
            """
                SELECT h, array_agg(id ORDER BY q DESC NULLS LAST, id) AS a,
                    array_agg(id ORDER BY x NULLS FIRST, id DESC) AS b FROM facts GROUP BY h
            """,
        ),
        _facts(
            "ordered-without_keys",
            "SELECT array_agg(id ORDER BY id) AS ids, first_value(g ORDER BY id) AS g FROM facts",
        ),
        _facts(
            "ordered-distinct",
            "SELECT h, array_agg(DISTINCT k ORDER BY k) AS ks FROM facts GROUP BY h",
        ),
        _facts(
            "array_of_all_sorted_afterwards",
            "SELECT g, array_sort(array_agg(id)) AS ids FROM facts GROUP BY g",
        ),
        _facts(
            "array_of_structs",
            "SELECT h, array_agg(struct(id, s) ORDER BY id) AS pairs FROM facts GROUP BY h",
        ),
        _facts(
            "statistics",
            """
                SELECT g, stddev(q) AS a, stddev_pop(q) AS b, var_samp(x) AS c, var_pop(x) AS d,
                    covar_samp(q, x) AS e, covar_pop(q, x) AS f, corr(q, x) AS h,
                    regr_slope(q, x) AS i, regr_intercept(q, x) AS j, regr_r2(q, x) AS l,
                    regr_count(q, x) AS m, regr_avgx(q, x) AS n FROM facts GROUP BY g
            """,
        ),
        _facts(
            "bits_and_truth",
            """
                SELECT g, bit_and(q) AS a, bit_or(q) AS o, bit_xor(q) AS x, bool_and(b) AS ba,
                    bool_or(b) AS bo FROM facts GROUP BY g
            """,
        ),
        _facts(
            "median",
            """
                SELECT h, median(q) AS m, percentile_cont(0.25) WITHIN GROUP (ORDER BY q) AS p
                FROM facts GROUP BY h
            """,
        ),
        _facts(
            "approximate",
            """
                SELECT g, approx_distinct(k) AS n, approx_distinct(s) AS s FROM facts GROUP BY g
            """,
        ),
        _facts(
            "approximate-percentiles",
            """
                SELECT approx_median(q) AS m, approx_percentile_cont(0.9) WITHIN GROUP (ORDER BY q)
                    AS p,
                    approx_percentile_cont_with_weight(h + 1, 0.5) WITHIN GROUP (ORDER BY q) AS w
                FROM facts
            """,
            rel=0.05,
        ),
        _facts(
            "decimals",
            "SELECT g, sum(d) AS s, avg(d) AS a, min(d) AS l, max(d) AS m FROM facts GROUP BY g",
        ),
        _facts(
            "times",
            "SELECT g, min(day) AS a, max(at) AS b, count(DISTINCT day) AS c FROM facts GROUP BY g",
        ),
        _facts(
            "by_time_bucket",
            """
                SELECT date_trunc('day', at) AS d, date_bin(INTERVAL '6 hours', at) AS h,
                    count(*) AS n FROM facts GROUP BY 1, 2
            """,
        ),
        _facts(
            "more_groups_than_partitions_hold",
            "SELECT id, k, sum(q) AS s FROM facts GROUP BY id, k",
            settings=partitions(13),
        ),
        _facts(
            "sorted_by_an_aggregate",
            "SELECT k, sum(q) AS s FROM facts GROUP BY k ORDER BY s DESC, k",
            order=(0, 1),
        ),
        _facts("extremes_of_strings", "SELECT h, min(s) AS a, max(s) AS z FROM facts GROUP BY h"),
        _facts(
            "top_of_groups",
            "SELECT k, max(q) AS q FROM facts GROUP BY k ORDER BY q DESC, k LIMIT 4",
            order=(0, 1),
        ),
    ),
)
