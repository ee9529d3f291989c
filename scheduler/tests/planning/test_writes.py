"""Statements that write files: how they are read, and the stages that come of them."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from simulate import SESSION, TWO_EXECUTORS, Simulation

from springald import errors as e
from springald.engine import plan_view as pv
from springald.engine.sinks import COUNT
from springald_scheduler.core.graph import ExchangeKind, StageGraph
from springald_scheduler.planning.planner import Planner
from springald_scheduler.planning.write_statements import parse_copy, parse_insert


@pytest.fixture
def simulation(tmp_path: Path) -> Simulation:
    """A session with a table of four files, `t`, and one of one file, `one`."""
    made = Simulation(tmp_path)
    (tmp_path / "t").mkdir()
    for number in range(4):
        pq.write_table(pa.table({"k": [number], "v": ["x"]}), tmp_path / "t" / f"{number}.parquet")
    made.statement(f"CREATE EXTERNAL TABLE t STORED AS PARQUET LOCATION '{tmp_path}/t/'")
    made.statement(f"CREATE EXTERNAL TABLE one STORED AS PARQUET LOCATION '{tmp_path}/t/0.parquet'")
    return made


def graph(simulation: Simulation, sql: str) -> StageGraph:
    """Plans a statement that writes; `OUT` is a folder that is not there yet."""
    return simulation.graph(sql.replace("OUT", str(simulation.folder / "out")))


@pytest.mark.parametrize(
    ("sql", "query", "template"),
    [
        (
            "COPY (SELECT 1) TO '/x/' STORED AS CSV",
            "      SELECT 1",
            "COPY        \"…\" TO '/x/' STORED AS CSV",
        ),
        ("COPY s.t TO 'x.json'", "FROM s.t SELECT *", "COPY \"…\" TO 'x.json'"),
        ("copy\n(select ')')\nto 'x'", "    \n select ')'", "copy\n         \"…\"\nto 'x'"),
    ],
)
def test_copy_is_divided_into_query_and_rest(sql: str, query: str, template: str) -> None:
    """What stands before the query is blank, so that places in it stay."""
    parsed = parse_copy(sql)
    assert (parsed.query, parsed.template) == (query, template)


@pytest.mark.parametrize(
    ("sql", "table", "query"),
    [
        ("INSERT INTO t SELECT 1", "t", "SELECT 1"),
        ("INSERT INTO a.T (x, y) VALUES (1, 2)", "t", "VALUES (1, 2)"),
        ('INSERT INTO "T" (SELECT 1)', "T", "(SELECT 1)"),
        ("INSERT OVERWRITE TABLE t WITH a AS (SELECT 1) FROM a", "t", "WITH a AS (SELECT 1) FROM a"),  # noqa: E501
        ("REPLACE INTO t FROM a", "t", "FROM a"),
        ("INSERT INTO t (values, x) SELECT 1, 2", "t", "SELECT 1, 2"),
        ("INSERT INTO t (from) SELECT 1", "t", "SELECT 1"),
    ],
)  # fmt: skip
def test_insert_is_divided_into_table_and_query(sql: str, table: str, query: str) -> None:
    """A list in parentheses is columns, unless a query begins in it."""
    parsed = parse_insert(sql)
    assert (parsed.table, parsed.query.strip()) == (table, query)
    assert parsed.query.index(query) == sql.index(query)


@pytest.mark.parametrize(
    "sql",
    ["COPY", "COPY t", "COPY t 'x'", "COPY (SELECT 1 TO 'x'", "COPY t TO x", "COPY t TO",
     "INSERT", "INSERT INTO", "INSERT INTO t", "INSERT INTO t (a)", "INSERT INTO t DEFAULT VALUES"],
)  # fmt: skip
def test_statement_in_another_form_is_a_syntax_error(simulation: Simulation, sql: str) -> None:
    """What cannot be divided is refused with its place."""
    with pytest.raises(e.SqlSyntaxError) as raised:
        simulation.graph(sql)
    assert raised.value.position is not None


def test_many_files_are_written_where_their_rows_are_made(simulation: Simulation) -> None:
    """The last stage of a query writes its own partitions; one task commits."""
    writer, commit = graph(simulation, "COPY t TO 'OUT/' STORED AS PARQUET").stages
    assert (writer.partition_count, writer.sliceable) == (4, True)
    assert writer.operators[0].name == "DataSinkExec"
    assert writer.output.kind is ExchangeKind.SINGLE
    assert commit.output.kind is ExchangeKind.RESULT
    assert not commit.sliceable
    assert writer.writes_files == commit.commits_files
    assert writer.writes_files is not None
    assert writer.writes_files.folder == str(simulation.folder / "out")
    assert pa.ipc.read_schema(pa.py_buffer(commit.schema)) == COUNT


def test_one_file_is_written_by_one_task(simulation: Simulation) -> None:
    """Others compute, one writes; a query that ends in one task writes itself."""
    compute, writer, _ = graph(simulation, "COPY t TO 'OUT.csv'").stages
    assert (compute.partition_count, compute.writes_files) == (4, None)
    assert writer.partition_count == 1
    assert writer.writes_files is not None
    assert writer.writes_files.file_name == "out.csv"
    *_, sorting, _ = graph(simulation, "COPY (SELECT * FROM t ORDER BY k) TO 'OUT.csv'").stages
    assert sorting.writes_files is not None
    assert sorting.inputs[0].kind is ExchangeKind.SORTED


def test_rows_come_to_a_table_with_its_types(simulation: Simulation) -> None:
    """What the engine does to rows of an INSERT stands between them and the sink, and no views."""
    writer = graph(simulation, "INSERT INTO t (k) SELECT CAST(k AS INT) FROM t").stages[-2]
    assert pv.parse(writer.fragment.payload).kind == "parquet_sink"
    stored, casting = writer.operators[1:3]
    assert "CAST(v@1 AS Utf8) as v" in stored.detail
    assert "CAST(" in casting.detail
    assert "NULL as v" in casting.detail


def test_what_the_engine_cannot_write_down_is_written_by_a_stage_of_its_own(
    simulation: Simulation,
) -> None:
    """A query that is planned where it runs hands its rows to one that writes."""
    sql = "SELECT sum(k) FILTER (WHERE k > 1) OVER (ORDER BY k) AS s FROM t"
    query, writer, _ = graph(simulation, f"COPY ({sql}) TO 'OUT/' STORED AS PARQUET").stages
    assert query.fragment.query is not None
    assert query.writes_files is None
    assert writer.inputs[0].stage_id == query.stage_id


def test_each_statement_has_files_of_its_own(simulation: Simulation) -> None:
    """Two statements with the same text never give a file the same name, kept plan or not."""
    sql = "COPY t TO 'OUT/' STORED AS PARQUET"
    targets = [graph(simulation, sql).stages[-1].commits_files for _ in range(3)]
    assert len({each.write_id for each in targets if each}) == 3


def test_rows_come_to_a_table_by_their_position(simulation: Simulation) -> None:
    """Two columns of one name are a column of the table each."""
    sql = "INSERT INTO t SELECT a.k, b.k FROM t AS a JOIN t AS b ON a.k = b.k"
    writer = graph(simulation, sql).stages[-2]
    _, casting, naming = [each for each in writer.operators if each.name == "ProjectionExec"][:3]
    assert naming.detail == "expr=[k@0 as 0, k@1 as 1]"
    assert "CAST(1@1 AS Utf8View) as v" in casting.detail


@pytest.mark.parametrize(
    ("sql", "error", "words"),
    [
        (
            "COPY (SELECT a.k, b.k FROM t a JOIN t b ON a.k = b.k) TO 'OUT.csv'",
            e.UnsupportedError,
            "alias",
        ),
        ("COPY t TO 's3://b/x/' STORED AS CSV", e.PathNotAllowedError, "local path"),
        ("COPY t TO '/etc/x/' STORED AS CSV", e.PathNotAllowedError, "--allow-write"),
        ("COPY t TO 'OUT/../t/' STORED AS CSV", e.PathNotAllowedError, "--allow-write"),
        ("INSERT INTO t SELECT * FROM t", e.PathNotAllowedError, "--allow-write"),
        ("COPY t TO 'OUT/*.csv' STORED AS CSV", e.UnsupportedError, "pattern"),
        ("COPY t TO 'OUT/' STORED AS ARROW PARTITIONED BY (v)", e.UnsupportedError, "Arrow"),
        ("COPY t TO 'OUT/' STORED AS AVRO", e.UnsupportedError, "Writer"),
        ("COPY t TO 'OUT' ", e.SpringaldError, "(?i)format"),
        ("COPY t TO 'FILE' STORED AS CSV", e.InvalidArgumentError, "folder"),
        ("COPY t TO 'OUT.csv' OPTIONS ('timestamp_tz_format' '%Y')", e.UnsupportedError, "_tz_f"),
        ("COPY t TO 'OUT.csv' OPTIONS (format.compression_level 9)", e.UnsupportedError, "level"),
        ("COPY t TO 'OUT.json' OPTIONS ('compression_level' '9')", e.UnsupportedError, "level"),
        ("COPY t TO 'OUT.parquet' OPTIONS ('metadata::k' 'v')", e.UnsupportedError, "metadata"),
        ("COPY t TO 'OUT/' STORED AS ARROW OPTIONS ('a' 'b')", e.SpringaldError, "a"),
        ("INSERT INTO leveled VALUES (1)", e.UnsupportedError, "level"),
        ("COPY information_schema.tables TO 'OUT.csv'", e.UnsupportedError, "session's own"),
        ("INSERT INTO one SELECT * FROM t", e.SpringaldError, "single file"),
        ("INSERT INTO v SELECT * FROM t", e.UnsupportedError, "a view"),
        ("INSERT INTO u SELECT 1", e.UnsupportedError, "uploaded"),
        ("INSERT OVERWRITE t SELECT * FROM t", e.UnsupportedError, "(?i)overwrite"),
        ("REPLACE INTO t SELECT * FROM t", e.UnsupportedError, "(?i)replace|overwrite"),
        ("INSERT INTO t SELECT k FROM t", e.InvalidQueryError, "(?i)count"),
        ("INSERT INTO t (nosuch) SELECT k FROM t", e.UnknownColumnError, "nosuch"),
        ("INSERT INTO nosuch SELECT k FROM t", e.UnknownTableError, "nosuch"),
        ("COPY (DROP TABLE t) TO 'OUT.csv'", e.UnsupportedError, "COPY and INSERT"),
        ("EXPLAIN ANALYZE COPY t TO 'OUT.csv'", e.UnsupportedError, "EXPLAIN"),
    ],
)
def test_what_cannot_be_written_is_refused(
    tmp_path: Path, simulation: Simulation, sql: str, error: type[e.SpringaldError], words: str
) -> None:
    """Before anything runs, with what is wrong."""
    (tmp_path / "file").write_text("")
    simulation.statement("CREATE VIEW v AS SELECT * FROM t")
    simulation.upload("u", pa.table({"a": [1]}))
    simulation.statement(
        f"CREATE EXTERNAL TABLE leveled (a INT) STORED AS CSV LOCATION '{tmp_path}/' "
        "OPTIONS ('compression_level' '9')"
    )
    writable = [tmp_path / "out", tmp_path / "file"] if error is e.PathNotAllowedError else None
    planner = Planner([tmp_path], tmp_path / "planner2", writable_paths=writable)
    planner.open_session(SESSION, {})
    planner.restore_session(SESSION, simulation.planner.snapshot(SESSION))
    text = sql.replace("OUT", f"{tmp_path}/out").replace("FILE", f"{tmp_path}/file")
    with pytest.raises(error, match=words):
        planner.run(SESSION, text, TWO_EXECUTORS)


def test_error_of_the_query_points_at_its_place(simulation: Simulation) -> None:
    """Line and column are those of the whole statement."""
    with pytest.raises(e.UnknownColumnError) as raised:
        graph(simulation, "COPY (\n  SELECT nosuch FROM t) TO 'OUT/' STORED AS CSV")
    assert raised.value.position == e.Position(2, 10)


def test_explain_tells_the_stages(simulation: Simulation) -> None:
    """EXPLAIN of a statement that writes plans it, and writes nothing."""
    answer = simulation.statement(f"EXPLAIN COPY t TO '{simulation.folder}/out.csv'")
    told = pa.ipc.open_stream(answer.arrow_stream).read_all().to_pydict()
    assert told["plan_type"] == ["logical_plan", "physical_plan", "stages"]
    assert "the files of a statement appear" in told["plan"][-1]
    assert not (simulation.folder / "out.csv").exists()
