"""Watchers hear of changes at once, of progress now and then, and views tell the rest."""

from core_bench import Bench

from springald_scheduler.core import views
from springald_scheduler.core.actions import PublishJob
from springald_scheduler.core.events import (
    JobAnswered,
    JobReleased,
    JobWatched,
    SessionOpened,
    TimePassed,
)
from springald_scheduler.core.figures import Spread
from springald_scheduler.core.states import JobState


def test_progress_is_published_at_most_every_interval(bench: Bench) -> None:
    """A state is news at once; counts wait until the last news are 100 ms old."""
    bench.handle(bench.executor())
    bench.submit()
    bench.handle(JobWatched("j1"))
    bench.run(bench.stage(partitions=9))
    bench.wait(50)  # for its plan to be written
    assert PublishJob(bench.finished("j1/s1/t1#1"), "j1") not in bench.sends(
        bench.finished("j1/s1/t1#1")
    )
    assert bench.core.wake_ms == bench.now_ms + 50
    bench.now_ms += 30
    bench.handle(bench.finished("j1/s1/t2#1"))
    assert bench.wait(20) == [PublishJob(TimePassed(), "j1")]
    bench.now_ms += 100
    finished = bench.finished("j1/s1/t3#1")
    assert bench.sends(finished)[-1] == PublishJob(finished, "j1")


def test_progress_that_nobody_watches_is_not_published(bench: Bench) -> None:
    """Without watchers only states and reasons are news."""
    bench.handle(bench.executor())
    bench.run(bench.stage(partitions=9))
    bench.now_ms += 1_000
    finished = bench.finished("j1/s1/t1#1")
    assert PublishJob(finished, "j1") not in bench.sends(finished)


def test_view_of_a_job_counts_and_measures(bench: Bench) -> None:
    """Figures of stages and tasks are what executors reported, summed up."""
    bench.handle(bench.executor("e1"), bench.executor("e2"))
    bench.run(bench.stage(1, 2), bench.stage(2, 1, reads=(1,)))
    bench.now_ms += 50
    bench.handle(bench.finished("j1/s1/t1#1", "e1", {0: 5}))
    world = bench.core.world
    details = views.describe_job(world, "s", "o1", bench.now_ms + 10)
    assert details is not None
    assert details.job.progress == views.Progress(2, 1, 1, 2, 0)
    assert details.stages == (
        views.StageView(1, 2, 1, 5, 50, 0, 0, 60, 50, Spread(0, 0, 0)),
        views.StageView(2, 0, 0, 0, 0, 0, 0, 0, 0),
    )
    assert [(each.attempt_id, each.state, each.elapsed_ms) for each in details.tasks] == [
        ("j1/s1/t1#1", "finished", 0),
        ("j1/s1/t2#1", "running", 60),
    ]
    assert details.graph is not None


def test_view_of_a_result_lists_outputs_with_rows(bench: Bench) -> None:
    """A result's outputs come in partition order; an empty one still has a place for its schema."""
    bench.handle(bench.executor("e1"), bench.executor("e2"))
    world = bench.core.world
    for number, rows, outputs in ((1, {1: 5}, ["j1/s1/t2#1"]), (2, {}, ["j2/s1/t1#1"])):
        job_id = bench.run(bench.stage(1, 2), operation_id=f"o{number}")
        bench.handle(bench.finished(f"{job_id}/s1/t2#1", "e2", rows))
        bench.handle(bench.finished(f"{job_id}/s1/t1#1", "e1", {}))
        view = views.view_job(world, "s", f"o{number}", bench.now_ms)
        assert view is not None
        assert [each.attempt_id for each in view.outputs] == outputs


def test_view_of_a_released_job_has_no_result(bench: Bench) -> None:
    """A released job can be described and not read."""
    bench.submit()
    bench.handle(JobAnswered("j1", b"rows"))
    world = bench.core.world
    view = views.view_job(world, "", "j1", 0)
    assert view is not None
    assert (view.answer, view.state) == (b"rows", JobState.SUCCEEDED)
    bench.handle(JobReleased("s", "o1"))
    view = views.view_job(world, "s", "o1", 0)
    assert view is not None
    assert (view.answer, view.released) == (None, True)
    assert views.view_job(world, "s", "o9", 0) is None
    assert views.describe_job(world, "s", "o9", 0) is None


def test_list_of_jobs_is_newest_first(bench: Bench) -> None:
    """A list has at most so many jobs, of one session or of all."""
    bench.handle(SessionOpened("s2"))
    for number in range(1, 4):
        bench.submit(f"o{number}", "s2" if number == 2 else "s")
    world = bench.core.world
    assert [each.job_id for each in views.list_jobs(world, "", 2, 0)] == ["j3", "j2"]
    assert [each.job_id for each in views.list_jobs(world, "s", 9, 0)] == ["j3", "j1"]


def test_list_of_executors_tells_their_slots(bench: Bench) -> None:
    """People see who is there and how busy they are."""
    bench.handle(bench.executor("e1", 2), bench.executor("e2", 3))
    bench.run(bench.stage())
    listed = views.list_executors(bench.core.world, bench.now_ms + 7)
    assert [(each.executor_id, each.slots_total, each.slots_free) for each in listed] == [
        ("e1", 2, 2),
        ("e2", 3, 2),
    ]
    assert (listed[0].state, listed[0].silent_ms) == ("active", 7)
