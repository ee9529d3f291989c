"""The engine's sinks: what they forget on the way to where they run is said in words."""

from pathlib import Path

import pyarrow as pa
import pytest
from datafusion import SessionContext
from datafusion.plan import ExecutionPlan

from springald.engine import plan_view as pv
from springald.engine import sinks

TIMES = pa.table(
    {
        "day": pa.array([0, None, -1_000_000, 10_000_000], pa.date32()),
        "instant": pa.array([0, None, -86_400_001, 1], pa.date64()),
        "seconds": pa.array([0, None, -99_999_999_999, 1], pa.timestamp("s")),
        "nanoseconds": pa.array([0, None, 1, 1_000_000], pa.timestamp("ns")),
        "zoned": pa.array([0, None, 1, -1], pa.timestamp("us", "+02:00")),
        "time": pa.array([0, None, 3_000_001, 1_000], pa.time64("us")),
        "short_time": pa.array([0, None, 3_001, 1_000], pa.time32("ms")),
    }
)
FORMATS = "'date_format' '%d', 'datetime_format' '%j', 'timestamp_format' '%s', 'time_format' '%H'"


@pytest.mark.parametrize(
    "options", ["'has_header' 'true'", FORMATS, "'date_format' '%d'", "'null_value' 'none'"]
)
def test_csv_sink_writes_times_as_the_engine_does(tmp_path: Path, options: str) -> None:
    """A sink that was written down has all values of a column, in the format that was asked for."""
    context = SessionContext()
    context.register_record_batches("times", [TIMES.to_batches()])
    sql = f"COPY times TO '{tmp_path}/theirs.csv' OPTIONS ({options})"
    theirs = context.sql(sql).execution_plan()
    list(context.execute(theirs, 0))

    marked = sinks.marked(pv.parse(theirs.to_bytes(context)))
    placed = sinks.placed(marked, f"{tmp_path}/ours.csv")
    list(context.execute(ExecutionPlan.from_bytes(context, pv.serialize(placed)), 0))
    assert (tmp_path / "ours.csv").read_text() == (tmp_path / "theirs.csv").read_text()
