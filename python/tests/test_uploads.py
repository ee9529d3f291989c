"""Rows in memory become a table, whichever library holds them."""

from collections.abc import Iterator

import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from fake_cluster import FakeCluster
from pyarrow import flight

from springald import client_limits
from springald.client import Connection
from springald.errors import FetchFailedError, InvalidArgumentError
from springald.flight_rows import blocks_of
from springald.uploads import Tabular

TABLE = pa.table({"a": [1, 2, 3], "b": ["x", None, "z"]})


@pytest.mark.parametrize(
    "rows",
    [
        TABLE,
        TABLE.to_batches()[0],
        TABLE.to_batches(),
        TABLE.to_reader(),
        TABLE.to_pydict(),
        TABLE.to_pandas(),
        pl.from_arrow(TABLE),
        pd.DataFrame(TABLE.to_pydict()),
    ],
    ids=lambda rows: type(rows).__module__ + "." + type(rows).__name__,
)
def test_register_rows_of_any_library_are_stored(
    cluster: FakeCluster, con: Connection, rows: Tabular
) -> None:
    """The rows arrive once, with their schema, under the name."""
    con.register("t", rows)
    (stored,) = cluster.uploads.values()
    assert stored.to_pydict() == TABLE.to_pydict()
    assert con.tables()["t"].schema.names == ["a", "b"]
    assert con.tables()["t"].schema.equals(stored.schema)


def test_register_no_rows_keeps_schema(cluster: FakeCluster, con: Connection) -> None:
    """An empty table is a table."""
    con.register("t", TABLE.slice(0, 0))
    assert cluster.uploads["u1"].schema.equals(TABLE.schema)
    assert cluster.uploads["u1"].num_rows == 0


@pytest.mark.parametrize("rows", [42, "text", [], [1, 2], {"a": object()}, [TABLE]])
def test_register_something_else_is_refused(
    cluster: FakeCluster, con: Connection, rows: Tabular
) -> None:
    """What is not rows is refused before anything is sent, with what would do."""
    with pytest.raises(InvalidArgumentError, match="rows"):
        con.register("t", rows)
    assert cluster.uploads == {}


def test_register_batches_of_two_schemas_are_refused(con: Connection) -> None:
    """A list of batches has one schema."""
    other = pa.record_batch({"c": [1]})
    with pytest.raises(InvalidArgumentError, match="one schema"):
        con.register("t", [TABLE.to_batches()[0], other])


def test_register_executor_gone_is_typed(cluster: FakeCluster, con: Connection) -> None:
    """An upload to an executor that is gone is the cluster's fault, and names it."""
    cluster.flight.shutdown()
    with pytest.raises(FetchFailedError, match=cluster.flight.address):
        con.register("t", TABLE)


def test_register_executor_refuses_in_the_middle_is_typed(
    cluster: FakeCluster, con: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the executor says while it stores is what the caller gets."""

    def refuse(*_: object) -> None:
        raise flight.FlightServerError("disk full")

    monkeypatch.setattr(cluster.flight, "do_put", refuse)
    with pytest.raises(FetchFailedError, match="disk full"):
        con.register("t", pa.table({"a": list(range(1_000_000))}))
    assert "t" not in con.tables()


def test_register_source_fails_in_the_middle_is_not_stored(
    cluster: FakeCluster, con: Connection
) -> None:
    """Rows that break off on the way become no table, and the source's own error is raised."""

    def batches() -> Iterator[pa.RecordBatch]:
        yield from TABLE.to_batches()
        raise ZeroDivisionError("the source broke")

    with pytest.raises(ZeroDivisionError, match="the source broke"):
        con.register("t", pa.RecordBatchReader.from_batches(TABLE.schema, batches()))
    cluster.wait_call("put")
    assert cluster.uploads == {}
    assert "t" not in con.tables()


def test_blocks_of_large_batch_is_cut() -> None:
    """Rows are sent in blocks of about a named size, and none is lost."""
    batch = pa.record_batch({"a": pa.array(range(4_000_000), pa.int64())})
    blocks = list(blocks_of(batch))
    assert len(blocks) == -(-batch.nbytes // client_limits.UPLOAD_BLOCK_BYTES_MAX)
    assert pa.Table.from_batches(blocks).equals(pa.Table.from_batches([batch]))
    assert [block.num_rows for block in blocks_of(batch.slice(0, 0))] == [0]
