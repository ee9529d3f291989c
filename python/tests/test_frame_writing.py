"""Rows that stay: files that the client writes, and tables that belong to DataFrames."""

import gc
import json
import time
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import springald
from springald import Connection, col, lit
from springald.client_limits import INLINE_TABLE_BYTES_MAX
from springald.dataframe.sources import OWN_TABLE_PREFIX
from springald.errors import (
    DivisionByZeroError,
    InvalidArgumentError,
    IoFailedError,
    UnknownTableError,
    UnsupportedError,
)
from springald.scheduler.v1 import scheduler_pb2 as pb

ROWS = "SELECT value AS n, 'row ' || value AS s FROM generate_series(1, 3)"
FAILING = "SELECT 1 / (value - 2) AS n FROM generate_series(1, 3)"
WAIT_S_MAX = 20
LARGE = pa.table({"n": pa.array(range(INLINE_TABLE_BYTES_MAX), pa.int64())})


@pytest.fixture(scope="module")
def con() -> Iterator[Connection]:
    """A connection in this process."""
    with springald.connect() as connection:
        yield connection


def _own_tables(con: Connection) -> list[str]:
    listed = con._session.transport.list_tables(  # noqa: SLF001 - what tables() leaves out
        pb.ListTablesRequest(session_id=con.session_id)
    )
    return [table.name for table in listed.tables if table.name.startswith(OWN_TABLE_PREFIX)]


def _wait_own_tables(con: Connection, count: int) -> None:
    """Waits until so many tables of DataFrames are left."""
    deadline = time.monotonic() + WAIT_S_MAX
    while len(_own_tables(con)) != count:
        gc.collect()
        if time.monotonic() > deadline:
            raise AssertionError(f"{count} tables are left: got {_own_tables(con)}")


def test_write_table_adds_rows_to_a_table_s_files(con: Connection, tmp_path: Path) -> None:
    """Rows of any DataFrame are there for the next query, also those that the client sends."""
    frame = con.sql(ROWS)
    con.sql(f"COPY ({ROWS}) TO '{tmp_path}/t/' STORED AS PARQUET")
    con.register_parquet("T", tmp_path / "t")
    frame.filter(col("n") > 1).write_table("T")
    con.from_pydict({"n": [7], "s": ["sent"]}).write_table("T")
    assert con.table("T").sort("n").to_pydict()["n"] == [1, 2, 2, 3, 3, 7]
    with pytest.raises(UnknownTableError):
        frame.write_table("t")
    con.register("uploaded", {"n": [1]})
    with pytest.raises(UnsupportedError, match="uploaded"):
        frame.write_table("uploaded")


def test_write_parquet_file_has_the_rows(con: Connection, tmp_path: Path) -> None:
    """The rows of a query are in the file, in their order, with their types."""
    frame = con.sql(ROWS)
    frame.write_parquet(tmp_path / "t.parquet", compression="snappy")
    assert pq.read_table(tmp_path / "t.parquet").equals(frame.to_arrow())
    column = pq.ParquetFile(tmp_path / "t.parquet").metadata.row_group(0).column(0)
    assert column.compression == "SNAPPY"
    assert list(tmp_path.iterdir()) == [tmp_path / "t.parquet"]


def test_write_csv_and_json_lines_are_what_others_read(con: Connection, tmp_path: Path) -> None:
    """CSV has a header if asked for one; JSON has a line for each row."""
    frame = con.sql(ROWS).limit(2)
    frame.write_csv(tmp_path / "t.csv", with_header=True)
    assert (tmp_path / "t.csv").read_text() == '"n","s"\n1,"row 1"\n2,"row 2"\n'
    frame.write_csv(str(tmp_path / "bare.csv"))
    assert (tmp_path / "bare.csv").read_text().startswith("1,")
    con.sql(
        "SELECT DATE '2026-02-03' AS d, X'00ff' AS b, CAST(1.5 AS DECIMAL(3, 1)) AS c"
    ).write_json(tmp_path / "t.json")
    assert json.loads((tmp_path / "t.json").read_text()) == {
        "d": "2026-02-03",
        "b": "00ff",
        "c": "1.5",
    }


def test_write_csv_takes_strings_as_parquet_files_have_them(
    con: Connection, tmp_path: Path
) -> None:
    """Views and dictionaries, for which CSV has no writer, are the strings that they stand for."""
    con.sql(
        "SELECT arrow_cast('x', 'Utf8View') AS v, arrow_cast('y', 'Dictionary(Int8, Utf8)') AS d"
    ).write_csv(tmp_path / "t.csv")
    assert (tmp_path / "t.csv").read_text() == '"x","y"\n'


def test_write_json_keeps_all_digits_of_times(con: Connection, tmp_path: Path) -> None:
    """Times, durations and intervals are text of ISO 8601, finer than Python's own if need be."""
    rows = pa.table(
        {
            "at": pa.array([1_000_000_001, 10**9], pa.timestamp("ns", "UTC")),
            "t": pa.array([1_001, 1_000], pa.time64("ns")),
            "d": pa.array([-1_500, 86_400_000], pa.duration("ms")),
            "i": pa.array([(1, 2, -3), (0, 0, 0)], pa.month_day_nano_interval()),
            "l": pa.array([[1], None], pa.list_(pa.timestamp("ns"))),
            "m": pa.array([[("k", 1)], None], pa.map_(pa.string(), pa.duration("ns"))),
        }
    )
    con.from_arrow(rows).write_json(tmp_path / "t.json")
    first, second = map(json.loads, (tmp_path / "t.json").read_text().splitlines())
    assert first == {
        "at": "1970-01-01T00:00:01.000000001+00:00",
        "t": "00:00:00.000001001",
        "d": "-PT1.5S",
        "i": "P1M2DT-0.000000003S",
        "l": ["1970-01-01T00:00:00.000000001"],
        "m": {"k": "PT0.000000001S"},
    }
    assert second == {
        "at": "1970-01-01T00:00:01+00:00",
        "t": "00:00:00.000001",
        "d": "PT86400S",
        "i": "P0M0DT0S",
        "l": None,
        "m": None,
    }


def test_write_json_has_no_value_that_json_has_not(con: Connection, tmp_path: Path) -> None:
    """Every line is JSON that strict readers take: maps are objects, numbers without end null."""
    numbers = pa.array([float("nan"), float("-inf"), 1.5, None])
    maps = pa.array(
        [[("k", 1)], [], None, [("k", 2), ("j", None)]], pa.map_(pa.string(), pa.int8())
    )
    con.from_arrow(pa.table({"x": numbers, "m": maps})).write_json(tmp_path / "t.json")

    def refuse(word: str) -> None:
        raise AssertionError(word)

    lines = (tmp_path / "t.json").read_text().splitlines()
    assert [json.loads(line, parse_constant=refuse) for line in lines] == [
        {"x": None, "m": {"k": 1}},
        {"x": None, "m": {}},
        {"x": 1.5, "m": None},
        {"x": None, "m": {"k": 2, "j": None}},
    ]


def test_write_empty_result_is_a_file_with_columns(con: Connection, tmp_path: Path) -> None:
    """A query without rows leaves a file that says which columns there would be."""
    con.sql(f"{ROWS} LIMIT 0").write_parquet(tmp_path / "t.parquet")
    assert pq.read_table(tmp_path / "t.parquet").column_names == ["n", "s"]


@pytest.mark.parametrize("write", ["write_parquet", "write_csv", "write_json"])
def test_write_query_fails_and_what_was_there_stays(
    con: Connection, tmp_path: Path, write: str
) -> None:
    """A query that fails replaces nothing and leaves no half of a file."""
    wanted = tmp_path / "t"
    wanted.write_text("before")
    with pytest.raises(DivisionByZeroError):
        getattr(con.sql(FAILING), write)(wanted)
    assert wanted.read_text() == "before"
    assert list(tmp_path.iterdir()) == [wanted]


def test_write_where_nothing_can_be_written_is_refused(con: Connection, tmp_path: Path) -> None:
    """The error says what is wrong with the place."""
    frame = con.sql(ROWS)
    with pytest.raises(IoFailedError, match="no/such"):
        frame.write_parquet(tmp_path / "no/such/folder.parquet")
    with pytest.raises(InvalidArgumentError, match="folder"):
        frame.write_parquet(tmp_path)
    with pytest.raises(UnsupportedError, match="this machine"):
        frame.write_csv("s3://bucket/t.csv")
    with pytest.raises(UnsupportedError, match="CSV"):
        con.sql("SELECT [1, 2] AS l").write_csv(tmp_path / "t.csv")
    assert list(tmp_path.iterdir()) == []


def test_cache_query_runs_once_and_its_table_goes(con: Connection) -> None:
    """Rows that are kept are read again, not made again; nobody sees their table, and it goes."""
    before = len(_own_tables(con))
    kept = con.sql("SELECT random() AS r FROM generate_series(1, 5)").cache()
    assert kept.to_pydict() == kept.to_pydict()
    assert len(_own_tables(con)) == before + 1
    assert not [name for name in con.tables() if name.startswith(OWN_TABLE_PREFIX)]
    few = kept.filter(col("r") >= lit(0.0)).limit(2)
    del kept
    gc.collect()
    assert few.count() == 2
    del few
    _wait_own_tables(con, before)


def test_rows_in_memory_few_travel_and_many_are_sent_once(con: Connection) -> None:
    """A few rows stand in the plan; many become a table that goes with the last DataFrame."""
    before = len(_own_tables(con))
    few = con.from_pydict({"a": [1, 2]})
    assert few.to_plan().relations.relations[0].WhichOneof("kind") == "inline_table"
    assert few.to_pydict() == {"a": [1, 2]}
    many = con.from_arrow(LARGE)
    assert many.to_plan().relations.relations[0].WhichOneof("kind") == "read_named_table"
    assert many.filter(col("n") < 3).count() == 3
    streamed = con.from_arrow(LARGE.to_reader())
    assert streamed.count() == LARGE.num_rows
    assert len(_own_tables(con)) == before + 2
    job = many.execute()
    del many, streamed
    assert job.result().num_rows == LARGE.num_rows
    del job
    _wait_own_tables(con, before)


def test_view_over_rows_of_the_caller_outlives_its_frame(con: Connection) -> None:
    """A view keeps the rows that it stands on, until it is taken away."""
    before = len(_own_tables(con))
    con.register_view("v", con.from_pydict({"a": [1, 2, 3]}).filter(col("a") > 1))
    gc.collect()
    assert con.sql("SELECT sum(a) AS s FROM v").to_pydict() == {"s": [5]}
    con.register_view("v", con.from_pydict({"a": [7]}))
    assert con.table("v").to_pydict() == {"a": [7]}
    con.deregister_table("v")
    _wait_own_tables(con, before)


def test_write_options_order_rows_and_refuse_what_is_not_done(
    con: Connection, tmp_path: Path
) -> None:
    """Rows are written in the order that is asked for; other options are told, not left out."""
    rows = con.sql(ROWS)
    for keys in (col("n").sort(ascending=False), [col("n").sort(ascending=False)]):
        options = springald.DataFrameWriteOptions(single_file_output=True, sort_by=keys)
        rows.write_parquet(tmp_path / "t.parquet", write_options=options)
        assert pq.read_table(tmp_path / "t.parquet")["n"].to_pylist() == [3, 2, 1]
    options = springald.DataFrameWriteOptions(sort_by="s")
    rows.write_csv(tmp_path / "t.csv", with_header=True, write_options=options)
    assert (tmp_path / "t.csv").read_text().splitlines()[1] == '1,"row 1"'
    with pytest.raises(UnsupportedError, match="one file"):
        springald.DataFrameWriteOptions(partition_by="n")
    with pytest.raises(UnsupportedError, match="replaced"):
        springald.DataFrameWriteOptions(insert_operation="append")
