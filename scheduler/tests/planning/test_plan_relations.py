"""Each kind of relation, held against the SQL that a person writes for it."""

from pathlib import Path

import plan_kit as k
import pyarrow as pa
import pyarrow.csv as pc
import pyarrow.parquet as pq
import pytest
from plan_relations import ORDERED, RELATIONS, ROWS, F
from simulate import Simulation, rows_of

from springald.plan.v1 import sources_pb2
from springald.types import schema_to_proto


@pytest.mark.parametrize(("plan", "sql"), RELATIONS.values(), ids=RELATIONS)
def test_plan_of_a_relation_gives_the_rows_of_its_sql(
    simulation: Simulation, plan: k.Rel, sql: str
) -> None:
    """A relation means what its comment says: the rows and names of the SQL for it (P8.1)."""
    sent = k.plan(plan)
    got, want = simulation.answer(sent), simulation.one_process(sql)
    assert got.schema.names == want.schema.names
    assert simulation.describe(sent).equals(got.schema)
    assert rows_of(got) == rows_of(want)


@pytest.mark.parametrize(("plan", "sql"), ORDERED.values(), ids=ORDERED)
def test_plan_that_promises_an_order_keeps_it(
    simulation: Simulation, plan: k.Rel, sql: str
) -> None:
    """A sort's order holds through all relations whose comment says so (P8.4)."""
    got, want = simulation.answer(k.plan(plan)), simulation.one_process(sql)
    assert got.to_pylist() == want.to_pylist()


def test_plan_whose_columns_have_one_name_gives_all_of_them(simulation: Simulation) -> None:
    """Names need not be unique, in a plan or in its result (P8.2)."""
    plan = k.fetch(k.sort(k.join(F, k.table("facts", "h"), keys=[
        (k.col("id", "f"), k.col("q", "h"))]), k.asc(k.col("id", "h"))), 2)  # fmt: skip
    sent = k.plan(k.project(plan, k.col("id", "h"), k.col("id", "f")))
    got = simulation.answer(sent)
    want = simulation.one_process(
        "SELECT h.id AS a, f.id AS b FROM facts f JOIN facts h ON f.id = h.q ORDER BY a LIMIT 2"
    )
    assert got.schema.names == simulation.describe(sent).names == ["id", "id"]
    assert [column.to_pylist() for column in got.columns] == [
        column.to_pylist() for column in want.columns
    ]


@pytest.fixture
def nested(simulation: Simulation, tmp_path: Path) -> Simulation:
    """A simulation with a table of lists, structs and maps."""
    rows = pa.table({
        "i": [1, 2, 3, 4],
        "l": [[1, 2], [], None, [3]],
        "o": [["a"], ["b"], None, ["c", None]],
        "s": [{"p": 1, "q": "a"}, None, {"p": None, "q": "b"}, {"p": 3, "q": "c"}],
        "ll": [[[1, 2], [3]], [], None, [[4], []]],
    })  # fmt: skip
    pq.write_table(rows, tmp_path / "nested.parquet")
    path = tmp_path / "nested.parquet"
    simulation.statement(f"CREATE EXTERNAL TABLE nested STORED AS PARQUET LOCATION '{path}'")
    return simulation


NESTED = k.table("nested")
UNNESTED: dict[str, tuple[k.Rel, list[tuple[object, ...]]]] = {
    "list": (k.project(k.unnest(NESTED, "l"), "i", "l"), [(1, 1), (1, 2), (4, 3)]),
    "nulls kept": (
        k.project(k.unnest(NESTED, "l", keeps_nulls=True), "i", "l"),
        [(1, 1), (1, 2), (3, None), (4, 3)],
    ),
    "side by side": (
        k.project(k.unnest(NESTED, "l", "o"), "i", "l", "o"),
        [(1, 1, "a"), (1, 2, None), (2, None, "b"), (4, 3, "c"), (4, None, None)],
    ),
    "two levels": (
        k.project(k.unnest(NESTED, "ll", depth=2), "i", "ll"),
        [(1, 1), (1, 2), (1, 3), (4, 4)],
    ),
    "struct": (
        k.project(k.unnest(NESTED, "s"), "i", "s.p", "s.q"),
        [(1, 1, "a"), (2, None, None), (3, None, "b"), (4, 3, "c")],
    ),
}


@pytest.mark.parametrize(("plan", "rows"), UNNESTED.values(), ids=UNNESTED)
def test_plan_takes_lists_and_structs_apart(
    nested: Simulation, plan: k.Rel, rows: list[tuple[object, ...]]
) -> None:
    """Unnest gives a row an element and a column a field; nulls are as its comment says."""
    assert rows_of(nested.answer(k.plan(plan)))[1:] == rows


FORMATS: dict[str, sources_pb2.FileSet] = {
    "rows.csv": sources_pb2.FileSet(csv=sources_pb2.CsvFormat()),
    "rows.parquet": sources_pb2.FileSet(parquet=sources_pb2.ParquetFormat()),
    "rows.arrow": sources_pb2.FileSet(arrow=sources_pb2.ArrowFormat()),
    "rows.json": sources_pb2.FileSet(json=sources_pb2.JsonFormat()),
    "odd.csv": sources_pb2.FileSet(
        csv=sources_pb2.CsvFormat(has_header=False, delimiter=";", quote="'"),
        schema=schema_to_proto(pa.schema({"a": pa.int64(), "b": pa.string()})),
    ),
}


@pytest.mark.parametrize("name", FORMATS)
def test_plan_reads_files_that_are_no_table(
    simulation: Simulation, tmp_path: Path, name: str
) -> None:
    """Files are read with the options of the plan, for the one statement only."""
    pc.write_csv(ROWS, tmp_path / "rows.csv")
    pq.write_table(ROWS, tmp_path / "rows.parquet")
    with pa.ipc.new_file(tmp_path / "rows.arrow", ROWS.schema) as writer:
        writer.write_table(ROWS)
    (tmp_path / "rows.json").write_text('{"a":1,"b":"x"}\n{"a":2}\n{"b":"y"}\n')
    (tmp_path / "odd.csv").write_text("1;'x'\n2;\n;'y'\n")
    files = sources_pb2.FileSet()
    files.CopyFrom(FORMATS[name])
    files.path = str(tmp_path / name)
    tables = [table.name for table in simulation.planner.list_tables("s")]
    got = simulation.answer(k.plan(k.project(k.files(files, "x"), k.col("a", "x"), "b")))
    assert rows_of(got) == rows_of(ROWS)
    assert [table.name for table in simulation.planner.list_tables("s")] == tables


def test_sample_of_a_plan_has_some_rows(simulation: Simulation) -> None:
    """Each row is in a sample with its probability: a tenth of many is neither none nor all."""
    numbers = k.series(1, 20_000)
    count = k.group(k.sample(numbers, 0.1), [], k.alias(k.agg("count"), "n"))
    (row,) = simulation.answer(k.plan(count)).to_pylist()
    assert 1_500 < row["n"] < 2_500


def test_plan_that_the_engine_cannot_make_for_one_partition_is_described(
    simulation: Simulation,
) -> None:
    """A query that runs in several partitions is described too, for which it is planned in one."""
    simulation.upload("rows", pa.table({"i": [1, None, 3], "t": ["a", "b", None]}))
    rows = k.table("rows")
    chosen = k.where(rows, k.call("is null", k.call("+", 0, "i")))
    number = k.project(k.combine("UNION_ALL", rows, chosen), k.alias(1, "x"))
    text = k.project(k.project(number, k.alias(1, "y")), k.alias(k.lit("a"), "c"))
    total = k.window(text, k.alias(k.over("sum", 0, by=[k.call("upper", "c")]), "s"))
    plan = k.plan(k.fetch(k.sort(total, k.asc("c"), k.asc("s")), 1))
    assert simulation.describe(plan).names == ["c", "s"]
    assert simulation.answer(plan).to_pylist() == [{"c": "a", "s": 0}]
