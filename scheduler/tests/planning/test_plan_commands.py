"""Commands of plans, SQL with parameters, Substrait, and what is refused, each with its error."""

from pathlib import Path
from typing import Any

import plan_kit as k
import pyarrow as pa
import pyarrow.csv as pc
import pytest
from datafusion.substrait import Serde
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from simulate import SESSION, TWO_EXECUTORS, Simulation, rows_of

from springald import errors as e
from springald.engine.sinks import COUNT
from springald.plan.v1 import commands_pb2, names_pb2, plan_pb2, sources_pb2
from springald.types import scalar_to_proto
from springald_scheduler.core.graph import AnswerKind
from springald_scheduler.planning.model import Answered, Planned

FACTS, DIMS = k.table("facts"), k.table("dims")
VERSION = plan_pb2.PlanVersion(major=1, minor=1)
VIEW = names_pb2.TableName(table="My View")


def carried_out(simulation: Simulation, plan: bytes) -> pa.Table:
    """Returns the rows of a statement that the planner answers itself."""
    answer = simulation.planner.run(SESSION, plan, TWO_EXECUTORS)
    assert isinstance(answer, Answered)
    return pa.ipc.open_stream(answer.arrow_stream).read_all()


def text(sql: str, *positional: pa.Scalar, **named: pa.Scalar) -> bytes:
    """Returns SQL text with parameters."""
    body = plan_pb2.SqlText(text=sql)
    body.positional_parameters.extend(scalar_to_proto(each) for each in positional)
    for name, value in named.items():
        body.named_parameters.add(name=name, value=scalar_to_proto(value))
    return plan_pb2.Plan(version=VERSION, sql=body).SerializeToString()


def view(mode: str = "CREATE_MODE_ERROR", *names: str) -> commands_pb2.CreateViewCommand:
    """Returns the command that makes a view."""
    number = commands_pb2.CreateMode.Value(mode)
    return commands_pb2.CreateViewCommand(name=VIEW, mode=number, column_names=names)


def test_command_makes_reads_and_drops_a_view(simulation: Simulation) -> None:
    """A view of a plan is a view like any other, under the letters of its name."""
    query = k.project(k.where(FACTS, k.call("<", "id", 4)), "id", "g")
    carried_out(
        simulation, k.plan(k.command(query, create_view=view("CREATE_MODE_ERROR", "A", "b")))
    )
    got = simulation.answer(k.plan(k.where(k.table("My View"), k.call(">", "A", 1))))
    want = simulation.one_process('SELECT id AS "A", g AS b FROM facts WHERE id IN (2, 3)')
    assert rows_of(got) == rows_of(want)
    with pytest.raises(e.TableExistsError):
        carried_out(simulation, k.plan(k.command(query, create_view=view())))
    spared = k.command(DIMS, create_view=view("CREATE_MODE_IF_NOT_EXISTS"))
    carried_out(simulation, k.plan(spared))
    assert simulation.describe(k.plan(k.table("My View"))).names == ["A", "b"]
    carried_out(simulation, k.plan(k.command(query, create_view=view("CREATE_MODE_REPLACE"))))
    drop = commands_pb2.DropCommand(name=VIEW, kind=commands_pb2.TABLE_KIND_VIEW)
    carried_out(simulation, k.plan(k.command(drop=drop)))
    assert "My View" not in {each.name for each in simulation.planner.list_tables(SESSION)}
    carried_out(simulation, k.plan(spared))
    assert simulation.answer(k.plan(k.table("My View"))).num_rows == 14
    carried_out(simulation, k.plan(k.command(drop=drop)))
    with pytest.raises(e.UnknownTableError):
        carried_out(simulation, k.plan(k.command(drop=drop)))
    drop.if_exists = True
    carried_out(simulation, k.plan(k.command(drop=drop)))


def test_command_makes_a_table_of_files(simulation: Simulation, tmp_path: Path) -> None:
    """Files become a table with the options of the plan."""
    pc.write_csv(pa.table({"x": [1, 2]}), tmp_path / "x.csv")
    files = sources_pb2.FileSet(path=str(tmp_path / "x.csv"), csv=sources_pb2.CsvFormat())
    command = commands_pb2.CreateExternalTableCommand(
        name=names_pb2.TableName(table="X"), files=files
    )
    carried_out(simulation, k.plan(k.command(create_external_table=command)))
    assert simulation.answer(k.plan(k.table("X"))).to_pydict() == {"x": [1, 2]}
    with pytest.raises(e.TableExistsError):
        carried_out(simulation, k.plan(k.command(create_external_table=command)))


def test_command_sets_shows_and_resets_a_setting(simulation: Simulation) -> None:
    """Settings change as by SET, and protected ones are refused as by it."""
    name = "datafusion.execution.batch_size"
    show = commands_pb2.ShowCommand(kind=commands_pb2.SHOW_KIND_SETTING, setting=name)
    set_ = commands_pb2.SetCommand(name=name, value="4321")
    carried_out(simulation, k.plan(k.command(set_setting=set_)))
    assert carried_out(simulation, k.plan(k.command(show=show))).to_pylist() == [
        {"name": name, "value": "4321"}
    ]
    reset = commands_pb2.ResetCommand(name=name)
    carried_out(simulation, k.plan(k.command(reset_setting=reset)))
    assert carried_out(simulation, k.plan(k.command(show=show)))["value"].to_pylist() == ["8192"]
    protected = commands_pb2.SetCommand(name="datafusion.catalog.location", value="/")
    with pytest.raises(e.ProtectedSettingError):
        carried_out(simulation, k.plan(k.command(set_setting=protected)))


@pytest.mark.parametrize(
    ("command", "sql"),
    [
        ({"show": {"kind": "SHOW_KIND_TABLES"}}, "SHOW TABLES"),
        ({"show": {"kind": "SHOW_KIND_ALL_SETTINGS"}}, "SHOW ALL"),
        ({"show": {"kind": "SHOW_KIND_FUNCTIONS"}}, "SHOW FUNCTIONS"),
        (
            {"show": {"kind": "SHOW_KIND_COLUMNS", "table": {"table": "dims"}}},
            "SHOW COLUMNS FROM dims",
        ),
        ({"describe": {"name": {"table": "dims"}}}, "DESCRIBE dims"),
    ],
)  # fmt: skip
def test_command_that_shows_gives_what_its_statement_gives(
    simulation: Simulation, command: dict[str, Any], sql: str
) -> None:
    """SHOW and DESCRIBE of plans are those of SQL."""
    got = carried_out(simulation, k.plan(k.command(**command)))
    answer = simulation.planner.run(SESSION, sql, TWO_EXECUTORS)
    assert isinstance(answer, Answered)
    assert got.equals(pa.ipc.open_stream(answer.arrow_stream).read_all())


def test_explained_plan_tells_its_stages(simulation: Simulation) -> None:
    """EXPLAIN of a plan, also of one with rows of its own, tells plan and stages."""
    rows = k.inline(pa.table({"k": [1]}), "i")
    query = k.join(FACTS, rows, keys=[(k.col("k", "facts"), k.col("k", "i"))])
    told = dict(
        zip(*carried_out(simulation, k.plan(k.explain(query))).to_pydict().values(), strict=True)
    )
    assert {"logical_plan", "physical_plan", "stages"} <= told.keys()
    analyzed = simulation.planner.run(
        SESSION, k.plan(k.explain(query, analyze=True)), TWO_EXECUTORS
    )
    assert isinstance(analyzed, Planned)
    assert analyzed.graph.answer is AnswerKind.PROFILE


@pytest.mark.parametrize(
    "command",
    [
        {"create_table_as": {"name": {"table": "x"}}},
        {"insert": {"name": {"table": "dims"}, "mode": "INSERT_MODE_OVERWRITE"}},
        {"insert": {"name": {"table": "dims"}, "mode": "INSERT_MODE_REPLACE"}},
    ],
    ids=lambda command: next(iter(command)),
)
def test_command_that_is_not_offered_is_refused(
    simulation: Simulation, command: dict[str, Any]
) -> None:
    """What Springald does not carry out ends in UNSUPPORTED, with what to do instead."""
    with pytest.raises(e.UnsupportedError, match=r";|got"):
        carried_out(simulation, k.plan(k.command(DIMS, **command)))


def test_command_that_writes_is_the_statement(simulation: Simulation, tmp_path: Path) -> None:
    """Rows of a plan, also those that come with it, go into files and into tables of files."""
    rows = k.inline(pa.table({"a": [1, 2], "b": ["x", "y"]}))
    out = str(tmp_path / "out")
    files = {"path": f"{out}/", "parquet": {}, "partition_columns": ["b"]}
    copied = simulation.graph(k.plan(k.command(rows, copy_to={"files": files})))
    assert copied.stages[-1].commits_files is not None
    assert copied.stages[-1].commits_files.folder == out
    assert simulation.describe(k.plan(k.command(rows, copy_to={"files": files}))) == COUNT
    (tmp_path / "x.csv").write_text("a,b\n1,z\n")
    made = {"name": {"table": "X"}, "files": {"path": f"{tmp_path}/", "csv": {}}}
    carried_out(simulation, k.plan(k.command(create_external_table=made)))
    insert = {"name": {"table": "X"}, "column_names": ["b"]}
    one = k.project(rows, "b")
    inserted = simulation.graph(k.plan(k.command(one, insert=insert)))
    assert inserted.stages[-1].commits_files is not None
    assert inserted.stages[-1].commits_files.folder == str(tmp_path)


def test_view_of_what_comes_with_a_plan_is_refused(simulation: Simulation) -> None:
    """A view outlives the plan: it cannot stand on the plan's rows or parameters."""
    for query in (
        k.inline(pa.table({"a": [1]})),
        k.where(DIMS, k.in_list(k.lit([1]), k.lit([2]))),
    ):
        with pytest.raises(e.UnsupportedError, match="a view stands on tables"):
            carried_out(simulation, k.plan(k.command(query, create_view=view())))


def test_text_takes_parameters_by_position_and_by_name(simulation: Simulation) -> None:
    """Parameters of SQL text are typed values; no value is read as SQL."""
    want = simulation.one_process("SELECT id FROM facts WHERE g = 'a' AND id < 30")
    hostile = "a' OR '1' = '1"
    for sent in (
        text("SELECT id FROM facts WHERE g = $1 AND id < $2", pa.scalar("a"), pa.scalar(30)),
        text("SELECT id FROM facts WHERE g = $g AND id < $n", g=pa.scalar("a"), n=pa.scalar(30)),
    ):
        assert rows_of(simulation.answer(sent)) == rows_of(want)
    none = text("SELECT id FROM facts WHERE g = $1", pa.scalar(hostile))
    assert simulation.answer(none).num_rows == 0
    with pytest.raises(e.InvalidQueryError, match="placeholder"):
        simulation.answer(text("SELECT $1, $2", pa.scalar(1)))
    with pytest.raises(e.UnknownColumnError) as caught:
        simulation.answer(text("SELECT nosuch, $1 FROM facts", pa.scalar(1)))
    assert caught.value.position is not None


def test_parameters_of_a_plan_are_kept_apart_by_value(simulation: Simulation) -> None:
    """A plan that is kept answers for its own values only, also for zeros of both signs."""
    query = k.project(k.values(pa.schema([]), []), k.alias(k.call("/", 1.0, k.param(1)), "x"))
    for value, want in ((0.0, float("inf")), (-0.0, float("-inf")), (0.0, float("inf"))):
        assert simulation.answer(k.plan(query, pa.scalar(value)))["x"].to_pylist() == [want]


def test_substrait_runs_like_the_text_that_it_was_made_of(simulation: Simulation) -> None:
    """A plan of Substrait gives the rows of the query, and its errors are typed."""
    sql = "SELECT g, sum(q) AS s FROM facts WHERE id > 3 GROUP BY g"
    engine = simulation._engine(1)  # noqa: SLF001
    plan = bytes(Serde.serialize_bytes(sql, engine))
    sent = plan_pb2.Plan(version=VERSION, substrait=plan_pb2.SubstraitPlan(plan=plan))
    got = simulation.answer(sent.SerializeToString())
    assert rows_of(got) == rows_of(simulation.one_process(sql))
    assert simulation.describe(sent.SerializeToString()).equals(got.schema)
    sent.substrait.plan = plan[:-9]
    with pytest.raises(e.MessageGarbledError):
        simulation.answer(sent.SerializeToString())
    other = bytes(Serde.serialize_bytes("SELECT 1 AS x FROM facts", engine)).replace(
        b"facts", b"fakts"
    )
    sent.substrait.plan = other
    with pytest.raises(e.UnknownTableError):
        simulation.answer(sent.SerializeToString())


ERRORS: dict[str, tuple[k.Rel, type[e.SpringaldError], str]] = {
    "unknown table": (k.table("nosuch"), e.UnknownTableError, "r1"),
    "unknown column": (k.project(FACTS, "nosuch"), e.UnknownColumnError, "e1"),
    "unknown qualifier": (k.project(FACTS, k.col("id", "f")), e.UnknownColumnError, "e1"),
    "unknown position": (k.project(FACTS, k.at(6)), e.UnknownColumnError, "e1"),
    "two columns of the name": (
        k.project(k.join(FACTS, DIMS), "k"),
        e.InvalidQueryError,
        "e1",
    ),
    "unknown function": (k.project(FACTS, k.call("nosuch", "id")), e.UnknownFunctionError, "r2"),
    "function that makes rows": (
        k.project(FACTS, k.call("unnest", "id")),
        e.UnknownFunctionError,
        "e2",
    ),
    "types": (k.where(FACTS, k.call("+", "g", 1)), e.TypeMismatchError, "r2"),
    "types below": (
        k.fetch(k.group(k.where(FACTS, k.call("and", "g", "id")), [], k.agg("count")), 1),
        e.TypeMismatchError,
        "r3",
    ),
    "other number of columns": (
        k.combine("UNION_ALL", FACTS, DIMS),
        e.InvalidQueryError,
        "r3",
    ),
    "merged keys of two names": (
        k.join(FACTS, DIMS, keys=[("id", "w")], merges=True),
        e.InvalidQueryError,
        "r3",
    ),
    "subquery of two columns": (
        k.project(FACTS, k.scalar_query(DIMS)),
        e.InvalidQueryError,
        "e1",
    ),
    "parameter without a value": (k.project(FACTS, k.param("x")), e.InvalidQueryError, "e1"),
    "sample with a seed": (k.sample(FACTS, 0.5, seed=1), e.UnsupportedError, "r2"),
    "statement as a leaf": (k.sql("DROP TABLE facts"), e.InvalidQueryError, "r1"),
    "several statements as a leaf": (k.sql("SELECT 1; SELECT 2"), e.UnsupportedError, "r1"),
    "leaf that does not parse": (k.fetch(k.sql("SELECT 1 +"), 1), e.SqlSyntaxError, "r1"),
    "leaf that ends its parentheses": (
        k.where(k.sql("SELECT 1 AS a) UNION ALL (SELECT 2"), k.call(">", "a", 0)),
        e.SqlSyntaxError,
        "r1",
    ),
    "rows that say they have less than nothing": (
        lambda p: p.relation(
            [], inline_table=sources_pb2.InlineTableRelation(arrow_stream=b"\x00\x00\x00\x80")
        ),
        e.SpringaldError,
        "r1",
    ),
    "rows that are no Arrow": (
        lambda p: p.relation([], inline_table=sources_pb2.InlineTableRelation(arrow_stream=b"x")),
        e.SpringaldError,
        "r1",
    ),
}


@pytest.mark.parametrize(("plan", "kind", "node"), ERRORS.values(), ids=ERRORS)
def test_plan_that_cannot_be_planned_is_refused_with_its_node(
    simulation: Simulation, plan: k.Rel, kind: type[e.SpringaldError], node: str
) -> None:
    """P8.5: what is wrong with a plan is a typed error that names the node."""
    with pytest.raises(kind) as caught:
        simulation.answer(k.plan(plan))
    assert caught.value.node_id == node
    assert caught.value.fault == "caller"
    assert simulation.answer(k.plan(k.fetch(FACTS, 1))).num_rows == 1


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.binary(max_size=200), st.integers(0, 10_000), st.integers(0, 255))
def test_plan_of_broken_bytes_ends_in_a_typed_error(
    simulation: Simulation, noise: bytes, place: int, byte: int
) -> None:
    """Whatever bytes a plan has, it is answered or refused with an error of Springald's."""
    good = bytearray(
        k.plan(k.fetch(k.group(k.where(DIMS, k.call(">", "w", 3)), ["k"], k.agg("max", "w")), 3))
    )
    good[place % len(good)] = byte
    for plan in (noise, bytes(good), bytes(good) + noise):
        try:
            simulation.planner.run(SESSION, plan, TWO_EXECUTORS)
        except e.SpringaldError as error:
            assert error.code not in {"INTERNAL", ""}, error  # noqa: PT017
