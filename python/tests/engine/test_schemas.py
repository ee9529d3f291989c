"""Types of rows between stages, found without reading any."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from datafusion import SessionContext
from datafusion.plan import ExecutionPlan

from springald.datafusion.v55 import plan_view_pb2 as pb
from springald.engine import plan_view as pv
from springald.engine.plan_view import PlanNode
from springald.engine.schemas import (
    SchemaEncoder,
    arrow_leaf,
    converted,
    emptied,
    nullable,
    output_schema,
)
from springald.engine.session import make_context
from springald.results import plain_schema

ITEM = pa.struct([pa.field("x", pa.int8(), nullable=False), ("y", pa.string_view())])
NESTED = pa.schema([
    ("a", pa.string_view()),
    ("b", pa.dictionary(pa.int8(), pa.string())),
    ("c", pa.list_(pa.string_view())),
    ("d", ITEM),
    ("e", pa.map_(pa.string(), ITEM)),
    ("f", pa.list_(ITEM, 2)),
    ("g", pa.timestamp("us", "Europe/Berlin")),
    ("h", pa.decimal128(12, 2)),
    ("i", pa.large_list(pa.binary_view())),
])  # fmt: skip


def tree(context: SessionContext, sql: str) -> PlanNode:
    """The plan of a query."""
    return pv.parse(context.sql(sql).execution_plan().to_bytes(context))


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT 1 AS a, 'x' AS b, NULL AS c, now() AS d",
        "SELECT DATE '2024-01-01' AS a, INTERVAL '1 month' AS b, CAST(1 AS DECIMAL(9, 3)) AS c",
        "SELECT make_array(1, 2) AS a, struct(1, 'x') AS b, map(['k'], [1.5]) AS c",
        "SELECT arrow_cast('x', 'Dictionary(Int32, Utf8)') AS a, arrow_cast(1, 'UInt8') AS b",
        "SELECT column1 AS a, count(*) AS n FROM (VALUES (1), (2)) GROUP BY 1",
        "SELECT value, avg(value) OVER () AS m FROM generate_series(1, 3)",
        "SELECT a.column1, b.column1 FROM (VALUES (1)) a JOIN (VALUES (1)) b USING (column1)",
    ],
)
def test_output_schema_has_the_types_of_the_rows(sql: str) -> None:
    """What is found without running a plan is what running it gives."""
    context = make_context({}, partitions=2)
    rows = context.sql(sql).to_arrow_table().schema
    assert output_schema(context, tree(context, sql)) == nullable(rows.remove_metadata())


def test_output_schema_keeps_columns_of_one_name(tmp_path: Path) -> None:
    """A fragment's columns are known by position."""
    pq.write_table(pa.table({"k": [1], "v": ["x"]}), f"{tmp_path}/t.parquet")
    context = make_context({}, partitions=1)
    context.sql(f"CREATE EXTERNAL TABLE t STORED AS PARQUET LOCATION '{tmp_path}/'")
    twice = tree(context, "SELECT p.k, q.k FROM t p JOIN t q ON p.v = q.v")
    assert output_schema(context, twice).names == ["k", "k"]


def test_output_schema_runs_nothing() -> None:
    """A plan over a million million generated rows has its types at once."""
    context = make_context({}, partitions=1)
    endless = tree(context, "SELECT sum(value) AS s FROM generate_series(1, 1000000000000)")
    assert output_schema(context, endless).names == ["s"]
    failing = tree(context, "SELECT CAST(column1 AS INT) AS a FROM (VALUES ('x'), ('y'))")
    assert output_schema(context, failing).types == [pa.int32()]


def test_output_schema_takes_a_count_that_another_stage_makes() -> None:
    """A count is never absent, so a value that is not there yet must not be."""
    context = make_context({}, partitions=1)
    plan = tree(
        context, "SELECT count(*) + (SELECT count(*) FROM (VALUES (1))) AS n FROM (VALUES (1))"
    )
    scoped = next(node for node in plan.walk() if node.kind == "scalar_subquery")
    values = plain_schema(output_schema(context, scoped.children[1]))
    leaf = arrow_leaf(SchemaEncoder().encode(values), [["springald-exchange/0/0.arrow"]])
    scoped.children[1] = leaf
    assert output_schema(context, plan).types == [pa.int64()]


def test_emptied_leaves_no_file_and_no_row(tmp_path: Path) -> None:
    """Every leaf but the one row of a SELECT without a table is empty."""
    pq.write_table(pa.table({"a": [1]}), f"{tmp_path}/t.parquet")
    context = make_context({}, partitions=1)
    context.sql(f"CREATE EXTERNAL TABLE t STORED AS PARQUET LOCATION '{tmp_path}/'")
    for source in ("t", "(VALUES (1))", "generate_series(1, 3)"):
        plan = emptied(tree(context, f"SELECT * FROM {source}"))  # noqa: S608 - of this test
        data = pv.serialize(plan)
        assert not list(context.execute(ExecutionPlan.from_bytes(context, data), 0))


def test_encoder_writes_schemas_as_the_engine_does() -> None:
    """Nested types, and columns of one name, come back from a leaf that declares them."""
    context = make_context({}, partitions=1)
    encoder = SchemaEncoder()
    twice = pa.schema([*NESTED, ("a", pa.int8())])
    for _ in range(2):  # the second one is remembered
        leaf = arrow_leaf(encoder.encode(twice), [["springald-exchange/0/0.arrow"]])
        assert output_schema(context, leaf) == twice
    assert encoder.encode(pa.schema([])) == pb.Schema()


def test_encoder_gives_each_caller_a_message_of_its_own() -> None:
    """What one caller changes does not reach the next."""
    encoder = SchemaEncoder()
    encoder.encode(NESTED).columns[0].name = "changed"
    assert encoder.encode(NESTED).columns[0].name == "a"


def test_converted_to_plain_types_and_back_is_the_same_rows() -> None:
    """The projections on both sides of an exchange undo each other, for nested types too."""
    context = make_context({}, partitions=1)
    encoder = SchemaEncoder()
    sql = """
        SELECT arrow_cast('a text longer than a view keeps', 'Utf8View') AS a,
            arrow_cast('x', 'Dictionary(Int8, Utf8)') AS b,
            make_array(arrow_cast('y', 'Utf8View')) AS c,
            named_struct('p', arrow_cast('z', 'Utf8View'), 'q', 1) AS d, NULL AS e
    """
    plan = tree(context, sql)
    rows = output_schema(context, plan)
    plain = plain_schema(rows)
    assert plain != rows
    there = converted(plan, rows, plain, encoder)
    assert output_schema(context, there) == plain
    back = converted(there, plain, rows, encoder)
    got = ExecutionPlan.from_bytes(context, pv.serialize(back))
    (batch,) = [each.to_pyarrow() for each in context.execute(got, 0)]
    assert nullable(batch.schema) == rows
    assert batch.to_pylist() == context.sql(sql).to_pylist()


def test_converted_without_a_difference_is_the_plan_itself() -> None:
    """No projection stands where it does nothing."""
    plan = pv.node("placeholder_row")
    assert converted(plan, NESTED, NESTED, SchemaEncoder()) is plan
    renamed = pa.schema([field.with_name("other") for field in NESTED])
    assert converted(plan, NESTED, renamed, SchemaEncoder()) is plan
