"""Each kind of expression as a plan, and the SQL that a person writes for it."""

from typing import Any

import plan_kit as k
import pyarrow as pa

from springald.types.c_schema import INTERVAL_MONTHS

FACTS, DIMS = k.table("facts"), k.table("dims")
F, D = k.table("facts", "f"), k.table("dims", "d")
LISTS = k.sql("SELECT [1, 2, 3] AS l, {'p': 4, 'q': {'r': 5}} AS s, MAP {'a': 1} AS m")
UNION = pa.UnionArray.from_sparse(pa.array([1], pa.int8()), [pa.array([5]), pa.array(["x"])])[0]
RUNS = pa.RunEndEncodedArray.from_arrays(pa.array([1], pa.int32()), pa.array(["x"]))[0]
BY = "PARTITION BY g ORDER BY id"
WINDOW: dict[str, Any] = {"by": ["g"], "order": [k.asc("id")]}


def frame(unit: str, start: object, end: object) -> dict[str, Any]:
    """Returns a window with a frame."""
    return {**WINDOW, "frame": k.frame(unit, start, end)}


EXPRESSIONS: dict[str, tuple[k.Rel, k.Ex, str]] = {
    "column": (FACTS, k.col("q"), "q FROM facts"),
    "qualified column": (F, k.col("q", "f"), "q FROM facts"),
    "position": (FACTS, k.at(2), "g FROM facts"),
    "cast": (FACTS, k.cast("q", pa.int8()), "arrow_cast(q, 'Int8') FROM facts"),
    "cast of every kind": (
        FACTS,
        k.cast("id", pa.list_(pa.decimal128(9, 2))),
        "arrow_cast(id, 'List(Decimal128(9, 2))') FROM facts",
    ),
    "try-cast": (FACTS, k.cast("g", pa.int32(), tries=True), "TRY_CAST(g AS INT) FROM facts"),
    "case": (
        FACTS,
        k.case(k.call("<", "q", 10), k.lit("low"), k.call("<", "q", 20), k.lit("mid")),
        "CASE WHEN q < 10 THEN 'low' WHEN q < 20 THEN 'mid' END FROM facts",
    ),
    "case with base and default": (
        FACTS,
        k.case(k.lit("a"), 1, k.lit("b"), 2, base="g", default=0),
        "CASE g WHEN 'a' THEN 1 WHEN 'b' THEN 2 ELSE 0 END FROM facts",
    ),
    "between": (FACTS, k.between("k", 3, 7), "k BETWEEN 3 AND 7 FROM facts"),
    "not between": (
        FACTS,
        k.between("k", 3, 7, negated=True),
        "k NOT BETWEEN 3 AND 7 FROM facts",
    ),
    "in list": (FACTS, k.in_list("k", 1, 2, k.lit(None)), "k IN (1, 2, NULL) FROM facts"),
    "not in list": (FACTS, k.in_list("k", 1, 2, negated=True), "k NOT IN (1, 2) FROM facts"),
    "in no list": (FACTS, k.in_list("k"), "FALSE FROM facts"),
    "like": (FACTS, k.like("s", k.lit("%keeps, _")), "s LIKE '%keeps, _' FROM facts"),
    "not like": (
        FACTS,
        k.like("s", k.lit("%3"), negated=True),
        "s NOT LIKE '%3' FROM facts",
    ),
    **{
        f"like with the escape {escape} in {pattern}": (
            FACTS,
            k.like(k.call("||", "g", k.lit("%_\\!")), k.lit(pattern), escape=escape),
            rf"(g || '%_\!') LIKE '{written}' FROM facts",
        )
        for escape, pattern, written in (
            ("!", "a!%!_%", r"a\%\_%"),
            ("!", "_%!!", r"_%!"),
            ("!", r"a%\_", r"a%\\_"),
            ("%", "a%%%__!", r"a\%\__!"),
            ("a", "aa_%", "a_%"),
        )
    },
    "value of a union": (
        FACTS,
        k.call("union_extract", k.lit(UNION), k.lit("1")),
        "'x' FROM facts",
    ),
    "value of runs": (
        FACTS,
        k.call("||", k.cast(k.lit(RUNS), pa.string()), "g"),
        "'x' || g FROM facts",
    ),
    "cast to an older interval": (
        FACTS,
        k.call("+", k.lit(0, pa.timestamp("ns")), k.cast("k", INTERVAL_MONTHS)),
        "TIMESTAMP '1970-01-01' + arrow_cast(k, 'Interval(YearMonth)') FROM facts",
    ),
    "nulls in a struct": (
        FACTS,
        k.access("FIELD", k.lit({"a": 1, "b": [None]}), field="a"),
        "1 FROM facts",
    ),
    "ilike": (FACTS, k.like("g", k.lit("A"), case=False), "g ILIKE 'A' FROM facts"),
    "similar to": (
        FACTS,
        k.like("g", k.lit("(a|b)"), "SIMILAR"),
        "g SIMILAR TO '(a|b)' FROM facts",
    ),
    "regular expression": (
        FACTS,
        k.like("s", k.lit("[34]$"), "REGULAR_EXPRESSION"),
        "s ~ '[34]$' FROM facts",
    ),
    "no regular expression": (
        FACTS,
        k.like("g", k.lit("A"), "REGULAR_EXPRESSION", negated=True, case=False),
        "g !~* 'A' FROM facts",
    ),
    **{
        f"is {test}": (
            FACTS,
            k.call(f"is {test}", k.call(">", "k", 4)),
            f"(k > 4) IS {test} FROM facts",
        )
        for test in (
            "null", "not null", "true", "not true", "false", "not false", "unknown", "not unknown",
        )
    },
    **{
        f"operator {name}": (FACTS, k.call(name, "q", 7), f"q {name} 7 FROM facts")
        for name in (
            "=", "<>", "!=", "<", "<=", ">", ">=", "+", "-", "*", "/", "%", "&", "|", "^", "<<",
            ">>", "is distinct from", "is not distinct from",
        )
    },
    "and": (FACTS, k.call("and", k.call(">", "k", 1), k.lit(None, pa.bool_()), k.call("<", "q", 9)),
            "k > 1 AND NULL AND q < 9 FROM facts"),
    "or": (FACTS, k.call("or", k.call(">", "k", 1), k.lit(None, pa.bool_())),
           "k > 1 OR NULL FROM facts"),
    "not": (FACTS, k.call("not", k.call(">", "k", 1)), "NOT (k > 1) FROM facts"),
    "minus": (FACTS, k.call("-", k.call("-", "q", -3)), "-(q - -3) FROM facts"),
    "parts in parentheses": (
        FACTS,
        k.call("*", k.call("+", "q", 1), k.call("-", 2, k.call("-", "id", "q"))),
        "(q + 1) * (2 - (id - q)) FROM facts",
    ),
    "concatenation": (
        FACTS,
        k.call("||", k.call("||", "g", k.lit("-")), "g"),
        "g || '-' || g FROM facts",
    ),
    "lists contain": (LISTS, k.call("@>", "l", k.call("make_array", 2)), "TRUE"),
    "function": (
        FACTS,
        k.call("substr", k.call("upper", "s"), 3, 4),
        "substr(upper(s), 3, 4) FROM facts",
    ),
    "function with a keyword's name": (FACTS, k.call("left", "s", 3), "left(s, 3) FROM facts"),
    "field": (LISTS, k.access("FIELD", "s", field="p"), "4"),
    "field of a field": (
        LISTS,
        k.access("FIELD", k.access("FIELD", "s", field="q"), field="r"),
        "5",
    ),
    "element": (LISTS, k.access("ELEMENT", "l", -1), "3"),
    "slice": (LISTS, k.access("SLICE", "l", 1, 3, 2), "[1, 3]"),
    "key": (LISTS, k.access("KEY", "m", k.lit("a")), "1"),
    "lambda": (
        LISTS,
        k.call("array_transform", "l", k.lambda_of(k.call("*", k.var("each one"), 2), "each one")),
        "[2, 4, 6]",
    ),
    "constructors": (
        FACTS,
        k.call("named_struct", k.lit("a"), "id", k.lit("b"), k.call("make_array", "q")),
        "named_struct('a', id, 'b', [q]) FROM facts",
    ),
    "scalar subquery": (
        DIMS,
        k.scalar_query(k.group(FACTS, [], k.agg("max", "q"))),
        "(SELECT max(q) FROM facts) FROM dims",
    ),
    "correlated scalar subquery": (
        D,
        k.scalar_query(
            k.project(
                k.group(k.where(F, k.call("=", "k", k.outer("k", "d"))), [], k.agg("max", "q")),
                k.call("*", 2, k.at(0)),
            )
        ),
        "(SELECT 2 * max(q) FROM facts f WHERE f.k = d.k) FROM dims d",
    ),
    "row number": (
        FACTS,
        k.over("row_number", by=["g"], order=[k.desc("id")]),
        "row_number() OVER (PARTITION BY g ORDER BY id DESC) FROM facts",
    ),
    "window in an expression": (
        FACTS,
        k.call("-", "q", k.over("lag", "q", 1, 0, **WINDOW)),
        "q - lag(q, 1, 0) OVER (PARTITION BY g ORDER BY id) FROM facts",
    ),
    "window of everything": (FACTS, k.over("count"), "count(*) OVER () FROM facts"),
    "window with a filter": (
        FACTS,
        k.over("sum", "q", where=k.call(">", "k", 3), **WINDOW),
        "sum(q) FILTER (WHERE k > 3) OVER (PARTITION BY g ORDER BY id) FROM facts",
    ),
    "window that ignores nulls": (
        FACTS,
        k.over("last_value", "k", ignore_nulls=True, **WINDOW),
        "last_value(k) IGNORE NULLS OVER (PARTITION BY g ORDER BY id) FROM facts",
    ),
    "window of distinct values": (
        FACTS,
        k.over("count", "k", distinct=True, by=["g"]),
        "count(DISTINCT k) OVER (PARTITION BY g) FROM facts",
    ),
    "window by a number": (
        FACTS,
        k.over("rank", by=[1], order=[k.asc("id")]),
        "rank() OVER (ORDER BY id) FROM facts",
    ),
    "rows": (
        FACTS,
        k.over("sum", "q", **frame("ROWS", ("PRECEDING", 2), "CURRENT_ROW")),
        f"sum(q) OVER ({BY} ROWS BETWEEN 2 PRECEDING AND CURRENT ROW) FROM facts",
    ),
    "range": (
        FACTS,
        k.over("sum", "q", **frame("RANGE", ("PRECEDING", 9), ("FOLLOWING", 2))),
        f"sum(q) OVER ({BY} RANGE BETWEEN 9 PRECEDING AND 2 FOLLOWING) FROM facts",
    ),
    "groups": (
        FACTS,
        k.over("sum", "q", order=[k.asc("h")],
               frame=k.frame("GROUPS", "UNBOUNDED_PRECEDING", ("PRECEDING", 1))),
        "sum(q) OVER (ORDER BY h GROUPS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) FROM facts",
    ),
    "unbounded": (
        FACTS,
        k.over("sum", "q", **frame("ROWS", "CURRENT_ROW", "UNBOUNDED_FOLLOWING")),
        f"sum(q) OVER ({BY} ROWS BETWEEN CURRENT ROW AND UNBOUNDED FOLLOWING) FROM facts",
    ),
    "range of times": (
        k.sql("SELECT arrow_cast(id * 3600, 'Timestamp(s)') AS t, q FROM facts"),
        k.over("sum", "q", order=[k.asc("t")], frame=k.frame(
            "RANGE", ("PRECEDING", k.lit((0, 1, 0), pa.month_day_nano_interval())), "CURRENT_ROW")),
        """sum(q) OVER (ORDER BY t RANGE BETWEEN INTERVAL '1 day' PRECEDING AND CURRENT ROW)
            FROM (SELECT arrow_cast(id * 3600, 'Timestamp(s)') AS t, q FROM facts)""",
    ),
}  # fmt: skip

CONDITIONS: dict[str, tuple[k.Rel, k.Ex, str]] = {
    "exists": (
        D,
        k.exists(k.where(FACTS, k.call("=", "k", k.outer("k", "d")))),
        "EXISTS (SELECT 1 FROM facts f WHERE f.k = d.k)",
    ),
    "not exists": (
        D,
        k.exists(k.where(FACTS, k.call("=", "k", k.outer("k", "d"))), negated=True),
        "NOT EXISTS (SELECT 1 FROM facts f WHERE f.k = d.k)",
    ),
    "exists or else": (
        D,
        k.call(
            "or", k.exists(k.where(F, k.call("=", "k", k.outer("k", "d")))), k.call(">", "w", 9)
        ),
        "EXISTS (SELECT 1 FROM facts f WHERE f.k = d.k) OR w > 9",
    ),
    "in query": (D, k.in_query("k", k.project(F, "k")), "k IN (SELECT k FROM facts)"),
    "not in query": (
        D,
        k.in_query("w", k.project(F, "k"), negated=True),
        "w NOT IN (SELECT k FROM facts)",
    ),
    "in a limited query": (
        D,
        k.in_query("w", k.fetch(k.sort(k.project(F, "id"), k.desc("id")), 90)),
        "w IN (SELECT id FROM facts ORDER BY id DESC LIMIT 90)",
    ),
    "any": (
        D,
        k.quantified("w", "LESS", "ANY", k.project(k.where(F, k.call("<", "id", 9)), "id")),
        "w < ANY (SELECT id FROM facts WHERE id < 9)",
    ),
    "all": (
        D,
        k.quantified("w", "GREATER", "ALL", k.project(k.where(F, k.call("<", "id", 9)), "id")),
        "w > ALL (SELECT id FROM facts WHERE id < 9)",
    ),
    "compared with a correlated aggregate": (
        D,
        k.call(
            "<",
            "w",
            k.scalar_query(
                k.group(k.where(F, k.call("=", "k", k.outer("k", "d"))), [], k.agg("avg", "q"))
            ),
        ),
        "w < (SELECT avg(q) FROM facts f WHERE f.k = d.k)",
    ),
    "two levels out": (
        D,
        k.exists(
            k.where(
                F,
                k.call(
                    "and",
                    k.call("=", k.col("k", "f"), k.outer("k", "d")),
                    k.in_query("q", k.project(k.table("facts", "i"), "id")),
                ),
            )
        ),
        """EXISTS (SELECT 1 FROM facts f WHERE f.k = d.k AND f.q IN (SELECT id FROM facts))""",
    ),
}

AGGREGATES: dict[str, tuple[k.Ex, str]] = {
    "count of rows": (k.agg("count"), "count(*)"),
    "count of values": (k.agg("count", "k"), "count(k)"),
    "distinct": (k.agg("count", "k", distinct=True), "count(DISTINCT k)"),
    "filter": (k.agg("sum", "q", where=k.call(">", "id", 50)), "sum(q) FILTER (WHERE id > 50)"),
    "order": (
        k.agg("array_agg", "id", order=[k.desc("q"), k.asc("id")]),
        "array_agg(id ORDER BY q DESC, id)",
    ),
    "order by a key twice": (
        k.agg("first_value", "k", order=[k.desc("q"), k.asc("id"), k.asc("q"), k.desc("id")]),
        "first_value(k ORDER BY q DESC, id)",
    ),
    "within group": (
        k.agg("percentile_cont", 0.5, within=[k.asc("q")]),
        "percentile_cont(0.5) WITHIN GROUP (ORDER BY q)",
    ),
    "nulls ignored": (
        k.agg("first_value", "k", order=[k.asc("id")], ignore_nulls=True),
        "first_value(k ORDER BY id) IGNORE NULLS",
    ),
    "of an expression": (k.agg("avg", k.call("+", "q", "id")), "avg(q + id)"),
    "of text": (
        k.agg("string_agg", "g", k.lit("-"), order=[k.asc("id")]),
        "string_agg(g, '-' ORDER BY id)",
    ),
    "of two arguments": (k.agg("corr", "q", "id"), "corr(q, id)"),
}


def query_of(sql: str) -> str:
    """Returns the query for the SQL of an expression, whose only column is `x`."""
    value, _, source = sql.rpartition(" FROM ") if " FROM " in sql else (sql, "", "")
    if sql.startswith("(SELECT"):
        value, source = sql.rsplit(") FROM ", 1)
        value += ")"
    elif "FROM (SELECT" in sql:
        value, source = sql[: sql.index("FROM (")], sql[sql.index("FROM (") + 5 :]
    return f"SELECT {value} AS x" + (f" FROM {source}" if source else "")  # noqa: S608
