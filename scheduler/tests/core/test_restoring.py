"""A core that goes on with what an earlier one wrote down."""

from dataclasses import replace

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
)
from springald_scheduler.core.graph import StageGraph
from springald_scheduler.core.records import Key, Record
from springald_scheduler.core.scheduler import SchedulerCore
from springald_scheduler.core.states import JobState


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
