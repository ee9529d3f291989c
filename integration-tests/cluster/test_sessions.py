"""Sessions: statements that make, show and change what a session holds."""

import json
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from pathlib import Path

import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest

import springald
from cluster.footprint import Footprint
from cluster.tables import NUMBERS_ROWS, SUMS, numbers_table, sums
from cluster.waiting import wait_until
from springald.errors import (
    InvalidArgumentError,
    InvalidSettingError,
    ProtectedSettingError,
    TableExistsError,
    UnknownSettingError,
    UnknownTableError,
)

_ROWS = pa.table({"a": [1, 2, 3, 4], "b": ["x", "y", "z", None]})


def _write(folder: Path, form: str) -> None:
    """Writes the rows as two files of a format."""
    folder.mkdir()
    for part, rows in enumerate((_ROWS.slice(0, 2), _ROWS.slice(2))):
        path = folder / f"part-{part}.{form}"
        match form:
            case "parquet":
                pq.write_table(rows, path)
            case "csv":
                pa_csv.write_csv(rows, path)
            case "json":
                path.write_text("".join(f"{json.dumps(row)}\n" for row in rows.to_pylist()))
            case "arrow":
                with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, rows.schema) as out:
                    out.write_table(rows)


@pytest.mark.parametrize("form", ["parquet", "csv", "json", "arrow"])
def test_table_over_files_by_statement_and_by_call(
    con: springald.Connection, tmp_path: Path, form: str
) -> None:
    """`CREATE EXTERNAL TABLE` and `register_*` make the same table of a folder's files."""
    folder = tmp_path / "files"
    _write(folder, form)
    con.sql(f"CREATE EXTERNAL TABLE made STORED AS {form.upper()} LOCATION '{folder}/'")
    getattr(con, f"register_{form}")("called", folder)
    for name in ("made", "called"):
        assert con.tables()[name].kind == form
        assert con.tables()[name].schema.names == ["a", "b"]
        assert con.sql(f"SELECT sum(a) AS s, count(b) AS n FROM {name}").to_pydict() == {
            "s": [10],
            "n": [3],
        }


def test_csv_takes_options(con: springald.Connection, tmp_path: Path) -> None:
    """Options of a format reach the engine, by statement and by call."""
    path = tmp_path / "plain.csv"
    path.write_text("1;x\n2;y\n")
    con.register_csv("called", path, has_header=False, delimiter=";")
    con.sql(
        f"CREATE EXTERNAL TABLE made (n INT, t VARCHAR) STORED AS CSV LOCATION '{path}' "
        "OPTIONS ('format.has_header' 'false', 'format.delimiter' ';')"
    )
    for name in ("called", "made"):
        assert con.sql(f"SELECT * FROM {name}").to_arrow().to_pylist()[1] == dict(
            zip(con.table(name).columns, (2, "y"), strict=True)
        )


def test_partition_columns_are_columns(con: springald.Connection, tmp_path: Path) -> None:
    """Folder names of a partitioned table are a column of it."""
    for year in (2023, 2024):
        inner = tmp_path / "t" / f"year={year}"
        inner.mkdir(parents=True)
        pq.write_table(pa.table({"v": [year % 100]}), inner / "a.parquet")
    con.sql(
        f"CREATE EXTERNAL TABLE t STORED AS PARQUET PARTITIONED BY (year) LOCATION '{tmp_path}/t/'"
    )
    assert con.sql("SELECT v FROM t WHERE year = '2024'").to_pydict() == {"v": [24]}


def test_relative_path_is_relative_to_the_client(
    con: springald.Connection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`register_*` resolves a path where the caller stands, not where the scheduler runs."""
    pq.write_table(_ROWS, tmp_path / "here.parquet")
    monkeypatch.chdir(tmp_path)
    con.register_parquet("here", "here.parquet")
    assert con.table("here").count() == 4


def test_table_name_is_taken_literally(con: springald.Connection, tmp_path: Path) -> None:
    """A name given to a call may hold anything, and is never read as SQL."""
    pq.write_table(_ROWS, tmp_path / "t.parquet")
    name = 'My "odd"; DROP TABLE numbers --'
    con.register_parquet(name, tmp_path / "t.parquet")
    assert name in con.tables()
    assert "numbers" in con.tables()
    assert con.table(name).count() == 4
    con.deregister_table(name)
    assert name not in con.tables()


def test_views_come_change_and_go(con: springald.Connection) -> None:
    """Views can stand on views, be replaced and be dropped; a taken name needs OR REPLACE."""
    con.sql("CREATE VIEW small AS SELECT * FROM numbers WHERE id < 10")
    con.sql("CREATE VIEW smaller AS SELECT * FROM small WHERE k = 0")
    assert con.table("smaller").count() == 2
    with pytest.raises(TableExistsError, match="small"):
        con.sql("CREATE VIEW small AS SELECT 1")
    con.sql("CREATE OR REPLACE VIEW small AS SELECT * FROM numbers WHERE id < 100")
    assert con.table("small").count() == 100
    assert con.tables()["small"].kind == "view"
    con.sql("DROP VIEW smaller")
    with pytest.raises(UnknownTableError, match="smaller"):
        con.table("smaller")


def test_tables_are_dropped(con: springald.Connection, numbers: Path) -> None:
    """A dropped table is gone; its files are not; IF EXISTS forgives."""
    con.sql("DROP TABLE numbers")
    assert "numbers" not in con.tables()
    with pytest.raises(UnknownTableError, match="numbers"):
        con.sql("SELECT * FROM numbers").to_arrow()
    with pytest.raises(UnknownTableError):
        con.sql("DROP TABLE numbers")
    con.sql("DROP TABLE IF EXISTS numbers")
    assert list(numbers.iterdir())
    con.register_parquet("numbers", numbers)
    assert con.sql(SUMS).to_pydict() == sums()


def test_create_if_not_exists_leaves_what_there_is(
    con: springald.Connection, tmp_path: Path
) -> None:
    """IF NOT EXISTS keeps the table of that name, and without it the name is refused."""
    pq.write_table(_ROWS, tmp_path / "t.parquet")
    create = f"numbers STORED AS PARQUET LOCATION '{tmp_path}/t.parquet'"
    con.sql(f"CREATE EXTERNAL TABLE IF NOT EXISTS {create}")
    assert con.table("numbers").count() == NUMBERS_ROWS
    with pytest.raises(TableExistsError, match="numbers"):
        con.sql(f"CREATE EXTERNAL TABLE {create}")
    con.sql(f"CREATE OR REPLACE EXTERNAL TABLE {create}")
    assert con.table("numbers").count() == 4


def test_settings_are_set_shown_and_reset(con: springald.Connection) -> None:
    """SET changes a setting of this session alone, SHOW tells it, RESET brings it back."""
    name = "datafusion.execution.batch_size"

    def shown() -> str:
        (value,) = con.sql(f"SHOW {name}").to_pydict()["value"]
        return str(value)

    usual = shown()
    con.sql(f"SET {name} = 1234")
    assert shown() == "1234" != usual
    con.sql(f"RESET {name}")
    assert shown() == usual
    everything = con.sql("SHOW ALL").to_arrow().column("name").to_pylist()
    assert {name, "springald.distribution", "springald.single_task_bytes_max"} <= {*everything}


def test_settings_may_be_given_when_connecting(patient: springald.LocalCluster) -> None:
    """Settings to begin with are as if each were SET; a wrong one opens no session."""
    with patient.connect(**{"springald.distribution": "never"}) as con:
        assert con.sql("SHOW springald.distribution").to_pydict()["value"] == ["never"]
    with patient.connect() as con:
        assert con.sql("SHOW springald.distribution").to_pydict()["value"] == ["auto"]
    with pytest.raises(UnknownSettingError, match=r"springald\.distribusion"):
        patient.connect(**{"springald.distribusion": "never"})


def test_distribution_decides_whether_a_query_is_cut(con: springald.Connection) -> None:
    """Small data is one task unless the session asks otherwise, and the plan says why."""

    def stages() -> int:
        job = con.sql(SUMS).execute()
        assert job.result().to_pydict() == sums()
        return len(job.statistics().stages)

    assert stages() > 1
    for value in ("never", "auto"):
        con.sql(f"SET springald.distribution = '{value}'")
        assert stages() == 1
    job = con.sql(SUMS).execute()
    job.wait()
    assert any("at most" in decision for decision in job.statistics().decisions)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("datafusion.execution.enable_file_stream_work_stealing", "true"),
        ("datafusion.optimizer.enable_dynamic_filter_pushdown", "true"),
        ("datafusion.optimizer.enable_round_robin_repartition", "true"),
        ("datafusion.optimizer.prefer_existing_union", "false"),
        ("datafusion.catalog.information_schema", "false"),
        ("datafusion.runtime.memory_limit", "1G"),
        ("DataFusion.Runtime.Memory_Limit", "1G"),
    ],
)
def test_protected_setting_is_refused(con: springald.Connection, name: str, value: str) -> None:
    """What keeps answers right cannot be changed, by SET or when connecting (P7.1)."""
    with pytest.raises(ProtectedSettingError, match=f"(?i){name}"):
        con.sql(f"SET {name} = '{value}'")
    with pytest.raises(ProtectedSettingError, match=f"(?i){name}"):
        con.sql(f'SET "{name}" TO {value}')
    with pytest.raises(ProtectedSettingError, match=f"(?i){name}"):
        springald.connect(con.url, **{name: value})
    assert con.sql(SUMS).to_pydict() == sums()


@pytest.mark.parametrize(
    "statement",
    ["SET datafusion.no.such = 1", "SET springald.no_such = 1", "SHOW no_such", "RESET no.such"],
)
def test_unknown_setting_is_refused(con: springald.Connection, statement: str) -> None:
    """A setting that does not exist is said to be unknown, by its name."""
    with pytest.raises(UnknownSettingError, match=r"no.such"):
        con.sql(statement).to_arrow()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("datafusion.execution.batch_size", "many"),
        ("datafusion.execution.target_partitions", "-3"),
        ("springald.distribution", "sometimes"),
        ("springald.single_task_bytes_max", "-1"),
    ],
)
def test_setting_with_a_wrong_value_is_refused(
    con: springald.Connection, name: str, value: str
) -> None:
    """A value that a setting does not take is refused, and the setting stays as it was."""
    before = con.sql(f"SHOW {name}").to_pydict()
    with pytest.raises(InvalidSettingError, match=value):
        con.sql(f"SET {name} = '{value}'")
    assert con.sql(f"SHOW {name}").to_pydict() == before


def test_show_tables_and_describe_tell_the_catalog(con: springald.Connection) -> None:
    """SHOW TABLES lists tables and views, DESCRIBE their columns, both also for an upload."""
    con.register("sent", _ROWS)
    con.sql("CREATE VIEW seen AS SELECT 1 AS one")
    names = con.sql("SHOW TABLES").to_arrow().column("table_name").to_pylist()
    assert {"numbers", "sent", "seen"} <= set(names)
    described = con.sql("DESCRIBE sent").to_pydict()
    assert described["column_name"] == ["a", "b"]
    assert list(con.tables()) == ["numbers", "seen", "sent"]
    assert [table.kind for table in con.tables().values()] == ["parquet", "view", "upload"]


def test_explain_shows_stages_with_their_exchanges(con: springald.Connection) -> None:
    """EXPLAIN gives the logical plan, the physical plan, and the stages; nothing runs."""
    jobs = [job.progress.tasks_total for job in con.jobs()]
    plans = dict(zip(*con.sql(f"EXPLAIN {SUMS}").to_pydict().values(), strict=True))
    assert [*plans][:2] == ["logical_plan", "physical_plan"]
    stages = plans["stages"]
    assert "Stage 1" in stages
    assert "Stage 2" in stages
    assert "hash by" in stages
    assert "AggregateExec" in stages
    assert sum(jobs) == sum(job.progress.tasks_total for job in con.jobs())


@pytest.mark.parametrize("kind", ["pyarrow", "batches", "pandas", "polars", "dictionary"])
def test_rows_of_every_library_are_uploaded(con: springald.Connection, kind: str) -> None:
    """`register` takes rows from the libraries that people use, types and nulls included."""
    rows = pa.table(
        {
            "n": pa.array([1, None, 3], pa.int64()),
            "t": ["a", "b", None],
            "d": [date(2024, 2, 29), None, date(1999, 1, 1)],
        }
    )
    given = {
        "pyarrow": lambda: rows,
        "batches": rows.to_batches,
        "pandas": lambda: rows.to_pandas(types_mapper=pd.ArrowDtype),
        "polars": lambda: pl.from_arrow(rows),
        "dictionary": rows.to_pydict,
    }
    con.register("sent", given[kind]())
    assert con.sql("SELECT * FROM sent").to_pydict() == rows.to_pydict()


def test_upload_large_is_spread_and_whole(con: springald.Connection) -> None:
    """An upload of several blocks is in several partitions, and no row is lost or doubled."""
    con.register("sent", numbers_table(1_000_000))
    job = con.sql("SELECT count(*) AS n, sum(id) AS s, count(DISTINCT k) AS k FROM sent").execute()
    assert job.result().to_pydict() == {"n": [1_000_000], "s": [499999500000], "k": [7]}
    first = job.statistics().stages[0]
    assert first.tasks > 1
    assert first.rows_out > 1


def test_upload_of_no_rows_is_a_table(con: springald.Connection) -> None:
    """A table without rows keeps its columns."""
    con.register("none", _ROWS.slice(0, 0))
    assert con.table("none").to_arrow().to_pydict() == {"a": [], "b": []}


def test_upload_of_many_types_comes_back(con: springald.Connection) -> None:
    """Nested, decimal, dictionary and zoned values survive the way to the cluster and back."""
    rows = pa.table(
        {
            "list": pa.array([[1, None], []], pa.list_(pa.int32())),
            "struct": pa.array([{"x": 1, "y": "a"}, None]),
            "decimal": pa.array([Decimal("1.25"), None], pa.decimal128(9, 2)),
            "word": pa.array(["one", "two"]).dictionary_encode(),
            "at": pa.array([0, 1], pa.timestamp("us", tz="UTC")),
            "view": pa.array(["short", "long enough to need a buffer"], pa.string_view()),
        }
    )
    con.register("sent", rows)
    assert con.sql("SELECT * FROM sent").to_pydict() == rows.to_pydict()


def test_upload_replaced_or_dropped_leaves_the_cluster(
    con: springald.Connection, footprint: Footprint
) -> None:
    """Rows that no table stands for any more are removed from the executors."""
    files_before = footprint.rows_files()
    con.register("sent", {"a": [1]})
    first = set(footprint.rows_files())
    assert len(first) > len(files_before)
    con.register("sent", {"a": [2]})
    assert con.table("sent").to_pydict() == {"a": [2]}
    wait_until(lambda: not first & {*footprint.rows_files()} - {*files_before}, "the first is gone")
    con.deregister_table("sent")
    wait_until(lambda: footprint.rows_files() <= files_before, "both are gone")
    with pytest.raises(UnknownTableError):
        con.table("sent")


def test_upload_of_a_wrong_kind_is_refused(con: springald.Connection) -> None:
    """What is no table of rows is refused before anything is sent."""
    for rows in (3, "text", [], [1, 2], {"a": [1], "b": [1, 2]}):
        with pytest.raises(InvalidArgumentError):
            con.register("sent", rows)
    assert "sent" not in con.tables()


def test_upload_whose_reader_fails_is_no_table(
    con: springald.Connection, footprint: Footprint
) -> None:
    """Rows that break off on the way become no table and leave no file."""
    files_before = footprint.rows_files()

    def batches() -> Iterator[pa.RecordBatch]:
        yield from _ROWS.to_batches()
        raise OSError("the source is gone")

    reader = pa.RecordBatchReader.from_batches(_ROWS.schema, batches())
    with pytest.raises(Exception, match="the source is gone"):
        con.register("sent", reader)
    assert "sent" not in con.tables()
    wait_until(lambda: footprint.rows_files() <= files_before, "no file is left")


def test_connection_closed_or_dropped_ends_its_session(
    patient: springald.LocalCluster, footprint: Footprint
) -> None:
    """A connection that is garbage ends its session on the scheduler, uploads included."""
    files_before = footprint.rows_files()
    con = patient.connect()
    con.register("sent", {"a": [1]})
    assert footprint.rows_files() != files_before
    del con
    wait_until(lambda: footprint.rows_files() <= files_before, "the upload is gone")
