"""Plans on a real cluster and in local mode, held against the engine in this process."""

from collections.abc import Iterator
from pathlib import Path

import plan_kit as k
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from datafusion import SessionContext
from datafusion.substrait import Serde
from plan_expressions import AGGREGATES, CONDITIONS, EXPRESSIONS, query_of
from plan_relations import FACTS, ORDERED, RELATIONS
from plan_rows import dims, facts
from simulate import rows_of

import springald
from springald.errors import (
    PlanTooDeepError,
    PlanTooLargeError,
    SpringaldError,
    UnknownColumnError,
)
from springald.plan.v1 import plan_pb2

TABLES = {"facts": facts(), "dims": dims(), "one": dims().slice(0, 1), "none": dims().slice(0, 0)}


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The tables as folders of files."""
    folder = tmp_path_factory.mktemp("plans")
    for name, rows in TABLES.items():
        (folder / name).mkdir()
        for part in range(3):
            step = -(-rows.num_rows // 3)
            pq.write_table(rows.slice(part * step, step), folder / name / f"{part}.parquet")
    return folder


@pytest.fixture(scope="module")
def engine(home: Path) -> SessionContext:
    """The engine in this process."""
    context = SessionContext()
    for name in TABLES:
        context.register_parquet(name, home / name)
    return context


@pytest.fixture(scope="module", params=["cluster", "local"])
def connection(
    request: pytest.FixtureRequest, cluster: springald.LocalCluster, home: Path
) -> Iterator[springald.Connection]:
    """A session with the tables, on executors of their own or in this process."""
    with cluster.connect() if request.param == "cluster" else springald.connect() as made:
        made.sql("SET springald.distribution = 'always'")
        for name in TABLES:
            made.register_parquet(name, home / name)
        yield made


def answer(connection: springald.Connection, plan: k.Rel) -> pa.Table:
    """Returns the rows of a plan."""
    return connection.execute_plan(k.plan(plan)).result()


@pytest.mark.parametrize("name", RELATIONS)
def test_relation_on_a_cluster_gives_what_its_sql_gives(
    connection: springald.Connection, engine: SessionContext, name: str
) -> None:
    """P8.1: each relation means the same in stages on executors as in one process."""
    plan, sql = RELATIONS[name]
    got, want = answer(connection, plan), engine.sql(sql).to_arrow_table()
    assert got.schema.names == want.schema.names
    assert rows_of(got) == rows_of(want)


@pytest.mark.parametrize("name", ORDERED)
def test_order_on_a_cluster_is_kept(
    connection: springald.Connection, engine: SessionContext, name: str
) -> None:
    """P8.4: rows of several partitions come in the order that a plan promises."""
    plan, sql = ORDERED[name]
    assert answer(connection, plan).to_pylist() == engine.sql(sql).to_arrow_table().to_pylist()


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_expression_on_a_cluster_gives_what_its_sql_gives(
    connection: springald.Connection, engine: SessionContext, name: str
) -> None:
    """P8.1: each expression has the values and the type of its SQL."""
    source, plan, sql = EXPRESSIONS[name]
    got = answer(connection, k.project(source, k.alias(plan, "x")))
    want = engine.sql(query_of(sql)).to_arrow_table()
    assert got.schema.types == want.schema.types
    assert rows_of(got) == rows_of(want)


@pytest.mark.parametrize("name", CONDITIONS)
def test_condition_on_a_cluster_keeps_the_rows_of_its_sql(
    connection: springald.Connection, engine: SessionContext, name: str
) -> None:
    """Subqueries that use columns round them run in stages too."""
    source, plan, sql = CONDITIONS[name]
    want = engine.sql(f"SELECT * FROM dims d WHERE {sql}").to_arrow_table()
    assert rows_of(answer(connection, k.where(source, plan))) == rows_of(want)


@pytest.mark.parametrize("name", AGGREGATES)
def test_aggregate_on_a_cluster_gives_what_its_sql_gives(
    connection: springald.Connection, engine: SessionContext, name: str
) -> None:
    """Aggregates with modifiers are put together from parts."""
    plan, sql = AGGREGATES[name]
    got = answer(connection, k.group(FACTS, ["h"], k.alias(plan, "x")))
    want = engine.sql(f"SELECT h, {sql} AS x FROM facts GROUP BY h").to_arrow_table()
    assert rows_of(got) == rows_of(want)


def test_substrait_on_a_cluster_gives_what_its_sql_gives(
    connection: springald.Connection, engine: SessionContext
) -> None:
    """P8.8: a plan of Substrait is cut and run like the text that it was made of."""
    sql = "SELECT label, sum(q) AS s FROM facts f JOIN dims d ON f.k = d.k GROUP BY label"
    plan = plan_pb2.SubstraitPlan(plan=bytes(Serde.serialize_bytes(sql, engine)))
    version = plan_pb2.PlanVersion(major=1, minor=1)
    got = connection.execute_plan(plan_pb2.Plan(version=version, substrait=plan)).result()
    assert rows_of(got) == rows_of(engine.sql(sql).to_arrow_table())


def test_error_of_a_plan_names_its_node_and_leaves_the_session_usable(
    connection: springald.Connection,
) -> None:
    """P8.5, P6.3: the error says which node, and the next plan runs."""
    with pytest.raises(UnknownColumnError) as caught:
        answer(connection, k.project(FACTS, "nosuch"))
    assert caught.value.node_id == "e1"
    assert answer(connection, k.fetch(FACTS, 2)).num_rows == 2


def test_plan_of_thousands_of_nodes_is_answered_or_refused(
    connection: springald.Connection,
) -> None:
    """P6.3: a plan that is wide, too deep or too large ends in rows or a typed error."""
    conditions = [k.call("<>", "id", number) for number in range(1_500)]
    assert answer(connection, k.where(FACTS, k.call("and", *conditions))).num_rows == 0
    deep = FACTS
    for _ in range(300):
        deep = k.distinct(deep)
    with pytest.raises(PlanTooDeepError):
        answer(connection, deep)
    with pytest.raises(PlanTooLargeError):
        answer(connection, k.where(FACTS, k.in_list("id", *range(20_001))))
    plan = plan_pb2.Plan(version=plan_pb2.PlanVersion(major=1, minor=1))
    plan.substrait.plan = bytes(range(256)) * 40
    with pytest.raises(SpringaldError) as caught:
        connection.execute_plan(plan).result()
    assert caught.value.fault == "caller"
    assert answer(connection, k.fetch(FACTS, 1)).num_rows == 1
