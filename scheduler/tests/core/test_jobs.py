"""Jobs are made once, end once, and are described for a while after they were released."""

import pytest
from core_bench import Bench

from springald_scheduler.core.actions import (
    AcceptJob,
    AttachJob,
    CancelTask,
    Forget,
    Persist,
    PlanJob,
    PublishJob,
    Refuse,
    ReleaseJobFiles,
)
from springald_scheduler.core.events import (
    Event,
    JobAnswered,
    JobCancelRequested,
    JobFailed,
    JobPlanned,
    JobReleased,
    JobSubmitted,
    JobUnwatched,
    JobWatched,
    SessionOpened,
    TaskFailed,
    TimePassed,
)
from springald_scheduler.core.failures import (
    Failure,
    job_cancelled,
    job_not_found,
    operation_conflict,
    session_not_found,
    too_many_jobs,
)
from springald_scheduler.core.graph import StageGraph
from springald_scheduler.core.jobs import JOBS_COUNTED_AHEAD
from springald_scheduler.core.limits import CoreLimits
from springald_scheduler.core.records import CounterRecord, JobRecord
from springald_scheduler.core.states import JobState

SUBMITTED = JobSubmitted("s", "o1", "SELECT 1", b"digest")


def test_job_submitted_is_persisted_then_accepted_then_planned(bench: Bench) -> None:
    """P3.6: a job is durable before its client hears of it."""
    bench.handle(SessionOpened("s"))
    record = JobRecord("j1", "s", "o1", "SELECT 1", b"digest", 1_000, JobState.QUEUED)
    assert bench.handle(SUBMITTED) == [
        Persist(SUBMITTED, CounterRecord(1 + JOBS_COUNTED_AHEAD)),
        Persist(SUBMITTED, record),
        AcceptJob(SUBMITTED, "j1"),
        PlanJob(SUBMITTED, "j1", "s", "SELECT 1"),
    ]


def test_job_submitted_again_attaches(bench: Bench) -> None:
    """P2.3: the same operation id with the same statement is the same job."""
    bench.submit()
    assert bench.handle(SUBMITTED) == [AttachJob(SUBMITTED, "j1")]


def test_job_submitted_with_other_statement_is_refused(bench: Bench) -> None:
    """P2.3: the same operation id with another statement is a conflict."""
    bench.submit()
    other = JobSubmitted("s", "o1", "SELECT 2", b"other")
    assert bench.handle(other) == [Refuse(other, operation_conflict("o1", "j1"))]


def test_job_submitted_without_session_is_refused(bench: Bench) -> None:
    """A job belongs to an open session."""
    assert bench.handle(SUBMITTED) == [Refuse(SUBMITTED, session_not_found("s"))]


def test_job_answered_succeeds_with_its_rows(bench: Bench) -> None:
    """Rows that the scheduler made itself are kept until the job is released."""
    bench.submit()
    actions = bench.sends(JobAnswered("j1", b"rows"))
    assert actions == [PublishJob(JobAnswered("j1", b"rows"), "j1")]
    assert (bench.job().state, bench.job().answer) == (JobState.SUCCEEDED, b"rows")
    bench.handle(JobReleased("s", "o1"))
    assert bench.job().answer is None


def test_job_that_does_not_plan_fails(bench: Bench) -> None:
    """The planner's error is the job's."""
    bench.submit()
    failed = JobFailed("j1", Failure("SQL_SYNTAX", "m", line=1, column=3))
    assert bench.sends(failed) == [PublishJob(failed, "j1")]
    assert bench.job().failure == Failure("SQL_SYNTAX", "m", node_id="j1", line=1, column=3)


@pytest.mark.parametrize("end", [JobAnswered("j1", b""), JobFailed("j1", Failure("X", "m"))])
def test_job_that_ended_absorbs_everything(bench: Bench, end: Event) -> None:
    """P3.1: a terminal state is never left."""
    bench.submit()
    bench.handle(end)
    state = bench.job().state
    for late in (
        JobAnswered("j1", b"late"),
        JobFailed("j1", Failure("LATE", "late")),
        JobPlanned("j1", StageGraph((bench.stage(),))),
    ):
        assert bench.ignored(late)
    assert bench.handle(JobCancelRequested("s", "o1", "late")) == []
    assert bench.job().state is state


def test_job_with_broken_graph_fails(bench: Bench) -> None:
    """A stage graph that cannot run is the planner's bug, and costs one job."""
    for number, stages in enumerate(
        [
            (),
            (bench.stage(2),),
            (bench.stage(1, reads=(1,)),),
            (bench.stage(1), bench.stage(2)),
            (bench.stage(1, partitions=0),),
        ]
    ):
        job_id = bench.run(*stages, operation_id=f"o{number}")
        failure = bench.job(job_id).failure
        assert failure is not None
        assert failure.code == "INTERNAL"


def test_job_cancelled_stops_its_tasks_then_removes_its_files(bench: Bench) -> None:
    """P3.4: tasks are stopped at once; files go when the last one that writes them has ended."""
    bench.handle(bench.executor())
    bench.run(bench.stage(partitions=2))
    cancel = JobCancelRequested("s", "o1", "enough")
    assert bench.sends(cancel) == [
        CancelTask(cancel, "e1", "a", "j1/s1/t1#1"),
        PublishJob(cancel, "j1"),
    ]
    assert bench.job().failure == job_cancelled("enough")
    assert bench.core.world.executors["e1"].free == 0
    stopped = TaskFailed("e1", "a", "j1/s1/t1#1", Failure("CANCELLED", "m"))
    assert ReleaseJobFiles(stopped, "e1", "a", "j1") in bench.sends(stopped)
    assert bench.core.world.executors["e1"].free == 1
    assert bench.handle(cancel) == []


def test_job_of_another_session_is_not_found(bench: Bench) -> None:
    """A session reaches its own jobs; an operator reaches all, by job id."""
    bench.submit()
    bench.handle(SessionOpened("other"))
    for name in ("o1", "j1"):
        cancel = JobCancelRequested("other", name, "")
        assert bench.handle(cancel) == [Refuse(cancel, job_not_found(name))]
    stranger = JobCancelRequested("nobody", "o1", "")
    assert bench.handle(stranger) == [Refuse(stranger, session_not_found("nobody"))]
    bench.handle(JobCancelRequested("", "j1", ""))
    assert bench.job().state is JobState.CANCELLED


def test_job_released_frees_files_and_stays_describable(bench: Bench) -> None:
    """Results stay until they are released (P5.5); then only the description is left."""
    bench.handle(bench.executor())
    bench.run(bench.stage())
    bench.handle(bench.finished("j1/s1/t1#1"))
    assert bench.job().holders == {"e1": "a"}
    released = JobReleased("s", "j1")
    assert bench.handle(released) == [
        Forget(released, ("job", "j1")),
        ReleaseJobFiles(released, "e1", "a", "j1"),
    ]
    assert bench.job().state is JobState.SUCCEEDED
    assert bench.ignored(released)
    assert bench.ignored(JobReleased("s", "never was"))
    # The operation id is free again.
    assert bench.submit() == "j2"


def test_job_released_while_it_runs_is_cancelled(bench: Bench) -> None:
    """Giving up the result of a running job gives up the job."""
    bench.handle(bench.executor())
    bench.run(bench.stage())
    released = JobReleased("s", "o1")
    assert CancelTask(released, "e1", "a", "j1/s1/t1#1") in bench.handle(released)
    assert bench.job().state is JobState.CANCELLED
    late = bench.finished("j1/s1/t1#1")
    assert ReleaseJobFiles(late, "e1", "a", "j1") in bench.handle(late)


def test_jobs_beyond_the_limit_are_forgotten(bench: Bench) -> None:
    """Released jobs are remembered up to a limit, the newest ones."""
    bench = type(bench)(CoreLimits(jobs_remembered_max=2))
    for number in range(1, 5):
        bench.submit(f"o{number}")
        bench.handle(JobReleased("s", f"o{number}"))
    assert list(bench.core.world.jobs) == ["j3", "j4"]
    assert list(bench.core.world.sessions["s"].operations) == ["o3", "o4"]
    assert bench.ignored(JobUnwatched("j1"))


def test_jobs_with_more_tasks_than_are_remembered_push_older_ones_out(bench: Bench) -> None:
    """Large jobs are remembered shorter; the newest one can always be described."""
    bench = type(bench)(CoreLimits(tasks_remembered_max=5))
    bench.handle(bench.executor())
    for number, tasks in enumerate((2, 3, 1, 9), start=1):
        job_id = bench.run(bench.stage(partitions=tasks), operation_id=f"o{number}")
        bench.handle(JobReleased("s", f"o{number}"))
        bench.handle(bench.finished(f"{job_id}/s1/t1#1"))
        remembered = list(bench.core.world.jobs)
        assert remembered == [["j1"], ["j1", "j2"], ["j2", "j3"], ["j4"]][number - 1]


def test_jobs_beyond_a_sessions_limit_are_refused(bench: Bench) -> None:
    """A session that releases nothing is told to; one release makes room again."""
    bench = type(bench)(CoreLimits(session_jobs_max=2))
    bench.submit("o1")
    bench.submit("o2")
    more = JobSubmitted("s", "o3", "SELECT 1", b"digest")
    assert bench.handle(more) == [Refuse(more, too_many_jobs(2))]
    bench.handle(JobReleased("s", "o1"))
    assert bench.submit("o3") == "j3"


def test_job_that_nobody_watches_is_cancelled_after_its_limit(bench: Bench) -> None:
    """P3.3: a stream that breaks cancels nothing, but a job is not run for nobody."""
    bench.submit()
    bench.handle(JobWatched("j1"), JobWatched("j1"), JobUnwatched("j1"))
    assert bench.wait(100_000) == []
    bench.handle(JobUnwatched("j1"))
    assert bench.wait(59_999) == []
    assert bench.wait(1) == [PublishJob(TimePassed(), "j1")]
    assert bench.job().failure == job_cancelled("nobody watched it for 60 s")


def test_job_watched_again_goes_on(bench: Bench) -> None:
    """P3.3: a client that attaches again in time keeps its job."""
    bench.submit()
    bench.handle(JobWatched("j1"), JobUnwatched("j1"))
    bench.wait(59_999)
    bench.handle(JobWatched("j1"))
    assert bench.wait(100_000) == []


def test_job_events_of_unknown_jobs_are_ignored(bench: Bench) -> None:
    """What names no job is recorded and ignored."""
    for event in (
        JobPlanned("j9", StageGraph(())),
        JobAnswered("j9", b""),
        JobFailed("j9", Failure("X", "m")),
        JobWatched("j9"),
        JobUnwatched("j9"),
    ):
        assert bench.ignored(event)
    assert sum(bench.core.world.ignored.values()) == 5
