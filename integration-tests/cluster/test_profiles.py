"""What is told of how a query ran: by EXPLAIN ANALYZE, by a job, and on the command line."""

import json
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import psutil
import pytest
from datafusion import SessionContext

import springald
from cluster.footprint import Footprint, children_running
from cluster.occupied import start_busy
from cluster.tables import FILES, NUMBERS_ROWS, SPREAD, SUMS, sums
from cluster.waiting import wait_until
from springald import JobProfile, JobStatus, OperatorProfile
from springald.errors import CastFailedError, TaskLostError, UnknownColumnError

_STARTED_S = 2.0
_PREDICATES = (
    "id >= 0",
    "id % 10 = 3",
    "k = 2 AND id < 1500",
    "s LIKE '%9%' OR id > 3990",
    "id < 0",
    "k IS NULL",
)


@pytest.fixture(params=["cluster", "local"])
def anywhere(request: pytest.FixtureRequest, numbers: Path) -> Iterator[springald.Connection]:
    """A session with `numbers` on the cluster, and one in this process."""
    if request.param == "cluster":
        yield request.getfixturevalue("con")
        return
    with springald.connect(**SPREAD) as connection:
        connection.register_parquet("numbers", numbers)
        yield connection


def _profile(con: springald.Connection, sql: str) -> JobProfile:
    """The profile of a query that runs to its end."""
    job = con.sql(sql).execute()
    assert job.wait(30) is JobStatus.SUCCEEDED
    return job.profile()


def _operators(profile: JobProfile, name: str) -> list[OperatorProfile]:
    return [o for stage in profile.stages for o in stage.operators if o.name == name]


def _counted(numbers: Path, predicate: str) -> int:
    """How many rows pass, as the engine says alone."""
    context = SessionContext()
    context.register_parquet("numbers", str(numbers))
    return context.sql(f"SELECT id FROM numbers WHERE {predicate}").count()


@pytest.mark.parametrize("predicate", _PREDICATES)
def test_rows_out_of_a_filter_are_those_that_the_engine_counts(
    anywhere: springald.Connection, numbers: Path, predicate: str
) -> None:
    """Summed over all tasks, and over nothing else."""
    profile = _profile(anywhere, f"SELECT k, count(*) FROM numbers WHERE {predicate} GROUP BY k")
    wanted = _counted(numbers, predicate)
    filters = _operators(profile, "FilterExec")
    scans = _operators(profile, "DataSourceExec")
    assert sum(o.rows_out or 0 for o in filters) == wanted
    # What statistics rule out is not even read.
    assert wanted <= max(o.rows_out or 0 for o in scans) <= NUMBERS_ROWS
    assert all(o.rows_in is None or o.rows_in >= (o.rows_out or 0) for o in filters)


def test_rows_of_unions_are_told_branch_by_branch(
    anywhere: springald.Connection, numbers: Path
) -> None:
    """Tasks run some branches only, and each branch gets the rows of its own."""
    bounds = (100, 1_000, 2_500, 4_000)
    branches = " UNION ALL ".join(
        f"SELECT id, k FROM numbers WHERE id % 4000 < {bound}" for bound in bounds
    )
    profile = _profile(anywhere, f"SELECT k, count(*) FROM ({branches}) GROUP BY k")
    told = {o.detail: o.rows_out for o in _operators(profile, "FilterExec")}
    assert sorted(rows or 0 for rows in told.values()) == list(bounds)
    for bound in bounds:
        assert told[next(d for d in told if f"< {bound}" in d)] == bound
        assert _counted(numbers, f"id % 4000 < {bound}") == bound
    (union,) = _operators(profile, "UnionExec")
    assert union.rows_out in (None, sum(bounds))


def test_explain_analyze_answers_with_the_profile_and_keeps_no_rows(
    con: springald.Connection, footprint: Footprint
) -> None:
    """One row as of EXPLAIN, the same whenever it is asked for; the query's own are dropped."""
    before = footprint.rows_files()
    job = con.sql(f"EXPLAIN ANALYZE {SUMS}").execute()
    rows = job.result()
    assert rows.to_pydict() == {"plan_type": ["stages"], "plan": [job.profile().to_text()]}
    profile = job.profile()
    assert profile.stages[-1].rows_out == len(sums()["k"])
    wait_until(lambda: footprint.rows_files() <= before, "the rows of the query are removed")
    assert max(stage.tasks for stage in profile.stages) > 1


def test_explain_analyze_verbose_answers_with_json_too(anywhere: springald.Connection) -> None:
    """A program of any language reads the profile by SQL alone."""
    told = anywhere.sql(f"EXPLAIN ANALYZE VERBOSE {SUMS}").to_pydict()
    assert told["plan_type"] == ["stages", "profile"]
    profile = json.loads(told["plan"][1])
    assert profile["status"] == "succeeded"
    assert profile["stages"][-1]["rows_out"] == len(sums()["k"])
    estimated = [o["rows_estimated"] for s in profile["stages"] for o in s["operators"]]
    assert NUMBERS_ROWS in estimated


def test_explain_analyze_tells_what_pruning_left(
    anywhere: springald.Connection, numbers: Path
) -> None:
    """One of the files has the rows that are wanted; the others are not read."""
    text = anywhere.sql("EXPLAIN ANALYZE SELECT s FROM numbers WHERE id = 7").to_pydict()["plan"][0]
    assert f"1 of {FILES} " in text
    assert _counted(numbers, "id = 7") == 1


def test_frame_explains_by_the_same_statement(
    con: springald.Connection, capsys: pytest.CaptureFixture[str]
) -> None:
    """`explain(analyze=True)` prints what EXPLAIN ANALYZE answers."""
    con.sql(SUMS).explain(analyze=True)
    out = capsys.readouterr().out
    assert out.startswith("stages:\nJob j")
    assert "AggregateExec: mode=FinalPartitioned" in out
    assert "estimated" in out


def test_profile_of_a_query_that_its_task_plans_tells_the_plan_that_ran(
    anywhere: springald.Connection,
) -> None:
    """Such a plan is made where it runs, and so are its figures."""
    sql = "SELECT lag(k) IGNORE NULLS OVER (ORDER BY id) AS before FROM numbers"
    profile = _profile(anywhere, sql)
    assert [o.rows_out for o in _operators(profile, "BoundedWindowAggExec")] == [NUMBERS_ROWS]
    (scan,) = _operators(profile, "DataSourceExec")
    assert scan.rows_out == NUMBERS_ROWS


def test_profile_of_a_failed_query_shows_how_far_it_came(anywhere: springald.Connection) -> None:
    """Stages that were finished have their figures, and so has the attempt that failed."""
    failing = "SELECT CAST(concat('x', k) AS INT) AS n FROM (SELECT k FROM numbers GROUP BY k)"
    job = anywhere.sql(failing).execute()
    assert job.wait(30) is JobStatus.FAILED
    assert isinstance(job.error, CastFailedError)
    profile = job.profile()
    assert profile.status is JobStatus.FAILED
    assert profile.error.startswith("[CAST_FAILED]")
    assert profile.stages[0].tasks_finished == profile.stages[0].tasks > 0
    assert any(o.rows_out == NUMBERS_ROWS for o in _operators(profile, "DataSourceExec"))
    last = profile.stages[-1]
    assert last.tasks_finished < last.tasks
    assert any(o.rows_out for o in last.operators), "rows came in before the cast failed"
    assert profile.error in profile.to_text()


def test_explain_analyze_of_a_failing_query_fails_like_it(anywhere: springald.Connection) -> None:
    """Its error is the query's, with the place in the text that was sent."""
    with pytest.raises(CastFailedError):
        anywhere.sql("EXPLAIN ANALYZE SELECT CAST(concat('x', s) AS INT) FROM numbers").to_arrow()
    with pytest.raises(UnknownColumnError) as raised:
        anywhere.sql("EXPLAIN ANALYZE\nSELECT nope FROM numbers").to_arrow()
    assert raised.value.position is not None
    assert (raised.value.position.line, raised.value.position.column) == (2, 8)


def test_profile_of_a_running_and_of_a_cancelled_job_tells_what_is_known(
    con: springald.Connection, busy: Path
) -> None:
    """Finished tasks count; the others have begun, or have not."""
    job = start_busy(con, busy)
    running = job.profile()
    assert running.status is JobStatus.RUNNING
    done = [
        stage for stage in running.stages if stage.tasks and stage.tasks == stage.tasks_finished
    ]
    assert any(o.rows_out for stage in done for o in stage.operators)
    job.cancel("seen enough")
    assert job.wait(10) is JobStatus.CANCELLED
    cancelled = job.profile()
    assert "seen enough" in cancelled.error
    assert [s.rows_out for s in cancelled.stages if s in done] == [s.rows_out for s in done]
    assert "not begun" in cancelled.to_text()


def test_profile_outlives_the_engines_that_ran_the_job(
    patient: springald.LocalCluster, con: springald.Connection, busy: Path
) -> None:
    """A task that was lost tells nothing of its operators; those that had ended did.

    It is lost three times, wherever it runs, so that its job fails.
    """
    job = start_busy(con, busy)
    running = next(each for each in job.statistics().tasks if each.state == "running")
    task, stage_id = running.task_id.partition("#")[0], running.stage_id
    for attempt in range(1, 4):
        where = wait_until(
            partial(_executor_of, job, f"{task}#{attempt}"), f"attempt {attempt} runs"
        )
        (executor,) = (each for each in patient.executors if each.executor_id == where)
        wait_until(partial(_engines_at_work, executor), "an engine is at work")[0].kill()
    assert job.wait(20) is JobStatus.FAILED
    assert isinstance(job.error, TaskLostError)
    assert all(executor.is_alive for executor in patient.executors)
    profile = job.profile()
    lost = next(stage for stage in profile.stages if stage.stage_id == stage_id)
    assert not any(o.rows_out for o in lost.operators)
    done = [
        stage for stage in profile.stages if stage.tasks and stage.tasks == stage.tasks_finished
    ]
    assert any(o.rows_out for stage in done for o in stage.operators)
    assert "TASK_LOST" in profile.to_text()
    job.release()
    assert con.profile(job.id).to_json() == profile.to_json()


def _engines_at_work(executor: springald.ExecutorProcess) -> list[psutil.Process]:
    """Those that have computed for longer than an engine takes to start."""
    engines = children_running(psutil.Process(executor.pid), "engine_process")
    return [each for each in engines if sum(each.cpu_times()[:2]) > _STARTED_S]


def _executor_of(job: springald.Job, attempt_id: str) -> str:
    """Where an attempt runs; nothing if it does not."""
    tasks = [each for each in job.statistics().tasks if each.task_id == attempt_id]
    return next((each.executor_id for each in tasks if each.state == "running"), "")


def test_profile_tells_what_crossed_executors(footprint: Footprint, numbers: Path) -> None:
    """Bytes that were read in place and bytes that were fetched, by stage."""
    with (
        springald.LocalCluster(2, 1, read_in_place=False, work_dir=footprint.folder) as cluster,
        cluster.connect(**SPREAD) as con,
    ):
        con.register_parquet("numbers", numbers)
        profile = _profile(con, SUMS)
    assert any(stage.bytes_read_local for stage in profile.stages)
    assert any(stage.bytes_read_remote for stage in profile.stages)
    table = profile.to_arrow()
    fetched = sum(stage.bytes_read_remote for stage in profile.stages)
    assert sum(filter(None, table["bytes_read_remote"].to_pylist())) == fetched


def test_command_line_explains_and_profiles(
    cluster: springald.LocalCluster, con: springald.Connection
) -> None:
    """`explain --analyze` runs a query; `profile` looks at one that ran, of any session."""
    job = con.sql(SUMS).execute()
    assert job.wait(30) is JobStatus.SUCCEEDED
    program = [sys.executable, "-m", "springald.cli.main"]
    environment = {"SPRINGALD_URL": cluster.url, "PATH": ""}

    def run(*arguments: str) -> str:
        ran = subprocess.run(
            [*program, *arguments], env=environment, capture_output=True, text=True, check=True
        )
        return ran.stdout

    assert run("profile", job.id) == f"{job.profile().to_text()}\n"
    assert json.loads(run("profile", job.id, "--format", "json"))["job_id"] == job.id
    assert "rows out" in run("explain", "--analyze", "SELECT 1 AS one")
