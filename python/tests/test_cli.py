"""The command line: what it writes, and the codes with which it ends."""

import io
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.json as pajson
import pyarrow.parquet as pq
import pytest
from fake_cluster import WAIT_S_MAX, FakeCluster, Script, syntax_error
from rich.console import Console
from typer.testing import CliRunner, Result

from springald.cli import main, query
from springald.client import Connection
from springald.errors import DivisionByZeroError, InternalError
from springald.job import Job
from springald.progress import JobStatus

ROWS = pa.table({"a": [1, 2, 3], "b": ["x", 'q"uo,te', None]})
START_S_MAX = 1.0


@pytest.fixture(autouse=True)
def _answers(cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every statement returns some rows, and the command line finds the cluster."""
    cluster.default = Script(rows=ROWS, parts=2)
    monkeypatch.setenv("SPRINGALD_URL", cluster.url)


def run(*arguments: str, stdin: str | None = None) -> Result:
    """Runs a command in this process."""
    return CliRunner().invoke(main.app, arguments, input=stdin)


def start(arguments: Sequence[str], **options: object) -> "subprocess.Popen[str]":
    """Starts a command as a process of its own."""
    command = [sys.executable, "-m", "springald.cli.main", *arguments]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(command, **{**pipes, **options})  # type: ignore[call-overload, no-any-return] # noqa: S603


def test_sql_table_is_drawn() -> None:
    """By default rows are a table for people."""
    ran = run("sql", "SELECT * FROM t")
    assert ran.exit_code == 0
    assert ran.stdout.splitlines() == [
        "+---+---------+",
        "| a | b       |",
        "+---+---------+",
        "| 1 | x       |",
        '| 2 | q"uo,te |',
        "| 3 | NULL    |",
        "+---+---------+",
    ]


def test_sql_that_writes_says_how_many_rows(cluster: FakeCluster) -> None:
    """Rows on standard output stay those of queries; --quiet says nothing."""
    cluster.default = Script(rows=pa.table({"count": pa.array([3], pa.uint64())}))
    ran = run("sql", "COPY t TO 'x.csv'")
    assert (ran.exit_code, ran.stdout, ran.stderr) == (0, "", "(3 rows written)\n")
    assert run("sql", "--quiet", "COPY t TO 'x.csv'").output == ""
    cluster.default = Script(rows=pa.table({}))
    assert run("sql", "SET a = 1").output == ""


def test_sql_table_more_rows_than_shown_says_so() -> None:
    """A table that is cut says that it is, and how to see all."""
    assert "--max-rows 0" in run("sql", "SELECT 1", "--max-rows", "2").stdout
    assert "--max-rows 0" not in run("sql", "SELECT 1", "--max-rows", "3").stdout
    assert "| 3 | NULL" in run("sql", "SELECT 1", "--max-rows", "0").stdout


def test_sql_csv_can_be_read_back() -> None:
    """CSV tells nulls from empty texts, and quotes what must be quoted."""
    ran = run("sql", "SELECT 1", "--format", "csv")
    assert ran.stdout == '"a","b"\n1,"x"\n2,"q""uo,te"\n3,\n'
    assert pacsv.read_csv(io.BytesIO(ran.stdout_bytes)).column("a").to_pylist() == [1, 2, 3]


def test_sql_json_is_one_object_a_line() -> None:
    """JSON comes as lines, each a whole object."""
    ran = run("sql", "SELECT 1", "--format", "json")
    assert [json.loads(line) for line in ran.stdout.splitlines()] == ROWS.to_pylist()


@pytest.mark.parametrize(
    ("form", "line"),
    [
        ("json", '{"l":["1970-01-01 00:00:00.000000001",null]}'),
        ("csv", '"[""1970-01-01 00:00:00.000000001"",null]"'),
    ],
)
def test_sql_times_inside_of_values_keep_their_digits(
    cluster: FakeCluster, form: str, line: str
) -> None:
    """Nanoseconds are written at any depth, with pandas and without."""
    times = pa.array([[1, None]], pa.list_(pa.timestamp("ns")))
    cluster.default = Script(rows=pa.table({"l": times}))
    assert run("sql", "SELECT 1", "--format", form).stdout.splitlines()[-1] == line


def test_sql_arrow_on_standard_output_is_a_stream() -> None:
    """A pipe gets the Arrow stream format."""
    ran = run("sql", "SELECT 1", "--format", "arrow")
    assert pa.ipc.open_stream(ran.stdout_bytes).read_all().equals(ROWS)


def test_sql_parquet_on_standard_output_is_a_file() -> None:
    """Parquet passes through a pipe too."""
    ran = run("sql", "SELECT 1", "--format", "parquet")
    assert pq.read_table(pa.BufferReader(ran.stdout_bytes)).equals(ROWS)


@pytest.mark.parametrize("form", ["csv", "json"])
def test_sql_text_formats_keep_every_type(cluster: FakeCluster, form: str) -> None:
    """Types that a text format lacks are written so that nothing is lost."""
    cluster.default = Script(
        rows=pa.table({
            "when": pa.array([1_700_000_000_123_456_789], pa.timestamp("ns", "UTC")),
            "exact": [Decimal("1.10")],
            "bytes": [b"\x00\xff"],
            "list": [[1, None]],
            "struct": [{"x": datetime(2024, 2, 29, tzinfo=UTC), "y": timedelta(hours=1)}],
            "not": [float("nan")],
            "view": pa.array(["v"], pa.string_view()),
            "dictionary": pa.array(["d"]).dictionary_encode(),
            "none": pa.nulls(1),
        })
    )  # fmt: skip
    ran = run("sql", "SELECT 1", "--format", form)
    assert ran.exit_code == 0, ran.output
    assert "2023-11-14 22:13:20.123456789Z" in ran.stdout
    assert "1.10" in ran.stdout
    assert "AP8=" in ran.stdout
    assert "[1,null]" in ran.stdout
    assert "2024-02-29T00:00:00+00:00" in ran.stdout


@pytest.mark.parametrize("ending", [".csv", ".json", ".arrow", ".parquet"])
def test_sql_output_ending_tells_format(tmp_path: Path, ending: str) -> None:
    """A file's ending chooses its format, and the file holds all rows."""
    file = tmp_path / f"rows{ending}"
    assert run("sql", "SELECT 1", "-o", str(file)).exit_code == 0
    readers: dict[str, Callable[[Path], pa.Table]] = {
        ".csv": pacsv.read_csv,
        ".json": pajson.read_json,
        ".arrow": lambda path: pa.ipc.open_file(path).read_all(),
        ".parquet": pq.read_table,
    }
    assert readers[ending](file).column("a").to_pylist() == [1, 2, 3]
    assert [path.name for path in tmp_path.iterdir()] == [file.name]


def test_sql_output_query_fails_leaves_no_file(cluster: FakeCluster, tmp_path: Path) -> None:
    """A file appears when it is complete, or not at all."""
    cluster.default = Script(rows=ROWS, lost_part=InternalError("gone"))
    assert run("sql", "SELECT 1", "-o", str(tmp_path / "rows.csv")).exit_code == 1
    assert list(tmp_path.iterdir()) == []


def test_sql_statements_from_file_and_input_run_in_order(
    cluster: FakeCluster, tmp_path: Path
) -> None:
    """Statements come from a file or from standard input, and run in one session."""
    file = tmp_path / "query.sql"
    file.write_text("SET a = ';'; SELECT 1;\n-- the end")
    assert run("sql", "-f", str(file)).exit_code == 0
    assert run("sql", stdin="SELECT 2").exit_code == 0
    assert run("sql", "-", stdin="SELECT 3").exit_code == 0
    assert cluster.executed() == ["SET a = ';'", "SELECT 1", "SELECT 2", "SELECT 3"]
    assert len(cluster.sessions) == 3


def test_sql_settings_and_tables_come_first(cluster: FakeCluster, tmp_path: Path) -> None:
    """Settings and tables of the command line are there when the statement runs."""
    ran = run("sql", "SELECT 1", "--set", "a.b=c=d", "-t", f"t={tmp_path}", "-t", "u=rows.csv")
    assert ran.exit_code == 0
    assert list(cluster.sessions.values()) == [{"a.b": "c=d"}]
    assert cluster.files["t"].path == str(tmp_path)
    assert cluster.files["u"].path == str(Path.cwd() / "rows.csv")


@pytest.mark.parametrize(
    "arguments",
    [
        ["sql", ""],
        ["sql", "SELECT 1", "-f", "query.sql"],
        ["sql", "-f", "/nowhere/query.sql"],
        ["sql", "SELECT 1", "--format", "xml"],
        ["sql", "SELECT 1", "-o", "rows.xyz"],
        ["sql", "SELECT 1", "-o", "/nowhere/rows.csv"],
        ["sql", "SELECT 1; SELECT 2", "--format", "parquet"],
        ["sql", "SELECT 1", "--set", "novalue"],
        ["sql", "SELECT 1", "--url", "http://x"],
        ["cancel", "j99"],
        ["jobs", "--limit", "0"],
        ["nonsense"],
        ["cluster", "--executors", "-1"],
    ],
)
def test_exit_code_wrong_request_is_two(arguments: list[str]) -> None:
    """What the caller has to change ends with 2, and one readable text."""
    ran = run(*arguments)
    assert ran.exit_code == 2
    assert ran.stderr
    assert "Traceback" not in ran.stderr


def test_exit_code_syntax_error_is_two_with_caret(cluster: FakeCluster) -> None:
    """A syntax error shows its place."""
    cluster.scripts["SELECT x FORM t"] = Script(refusal=syntax_error(1, 10))
    ran = run("sql", "SELECT x FORM t")
    assert ran.exit_code == 2
    assert ran.stdout == ""
    assert ran.stderr == (
        "[SQL_SYNTAX] the text must parse: got FORM\nline 1: SELECT x FORM t\n                 ^\n"
    )


def test_exit_code_failed_query_is_one(cluster: FakeCluster) -> None:
    """A query that fails on its data ends with 1."""
    cluster.default = Script(error=DivisionByZeroError("1 / 0"))
    ran = run("sql", "SELECT 1")
    assert (ran.exit_code, ran.stderr) == (1, "[DIVISION_BY_ZERO] 1 / 0\n")


def test_exit_code_bug_shows_the_engines_words(cluster: FakeCluster) -> None:
    """A bug is told with what a report of it needs."""
    cluster.default = Script(error=InternalError("broken", engine_message="panicked at x.rs"))
    ran = run("sql", "SELECT 1")
    assert ran.exit_code == 1
    assert "panicked at x.rs" in ran.stderr


def test_exit_code_nothing_there_is_three() -> None:
    """A cluster that cannot be reached ends with 3."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        url = f"springald://127.0.0.1:{bound.getsockname()[1]}"
        ran = run("sql", "SELECT 1", "--url", url)
    assert ran.exit_code == 3
    assert "SCHEDULER_UNAVAILABLE" in ran.stderr


def test_exit_code_interrupted_is_130_and_job_is_cancelled(cluster: FakeCluster) -> None:
    """Ctrl-C stops the query where it runs, and ends with 130."""
    cluster.default = Script(held=True)
    with start(["sql", "SELECT 1"]) as process:
        cluster.wait_call("execute")
        process.send_signal(signal.SIGINT)
        _, stderr = process.communicate(timeout=WAIT_S_MAX)
    assert (process.returncode, stderr) == (130, "interrupted\n")
    cluster.wait_call("cancel")


def test_sql_reader_leaves_early_is_quiet(cluster: FakeCluster) -> None:
    """`springald sql ... | head` complains about nothing."""
    rows = pa.table({"a": ["x" * 1000] * 20_000})
    cluster.default = Script(rows=rows)
    with start(["sql", "SELECT 1", "--format", "csv"]) as process:
        assert process.stdout is not None
        process.stdout.readline()
        process.stdout.close()
        assert process.wait(WAIT_S_MAX) == 0
        assert process.stderr is not None
        assert process.stderr.read() == ""


def test_explain_prints_plans(cluster: FakeCluster) -> None:
    """`explain` runs what comes before, and explains the last statement."""
    cluster.default = Script(rows=pa.table({"plan_type": ["stages"], "plan": ["stage 1"]}))
    ran = run("explain", "SET a = 1; SELECT 1")
    assert ran.exit_code == 0
    assert ran.stdout == "stages:\nstage 1\n\n"
    run("explain", "SELECT 2", "--analyze")
    assert cluster.executed() == ["SET a = 1", "EXPLAIN SELECT 1", "EXPLAIN ANALYZE SELECT 2"]


def test_profile_tells_how_a_job_ran(cluster: FakeCluster, con: Connection) -> None:
    """As text for people, as a table, and as JSON for programs."""
    job = con.sql("SELECT 1").execute()
    job.wait()
    text = run("profile", job.id, "--url", cluster.url)
    assert text.exit_code == 0
    assert text.stdout == f"{con.profile(job.id).to_text()}\n"
    table = run("profile", job.id, "--url", cluster.url, "--format", "table").stdout
    assert "| s1/o1 " in table
    parsed = json.loads(run("profile", job.id, "--url", cluster.url, "--format", "json").stdout)
    assert parsed["job_id"] == job.id
    assert run("profile", "j999", "--url", cluster.url).exit_code == 2


def test_jobs_and_cancel_reach_all_sessions(cluster: FakeCluster, con: Connection) -> None:
    """An operator sees and stops everybody's jobs; a statement is text, never markup."""
    cluster.default = Script(held=True)
    job = con.sql("SELECT '[bold]x[/nope]'").execute()
    listed = run("jobs")
    assert listed.exit_code == 0
    assert "j1" in listed.stdout
    assert "running" in listed.stdout
    (described,) = run("jobs", "--format", "json").stdout.splitlines()
    assert json.loads(described)["statement"] == "SELECT '[bold]x[/nope]'"
    assert run("cancel", "j1", "--reason", "enough").stdout == "j1 is cancelled\n"
    job.wait(WAIT_S_MAX)
    assert "enough" in str(job.error)


def test_jobs_without_url_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands about a cluster need one."""
    monkeypatch.delenv("SPRINGALD_URL")
    ran = run("jobs")
    assert ran.exit_code == 2
    assert "--url" in ran.stderr


def test_progress_long_job_draws_its_tasks(
    cluster: FakeCluster, con: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A person who waits sees the job's real task counts, and why it waits."""
    monkeypatch.setattr(query, "PATIENCE_S", 0.01)
    cluster.default = Script(held=True)
    job = con.sql("SELECT 1").execute()
    drawn = io.StringIO()
    console = Console(file=drawn, force_terminal=True, width=100)
    following = threading.Thread(target=query.follow_job, args=(job, console))
    following.start()
    cluster.advance("SELECT 1", 3)
    deadline = time.monotonic() + WAIT_S_MAX
    while "3/4" not in drawn.getvalue() and time.monotonic() < deadline:
        following.join(0.01)
    cluster.finish_all()
    following.join(WAIT_S_MAX)
    assert re.search(r"3/4\S* tasks", drawn.getvalue())
    assert "j1 the test holds it" in drawn.getvalue()


def test_progress_quick_job_draws_nothing(con: Connection) -> None:
    """A query that is done in a moment shows no bar."""
    drawn = io.StringIO()
    job: Job = con.sql("SELECT 1").execute()
    query.follow_job(job, Console(file=drawn, force_terminal=True))
    assert drawn.getvalue() == ""


def test_progress_interrupted_while_drawn_cancels(
    cluster: FakeCluster, con: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ctrl-C stops the query also when it strikes between two looks at the job."""

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(query, "PATIENCE_S", 0.01)
    monkeypatch.setattr(query, "_draw", interrupted)
    cluster.default = Script(held=True)
    job = con.sql("SELECT 1").execute()
    with pytest.raises(KeyboardInterrupt):
        query.follow_job(job, Console(file=io.StringIO()))
    cluster.wait_call("cancel")
    assert job.wait(WAIT_S_MAX) is JobStatus.CANCELLED


def test_version_names_everything() -> None:
    """The versions that a bug report needs."""
    ran = run("version")
    assert ran.exit_code == 0
    assert "springald 0.1.0" in ran.stdout.splitlines()
    assert "pyarrow" in ran.stdout


def test_help_lists_commands_and_exit_codes() -> None:
    """`--help` tells the commands and the exit codes."""
    ran = run("--help")
    assert ran.exit_code == 0
    for command in ("sql", "shell", "explain", "jobs", "cancel", "cluster"):
        assert command in ran.stdout
        assert run(command, "--help").exit_code == 0
    for command in ("scheduler", "executor"):
        # Programs of their own: they change how this process takes signals.
        with start([command, "--help"]) as process:
            assert "--log-level" in process.communicate(timeout=WAIT_S_MAX)[0]
        assert process.returncode == 0
    assert "130 interrupted" in " ".join(ran.stdout.split())


def test_help_starts_quickly() -> None:
    """Asking for help loads neither engine nor Arrow."""
    code = (
        "import sys; import springald.cli.main; "
        "print(sorted({'pyarrow', 'grpc', 'datafusion', 'prompt_toolkit'} & sys.modules.keys()))"
    )
    ran = subprocess.run(  # noqa: S603 - this interpreter
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    )
    assert ran.stdout == "[]\n"


def test_program_missing_distribution_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The thin client says which package a command needs."""
    monkeypatch.setattr("springald.cli.servers.find_spec", lambda _: None)
    ran = run("scheduler", "--bind", "127.0.0.1:0")
    assert ran.exit_code == 2
    assert "pip install springald-scheduler" in ran.stderr


def test_program_arguments_are_passed_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Everything after the command's name, `--help` too, belongs to the program."""
    package = tmp_path / "springald_executor"
    package.mkdir()
    (package / "__init__.py").touch()
    (package / "__main__.py").write_text("import sys; print(sys.argv[1:]); sys.exit(7)")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with start(["executor", "--help", "--slots", "2"]) as process:
        stdout, _ = process.communicate(timeout=WAIT_S_MAX)
    assert process.returncode == 7
    assert stdout.strip() == "['--help', '--slots', '2']"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_cluster_foreground_stops_cleanly(stand_ins: Path, number: signal.Signals) -> None:
    """`springald cluster` prints its address, and a signal stops everything."""
    environment = {**os.environ, "TMPDIR": str(stand_ins)}
    arguments = ["cluster", "--executors", "1", "--slots", "2", "--port", "0"]
    with start(arguments, env=environment) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("springald://127.0.0.1:")
        process.send_signal(number)
        _, stderr = process.communicate(timeout=WAIT_S_MAX)
    assert process.returncode == 0
    assert stderr.splitlines()[-2:] == [
        "1 executor with 2 slots; Ctrl-C stops the cluster",
        "stopped",
    ]
    assert not list(stand_ins.glob("springald-*"))


def test_cluster_port_in_use_is_three(stand_ins: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A port that is taken ends with 3."""
    monkeypatch.setenv("FAKE_FAULT_SCHEDULER", "exit 3")
    ran = run("cluster", "--executors", "0", "--port", "0")
    assert ran.exit_code == 3
    assert "ADDRESS_IN_USE" in ran.stderr
    assert stand_ins.is_dir()
