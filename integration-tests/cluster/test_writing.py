"""Files that a cluster writes: whole or not at all, with the rows that one process would write."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from datafusion import SessionContext

import springald
from cluster.fixtures import started_in
from cluster.footprint import Footprint
from cluster.tables import BUSY, NUMBERS_ROWS, SPREAD, SUMS, sums
from cluster.waiting import wait_until
from oracle.compare import assert_same
from springald import JobStatus
from springald import errors as e
from springald.plan.v1.plan_pb2 import Plan, PlanVersion, SqlText

QUERY = """
SELECT id, k, CASE WHEN id % 5 > 0 THEN s END AS s, id / 3.0 AS q,
    CAST(CAST(id AS INT) AS DATE) AS d, to_timestamp_micros(id * 1234567) AS t,
    CAST('03:04:05.678' AS TIME) AS o, CAST(id AS DECIMAL(20, 3)) AS m, id % 2 = 0 AS b
FROM numbers
"""


@pytest.fixture
def out(tmp_path: Path) -> Path:
    """A folder for what is written."""
    return tmp_path / "out"


@pytest.fixture(params=["spread", "as planned", "local"])
def con(
    request: pytest.FixtureRequest, cluster: springald.LocalCluster, numbers: Path
) -> Iterator[springald.Connection]:
    """A session that knows `numbers`: in stages, as the planner likes, and without a cluster."""
    settings = SPREAD if request.param == "spread" else {}
    opened = springald.connect() if request.param == "local" else cluster.connect(**settings)
    with opened:
        opened.register_parquet("numbers", numbers)
        yield opened


@pytest.fixture
def engine(numbers: Path) -> SessionContext:
    """One process, which knows `numbers` too."""
    context = SessionContext()
    context.register_parquet("numbers", f"{numbers}/")
    return context


def files(folder: Path) -> list[Path]:
    """Returns all that lies in a folder, hidden or not."""
    return sorted(path for path in folder.rglob("*") if path.is_file())


def read(engine: SessionContext, path: Path, how: str) -> pa.Table:
    """Reads files in one process."""
    place = f"{path}/" if path.is_dir() else str(path)
    engine.sql(f"CREATE OR REPLACE EXTERNAL TABLE written {how} LOCATION '{place}'")
    return engine.table("written").to_arrow_table()


@pytest.mark.parametrize("name", ["many/", "one"])
@pytest.mark.parametrize(
    ("form", "options"),
    [
        ("parquet", "('compression' 'snappy')"),
        ("csv", "('has_header' 'true', 'delimiter' ';')"),
        ("json", "('compression' 'gzip')"),
        ("arrow", ""),
    ],
)
def test_copy_writes_what_one_process_writes(
    con: springald.Connection,
    engine: SessionContext,
    out: Path,
    form: str,
    options: str,
    name: str,
) -> None:
    """Rows and types that are read back are those that the engine alone writes, in each format."""
    out.mkdir()
    name = f"one.{form}" if name == "one" else name
    told = f"STORED AS {form.upper()} {f'OPTIONS {options}' if options else ''}"
    for each, sql in ((con, "ours"), (engine, "theirs")):
        answer = each.sql(f"COPY ({QUERY}) TO '{out}/{sql}-{name}' {told}")
        assert answer.to_pydict() == {"count": [NUMBERS_ROWS]}
    how = told.removesuffix("OPTIONS ('compression' 'snappy')")
    mine, theirs = (read(engine, out / f"{each}-{name}", how) for each in ("ours", "theirs"))
    assert_same(mine, theirs)
    assert not list(out.rglob(".*"))
    if not name.endswith("/"):
        assert len(files(out)) == 2


def test_copy_of_ordered_rows_keeps_their_order(
    con: springald.Connection, engine: SessionContext, out: Path
) -> None:
    """One file has its rows in the order of the query, however many tasks sort."""
    query = "SELECT id, s FROM numbers ORDER BY s DESC, id"
    con.sql(f"COPY ({query}) TO '{out}/ordered.csv' OPTIONS ('has_header' 'true')")
    engine.sql(f"COPY ({query}) TO '{out}/theirs.csv' OPTIONS ('has_header' 'true')").collect()
    assert (out / "ordered.csv").read_bytes() == (out / "theirs.csv").read_bytes()


def test_copy_by_values_makes_folders(
    con: springald.Connection, engine: SessionContext, out: Path
) -> None:
    """Values of columns become folders, also odd ones."""
    query = (
        "SELECT id, CASE k WHEN 1 THEN 'a/b' WHEN 2 THEN NULL ELSE ' é=' || k END AS p FROM numbers"
    )
    for each, name in ((con, "ours"), (engine, "theirs")):
        each.sql(
            f"COPY ({query}) TO '{out}/{name}/' STORED AS PARQUET PARTITIONED BY (p)"
        ).to_pydict()
    how = "STORED AS PARQUET PARTITIONED BY (p)"
    assert_same(read(engine, out / "ours", how), read(engine, out / "theirs", how))
    folders = [{path.name for path in (out / name).iterdir()} for name in ("ours", "theirs")]
    assert folders[0] == folders[1]


def test_copy_replaces_a_file_and_adds_to_a_folder(con: springald.Connection, out: Path) -> None:
    """As the engine does; two statements never take each other's names."""
    for _ in range(2):
        con.sql(f"COPY numbers TO '{out}/one.parquet'")
        con.sql(f"COPY numbers TO '{out}/many/' STORED AS PARQUET")
    assert con.read_parquet(out / "one.parquet").count() == NUMBERS_ROWS
    assert con.read_parquet(out / "many").count() == 2 * NUMBERS_ROWS


def test_insert_adds_rows_that_the_next_query_sees(con: springald.Connection, out: Path) -> None:
    """Into tables of each format: with columns left out, other types, and values."""
    for form in ("parquet", "csv", "json", "arrow"):
        folder = out / form
        con.sql(f"COPY (SELECT id, s FROM numbers WHERE id < 10) TO '{folder}/' STORED AS {form}")
        made = "(id BIGINT, s VARCHAR)" if form != "arrow" else ""
        con.sql(f"CREATE EXTERNAL TABLE {form}_t {made} STORED AS {form} LOCATION '{folder}/'")
        before = con.sql(f"SELECT count(*) AS n FROM {form}_t").to_pydict()["n"]
        told = con.sql(f"INSERT INTO {form}_t SELECT CAST(id AS INT) + 100, s FROM numbers")
        assert told.to_pydict() == {"count": [NUMBERS_ROWS]}
        con.sql(f"INSERT INTO {form}_t (s) VALUES ('new'), ($1)", ["newer"])
        got = con.sql(f"SELECT count(*) AS n, count(id) AS i, max(id) AS m FROM {form}_t")
        assert got.to_pydict() == {
            "n": [before[0] + NUMBERS_ROWS + 2],
            "i": [before[0] + NUMBERS_ROWS],
            "m": [NUMBERS_ROWS + 99],
        }
        found = con.sql(f"SELECT s FROM {form}_t WHERE id IS NULL ORDER BY s")
        assert found.to_pydict() == {"s": ["new", "newer"]}


@pytest.mark.parametrize("form", ["parquet", "arrow"])
def test_insert_adds_files_that_are_read_with_those_of_others(
    con: springald.Connection, cluster: springald.LocalCluster, out: Path, form: str
) -> None:
    """Files of another library and of INSERT have equal types: the table opens again (ENGINE.md).

    The engine alone writes views, and then refuses to read its own files together with others.
    """
    out.mkdir()
    rows = pa.table({"s": ["x", None], "b": [b"1", b"2"], "n": [1, 2]})
    if form == "parquet":
        pq.write_table(rows, out / "others.parquet")
    else:
        with (
            pa.OSFile(str(out / "others.arrow"), "wb") as sink,
            pa.ipc.new_file(sink, rows.schema) as writer,
        ):
            writer.write_table(rows)
    getattr(con, f"register_{form}")("t", out)
    con.sql("INSERT INTO t SELECT * FROM t")
    con.sql("INSERT INTO t VALUES ('y', NULL, 3)")
    with cluster.connect() as other:
        getattr(other, f"register_{form}")("t", out)
        got = other.sql("SELECT s, n FROM t ORDER BY n, s NULLS LAST").to_pydict()
    assert got == {"s": ["x", "x", None, None, "y"], "n": [1, 1, 2, 2, 3]}


def test_insert_of_a_table_into_itself_reads_what_was_there(
    con: springald.Connection, out: Path
) -> None:
    """Files appear after all have been read."""
    con.sql(f"COPY numbers TO '{out}/t/' STORED AS PARQUET")
    con.register_parquet("t", out / "t")
    for times in (2, 4):
        con.sql("INSERT INTO t SELECT * FROM t")
        assert con.table("t").count() == times * NUMBERS_ROWS


def test_statement_that_writes_runs_once(con: springald.Connection, out: Path) -> None:
    """P3.10: it takes effect when it is given; looking at its answer again does not repeat it."""
    done = con.sql(f"COPY numbers TO '{out}/t/' STORED AS PARQUET")
    wrote = files(out)
    for _ in range(2):
        assert done.to_pydict() == {"count": [NUMBERS_ROWS]}
        assert done.schema().names == ["count"]
    assert files(out) == wrote


@pytest.mark.parametrize(
    ("query", "error"),
    [
        ("SELECT 1 / (id - 3999) FROM numbers", e.DivisionByZeroError),
        ("SELECT CAST(s || 'x' AS INT) FROM numbers", e.CastFailedError),
        ('SELECT id AS "\0" FROM numbers', e.SpringaldError),
    ],
)
def test_failed_statement_leaves_nothing(
    con: springald.Connection, out: Path, query: str, error: type[e.SpringaldError]
) -> None:
    """P3.10: neither files nor a part of them, and the cluster goes on."""
    out.mkdir()
    (out / "kept").write_text("kept")
    for place in (f"{out}/", f"{out}/one.parquet"):
        with pytest.raises(error):
            con.sql(f"COPY ({query}) TO '{place}' STORED AS PARQUET")
    wait_until(lambda: files(out) == [out / "kept"], "all that was staged is gone")
    assert con.sql(SUMS).to_pydict() == sums()


def test_folder_that_cannot_be_written_is_told(con: springald.Connection, out: Path) -> None:
    """A file where a folder should be ends as an error with its path."""
    out.mkdir()
    (out / "file").write_text("")
    with pytest.raises(e.SpringaldError, match="file"):
        con.sql(f"COPY numbers TO '{out}/file/below/' STORED AS PARQUET")
    assert con.sql(SUMS).to_pydict() == sums()


def test_cancelled_statement_leaves_nothing(
    cluster: springald.LocalCluster, busy: Path, out: Path
) -> None:
    """What its tasks have staged goes with the job."""
    with cluster.connect(**SPREAD) as con:
        con.register_parquet("busy", busy)
        sql = f"COPY ({BUSY.replace('count(*) AS n', 'a.id')}) TO '{out}/' STORED AS PARQUET"
        statement = SqlText(text=sql)
        job = con.execute_plan(Plan(version=PlanVersion(major=1), sql=statement))
        wait_until(out.exists, "the statement writes")
        job.cancel()
        assert job.wait(20) is JobStatus.CANCELLED
        wait_until(lambda: not list(out.iterdir()), "all that was staged is gone")


def test_writers_at_once_do_not_mix(
    cluster: springald.LocalCluster, numbers: Path, out: Path
) -> None:
    """Of several clients a folder keeps all rows, and a file those of one of them."""

    def write(number: int) -> None:
        with cluster.connect(**SPREAD) as con:
            con.register_parquet("numbers", numbers)
            query = f"SELECT id + {number * NUMBERS_ROWS} AS id FROM numbers"
            con.sql(f"COPY ({query}) TO '{out}/many/' STORED AS PARQUET")
            con.sql(f"COPY ({query}) TO '{out}/one.parquet'")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(write, range(4)))
    engine = SessionContext()
    many = read(engine, out / "many", "STORED AS PARQUET")
    assert sorted(many["id"].to_pylist()) == list(range(4 * NUMBERS_ROWS))
    one = sorted(read(engine, out / "one.parquet", "STORED AS PARQUET")["id"].to_pylist())
    assert one[0] % NUMBERS_ROWS == 0
    assert one == list(range(one[0], one[0] + NUMBERS_ROWS))


def test_cluster_writes_where_it_may(tmp_path: Path) -> None:
    """Folders that may be read are not written to unless they are named for that."""
    (allowed := tmp_path / "allowed").mkdir()
    (tmp_path / "own").mkdir()
    own = Footprint(tmp_path / "own")
    with started_in(own, allow_write=json.dumps([str(allowed)])) as small, small.connect() as con:
        con.sql(f"COPY (VALUES (1)) TO '{allowed}/a.csv'")
        with pytest.raises(e.PathNotAllowedError, match="--allow-write"):
            con.sql(f"COPY (VALUES (1)) TO '{tmp_path}/a.csv'")
    assert (allowed / "a.csv").exists()
    assert not (tmp_path / "a.csv").exists()
