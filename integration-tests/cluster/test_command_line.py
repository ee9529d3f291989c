"""The command `springald` against a real cluster: output for people and programs, exit codes."""

import csv
import io
import json
import os
import signal
import subprocess
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import springald
from cluster.footprint import Footprint
from cluster.occupied import start_busy
from cluster.tables import BUSY, SPREAD, SUMS, sums
from cluster.terminal import COMMAND, CTRL_C, at_terminal
from cluster.waiting import wait_until
from etcd_servers import free_ports
from springald import JobStatus
from springald.errors import CancelledError

_RUN_S_MAX = 60


def _run(*arguments: str | Path, stdin: str = "") -> "subprocess.CompletedProcess[str]":
    return subprocess.run(
        [COMMAND, *map(str, arguments)],
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
        timeout=_RUN_S_MAX,
    )


def test_sql_writes_tables_csv_and_json(patient: springald.LocalCluster, numbers: Path) -> None:
    """`sql` runs statements on the cluster and writes rows for people and programs."""
    base = ("sql", "--url", patient.url, "--table", f"numbers={numbers}", SUMS)
    drawn = _run(*base)
    assert (drawn.returncode, drawn.stderr) == (0, "")
    assert all(str(value) in drawn.stdout for column in sums().values() for value in column)
    written = list(csv.DictReader(io.StringIO(_run(*base, "--format", "csv").stdout)))
    assert [int(row["s"]) for row in written] == sums()["s"]
    lines = _run(*base, "--format", "json", "--set", "springald.distribution=always").stdout
    assert [json.loads(line)["n"] for line in lines.splitlines()] == sums()["n"]


def test_sql_writes_arrow_and_parquet_files(
    patient: springald.LocalCluster, numbers: Path, tmp_path: Path
) -> None:
    """An output file's ending tells its format; the file is whole."""
    for name in ("rows.parquet", "rows.arrow"):
        path = tmp_path / name
        ran = _run("sql", "-u", patient.url, "-t", f"numbers={numbers}", "-o", path, SUMS)
        assert (ran.returncode, ran.stdout) == (0, "")
        rows = (
            pq.read_table(path) if name.endswith("parquet") else pa.ipc.open_file(path).read_all()
        )
        assert rows.to_pydict() == sums()


def test_sql_runs_a_file_of_statements(
    patient: springald.LocalCluster, numbers: Path, tmp_path: Path
) -> None:
    """`-f` runs a script in one session; the first failure ends it with its place."""
    script = tmp_path / "script.sql"
    good = f"""
        -- makes a table; then asks
        CREATE EXTERNAL TABLE numbers STORED AS PARQUET LOCATION '{numbers}/';
        SET springald.distribution = 'always';
        CREATE VIEW few AS SELECT * FROM numbers WHERE id < 3;
        SELECT count(*) AS n FROM few;
    """
    script.write_text(good)
    ran = _run("sql", "-u", patient.url, "-f", script, "--format", "csv")
    assert (ran.returncode, ran.stdout.split()) == (0, ['"n"', "3"])
    script.write_text(f"{good} SELECT nothing FROM few; SELECT 'never' AS x;")
    ran = _run("sql", "-u", patient.url, "-f", script, "--format", "csv")
    assert ran.returncode == 2
    assert "UNKNOWN_COLUMN" in ran.stderr
    assert "never" not in ran.stdout


@pytest.mark.parametrize(
    ("sql", "code", "words"),
    [
        ("SELEC 1", 2, ("SQL_SYNTAX", "^")),
        ("SELECT * FROM nowhere", 2, ("UNKNOWN_TABLE", "nowhere", "^")),
        ("SELECT 1 / (value - 2) FROM generate_series(1, 3)", 1, ("DIVISION_BY_ZERO",)),
        ("CREATE SCHEMA other", 2, ("UNSUPPORTED",)),
    ],
)
def test_sql_that_fails_tells_why_and_exits_with_its_code(
    patient: springald.LocalCluster, sql: str, code: int, words: tuple[str, ...]
) -> None:
    """The exit code says whose fault it was; the reason is on standard error, without a trace."""
    ran = _run("sql", "-u", patient.url, sql)
    assert ran.returncode == code
    assert ran.stdout == ""
    assert all(word in ran.stderr for word in words)
    assert "Traceback" not in ran.stderr


def test_sql_without_a_cluster_there_exits_with_three() -> None:
    """An address where nobody listens is said within seconds."""
    ran = _run("sql", "-u", "springald://127.0.0.1:1", "SELECT 1")
    assert ran.returncode == 3
    assert "SCHEDULER_UNAVAILABLE" in ran.stderr
    assert "127.0.0.1:1" in ran.stderr


def test_sql_without_url_runs_in_its_own_process(numbers: Path) -> None:
    """Without a URL a query runs in the command's process, with the same answer."""
    ran = _run("sql", "-t", f"numbers={numbers}", "--format", "csv", SUMS)
    assert (ran.returncode, ran.stderr) == (0, "")
    rows = list(csv.DictReader(io.StringIO(ran.stdout)))
    assert [int(row["s"]) for row in rows] == sums()["s"]


def test_sql_interrupted_cancels_its_job(patient: springald.LocalCluster, busy: Path) -> None:
    """Ctrl-C at a long query shows progress until then, cancels the job, and exits with 130."""
    command = [COMMAND, "sql", "-u", patient.url, "-t", f"busy={busy}"]
    command += ["-s", "springald.distribution=always", BUSY]
    with at_terminal(command, {}) as terminal, patient.connect() as con:
        terminal.expect(r"j\d+.*\d+/\d+ *tasks")
        job = con.jobs(all_sessions=True, jobs_max=1)[0]
        assert (job.statement, job.status) == (BUSY, JobStatus.RUNNING)
        terminal.type(CTRL_C)
        assert terminal.wait_end() == 130
        wait_until(lambda: _status(con, job.id) is JobStatus.CANCELLED, "the job is cancelled", 5.0)


def _status(con: springald.Connection, job_id: str) -> JobStatus:
    (job,) = [job for job in con.jobs(all_sessions=True) if job.id == job_id]
    return job.status


def test_jobs_and_cancel_work_on_other_sessions(
    patient: springald.LocalCluster, busy: Path
) -> None:
    """`jobs` lists everybody's jobs and `cancel` stops one, with the reason for its owner."""
    with patient.connect(**SPREAD) as con:
        job = start_busy(con, busy)
        listed = _run("jobs", "-u", patient.url, "--format", "json", "-n", "1")
        told = json.loads(listed.stdout)
        assert (told["id"], told["status"], told["statement"]) == (job.id, "running", BUSY)
        drawn = _run("jobs", "-u", patient.url).stdout
        assert job.id in drawn
        assert "running" in drawn
        ran = _run("cancel", "-u", patient.url, "--reason", "lunch", job.id)
        assert ran.returncode == 0
        assert job.id in ran.stdout
        with pytest.raises(CancelledError, match="lunch"):
            job.result()
    assert _run("cancel", "-u", patient.url, "j987654").returncode == 2


def test_explain_shows_the_stages(patient: springald.LocalCluster, numbers: Path) -> None:
    """`explain` prints the plans and the stages; a wrong query has its exit code."""
    base = ("explain", "-u", patient.url, "-t", f"numbers={numbers}")
    ran = _run(*base, "-s", "springald.distribution=always", SUMS)
    assert ran.returncode == 0
    assert all(word in ran.stdout for word in ("logical_plan", "physical_plan", "Stage 2", "hash"))
    assert _run(*base, "SELECT nothing FROM numbers").returncode == 2


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_cluster_in_the_foreground_stops_cleanly(
    how: signal.Signals, tmp_path: Path, numbers: Path
) -> None:
    """`cluster` runs until Ctrl-C or SIGTERM, then ends with 0 and leaves nothing."""
    footprint = Footprint(tmp_path)
    command = [COMMAND, "cluster", "--executors", "2", "--slots", "1", "--port", "0"]
    with at_terminal(command, {"TMPDIR": str(tmp_path)}) as terminal:
        shown = terminal.expect(r"springald://127\.0\.0\.1:\d+\s")
        url = shown.split()[-1]
        with springald.connect(url, **SPREAD) as con:
            con.register_parquet("numbers", numbers)
            assert con.sql(SUMS).to_pydict() == sums()
            assert len(con.executors()) == 2
        footprint.assert_alive(5)
        if how == signal.SIGINT:
            terminal.type(CTRL_C)
        else:
            terminal.process.send_signal(how)
        assert terminal.wait_end() == 0
        assert "Traceback" not in terminal.screen
    footprint.wait_gone()


def test_scheduler_and_executor_commands_make_a_cluster(tmp_path: Path, numbers: Path) -> None:
    """`springald scheduler` and `springald executor`, started by hand, find each other."""
    footprint = Footprint(tmp_path)
    ready = tmp_path / "ready.json"
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    scheduler = subprocess.Popen(
        [COMMAND, "scheduler", "--bind", "127.0.0.1:0", "--ready-file", ready],
        env=environment,
        stderr=subprocess.DEVNULL,
    )
    processes = [scheduler]
    try:
        wait_until(ready.exists, "the scheduler is ready")
        address = json.loads(ready.read_text())["address"]
        for name in ("one", "two"):
            options = ["--scheduler", address, "--slots", "1", "--work-dir", tmp_path / name]
            command = [COMMAND, "executor", *options]
            processes.append(subprocess.Popen(command, env=environment, stderr=subprocess.DEVNULL))
        with springald.connect(f"springald://{address}", **SPREAD) as con:
            wait_until(lambda: len(con.executors()) == 2, "two executors are there")
            con.register_parquet("numbers", numbers)
            assert con.sql(SUMS).to_pydict() == sums()
        footprint.assert_alive(3)
    finally:
        for process in reversed(processes):
            process.terminate()
        codes = [process.wait(20) for process in processes]
    assert codes == [0, 0, 0]
    wait_until(lambda: not footprint.processes() or None, "no process is left")


def test_scheduler_removes_the_folder_of_one_that_was_killed(tmp_path: Path) -> None:
    """Kill -9 leaves a folder to the next scheduler, which removes it; in the end none is left."""
    kept = tmp_path / "temporary"
    kept.mkdir()
    found: list[set[Path]] = []
    for number, end in enumerate((signal.SIGKILL, signal.SIGTERM)):
        ready = tmp_path / f"ready-{number}.json"
        scheduler = subprocess.Popen(
            [COMMAND, "scheduler", "--bind", "127.0.0.1:0", "--ready-file", ready],
            env={**os.environ, "TMPDIR": str(kept)},
            stderr=subprocess.DEVNULL,
        )
        try:
            wait_until(ready.exists, "the scheduler is ready")
            found.append(set(kept.glob("springald-scheduler-*")))
        finally:
            scheduler.send_signal(end)
            scheduler.wait(20)
    first, second = found
    assert len(first) == len(second) == 1
    assert first != second
    assert not list(kept.glob("springald-scheduler-*"))


def test_two_schedulers_at_one_port_are_refused(patient: springald.LocalCluster) -> None:
    """A scheduler or cluster at a port in use exits with 3 and says which port, in a line."""
    port = patient.url.rpartition(":")[2]
    for arguments in (
        ("scheduler", "--bind", f"127.0.0.1:{port}"),
        ("cluster", "--executors", "1", "--port", port),
    ):
        ran = _run(*arguments)
        assert ran.returncode == 3
        (line,) = ran.stderr.splitlines()
        assert "[ADDRESS_IN_USE]" in line
        assert f"127.0.0.1:{port} is not" in line
        # It has not even looked at the state that the port's name stands for.
        assert "state is kept" not in ran.stderr


def test_second_scheduler_at_a_port_takes_no_state_from_the_first(tmp_path: Path) -> None:
    """A scheduler that is refused leaves the one that serves, and the state it keeps, alone."""
    ready, log = tmp_path / "ready.json", tmp_path / "log.txt"
    environment = {**os.environ, "XDG_STATE_HOME": str(tmp_path / "state")}
    with log.open("w") as told:
        (port,) = free_ports(1)
        command = [COMMAND, "scheduler", "--bind", f"127.0.0.1:{port}"]
        first = subprocess.Popen(
            [*command, "--ready-file", ready], env=environment, stderr=told, stdout=told
        )
    try:
        wait_until(ready.exists, "the scheduler is ready")
        second = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=60, check=False
        )
        assert second.returncode == 3
        assert f"127.0.0.1:{port} is not" in second.stderr
        with springald.connect(f"springald://127.0.0.1:{port}") as connection:
            # A view is written down before it is told, which only the owner of the state can do.
            connection.sql("CREATE VIEW one AS SELECT 1 AS one")
            assert "one" in connection.tables()
        assert first.poll() is None
        assert "state is kept" in log.read_text()
    finally:
        first.terminate()
        first.wait(20)


def test_executor_without_a_scheduler_keeps_looking_until_told_to_stop(tmp_path: Path) -> None:
    """An executor that finds no scheduler waits for one, and stops in order when it is told."""
    footprint = Footprint(tmp_path)
    log = tmp_path / "log.txt"
    options: list[str | Path] = ["--scheduler", "127.0.0.1:1", "--work-dir", tmp_path / "work"]
    with log.open("w") as told:
        executor = subprocess.Popen([COMMAND, "executor", *options], stderr=told, stdout=told)
    try:
        wait_until(lambda: "127.0.0.1:1" in log.read_text(), "it tells what it looks for")
        footprint.assert_alive(1)
        assert "got a refused connection; check" in log.read_text()
        executor.terminate()
        assert executor.wait(20) == 0
    finally:
        executor.kill()
    wait_until(lambda: not footprint.processes() or None, "no process is left")


def test_help_and_versions_need_no_cluster(patient: springald.LocalCluster) -> None:
    """`--help` names the commands, each of which has its own."""
    ran = _run("--help")
    assert ran.returncode == 0
    commands = ("sql", "shell", "scheduler", "executor", "cluster", "jobs", "cancel", "explain")
    assert all(command in ran.stdout for command in commands)
    for command in ("scheduler", "executor", "sql"):
        told = _run(command, "--help")
        assert (told.returncode, "--" in told.stdout) == (0, True)
    assert patient.scheduler.is_alive
