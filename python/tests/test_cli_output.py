"""What the command line does when its standard output takes nothing, or nobody reads it."""

import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import pyarrow as pa
import pytest
from fake_cluster import WAIT_S_MAX, FakeCluster, Script

COMMANDS = [
    ["sql", "SELECT 1"],
    ["sql", "SELECT 1", "--format", "arrow"],
    ["explain", "SELECT 1"],
    ["version"],
    ["--help"],
]


@pytest.fixture(autouse=True)
def _answers(cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every statement returns a plan's rows, and the command line finds the cluster."""
    plan = pa.table({"plan_type": ["stages"], "plan": ["one task"]})
    cluster.default = Script(rows=plan)
    monkeypatch.setenv("SPRINGALD_URL", cluster.url)


def run(arguments: list[str], output: str) -> "subprocess.CompletedProcess[str]":
    """Runs a command with its output redirected as the shell does it; returns what was said."""
    command = [sys.executable, "-m", "springald.cli.main", *arguments]
    return subprocess.run(  # noqa: S603 - our own program
        ["/bin/sh", "-c", f'exec "$@" {output}', "sh", *command],
        stderr=subprocess.PIPE,
        text=True,
        timeout=WAIT_S_MAX,
        check=False,
    )


@pytest.mark.parametrize("arguments", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("output", [">&-", ">/dev/full"])
def test_output_takes_nothing_ends_with_one_line(arguments: list[str], output: str) -> None:
    """An output that is closed or full is told in a line and by the exit code, without a trace."""
    ran = run(arguments, output)
    assert ran.returncode == 1
    (line,) = ran.stderr.splitlines()
    assert line.startswith("[IO_FAILED] standard output can be written: got [Errno ")


def test_output_closed_is_not_given_to_another_file(cluster: FakeCluster) -> None:
    """No connection takes the number of a stream that is closed, and hears what is printed."""
    cluster.default = Script(rows=pa.table({"a": [1]}))
    ran = run(["sql", "SELECT 1", "--format", "csv"], "<&- >&-")
    assert (ran.returncode, ran.stderr.count("\n")) == (1, 1)
    assert "Bad file descriptor" in ran.stderr


@pytest.mark.parametrize("arguments", COMMANDS[:-1], ids=" ".join)
def test_output_that_nobody_reads_is_no_failure(arguments: list[str]) -> None:
    """A pipe whose reader has left is silent."""
    command = [sys.executable, "-m", "springald.cli.main", *arguments]
    with subprocess.Popen(  # noqa: S603 - our own program
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        process.stdout.close()
        _, stderr = process.communicate(timeout=WAIT_S_MAX)
    assert (process.returncode, stderr) == (0, "")


def test_output_that_is_no_file_is_written_and_stays(tmp_path: Path) -> None:
    """A named pipe or a device is not replaced by a file of its name."""
    pipe = tmp_path / "rows"
    os.mkfifo(pipe)
    read: list[str] = []
    reader = threading.Thread(target=lambda: read.append(pipe.read_text()), daemon=True)
    reader.start()
    ran = run(["sql", "SELECT 1", "--format", "csv", "-o", str(pipe)], "")
    reader.join(WAIT_S_MAX)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert read == ['"plan_type","plan"\n"stages","one task"\n']
    assert stat.S_ISFIFO(pipe.stat().st_mode)
    assert list(tmp_path.iterdir()) == [pipe]


def test_output_without_a_query_is_refused_before_anything_runs(tmp_path: Path) -> None:
    """Who names a file waits for one."""
    output = tmp_path / "rows.csv"
    ran = run(["sql", "CREATE VIEW v AS SELECT 1", "-o", str(output)], "")
    assert ran.returncode == 2
    assert "got no queries" in ran.stderr
