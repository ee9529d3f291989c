"""One attempt: from a fragment and a slice of its partitions to a finished file."""

import os
import shutil
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from executor_kit import (
    Bench,
    context_over,
    flip_bit,
    hashed,
    parquet_files,
    plan_of,
    reads,
    reads_upload,
    rows,
    stage_of,
)

from springald.engine import plan_view as pv
from springald.engine.catalog import CatalogEntry, SqlQuery
from springald.engine.fragment import prepare
from springald.errors import (
    CancelledError,
    CastFailedError,
    DataFileNotFoundError,
    EngineMismatchError,
    FileChangedError,
    FileCorruptError,
    InputLostError,
    IoFailedError,
    OutOfMemoryError,
    PathNotAllowedError,
    SpringaldError,
)
from springald_executor.core.model import ExchangeKind, Fragment
from springald_executor.engine import drain, runner
from springald_executor.engine.runner import TaskError, TaskRunner
from springald_executor.shuffle.receive import receive_upload
from springald_executor.shuffle.space import Space

SCHEMA = pa.schema([("k", pa.int64()), ("v", pa.string())])


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """A runner below a folder that also holds the tables."""
    return Bench(tmp_path)


def table(start: int, stop: int) -> pa.Table:
    """Rows k = start … stop - 1."""
    return pa.table({"k": range(start, stop), "v": [f"v{k % 7}" for k in range(start, stop)]})


@pytest.fixture
def scan(bench: Bench) -> pv.PlanNode:
    """A scan of four files with 100 rows each, one a partition."""
    folder = bench.folder / "t"
    parquet_files(folder, [table(n * 100, n * 100 + 100) for n in range(4)])
    return plan_of(context_over(4, t=folder), "SELECT k, arrow_cast(v, 'Utf8') AS v FROM t")


def test_task_runs_its_own_partitions_only(bench: Bench, scan: pv.PlanNode) -> None:
    """A slice of partitions reads its own files, not those of its siblings."""
    found = [bench.run(bench.request(stage_of(scan, SCHEMA), [part])).output for part in range(4)]

    assert [rows(file).num_rows for file in found] == [100] * 4
    assert [list(file.blocks) for file in found] == [[0], [1], [2], [3]]
    values = sorted(k for file in found for k in rows(file)["k"].to_pylist())
    assert values == list(range(400))


def test_hash_exchange_puts_each_key_into_one_partition(bench: Bench, scan: pv.PlanNode) -> None:
    """Equal keys from different tasks go to equal partitions, and no row is lost."""
    stage = stage_of(hashed(scan, "v", 1, 5), SCHEMA, output=ExchangeKind.HASH, output_partitions=5)
    found = [bench.run(bench.request(stage, part)).output for part in ([0, 1], [2, 3])]

    places: dict[str, set[int]] = {}
    for file in found:
        for partition in file.blocks:
            for value in rows(file, partition)["v"].to_pylist():
                places.setdefault(value, set()).add(partition)
    assert sum(rows(file).num_rows for file in found) == 400
    assert set(places) == {f"v{n}" for n in range(7)}
    assert all(len(partitions) == 1 for partitions in places.values())


@pytest.mark.parametrize("kind", [ExchangeKind.SINGLE, ExchangeKind.BROADCAST])
def test_single_and_broadcast_exchanges_have_one_partition(
    bench: Bench, scan: pv.PlanNode, kind: ExchangeKind
) -> None:
    """All rows of all partitions lie together."""
    report = bench.run(bench.request(stage_of(scan, SCHEMA, output=kind), [1, 2]))

    assert [part.number for part in report.output.partitions()] == [0]
    assert rows(report.output).num_rows == 200


@pytest.mark.parametrize("kind", [ExchangeKind.SORTED, ExchangeKind.FORWARD, ExchangeKind.RESULT])
def test_kept_partitions_keep_their_numbers(
    bench: Bench, scan: pv.PlanNode, kind: ExchangeKind
) -> None:
    """A run, and a part of a result, is a partition of its own under the stage's number."""
    report = bench.run(bench.request(stage_of(scan, SCHEMA, output=kind), [1, 3]))

    assert [part.number for part in report.output.partitions()] == [1, 3]
    assert rows(report.output, 3)["k"].to_pylist() == list(range(300, 400))


def test_consumer_reads_the_partitions_of_all_producers(bench: Bench, scan: pv.PlanNode) -> None:
    """More partitions than tasks: every row is counted once (a scan's siblings share no queue)."""
    produce = stage_of(
        hashed(scan, "k", 0, 6), SCHEMA, output=ExchangeKind.HASH, output_partitions=6
    )
    made = [bench.run(bench.request(produce, part)).output for part in ([0], [1, 2], [3])]
    consume = stage_of(reads(SCHEMA, 6), SCHEMA, stage_id=2)
    inputs = [(ExchangeKind.HASH, made)]
    reports = [bench.run(bench.request(consume, part, inputs)) for part in ([0, 1, 2, 3], [4, 5])]

    values = [k for report in reports for k in rows(report.output)["k"].to_pylist()]
    assert sorted(values) == list(range(400))
    for report in reports:
        for partition in report.output.blocks:
            here = sorted(rows(report.output, partition)["k"].to_pylist())
            wanted = sorted(k for file in made for k in rows(file, partition)["k"].to_pylist())
            assert here == wanted
    assert sum(report.bytes_read_local for report in reports) == sum(
        part.bytes for file in made for part in file.partitions()
    )


@pytest.mark.parametrize("place", [0.1, 0.5, 0.9])
def test_own_block_with_a_flipped_bit_is_a_lost_input(
    bench: Bench, scan: pv.PlanNode, place: float
) -> None:
    """P5.4: the engine reads no block that is not what was written, and its attempt is named."""
    produce = stage_of(
        hashed(scan, "k", 0, 2), SCHEMA, output=ExchangeKind.HASH, output_partitions=2
    )
    made = bench.run(bench.request(produce, [0, 1, 2, 3])).output
    consume = stage_of(reads(SCHEMA, 2), SCHEMA, stage_id=2)
    flip_bit(made, 1, place)
    request = bench.request(consume, [0, 1], [(ExchangeKind.HASH, [made])])
    with pytest.raises(TaskError) as raised:
        bench.run(request)
    assert isinstance(raised.value.error, InputLostError)
    (lost,) = [each.task_id for each in request.inputs[0].outputs]
    assert raised.value.lost_task_id == lost
    assert raised.value.engine_usable


@pytest.mark.parametrize("fails", [False, True])
def test_own_block_that_is_flipped_after_the_look_is_a_lost_input(
    bench: Bench, scan: pv.PlanNode, monkeypatch: pytest.MonkeyPatch, *, fails: bool
) -> None:
    """P5.4: what the engine has read, or stumbled over, is looked at again if it was written."""
    produce = stage_of(
        hashed(scan, "k", 0, 2), SCHEMA, output=ExchangeKind.HASH, output_partitions=2
    )
    made = bench.run(bench.request(produce, [0, 1, 2, 3])).output
    os.utime(made.path, ns=(1, 1))  # clocks of files are coarse
    consume = stage_of(reads(SCHEMA, 2), SCHEMA, stage_id=2)
    request = bench.request(consume, [0, 1], [(ExchangeKind.HASH, [made])])

    run = drain.Drain.run

    def flip(self: drain.Drain, *given: Any) -> None:  # noqa: ANN401 - as it is called
        flip_bit(made, 1, 0.5)
        if fails:
            raise CastFailedError("a value does not fit")
        run(self, *given)

    monkeypatch.setattr(drain.Drain, "run", flip)
    with pytest.raises(TaskError) as raised:
        bench.run(request)
    assert isinstance(raised.value.error, InputLostError)
    assert raised.value.lost_task_id == request.inputs[0].outputs[0].task_id


def test_work_folder_that_was_removed_costs_a_try(
    bench: Bench, scan: pv.PlanNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What the engine misses then is no file of a table; the next attempt has a folder again."""

    def remove(*_: object) -> None:
        shutil.rmtree(bench.spill)
        raise ValueError("IO error: No such file or directory (os error 2)")

    with monkeypatch.context() as patched:
        patched.setattr(drain.Drain, "run", remove)
        with pytest.raises(TaskError) as raised:
            bench.run(bench.request(stage_of(scan, SCHEMA)))
    assert isinstance(raised.value.error, IoFailedError)
    assert raised.value.error.retryable
    assert rows(bench.run(bench.request(stage_of(scan, SCHEMA))).output).num_rows == 100
    assert bench.spill.is_dir()


def test_output_tells_the_checksums_of_its_rows(bench: Bench, scan: pv.PlanNode) -> None:
    """Tasks that put out the same rows have the same checksums, whatever their files look like."""
    stage = stage_of(hashed(scan, "k", 0, 3), SCHEMA, output=ExchangeKind.HASH, output_partitions=3)
    whole, again = (bench.run(bench.request(stage, [0, 1, 2, 3])).output for _ in range(2))
    parts = [bench.run(bench.request(stage, [part])).output for part in range(4)]
    assert set(whole.checksums) == {0, 1, 2}
    assert whole.checksums == again.checksums
    for number, checksum in whole.checksums.items():
        assert sum(part.checksums.get(number, 0) for part in parts) % 2**64 == checksum


def test_result_tells_the_digests_of_its_bytes(bench: Bench, scan: pv.PlanNode) -> None:
    """Who has read the beginning of a result can go on in one that is the same, byte for byte."""
    stage = stage_of(scan, SCHEMA, output=ExchangeKind.RESULT)
    first, again = (bench.run(bench.request(stage, [2])).output for _ in range(2))
    other = bench.run(bench.request(stage, [3])).output
    assert first.digests == again.digests != {}
    assert first.digests[2] != other.digests[3]
    assert not first.checksums


def test_task_without_rows_has_the_declared_schema(bench: Bench, scan: pv.PlanNode) -> None:
    """A stage that puts out no batch hands its schema on."""
    context = context_over(1, t=bench.folder / "t")
    plan = plan_of(context, "SELECT k, arrow_cast(v, 'Utf8') AS v FROM t WHERE k > 1000")
    del scan
    output = bench.run(bench.request(stage_of(plan, SCHEMA))).output

    assert output.partitions() == ()
    assert rows(output).schema == SCHEMA


def test_engine_types_are_brought_to_the_declared_ones(bench: Bench, scan: pv.PlanNode) -> None:
    """A view column and a not-nullable one are written as the stage declares them."""
    del scan
    plan = plan_of(
        context_over(1, t=bench.folder / "t"), "SELECT count(*) AS k, max(v) AS v FROM t"
    )
    output = bench.run(bench.request(stage_of(plan, SCHEMA))).output

    assert rows(output).to_pylist() == [{"k": 400, "v": "v6"}]


def test_upload_is_read_in_its_partitions(bench: Bench) -> None:
    """Tasks that share an upload read disjoint parts of it."""
    batch = pa.record_batch({"k": range(2_000_000)})
    grant = bench.request(stage_of(b"", SCHEMA)).grant
    file = receive_upload(iter([batch]), batch.schema, Space(bench.roots, grant))
    stage = stage_of(reads_upload(batch.schema, "u1", len(file.blocks)), batch.schema)
    requests = [bench.request(stage, part) for part in ([0, 1], [2])]
    reports = [bench.run(replace(request, uploads={"u1": file})) for request in requests]

    assert sum(report.output.rows for report in reports) == 2_000_000
    assert reports[0].output.rows > reports[1].output.rows > 0


def test_whole_query_is_planned_where_it_runs(bench: Bench, scan: pv.PlanNode) -> None:
    """A query that the engine cannot write down runs from its text and its catalog."""
    del scan
    catalog = (
        CatalogEntry("t", format="parquet", path=str(bench.folder / "t")),
        CatalogEntry("w", statement="CREATE VIEW w AS SELECT k FROM t WHERE k < 5"),
    )
    query = SqlQuery("SELECT k, 'x' AS v FROM w ORDER BY k", catalog)
    runner = TaskRunner(bench.roots, read_query={b"q": query}.__getitem__)
    output = runner.run(bench.request(stage_of(b"q", SCHEMA)), threading.Event()).output

    assert rows(output)["k"].to_pylist() == [0, 1, 2, 3, 4]
    assert list(output.blocks) == [0]


def failure(bench: Bench, plan: pv.PlanNode | bytes, **changes: object) -> SpringaldError:
    """The error of a task, which must leave no file behind."""
    request = replace(bench.request(stage_of(plan, SCHEMA)), **changes)  # type: ignore[arg-type]
    with pytest.raises(TaskError) as raised:
        bench.run(request)
    assert raised.value.engine_usable
    assert not bench.files()
    return raised.value.error


def test_failing_expression_is_an_error_of_data(bench: Bench, scan: pv.PlanNode) -> None:
    """A cast that fails at run time is told as such, and the runner goes on."""
    context = context_over(1, t=bench.folder / "t")
    plan = plan_of(context, "SELECT k, CAST(CAST(v AS BIGINT) AS VARCHAR) AS v FROM t")

    assert type(failure(bench, plan)) is CastFailedError
    assert bench.run(bench.request(stage_of(scan, SCHEMA))).output.rows == 100


def test_task_beyond_its_memory_is_out_of_memory(bench: Bench) -> None:
    """An operator that cannot spill ends its task when the share is used up."""
    rows_of_20_kb = "SELECT value AS k, repeat('x', 20000) AS v FROM generate_series(1, 2000)"
    joined = f"SELECT a.k, a.v FROM ({rows_of_20_kb}) a JOIN ({rows_of_20_kb}) b ON a.k = b.k"  # noqa: S608
    plan = plan_of(context_over(1), joined)
    request = bench.request(stage_of(plan, SCHEMA), memory_bytes=2_000_000)

    with pytest.raises(TaskError) as raised:
        bench.run(request)

    assert type(raised.value.error) is OutOfMemoryError
    assert not bench.files()


def test_file_outside_of_the_allowed_folders_is_not_opened(bench: Bench, scan: pv.PlanNode) -> None:
    """An executor checks paths itself: a plan may come from anywhere."""
    assert type(failure(bench, scan, allowed_paths=("/nowhere",))) is PathNotAllowedError


def test_missing_file_is_told_as_missing(bench: Bench, scan: pv.PlanNode) -> None:
    """A file that went away between planning and reading."""
    (bench.folder / "t/part-0.parquet").unlink()

    assert type(failure(bench, scan)) is DataFileNotFoundError


def test_changed_file_is_told_as_changed(bench: Bench, scan: pv.PlanNode) -> None:
    """A file that was written again between planning and reading."""
    parquet_files(bench.folder / "t", [table(0, 50)])

    error = failure(bench, scan)

    assert type(error) is FileChangedError
    assert error.retryable


def test_file_of_the_same_size_and_time_is_not_read_by_the_former_footer(
    bench: Bench, tmp_path: Path
) -> None:
    """A session that tasks share keeps no footers, or one would be taken for another file's."""
    folder = tmp_path / "t"
    for value in (5, 6):
        parquet_files(folder, [pa.table({"k": [value] * 100, "v": ["x"] * 100})])
        os.utime(folder / "part-0.parquet", ns=(10**18, 10**18))
        query = "SELECT k, arrow_cast(v, 'Utf8') AS v FROM t WHERE k = "
        scan = plan_of(context_over(1, t=folder), f"{query}{value}")
        assert rows(bench.run(bench.request(stage_of(scan, SCHEMA), [0])).output).num_rows == 100


def test_file_that_changes_while_it_is_read_is_told_as_changed(
    bench: Bench, scan: pv.PlanNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file that was written again after a task began: its rows may be of two states."""

    def written_meanwhile(*arguments: Any) -> bytes:  # noqa: ANN401 - passed on
        os.utime(bench.folder / "t/part-0.parquet", ns=(1, 1))
        return prepare(*arguments)

    monkeypatch.setattr(runner, "prepare", written_meanwhile)

    assert type(failure(bench, scan)) is FileChangedError
    assert not bench.files()


def test_corrupt_file_is_told_as_corrupt(bench: Bench, scan: pv.PlanNode) -> None:
    """A file that has its size and time and not its contents."""
    path = bench.folder / "t/part-0.parquet"
    before = path.stat()
    path.write_bytes(b"\xff" * before.st_size)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))

    assert type(failure(bench, scan)) is FileCorruptError


def test_fragment_of_another_engine_is_refused(bench: Bench, scan: pv.PlanNode) -> None:
    """Plan bytes carry no version of their own, so the fragment's is checked."""
    stage = stage_of(scan, SCHEMA)
    other = Fragment(stage.fragment.format, stage.fragment.payload, "datafusion 54.0.0")

    error = failure(bench, scan, stage=replace(stage, fragment=other))

    assert type(error) is EngineMismatchError


def test_stopped_task_ends_at_its_next_batch(bench: Bench, scan: pv.PlanNode) -> None:
    """Local mode cannot kill an engine; it asks, and the task ends as cancelled."""
    stop = threading.Event()
    stop.set()
    request = bench.request(stage_of(scan, SCHEMA), [0, 1])

    with pytest.raises(TaskError) as raised:
        bench.runner.run(request, stop)

    assert type(raised.value.error) is CancelledError
    assert not bench.files()


def test_failed_output_with_stuck_siblings_gives_the_engine_up(
    bench: Bench, scan: pv.PlanNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An engine whose threads still compute is not handed the next task."""
    release, real = threading.Event(), drain._drain_one  # noqa: SLF001 - made to hang

    def one(*arguments: object) -> None:
        if arguments[2] == 0:
            release.wait(20)
            return
        raise ValueError("broke")

    monkeypatch.setattr(drain, "_drain_one", one)
    try:
        with pytest.raises(TaskError) as raised:
            bench.run(bench.request(stage_of(scan, SCHEMA), [0, 1]))
    finally:
        release.set()
        monkeypatch.setattr(drain, "_drain_one", real)

    assert not raised.value.engine_usable
    assert not bench.files()
