"""Engine sessions that cannot make a distributed answer wrong."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from springald.engine.session import DEFAULT_SETTINGS, PINNED_SETTINGS, make_context


def _shown(settings: dict[str, str], name: str) -> str:
    context = make_context(settings, partitions=3)
    return str(context.sql(f"SHOW {name}").to_pylist()[0]["value"])


@pytest.mark.parametrize("name", sorted(PINNED_SETTINGS))
def test_make_context_pins_settings_over_a_session_s_own(name: str) -> None:
    """A pinned setting has its value whatever it is given, and the engine knows it."""
    assert (
        _shown({name: "mysql" if name.endswith("dialect") else "true"}, name)
        == (PINNED_SETTINGS[name])
    )


def test_make_context_starts_from_defaults_that_a_session_may_change() -> None:
    """Springald's own defaults are no more than that."""
    for name, value in DEFAULT_SETTINGS.items():
        assert _shown({}, name) == value
        assert _shown({name: "7"}, name) == "7"
    assert _shown({}, "datafusion.execution.target_partitions") == "3"


def test_make_context_sees_files_that_came_after_the_first_query(tmp_path: Path) -> None:
    """A folder is listed for each query: the engine's own sessions never look again."""
    pq.write_table(pa.table({"a": [1, 2]}), tmp_path / "0.parquet")
    context = make_context({}, partitions=2)
    context.sql(f"CREATE EXTERNAL TABLE t STORED AS PARQUET LOCATION '{tmp_path}/'")
    query = "SELECT count(*) AS n, sum(a) AS s FROM t"
    assert context.sql(query).to_pylist() == [{"n": 2, "s": 3}]
    pq.write_table(pa.table({"a": [10]}), tmp_path / "1.parquet")
    assert context.sql(query).to_pylist() == [{"n": 3, "s": 13}]
    pq.write_table(pa.table({"a": list(range(100))}), tmp_path / "0.parquet")
    assert context.sql(query).to_pylist() == [{"n": 101, "s": 4960}]
    (tmp_path / "0.parquet").unlink()
    assert context.sql(query).to_pylist() == [{"n": 1, "s": 10}]


def test_make_context_bounds_memory_and_spills_where_it_is_told(tmp_path: Path) -> None:
    """A sort that does not fit spills; what cannot spill fails with the limit's name."""
    context = make_context({}, partitions=1, memory_bytes=24 << 20, spill_dir=tmp_path)
    plan = context.sql(
        "SELECT value FROM generate_series(1, 3000000) ORDER BY value * 7 % 1000003"
    ).execution_plan()
    spilled = False
    rows = 0
    for batch in context.execute(plan, 0):
        spilled = spilled or any(path.is_file() for path in tmp_path.rglob("*"))
        rows += batch.to_pyarrow().num_rows
    assert rows == 3_000_000
    assert spilled
    with pytest.raises(Exception, match="Resources exhausted"):
        context.sql("SELECT array_agg(value) FROM generate_series(1, 9000000)").collect()
