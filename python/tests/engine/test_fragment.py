"""A stage's template, what a task of it reads, and the plan that the task runs."""

from itertools import chain, pairwise
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from datafusion.plan import ExecutionPlan

from springald.engine import plan_view as pv
from springald.engine.fragment import (
    FileRange,
    ScannedFile,
    exchange_input,
    exchange_path,
    needs,
    prepare,
    upload_of,
    upload_path,
)
from springald.engine.plan_view import PlanNode
from springald.engine.schemas import SchemaEncoder, arrow_leaf
from springald.engine.session import make_context
from springald.engine.slicing import partition_count
from springald.errors import InternalError

SCHEMA = pa.schema([("a", pa.int64())])


def leaf(*paths: str) -> PlanNode:
    """A read of one partition a path."""
    return arrow_leaf(SchemaEncoder().encode(SCHEMA), [[path] for path in paths])


def written(path: Path, *blocks: list[int]) -> list[FileRange]:
    """Writes an Arrow file with a block for each list, and returns the range of each."""
    edges = [0]
    with path.open("wb") as sink, pa.ipc.new_file(sink, SCHEMA) as writer:
        for block in blocks:
            writer.write_batch(pa.record_batch([pa.array(block, pa.int64())], schema=SCHEMA))
            edges.append(sink.tell())
    size = path.stat().st_size
    return [FileRange(str(path), start, end, size) for start, end in pairwise(edges)]


def rows(payload: bytes) -> list[list[int]]:
    """Runs a prepared plan; returns the rows of each partition."""
    context = make_context({}, partitions=2)
    plan = ExecutionPlan.from_bytes(context, payload)
    return [
        [row for batch in context.execute(plan, p) for row in batch.to_pyarrow()[0].to_pylist()]
        for p in range(plan.partition_count)
    ]


def test_markers_are_read_back_and_nothing_else_is() -> None:
    """A marker is a whole path; a file of a table that looks like one is none."""
    assert exchange_input(exchange_path(3, 17)) == 3
    assert upload_of(upload_path("u-1", 4)) == ("u-1", 4)
    assert exchange_input(f"data/{exchange_path(3, 17)}") is None
    assert upload_of(f"data/{upload_path('u', 1)}") is None
    assert upload_of(exchange_path(3, 17)) is None
    assert exchange_input("springald-exchange/x/1.arrow") is None


def test_needs_lists_what_some_partitions_read(tmp_path: Path) -> None:
    """A task fetches what its slice reads, and looks after the files of its tables."""
    for part in range(2):
        pq.write_table(pa.table({"a": [part]}), tmp_path / f"{part}.parquet")
    context = make_context({}, partitions=2)
    context.sql(f"CREATE EXTERNAL TABLE t STORED AS PARQUET LOCATION '{tmp_path}/'")
    scan = pv.parse(context.sql("SELECT a FROM t").execution_plan().to_bytes(context))
    exchange = leaf(exchange_path(0, 0), exchange_path(0, 1))
    upload = leaf(upload_path("u", 0), upload_path("u", 1))
    broadcast = pv.node("merge", None, leaf(exchange_path(1, 0)))
    union = pv.node("union", None, exchange, upload, scan)
    payload = pv.serialize(pv.node("cross_join", None, broadcast, union))
    everything = needs(payload, range(6))
    assert everything.exchanges == {1: [0], 0: [0, 1]}
    assert everything.uploads == {"u": [0, 1]}
    assert {file.path for file in everything.files} == {
        str(tmp_path / f"{part}.parquet") for part in range(2)
    }
    some = needs(payload, [1, 3, 4])
    assert some.exchanges == {1: [0], 0: [1]}
    assert some.uploads == {"u": [1]}
    status = (tmp_path / "0.parquet").stat()
    assert some.files == [
        ScannedFile(str(tmp_path / "0.parquet"), status.st_size, status.st_mtime_ns)
    ]


@pytest.mark.parametrize("name", ["a b", "ü", "a#b", "100%", "a%2Fb", "~", "{x}", "a&b=c", "'q'"])
def test_needs_names_files_as_the_system_does(tmp_path: Path, name: str) -> None:
    """The engine writes paths its own way; a file is looked after under its real name."""
    folder = tmp_path / name
    folder.mkdir()
    pq.write_table(pa.table({"a": [1]}), folder / "f.parquet")
    location = f"{folder}/".replace("'", "''")
    context = make_context({}, partitions=1)
    context.sql(f"CREATE EXTERNAL TABLE t STORED AS PARQUET LOCATION '{location}'")
    payload = context.sql("SELECT a FROM t").execution_plan().to_bytes(context)
    (file,) = needs(payload, [0]).files
    assert Path(file.path).read_bytes() == (folder / "f.parquet").read_bytes()


def test_prepare_reads_ranges_of_files_in_their_order(tmp_path: Path) -> None:
    """A partition's rows lie in several files, a file's rows in several partitions."""
    one = written(tmp_path / "1.arrow", [1], [2, 3], [4])
    two = written(tmp_path / "2.arrow", [5, 6], [], [7])
    inputs = [{0: [one[0], two[2]], 1: [one[1], one[2], two[0]], 3: [two[1]]}]
    payload = pv.serialize(leaf(*(exchange_path(0, p) for p in range(4))))
    assert rows(prepare(payload, range(4), inputs, {})) == [[1, 7], [2, 3, 4, 5, 6], [], []]
    assert rows(prepare(payload, [1], inputs, {})) == [[2, 3, 4, 5, 6]]
    assert rows(prepare(payload, [0, 2], inputs, {})) == [[1, 7], []]


def test_prepare_of_one_partition_never_reads_its_siblings(tmp_path: Path) -> None:
    """Sibling partitions of a scan share a queue of files, so a slice must hold only its own."""
    blocks = written(tmp_path / "all.arrow", *([number] for number in range(12)))
    inputs = [{number: [block] for number, block in enumerate(blocks)}]
    payload = pv.serialize(leaf(*(exchange_path(0, p) for p in range(12))))
    for number in range(12):
        assert rows(prepare(payload, [number], inputs, {})) == [[number]]


def test_prepare_fills_uploads_by_id(tmp_path: Path) -> None:
    """Two uploads, and an input, in one plan."""
    one = written(tmp_path / "1.arrow", [1], [2])
    two = written(tmp_path / "2.arrow", [3])
    leaves = [leaf(upload_path("x", 0), upload_path("x", 1)), leaf(upload_path("y", 0))]
    payload = pv.serialize(pv.node("union", None, *leaves, leaf(exchange_path(0, 0))))
    uploads = {"x": {0: [one[0]], 1: [one[1]]}, "y": {0: two}}
    assert rows(prepare(payload, range(4), [{0: [two[0]]}], uploads)) == [[1], [2], [3], [3]]


def test_prepare_refuses_markers_that_nobody_filled() -> None:
    """An input that was not handed over is a bug, and not an empty one."""
    with pytest.raises(InternalError, match="got number 1"):
        prepare(pv.serialize(leaf(exchange_path(1, 0))), [0], [{}], {})
    with pytest.raises(InternalError, match="got u"):
        prepare(pv.serialize(leaf(upload_path("u", 0))), [0], [], {})


def test_prepare_leaves_files_of_tables_alone(tmp_path: Path) -> None:
    """A scan of a table runs as it was planned, parts of files included."""
    pq.write_table(pa.table({"a": list(range(100))}), tmp_path / "t.parquet", row_group_size=10)
    context = make_context({"datafusion.optimizer.repartition_file_min_size": "0"}, partitions=4)
    context.sql(f"CREATE EXTERNAL TABLE t STORED AS PARQUET LOCATION '{tmp_path}/'")
    payload = context.sql("SELECT a FROM t WHERE a >= 0").execution_plan().to_bytes(context)
    count = partition_count(pv.parse(payload))
    assert count > 1
    parts = [rows(prepare(payload, [p], [], {}))[0] for p in range(count)]
    assert sorted(chain.from_iterable(parts)) == list(range(100))
