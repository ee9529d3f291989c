"""The shell at a terminal, as a person uses it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

import springald
from cluster.tables import BUSY, NUMBERS_ROWS
from cluster.terminal import COMMAND, CTRL_C, CTRL_D, ENTER, TAB, Terminal, at_terminal
from springald import JobStatus

_PROMPT = "springald>"


@pytest.fixture
def shell(
    patient: springald.LocalCluster, numbers: Path, busy: Path, tmp_path: Path
) -> Iterator[Terminal]:
    """A shell with two tables, whose history is the test's own."""
    command = [COMMAND, "shell", "-u", patient.url, "-s", "springald.distribution=always"]
    command += ["-t", f"numbers={numbers}", "-t", f"busy={busy}"]
    with at_terminal(command, {"XDG_STATE_HOME": str(tmp_path)}) as terminal:
        terminal.expect(_PROMPT)
        yield terminal


def _say(shell: Terminal, text: str) -> None:
    shell.type(text)
    shell.type(ENTER)


def test_shell_runs_statements_of_several_lines(shell: Terminal) -> None:
    """A statement runs when its semicolon is there, and its rows are shown."""
    _say(shell, "SELECT count(*) AS n")
    _say(shell, "FROM numbers;")
    shell.expect(str(NUMBERS_ROWS))
    shell.expect(r"\(1 row\)")
    _say(shell, "CREATE VIEW few AS SELECT * FROM numbers WHERE id < 3; SELECT count(*) FROM few;")
    shell.expect(r"\(1 row\)")
    _say(shell, r"\q")
    assert shell.wait_end() == 0


def test_shell_completes_tables_columns_and_keywords(shell: Terminal) -> None:
    """Tab completes a keyword, the session's tables and a table's columns."""
    shell.type("SELECT max(id) AS most FRO")
    shell.type(TAB)
    shell.expect("FROM")
    shell.type(" numb")
    shell.type(TAB)
    shell.expect("numbers")
    _say(shell, ";")
    shell.expect(str(NUMBERS_ROWS - 1))
    shell.expect(_PROMPT)
    shell.type(CTRL_D)
    assert shell.wait_end() == 0


def test_shell_tells_errors_and_goes_on(shell: Terminal) -> None:
    """A wrong statement is shown with a caret, and the next one runs."""
    _say(shell, "SELECT nothing FROM numbers;")
    shell.expect("UNKNOWN_COLUMN")
    shell.expect(r"\^")
    _say(shell, "SELECT 40 + 2 AS answer;")
    shell.expect("42")
    shell.expect(_PROMPT)
    shell.type(CTRL_D)
    assert shell.wait_end() == 0


def test_shell_lists_tables_and_columns(shell: Terminal) -> None:
    r"""`\d` lists tables, `\d NAME` a table's columns, `\?` what can be typed."""
    _say(shell, r"\d")
    shell.expect("busy")
    shell.expect("numbers")
    _say(shell, r"\d numbers")
    shell.expect("int64")
    _say(shell, r"\timing")
    shell.expect("timing is on")
    _say(shell, "SELECT 1 AS one;")
    shell.expect(r"time: [\d.]+ ms")


def test_shell_ctrl_c_stops_the_statement_alone(
    shell: Terminal, patient: springald.LocalCluster
) -> None:
    """Ctrl-C cancels the query that runs; the shell asks for the next one."""
    _say(shell, f"{BUSY};")
    shell.expect(r"j\d+.*tasks")
    with patient.connect() as con:
        job = con.jobs(all_sessions=True, jobs_max=1)[0]
        assert job.status is JobStatus.RUNNING
        shell.type(CTRL_C)
        shell.expect("interrupted")
        shell.expect(_PROMPT)
        (now,) = [other for other in con.jobs(all_sessions=True) if other.id == job.id]
        assert now.status is JobStatus.CANCELLED
    _say(shell, "SELECT 40 + 2 AS answer;")
    shell.expect("42")


def test_shell_remembers_what_was_typed(
    shell: Terminal, patient: springald.LocalCluster, tmp_path: Path
) -> None:
    """What was typed in one shell can be had again in the next one."""
    _say(shell, "SELECT 123 + 456 AS remembered;")
    shell.expect("579")
    shell.expect(_PROMPT)
    shell.type(CTRL_D)
    assert shell.wait_end() == 0
    command = [COMMAND, "shell", "-u", patient.url]
    with at_terminal(command, {"XDG_STATE_HOME": str(tmp_path)}) as again:
        again.expect(_PROMPT)
        again.type(b"\x1b[A")
        again.expect("remembered")
        again.type(ENTER)
        again.expect("579")
