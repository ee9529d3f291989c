"""The command `springald`: what its commands are called and take; the work is loaded on demand."""

import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Annotated, Any, Final

try:
    import typer
except ImportError as error:
    raise SystemExit(
        f"springald's command line needs more than the client: got {error}; "
        "pip install 'springald[cli]'"
    ) from None

from springald.cli.failures import failing
from springald.cli.formats import Format, JobsFormat, ProfileFormat
from springald.cli.options import (
    ClusterUrl,
    Settings,
    StatementFile,
    StatementText,
    Tables,
    Target,
    Url,
)
from springald.cli.streams import hold_streams
from springald.client_limits import PORT_DEFAULT

__all__ = ["app"]

# Everything after the command's name belongs to the program that it starts, `--help` too.
_PASS_ON: Final = {
    "allow_extra_args": True,
    "ignore_unknown_options": True,
    "help_option_names": [],
}
_VERSIONED: Final = (
    "springald",
    "springald-scheduler",
    "springald-executor",
    "datafusion",
    "pyarrow",
)


class _Program(typer.Typer):
    """The command as a program: its streams, and what goes wrong while it tells about itself."""

    def __call__(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - what Typer takes
        """Runs the command that the arguments name, and ends the process."""
        hold_streams()
        try:
            with failing():
                return super().__call__(*args, **kwargs)
        except typer.Exit as end:
            sys.exit(end.exit_code)


app = _Program(
    name="springald",
    no_args_is_help=True,
    pretty_exceptions_show_locals=False,
    context_settings={"help_option_names": ["--help", "-h"]},
    help="Distributed SQL on Apache Arrow.",
    epilog="Exit codes: 0 done; 1 the query failed, or its output; 2 the request was wrong; "
    "3 the cluster cannot be reached, or a port is in use; 130 interrupted.",
)


@app.command("sql")
def sql_command(  # noqa: PLR0913, PLR0917 - a command line
    text: StatementText = None,
    file: StatementFile = None,
    url: Url = None,
    form: Annotated[
        Format | None,
        typer.Option("--format", help="How to write the rows. Default: a table."),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            help="Write to this file; its ending tells the format.",
            dir_okay=False,
        ),
    ] = None,
    settings: Settings = None,
    tables: Tables = None,
    rows_max: Annotated[
        int, typer.Option("--max-rows", min=0, help="Rows that a table shows; 0 shows all.")
    ] = 1000,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show no progress.")] = False,  # noqa: FBT002
) -> None:
    """Runs SQL statements and writes their rows.

    Statements end with a semicolon and run in order, in one session. The first failure ends it.
    """
    with failing():
        from springald.cli.query import run_statements  # noqa: PLC0415 - loaded on demand

        run_statements(
            text,
            file,
            Target(url, settings or [], tables or []),
            form=form,
            output=output,
            rows_max=rows_max,
            quiet=quiet,
        )


@app.command("shell")
def shell_command(url: Url = None, settings: Settings = None, tables: Tables = None) -> None:
    """Opens a shell with history and completion.

    A pipe as standard input is run as if it were typed; the exit code is the first failure's.
    """
    with failing():
        from springald.cli.shell import run_shell  # noqa: PLC0415 - loaded on demand

        code = run_shell(Target(url, settings or [], tables or []))
    raise typer.Exit(code)


@app.command("explain")
def explain_command(
    text: StatementText = None,
    file: StatementFile = None,
    url: Url = None,
    settings: Settings = None,
    tables: Tables = None,
    *,
    analyze: Annotated[
        bool, typer.Option("--analyze", help="Run the query, and tell what was measured.")
    ] = False,
    verbose: Annotated[
        bool, typer.Option("--verbose", help="Tell every step of the planning.")
    ] = False,
) -> None:
    """Shows how a query would run: its plans, and its stages.

    Statements before the last one are run, so that they can make tables and views.
    """
    with failing():
        from springald.cli.query import explain_statements  # noqa: PLC0415 - loaded on demand

        explain_statements(
            text,
            file,
            Target(url, settings or [], tables or []),
            analyze=analyze,
            verbose=verbose,
        )


@app.command("jobs")
def jobs_command(
    url: ClusterUrl,
    jobs_max: Annotated[
        int, typer.Option("--limit", "-n", min=1, max=1000, help="List at most this many.")
    ] = 20,
    form: Annotated[
        JobsFormat, typer.Option("--format", help="How to list them.")
    ] = JobsFormat.TABLE,
) -> None:
    """Lists the cluster's jobs, newest first."""
    with failing():
        from springald.cli.jobs import list_jobs  # noqa: PLC0415 - loaded on demand

        list_jobs(url, form, jobs_max)


@app.command("profile")
def profile_command(
    job_id: Annotated[str, typer.Argument(metavar="JOB", help="The job's id, for example j7.")],
    url: ClusterUrl,
    form: Annotated[
        ProfileFormat, typer.Option("--format", help="How to tell it.")
    ] = ProfileFormat.TEXT,
    *,
    verbose: Annotated[
        bool, typer.Option("--verbose", help="As text, tell all that was measured.")
    ] = False,
) -> None:
    """Tells how a job of the cluster runs or ran: its stages and operators, with figures."""
    with failing():
        from springald.cli.jobs import show_profile  # noqa: PLC0415 - loaded on demand

        show_profile(url, job_id, form, verbose=verbose)


@app.command("cancel")
def cancel_command(
    job_id: Annotated[str, typer.Argument(metavar="JOB", help="The job's id, for example j7.")],
    url: ClusterUrl,
    reason: Annotated[
        str, typer.Option("--reason", help="Why, for whoever waits for the job.")
    ] = "springald cancel",
) -> None:
    """Stops a job of the cluster."""
    with failing():
        from springald.cli.jobs import cancel_job  # noqa: PLC0415 - loaded on demand

        cancel_job(url, job_id, reason)


@app.command("cluster")
def cluster_command(
    executors: Annotated[
        int, typer.Option("--executors", "-e", min=0, help="How many executors.")
    ] = 2,
    slots: Annotated[
        int, typer.Option("--slots", "-s", min=1, help="How many slots each of them offers.")
    ] = 1,
    port: Annotated[
        int, typer.Option("--port", "-p", min=0, max=65535, help="The port; 0 takes a free one.")
    ] = PORT_DEFAULT,
    memory: Annotated[
        int | None,
        typer.Option(
            "--memory",
            min=1,
            help="Bytes that each executor deals out to its tasks. "
            "Default: they share half of the machine's memory.",
        ),
    ] = None,
    log_level: Annotated[str, typer.Option("--log-level", help="What the logs hold.")] = "info",
) -> None:
    """Runs a scheduler and executors on this machine, until Ctrl-C."""
    with failing():
        from springald.cli.servers import run_cluster  # noqa: PLC0415 - loaded on demand

        code = run_cluster(executors, slots, memory=memory, port=port, log_level=log_level)
    raise typer.Exit(code)


@app.command("scheduler", context_settings=_PASS_ON)
def scheduler_command(context: typer.Context) -> None:
    """Runs a scheduler; its own --help lists the options."""
    with failing():
        from springald.cli.servers import run_program  # noqa: PLC0415 - loaded on demand

        run_program("springald_scheduler", "scheduler", context.args)


@app.command("executor", context_settings=_PASS_ON)
def executor_command(context: typer.Context) -> None:
    """Runs an executor; its own --help lists the options."""
    with failing():
        from springald.cli.servers import run_program  # noqa: PLC0415 - loaded on demand

        run_program("springald_executor", "executor", context.args)


@app.command("version")
def version_command() -> None:
    """Tells the versions of Springald and of what it stands on."""
    with failing():
        for name in _VERSIONED:
            try:
                typer.echo(f"{name} {version(name)}")
            except PackageNotFoundError:
                typer.echo(f"{name} is not installed")


if __name__ == "__main__":
    app()
