"""A session's tables and views: made, replaced, dropped, lost with their files, made again."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from simulate import SESSION, Simulation

from springald.errors import (
    DataFileNotFoundError,
    InvalidArgumentError,
    InvalidQueryError,
    MessageTooLargeError,
    PathNotAllowedError,
    PlanTooLargeError,
    Position,
    SessionNotFoundError,
    SpringaldError,
    SqlSyntaxError,
    TableExistsError,
    UnknownTableError,
    UnsupportedError,
)
from springald.limits import MESSAGE_BYTES_MAX
from springald_scheduler.planning.model import Answered, ClusterShape, Planned, Upload
from springald_scheduler.planning.planner import Planner

SHAPE = ClusterShape((2, 2))


@pytest.fixture
def simulation(tmp_path: Path) -> Iterator[Simulation]:
    """A session without tables."""
    (tmp_path / "simulation").mkdir()
    simulation = Simulation(tmp_path / "simulation")
    yield simulation
    simulation.planner.close_session(SESSION)
    assert not list(tmp_path.rglob("springald-upload/*"))


@pytest.fixture
def planner(simulation: Simulation) -> Planner:
    """The session's planner."""
    return simulation.planner


def run(planner: Planner, sql: str) -> list[dict[str, Any]]:
    """Runs a statement that the planner answers."""
    answer = planner.run(SESSION, sql, SHAPE)
    assert isinstance(answer, Answered)
    rows: list[dict[str, Any]] = pa.ipc.open_stream(answer.arrow_stream).read_all().to_pylist()
    return rows


def parquet(path: Path, *values: int) -> str:
    """Writes a file of one column, `a`; returns its path."""
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table({"a": list(values)}), path)
    return str(path)


def names(planner: Planner) -> dict[str, str]:
    """The session's tables with their kinds."""
    return {info.name: info.kind for info in planner.list_tables(SESSION)}


def test_tables_are_listed_with_kind_and_schema(
    planner: Planner, simulation: Simulation, tmp_path: Path
) -> None:
    """Every way to make a table shows in one list, by name."""
    path = parquet(tmp_path / "t.parquet", 1)
    run(planner, f"CREATE EXTERNAL TABLE B STORED AS PARQUET LOCATION '{path}'")
    run(planner, "CREATE VIEW c AS SELECT a AS x FROM b")
    planner.register_files(SESSION, "A", "parquet", path, [])
    simulation.upload("d", pa.table({"u": ["x"]}))
    assert names(planner) == {"A": "parquet", "b": "parquet", "c": "view", "d": "upload"}
    schemas = [pa.ipc.read_schema(pa.py_buffer(t.schema)) for t in planner.list_tables(SESSION)]
    assert [schema.names for schema in schemas] == [["a"], ["a"], ["x"], ["u"]]
    assert simulation.answer('SELECT "A".a + x AS s FROM "A", c').to_pylist() == [{"s": 2}]


def test_register_files_replaces_and_create_does_not(planner: Planner, tmp_path: Path) -> None:
    """A statement says OR REPLACE when it means it; a registration always means it."""
    one, two = parquet(tmp_path / "1.parquet", 1), parquet(tmp_path / "2.parquet", 1, 2)
    planner.register_files(SESSION, "t", "parquet", one, [])
    planner.register_files(SESSION, "t", "parquet", two, [])
    create = f"EXTERNAL TABLE t STORED AS PARQUET LOCATION '{one}'"
    with pytest.raises(TableExistsError):
        run(planner, f"CREATE {create}")
    run(planner, f"CREATE OR REPLACE {create}")
    run(planner, create.replace("EXTERNAL TABLE t", "CREATE EXTERNAL TABLE IF NOT EXISTS t"))
    assert names(planner) == {"t": "parquet"}


def test_view_reads_the_table_of_today(
    planner: Planner, simulation: Simulation, tmp_path: Path
) -> None:
    """A view stands on names: what replaces a table is what the view reads, now and later."""
    simulation.upload("t", pa.table({"a": [1, 2]}))
    run(planner, "CREATE VIEW v AS SELECT sum(a) AS s FROM t")
    run(planner, "CREATE VIEW w AS SELECT s + 1 AS s FROM v")
    assert simulation.answer("SELECT * FROM w").to_pylist() == [{"s": 4}]
    simulation.upload("t", pa.table({"a": [10]}))
    assert simulation.answer("SELECT * FROM w").to_pylist() == [{"s": 11}]
    planner.register_files(SESSION, "t", "parquet", parquet(tmp_path / "t.parquet", 100), [])
    assert simulation.answer("SELECT * FROM w").to_pylist() == [{"s": 101}]
    run(planner, "RESET ALL")
    run(planner, "SET springald.distribution = always")
    assert simulation.answer("SELECT * FROM w").to_pylist() == [{"s": 101}]


def test_view_whose_table_is_dropped_comes_back_with_it(planner: Planner, tmp_path: Path) -> None:
    """Meanwhile it is not listed, and a query says why."""
    path = parquet(tmp_path / "t.parquet", 1)
    planner.register_files(SESSION, "t", "parquet", path, [])
    run(planner, "CREATE VIEW v AS SELECT * FROM t")
    run(planner, "DROP TABLE t")
    assert names(planner) == {}
    with pytest.raises(UnknownTableError, match=r"table or view v can be made again: .*t' not"):
        planner.describe(SESSION, "SELECT * FROM v")
    planner.register_files(SESSION, "t", "parquet", path, [])
    assert names(planner) == {"t": "parquet", "v": "view"}
    planner.describe(SESSION, "SELECT * FROM v")
    run(planner, "DROP TABLE t")
    run(planner, "DROP VIEW v")
    planner.register_files(SESSION, "t", "parquet", path, [])
    assert names(planner) == {"t": "parquet"}


def test_view_of_what_it_replaces_is_refused_and_changes_nothing(
    planner: Planner, simulation: Simulation, tmp_path: Path
) -> None:
    """It could not be made again, on an executor or after a restart."""
    planner.register_files(SESSION, "t", "parquet", parquet(tmp_path / "t.parquet", 5), [])
    run(planner, "CREATE VIEW v AS SELECT a FROM t")
    for name in ("t", "v"):
        view = f"VIEW {name} AS SELECT a + 1 AS a FROM {name}"  # noqa: S608 - of this test
        with pytest.raises(InvalidQueryError, match="does not stand on what it replaces"):
            run(planner, f"CREATE OR REPLACE {view}")
    assert simulation.answer("SELECT * FROM v").to_pylist() == [{"a": 5}]
    assert names(planner) == {"t": "parquet", "v": "view"}


def test_upload_is_released_when_nothing_uses_it(planner: Planner, simulation: Simulation) -> None:
    """Executors keep uploaded rows until the session says so."""
    simulation.upload("t", pa.table({"a": [1]}))
    run(planner, "CREATE VIEW v AS SELECT * FROM t")
    schema = pa.schema([("a", pa.int64())]).serialize().to_pybytes()
    planner.register_upload(SESSION, "other", Upload("u9", schema, 0, 0, 2))
    answer = planner.run(SESSION, "DROP TABLE t", SHAPE)
    assert isinstance(answer, Answered)
    assert answer.released_upload_ids == ("u0",)
    assert [upload.upload_id for upload in planner.snapshot(SESSION).uploads] == ["u9"]


def test_register_upload_that_is_refused_is_forgotten(planner: Planner) -> None:
    """A table without a name keeps no rows."""
    schema = pa.schema([("a", pa.int64())]).serialize().to_pybytes()
    for name in ("", "a\0b"):
        with pytest.raises(InvalidArgumentError):
            planner.register_upload(SESSION, name, Upload("u1", schema, 0, 0, 2))
    assert planner.snapshot(SESSION).uploads == ()


def test_restored_session_is_the_session(
    planner: Planner, simulation: Simulation, tmp_path: Path
) -> None:
    """A planner that died is replaced by one that knows the same tables and settings."""
    simulation.upload("sent", pa.table({"a": [1, 2, 3]}))
    planner.register_files(SESSION, "t", "parquet", parquet(tmp_path / "t.parquet", 5), [])
    run(planner, "CREATE VIEW v AS SELECT sum(sent.a * t.a) AS s FROM sent, t")
    run(planner, "SET datafusion.execution.batch_size = 77")
    other = Planner(["/"], tmp_path / "other")
    other.restore_session(SESSION, planner.snapshot(SESSION))
    assert other.snapshot(SESSION) == planner.snapshot(SESSION)
    assert names(other) == names(planner)
    assert run(other, "SHOW datafusion.execution.batch_size")[0]["value"] == "77"
    planned = other.run(SESSION, "SELECT * FROM v", SHAPE)
    assert isinstance(planned, Planned)
    assert simulation.run(planned.graph).to_pylist() == [{"s": 30}]
    other.close_session(SESSION)


def test_table_whose_files_are_gone_is_left_out_until_they_are_back(
    planner: Planner, tmp_path: Path
) -> None:
    """One table that is lost does not take the session with it."""
    path = parquet(tmp_path / "t.parquet", 5)
    planner.register_files(SESSION, "t", "parquet", path, [])
    planner.register_files(SESSION, "other", "parquet", parquet(tmp_path / "o.parquet", 1), [])
    Path(path).unlink()
    run(planner, "RESET ALL")
    assert names(planner) == {"other": "parquet"}
    with pytest.raises(DataFileNotFoundError, match="table or view t can be made again"):
        planner.describe(SESSION, "SELECT * FROM t")
    parquet(tmp_path / "t.parquet", 5)
    run(planner, "RESET ALL")
    assert names(planner) == {"other": "parquet", "t": "parquet"}


def test_query_sees_files_that_came_and_changed(
    planner: Planner, simulation: Simulation, tmp_path: Path
) -> None:
    """A session looks at its folders for each query."""
    parquet(tmp_path / "t" / "0.parquet", 1, 2)
    planner.register_files(SESSION, "t", "parquet", str(tmp_path / "t"), [])
    query = "SELECT count(*) AS n, sum(a) AS s FROM t WHERE a > 0"
    assert simulation.answer(query).to_pylist() == [{"n": 2, "s": 3}]
    parquet(tmp_path / "t" / "1.parquet", 10)
    assert simulation.answer(query).to_pylist() == [{"n": 3, "s": 13}]
    parquet(tmp_path / "t" / "0.parquet", *range(1, 500))
    assert simulation.answer(query).to_pylist() == [{"n": 500, "s": 124_760}]


@pytest.mark.parametrize(
    ("sql", "error"),
    [
        ("CREATE EXTERNAL TABLE x STORED AS PARQUET LOCATION '/etc/'", PathNotAllowedError),
        (
            "CREATE EXTERNAL TABLE x STORED AS CSV OPTIONS (a.location '{open}') LOCATION '/etc/'",
            PathNotAllowedError,
        ),
        ("CREATE EXTERNAL TABLE x STORED AS CSV LOCATION '{open}/none/'", DataFileNotFoundError),
        ("CREATE EXTERNAL TABLE x STORED AS CSV LOCATION ''", InvalidArgumentError),
        ("CREATE TABLE x AS SELECT 1", UnsupportedError),
        ("DELETE FROM t", UnsupportedError),
        ("INSERT INTO nowhere VALUES (1)", UnknownTableError),
        ("EXPLAIN ANALYZE SET a = 1", UnsupportedError),
        ("EXPLAIN (ANALYZE) SELECT 1", UnsupportedError),
        ("EXPLAIN (ANALYZE, VERBOSE) SELECT 1", UnsupportedError),
        ("EXPLAIN CREATE VIEW y AS SELECT 1", UnsupportedError),
        ("EXPLAIN SELCT 1", SqlSyntaxError),
        ("SELECT 1; DROP TABLE t", UnsupportedError),
        ("CREATE VIEW y AS SELECT 1; DROP TABLE t", UnsupportedError),
        ("SELCT 1", SqlSyntaxError),
        ("CREATE VIEW y AS SELECT * FROM nope", UnknownTableError),
        ("DROP TABLE nope", UnknownTableError),
        ("DROP VIEW t", UnknownTableError),
        ("DROP SCHEMA public", UnsupportedError),
        ("SELECT * FROM '/etc/passwd'", UnknownTableError),
    ],
)
def test_statement_that_is_refused_changes_nothing(
    tmp_path: Path, sql: str, error: type[SpringaldError]
) -> None:
    """Nothing is read, run or made but what is offered, where it is allowed."""
    planner = Planner([tmp_path], tmp_path / "planner")
    planner.open_session(SESSION, {})
    planner.register_files(SESSION, "t", "parquet", parquet(tmp_path / "t.parquet", 1), [])
    before = planner.snapshot(SESSION)
    with pytest.raises(error):
        run(planner, sql.format(open=tmp_path))
    assert planner.snapshot(SESSION) == before
    assert names(planner) == {"t": "parquet"}


def test_register_files_outside_is_refused(tmp_path: Path) -> None:
    """A client's registration is held to the same folders as a statement."""
    planner = Planner([tmp_path / "open"], tmp_path / "planner")
    planner.open_session(SESSION, {})
    with pytest.raises(PathNotAllowedError):
        planner.register_files(SESSION, "t", "csv", "/etc/passwd", [])
    with pytest.raises(InvalidArgumentError, match="parquet, csv, json, arrow"):
        planner.register_files(SESSION, "t", "avro", str(tmp_path), [])


def test_error_about_a_name_points_at_it(planner: Planner) -> None:
    """A caret needs a place; a name that stands in the text once has one."""
    with pytest.raises(UnknownTableError) as caught:
        planner.run(SESSION, "SELECT *\nFROM nope", SHAPE)
    assert caught.value.position == Position(2, 6)


def test_query_about_the_session_is_answered_by_the_planner(planner: Planner) -> None:
    """Executors do not know the session's tables and settings; the planner does."""
    run(planner, "CREATE VIEW v AS SELECT 1 AS a")
    tables = run(
        planner, "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
    )
    assert tables == [{"table_name": "v"}]
    assert run(planner, "SELECT count(*) AS n FROM information_schema.df_settings")[0]["n"] > 100
    assert {"table_name": "v"}.items() <= run(planner, "SHOW TABLES")[0].items()
    assert run(planner, "DESCRIBE v")[0]["column_name"] == "a"


def test_answer_of_the_planner_has_a_limit(planner: Planner) -> None:
    """A cross product of settings does not fill the scheduler's memory."""
    settings = "information_schema.df_settings"
    with pytest.raises(MessageTooLargeError):
        run(planner, f"SELECT * FROM {settings} a, {settings} b, {settings} c")  # noqa: S608


def test_statement_of_a_session_that_is_not_open_is_refused(planner: Planner) -> None:
    """A session ends for good."""
    planner.open_session("other", {})
    planner.close_session("other")
    planner.close_session("other")
    for call in (
        lambda: planner.run("other", "SELECT 1", SHAPE),
        lambda: planner.describe("other", "SELECT 1"),
        lambda: planner.list_tables("other"),
    ):
        with pytest.raises(SessionNotFoundError):
            call()


@pytest.mark.parametrize("first", ["", "CREATE VIEW v AS SELECT 1 AS a"])
def test_create_view_with_a_column_that_arrow_cannot_name_changes_nothing(
    planner: Planner, first: str
) -> None:
    """A name with a NUL fits no Arrow schema, so no table has it, and no list of tables fails."""
    if first:
        run(planner, first)
    before = names(planner)
    with pytest.raises(InvalidQueryError, match="no NUL character"):
        run(planner, "CREATE OR REPLACE VIEW v AS SELECT '\0'")
    assert names(planner) == before
    if first:
        assert run(planner, "DESCRIBE v")[0]["column_name"] == "a"


@pytest.mark.parametrize("sql", ["SELECT '\0'", 'SELECT 1 AS "a\0b"', "EXPLAIN SELECT '\0'"])
def test_query_with_a_column_that_arrow_cannot_name_is_the_callers_mistake(
    planner: Planner, sql: str
) -> None:
    """The column of a literal is called like it; with a name of its own it is answered."""
    with pytest.raises(InvalidQueryError, match="name the column with AS"):
        planner.run(SESSION, sql, SHAPE)
    if not sql.startswith("EXPLAIN"):
        with pytest.raises(InvalidQueryError, match="name the column with AS"):
            planner.describe(SESSION, sql)
    assert isinstance(planner.run(SESSION, "SELECT '\0' AS a", SHAPE), Planned)


@pytest.mark.parametrize(
    "sql",
    [
        "DELETE FROM nowhere",
        "UPDATE nowhere SET a = 1",
        "MERGE INTO nowhere USING other ON true WHEN MATCHED THEN DELETE",
        "TRUNCATE TABLE nowhere",
        "CREATE INDEX i ON nowhere (a)",
        "SELECT 1 AS a INTO nowhere",
        "SHOW DATABASES",
    ],
)
def test_statement_that_is_not_offered_says_so_before_its_names_are_looked_up(
    planner: Planner, sql: str
) -> None:
    """What is wrong beside that does not matter, and mending it would not help."""
    with pytest.raises(UnsupportedError, match=";"):
        planner.run(SESSION, sql, SHAPE)
    with pytest.raises(SqlSyntaxError):
        planner.run(SESSION, "INSERT nonsense", SHAPE)


def test_query_with_a_huge_constant_is_refused_for_its_size(planner: Planner) -> None:
    """A constant that the planner computes is part of the plan, also of one that is not sent."""
    wide = f"SELECT 1 AS n, repeat('a', {MESSAGE_BYTES_MAX // 2 + 1}) AS w"
    again = f"WITH RECURSIVE r AS ({wide} UNION ALL SELECT n, w FROM r) SELECT * FROM r"  # noqa: S608
    for sql in (wide, again):
        with pytest.raises(PlanTooLargeError):
            planner.run(SESSION, sql, SHAPE)
