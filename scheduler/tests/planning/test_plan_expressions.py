"""Each kind of expression, and literals of every type, held against the SQL for them."""

from decimal import Decimal

import plan_kit as k
import pyarrow as pa
import pytest
from plan_expressions import AGGREGATES, CONDITIONS, EXPRESSIONS, FACTS, query_of
from simulate import Simulation, rows_of


@pytest.mark.parametrize(("source", "plan", "sql"), EXPRESSIONS.values(), ids=EXPRESSIONS)
def test_plan_of_an_expression_gives_the_values_of_its_sql(
    simulation: Simulation, source: k.Rel, plan: k.Ex, sql: str
) -> None:
    """An expression means what its comment says: values and type are those of SQL (P8.1)."""
    want = simulation.one_process(query_of(sql))
    got = simulation.answer(k.plan(k.project(source, k.alias(plan, "x"))))
    assert got.schema.types == want.schema.types
    assert rows_of(got) == rows_of(want)


@pytest.mark.parametrize(("source", "plan", "sql"), CONDITIONS.values(), ids=CONDITIONS)
def test_plan_with_a_subquery_in_a_condition_gives_the_rows_of_its_sql(
    simulation: Simulation, source: k.Rel, plan: k.Ex, sql: str
) -> None:
    """Subqueries see the columns round them by outer columns, and nothing else of theirs."""
    got = simulation.answer(k.plan(k.where(source, plan)))
    want = simulation.one_process(f"SELECT * FROM dims d WHERE {sql}")  # noqa: S608
    assert rows_of(got) == rows_of(want)


@pytest.mark.parametrize(("plan", "sql"), AGGREGATES.values(), ids=AGGREGATES)
def test_plan_of_an_aggregate_gives_the_values_of_its_sql(
    simulation: Simulation, plan: k.Ex, sql: str
) -> None:
    """An aggregate has all the modifiers of SQL, and they mean the same."""
    got = simulation.answer(k.plan(k.group(FACTS, ["h"], k.alias(plan, "x"))))
    want = simulation.one_process(f"SELECT h, {sql} AS x FROM facts GROUP BY h")  # noqa: S608
    assert rows_of(got) == rows_of(want)


SCALARS: list[pa.Scalar] = [
    *(pa.scalar(5, t) for t in (pa.int8(), pa.int16(), pa.int32(), pa.int64())),
    *(pa.scalar(5, t) for t in (pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64())),
    pa.scalar(-(2**63)), pa.scalar(2**63 - 1), pa.scalar(2**64 - 1, pa.uint64()), pa.scalar(None),
    pa.array([True])[0], pa.scalar(1.5, pa.float32()), pa.scalar(0.1), pa.scalar(float("nan")),
    pa.scalar(float("inf")), pa.scalar(float("-inf")), pa.scalar(-0.0), pa.scalar(5e-324),
    pa.scalar(1.7976931348623157e308), pa.scalar(3.4028235e38, pa.float32()),
    pa.array([1.5], pa.float64()).cast(pa.float16())[0],
    *(
        pa.scalar("it's \"so\"\n\\ -- ä $1", t)
        for t in (pa.string(), pa.large_string(), pa.string_view())
    ),
    pa.scalar(""),
    *(
        pa.scalar(b"\x00\xff'", t)
        for t in (pa.binary(), pa.large_binary(), pa.binary_view(), pa.binary(3))
    ),
    pa.scalar(b""), pa.scalar(b"", pa.binary(0)),
    pa.scalar(-1, pa.date32()), pa.scalar(86_400_000, pa.date64()),
    pa.scalar(1, pa.time32("s")), pa.scalar(1, pa.time32("ms")), pa.scalar(1, pa.time64("us")),
    pa.scalar(86_399_999_999_999, pa.time64("ns")),
    *(pa.scalar(-7, pa.timestamp(unit)) for unit in ("s", "ms", "us", "ns")),
    pa.scalar(7, pa.timestamp("us", "Europe/Berlin")), pa.scalar(7, pa.timestamp("ns", "+05:30")),
    *(pa.scalar(-7, pa.duration(unit)) for unit in ("s", "ms", "us", "ns")),
    pa.scalar((1, -2, 3), pa.month_day_nano_interval()),
    pa.scalar(Decimal("-1.23"), pa.decimal32(5, 2)),
    pa.scalar(Decimal("1.23"), pa.decimal64(12, 2)),
    pa.scalar(Decimal(12345678901234567890123456789012345678), pa.decimal128(38, 0)),
    pa.scalar(Decimal("1e-70"), pa.decimal256(76, 70)),
    pa.scalar(Decimal(1200), pa.decimal128(5, -2)),
    pa.scalar([1, None], pa.list_(pa.int8())),
    pa.scalar([[1], []], pa.large_list(pa.list_(pa.int64()))),
    pa.scalar([1, 2], pa.list_(pa.int16(), 2)), pa.scalar([1, 2], pa.list_view(pa.int64())),
    pa.scalar({"a": 1, "b": None}, pa.struct([("a", pa.int32()), ("b", pa.string_view())])),
    pa.scalar({'o"d\\d': 1}, pa.struct([('o"d\\d', pa.int32())])),
    pa.scalar([("k", 1)], pa.map_(pa.string(), pa.int64())),
    pa.array(["a"]).dictionary_encode()[0],
    *(pa.scalar(None, t) for t in (
        pa.int8(), pa.string_view(), pa.decimal256(50, 3), pa.list_(pa.int8()), pa.date64(),
        pa.struct([("a", pa.int8())]), pa.map_(pa.string(), pa.int8()), pa.timestamp("s", "UTC"),
    )),
]  # fmt: skip


@pytest.mark.parametrize("scalar", SCALARS, ids=lambda each: f"{each.type}-{str(each)[:12]}")
@pytest.mark.parametrize("form", ["literal", "parameter"])
def test_literal_of_every_type_comes_back_as_it_was(
    simulation: Simulation, scalar: pa.Scalar, form: str
) -> None:
    """A literal or parameter is its value, bit by bit, and of its own type (P8.3)."""
    one_row = k.values(pa.schema([]), [])
    value = k.param("v") if form == "parameter" else k.lit(scalar)
    given = {"v": scalar} if form == "parameter" else {}
    sent = k.plan(k.project(one_row, k.alias(value, "x")), **given)
    column = simulation.answer(sent)["x"]
    assert simulation.describe(sent).field("x").type == scalar.type
    same_type = column if column.type == scalar.type else column.cast(scalar.type)
    assert str(same_type[0]) == str(scalar)
    text = k.sql("SELECT $v AS x")
    # Text takes the value too; it may lose the type of a null.
    assert str(simulation.answer(k.plan(text, v=scalar))["x"][0]) == str(column[0])
