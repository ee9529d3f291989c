"""DataFrames on a real cluster: plans, rows of the caller, what is kept, and errors."""

from pathlib import Path

import pyarrow as pa
import pytest

import springald
from springald import col, lit
from springald import functions as f
from springald.expr import Window, exists, outer_col, placeholder
from springald.sql_text import quote_name

LARGE = pa.table({"k": pa.array(range(50_000), pa.int64()), "g": [at % 7 for at in range(50_000)]})


def test_dataframe_of_rows_in_memory_is_spread(con: springald.Connection) -> None:
    """Rows that were sent once are grouped, joined and sorted by several executors."""
    con.sql("SET springald.distribution = 'always'")
    rows = con.from_arrow(LARGE)
    names = con.from_pydict({"g": [0, 1, 2], "name": ["a", "b", "c"]})
    summed = (
        rows.join(names, on="g")
        .group_by("name")
        .agg(f.sum(col("k")).alias("sum"), f.count().alias("n"))
        .with_column("rank", f.rank(order_by=col("sum").sort(ascending=False)))
        .sort("name")
    )
    keys = {name: [at for at in range(50_000) if at % 7 == g] for g, name in enumerate("abc")}
    assert summed.to_pydict() == {
        "name": ["a", "b", "c"],
        "sum": [sum(keys[name]) for name in "abc"],
        "n": [len(keys[name]) for name in "abc"],
        "rank": [3, 2, 1],
    }
    con.sql("SET springald.distribution = 'auto'")


def test_dataframe_cached_is_read_again_from_the_cluster(con: springald.Connection) -> None:
    """What `cache` keeps is a table of the cluster; the query is not run again."""
    kept = con.from_arrow(LARGE).filter(col("g") == 3).with_column("r", f.random()).cache()
    first = kept.sort("k").to_arrow()
    assert kept.sort("k").to_arrow().equals(first)
    assert first.num_rows == kept.count() == 7143


def test_dataframe_with_subqueries_and_windows(con: springald.Connection) -> None:
    """Correlated subqueries and windows of plans run on executors."""
    rows, others = con.from_arrow(LARGE), con.from_pydict({"w": [0, 49_999]})
    ends = rows.filter(exists(others.filter(col("w") == outer_col("k"))))
    numbered = ends.select("k", f.row_number().over(Window(order_by="k")).alias("n")).sort("k")
    assert numbered.to_pydict() == {"k": [0, 49_999], "n": [1, 2]}


def test_dataframe_writes_and_reads_files(con: springald.Connection, tmp_path: Path) -> None:
    """A file that the client writes is what the cluster reads."""
    rows = con.from_arrow(LARGE)
    for name in ("parquet", "csv", "json"):
        path = tmp_path / f"t.{name}"
        getattr(rows, f"write_{name}")(path, **({"with_header": True} if name == "csv" else {}))
        back = getattr(con, f"read_{name}")(path)
        assert back.aggregate([], [f.sum(col("k")).alias("s")]).to_pydict() == {
            "s": [sum(range(50_000))]
        }


def test_dataframe_with_parameters_runs_with_each_value(con: springald.Connection) -> None:
    """A plan with a placeholder has the rows of the value that it is given."""
    rows = con.sql("SELECT * FROM generate_series(1, 10)").filter(col("value") > placeholder("low"))
    assert [rows.with_parameters(low=low).count() for low in (0, 7, 10)] == [10, 3, 0]
    query = "SELECT $1 + 1 AS n, $2 AS s"
    assert con.sql(query, [1, "x; DROP TABLE t"]).to_pydict() == {
        "n": [2],
        "s": ["x; DROP TABLE t"],
    }


def test_dataframe_error_names_the_part_of_the_plan(con: springald.Connection) -> None:
    """What is wrong with a plan is said with the step that it is in."""
    rows = con.from_pydict({"a": [1], "b": ["x"]})
    with pytest.raises(springald.errors.UnknownColumnError, match=r"'zz'; there are a, b.*\n.*zz"):
        rows.filter(col("zz") > 1).schema()
    with pytest.raises(springald.errors.TypeMismatchError, match="Filter: "):
        rows.filter(col("b") + 1 > 2).to_arrow()
    with pytest.raises(springald.errors.CastFailedError):
        rows.select(col("b").cast(int).alias("n")).to_arrow()


def test_dataframe_of_columns_of_one_name_or_none(con: springald.Connection) -> None:
    """P8.2: names of columns need not be unique; one may be empty, and is read by position."""
    rows = pa.table([[1], [2], [3]], names=["a", "", "a"])
    assert con.from_arrow(rows).to_arrow() == rows
    assert con.from_arrow(rows).filter(lit(value=True)).to_arrow() == rows


def test_dataframe_of_a_view_with_an_odd_name(con: springald.Connection) -> None:
    """Names of tables and columns are taken as they are."""
    rows = con.from_pydict({"A b": [1, 2], "c.d": [3, 4]})
    con.register_view("My View", rows.filter(col("A b") > lit(1)))
    assert con.table("My View").select('"c.d"').to_pydict() == {"c.d": [4]}
    assert con.sql(f"SELECT count(*) AS n FROM {quote_name('My View')}").to_pydict() == {"n": [1]}
    con.deregister_table("My View")
