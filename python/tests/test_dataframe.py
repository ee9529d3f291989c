"""A DataFrame holds a query, and runs it when rows are asked for."""

import re
import tracemalloc
from collections.abc import Callable, Iterator

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from fake_cluster import FakeCluster, Script, syntax_error

from springald.client import Connection
from springald.dataframe import DataFrame
from springald.errors import (
    DivisionByZeroError,
    InvalidArgumentError,
    SqlSyntaxError,
    UnsupportedError,
)
from springald.expr import col

ROWS = pa.table({"a": [1, 2, 3], "b": ["x", None, "z"]})


@pytest.fixture
def rows(cluster: FakeCluster) -> pa.Table:
    """What every statement returns."""
    cluster.default = Script(rows=ROWS, parts=2)
    return ROWS


def test_sql_query_is_lazy(cluster: FakeCluster, con: Connection, rows: pa.Table) -> None:
    """A query runs when rows are asked for, each time anew."""
    frame = con.sql("SELECT * FROM t")
    assert cluster.executed() == []
    assert frame.to_arrow().equals(rows)
    assert frame.to_arrow_table().equals(rows)
    assert cluster.executed() == ["SELECT * FROM t"] * 2


def test_sql_statement_takes_effect_at_once(cluster: FakeCluster, con: Connection) -> None:
    """A statement that is no query has run when `sql` returns, and never runs again."""
    cluster.default = Script(rows=pa.table({}), inline=True)
    frame = con.sql("SET a = 1")
    assert cluster.executed() == ["SET a = 1"]
    assert frame.to_arrow().num_rows == 0
    assert frame.count() == 0
    assert frame.schema.names == []
    assert frame.execute().statement == "SET a = 1"
    assert cluster.executed() == ["SET a = 1"]


def test_sql_statement_refused_raises_at_once(cluster: FakeCluster, con: Connection) -> None:
    """What is wrong with a statement is raised by `sql`, with a caret."""
    cluster.scripts["CREATE TABEL t"] = Script(refusal=syntax_error(1, 8))
    with pytest.raises(SqlSyntaxError, match=r"CREATE TABEL t\n +\^"):
        con.sql("CREATE TABEL t")


def test_schema_query_is_planned_not_run(
    cluster: FakeCluster, con: Connection, rows: pa.Table
) -> None:
    """The schema comes from planning, and is asked for once."""
    frame = con.sql("SELECT * FROM t")
    assert frame.schema.equals(rows.schema)
    assert frame.columns == ["a", "b"]
    assert cluster.executed() == []
    assert cluster.calls.count("describe query") == 1


def test_schema_syntax_error_has_a_caret(cluster: FakeCluster, con: Connection) -> None:
    """An error of planning points into the text too."""
    cluster.scripts["SELECT\n  x FORM t"] = Script(refusal=syntax_error(2, 5))
    with pytest.raises(SqlSyntaxError) as caught:
        con.sql("SELECT\n  x FORM t").schema  # noqa: B018 - it asks
    assert str(caught.value).endswith("line 2:   x FORM t\n            ^")


def test_conversions_rows_arrive_in_each_library(con: Connection, rows: pa.Table) -> None:
    """The same rows come as whatever the caller works with."""
    frame = con.sql("SELECT 1")
    pandas, polars = frame.to_pandas(), frame.to_polars()
    assert isinstance(pandas, pd.DataFrame)
    assert isinstance(polars, pl.DataFrame)
    assert pandas["a"].tolist() == [1, 2, 3]
    assert polars["b"].to_list() == ["x", None, "z"]
    assert frame.to_pydict() == rows.to_pydict()
    assert frame.to_pylist() == rows.to_pylist()
    assert pa.Table.from_batches(frame.collect()).equals(rows)


def test_arrow_c_stream_other_library_reads_rows(con: Connection, rows: pa.Table) -> None:
    """Any library that reads the Arrow C stream interface reads a DataFrame."""
    assert pa.table(con.sql("SELECT 1")).equals(rows)
    assert pl.DataFrame(con.sql("SELECT 1"))["a"].to_list() == [1, 2, 3]


def test_count_rows_are_counted_by_the_cluster(cluster: FakeCluster, con: Connection) -> None:
    """Counting fetches a number and no rows."""
    cluster.scripts["SELECT count(*) FROM (\nSELECT * FROM t\n)"] = Script(
        rows=pa.table({"n": [42]})
    )
    assert con.sql("SELECT * FROM t;").count() == 42


def test_count_not_nestable_reads_rows(con: Connection, rows: pa.Table) -> None:
    """What cannot stand in a FROM is counted by reading it."""
    assert con.sql("SHOW TABLES").count() == rows.num_rows


def test_limit_head_and_show_send_a_limit(
    cluster: FakeCluster, con: Connection, capsys: pytest.CaptureFixture[str], rows: pa.Table
) -> None:
    """Only the rows that are wanted are computed and fetched."""
    frame = con.sql("SELECT * FROM t")
    frame.limit(7, 2).to_arrow()
    frame.head().to_arrow()
    frame.show(3)
    assert cluster.executed() == [
        "SELECT * FROM t\nLIMIT 7 OFFSET 2",
        "SELECT * FROM t\nLIMIT 5",
        "SELECT * FROM t\nLIMIT 3",
    ]
    assert "| 3 | z    |" in capsys.readouterr().out
    assert rows.num_rows == 3


def test_limit_negative_is_refused(con: Connection) -> None:
    """A limit is at least 0, and is checked before anything runs."""
    with pytest.raises(InvalidArgumentError, match="at least 0"):
        con.sql("SELECT 1").limit(-1)


@pytest.mark.parametrize(
    ("mistake", "words"),
    [
        (lambda rows: rows.limit("3"), "got '3' and 0"),
        (lambda rows: rows.limit(2**63), "at most 9223372036854775807"),
        (lambda rows: rows.repartition(-1), "partitions are at least 0"),
        (lambda rows: rows.union("t"), "got 't' of type str"),
        (lambda rows: rows.select(""), "a column's name has a character at least"),
        (lambda rows: rows.drop('""'), "a column's name has a character at least"),
        (lambda rows: rows.with_column("", col("a")), "a column's name has a character"),
        (lambda rows: rows.alias(""), "an alias has a character at least"),
        (lambda rows: rows.join("t", on="a"), "got 't' of type str"),
        (lambda rows: rows.write_parquet("t.parquet", compression="zip"), "got 'zip'"),
    ],
)
def test_step_with_a_wrong_argument_is_refused_before_anything_runs(
    cluster: FakeCluster, con: Connection, mistake: Callable[[DataFrame], object], words: str
) -> None:
    """What cannot be part of a plan is told when it is given, as an error of the caller."""
    with pytest.raises(InvalidArgumentError, match=re.escape(words)):
        mistake(con.sql("SELECT 1 AS a"))
    assert cluster.executed() == []
    with pytest.raises(UnsupportedError, match="SHOW"):
        con.sql("SHOW TABLES").head()


def test_new_columns_of_one_text_are_made_one_after_the_other(con: Connection) -> None:
    """Columns without an alias take each other's place like those with one."""
    rows = con.sql("SELECT 1 AS a")
    assert repr(rows.with_columns(col("a") + 1, col("a") + 1)).count("WithColumns") == 2
    assert repr(rows.with_columns(col("a") + 1, col("a") + 2)).count("WithColumns") == 1


def test_show_not_nestable_shows_first_rows(
    con: Connection, capsys: pytest.CaptureFixture[str], rows: pa.Table
) -> None:
    """`SHOW` and its like are cut after they ran."""
    con.sql("SHOW TABLES").show(1)
    out = capsys.readouterr().out
    assert "| 1 | x |" in out
    assert "2" not in out
    assert rows.num_rows == 3


def test_explain_query_prints_plans(
    cluster: FakeCluster, con: Connection, capsys: pytest.CaptureFixture[str]
) -> None:
    """`explain` prints each plan under its kind."""
    plans = pa.table({"plan_type": ["logical_plan", "stages"], "plan": ["Projection", "stage 1"]})
    cluster.default = Script(rows=plans, inline=True)
    con.sql("SELECT 1;").explain()
    con.sql("SELECT 1").explain(verbose=True)
    con.sql("EXPLAIN SELECT 2").explain()
    assert cluster.executed() == [
        "EXPLAIN SELECT 1",
        "EXPLAIN VERBOSE SELECT 1",
        "EXPLAIN SELECT 2",
    ]
    assert "logical_plan:\nProjection\n" in capsys.readouterr().out


def test_explain_analyze_runs_and_prints_figures(
    cluster: FakeCluster, con: Connection, capsys: pytest.CaptureFixture[str]
) -> None:
    """With `analyze` the scheduler runs the query and answers with what was measured."""
    plans = pa.table({"plan_type": ["stages"], "plan": ["9 rows"]})
    cluster.default = Script(rows=plans, inline=True)
    con.sql("SELECT 1").explain(analyze=True)
    con.sql("SELECT 1").explain(verbose=True, analyze=True)
    assert cluster.executed() == ["EXPLAIN ANALYZE SELECT 1", "EXPLAIN ANALYZE VERBOSE SELECT 1"]
    assert "stages:\n9 rows\n" in capsys.readouterr().out
    cluster.default = Script(error=DivisionByZeroError("1 / 0"))
    with pytest.raises(DivisionByZeroError):
        con.sql("SELECT 1 / 0").explain(analyze=True)


def test_repr_lazy_query_does_not_run(cluster: FakeCluster, con: Connection) -> None:
    """Looking at a DataFrame in a debugger starts nothing."""
    assert repr(con.sql("SELECT\n 1")) == "DataFrame('SELECT 1')"
    assert cluster.executed() == []


def test_repr_html_values_are_escaped_and_rows_limited(
    cluster: FakeCluster, con: Connection
) -> None:
    """In a notebook a few rows are shown, and nothing in them is markup."""
    cluster.default = Script(rows=pa.table({"a": ["<script>"] * 21}))
    html = con.sql("SELECT a FROM t")._repr_html_()
    assert "<script>" not in html
    assert html.count("&lt;script&gt;") == 20
    assert "the first 20 rows" in html
    assert cluster.executed() == ["SELECT a FROM t\nLIMIT 21"]


def test_iteration_gives_the_batches(con: Connection, rows: pa.Table) -> None:
    """A loop over a DataFrame runs it, as one of datafusion-python does."""
    assert pa.Table.from_batches(con.sql("SELECT * FROM t")).equals(rows)


def test_to_batches_large_result_streams_in_constant_memory(
    cluster: FakeCluster, con: Connection
) -> None:
    """A result that is far larger than what the client holds passes through, batch by batch."""
    schema = pa.schema([("a", pa.int64())])
    batch = pa.record_batch([pa.array(range(128 * 1024), pa.int64())], schema=schema)
    batches = 200
    cluster.default = Script(schema=schema, batches=lambda: iter([batch] * batches))
    pool = pa.default_memory_pool()
    tracemalloc.start()
    before, peak, rows = pool.bytes_allocated(), 0, 0
    with con.sql("SELECT a FROM big").to_batches() as reader:
        for received in reader:
            rows += received.num_rows
            peak = max(peak, pool.bytes_allocated() - before)
    tracemalloc.stop()
    assert rows == batches * batch.num_rows
    assert peak < 32 * batch.nbytes, "of 200 batches the client holds a few"


def test_to_batches_first_rows_arrive_before_the_last_are_made(
    cluster: FakeCluster, con: Connection
) -> None:
    """Reading does not wait for the whole result."""
    made: list[int] = []
    schema = pa.schema([("a", pa.binary())])

    def batches() -> Iterator[pa.RecordBatch]:
        for number in range(100):
            made.append(number)
            yield pa.record_batch([[b"x" * 1024 * 1024]], schema=schema)

    cluster.default = Script(schema=schema, batches=batches)
    with con.sql("SELECT a FROM big").to_batches() as reader:
        assert reader.schema.equals(schema)
        reader.read_next_batch()
        assert len(made) < 100
