"""Sessions live under a lease, and take everything with them when they end."""

from core_bench import Bench

from springald_scheduler.core.actions import DropSession, Forget, Persist, Refuse, ReleaseJobFiles
from springald_scheduler.core.events import (
    JobPlanned,
    JobWatched,
    SessionClosed,
    SessionOpened,
    SessionSeen,
    TimePassed,
)
from springald_scheduler.core.graph import StageGraph
from springald_scheduler.core.records import SessionRecord
from springald_scheduler.core.states import JobState


def test_session_opened_is_persisted(bench: Bench) -> None:
    """P3.6: a session is durable before its client hears of it."""
    opened = SessionOpened("s")
    assert bench.handle(opened) == [Persist(opened, SessionRecord("s", 1_000))]
    assert bench.ignored(opened)


def test_session_without_calls_expires(bench: Bench) -> None:
    """A session that is not heard of for its lease ends; each call renews the lease."""
    bench.handle(SessionOpened("s"))
    assert bench.wait(599_999) == []
    assert bench.handle(SessionSeen("s")) == []
    assert bench.wait(599_999) == []
    passed = TimePassed()
    bench.now_ms += 1
    assert bench.handle(passed) == [Forget(passed, ("session", "s")), DropSession(passed, "s")]
    assert [type(each) for each in bench.handle(SessionSeen("s"))] == [Refuse]


def test_session_with_watched_job_does_not_expire(bench: Bench) -> None:
    """A client that follows a job is alive."""
    bench.submit()
    bench.handle(JobWatched("j1"))
    assert bench.wait(10_000_000) == []


def test_session_closed_releases_everything(bench: Bench) -> None:
    """Jobs are cancelled, files removed, records forgotten; closing again is fine (P3.4)."""
    bench.handle(bench.executor())
    job_id = bench.run(bench.stage())
    bench.handle(bench.finished("j1/s1/t1#1"))
    waiting = bench.submit("o2")
    closed = SessionClosed("s")
    actions = bench.handle(closed)
    for expected in (
        Forget(closed, ("session", "s")),
        Forget(closed, ("job", job_id)),
        ReleaseJobFiles(closed, "e1", "a", job_id),
        DropSession(closed, "s"),
    ):
        assert expected in actions
    assert bench.job(job_id).state is JobState.SUCCEEDED
    assert bench.job(waiting).state is JobState.CANCELLED
    assert bench.core.world.sessions == {}
    assert bench.ignored(closed)
    assert bench.ignored(JobPlanned(waiting, StageGraph(())))
