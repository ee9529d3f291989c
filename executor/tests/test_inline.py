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
    """The rows go partition by partition, and no file is made for them."""
    report = bench.run(bench.request(stage, [0, 1]))
    assert pa.ipc.open_stream(report.rows).read_all() == pa.table({"k": range(200)})
    assert [part.rows for part in report.output.partitions()] == [100, 100]
    assert not report.output.path
    assert not list(bench.folder.rglob("output.arrow"))


def test_result_has_the_types_that_were_promised(bench: Bench, stage: StageDefinition) -> None:
    """A file holds plain types, and remembers which ones the client wants."""
    wanted = pa.schema([("k", pa.dictionary(pa.int8(), pa.int64()))])
    schema = with_result_schema(SCHEMA, wanted).serialize().to_pybytes()
    report = bench.run(bench.request(replace(stage, schema=schema), [0, 1]))
    table = pa.ipc.open_stream(report.rows).read_all()
    assert table.schema == wanted
    assert table["k"].to_pylist() == list(range(200))


def test_result_that_grows_with_its_types_stays_in_its_file(
    bench: Bench, stage: StageDefinition
) -> None:
    """What was small enough as it lies in a file may be too large as the client wants it."""
    wanted = pa.schema([("k", pa.decimal256(40))])
    schema = with_result_schema(SCHEMA, wanted).serialize().to_pybytes()
    changed = replace(stage, schema=schema, inline_rows_bytes_max=4_000)
    report = bench.run(bench.request(changed, [0, 1]))
    assert report.rows == b""
    assert rows(report.output)["k"].to_pylist() == list(range(200))


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
    report = bench.run(bench.request(replace(stage, **changes), partitions))
    assert report.rows == b""
    assert rows(report.output).num_rows == 100 * len(partitions)
