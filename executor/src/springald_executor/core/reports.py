"""What an executor has told of attempts that ended, as long as a scheduler may ask for it again."""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from springald_executor.core.actions import TellTaskFailed, TellTaskFinished
from springald_executor.core.events import Event
from springald_executor.core.shelf import Shelf

Report = TellTaskFinished | TellTaskFailed


@dataclass(frozen=True, slots=True)
class Holdings:
    """What an executor runs and keeps when it registers.

    Attributes:
        running_task_ids: Attempts that have not ended, but for those that are being stopped.
        finished_task_ids: Attempts whose outputs are here and whose stage is not settled.
        job_ids: Jobs of which it keeps something.
        upload_ids: Uploads that are here whole.
    """

    running_task_ids: tuple[str, ...] = ()
    finished_task_ids: tuple[str, ...] = ()
    job_ids: tuple[str, ...] = ()
    upload_ids: tuple[str, ...] = ()


class Reports:
    """Reports by the stage and the attempt that they are of.

    An output's report is kept until its stage is settled or its job released. A failure is kept for
    the next stream only: whether it was heard on the last one is not known.

    Example:
        >>> from springald_executor.core.failures import Failure
        >>> reports = Reports()
        >>> reports.keep("j1", 2, TellTaskFailed(Event(), "j1/s2/t1#1", Failure("IO_FAILED", "")))
        >>> reports.job_ids, reports.finished_task_ids
        (('j1',), ())
        >>> len(reports.take_again(Event())), len(reports.take_again(Event()))
        (1, 0)
    """

    def __init__(self) -> None:
        self._kept: dict[tuple[str, int], dict[str, Report]] = {}

    @property
    def job_ids(self) -> tuple[str, ...]:
        """The jobs of which there are reports."""
        return tuple(dict.fromkeys(job_id for job_id, _ in self._kept))

    @property
    def finished_task_ids(self) -> tuple[str, ...]:
        """The attempts of whose outputs there are reports."""
        return tuple(
            each.task_id
            for reports in self._kept.values()
            for each in reports.values()
            if isinstance(each, TellTaskFinished)
        )

    def keep(self, job_id: str, stage_id: int, report: Report) -> None:
        """Keeps a report, unless nobody waits for it: of an attempt that was cancelled."""
        if isinstance(report, TellTaskFailed) and report.failure.code == "CANCELLED":
            return
        self._kept.setdefault((job_id, stage_id), {})[report.task_id] = report

    def settle(self, job_id: str, stage_id: int) -> None:
        """Forgets a stage's reports."""
        self._kept.pop((job_id, stage_id), None)

    def release(self, job_id: str) -> None:
        """Forgets a job's reports."""
        for key in [key for key in self._kept if key[0] == job_id]:
            del self._kept[key]

    def clear(self) -> None:
        """Forgets all."""
        self._kept.clear()

    def take_again(self, cause: Event) -> list[Report]:
        """Returns all reports, as asked for by an event; failures are not kept after that."""
        told: list[Report] = []
        for key, reports in list(self._kept.items()):
            for task_id, report in list(reports.items()):
                told.append(replace(report, cause=cause))
                if isinstance(report, TellTaskFailed):
                    del reports[task_id]
            if not reports:
                del self._kept[key]
        return told


def holdings_of(
    running: Iterable[str], jobs: Iterable[str], shelf: Shelf, reports: Reports
) -> Holdings:
    """Returns what an executor runs and keeps.

    Args:
        running: Its attempts.
        jobs: The jobs that it knows stages of.
        shelf: Its files.
        reports: What it told of finished attempts.
    """
    uploads = (key for key, each in shelf.uploads.items() if each.file is not None)
    return Holdings(
        running_task_ids=tuple(running),
        finished_task_ids=reports.finished_task_ids,
        job_ids=tuple(sorted({*jobs, *shelf.jobs, *reports.job_ids})),
        upload_ids=tuple(uploads),
    )
