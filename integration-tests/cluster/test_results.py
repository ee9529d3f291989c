"""Results: streamed, larger than the client, empty, in order, and in several libraries' forms."""

import json
import subprocess
import sys
import textwrap
from pathlib import Path

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import springald
from cluster.tables import NUMBERS_ROWS, numbers_table

_WIDE_ROWS = 1_500_000
_WIDE_BYTES = 200
_RSS_GROWTH_MAX = 120 * 1024 * 1024

# A client that streams a result and says by how much its memory's high-water mark rose.
_STREAMING_CLIENT = """
    import json, resource, sys
    import springald

    def high_water():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024

    with springald.connect(sys.argv[1]) as con:
        for batch in con.sql("SELECT 1 AS warm").to_batches():
            pass
        before = high_water()
        rows = bytes = 0
        for batch in con.sql(sys.argv[2]).to_batches():
            rows += batch.num_rows
            bytes += batch.nbytes
        print(json.dumps({"rows": rows, "bytes": bytes, "grew": high_water() - before}))
"""


def test_result_larger_than_the_client_s_memory_streams(
    patient: springald.LocalCluster,
) -> None:
    """`to_batches()` needs a few batches of memory, however large the result is."""
    wide = f"SELECT value, repeat('x', {_WIDE_BYTES}) AS pad FROM generate_series(1, {_WIDE_ROWS})"
    program = textwrap.dedent(_STREAMING_CLIENT)
    ran = subprocess.run(
        [sys.executable, "-c", program, patient.url, wide],
        capture_output=True,
        text=True,
        check=True,
    )
    told = json.loads(ran.stdout)
    assert told["rows"] == _WIDE_ROWS
    assert told["bytes"] > _WIDE_ROWS * _WIDE_BYTES > 2 * _RSS_GROWTH_MAX
    assert told["grew"] < _RSS_GROWTH_MAX


@pytest.mark.parametrize("inline", ["0", "65536"], ids=["fetched", "inline"])
def test_result_of_any_types_is_the_same_however_it_comes(
    patient: springald.LocalCluster, inline: str
) -> None:
    """A small result that comes with the last news has the schema and rows of a fetched one."""
    sql = (
        "SELECT value, arrow_cast('x' || value, 'Dictionary(Int32, Utf8)') AS d, "
        "arrow_cast('y', 'Utf8View') AS v, [value] AS l FROM generate_series(1, 3) ORDER BY value"
    )
    with patient.connect(**{"springald.inline_rows_bytes_max": inline}) as con:
        rows = con.sql(sql).to_arrow()
        assert rows.schema == con.sql(sql).schema
        assert rows["d"].to_pylist() == ["x1", "x2", "x3"]
        assert rows["l"].to_pylist() == [[1], [2], [3]]
        nothing = con.sql(f"SELECT * FROM ({sql}) WHERE value > 3").to_arrow()
        assert (nothing.schema, nothing.num_rows) == (rows.schema, 0)
        assert con.sql("SELECT FROM generate_series(1, 3)").to_arrow().num_rows == 3


def test_result_left_half_read_is_given_up(con: springald.Connection) -> None:
    """A reader that is closed early stops the fetch; the connection answers the next query."""
    with con.sql("SELECT value FROM generate_series(1, 3000000)").to_batches() as reader:
        first = reader.read_next_batch()
    assert first.num_rows > 0
    assert con.sql("SELECT 1 AS one").to_pydict() == {"one": [1]}


def test_result_ordered_arrives_in_order(con: springald.Connection) -> None:
    """Parts of a result are read in the order that the query asks for (P5.3)."""
    con.sql("SET datafusion.execution.target_partitions = 8")
    assert con.sql("SELECT id FROM numbers ORDER BY id DESC").to_pydict() == {
        "id": list(reversed(range(NUMBERS_ROWS)))
    }


def test_result_empty_keeps_its_schema(con: springald.Connection) -> None:
    """A result without rows has the columns and types of the query."""
    frame = con.sql("SELECT id, s, id * 0.5 AS half FROM numbers WHERE id < 0")
    rows = frame.to_arrow()
    assert rows.num_rows == 0
    assert rows.schema.equals(frame.schema())
    assert frame.columns == ["id", "s", "half"]
    assert frame.count() == 0


def test_result_in_every_form_is_the_same(con: springald.Connection) -> None:
    """Arrow, pandas, polars, Python values, batches and the C stream all have the same rows."""
    frame = con.sql("SELECT id, k FROM numbers WHERE id < 50 ORDER BY id")
    rows = numbers_table(50).select(["id", "k"])
    assert frame.to_arrow().equals(rows)
    assert frame.to_arrow_table().equals(rows)
    assert frame.to_pydict() == rows.to_pydict()
    assert frame.to_pylist() == rows.to_pylist()
    assert pa.Table.from_batches(frame.collect()).equals(rows)
    pd.testing.assert_frame_equal(frame.to_pandas(), rows.to_pandas())
    assert frame.to_polars().equals(pl.DataFrame(rows))
    assert pa.table(frame).equals(rows)
    assert frame.count() == 50


def test_result_shown_to_people(
    con: springald.Connection, capsys: pytest.CaptureFixture[str]
) -> None:
    """`show()` prints rows, `explain()` plans with stages, and a notebook gets a table."""
    frame = con.sql("SELECT id, s FROM numbers ORDER BY id")
    frame.show(3)
    shown = capsys.readouterr().out
    assert all(text in shown for text in ("id", "s", "2"))
    assert "17" not in shown
    frame.explain()
    explained = capsys.readouterr().out
    assert all(text in explained for text in ("logical_plan", "physical_plan", "stages"))
    assert "Stage 1" in explained
    html = frame._repr_html_()
    assert "<table" in html
    assert "<td" in html


def test_large_result_is_not_asked_of_the_scheduler(con: springald.Connection) -> None:
    """Rows come from executors; the scheduler's own answers stay below the message limit."""
    rows = con.sql("SELECT id, repeat(s, 2000) AS long FROM numbers").to_arrow()
    assert rows.num_rows == NUMBERS_ROWS
    assert rows.nbytes > 16 * 1024 * 1024


def test_frame_limited_keeps_the_query_s_order(con: springald.Connection, numbers: Path) -> None:
    """`limit`, `head` and `table` are queries themselves."""
    frame = con.sql("SELECT id FROM numbers ORDER BY id DESC")
    assert frame.limit(2, offset=1).to_pydict() == {"id": [NUMBERS_ROWS - 2, NUMBERS_ROWS - 3]}
    assert frame.head(1).to_pydict() == {"id": [NUMBERS_ROWS - 1]}
    assert con.table("numbers").count() == NUMBERS_ROWS
    assert len(list(numbers.iterdir())) > 1
