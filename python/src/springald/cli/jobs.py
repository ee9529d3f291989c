"""Looking at a cluster's jobs, and stopping one."""

import json

import typer

from springald.cli.connecting import connect_to
from springald.cli.formats import Format, JobsFormat, ProfileFormat
from springald.cli.options import Target
from springald.cli.output import write_rows
from springald.listings import JobInfo

__all__ = ["cancel_job", "list_jobs", "show_profile"]


def list_jobs(url: str, form: JobsFormat, jobs_max: int) -> None:
    """Lists the jobs of all sessions, newest first."""
    with connect_to(Target(url)) as con:
        jobs = con.jobs(all_sessions=True, jobs_max=jobs_max)
    if form is JobsFormat.JSON:
        for job in jobs:
            typer.echo(json.dumps(_job_dict(job), ensure_ascii=False))
    else:
        _print_jobs(jobs)


def cancel_job(url: str, job_id: str, reason: str) -> None:
    """Stops a job."""
    with connect_to(Target(url)) as con:
        con.cancel_job(job_id, reason)
    typer.echo(f"{job_id} is cancelled")


def show_profile(url: str, job_id: str, form: ProfileFormat, *, verbose: bool) -> None:
    """Tells how a job ran."""
    with connect_to(Target(url)) as con:
        profile = con.profile(job_id)
    if form is ProfileFormat.JSON:
        typer.echo(profile.to_json())
    elif form is ProfileFormat.TABLE:
        write_rows(profile.to_arrow().to_reader(), Format.TABLE, None, 0)
    else:
        typer.echo(profile.to_text(verbose=verbose))


def _print_jobs(jobs: list[JobInfo]) -> None:
    from rich.console import Console  # noqa: PLC0415 - loaded for the one command that draws
    from rich.table import Table  # noqa: PLC0415 - as above
    from rich.text import Text  # noqa: PLC0415 - as above

    table = Table("job", "status", "tasks", "time", "submitted", "statement")
    for job in jobs:
        done = f"{job.progress.tasks_finished}/{job.progress.tasks_total}"
        note = job.waiting_reason or (job.error.code if job.error else "")
        cells = [
            job.id,
            f"{job.status.value} ({note})" if note else job.status.value,
            done,
            f"{job.elapsed_ms / 1000:.2f} s",
            f"{job.submitted.astimezone():%Y-%m-%d %H:%M:%S}",
            " ".join(job.statement.split()),
        ]
        # As texts, so that square brackets in a statement are no markup.
        table.add_row(*map(Text, cells))
    Console().print(table)


def _job_dict(job: JobInfo) -> dict[str, object]:
    return {
        "id": job.id,
        "session_id": job.session_id,
        "status": job.status.value,
        "tasks_finished": job.progress.tasks_finished,
        "tasks_total": job.progress.tasks_total,
        "elapsed_ms": job.elapsed_ms,
        "submitted": job.submitted.isoformat(),
        "statement": job.statement,
        "waiting_reason": job.waiting_reason,
        "error": str(job.error) if job.error else None,
    }
