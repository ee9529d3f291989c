"""Files that tasks write: staged by each attempt, named by the task that commits."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pyarrow.dataset as ds
import pytest
from executor_kit import Bench, context_over, parquet_files, plan_of, reads, rows, stage_of

from springald.engine import sinks
from springald.engine.plan_view import PlanNode
from springald.engine.sinks import COUNT, WRITTEN
from springald.errors import DivisionByZeroError, InputLostError, PathNotAllowedError
from springald_executor.core.model import (
    ExchangeKind,
    FileTarget,
    StageDefinition,
    StoredFile,
    TaskRequest,
)
from springald_executor.engine.runner import TaskError

WRITE_ID = "0123456789abcdef"


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """A runner below a folder that also holds the table, `t`, and the target, `out`."""
    parquet_files(
        tmp_path / "t",
        [pa.table({"k": range(n * 100, n * 100 + 100), "v": ["x"] * 100}) for n in range(4)],
    )
    return Bench(tmp_path)


@pytest.fixture
def out(bench: Bench) -> Path:
    """Where files are to appear."""
    return bench.folder / "out"


def target(out: Path, file_name: str = "") -> FileTarget:
    """Returns a target of a statement of its own."""
    return FileTarget(str(out), file_name, WRITE_ID)


def template(bench: Bench, query: str, how: str = "STORED AS PARQUET") -> PlanNode:
    """Returns the plan that writes a query's rows, over four partitions."""
    context = context_over(4, t=bench.folder / "t")
    return sinks.marked(plan_of(context, f"COPY ({query}) TO '/elsewhere/' {how}"))


def write(
    bench: Bench,
    plan: PlanNode,
    aim: FileTarget,
    slices: Iterable[Iterable[int]] = ([0, 1], [2, 3]),
) -> list[StoredFile]:
    """Runs the tasks that write; returns what they put out."""
    stage = replace(stage_of(plan, WRITTEN, output=ExchangeKind.SINGLE), writes_files=aim)
    return [bench.run(bench.request(stage, list(each))).output for each in slices]


def commit_request(bench: Bench, outputs: list[StoredFile], aim: FileTarget) -> TaskRequest:
    """Returns the task that commits."""
    plan = reads(WRITTEN, 1)
    stage: StageDefinition = replace(stage_of(plan, COUNT, stage_id=2), commits_files=aim)
    return bench.request(stage, [0], [(ExchangeKind.SINGLE, outputs)])


def commit(bench: Bench, outputs: list[StoredFile], aim: FileTarget, attempt: int = 1) -> int:
    """Runs the task that commits; returns the rows that it tells."""
    request = commit_request(bench, outputs, aim)
    request = replace(request, task_id=request.task_id.replace("#1", f"#{attempt}"))
    (count,) = rows(bench.run(request).output)["count"].to_pylist()
    assert isinstance(count, int)
    return count


def found(out: Path) -> list[str]:
    """Returns what a person sees in a folder, and whatever else lies there."""
    return sorted(str(path.relative_to(out)) for path in out.rglob("*") if path.is_file())


def test_files_appear_when_all_are_there(bench: Bench, out: Path) -> None:
    """P4.8: tasks write aside; the one that commits gives the names, by task and number."""
    aim = target(out)
    outputs = write(bench, template(bench, "SELECT * FROM t"), aim)
    assert all(name.startswith(f".springald-{WRITE_ID}/") for name in found(out))

    assert commit(bench, outputs, aim) == 400
    names = found(out)
    assert {name.partition("_")[0] for name in names} == {f"{WRITE_ID}-1", f"{WRITE_ID}-2"}
    assert sorted(ds.dataset(out).to_table()["k"].to_pylist()) == list(range(400))
    assert [path.name for path in out.iterdir() if path.is_dir()] == []


@pytest.mark.parametrize(
    ("how", "form"),
    [("STORED AS CSV OPTIONS ('has_header' 'true')", "csv"), ("STORED AS JSON", "json")],
)
def test_files_of_text_are_written(bench: Bench, out: Path, how: str, form: str) -> None:
    """The engine's sinks of text write what it reads."""
    aim = target(out)
    outputs = write(bench, template(bench, "SELECT k FROM t", how), aim)
    assert commit(bench, outputs, aim) == 400
    got = ds.dataset(out, format=form).to_table()["k"].to_pylist()
    assert sorted(got) == list(range(400))


def test_arrow_files_are_written_without_a_sink(bench: Bench, out: Path) -> None:
    """Rows of a plan without a sink become Arrow files, one for each partition with rows."""
    plan = plan_of(context_over(4, t=bench.folder / "t"), "SELECT k, v FROM t WHERE k < 250")
    aim = target(out)
    assert commit(bench, write(bench, plan, aim), aim) == 250
    assert len(found(out)) == 3
    got = ds.dataset(out, format="ipc").to_table()
    assert sorted(got["k"].to_pylist()) == list(range(250))
    assert commit(bench, write(bench, plan, aim, [[3]]), aim, attempt=2) == 0


def test_values_become_folders(bench: Bench, out: Path) -> None:
    """Folders of a partitioned target are made where the files appear."""
    aim = target(out)
    plan = template(
        bench, "SELECT k, k % 2 AS odd FROM t", "STORED AS PARQUET PARTITIONED BY (odd)"
    )
    assert commit(bench, write(bench, plan, aim), aim) == 400
    assert {name.partition("/")[0] for name in found(out)} == {"odd=0", "odd=1"}
    assert ds.dataset(out, partitioning="hive").count_rows(filter=ds.field("odd") == 1) == 200


def test_one_file_is_replaced_at_once(bench: Bench, out: Path) -> None:
    """A target of one file has that file, and what was there before until then."""
    out.mkdir()
    (out / "one.parquet").write_text("before")
    aim = target(out, "one.parquet")
    outputs = write(bench, template(bench, "SELECT * FROM t WHERE k < 9"), aim, [range(4)])
    assert (out / "one.parquet").read_text() == "before"
    assert commit(bench, outputs, aim) == 9
    assert found(out) == ["one.parquet"]


def test_failed_attempt_leaves_nothing(bench: Bench, out: Path) -> None:
    """What an attempt has written goes when it fails."""
    plan = template(bench, "SELECT k, 1 / (k - 150) AS x FROM t")
    with pytest.raises(TaskError) as raised:
        write(bench, plan, target(out), [range(4)])
    assert isinstance(raised.value.error, DivisionByZeroError)
    assert found(out) == []


def test_commit_goes_on_where_another_attempt_broke_off(bench: Bench, out: Path) -> None:
    """P4.8: a file that has its name already is known again, and counted."""
    aim = target(out)
    outputs = write(bench, template(bench, "SELECT * FROM t"), aim)
    told = pa.concat_tables(rows(each) for each in outputs).to_pylist()
    (out / told[0]["staged"]).rename(out / told[0]["name"])
    assert commit(bench, outputs, aim, attempt=2) == 400
    assert commit(bench, outputs, aim, attempt=3) == 400
    assert found(out) == sorted(each["name"] for each in told)


def test_commit_asks_for_a_file_that_is_gone(bench: Bench, out: Path) -> None:
    """The attempt is told whose file is missing, and no other file appears."""
    aim = target(out)
    outputs = write(bench, template(bench, "SELECT * FROM t"), aim)
    told = rows(outputs[1]).to_pylist()
    (out / told[0]["staged"]).unlink()
    with pytest.raises(TaskError) as raised:
        commit(bench, outputs, aim)
    assert isinstance(raised.value.error, InputLostError)
    assert raised.value.lost_task_id == told[0]["task_id"]
    assert all(name.startswith(".springald-") for name in found(out))


def test_commit_counts_no_file_that_has_gone_meanwhile(
    bench: Bench, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Files are looked for again when they have their names: another process may remove them."""
    aim = target(out)
    outputs = write(bench, template(bench, "SELECT * FROM t"), aim)
    told = rows(outputs[1]).to_pylist()[-1]
    replace_file = Path.replace

    def lose_one(staged: Path, name: Path) -> Path:
        (out / told["staged"]).unlink(missing_ok=True)
        return replace_file(staged, name)

    monkeypatch.setattr(Path, "replace", lose_one)
    with pytest.raises(TaskError) as raised:
        commit(bench, outputs, aim)
    assert isinstance(raised.value.error, InputLostError)
    assert raised.value.lost_task_id == told["task_id"]


def test_commit_does_not_take_a_former_file_for_its_own(bench: Bench, out: Path) -> None:
    """Only the inode tells a file that was renamed from one that was there before."""
    out.mkdir()
    (out / "one.parquet").write_text("before")
    aim = target(out, "one.parquet")
    outputs = write(bench, template(bench, "SELECT * FROM t"), aim, [range(4)])
    (out / rows(outputs[0])["staged"][0].as_py()).unlink()
    with pytest.raises(TaskError):
        commit(bench, outputs, aim)
    assert (out / "one.parquet").read_text() == "before"


def test_commit_removes_what_does_not_count_any_more(bench: Bench, out: Path) -> None:
    """Files that an earlier attempt has named, and whose task was run again, go."""
    aim = target(out)
    plan = template(bench, "SELECT * FROM t")
    first = write(bench, plan, aim)
    assert commit(bench, first, aim) == 400
    (other := out / "other.parquet").write_bytes(b"not ours")
    again = write(bench, plan, aim, [range(4)])
    assert commit(bench, again, aim, attempt=2) == 400
    other.unlink()
    assert ds.dataset(out).count_rows() == 400


def test_commit_that_fails_leaves_no_file(bench: Bench, out: Path) -> None:
    """Files that have their names already are put back, and another attempt finds them there."""
    aim = target(out)
    query = "SELECT k, k % 9 AS part FROM t"
    outputs = write(
        bench, template(bench, query, "STORED AS PARQUET PARTITIONED BY (part)"), aim, [range(4)]
    )
    (in_the_way := out / "part=8").write_text("")
    with pytest.raises(TaskError):
        commit(bench, outputs, aim)
    assert sorted(path.name for path in out.iterdir()) == [f".springald-{WRITE_ID}", "part=8"]
    in_the_way.unlink()
    assert commit(bench, outputs, aim, attempt=2) == 400


def test_commit_follows_no_link_out_of_where_files_may_be(bench: Bench, out: Path) -> None:
    """A value's folder that is a link to elsewhere gets no file."""
    aim = target(out)
    plan = template(
        bench, "SELECT k, k % 2 AS odd FROM t", "STORED AS PARQUET PARTITIONED BY (odd)"
    )
    outputs = write(bench, plan, aim)
    (elsewhere := bench.folder / "elsewhere").mkdir()
    (out / "odd=1").symlink_to(elsewhere)
    request = commit_request(bench, outputs, aim)
    with pytest.raises(TaskError) as raised:
        bench.run(request)
    assert isinstance(raised.value.error, PathNotAllowedError)
    assert list(elsewhere.iterdir()) == []
    assert all(name.startswith(".springald-") for name in found(out))


def test_target_lies_where_files_may_be(bench: Bench, out: Path) -> None:
    """An executor writes nowhere but in the folders that it is told."""
    stage = stage_of(template(bench, "SELECT * FROM t"), WRITTEN, output=ExchangeKind.SINGLE)
    request = bench.request(replace(stage, writes_files=target(out)), range(4))
    allowed = (str(bench.folder / "t"),)
    with pytest.raises(TaskError) as raised:
        bench.run(replace(request, allowed_paths=allowed))
    assert isinstance(raised.value.error, PathNotAllowedError)
    assert not out.exists()


def test_staged_files_go_with_the_attempt_and_with_the_job(bench: Bench, out: Path) -> None:
    """Whoever removes an attempt's folder, or its job's, removes what was staged."""
    stage = stage_of(template(bench, "SELECT * FROM t"), WRITTEN, output=ExchangeKind.SINGLE)
    requests = [
        bench.request(replace(stage, writes_files=target(out)), [part]) for part in range(4)
    ]
    for request in requests:
        bench.run(request)
    staged = len(found(out))
    bench.roots.remove(requests[0].grant.folder)
    assert 0 < len(found(out)) < staged
    bench.roots.remove(str(Path(requests[0].grant.folder).parent))
    assert found(out) == []
