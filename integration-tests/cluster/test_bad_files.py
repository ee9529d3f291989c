"""Files that are missing, broken, or other than they were: always an error, never a wrong row."""

import gzip
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import springald
from cluster.occupied import occupied
from cluster.tables import FILES, NUMBERS_ROWS, SUMS, numbers_table, sums
from cluster.waiting import wait_until
from springald import errors as e

_CREATE = "CREATE EXTERNAL TABLE t STORED AS {form} LOCATION '{path}'"


@pytest.fixture
def files(numbers: Path, tmp_path: Path) -> Path:
    """A copy of the files of `numbers`, to break."""
    return Path(shutil.copytree(numbers, tmp_path / "files"))


@pytest.mark.parametrize("form", ["parquet", "csv", "json", "arrow"])
def test_missing_file_is_refused_when_registered(
    con: springald.Connection, tmp_path: Path, form: str
) -> None:
    """A table over nothing is refused at once, with its path, by statement and by call."""
    path = tmp_path / f"nothing.{form}"
    with pytest.raises(e.DataFileNotFoundError, match=str(path)):
        con.sql(_CREATE.format(form=form, path=path))
    with pytest.raises(e.DataFileNotFoundError, match=str(path)):
        getattr(con, f"register_{form}")("t", path)
    assert list(con.tables()) == ["numbers"]


def _break(path: Path, how: str) -> None:
    data = path.read_bytes()
    match how:
        case "empty":
            path.write_bytes(b"")
        case "garbage":
            path.write_bytes(os.urandom(len(data)))
        case "cut":
            path.write_bytes(data[: len(data) * 2 // 3])
        case "tail":
            path.write_bytes(data[:-40] + os.urandom(36) + data[-4:])


def _register_and_read(con: springald.Connection, form: str, path: Path) -> None:
    getattr(con, f"register_{form}")("t", path)
    con.table("t").to_arrow()


def _write_arrow(path: Path) -> None:
    rows = numbers_table()
    with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_file(sink, rows.schema) as writer:
        writer.write_table(rows)


@pytest.mark.parametrize("how", ["empty", "garbage", "cut", "tail"])
@pytest.mark.parametrize("form", ["parquet", "arrow"])
def test_broken_file_is_refused_when_registered(
    con: springald.Connection, tmp_path: Path, form: str, how: str
) -> None:
    """A file that is not what its format promises is the data's fault, and no table comes of it."""
    path = tmp_path / f"broken.{form}"
    if form == "parquet":
        pq.write_table(numbers_table(), path)
    else:
        _write_arrow(path)
    _break(path, how)
    with pytest.raises(e.FileCorruptError):
        _register_and_read(con, form, path)
    assert list(con.tables()) == ["numbers"]
    assert con.sql(SUMS).to_pydict() == sums()


def test_broken_file_among_good_ones_fails_the_query(
    con: springald.Connection, files: Path
) -> None:
    """One broken file of a table fails every query that reads it."""
    con.register_parquet("t", files)
    assert con.table("t").count() == NUMBERS_ROWS
    _break(files / "part-2.parquet", "garbage")
    with pytest.raises(e.DataError):
        con.sql("SELECT max(length(s)) FROM t").to_arrow()


def test_broken_page_fails_the_query_where_it_is_read(
    con: springald.Connection, files: Path
) -> None:
    """A file whose footer is fine and whose rows are not is found out by the task that reads it."""
    path = files / "part-1.parquet"
    start = pq.read_metadata(path).row_group(0).column(2).data_page_offset
    con.register_parquet("t", files)
    with path.open("r+b") as file:
        file.seek(start)
        file.write(bytes(range(200)))
    job = con.sql("SELECT max(length(s)) FROM t").execute()
    with pytest.raises(e.FileCorruptError) as raised:
        job.result()
    assert raised.value.node_id.startswith(f"{job.id}/s")
    assert raised.value.executor_id


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("csv", "a,b\n1,2\n3\n"),
        ("csv", "a,b\n1,2\n3,4,5\n"),
        ("json", '{"a": 1}\n{"a": \n'),
        ("json", '{"a": 1}\nnot json\n'),
        ("json", "[1, 2, 3"),
    ],
)
def test_text_that_breaks_its_format_is_refused(
    con: springald.Connection, tmp_path: Path, form: str, text: str
) -> None:
    """CSV and JSON that do not keep to their format fail when they are registered or read."""
    path = tmp_path / f"t.{form}"
    path.write_text(text)
    with pytest.raises(e.FileCorruptError):
        _register_and_read(con, form, path)


def test_text_that_breaks_its_format_later_is_refused(
    con: springald.Connection, tmp_path: Path
) -> None:
    """A wrong line behind the part from which the types were guessed is found by the task."""
    path = tmp_path / "t.csv"
    lines = [f"{at},{at}" for at in range(20_000)]
    path.write_text("\n".join(["a,b", *lines, "twenty,three", ""]))
    con.register_csv("t", path)
    assert con.tables()["t"].schema.field("a").type == pa.int64()
    with pytest.raises(e.DataError) as raised:
        con.sql("SELECT sum(a) FROM t").to_arrow()
    assert raised.value.executor_id


def test_compressed_file_cut_short_is_refused(con: springald.Connection, tmp_path: Path) -> None:
    """A compressed file that ends early is an error and not fewer rows."""
    path = tmp_path / "t.csv.gz"
    whole = gzip.compress(b"a\n" + b"".join(b"%d\n" % at for at in range(50_000)))
    path.write_bytes(whole)
    make = f"STORED AS CSV LOCATION '{path}' OPTIONS ('format.compression' 'gzip')"
    con.sql(f"CREATE EXTERNAL TABLE t {make}")
    assert con.table("t").count() == 50_000
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(e.DataError):
        con.sql("SELECT sum(a) FROM t").to_arrow()


def test_file_deleted_after_registering_fails_the_query(
    con: springald.Connection, files: Path
) -> None:
    """A table whose files went away says so when it is queried; other tables are fine."""
    con.register_parquet("t", files)
    shutil.rmtree(files)
    with pytest.raises(e.DataFileNotFoundError):
        con.sql("SELECT max(length(s)) FROM t").to_arrow()
    assert con.sql(SUMS).to_pydict() == sums()


def _delete(path: Path) -> None:
    path.unlink()


def _replace(path: Path) -> None:
    pq.write_table(numbers_table(77), path)


def _touch(path: Path) -> None:
    status = path.stat()
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns + 1_000_000_000))


def _garble(path: Path) -> None:
    data = path.read_bytes()
    path.write_bytes(data[:4] + os.urandom(len(data) - 8) + data[-4:])


@pytest.mark.parametrize(
    ("change", "kinds"),
    [
        (_delete, (e.DataFileNotFoundError, e.FileChangedError)),
        (_replace, (e.FileChangedError,)),
        (_touch, (e.FileChangedError,)),
        (_garble, (e.FileChangedError,)),
    ],
)
def test_file_changed_between_planning_and_reading_fails_the_query(
    patient: springald.LocalCluster,
    con: springald.Connection,
    files: Path,
    busy: Path,
    change: Callable[[Path], None],
    kinds: tuple[type[e.SpringaldError], ...],
) -> None:
    """A query never mixes a file as it was planned with the file as it became."""
    con.register_parquet("t", files)
    with occupied(patient, busy):
        job = con.sql("SELECT k, max(length(s)) FROM t GROUP BY k").execute()
        wait_until(lambda: job.progress.tasks_total > 0, "the query is planned")
        assert job.progress.tasks_running == 0, "no slot is free, so nothing was read yet"
        change(files / "part-3.parquet")
    with pytest.raises(kinds) as raised:
        job.result()
    assert "part-3.parquet" in raised.value.message
    assert raised.value.fault == "data"


def test_file_added_or_changed_between_queries_is_seen(
    con: springald.Connection, files: Path
) -> None:
    """Each query reads a table's files as they are when it is planned."""
    con.register_parquet("t", files)
    assert con.table("t").count() == NUMBERS_ROWS
    shutil.copy(files / "part-0.parquet", files / "part-9.parquet")
    assert con.table("t").count() == NUMBERS_ROWS + NUMBERS_ROWS // FILES
    pq.write_table(numbers_table(10), files / "part-9.parquet")
    assert con.table("t").count() == NUMBERS_ROWS + 10
    (files / "part-9.parquet").unlink()
    assert con.table("t").count() == NUMBERS_ROWS


def test_files_of_other_columns_fail_the_query(con: springald.Connection, files: Path) -> None:
    """A file whose column has a type that cannot become the table's is an error."""
    con.register_parquet("t", files)
    pq.write_table(pa.table({"id": [["nested"]], "k": [1], "s": ["x"]}), files / "part-9.parquet")
    with pytest.raises(e.SpringaldError) as raised:
        con.sql("SELECT sum(id) FROM t").to_arrow()
    assert raised.value.fault in ("data", "caller")


@pytest.mark.parametrize("moved", [True, False], ids=["moved-there", "written-over"])
@pytest.mark.parametrize("distribution", ["auto", "always"])
def test_file_of_the_same_size_and_time_is_another_file(
    con: springald.Connection, tmp_path: Path, distribution: str, *, moved: bool
) -> None:
    """Neither rows nor statistics of a former file are told of one with its size and time."""
    con.sql(f"SET springald.distribution = {distribution}")
    file, fresh = tmp_path / "t.parquet", tmp_path / "fresh"
    sizes = set()
    for value in (5, 6, 7):
        rows = pa.table({"a": pa.array([value] * 100), "b": range(100)})
        pq.write_table(rows, fresh, use_dictionary=False, compression="none")
        os.utime(fresh, ns=(10**18, 10**18))
        if moved or value == 5:
            fresh.rename(file)
        else:
            file.write_bytes(fresh.read_bytes())
            os.utime(file, ns=(10**18, 10**18))
        sizes.add(file.stat().st_size)
        if value == 5:
            con.register_parquet("t", file)
        found = con.sql(f"""
            SELECT count(*) AS n, sum(x.a) AS a, max(x.a) AS most
            FROM t x JOIN t y ON x.b = y.b WHERE x.a >= {value}
        """)
        assert found.to_pylist() == [{"n": 100, "a": 100 * value, "most": value}]
    assert len(sizes) == 1
