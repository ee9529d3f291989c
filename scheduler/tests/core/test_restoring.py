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
