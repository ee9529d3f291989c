"""Expressions become nodes, and nodes become flat plans; no server is asked."""

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pyarrow as pa
import pytest
from fake_cluster import FakeCluster

from springald import col, lit
from springald import functions as f
from springald.client import Connection
from springald.dataframe import DataFrame
from springald.errors import InvalidArgumentError, PlanTooLargeError, UnsupportedError
from springald.expr import (
    CaseBuilder,
    Expr,
    GroupingSet,
    NullTreatment,
    Window,
    WindowFrame,
    case,
    lambda_,
    lambda_var,
    placeholder,
    star,
    when,
)
from springald.plan.v1 import expressions_pb2, functions_pb2, plan_pb2, relations_pb2
from springald.types import scalar_from_proto

A, B = col("a"), col("b")

TEXTS: list[tuple[Expr, str]] = [
    (A + 1, "a + 1"),
    (1 - A, "1 - a"),
    (2 * (A + B), "2 * (a + b)"),
    (A / B % 3, "(a / b) % 3"),
    (-A, "-a"),
    ((A > 1) & (B == "x") | ~(A != 2), "((a > 1) AND (b = 'x')) OR NOT (a <> 2)"),
    (A == None, "a IS NULL"),  # noqa: E711 - what is tested
    (A != None, "a IS NOT NULL"),  # noqa: E711
    (1 < A, "a > 1"),  # noqa: SIM300
    (A.between(1, B, negated=True), "a NOT BETWEEN 1 AND b"),
    (A.in_list([1, 2], negated=True), "a NOT IN (1, 2)"),
    (A.like("x%"), "a LIKE 'x%'"),
    (A["x"]["y"], "get_field(get_field(a, 'x'), 'y')"),
    (A[0], "a[1]"),
    (A[-1], "a[-1]"),
    (A[1:3], "a[2:3]"),
    (A[:-1:2], "a[1:-2:2]"),
    (A[B], "a[b]"),
    (A.cast(pa.int8()).try_cast(str), "TRY_CAST(CAST(a AS int8) AS string)"),
    ((A + 1).alias("x") * 2, "(a + 1) * 2"),
    (f.sum(A).filter(B > 1).distinct(), "sum(DISTINCT a) FILTER (WHERE b > 1)"),
    (f.count(), "count(*)"),
    (f.count([A, B]), "count(a, b)"),
    (f.max(A).order_by(B.sort(ascending=False)), "max(a ORDER BY b DESC NULLS LAST)"),
    (f.first_value(A, order_by="b").over(), "first_value(a) OVER (ORDER BY b NULLS LAST)"),
    (
        f.sum(A).over(Window(partition_by=[B], window_frame=WindowFrame("groups", 1, None))),
        "sum(a) OVER (PARTITION BY b GROUPS BETWEEN 1 PRECEDING AND UNBOUNDED FOLLOWING)",
    ),
    (f.lag(A, 2, 0, partition_by=["b"]), "lag(a, 2, 0) OVER (PARTITION BY b)"),
    (f.percentile_cont(A, 0.5), "percentile_cont(0.5) WITHIN GROUP (ORDER BY a NULLS LAST)"),
    (f.regexp_instr(A, "x", flags="i"), "regexp_instr(a, 'x', 1, 1, 'i')"),
    (f.coalesce(A, None), "coalesce(a, NULL)"),
    (f.nvl(A, None), "nvl(a, NULL)"),
    (f.array_transform(A, lambda x, i: x * i), "array_transform(a, (x, i) -> x * i)"),
    (lambda_(["x"], lambda_var("x") > 1), "(x) -> x > 1"),
    (case(A).when(1, "one").otherwise("more"), "CASE a WHEN 1 THEN 'one' ELSE 'more' END"),
    (when(A > 1, A).when(A < 0, -A).end(), "CASE WHEN a > 1 THEN a WHEN a < 0 THEN -a END"),
    (placeholder(1) + placeholder("x"), "$1 + $x"),
    (star("t", exclude=["a"]), "t.* EXCEPT (a)"),
]  # fmt: skip


@pytest.mark.parametrize(("expr", "text"), TEXTS, ids=[text for _, text in TEXTS])
def test_expression_is_shown_as_sql_would_write_it(expr: Expr, text: str) -> None:
    """An expression shows what it computes, with the parentheses that it needs."""
    assert repr(expr) == f"Expr({text})"


@pytest.mark.parametrize(
    "value",
    [
        True,
        7,
        1.5,
        "text",
        b"bytes",
        Decimal("1.50"),
        dt.date(2026, 2, 3),
        dt.datetime(2026, 2, 3, 4, 5),  # noqa: DTZ001 - without a zone
        dt.timedelta(days=1),
        [1, None],
        {"x": 1},
        None,
        pa.scalar(1, pa.int8()),
    ],
    ids=repr,
)
def test_literal_keeps_value_and_type(value: object) -> None:
    """A value of Python or Arrow stands in a plan with Arrow's type for it."""
    scalar = value if isinstance(value, pa.Scalar) else pa.scalar(value)
    assert scalar_from_proto(lit(value).node.message.value).equals(scalar)


def test_literal_without_a_type_is_refused() -> None:
    """What Arrow has no type for cannot be a value, and the error says what it was."""
    with pytest.raises(InvalidArgumentError, match="type object"):
        lit(object())


def test_expression_has_no_truth_value() -> None:
    """`and`, `or`, `not`, chains and `in` would leave conditions out, so they are refused."""
    for mistake in (lambda: A > 1 and B, lambda: not A, lambda: 1 < A < 3, lambda: A in [B, 1]):
        with pytest.raises(InvalidArgumentError, match="no truth value"):
            mistake()


def test_expression_has_no_members() -> None:
    """A loop over an expression ends at once, though `[]` takes any number."""
    column: Any = A  # a type checker refuses these already
    for mistake in (lambda: list(column), lambda: 1 in column, lambda: f.sum(*column)):
        with pytest.raises(TypeError, match=r"not iterable|not a container"):
            mistake()


@pytest.mark.parametrize(
    "mistake",
    [
        lambda: (A + 1).over(Window()),
        lambda: f.sum(A).alias("x").filter(B > 1),
        lambda: f.upper(A).distinct(),
    ],
)
def test_modifier_of_no_call_is_refused(mistake: Callable[[], object]) -> None:
    """Only calls of aggregate and window functions can be told more."""
    with pytest.raises(InvalidArgumentError, match="aggregate or window function"):
        mistake()


def test_aggregate_over_a_window_becomes_a_window_function() -> None:
    """The same call is an aggregate, or with `over` a window function."""
    assert f.sum(A).node.message.function_kind == functions_pb2.FUNCTION_KIND_AGGREGATE
    message = f.sum(A).over(Window(null_treatment=NullTreatment.IGNORE_NULLS)).node.message
    assert message.function_kind == functions_pb2.FUNCTION_KIND_WINDOW
    assert message.HasField("window")
    assert message.null_treatment == functions_pb2.NULL_TREATMENT_IGNORE


def test_grouping_items_are_combined() -> None:
    """Several items are grouped by together: of each one set, in all combinations."""
    rows = _frame_without_server().aggregate(["c", GroupingSet.rollup("a", "b")], [f.count()])
    message = rows.node.message
    assert message.grouping_mode == relations_pb2.GROUPING_MODE_SETS
    assert [list(each.positions) for each in message.grouping_sets] == [[0, 1, 2], [0, 1], [0]]


def test_plan_is_flat_with_children_first() -> None:
    """Ids count from 1 in each list, and whatever a node names stands before it."""
    rows = _frame_without_server().filter(A > 1).select(f.sum(A).over(Window(order_by="b")))
    tree = rows.to_plan().relations
    assert [node.common.node_id for node in tree.relations] == [1, 2, 3]
    assert tree.root_id == 3
    assert [node.WhichOneof("kind") for node in tree.relations] == ["sql", "filter", "projection"]
    kinds = [node.WhichOneof("kind") for node in tree.expressions]
    assert kinds == ["column", "literal", "call", "column", "column", "sort_key", "call"]
    call = tree.expressions[-1]
    assert list(call.common.operand_ids) == [4]
    assert list(call.call.window.sort_key_ids) == [6]


def test_plan_node_in_two_places_is_written_twice() -> None:
    """A DataFrame joined with itself is two inputs, each with ids of its own."""
    rows = _frame_without_server().filter(A > 1)
    tree = rows.join(rows, on="a").to_plan().relations
    assert [node.WhichOneof("kind") for node in tree.relations] == [
        "sql", "filter", "sql", "filter", "join",
    ]  # fmt: skip
    assert list(tree.relations[-1].common.input_ids) == [2, 4]


def test_plan_deep_expression_is_written() -> None:
    """Writing recurses nowhere: what is too deep is for the reader to say."""
    expr = A
    for _ in range(5_000):
        expr = expr - 1
    tree = _frame_without_server().select(expr.alias("x")).to_plan().relations
    assert len(tree.expressions) == 10_002
    assert len(repr(expr)) < 1_000


def test_plan_with_too_many_nodes_is_refused() -> None:
    """A DataFrame that doubles at each step ends in an error and not in all memory."""
    rows = _frame_without_server()
    for _ in range(30):
        rows = rows.union(rows)
    with pytest.raises(PlanTooLargeError, match="cache"):
        rows.to_plan()


def test_subquery_stands_before_the_relation_that_uses_it() -> None:
    """The relation of a subquery is written first, and its expression names it."""
    inner = _frame_without_server().select("a")
    rows = inner.filter(A.in_subquery(inner))
    tree = rows.to_plan().relations
    (found,) = [node for node in tree.expressions if node.WhichOneof("kind") == "in_subquery"]
    assert found.in_subquery.relation_id < tree.root_id
    assert not found.in_subquery.negated


def test_builder_case_is_not_changed_by_going_on() -> None:
    """Each step of a CASE is a new one, so that two can begin alike."""
    begun = CaseBuilder(A).when(1, "x")
    assert repr(begun.end()) != repr(begun.otherwise("y"))
    assert repr(begun.end()) == "Expr(CASE a WHEN 1 THEN 'x' END)"


def test_frame_tree_shows_each_relation(con: Connection) -> None:
    """The plan of a DataFrame is shown as a tree, the last step first."""
    left = con.sql("SELECT 1 AS a, 2 AS b").alias("l")
    right = con.sql("SELECT 1 AS a").alias("r")
    rows = (
        left.join_on(right, col("l.a") == col("r.a"), how="left")
        .filter(col("b").is_not_null())
        .group_by("b")
        .agg(f.count().alias("n"))
        .sort(col("n").sort(ascending=False))
        .limit(3, 1)
    )
    assert repr(rows) == (
        "DataFrame\n"
        "  Limit: 3 from 1\n"
        "    Sort: n DESC NULLS LAST\n"
        "      Aggregate: [count(*) AS n] by b\n"
        "        Filter: b IS NOT NULL\n"
        "          Join: left on l.a = r.a\n"
        "            SubqueryAlias: l\n"
        "              Sql: SELECT 1 AS a, 2 AS b\n"
        "            SubqueryAlias: r\n"
        "              Sql: SELECT 1 AS a"
    )


def test_frame_verbs_ask_no_server(cluster: FakeCluster, con: Connection) -> None:
    """Building on a DataFrame makes a plan here; the server hears nothing of it."""
    before = len(cluster.calls)
    rows = con.sql("SELECT 1 AS a, 2 AS b")
    rows.select("a").distinct().with_column("c", A).drop("a").rename({"c": "d"}).union(rows)
    rows.unnest_columns("a").sample(0.5).repartition(3).intersect(rows).except_(rows)
    assert [call for call in cluster.calls[before:] if call != "keep"] == []


def test_frame_of_another_connection_is_refused(cluster: FakeCluster, con: Connection) -> None:
    """Rows of two sessions cannot meet in one query."""
    from springald import connect  # noqa: PLC0415 - a second connection

    with (
        connect(cluster.url) as other,
        pytest.raises(InvalidArgumentError, match="one connection"),
    ):
        con.sql("SELECT 1").union(other.sql("SELECT 1"))


def test_frame_of_a_statement_is_not_built_on(con: Connection) -> None:
    """`SHOW` and its like cannot stand inside of a query."""
    with pytest.raises(UnsupportedError, match="SHOW"):
        con.sql("SHOW TABLES").filter(A > 1)


@pytest.mark.parametrize(
    "mistake",
    [
        lambda rows: rows.join(rows),
        lambda rows: rows.join(rows, on="a", left_on="a", right_on="a"),
        lambda rows: rows.join(rows, left_on="a"),
        lambda rows: rows.join(rows, left_on=["a", "b"], right_on=["a"]),
        lambda rows: rows.join(rows, on="a", how="sideways"),
        lambda rows: rows.sample(2),
        lambda rows: rows.select(1),
        lambda rows: rows.filter(1),
        lambda rows: rows.with_column("c", 1),
        lambda rows: rows.aggregate(["a"], ["b"]),
        lambda rows: rows.join_on(rows),
        lambda rows: rows.with_parameters(1, x=2),
    ],
)
def test_frame_mistake_is_refused_here(mistake: Callable[[DataFrame], object]) -> None:
    """What is wrong whatever the columns are is said before anything is sent."""
    with pytest.raises(InvalidArgumentError):
        mistake(_frame_without_server())


@pytest.mark.parametrize(
    ("build", "qualifier"),
    [
        (lambda rows: rows, None),
        (lambda rows: rows.alias("t"), "t"),
        (lambda rows: rows.alias("t").filter(A > 1).sort("a").limit(1), "t"),
        (lambda rows: rows.alias("t").select("a"), "t"),
        (lambda rows: rows.alias("t").select(A.alias("a")), None),
        (lambda rows: rows.alias("t").select(col("t.a")), "t"),
        (lambda rows: rows.alias("t").aggregate(["a"], [f.count()]), "t"),
        (lambda rows: rows.alias("t").with_column("a", A + 1), None),
    ],
)
def test_frame_col_knows_its_qualifier(
    build: Callable[[DataFrame], DataFrame], qualifier: str | None
) -> None:
    """`DataFrame.col` names the table or alias where the plan alone says which it is."""
    name = build(_frame_without_server()).col("a").node.message.name
    assert (name.qualifier or None) == qualifier


def test_plan_node_of_an_error_is_found_again() -> None:
    """The id that an error names is that of one relation or expression of the plan."""
    rows = _frame_without_server().filter(A > 1).select(f.upper(B))
    statement = rows._statement  # noqa: SLF001 - what a job is given
    told = statement.pointed(InvalidArgumentError("wrong", node_id="e3"))
    assert str(told) == "[INVALID_ARGUMENT] wrong (at e3)\ne3: a > 1"
    assert "r2: Filter: a > 1" in str(statement.pointed(InvalidArgumentError("", node_id="r2")))
    assert str(statement.pointed(InvalidArgumentError("x", node_id="j1"))).startswith(
        "[INVALID_ARGUMENT] x (at j1"
    )


def test_parameters_are_sent_beside_the_plan() -> None:
    """Values of parameters are typed scalars of the plan, and never text of SQL."""
    rows = _frame_without_server().filter(placeholder("low") < A).with_parameters(low=3)
    tree = rows.to_plan().relations
    assert [each.name for each in tree.named_parameters] == ["low"]
    sql = _frame_without_server().with_parameters(3).to_plan()
    assert sql.version.minor == 1
    assert scalar_from_proto(sql.sql.positional_parameters[0]).as_py() == 3


def test_plan_of_sql_alone_needs_the_first_version() -> None:
    """A query that is SQL text and nothing else is sent as before, to any server."""
    plan = _frame_without_server().to_plan()
    assert plan.WhichOneof("statement") == "sql"
    assert plan.version == plan_pb2.PlanVersion(major=1, minor=0, producer=plan.version.producer)


def test_pattern_knows_its_language() -> None:
    """Each family of patterns is told apart in the plan."""
    made = [A.like("x"), A.ilike("x"), A.similar_to("x"), A.rlike("x")]
    like, ilike, similar, regular = (expr.node.message for expr in made)
    assert like.syntax == ilike.syntax == expressions_pb2.PATTERN_SYNTAX_LIKE
    assert ilike.ignores_case
    assert not like.ignores_case
    assert similar.syntax == expressions_pb2.PATTERN_SYNTAX_SIMILAR
    assert regular.syntax == expressions_pb2.PATTERN_SYNTAX_REGULAR_EXPRESSION


class _NoSession:
    """Stands where a session would; nothing here asks for one."""


_ONE = _NoSession()


def _frame_without_server() -> DataFrame:
    from springald.dataframe.statement import Statement  # noqa: PLC0415 - an inner part

    return DataFrame(_ONE, Statement("SELECT 1 AS a, 2 AS b", None))  # type: ignore[arg-type]
