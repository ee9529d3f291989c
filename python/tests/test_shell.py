"""The shell: statements and commands in one session, completion, and what Enter does."""

import signal
import threading
from pathlib import Path

import pyarrow as pa
import pytest
from fake_cluster import FakeCluster, Script, syntax_error
from prompt_toolkit.application import create_app_session
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document
from prompt_toolkit.input import create_pipe_input
from prompt_toolkit.output import DummyOutput
from typer.testing import CliRunner

from springald.cli import main
from springald.cli.prompt import SqlCompleter, make_prompt
from springald.cli.shell import Shell, talk
from springald.client import Connection

SCHEMA = pa.schema([("id", pa.int64()), ("Name", pa.string())])


@pytest.fixture
def shell(cluster: FakeCluster, con: Connection) -> Shell:
    """A shell whose session has two tables."""
    cluster.tables = {"users": ("parquet", SCHEMA), "My View": ("view", SCHEMA)}
    return Shell(con)


def completed(shell: Shell, text: str) -> list[str]:
    """What a text can be completed to, as whole words."""
    found = SqlCompleter(shell).get_completions(Document(text), CompleteEvent())
    return [completion.text for completion in found]


def typed(shell: Shell, keys: str) -> None:
    """Types into the shell until the input ends."""
    with create_pipe_input() as pipe, create_app_session(input=pipe, output=DummyOutput()):
        pipe.send_text(keys)
        talk(shell, make_prompt(shell))


def test_run_that_writes_says_how_many_rows(
    shell: Shell, cluster: FakeCluster, capsys: pytest.CaptureFixture[str]
) -> None:
    """A statement that writes answers with a count, which is told in words."""
    cluster.default = Script(rows=pa.table({"count": pa.array([1], pa.uint64())}))
    assert shell.run("INSERT INTO t VALUES (1);")
    assert capsys.readouterr().out == "(1 row written)\n"


@pytest.fixture(autouse=True)
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder for the history."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    return tmp_path


def test_run_query_shows_rows_and_count(
    shell: Shell, cluster: FakeCluster, capsys: pytest.CaptureFixture[str]
) -> None:
    """A query shows its rows and how many they are."""
    assert shell.run("SELECT 1;")
    out = capsys.readouterr().out
    assert "|   1 |" in out
    assert out.endswith("(1 row)\n")
    assert cluster.executed() == ["SELECT 1"]


def test_run_failure_is_told_and_the_shell_goes_on(
    shell: Shell, cluster: FakeCluster, capsys: pytest.CaptureFixture[str]
) -> None:
    """An error ends its statement only, and is remembered for the exit code."""
    cluster.scripts["SELEC 1"] = Script(refusal=syntax_error(1, 1))
    assert shell.run("SELEC 1; SELECT 2;")
    assert shell.run("SELECT 3;")
    captured = capsys.readouterr()
    assert "line 1: SELEC 1\n        ^" in captured.err
    assert shell.first_failure == 2
    assert cluster.executed() == ["SELECT 3"]


def test_run_ctrl_c_cancels_the_statement(
    shell: Shell, cluster: FakeCluster, capsys: pytest.CaptureFixture[str]
) -> None:
    """Ctrl-C stops the running statement on the cluster, and the shell goes on."""
    cluster.default = Script(held=True)

    def press() -> None:
        cluster.wait_call("execute")
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)

    thread = threading.Thread(target=press)
    thread.start()
    assert shell.run("SELECT 1;")
    thread.join()
    cluster.wait_call("cancel")
    assert "interrupted" in capsys.readouterr().err


def test_run_commands_list_describe_time_and_leave(
    shell: Shell, cluster: FakeCluster, capsys: pytest.CaptureFixture[str]
) -> None:
    """Backslash commands answer without a semicolon."""
    cluster.default = Script(rows=SCHEMA.empty_table())
    assert shell.run("\\d")
    assert "| users   | parquet |" in capsys.readouterr().out
    assert shell.run("\\d users;")
    assert "| Name   | string |" in capsys.readouterr().out
    assert shell.run("\\timing")
    shell.run("SELECT 1;")
    assert "time: " in capsys.readouterr().out
    assert shell.run("\\?")
    assert shell.run("\\nonsense")
    assert capsys.readouterr().out.count("list tables and views") == 2
    assert not shell.run("\\q")


def test_refresh_statement_makes_table_is_completed(shell: Shell, cluster: FakeCluster) -> None:
    """What a statement makes can be completed afterwards."""
    assert completed(shell, "SELECT * FROM fresh") == []
    cluster.tables["fresh"] = ("view", SCHEMA)
    shell.run("CREATE VIEW fresh AS SELECT 1;")
    assert completed(shell, "SELECT * FROM fres") == ["fresh"]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("sel", ["select"]),
        ("SEL", ["SELECT"]),
        ("SELECT * FROM us", ["users", "using"]),
        ("SELECT * FROM my", ['"My View"']),
        ("SELECT users.", ["id", '"Name"']),
        ("SELECT users.na", ['"Name"']),
        ("SELECT nothing.na", []),
        ("SELECT inn", ["inner"]),
        (
            "SELECT I",
            ["id", "IF", "ILIKE", "IN", "INNER", "INSERT", "INTERSECT", "INTERVAL", "INTO", "IS"],
        ),
        ("\\ti", ["\\timing"]),
    ],
)
def test_completion_words_before_cursor(shell: Shell, text: str, words: list[str]) -> None:
    """Tables, columns and keywords complete a word, columns alone what follows `table.`."""
    assert completed(shell, text) == words


def test_prompt_enter_runs_whole_statements_only(
    shell: Shell, cluster: FakeCluster, state: Path
) -> None:
    """Enter continues a statement until its semicolon, and runs a command at once."""
    typed(shell, "SELECT\r';'\r;\r\\timing\r\\q\r")
    assert cluster.executed() == ["SELECT\n';'"]
    assert shell.timing
    history = (state / "springald" / "history").read_text()
    assert "+SELECT" in history
    assert (state / "springald" / "history").stat().st_mode & 0o077 == 0


def test_prompt_ctrl_c_empties_and_ctrl_d_leaves(shell: Shell, cluster: FakeCluster) -> None:
    """Ctrl-C drops what was typed, Ctrl-D leaves."""
    typed(shell, "SELECT 1\x03SELECT 2;\r\x04")
    assert cluster.executed() == ["SELECT 2"]


def test_prompt_state_folder_not_writable_works(
    shell: Shell, cluster: FakeCluster, state: Path
) -> None:
    """Without a place for its history the shell works all the same."""
    (state / "springald").write_text("a file in the way")
    typed(shell, "SELECT 1;\r\x04")
    assert cluster.executed() == ["SELECT 1"]


def test_shell_pipe_runs_to_the_end_with_first_failures_code(cluster: FakeCluster) -> None:
    """Through a pipe all statements run, and the exit code is the first failure's."""
    cluster.scripts["SELEC 1"] = Script(refusal=syntax_error(1, 1))
    lines = "SELECT 1;\nSELEC 1;\n\\d\nSELECT\n2"
    ran = CliRunner().invoke(main.app, ["shell", "--url", cluster.url], input=lines)
    assert ran.exit_code == 2
    assert cluster.executed() == ["SELECT 1", "SELECT\n2"]
    quit_early = CliRunner().invoke(
        main.app, ["shell", "--url", cluster.url], input="\\q\nSELECT 9;"
    )
    assert quit_early.exit_code == 0
    assert "SELECT 9" not in cluster.executed()
