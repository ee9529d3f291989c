"""Shuffle files: what is written by partition comes back by partition, also to the engine."""

import os
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from datafusion import SessionContext
from datafusion.plan import ExecutionPlan
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from springald.datafusion.v55 import plan_view_pb2 as pb
from springald.engine import plan_view as pv
from springald.engine.session import make_context
from springald.errors import InputLostError, OutOfDiskError
from springald.results import plain_schema
from springald_executor.core.model import Grant, StoredFile
from springald_executor.shuffle.reader import StoredFileReader
from springald_executor.shuffle.space import Roots, Space
from springald_executor.shuffle.writer import OutputWriter, block_bytes

MEMORY_BYTES = 64 * 1024 * 1024

values: dict[pa.DataType, st.SearchStrategy[Any]] = {
    pa.int64(): st.integers(-(2**63), 2**63 - 1),
    pa.string(): st.text(max_size=8),
    pa.large_binary(): st.binary(max_size=8),
    pa.bool_(): st.booleans(),
    pa.decimal128(20, 3): st.integers(-(10**9), 10**9).map(Decimal),
    pa.decimal256(40, 0): st.integers(-(10**9), 10**9).map(Decimal),
    pa.timestamp("us", "Europe/Berlin"): st.integers(0, 10**12),
    pa.date32(): st.integers(0, 30_000),
    pa.null(): st.none(),
    pa.list_(pa.int32()): st.lists(st.none() | st.integers(0, 9), max_size=3),
    pa.map_(pa.string(), pa.int8()): st.lists(
        st.tuples(st.text(max_size=2), st.integers(0, 9)), max_size=2
    ),
    pa.struct([("x", pa.int16()), ("y", pa.list_(pa.string()))]): st.fixed_dictionaries(
        {"x": st.integers(0, 9), "y": st.lists(st.text(max_size=2), max_size=2)}
    ),
}
schemas = st.lists(st.sampled_from(list(values)), max_size=4).map(
    lambda types: pa.schema([(f"c{number}", each) for number, each in enumerate(types)])
)


@st.composite
def batches_of(draw: st.DrawFn, schema: pa.Schema) -> pa.RecordBatch:
    """A batch of the schema, perhaps empty, perhaps a slice of a larger one."""
    rows = draw(st.integers(0, 5))
    if not len(schema):
        return counted(rows)
    columns = [
        pa.array(draw(st.lists(st.none() | values[kind], min_size=rows, max_size=rows)), kind)
        for kind in schema.types
    ]
    return pa.RecordBatch.from_arrays(columns, schema=schema).slice(draw(st.integers(0, rows)))


def counted(rows: int) -> pa.RecordBatch:
    """A batch without columns."""
    return pa.record_batch([pa.nulls(rows)], ["rows"]).select([])


def space(folder: Path, memory_bytes: int = MEMORY_BYTES) -> Space:
    """A space below a folder, with both roots there."""
    roots = Roots(disk=folder / "disk", memory=folder / "memory")
    return Space(roots, Grant("job/task", memory_bytes))


def write(
    space: Space, schema: pa.Schema, rows: list[tuple[int, pa.RecordBatch]], gather_bytes: int = 1
) -> StoredFile:
    """Writes batches, by default each as a block of its own."""
    writer = OutputWriter(space.create("output.arrow"), schema, gather_bytes=gather_bytes)
    for partition, batch in rows:
        writer.write(partition, batch)
    return writer.finish()


def read(file: StoredFile, partition: int) -> pa.Table:
    """Reads a partition with our reader."""
    with StoredFileReader(file, "j1/s1/t0#1") as reader:
        batches = list(reader.read(partition))
        return pa.Table.from_batches(batches, reader.schema)


def scan(file: StoredFile, partitions: list[int]) -> list[pa.Table]:
    """Reads partitions with the engine, each as one partition of a single scan."""
    context = make_context({}, partitions=1)
    context.register_arrow("t", file.path)
    leaf = pv.parse(context.table("t").execution_plan().to_bytes(context))
    conf = pv.scan_conf(leaf)
    del conf.file_groups[:]
    for partition in partitions:
        group = conf.file_groups.add()
        for start, end in file.ranges(partition):
            span = pb.FileRange(start=start, end=end)
            path = file.path.lstrip("/")
            group.files.add(path=path, size=file.size, range=span)
    leaf = pv.with_scan_conf(leaf, conf)
    return [_run(context, pv.serialize(leaf), number) for number in range(len(partitions))]


def _run(context: SessionContext, plan: bytes, partition: int) -> pa.Table:
    stream = context.execute(ExecutionPlan.from_bytes(context, plan), partition)
    return pa.Table.from_batches([batch.to_pyarrow() for batch in stream], _schema_of(context))


def _schema_of(context: SessionContext) -> pa.Schema:
    return context.table("t").schema()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data(), gather_bytes=st.sampled_from([1, 200, 1_000_000]))
def test_partitions_written_in_any_order_come_back_whole(
    tmp_path: Path, data: st.DataObject, gather_bytes: int
) -> None:
    """Every partition gives back its own rows in order, however the writes were interleaved."""
    schema = data.draw(schemas)
    written = data.draw(st.lists(st.tuples(st.integers(0, 3), batches_of(schema)), max_size=8))

    file = write(space(tmp_path), schema, written, gather_bytes)

    for partition in range(4):
        wanted = [batch for number, batch in written if number == partition]
        assert (
            read(file, partition).to_pylist() == pa.Table.from_batches(wanted, schema).to_pylist()
        )
        assert read(file, partition).num_rows == sum(batch.num_rows for batch in wanted)
    assert file.size == Path(file.path).stat().st_size
    assert [p.rows for p in file.partitions()] == [
        rows for rows in (read(file, partition).num_rows for partition in range(4)) if rows
    ]


@settings(
    suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=50
)
@given(data=st.data())
def test_engine_reads_the_partitions_that_were_written(tmp_path: Path, data: st.DataObject) -> None:
    """The engine's scan over ranges of one file gives each partition its own rows, in order."""
    schema = data.draw(schemas)
    written = data.draw(st.lists(st.tuples(st.integers(0, 3), batches_of(schema)), max_size=12))
    file = write(space(tmp_path), schema, written, data.draw(st.sampled_from([1, 200])))

    found = scan(file, [0, 1, 2, 3])

    for partition in range(4):
        assert found[partition].to_pylist() == read(file, partition).to_pylist()
        assert found[partition].num_rows == read(file, partition).num_rows


def test_ranges_of_neighbouring_blocks_are_joined(tmp_path: Path) -> None:
    """Opening a range costs time, so blocks that lie side by side are read as one."""
    schema = pa.schema([("a", pa.int64())])
    one = pa.record_batch({"a": [1]})

    file = write(space(tmp_path), schema, [(0, one), (0, one), (1, one), (0, one)])

    blocks = file.blocks[0]
    assert list(file.ranges(0)) == [
        (0, blocks[1].end),
        (blocks[2].start, blocks[2].end),
    ]
    assert blocks[0].start == 0
    assert file.blocks[1][0].start == blocks[1].end


def test_rows_are_gathered_until_they_are_a_block(tmp_path: Path) -> None:
    """Small batches of a partition become one block of at least the size asked for."""
    schema = pa.schema([("a", pa.int64())])
    batch = pa.record_batch({"a": range(1_000)})

    file = write(space(tmp_path), schema, [(n % 2, batch) for n in range(40)], 32_000)

    assert [block.rows for block in file.blocks[0]] == [4_000] * 5


def test_slices_of_something_large_are_gathered_by_what_they_show(tmp_path: Path) -> None:
    """A slice holds all of its buffers; blocks are as large as the rows in them."""
    schema = pa.schema([("a", pa.int64())])
    whole = pa.record_batch({"a": range(40_000)})
    slices = [(0, whole.slice(start, 1_000)) for start in range(0, 40_000, 1_000)]

    file = write(space(tmp_path), schema, slices, 32_000)

    assert [block.rows for block in file.blocks[0]] == [4_000] * 10


def test_rows_that_grow_are_gathered_by_what_they_are(tmp_path: Path) -> None:
    """Rows much wider than the first ones do not pile up."""
    schema = pa.schema([("a", pa.string())])
    wide = pa.record_batch({"a": ["x" * 40_000]})
    rows = [(0, pa.record_batch({"a": ["x"] * 100})), *([(0, wide)] * 4)]

    file = write(space(tmp_path), schema, rows, 32_000)

    assert [block.rows for block in file.blocks[0]] == [101, 1, 1, 1]


def test_output_without_rows_has_its_schema(tmp_path: Path) -> None:
    """A stage may put out no batch at all, and its reader must still find the columns."""
    schema = pa.schema([("a", pa.int64()), ("a", pa.string())], metadata={"k": "v"})

    file = write(space(tmp_path), schema, [])

    assert file.partitions() == ()
    with StoredFileReader(file, "t") as reader:
        assert reader.schema.equals(schema, check_metadata=True)


def test_zero_column_rows_are_counted(tmp_path: Path) -> None:
    """A batch without columns is its number of rows, gathered or not."""
    file = write(space(tmp_path), pa.schema([]), [(0, counted(3)), (0, counted(4))], 10)

    assert read(file, 0).num_rows == 7
    assert file.partitions()[0].rows == 7


def test_views_that_slip_in_are_compacted(tmp_path: Path) -> None:
    """A view column, which would take whole buffers along, is written as plain text."""
    texts = pa.array([f"a long text, longer than a view holds: {n}" for n in range(10_000)])
    views = pa.record_batch({"v": texts.cast(pa.string_view())}).slice(500, 2)

    file = write(space(tmp_path), plain_schema(views.schema), [(0, views)])

    assert read(file, 0).to_pylist() == views.to_pylist()
    assert file.size < 2_000


def test_file_begins_in_memory_and_moves_to_disk_beyond_its_grant(tmp_path: Path) -> None:
    """The budget of the memory-backed folder holds, whatever a task makes."""
    schema = pa.schema([("a", pa.int64())])
    batch = pa.record_batch({"a": range(20_000)})  # 160 kB
    granted = space(tmp_path, 400_000)
    writer = OutputWriter(granted.create("output.arrow"), schema, gather_bytes=1)
    for _ in range(2):
        writer.write(0, batch)
    in_memory = (tmp_path / "memory/job/task/output.arrow").stat().st_size
    writer.write(1, batch)
    file = writer.finish()

    assert in_memory > 320_000
    assert not file.in_memory
    assert file.path == str(tmp_path / "disk/job/task/output.arrow")
    assert not (tmp_path / "memory/job/task/output.arrow").exists()
    assert [read(file, n).num_rows for n in (0, 1)] == [40_000, 20_000]
    assert granted.take(400_000), "a file that moved gives its memory back"


@pytest.mark.parametrize("memory_bytes", [MEMORY_BYTES, 0], ids=["memory", "disk"])
@pytest.mark.parametrize("held_bytes_max", [1, 20_000, 40_000, 200_000])
def test_file_that_is_held_is_the_same_when_it_is_put_into_its_place(
    tmp_path: Path, held_bytes_max: int, memory_bytes: int
) -> None:
    """A small file lies nowhere; one that outgrows what may be held has all its blocks."""
    batch = pa.record_batch({"a": range(2_000)})  # 16 kB
    granted = space(tmp_path, memory_bytes)
    target = granted.create("output.arrow", held_bytes_max=held_bytes_max)
    writer = OutputWriter(target, batch.schema, gather_bytes=1)
    for partition in (0, 1, 0):
        writer.write(partition, batch)
    file = writer.finish()

    if held_bytes_max == 200_000:
        assert file.path == ""
        assert not list(tmp_path.rglob("output.arrow"))
        assert writer.held is not None
        assert pa.ipc.open_file(writer.held).read_all().num_rows == 6_000
        file = writer.settle()
    assert writer.held is None
    assert file.in_memory == bool(memory_bytes)
    assert [read(file, n).num_rows for n in (0, 1)] == [4_000, 2_000]
    if memory_bytes:
        assert granted.take(memory_bytes - file.size), "each byte is taken once"
        assert not granted.take(1)


def test_file_that_is_held_and_given_up_leaves_nothing(tmp_path: Path) -> None:
    """There is no file to be removed."""
    writer = OutputWriter(
        space(tmp_path).create("output.arrow", held_bytes_max=1_000), pa.schema([("a", pa.int8())])
    )
    writer.discard()
    assert not list(tmp_path.rglob("output.arrow"))


def test_file_without_a_memory_folder_lies_on_disk(tmp_path: Path) -> None:
    """An executor without a memory-backed folder writes to disk from the first byte."""
    file = write(Space(Roots(disk=tmp_path), Grant("t", MEMORY_BYTES)), pa.schema([]), [])

    assert not file.in_memory


class _FullAfter:
    """Stands in for `os.writev` on a device with little room."""

    def __init__(self, room: int, folder: str) -> None:
        self._room, self._folder, self._write = room, folder, os.writev

    def __call__(self, fd: int, pieces: list[memoryview]) -> int:
        if not str(Path(f"/proc/self/fd/{fd}").readlink()).startswith(self._folder):
            return self._write(fd, pieces)
        if not self._room:
            raise OSError(28, "No space left on device")
        part = b"".join(pieces)[: self._room]
        self._room -= len(part)
        return self._write(fd, [part])


def test_full_memory_folder_lets_the_file_go_on_on_disk(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A memory-backed folder that is smaller than its budget costs speed, not the task."""
    monkeypatch.setattr(os, "writev", _FullAfter(200_001, str(tmp_path / "memory")))
    schema = pa.schema([("a", pa.int64())])
    batch = pa.record_batch({"a": range(20_000)})

    file = write(space(tmp_path), schema, [(0, batch), (0, batch)])

    assert not file.in_memory
    assert read(file, 0).to_pylist() == [*batch.to_pylist(), *batch.to_pylist()]


def test_full_disk_ends_the_task_and_leaves_nothing_behind(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full disk is OUT_OF_DISK, and its half of a file is removed."""
    monkeypatch.setattr(os, "writev", _FullAfter(200_001, str(tmp_path)))
    schema = pa.schema([("a", pa.int64())])
    batch = pa.record_batch({"a": range(20_000)})

    with pytest.raises(OutOfDiskError):
        write(space(tmp_path), schema, [(0, batch), (0, batch)])

    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


def test_changed_block_is_a_lost_input(tmp_path: Path) -> None:
    """A block whose checksum does not match is a lost input, not data (P5.4)."""
    batch = pa.record_batch({"a": range(1_000)})
    file = write(space(tmp_path), batch.schema, [(0, batch), (1, batch)])
    with Path(file.path).open("r+b") as changed:
        changed.seek(file.blocks[1][0].end - 5_000)
        changed.write(b"\xff")

    assert read(file, 0).num_rows == 1_000
    with pytest.raises(InputLostError, match="another checksum"):
        read(file, 1)


@pytest.mark.parametrize("size", [0, 100, 10_000])
def test_file_of_another_size_is_a_lost_input(tmp_path: Path, size: int) -> None:
    """A file that was cut is refused before it is mapped: reading it would end the process."""
    batch = pa.record_batch({"a": range(1_000)})
    file = write(space(tmp_path), batch.schema, [(0, batch)])
    os.truncate(file.path, size)

    with pytest.raises(InputLostError):
        read(file, 0)


def test_missing_file_is_a_lost_input(tmp_path: Path) -> None:
    """A file that somebody removed is made again by its task."""
    file = write(space(tmp_path), pa.schema([]), [])
    Path(file.path).unlink()

    with pytest.raises(InputLostError):
        read(file, 0)


@pytest.mark.parametrize(
    ("memory_bytes", "partitions", "wanted"),
    [(2**33, 16, 2**20), (2**28, 64, 2**19), (0, 1, 2**16)],
)
def test_block_bytes_shrink_with_many_partitions_and_little_memory(
    memory_bytes: int, partitions: int, wanted: int
) -> None:
    """Gathering all partitions at once stays a small part of a task's memory."""
    assert block_bytes(memory_bytes, partitions) == wanted
