"""A core on a bench: told events one by one, every invariant checked after each."""

from springald_scheduler.core.actions import Action, Forget, Ignore, LaunchTask, Persist
from springald_scheduler.core.events import (
    ClusterFacts,
    Event,
    ExecutorRegistered,
    JobPlanned,
    JobSubmitted,
    SessionOpened,
    TaskFinished,
    TimePassed,
)
from springald_scheduler.core.graph import (
    Exchange,
    ExchangeKind,
    Fragment,
    FragmentFormat,
    Stage,
    StageGraph,
    StageInput,
)
from springald_scheduler.core.invariants import check_invariants
from springald_scheduler.core.limits import CoreLimits
from springald_scheduler.core.model import Job
from springald_scheduler.core.scheduler import SchedulerCore
from springald_scheduler.core.sizes import Sizes

FACTS = ClusterFacts(1, "datafusion 55.0.0", "3.11", "x86_64", "fingerprint")


def is_kept(action: Action) -> bool:
    """True for what goes to the store, but for jobs and sessions that are forgotten."""
    gone = isinstance(action, Forget) and action.key[0] == "executor"
    return gone or isinstance(action, Persist)


class Bench:
    """A core, its clock, and short words for what tests tell it."""

    def __init__(self, limits: CoreLimits | None = None) -> None:
        self.core = SchedulerCore(FACTS, limits)
        self.now_ms = 1_000

    def handle(self, *happened: Event) -> list[Action]:
        """Tells events, now."""
        actions: list[Action] = []
        for event in happened:
            actions += self.core.handle(event, now_ms=self.now_ms)
            check_invariants(self.core.world)
        return actions

    def sends(self, *happened: Event) -> list[Action]:
        """Tells events; returns the actions but what is persisted, or forgotten of executors."""
        return [each for each in self.handle(*happened) if not is_kept(each)]

    def wait(self, time_ms: int) -> list[Action]:
        """Lets time pass; returns the actions but what is persisted."""
        self.now_ms += time_ms
        return self.sends(TimePassed())

    def ignored(self, event: Event) -> bool:
        """True if an event is ignored, and nothing else comes of it."""
        return [type(each) for each in self.handle(event)] == [Ignore]

    def executor(
        self, executor_id: str = "e1", slots: int = 1, incarnation: str = "a"
    ) -> ExecutorRegistered:
        """A registration that fits."""
        address = f"{executor_id}:1"
        return ExecutorRegistered(executor_id, incarnation, FACTS, slots, flight_address=address)

    def submit(self, operation_id: str = "o1", session_id: str = "s") -> str:
        """Opens the session if need be, and submits a statement; returns the job id."""
        if session_id not in self.core.world.sessions:
            self.handle(SessionOpened(session_id))
        self.handle(JobSubmitted(session_id, operation_id, "SELECT 1", b"digest"))
        return self.core.world.sessions[session_id].operations[operation_id]

    def run(self, *stages: Stage, operation_id: str = "o1") -> str:
        """Submits a statement that is planned as these stages; returns the job id."""
        job_id = self.submit(operation_id)
        self.handle(JobPlanned(job_id, StageGraph(stages)))
        return job_id

    def finished(
        self, attempt_id: str, executor_id: str = "e1", rows: dict[int, int] | None = None
    ) -> TaskFinished:
        """A report of an attempt's end, with rows by partition; a row has ten bytes."""
        rows = {0: 1} if rows is None else rows
        sizes = Sizes.of((key, count, 10 * count) for key, count in rows.items())
        return TaskFinished(executor_id, "a", attempt_id, sizes)

    def job(self, job_id: str = "j1") -> Job:
        """The core's record of a job."""
        return self.core.world.jobs[job_id]

    def launched(self, actions: list[Action]) -> list[str]:
        """The attempts that are launched, with their executors: `j1/s1/t1#1@e1`."""
        return [
            f"{each.attempt_id}@{each.executor_id}"
            for each in actions
            if isinstance(each, LaunchTask)
        ]

    @staticmethod
    def stage(
        stage_id: int = 1,
        partitions: int = 1,
        *,
        reads: tuple[int, ...] = (),
        kind: ExchangeKind = ExchangeKind.HASH,
        out: int = 8,
        whole: bool = False,
        upload_ids: tuple[str, ...] = (),
    ) -> Stage:
        """A stage that reads stages by hash, unless told otherwise."""
        offset = 0 if kind in {ExchangeKind.HASH, ExchangeKind.FORWARD} else None
        return Stage(
            stage_id=stage_id,
            fragment=Fragment(FragmentFormat.PHYSICAL_PLAN, b"plan", "55.0.0"),
            inputs=tuple(StageInput(each, kind, partitions, offset) for each in reads),
            output=Exchange(ExchangeKind.HASH, out),
            partition_count=partitions,
            single_task_reason="the test says so" if whole else "",
            upload_ids=upload_ids,
        )
