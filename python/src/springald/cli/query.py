"""Statements that are run and shown, with a progress bar while they take long."""

import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

import typer

from springald.checks import no_statement
from springald.cli.connecting import connect_to
from springald.cli.formats import Format, format_of
from springald.cli.options import Target
from springald.cli.output import write_rows
from springald.dataframe import DataFrame
from springald.errors import InvalidArgumentError, SpringaldError
from springald.job import Job
from springald.sql_text import is_query, split_statements

if TYPE_CHECKING:
    from rich.console import Console

__all__ = [
    "explain_statements",
    "follow_job",
    "progress_console",
    "run_statements",
    "told_of_writing",
]

PATIENCE_S: Final = 0.5
"""How long a query may take before progress is shown."""

_REFRESH_S: Final = 0.1


def run_statements(
    text: str | None,
    file: Path | None,
    target: Target,
    *,
    form: Format | None,
    output: Path | None,
    rows_max: int,
    quiet: bool,
) -> None:
    """Runs statements in one session, in order, and writes the rows of the queries."""
    statements = split_statements(_text_of(text, file))
    form = format_of(form, output)
    _check_one_result(statements, form, output)
    console = progress_console(quiet=quiet)
    with connect_to(target) as con:
        for statement in statements:
            frame = con.sql(statement)
            if is_query(statement):
                job = frame.execute()
                follow_job(job, console)
                with job.result_batches() as reader:
                    write_rows(reader, form, output, rows_max)
            elif (told := told_of_writing(frame)) and not quiet:
                typer.echo(told, err=True)


def told_of_writing(frame: DataFrame) -> str:
    """Returns how many rows a statement wrote; nothing for one that wrote none anywhere."""
    answer = frame.to_arrow()
    if answer.column_names != ["count"]:
        return ""
    (count,) = answer["count"].to_pylist()
    return f"({count} row{'' if count == 1 else 's'} written)"


def explain_statements(
    text: str | None,
    file: Path | None,
    target: Target,
    *,
    analyze: bool,
    verbose: bool,
) -> None:
    """Runs all statements but the last one, and explains that."""
    statements = split_statements(_text_of(text, file))
    if not statements:
        raise no_statement()
    with connect_to(target) as con:
        for statement in statements[:-1]:
            con.sql(statement).to_arrow()
        con.sql(statements[-1]).explain(verbose=verbose, analyze=analyze)


def follow_job(job: Job, console: "Console | None") -> None:
    """Waits for a job, and draws its tasks on a console if it takes longer than a moment."""
    try:
        if console is None or job.wait(PATIENCE_S).is_final:
            job.wait()
        else:
            _draw(job, console)
    except KeyboardInterrupt:
        # It may have struck while drawing, where no job would notice.
        with suppress(SpringaldError):
            job.cancel("interrupted at the keyboard")
        raise


def _draw(job: Job, console: "Console") -> None:
    from rich.progress import (  # noqa: PLC0415 - most queries need no progress bar
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
    )

    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("tasks"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console, transient=True) as bars:
        bar = bars.add_task(job.id, total=None)
        while not job.wait(_REFRESH_S).is_final:
            progress = job.progress
            bars.update(
                bar,
                description=f"{job.id} {job.waiting_reason}".strip(),
                completed=progress.tasks_finished,
                total=progress.tasks_total or None,
            )


def progress_console(*, quiet: bool) -> "Console | None":
    """Returns where progress is drawn: standard error, if a person looks at it."""
    if quiet or not sys.stderr.isatty():
        return None
    from rich.console import Console  # noqa: PLC0415 - not needed without a terminal

    return Console(stderr=True)


def _text_of(text: str | None, file: Path | None) -> str:
    if text is not None and file is not None:
        raise InvalidArgumentError("statements come from one place: got a text and --file")
    if file is not None:
        try:
            # Some editors write a mark at the start, which is no part of the SQL.
            return file.read_text(encoding="utf-8-sig")
        except (OSError, UnicodeDecodeError) as error:
            raise InvalidArgumentError(f"a file of statements can be read: got {error}") from error
    if text is not None and text != "-":
        return text
    if text is None and sys.stdin.isatty():
        raise InvalidArgumentError(
            "a statement is needed: got none; give it as an argument, with --file, or on standard "
            "input"
        )
    return sys.stdin.read()


def _check_one_result(statements: list[str], form: Format, output: Path | None) -> None:
    queries = sum(map(is_query, statements))
    if not statements:
        raise no_statement()
    if queries != 1 and (form.is_binary or output is not None):
        raise InvalidArgumentError(
            f"a file holds the rows of one query: got {queries or 'no'} queries; run them one by "
            "one, and others without an output"
        )
