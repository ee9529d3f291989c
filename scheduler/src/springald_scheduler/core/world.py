"""Everything that the core knows, in one place, and the way for its rooms to change it."""

from collections import Counter, OrderedDict
from dataclasses import dataclass, field

from springald_scheduler.core.actions import Action, Ignore
from springald_scheduler.core.alarms import Alarms
from springald_scheduler.core.events import ClusterFacts, Event, ExecutorRegistered, TimePassed
from springald_scheduler.core.limits import CoreLimits
from springald_scheduler.core.model import Executor, Job, Session, StageRun, Task, Upload
from springald_scheduler.core.records import CounterRecord, Record
from springald_scheduler.core.slots import SlotPool
from springald_scheduler.core.states import JobState, StageState, TaskState, check_transition
from springald_scheduler.core.turns import Turns

ATTEMPTS_PER_LIFE = 1_000
"""Attempts of a later life of the scheduler are counted from a multiple of this, so that none has
the name of one that an earlier life launched."""


@dataclass(slots=True)
class Restoring:
    """What is known before the jobs of an earlier process are taken up.

    Attributes:
        records: What that process wrote down.
        expected: Executors that were registered with it and are not back: their incarnations.
        arrived: What those said who are back, by their ids.
        reports: What executors reported meanwhile, in order.
    """

    records: tuple[Record, ...]
    expected: dict[str, str] = field(default_factory=dict)
    arrived: dict[str, ExecutorRegistered] = field(default_factory=dict)
    reports: list[Event] = field(default_factory=list)


class World:
    """The state of the core, and what it wants done about the event at hand.

    Attributes:
        facts: What executors must agree on.
        limits: The limits.
        now_ms: The time of the event at hand.
        cause: The event at hand.
        actions: What is to be done about it so far.
        sessions: The open sessions.
        jobs: All jobs that can be described, oldest first.
        released_job_ids: Those of them of which only the description is left, oldest first.
        released_tasks: How many tasks those have.
        executors: The executors that are there, in the order of registration.
        lost: Executors that went away, in case the same life of one comes back.
        uploads: The uploads of open sessions.
        pool: The free slots.
        queue: Jobs with tasks to place.
        turns: Whose turn it is of those.
        turns_largest: For which largest executor their slots were counted; -1 to count once more.
        unsliced: Jobs with ready stages whose tasks are not fixed, for want of an executor.
        stranded: Jobs that need an executor while there is none.
        unwritten: Jobs that run and of which the plan is not written down yet.
        unplaced_uploads: Uploads that wait for an executor.
        touched: Jobs of which something changed during this event.
        alarms: What is due when.
        ignored: How often an event was ignored, by reason.
        jobs_made: The number of the last job.
        counter: What of the numbers in use is written down.
        restoring: What an earlier process wrote down, until it is taken up.
        replay: Events that came before that, and are handled next.
        registrations: How many executors have registered.
    """

    def __init__(self, facts: ClusterFacts, limits: CoreLimits) -> None:
        self.facts = facts
        self.limits = limits
        self.now_ms = 0
        self.cause: Event = TimePassed()
        self.actions: list[Action] = []
        self.sessions: dict[str, Session] = {}
        self.jobs: dict[str, Job] = {}
        self.released_job_ids: OrderedDict[str, None] = OrderedDict()
        self.released_tasks = 0
        self.executors: dict[str, Executor] = {}
        self.lost: OrderedDict[str, Executor] = OrderedDict()
        self.uploads: dict[str, Upload] = {}
        self.pool = SlotPool()
        self.queue: dict[str, Job] = {}
        self.turns = Turns(self.queue)
        self.turns_largest = 0
        self.unsliced: dict[str, Job] = {}
        self.stranded: dict[str, Job] = {}
        self.unwritten: dict[str, Job] = {}
        self.unplaced_uploads: dict[str, Upload] = {}
        self.touched: dict[str, Job] = {}
        self.alarms = Alarms()
        self.ignored: Counter[str] = Counter()
        self.jobs_made = 0
        self.counter = CounterRecord()
        self.restoring: Restoring | None = None
        self.replay: list[Event] = []
        self.registrations = 0

    @property
    def attempt_floor(self) -> int:
        """The number up to which earlier lives of the scheduler may have counted attempts."""
        return self.counter.lives * ATTEMPTS_PER_LIFE

    def do(self, action: Action) -> None:
        """Asks for an action, after all that were asked for before."""
        self.actions.append(action)

    def ignore(self, reason: str) -> None:
        """Asks for nothing, and says why."""
        self.ignored[reason] += 1
        self.do(Ignore(self.cause, reason))

    def touch(self, job: Job) -> None:
        """Notes that there may be news of a job."""
        self.touched[job.job_id] = job

    def change_job(self, job: Job, state: JobState) -> None:
        """Moves a job to another state."""
        check_transition(job.job_id, job.state, state, job.story)
        job.state = state
        job.story.append((self.now_ms, job.job_id, state))
        self.touch(job)

    def change_stage(self, job: Job, run: StageRun, state: StageState) -> None:
        """Moves a stage to another state."""
        name = stage_name(job.job_id, run.stage.stage_id)
        check_transition(name, run.state, state, job.story)
        run.state = state
        job.story.append((self.now_ms, name, state))
        self.touch(job)

    def change_task(self, job: Job, run: StageRun, task: Task, state: TaskState) -> None:
        """Moves a task to another state."""
        name = attempt_name(job.job_id, run.stage.stage_id, task.number, task.attempt)
        check_transition(name, task.state, state, job.story)
        task.state = state
        job.story.append((self.now_ms, name, state))
        self.touch(job)


def stage_name(job_id: str, stage_id: int) -> str:
    """The node id of a stage: `j7/s2`."""
    return f"{job_id}/s{stage_id}"


def attempt_name(job_id: str, stage_id: int, task_number: int, attempt: int) -> str:
    """The node id of an attempt: `j7/s2/t14#1`."""
    return f"{job_id}/s{stage_id}/t{task_number}#{attempt}"
