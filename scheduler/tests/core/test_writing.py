"""What is written down of a job, and when: as little as a short job needs."""

from dataclasses import replace

from core_bench import FACTS, Bench

from springald_scheduler.core.actions import Action, CancelTask, Forget, Persist, PlanJob
from springald_scheduler.core.events import (
    JobCancelRequested,
    JobPlanned,
    JobSubmitted,
    SchedulerStarted,
    SessionChanged,
    SessionOpened,
    TaskFinished,
    TimePassed,
)
from springald_scheduler.core.graph import StageGraph
from springald_scheduler.core.records import Key, Record
from springald_scheduler.core.scheduler import SchedulerCore
from springald_scheduler.core.sizes import Sizes
from springald_scheduler.core.states import JobState
from springald_scheduler.core.views import view_job

HELD_MS = 50


def keys(actions: list[Action]) -> list[str]:
    """What is written, in order: `job/j1`."""
    return ["/".join(each.record.key) for each in actions if isinstance(each, Persist)]


def started(bench: Bench, *graph: StageGraph) -> list[Action]:
    """Submits a statement and plans it; returns what comes of the plan."""
    bench.handle(bench.executor("e1", 2), SessionOpened("s"))
    bench.submit()
    return bench.handle(JobPlanned("j1", *(graph or (StageGraph((bench.stage(),)),))))


def restarted(bench: Bench, *told: list[Action]) -> list[Action]:
    """Begins again with what was written; returns what a core does first."""
    records: dict[Key, Record] = {}
    for actions in told:
        for each in actions:
            if isinstance(each, Persist):
                records[each.record.key] = each.record
            elif isinstance(each, Forget):
                size = len(each.key)
                records = {k: v for k, v in records.items() if k[:size] != each.key}
    bench.core = SchedulerCore(FACTS, None, records.values())
    return bench.handle(SchedulerStarted())


def test_short_job_is_written_twice(bench: Bench) -> None:
    """A job whose rows come with its report is written when it is accepted, and when it ended."""
    bench.handle(bench.executor(), SessionOpened("s"))
    bench.handle(JobSubmitted("s", "o0", "SELECT 0", b"digest"))  # numbers are counted ahead
    assert keys(bench.handle(JobSubmitted("s", "o1", "SELECT 1", b"digest"))) == ["job/j2"]
    assert keys(bench.handle(JobPlanned("j2", StageGraph((bench.stage(),))))) == []
    done = TaskFinished("e1", "a", "j2/s1/t1#1", Sizes.of([(0, 1, 8)]), rows=b"stream")
    assert keys(bench.handle(done)) == ["job/j2"]
    assert bench.job("j2").state is JobState.SUCCEEDED
    assert keys(bench.wait(HELD_MS)) == []


def test_plan_of_a_job_that_goes_on_is_written_after_a_moment(bench: Bench) -> None:
    """Its state, its plan, and what has begun of its stages."""
    assert keys(started(bench)) == []
    assert bench.core.wake_ms == bench.now_ms + HELD_MS
    bench.now_ms += HELD_MS
    assert keys(bench.handle(TimePassed())) == ["job/j1", "job/j1/plan", "job/j1/stage/1"]
    assert keys(bench.handle(bench.finished("j1/s1/t1#1"))) == ["job/j1/stage/1", "job/j1"]


def test_stage_that_others_read_is_written_before_its_executor_forgets(bench: Bench) -> None:
    """With the first of them all that is held of the job is written."""
    graph = StageGraph((bench.stage(), bench.stage(2, reads=(1,))))
    assert keys(started(bench, graph)) == []
    actions = bench.handle(bench.finished("j1/s1/t1#1"))
    assert [type(each).__name__ for each in actions[:4]] == 3 * ["Persist"] + ["SettleStage"]
    assert keys(actions[:3]) == ["job/j1", "job/j1/plan", "job/j1/stage/1"]


def test_result_on_executors_is_written_with_the_end(bench: Bench) -> None:
    """It must be found again, and made again if it is lost."""
    told = [bench.handle(bench.executor(), SessionOpened("s"))]
    told.append(bench.handle(JobSubmitted("s", "o1", "SELECT 1", b"digest")))
    told.append(bench.handle(JobPlanned("j1", StageGraph((bench.stage(),)))))
    told.append(bench.handle(bench.finished("j1/s1/t1#1")))
    assert keys(told[-1]) == ["job/j1", "job/j1/plan", "job/j1/stage/1"]
    restarted(bench, *told)
    view = view_job(bench.core.world, "s", "o1", bench.now_ms)
    assert view
    assert [each.attempt_id for each in view.outputs] == ["j1/s1/t1#1"]


def test_plan_is_written_before_its_catalog_changes(bench: Bench) -> None:
    """Who plans the job again would plan it with tables that it was not asked of."""
    started(bench)
    bench.handle(SessionOpened("other"))
    assert keys(bench.handle(SessionChanged("other", "catalog"))) == ["session/other"]
    assert keys(bench.handle(SessionChanged("s", "catalog"))) == [
        *("job/j1", "job/j1/plan", "job/j1/stage/1"),
        "session/s",
    ]


def test_young_job_is_planned_and_run_again_after_a_restart(bench: Bench) -> None:
    """Attempts of the former life are stopped, and none of the new one has their names."""
    told = [bench.handle(bench.executor(), SessionOpened("s"))]
    told.append(bench.handle(JobSubmitted("s", "o1", "SELECT 1", b"digest")))
    told.append(bench.handle(JobPlanned("j1", StageGraph((bench.stage(),)))))
    assert bench.launched(told[-1]) == ["j1/s1/t1#1@e1"]
    restarted(bench, *told)
    back = replace(bench.executor(), running_attempt_ids=("j1/s1/t1#1",), job_ids=("j1",))
    actions = bench.handle(back)
    assert [each.job_id for each in actions if isinstance(each, PlanJob)] == ["j1"]
    stopped = [each.attempt_id for each in actions if isinstance(each, CancelTask)]
    assert stopped == ["j1/s1/t1#1"]
    again = bench.handle(JobPlanned("j1", StageGraph((bench.stage(),))))
    assert bench.launched(again) == ["j1/s1/t1#1001@e1"]


def test_job_that_ends_badly_needs_no_plan(bench: Bench) -> None:
    """What is told of it is the error."""
    started(bench)
    assert keys(bench.handle(JobCancelRequested("s", "o1", "no need"))) == ["job/j1"]
    assert keys(bench.wait(HELD_MS)) == []
