"""Rows of small results, which go with the report of their task."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from executor_kit import Bench, context_over, parquet_files, plan_of, rows, stage_of

from springald.results import with_result_schema
from springald_executor.core.model import ExchangeKind, StageDefinition

SCHEMA = pa.schema([("k", pa.int64())])


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """A runner below a folder that also holds the tables."""
    return Bench(tmp_path)


@pytest.fixture
def stage(bench: Bench) -> StageDefinition:
    """A result of two partitions with 100 rows each, which may be inline."""
    tables = [pa.table({"k": range(n * 100, n * 100 + 100)}) for n in range(2)]
    parquet_files(bench.folder / "t", tables)
    plan = plan_of(context_over(2, t=bench.folder / "t"), "SELECT k FROM t")
    return replace(stage_of(plan, SCHEMA, output_partitions=2), inline_rows_bytes_max=10_000)


def test_small_result_goes_with_its_report(bench: Bench, stage: StageDefinition) -> None:
    """The rows are those of the file, partition by partition."""
    report = bench.run(bench.request(stage, [0, 1]))
    assert pa.ipc.open_stream(report.rows).read_all() == rows(report.output)


def test_result_has_the_types_that_were_promised(bench: Bench, stage: StageDefinition) -> None:
    """A file holds plain types, and remembers which ones the client wants."""
    wanted = pa.schema([("k", pa.dictionary(pa.int8(), pa.int64()))])
    schema = with_result_schema(SCHEMA, wanted).serialize().to_pybytes()
    report = bench.run(bench.request(replace(stage, schema=schema), [0, 1]))
    table = pa.ipc.open_stream(report.rows).read_all()
    assert table.schema == wanted
    assert table["k"].to_pylist() == rows(report.output)["k"].to_pylist()


@pytest.mark.parametrize(
    ("changes", "partitions"),
    [
        ({"inline_rows_bytes_max": 1_000}, [0, 1]),
        ({"inline_rows_bytes_max": 0}, [0, 1]),
        ({}, [0]),
        ({"output": ExchangeKind.SINGLE}, [0, 1]),
    ],
    ids=["too-large", "not-wanted", "a-part", "no-result"],
)
def test_rows_stay_in_their_file(
    bench: Bench, stage: StageDefinition, changes: dict[str, Any], partitions: list[int]
) -> None:
    """Only a whole result goes along, and only up to the size that was asked for."""
    assert bench.run(bench.request(replace(stage, **changes), partitions)).rows == b""
