"""What a follower of a job is told, and when."""

import threading
from dataclasses import replace

import pytest
from scheduler_kit import DEADLINE_S

from springald_scheduler.adapters import watches
from springald_scheduler.adapters.watches import Watch
from springald_scheduler.core.states import JobState
from springald_scheduler.core.views import JobView, Progress

VIEW = JobView(
    job_id="j1",
    session_id="s",
    operation_id="o",
    statement="SELECT 1",
    state=JobState.QUEUED,
    progress=Progress(0, 0, 0, 0, 0),
    waiting_reason="",
    submitted_ms=0,
    elapsed_ms=0,
    failure=None,
    released=False,
)


class Job:
    """A job that is in the state that it is given."""

    def __init__(self) -> None:
        self.view = VIEW
        self.watch = Watch("j1", lambda _: self.view, lambda _: None)

    def becomes(self, state: JobState) -> None:
        """Changes the state, which is news."""
        self.view = replace(self.view, state=state)
        self.watch.wake(ended=state.terminal)


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> None:
    """News are held for as long as a test may take."""
    monkeypatch.setattr(watches, "NEWS_HELD_MS", DEADLINE_S * 1000)


@pytest.mark.usefixtures("held")
def test_job_that_ends_in_a_moment_is_told_once() -> None:
    """The end is told at once; what was before it is left out."""
    job = Job()
    job.becomes(JobState.RUNNING)
    later = threading.Timer(0.05, job.becomes, [JobState.SUCCEEDED])
    later.start()
    assert [view.state for view in job.watch] == [JobState.SUCCEEDED]
    later.join()


def test_state_that_lasts_is_told() -> None:
    """News are held for a moment and no longer."""
    job = Job()
    assert next(job.watch).state is JobState.QUEUED
    job.becomes(JobState.RUNNING)
    assert next(job.watch).state is JobState.RUNNING
    job.becomes(JobState.FAILED)
    assert [view.state for view in job.watch] == [JobState.FAILED]


@pytest.mark.usefixtures("held")
def test_watch_that_is_closed_while_news_are_held_ends() -> None:
    """Whoever stops following waits for nothing."""
    job = Job()
    later = threading.Timer(0.05, job.watch.close)
    later.start()
    assert list(job.watch) == []
    assert list(job.watch) == []
    later.join()
