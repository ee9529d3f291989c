"""Files that become tables, with what datafusion-python says of them."""

import gzip
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import springald
from springald import Connection, SessionContext
from springald.errors import InvalidArgumentError, UnsupportedError


@pytest.fixture(scope="module")
def con() -> Iterator[Connection]:
    """A connection in this process."""
    with springald.connect() as connection:
        yield connection


@pytest.fixture(scope="module")
def parted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder whose folders have the years in their names."""
    folder = tmp_path_factory.mktemp("parted")
    for year in ("2023", "2024"):
        (folder / f"year={year}").mkdir()
        pq.write_table(pa.table({"v": [1, 2]}), folder / f"year={year}" / "0.parquet")
    return folder


def test_register_csv_takes_what_says_how_files_are_to_be_read(
    con: Connection, tmp_path: Path
) -> None:
    """Columns, header, separator and compression are the table's."""
    (tmp_path / "a.csv").write_text("1;x\n2;y\n")
    schema = pa.schema({"n": pa.int32(), "t": pa.string()})
    con.register_csv("a", tmp_path / "a.csv", schema, has_header=False, delimiter=";")
    assert con.table("a").to_pydict() == {"n": [1, 2], "t": ["x", "y"]}
    assert con.table("a").schema().field("n").type == pa.int32()
    con.register_csv("a", tmp_path / "a.csv", has_header=False, delimiter=";")
    assert con.table("a").columns == ["column_1", "column_2"]
    with gzip.open(tmp_path / "b.csv.gz", "wt") as file:
        file.write("a,b\n1,2\n")
    con.register_csv("b", tmp_path / "b.csv.gz", file_compression_type="gzip")
    assert con.table("b").to_pydict() == {"a": [1], "b": [2]}


def test_register_json_takes_columns(con: Connection, tmp_path: Path) -> None:
    """Columns that are given are the table's, found or not."""
    (tmp_path / "a.json").write_text('{"a": 1}\n')
    con.register_json("j", tmp_path / "a.json", pa.schema({"a": pa.int16(), "b": pa.string()}))
    assert con.table("j").to_pydict() == {"a": [1], "b": [None]}


@pytest.mark.parametrize(
    ("schema", "years"),
    [
        (None, ["2023", "2024"]),
        (pa.schema({"v": pa.int64()}), ["2023", "2024"]),
        (pa.schema({"v": pa.int64(), "year": pa.int32()}), [2023, 2024]),
    ],
)
def test_register_parquet_takes_columns_in_the_names_of_folders(
    con: Connection, parted: Path, schema: pa.Schema | None, years: list[object]
) -> None:
    """Such a column is text unless the schema has another type for it; reading does the same."""
    con.register_parquet("p", parted, ["year"], schema=schema)
    read = con.read_parquet(parted, schema=schema, table_partition_cols=["year"])
    for rows in (con.table("p"), read):
        grouped = rows.aggregate(["year"], [springald.functions.sum(springald.col("v")).alias("s")])
        assert grouped.sort("year").to_pydict() == {"year": years, "s": [3, 3]}


def test_column_of_folders_with_an_odd_name_is_refused(con: Connection, parted: Path) -> None:
    """The engine takes words only; another name is told, and changes nothing of the statement."""
    with pytest.raises(UnsupportedError, match="the year"):
        con.register_parquet("odd", parted, ["the year"])


def test_batches_become_tables_and_frames_of_a_session_context() -> None:
    """What a program for datafusion-python does with batches works with an import changed."""
    batch = pa.record_batch({"a": [1, 2]})
    with SessionContext() as ctx:
        assert ctx.create_dataframe([[batch], [batch]]).count() == 4
        assert ctx.create_dataframe([], "e", batch.schema).count() == 0
        assert ctx.read_batches(iter([batch, batch])).count() == 4
        ctx.register_record_batches("t", [[batch], [], [batch]])
        assert ctx.table("t").count() == 4
        with pytest.raises(InvalidArgumentError, match="schema"):
            ctx.create_dataframe([])
