"""Sinks of the engine that were written down write what they would have written."""

from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from datafusion import SessionConfig, SessionContext
from datafusion.plan import ExecutionPlan

from springald.engine import plan_view as pv
from springald.engine import sinks

MOMENT = datetime(2020, 1, 2, 3, 4, 5, 678)  # noqa: DTZ001 - a column without a zone
ROWS = pa.table(
    {
        "i": [1, 2, None],
        "s": ['x"y', "p;q\\z", None],
        "f": [1.5, float("nan"), None],
        "b": [True, False, None],
        "m": [Decimal("1.10"), None, Decimal("-3.00")],
        "d": [date(2020, 1, 2), date(1, 1, 1), None],
        "d64": pa.array([0, 86_400_000, None], pa.date64()),
        "us": [MOMENT, None, MOMENT.replace(microsecond=0)],
        "far": pa.array([2**55, -(2**55), None], pa.timestamp("us")),
        "ns": pa.array([1, 1_000, 10**18], pa.timestamp("ns")),
        "ms": pa.array([1_500, 2, None], pa.timestamp("ms")),
        "sec": pa.array([1, 0, None], pa.timestamp("s")),
        "zone": pa.array([1_500, 2, None], pa.timestamp("ms", "+02:00")),
        "t": [time(1, 2, 3), time(1, 2, 3, 4), None],
        "t32": pa.array([1, 0, None], pa.time32("ms")),
        "t64": pa.array([1, 0, None], pa.time64("ns")),
    }
)
OPTIONS = {
    "csv": [
        ("has_header", "false"), ("delimiter", "|"), ("quote", "*"), ("escape", "\\"),
        ("double_quote", "false"), ("null_value", "none"), ("date_format", "%d.%m.%Y"),
        ("datetime_format", "%d/%m"), ("timestamp_format", "%Y"), ("time_format", "%H"),
        ("compression", "gzip"), ("compression", "zstd"), ("compression", "bzip2"),
        ("compression", "xz"), ("quote_style", "Always"), ("quote_style", "Never"),
        ("quote_style", "NonNumeric"), ("ignore_leading_whitespace", "true"),
    ],
    "json": [("compression", "gzip"), ("compression", "xz"), ("newline_delimited", "false")],
    "parquet": [
        ("compression", "snappy"), ("compression", "gzip(9)"), ("compression::i", "snappy"),
        ("max_row_group_size", "2"), ("dictionary_enabled", "false"),
        ("dictionary_enabled::s", "false"), ("statistics_enabled", "none"),
        ("statistics_enabled::i", "none"), ("bloom_filter_on_write", "true"),
        ("bloom_filter_enabled::i", "true"), ("bloom_filter_fpp::i", "0.001"),
        ("writer_version", "2.0"), ("created_by", "me"), ("encoding", "plain"),
        ("encoding::f", "plain"), ("data_pagesize_limit", "100"),
        ("data_page_row_count_limit", "1"), ("statistics_truncate_length", "2"),
        ("skip_arrow_metadata", "true"),
    ],
}  # fmt: skip


def written(path: Path, plan: ExecutionPlan, context: SessionContext) -> bytes:
    """Runs a plan that writes a file, and returns this."""
    path.parent.mkdir()
    (count,) = (batch.to_pyarrow().column(0)[0].as_py() for batch in context.execute(plan, 0))
    assert count == ROWS.num_rows
    return path.read_bytes()


@pytest.mark.parametrize(
    ("form", "option"),
    [(form, option) for form, options in OPTIONS.items() for option in [None, *options]],
    ids=lambda value: "=".join(value) if isinstance(value, tuple) else str(value),
)
def test_sink_that_was_written_down_writes_the_same_bytes(
    tmp_path: Path, form: str, option: tuple[str, str] | None
) -> None:
    """Each option of each format arrives, and each type becomes the same text or bytes."""
    context = SessionContext(SessionConfig().with_target_partitions(1))
    context.register_record_batches("t", [ROWS.to_batches()])
    told = f"OPTIONS ('{option[0]}' '{option[1]}')" if option else ""
    paths = [tmp_path / name / "file" for name in ("want", "got")]
    plans = [
        context.sql(f"COPY t TO '{path}.{form}' STORED AS {form} {told}").execution_plan()
        for path in paths
    ]
    want = written(paths[0].with_suffix(f".{form}"), plans[0], context)
    root = sinks.marked(pv.parse(plans[1].to_bytes(context)))
    place = str(paths[1].with_suffix(f".{form}"))
    plan = ExecutionPlan.from_bytes(context, pv.serialize(sinks.placed(root, place)))
    assert written(Path(place), plan, context) == want
    if form == "parquet":
        assert pq.read_table(place).num_rows == ROWS.num_rows
