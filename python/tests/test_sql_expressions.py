"""Expressions in SQL text are read on the client, and mean what the engine reads in them."""

from collections.abc import Iterator

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

import springald
from springald import Connection
from springald.errors import PlanTooDeepError, SqlSyntaxError
from springald.expr.sql_parser import parse_expression

ROWS = pa.table(
    {
        "a": pa.array([1, -2, 3, None], pa.int64()),
        "b": ["x", None, "Ab", "it's"],
        "c": pa.array([1.5, 0.0, None, -2.5]),
        "Big": [True, False, None, True],
        "l": [[1, 2], [], None, [5]],
        "s": [{"x": 1}, {"x": None}, None, {"x": 4}],
    }
)
EXPRESSIONS = [
    "a + 2 * 3 - -a",
    "(a + 2) * 3 % 4",
    "a - 1 - 1",
    "-a",
    "- - a",
    "-9223372036854775808",
    "a > 1 OR a < 0 AND NOT b = 'x'",
    "NOT a = 1 AND b IS NOT NULL",
    "NOT NOT a > 1",
    "a != 1",
    "a BETWEEN 0 AND 2 OR a NOT BETWEEN -3 AND 3",
    "a IN (1, 2 + 1) AND b NOT IN ('x', 'y')",
    "b LIKE '%''%' OR b NOT LIKE 'A_'",
    "b ILIKE 'a%'",
    "b ~ '^[A-Z]'",
    "b SIMILAR TO '(x|A%)'",
    "b IS NULL",
    '"Big" IS TRUE',
    '"Big" IS NOT FALSE',
    '"Big" IS UNKNOWN',
    "a IS DISTINCT FROM 1",
    "a IS NOT DISTINCT FROM NULL",
    "b || '-' || upper(B)",
    "CASE WHEN a > 1 THEN 'many' WHEN a IS NULL THEN '?' ELSE 'few' END",
    "CASE a WHEN 1 THEN 10 WHEN 3 THEN 30 END",
    "CAST(a AS DOUBLE PRECISION) / 2",
    "a::VARCHAR || 'x'",
    "TRY_CAST(b AS INT)",
    "CAST(c AS DECIMAL(10, 2))",
    "coalesce(a, 0) + length(coalesce(b, ''))",
    "nullif(a, 3)",
    "l[1]",
    "s['x'] + 1",
    "[a, 2]",
    "array_length(l)",
    "DATE '2026-02-03'",
    "extract(year FROM TIMESTAMP '2026-02-03T04:05:06')",
    "DATE '2026-02-03' + INTERVAL '1 month'",
    "DATE '2026-02-03' + INTERVAL '2' day",
    "1.5e2 + .5",
    'TRUE AND "Big"',
    "substr(b, 1, 1) = 'x' -- a comment",
]


@pytest.fixture(scope="module")
def con() -> Iterator[Connection]:
    """A connection with the table `t`."""
    with springald.connect() as connection:
        connection.register("t", ROWS)
        yield connection


@pytest.mark.parametrize("text", EXPRESSIONS)
def test_expression_means_what_the_engine_reads(con: Connection, text: str) -> None:
    """An expression in text has the values and the type that it has in a query."""
    ours = con.table("t").select(parse_expression(text).alias("v")).to_arrow()
    theirs = con.sql(f"SELECT {text}\nAS v FROM t").to_arrow()  # noqa: S608 - the test's own
    assert ours.to_pydict() == theirs.to_pydict()
    assert ours.schema.field("v").type == theirs.schema.field("v").type


@pytest.mark.parametrize(
    "text",
    ["sum(a)", "count(*)", "count(DISTINCT b)", "sum(a) FILTER (WHERE a > 0)", "max(c) - min(c)"],
)
def test_aggregate_means_what_the_engine_reads(con: Connection, text: str) -> None:
    """Calls of aggregate functions are told from others by name."""
    if "-" not in text:
        ours = con.table("t").aggregate([], [parse_expression(text).alias("v")])
        theirs = con.sql(f"SELECT {text} AS v FROM t")  # noqa: S608 - the test's own
        assert ours.to_pydict() == theirs.to_pydict()
    assert "max" not in text or repr(parse_expression(text)) == "Expr(max(c) - min(c))"


def test_frame_takes_text_where_datafusion_python_does(con: Connection) -> None:
    """Conditions and new columns can be text; a name at the end is the column's."""
    rows = con.table("t").select("a", "b").filter("a > 0", "b IS NOT NULL")
    assert rows.with_column("d", "a * 2").with_columns("a + 1 AS e", f="b || b").sort(
        "a"
    ).to_pydict() == {
        "a": [1, 3],
        "b": ["x", "Ab"],
        "d": [2, 6],
        "e": [2, 4],
        "f": ["xx", "AbAb"],
    }


@pytest.mark.parametrize(
    ("text", "column"),
    [
        ("", 1),
        ("a >", 4),
        ("a 1", 3),
        ("(a", 3),
        ("a ? b", 3),
        ("f(a,)", 5),
        ("CASE WHEN a THEN 1", 19),
        ("CAST(a AS nothing)", 11),
        ("a IS b", 6),
        ("a IN 1", 6),
        ("'open", 1),
        ("a; DROP TABLE t", 2),
        ("sum(a) OVER ()", 8),
    ],
)
def test_expression_that_is_none_is_refused_with_its_place(text: str, column: int) -> None:
    """What is no expression is refused here, and the error says where it went wrong."""
    with pytest.raises(SqlSyntaxError) as caught:
        parse_expression(text)
    assert caught.value.position is not None
    assert caught.value.position.column == column


def test_expression_too_deep_is_refused() -> None:
    """Nesting ends in an error of its own, not in the interpreter's."""
    with pytest.raises(PlanTooDeepError):
        parse_expression("(" * 10_000 + "a" + ")" * 10_000)


@given(st.text("ab1 ()+-*'\"<>=,.[]:$\n", max_size=30))
def test_any_text_is_read_or_refused(text: str) -> None:
    """Whatever stands there, it is an expression or a syntax error."""
    try:
        parse_expression(text)
    except (SqlSyntaxError, PlanTooDeepError):
        return
