"""A core that goes on with what an earlier one wrote down."""

from dataclasses import replace

import pytest
from core_bench import FACTS, Bench

from springald_scheduler.core.actions import Forget, LaunchTask, Persist, ServeClients
from springald_scheduler.core.events import (
    Event,
    JobPlanned,
    JobSubmitted,
    JobWatched,
    ResultLost,
    SchedulerStarted,
    SessionOpened,
    StageReplanned,
    TaskFailed,
)
from springald_scheduler.core.failures import Failure
from springald_scheduler.core.graph import Adaptive, MergeOffer, StageGraph
from springald_scheduler.core.records import Key, Record
from springald_scheduler.core.scheduler import SchedulerCore
from springald_scheduler.core.states import JobState
from springald_scheduler.core.views import view_job


class Keeper(Bench):
    """A bench whose core dies now and then, and which keeps the records."""

    def __init__(self) -> None:
        super().__init__()
        self.records: dict[Key, Record] = {}

    def keep(self, *happened: Event) -> None:
        """Tells events and writes down what is to be kept."""
        for action in self.handle(*happened):
            match action:
                case Persist(record=record):
                    self.records[record.key] = record
                case Forget(key=key):
                    gone = [each for each in self.records if each[: len(key)] == key]
                    for each in gone:
                        del self.records[each]

    def restart(self) -> None:
        """Begins with another core."""
        self.core = SchedulerCore(FACTS, None, self.records.values())
        self.keep(SchedulerStarted())


def test_job_whose_result_was_made_again_ends_after_a_restart() -> None:
    """A result that is there as it was written down is told, and may be lost once more (P3.1)."""
    bench = Keeper()
    bench.keep(bench.executor())
    bench.keep(SessionOpened("s"), JobSubmitted("s", "o1", "SELECT 1", b"digest"))
    bench.keep(JobPlanned("j1", StageGraph((bench.stage(),))))
    bench.keep(bench.finished("j1/s1/t1#1"))
    bench.keep(JobWatched("j1"), ResultLost("s", "o1", ("j1/s1/t1#1",)))
    assert bench.job().state is JobState.RUNNING
    bench.restart()
    registered = replace(bench.executor(), job_ids=("j1",), running_attempt_ids=("j1/s1/t1#2",))
    actions = bench.handle(registered)
    assert [type(each) for each in actions if isinstance(each, LaunchTask | ServeClients)] == [
        ServeClients
    ]
    assert bench.job().state is JobState.SUCCEEDED


def test_restored_result_that_is_made_again_reads_no_executor_that_is_gone() -> None:
    """What an executor held that did not come back is lost, also of a job that has ended."""
    bench = Keeper()
    bench.keep(bench.executor("e1"), bench.executor("e2"))
    bench.keep(SessionOpened("s"), JobSubmitted("s", "o1", "SELECT 1", b"digest"))
    stages = (bench.stage(1, 2), bench.stage(2, reads=(1,)))
    bench.keep(JobPlanned("j1", StageGraph(stages)))
    bench.keep(bench.finished("j1/s1/t1#1", "e1"), bench.finished("j1/s1/t2#1", "e2"))
    last = next(iter(bench.job().running.values()))
    bench.keep(bench.finished(last.attempt_id, last.executor_id))
    bench.restart()
    bench.handle(replace(bench.executor(last.executor_id), job_ids=("j1",)))
    actions = bench.handle(ResultLost("s", "o1", (last.attempt_id,)))
    launched = [each.attempt_id for each in actions if isinstance(each, LaunchTask)]
    assert [each.partition("/t")[0] for each in launched] == ["j1/s1"]


def test_reader_that_began_again_takes_no_report_of_an_earlier_life() -> None:
    """Rows that were read of a former output are not mixed with those of the later one (P4.4)."""
    bench = Keeper()
    bench.keep(bench.executor("e1"))
    bench.keep(SessionOpened("s"), JobSubmitted("s", "o1", "SELECT 1", b"digest"))
    bench.keep(JobPlanned("j1", StageGraph((bench.stage(1), bench.stage(2, 2, reads=(1,))))))
    bench.keep(replace(bench.finished("j1/s1/t1#1"), fingerprint=5))
    bench.keep(bench.finished("j1/s2/t1#1"))
    assert list(bench.job().running) == ["j1/s2/t2#1"]
    bench.restart()
    bench.keep(replace(bench.executor("e1", 1), job_ids=("j1",)))
    (attempt,) = bench.job().running
    failure = Failure("INPUT_LOST", "gone", retryable=True)
    bench.keep(TaskFailed("e1", "a", attempt, failure, lost_attempt_id="j1/s1/t1#1"))
    (again,) = bench.job().running
    bench.keep(replace(bench.finished(again), fingerprint=6))
    bench.restart()
    told = ("j1/s2/t2#1",)
    bench.keep(replace(bench.executor("e1", 1), job_ids=("j1",), finished_attempt_ids=told))
    assert bench.ignored(bench.finished("j1/s2/t2#1"))
    assert bench.job().stages[2].finished == 0


def _merged() -> tuple[Keeper, str]:
    """A bench whose job had its second stage taken in by the third, and the last attempt."""
    bench = Keeper()
    bench.keep(bench.executor("e1", 2))
    bench.keep(SessionOpened("s"), JobSubmitted("s", "o1", "SELECT 1", b"digest"))
    offer = MergeOffer(0, bytes_max=1_000)
    result = replace(bench.stage(3, reads=(2,)), adaptive=Adaptive(offers=(offer,)))
    stages = (bench.stage(1), bench.stage(2, reads=(1,)), result)
    bench.keep(JobPlanned("j1", StageGraph(stages)))
    bench.keep(bench.finished("j1/s1/t1#1"))
    bench.keep(StageReplanned("j1", 3, bench.stage(3, reads=(1,))))
    (attempt,) = bench.job().running
    return bench, attempt


def test_job_with_a_stage_that_was_taken_in_goes_on_after_a_restart() -> None:
    """Nothing reads such a stage, and that is no defect of the plan."""
    bench, attempt = _merged()
    bench.restart()
    back = replace(bench.executor("e1", 2), job_ids=("j1",), running_attempt_ids=(attempt,))
    bench.keep(back, bench.finished(attempt))
    assert bench.job().state is JobState.SUCCEEDED


def test_result_of_a_job_with_a_stage_that_was_taken_in_is_told_after_a_restart() -> None:
    """The outputs are where they were."""
    bench, attempt = _merged()
    bench.keep(bench.finished(attempt))
    bench.restart()
    view = view_job(bench.core.world, "s", "o1", bench.now_ms)
    assert view is not None
    assert [each.attempt_id for each in view.outputs] == [attempt]


def test_job_that_begins_again_has_its_stages_as_they_were_planned() -> None:
    """Which stage took in which is forgotten with the others, or one would be run for nobody."""
    bench, _ = _merged()
    del bench.records["job", "j1", "stage", "1"]
    for _ in range(2):
        bench.restart()
        bench.keep(bench.executor("e1", 2))
        read = {
            k: [leaf.stage_id for leaf in v.stage.inputs] for k, v in bench.job().stages.items()
        }
        assert read == {1: [], 2: [1], 3: [2]}
        assert not any(each.skipped for each in bench.job().stages.values())


@pytest.mark.parametrize("lost", [("plan",), ("stage",), ("plan", "stage")])
def test_result_whose_records_are_lost_is_an_error_and_not_empty(lost: tuple[str, ...]) -> None:
    """Rows that cannot be told of must not be left out (P3.6)."""
    bench = Keeper()
    bench.keep(bench.executor())
    bench.keep(SessionOpened("s"), JobSubmitted("s", "o1", "SELECT 1", b"digest"))
    bench.keep(JobPlanned("j1", StageGraph((bench.stage(),))))
    bench.keep(bench.finished("j1/s1/t1#1"))
    for key in [key for key in bench.records if key[2:] and key[2] in lost]:
        del bench.records[key]
    bench.restart()
    job = bench.job()
    assert job.state is JobState.FAILED
    assert job.failure
    assert job.failure.code == "SCHEDULER_RESTARTED"
