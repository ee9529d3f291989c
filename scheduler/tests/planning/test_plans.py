"""Plans say what SQL says: each relation and expression against the statement a person writes."""

import plan_kit as k
import pyarrow as pa
import pytest
from simulate import Simulation, rows_of

FACTS, DIMS = k.table("facts"), k.table("dims")
D = k.table("dims", "d")
NUMBERS = pa.schema({"a": pa.int64()})


def _numbers(*rows: int) -> k.Rel:
    return k.values(NUMBERS, *([row] for row in rows))


RELATIONS: dict[str, tuple[k.Rel, str]] = {
    "read": (FACTS, "SELECT * FROM facts"),
    "values": (_numbers(1, 2), "SELECT * FROM (VALUES (1), (2)) v(a)"),
    "projection": (
        k.project(FACTS, "id", k.alias(k.call("+", "id", 1), "next")),
        "SELECT id, id + 1 AS next FROM facts",
    ),
    "filter": (
        k.where(FACTS, k.call("and", k.call(">", "id", 5), k.call("is not null", "g"))),
        "SELECT * FROM facts WHERE id > 5 AND g IS NOT NULL",
    ),
    "aggregate": (
        k.group(FACTS, ["g"], k.alias(k.agg("sum", "q"), "s"), k.alias(k.agg("count"), "n")),
        "SELECT g, sum(q) AS s, count(*) AS n FROM facts GROUP BY g",
    ),
    "join": (
        k.project(
            k.join(k.table("facts", "f"), D, keys=[(k.col("k", "f"), k.col("k", "d"))]),
            "id",
            "label",
        ),
        "SELECT id, label FROM facts f JOIN dims d ON f.k = d.k",
    ),
    "union": (
        k.combine("UNION_ALL", k.project(FACTS, "id"), k.project(DIMS, "w")),
        "SELECT id FROM facts UNION ALL SELECT w FROM dims",
    ),
    "intersect all": (
        k.combine("INTERSECT_ALL", _numbers(1, 1, 2), _numbers(1, 1, 1)),
        "SELECT * FROM (VALUES (1), (1)) v(a)",
    ),
    "except all": (
        k.combine("EXCEPT_ALL", _numbers(1, 1, 2), _numbers(1)),
        "SELECT * FROM (VALUES (1), (2)) v(a)",
    ),
}


@pytest.mark.parametrize(("plan", "sql"), RELATIONS.values(), ids=RELATIONS)
def test_plan_of_a_relation_gives_the_rows_of_its_sql(
    simulation: Simulation, plan: k.Rel, sql: str
) -> None:
    """A relation means what its comment says: the rows, names and types of the SQL for it."""
    sent = k.plan(plan)
    got, want = simulation.answer(sent), simulation.one_process(sql)
    assert got.schema.names == want.schema.names
    assert simulation.describe(sent).equals(got.schema)
    assert rows_of(got) == rows_of(want)


def test_plan_in_order_comes_out_in_order(simulation: Simulation) -> None:
    """The order of a sort holds through filters, projections and fetches above it."""
    ordered = k.sort(FACTS, k.desc("q"), k.asc("id"))
    plan = k.project(k.where(k.fetch(ordered, 9, 2), k.call(">", "id", 3)), "g", "id")
    sql = """SELECT g, id FROM (SELECT * FROM facts ORDER BY q DESC, id LIMIT 9 OFFSET 2)
        WHERE id > 3 ORDER BY q DESC, id"""
    got, want = simulation.answer(k.plan(plan)), simulation.one_process(sql)
    assert got.to_pylist() == want.to_pylist()
