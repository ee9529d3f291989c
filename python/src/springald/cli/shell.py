"""The shell: statements typed one after the other, in one session."""

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING, Final

import pyarrow as pa
import typer

from springald.cli.connecting import connect_to
from springald.cli.failures import INTERRUPTED, exit_code, print_error
from springald.cli.formats import Format
from springald.cli.options import Target
from springald.cli.output import write_rows
from springald.cli.query import follow_job, progress_console, told_of_writing
from springald.client import Connection
from springald.display import text_table
from springald.errors import SpringaldError
from springald.sql_text import is_complete, is_query, split_statements

if TYPE_CHECKING:
    from rich.console import Console

__all__ = ["HELP", "Shell", "run_shell", "statements_of", "talk"]

HELP: Final = r"""A statement ends with a semicolon and may have several lines.
  \d           list tables and views
  \d NAME      list the columns of a table or view
  \timing      switch on or off how long statements take
  \?           this help
  \q           leave, as does Ctrl-D
Ctrl-C stops the statement that runs, or empties the line."""

_ROWS_MAX: Final = 1000


class Shell:
    """Runs what is typed, and remembers what can be completed.

    Attributes:
        timing: True while the time of each statement is told.
        first_failure: The exit code of the first statement that failed; 0 if none did.
        columns_by_table: The session's tables with their columns, as last seen.
    """

    def __init__(self, con: Connection, console: "Console | None" = None) -> None:
        self._con = con
        self._console = console
        self.timing = False
        self.first_failure = 0
        self.columns_by_table: dict[str, list[str]] = {}
        self.refresh()

    def run(self, text: str) -> bool:
        """Runs statements, or one backslash command; returns False if it says to leave.

        Errors and Ctrl-C are told and end only what ran.
        """
        text = text.strip()
        try:
            if text.startswith("\\"):
                return self._command(text)
            for statement in split_statements(text):
                self._statement(statement)
        except SpringaldError as error:
            print_error(error)
            self.first_failure = self.first_failure or exit_code(error)
        except KeyboardInterrupt:
            typer.secho("interrupted; the statement is stopped", err=True)
            self.first_failure = self.first_failure or INTERRUPTED
        return True

    def refresh(self) -> None:
        """Asks which tables there are."""
        try:
            tables = self._con.tables()
        except SpringaldError:
            # Completion is a comfort: the statement itself tells what is wrong.
            return
        self.columns_by_table = {name: table.schema.names for name, table in tables.items()}

    def _statement(self, statement: str) -> None:
        start = time.perf_counter()
        frame = self._con.sql(statement)
        if is_query(statement):
            job = frame.execute()
            follow_job(job, self._console)
            with job.result_batches() as reader:
                rows = write_rows(reader, Format.TABLE, None, _ROWS_MAX)
            typer.echo(f"({rows} row{'' if rows == 1 else 's'})")
        else:
            self.refresh()
            if told := told_of_writing(frame):
                typer.echo(told)
        if self.timing:
            typer.echo(f"time: {(time.perf_counter() - start) * 1000:.1f} ms")

    def _command(self, text: str) -> bool:
        name, _, argument = text.partition(" ")
        argument = argument.strip().rstrip(";")
        if name in ("\\q", "\\quit"):
            return False
        if name == "\\d" and argument:
            schema = self._con.table(argument).schema
            self._print({"column": schema.names, "type": [str(kind) for kind in schema.types]})
        elif name == "\\d":
            tables = self._con.tables().values()
            self._print({"name": [t.name for t in tables], "kind": [t.kind for t in tables]})
        elif name == "\\timing":
            self.timing = not self.timing
            typer.echo(f"timing is {'on' if self.timing else 'off'}")
        else:
            typer.echo(HELP)
        return True

    def _print(self, columns: dict[str, list[str]]) -> None:
        texts = {name: pa.array(values, pa.string()) for name, values in columns.items()}
        typer.echo(text_table(pa.table(texts)))


def run_shell(target: Target) -> int:
    """Talks with a person, or runs what comes through a pipe; returns the exit code."""
    with connect_to(target) as con:
        shell = Shell(con, progress_console(quiet=False))
        if sys.stdin.isatty():
            from springald.cli.prompt import make_prompt  # noqa: PLC0415 - only for a person

            typer.echo(f"Springald at {con.url}; \\? for help, \\q to leave")
            talk(shell, make_prompt(shell))
            return 0
        for statement in statements_of(sys.stdin):
            if not shell.run(statement):
                break
        return shell.first_failure


def talk(shell: Shell, prompt: Callable[[], str]) -> None:
    """Asks and runs until the person leaves."""
    while True:
        try:
            text = prompt()
        except KeyboardInterrupt:
            continue
        except EOFError:
            return
        if not shell.run(text):
            return


def statements_of(lines: Iterable[str]) -> Iterator[str]:
    r"""Gathers lines to statements, as Enter does in the shell.

    Example:
        >>> list(statements_of(["SELECT\n", " 1;\n", "\\d\n", "SELECT 2"]))
        ['SELECT\n 1;\n', '\\d\n', 'SELECT 2']
    """
    gathered = ""
    for line in lines:
        gathered += line
        if is_complete(gathered) or gathered.lstrip().startswith("\\"):
            yield gathered
            gathered = ""
    if gathered.strip():
        yield gathered
