"""Queries that need more memory than an executor has: they spill, or fail and say so."""

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

import springald
from cluster.fixtures import started_in
from cluster.footprint import Footprint
from cluster.health import slots_free, slots_total
from cluster.tables import BUSY_ROWS, SPREAD
from cluster.waiting import wait_until
from springald.errors import OutOfMemoryError

_MEMORY_BYTES = 48 * 1024 * 1024


@pytest.fixture(scope="module")
def footprint(tmp_path_factory: pytest.TempPathFactory) -> Footprint:
    """Looks at the module's own cluster from outside."""
    return Footprint(tmp_path_factory.mktemp("own"))


@pytest.fixture(scope="module")
def cluster(footprint: Footprint) -> Iterator[springald.LocalCluster]:
    """A cluster whose executors have little memory."""
    with started_in(footprint, memory=_MEMORY_BYTES) as started:
        yield started


def test_executors_tell_their_memory(patient: springald.LocalCluster) -> None:
    """The memory that an executor was started with is what it deals out."""
    with patient.connect() as con:
        assert {executor.memory_bytes for executor in con.executors()} == {_MEMORY_BYTES}


def test_query_larger_than_memory_spills_and_finishes(
    patient: springald.LocalCluster, busy: Path
) -> None:
    """A sort of more bytes than an executor has memory is right, because it spills."""
    with patient.connect(**SPREAD) as con:
        con.register_parquet("busy", busy)
        wide = "SELECT id, repeat(s, 60) AS pad FROM busy"
        size = con.sql(f"SELECT sum(length(pad)) FROM ({wide})").to_arrow().column(0)[0].as_py()
        assert size > 2 * _MEMORY_BYTES
        job = con.sql(f"SELECT id, pad FROM ({wide}) ORDER BY pad DESC, id").execute()
        rows, last = 0, ""
        for batch in job.result_batches():
            rows += batch.num_rows
            pads = batch.column("pad")
            assert not last or pads[0].as_py() <= last
            last = pads[-1].as_py()
        assert rows == BUSY_ROWS
        assert last.startswith("0")


def test_query_that_cannot_spill_fails_and_names_the_executor(
    patient: springald.LocalCluster, busy: Path
) -> None:
    """What must be in memory and does not fit ends in OUT_OF_MEMORY, with its place.

    The executor and its neighbours live on.
    """
    with patient.connect(**SPREAD) as con:
        con.register_parquet("busy", busy)
        job = con.sql(
            "SELECT k % 2 AS g, array_agg(repeat(s, 100)) AS pads FROM busy GROUP BY k % 2"
        ).execute()
        with pytest.raises(OutOfMemoryError) as raised:
            job.result()
        error = raised.value
        assert (error.fault, error.retryable) == ("cluster", False)
        assert error.executor_id in {executor.id for executor in con.executors()}
        assert error.node_id.startswith(f"{job.id}/s")
        wait_until(lambda: slots_free(con) == slots_total(con), "all slots are free")
        assert con.sql("SELECT count(*) FROM busy").to_arrow().column(0)[0].as_py() == BUSY_ROWS
    assert all(executor.is_alive for executor in patient.executors)


def test_result_larger_than_memory_is_made_and_read(patient: springald.LocalCluster) -> None:
    """A result is written as it is made: its size is not bounded by an executor's memory."""
    rows = 600_000
    with patient.connect() as con:
        read = bytes_read = 0
        sql = f"SELECT value, repeat('x', 300) AS pad FROM generate_series(1, {rows})"
        for batch in con.sql(sql).to_batches():
            read += batch.num_rows
            bytes_read += batch.nbytes
        assert read == rows
        assert bytes_read > 3 * _MEMORY_BYTES


def test_upload_larger_than_memory_is_taken(patient: springald.LocalCluster) -> None:
    """An upload is stored as it arrives: its size is not bounded by an executor's memory."""
    block = pa.record_batch({"pad": ["x" * 1000] * 10_000})
    blocks = 12
    reader = pa.RecordBatchReader.from_batches(block.schema, (block for _ in range(blocks)))
    assert blocks * block.nbytes > 2 * _MEMORY_BYTES
    with patient.connect(**SPREAD) as con:
        con.register("sent", reader)
        counted = con.sql("SELECT count(*) AS n, min(length(pad)) AS l FROM sent").to_pydict()
        assert counted == {"n": [blocks * block.num_rows], "l": [1000]}
