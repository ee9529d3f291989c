"""Any history: hypothesis tells the core what it likes, and the world outside keeps count.

The machine plays clients, planner, executors and store. It does to each action what the driver
and the other side would do, and objects to what they must never see; `check_invariants` looks at
the core from inside after each step.
"""

import dataclasses
from collections.abc import Collection
from dataclasses import dataclass, field
from random import Random

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from springald_scheduler.core import actions as do
from springald_scheduler.core import events as on
from springald_scheduler.core.failures import Failure
from springald_scheduler.core.figures import OperatorFigures
from springald_scheduler.core.graph import (
    Adaptive,
    AnswerKind,
    BroadcastOffer,
    Exchange,
    ExchangeKind,
    FilterOffer,
    Fragment,
    FragmentFormat,
    MergeOffer,
    Offer,
    Repeats,
    Stage,
    StageGraph,
    StageInput,
    SwapOffer,
)
from springald_scheduler.core.invariants import check_invariants
from springald_scheduler.core.limits import CoreLimits
from springald_scheduler.core.model import Job
from springald_scheduler.core.records import JobRecord, Key, PlanRecord, Record, StageRecord
from springald_scheduler.core.scheduler import SchedulerCore
from springald_scheduler.core.sizes import Sizes
from springald_scheduler.core.states import JobState, TaskState

FACTS = on.ClusterFacts(1, "datafusion 55.0.0", "3.11", "x86_64", "fingerprint")
LIMITS = CoreLimits(
    jobs_remembered_max=3,
    tasks_remembered_max=8,
    executors_remembered_max=2,
    task_attempts_max=3,
    task_executors_max=4,
    task_inputs_max=5,
    task_moves_max=3,
    task_outputs_max=5,
)
TROUBLES = st.sampled_from(
    ["TASK_LOST", "IO_FAILED", "OUT_OF_MEMORY", "EXECUTOR_LOST", "INPUT_LOST", "DIVISION_BY_ZERO"]
)
SESSIONS = st.sampled_from(["s1", "s2"])
OPERATIONS = st.sampled_from(["o1", "o2", "o3"])
EXECUTORS = st.sampled_from(["e1", "e2", "e3"])
UPLOADS = st.sampled_from(["u1", "u2"])


@dataclass
class Agent:
    """An executor as it is itself: what it runs, knows and keeps."""

    incarnation: str
    slots: int
    running: dict[str, do.LaunchTask] = field(default_factory=dict)
    stopping: set[str] = field(default_factory=set)
    stages: dict[tuple[str, int], do.DefineStage] = field(default_factory=dict)
    files: set[str] = field(default_factory=set)
    uploads: set[str] = field(default_factory=set)
    draining: bool = False
    reports: dict[str, on.TaskFinished] = field(default_factory=dict)
    stored: dict[str, on.UploadStored] = field(default_factory=dict)


@st.composite
def graphs(draw: st.DrawFn) -> StageGraph:
    """A query of one to four stages; rarely one that no planner would make."""
    count = draw(st.sampled_from([1, 2, 3, 4, 4, 4]))
    joins = draw(st.booleans())
    stages = []
    for stage_id in range(1, count + 1):
        earlier = st.sampled_from(range(1, stage_id)) if stage_id > 1 else st.nothing()
        reads = draw(st.lists(earlier, max_size=2)) if stage_id > 1 else []
        if stage_id > 1 and stage_id - 1 not in reads:
            reads.append(stage_id - 1)
        after = draw(st.sets(earlier, max_size=1)) if stage_id > 1 else set()
        if joins and stage_id in {2, 3}:
            reads, after = ([], {1}) if stage_id == 2 else ([1, 2], set())
        kind = draw(st.sampled_from([ExchangeKind.HASH, ExchangeKind.BROADCAST]))
        partitions = draw(st.integers(1, 5))
        offset = draw(st.sampled_from([None, 0, 0, 1]))
        stages.append(
            Stage(
                stage_id=stage_id,
                fragment=Fragment(FragmentFormat.PHYSICAL_PLAN, b"plan", "55"),
                inputs=tuple(StageInput(each, kind, 4, offset) for each in reads),
                output=Exchange(kind, 4),
                partition_count=partitions,
                single_task_reason=draw(st.sampled_from(["", "", "whole"])),
                upload_ids=draw(st.sampled_from([(), (), (), (), (), ("u1",)])),
                adaptive=draw(adaptives(len(reads), after)),
                after=tuple(after),
                repeats=draw(st.sampled_from(Repeats)),
            )
        )
    answer = draw(st.sampled_from([AnswerKind.ROWS, AnswerKind.ROWS, AnswerKind.PROFILE]))
    return StageGraph(tuple(stages), profile=draw(st.booleans()), answer=answer)


@st.composite
def adaptives(draw: st.DrawFn, inputs: int, after: Collection[int]) -> Adaptive:
    """What a stage with so many inputs lets depend on their sizes, and those it waits for."""
    filters = tuple(FilterOffer(each, b"keys", (0,), 9, 999) for each in after)
    if not inputs:
        return Adaptive(offers=filters)
    numbers = st.integers(0, inputs - 1)
    some = st.sets(numbers, max_size=2).map(tuple)
    offers: list[Offer] = []
    if draw(st.booleans()):
        offers.append(MergeOffer(draw(numbers), draw(st.sampled_from([0, 99, 999]))))
    if inputs > 1:
        build, probe = draw(st.permutations(range(inputs)))[:2] if draw(st.booleans()) else (0, 1)
        offers.append(BroadcastOffer((build,), probe, draw(st.sampled_from([0, 999, 999])), 99))
        offers.append(SwapOffer((build,), (probe,), 1))
    return Adaptive(
        task_bytes_target=draw(st.sampled_from([0, 0, 2, 9])),
        emptied_by=draw(some),
        split_inputs=draw(some),
        split_bytes_min=1,
        offers=(*draw(st.permutations(offers)), *filters),
    )


def replanned(asked: do.ReplanStage) -> Stage:
    """The stage that a planner makes."""
    stage, other = asked.stage, asked.other
    match asked.offer:
        case SwapOffer():
            return dataclasses.replace(stage, adaptive=Adaptive())
        case FilterOffer():
            read = StageInput(other.stage_id, other.output.kind, other.output.partition_count)
            return dataclasses.replace(stage, inputs=(*stage.inputs, read), adaptive=Adaptive())
    own = [each for each in stage.inputs if each.stage_id != other.stage_id]
    count = (other if isinstance(asked.offer, BroadcastOffer) else stage).partition_count
    return dataclasses.replace(
        stage,
        inputs=(*own, *other.inputs),
        partition_count=count,
        upload_ids=(*stage.upload_ids, *other.upload_ids),
        adaptive=Adaptive(),
        after=(*stage.after, *other.after),
    )


def _wrong(asked: do.ReplanStage) -> Stage:
    """A stage that reads other stages than it should, or is another one."""
    return dataclasses.replace(asked.other, inputs=(), stage_id=99)


class ClusterMachine(RuleBasedStateMachine):
    """One scheduler core and the world around it."""

    def __init__(self) -> None:
        super().__init__()
        self.core = SchedulerCore(FACTS, LIMITS)
        self.now_ms = 1
        self.agents: dict[str, Agent] = {}
        self.former: list[tuple[str, str]] = []
        self.launched: list[do.LaunchTask] = []
        self.sent: list[do.HandOverUpload] = []
        self.accepted: set[str] = set()
        self.read: dict[str, frozenset[str]] = {}
        self.contents: dict[str, object] = {}
        self.reported_lost: set[str] = set()
        self.unreadable: set[str] = set()
        self.planning: list[str] = []
        self.replanning: list[do.ReplanStage] = []
        self.store: dict[Key, Record] = {}
        self.ended: dict[str, JobState] = {}
        self.lives = 0
        self.restarting = False

    # What the driver and the others do with actions.

    def tell(self, event: on.Event) -> list[do.Action]:
        """Tells the core an event and carries out its actions."""
        asked = self.core.handle(event, now_ms=self.now_ms)
        for action in asked:
            assert action.cause is event or self.restarting
            self.carry_out(action)
        return asked

    def carry_out(self, action: do.Action) -> None:
        """Does what the driver would do."""
        match action:
            case do.Persist():
                self.store[action.record.key] = action.record
            case do.Forget():
                size = len(action.key)
                self.store = {k: v for k, v in self.store.items() if k[:size] != action.key}
            case do.PlanJob():
                record = self.store["job", action.job_id]
                assert isinstance(record, JobRecord)
                assert record.state is JobState.QUEUED
                self.planning.append(action.job_id)
            case do.ReplanStage():
                self.replanning.append(action)
            case do.AssignUpload():
                self.agents[action.executor_id].uploads.add(action.upload_id)
            case do.PublishJob():
                self.check_published(action.job_id)
            case do.DisconnectExecutor():
                agent = self.agents.get(action.executor_id)
                if agent and agent.incarnation == action.incarnation:
                    self.leave(action.executor_id)
            case do.ToExecutor():
                self.carry_out_there(action)

    def carry_out_there(self, action: do.ToExecutor) -> None:
        """Does what an executor would do, and objects to what one must never be asked for."""
        agent = self.agents[action.executor_id]
        assert agent.incarnation == action.incarnation
        match action:
            case do.DefineStage():
                key = (action.job_id, action.stage.stage_id)
                assert key not in agent.stages or action.version > agent.stages[key].version
                agent.stages[key] = action
                self.check_inputs(action)
            case do.LaunchTask():
                assert (action.job_id, action.stage_id) in agent.stages
                assert not agent.draining
                assert action.attempt_id not in {each.attempt_id for each in self.launched}
                self.launched.append(action)
                agent.running[action.attempt_id] = action
                inputs = agent.stages[action.job_id, action.stage_id].inputs
                outputs = [each for outputs in inputs for each in outputs]
                self.read[action.attempt_id] = frozenset(each.attempt_id for each in outputs)
                assert sum(each.slots for each in agent.running.values()) <= agent.slots
                self.check_slices(action)
                agent.files.add(action.job_id)
            case do.CancelTask() if self.restarting:
                agent.running.pop(action.attempt_id, None)
            case do.CancelTask():
                agent.stopping |= {action.attempt_id} & agent.running.keys()
            case do.SettleStage():
                mine = f"{action.job_id}/s{action.stage_id}/"
                assert ("job", action.job_id, "stage", str(action.stage_id)) in self.store
                agent.reports = {k: v for k, v in agent.reports.items() if not k.startswith(mine)}
            case do.ReleaseJobFiles():
                mine = f"{action.job_id}/"
                agent.reports = {k: v for k, v in agent.reports.items() if not k.startswith(mine)}
                assert action.job_id not in {each.job_id for each in agent.running.values()}
                agent.files.discard(action.job_id)
                agent.stages = {k: v for k, v in agent.stages.items() if k[0] != action.job_id}
            case do.ReleaseUpload():
                agent.uploads.discard(action.upload_id)
            case do.HandOverUpload():
                assert agent.draining
                assert action.upload_id in agent.uploads
                self.sent.append(action)

    def check_slices(self, launch: do.LaunchTask) -> None:
        """A task is told what each accepted output holds of each partition that it reads.

        Tasks that share a partition are told of an input's outputs in turn, each of them once.
        """
        run = self.core.world.jobs[launch.job_id].stages[launch.stage_id]
        task = next(
            each
            for each in run.tasks
            if each.attempt and launch.attempt_id.endswith(f"/t{each.number}#{each.attempt}")
        )
        sharing = [each for each in run.tasks if each.part and each.partitions == task.partitions]
        for place, (leaf, told) in enumerate(
            zip(run.stage.inputs, launch.slices, strict=bool(launch.slices))
        ):
            record = self.store["job", launch.job_id, "stage", str(leaf.stage_id)]
            assert isinstance(record, StageRecord)
            for partition, sizes in zip(told.partitions, told.sizes, strict=True):
                wanted = [
                    (index, rows, size)
                    for index, output in enumerate(record.outputs)
                    for number, rows, size in output.sizes
                    if number == partition
                ]
                if task.part and task.part.input_number == place:
                    shared = [o for each in sharing if each.part for o in each.part.outputs]
                    assert shared == list(range(len(record.outputs)))
                    wanted = [each for each in wanted if each[0] in task.part.outputs]
                assert list(sizes) == wanted
            if leaf.offset is not None and run.stage.sliceable:
                reads = {each - leaf.offset for each in launch.partitions}
                assert set(told.partitions) == reads & set(range(leaf.partition_count))

    def check_published(self, job_id: str) -> None:
        """P3.6: what is told is durable, unless the job is released, or has just begun to run."""
        job = self.core.world.jobs[job_id]
        record = self.store.get(("job", job_id))
        if not job.released:
            assert isinstance(record, JobRecord)
            young = job_id in self.core.world.unwritten
            state = JobState.QUEUED if young else job.state
            assert (record.state, record.failure) == (state, job.failure)

    def check_inputs(self, action: do.DefineStage) -> None:
        """P3.2: a stage reads accepted attempts, of stages whose end is durable, that are there."""
        for leaf, outputs in zip(action.stage.inputs, action.inputs, strict=True):
            record = self.store["job", action.job_id, "stage", str(leaf.stage_id)]
            assert isinstance(record, StageRecord)
            assert record.outputs == outputs
            assert {each.attempt_id for each in outputs} <= self.accepted
            assert {each.executor_id for each in outputs if each.sizes} <= self.agents.keys()
        for upload in action.uploads:
            assert upload.upload_id in self.agents[upload.executor_id].uploads

    def leave(self, executor_id: str) -> Agent:
        """An executor's process or stream ends."""
        agent = self.agents.pop(executor_id)
        self.former.append((executor_id, agent.incarnation))
        return agent

    # What clients do.

    @initialize(slots=st.lists(st.integers(1, 3), max_size=3))
    def begin(self, slots: list[int]) -> None:
        """Most histories have a session and executors from the beginning."""
        self.tell(on.SessionOpened("s1"))
        for number, count in enumerate(slots, start=1):
            self.register(f"e{number}", count, same_life=False)

    @rule(session=SESSIONS, what=st.sampled_from(["open", "see", "see", "see", "close"]))
    def use_session(self, session: str, what: str) -> None:
        """A session is opened, seen or closed."""
        kinds = {"open": on.SessionOpened, "see": on.SessionSeen, "close": on.SessionClosed}
        self.tell(kinds[what](session))

    @rule(operation=OPERATIONS, graph=graphs())
    def query(self, operation: str, graph: StageGraph) -> None:
        """A client runs a query, which is planned at once."""
        self.tell(on.SessionOpened("s1"))
        self.tell(on.JobReleased("s1", operation))
        self.tell(on.JobSubmitted("s1", operation, "a", b"a"))
        self.tell(on.JobPlanned(self.planning.pop(), graph))

    @rule(session=SESSIONS, operation=OPERATIONS, statement=st.sampled_from(["a", "a", "b"]))
    def submit(self, session: str, operation: str, statement: str) -> None:
        """A client asks for a statement, perhaps again."""
        self.tell(on.JobSubmitted(session, operation, statement, statement.encode()))

    @rule(data=st.data(), operation=OPERATIONS)
    def lose_result(self, data: st.DataObject, operation: str) -> None:
        """A client cannot fetch a part of a result, or makes that up."""
        made = sorted(self.contents) or ["j1/s1/t1#1"]
        attempts = data.draw(st.lists(st.sampled_from(made), min_size=1, max_size=3))
        self.reported_lost |= set(attempts)
        self.tell(on.ResultLost("s1", operation, tuple(attempts)))

    @rule(session=SESSIONS, name=OPERATIONS, what=st.sampled_from(["cancel", "release"]))
    def end_job(self, session: str, name: str, what: str) -> None:
        """A client gives a job up."""
        if what == "cancel":
            self.tell(on.JobCancelRequested(session, name, "enough"))
        else:
            self.tell(on.JobReleased(session, name))

    @rule(age=st.integers(0, 4), comes=st.booleans())
    def watch(self, age: int, comes: bool) -> None:  # noqa: FBT001
        """A client follows a job, or stops; perhaps one that is long forgotten."""
        number = self.core.world.jobs_made - age
        self.tell((on.JobWatched if comes else on.JobUnwatched)(f"j{number}"))

    @rule(session=SESSIONS, upload=UPLOADS)
    def request_upload(self, session: str, upload: str) -> None:
        """A client wants to send rows; ids are never used twice at a time."""
        if upload not in self.core.world.uploads:
            for agent in self.agents.values():
                agent.uploads.discard(upload)
            self.sent = [each for each in self.sent if each.upload_id != upload]
            self.tell(on.UploadRequested(session, upload, 10))

    @rule(executor=EXECUTORS, upload=UPLOADS)
    def store_upload(self, executor: str, upload: str) -> None:
        """An executor has all rows of an upload."""
        if executor in self.agents:
            life = self.agents[executor].incarnation
            known = self.core.world.uploads.get(upload)
            if known and known.heir == (executor, life):
                self.agents[executor].uploads.add(upload)
            stored = on.UploadStored(executor, life, upload, 1, 20, 1)
            self.agents[executor].stored[upload] = stored
            self.tell(stored)

    @rule(
        session=SESSIONS,
        upload=UPLOADS,
        end=st.sampled_from(["table", "holder leaves", "heir has it", "heir has other rows"]),
    )
    def upload_through(self, session: str, upload: str, end: str) -> None:
        """An upload goes all the way to a table, and perhaps its executor is about to go."""
        self.request_upload(session, upload)
        known = self.core.world.uploads.get(upload)
        if known and known.executor_id in self.agents:
            holder = known.executor_id
            self.store_upload(holder, upload)
            self.tell(on.UploadRegistered(session, upload, b"schema", "t"))
            if end != "table":
                self.live(holder, "drain")
            if end.startswith("heir") and self.sent:
                self.arrive(self.sent.pop(), 2 if end.endswith("other rows") else 1)

    @precondition(lambda self: self.sent)
    @rule(data=st.data(), rows=st.sampled_from([1, 1, 1, 2]), again=st.booleans())
    def hand_over(self, data: st.DataObject, rows: int, again: bool) -> None:  # noqa: FBT001
        """Another executor has the rows that were sent on, late perhaps; or others than it should.

        What was sent twice arrives twice.
        """
        order = data.draw(st.sampled_from(self.sent))
        if not again:
            self.sent.remove(order)
        self.arrive(order, rows)

    def arrive(self, order: do.HandOverUpload, rows: int) -> None:
        """Rows that were sent on are where they were sent to, if that is still there."""
        heir = order.flight_address.partition(":")[0]
        agent = self.agents.get(heir)
        # An executor refuses rows that it has.
        if agent and order.upload_id not in agent.stored.keys() & agent.uploads:
            agent.uploads.add(order.upload_id)
            stored = on.UploadStored(heir, agent.incarnation, order.upload_id, rows, 20, 1)
            agent.stored[order.upload_id] = stored
            self.tell(stored)

    @rule(session=SESSIONS, upload=UPLOADS, keep=st.booleans(), table=st.sampled_from("tu"))
    def register_upload(
        self,
        session: str,
        upload: str,
        keep: bool,  # noqa: FBT001
        table: str,
    ) -> None:
        """An upload becomes a table, or its table is dropped."""
        if keep:
            self.tell(on.UploadRegistered(session, upload, b"schema", table))
        else:
            self.tell(on.UploadReleased(session, upload))

    # What the planner does.

    @precondition(lambda self: self.planning)
    @rule(
        graph=graphs(),
        outcome=st.sampled_from(["plan", "plan", "plan", "plan", "answer", "fail"]),
        again=st.booleans(),
    )
    def plan(self, graph: StageGraph, outcome: str, again: bool) -> None:  # noqa: FBT001
        """The planner is done with a job, in time or late, perhaps twice."""
        job_id = self.planning[-1] if again else self.planning.pop(0)
        self.tell(
            {
                "plan": on.JobPlanned(job_id, graph),
                "answer": on.JobAnswered(job_id, b"rows"),
                "fail": on.JobFailed(job_id, Failure("SQL_SYNTAX", "m")),
            }[outcome]
        )

    @precondition(lambda self: self.replanning)
    @rule(outcome=st.sampled_from(["new", "new", "old", "wrong"]), again=st.booleans())
    def replan(self, outcome: str, again: bool) -> None:  # noqa: FBT001
        """The planner is done with a stage, in time or late, perhaps twice."""
        asked = self.replanning[-1] if again else self.replanning.pop(0)
        stage = {"new": replanned(asked), "old": None, "wrong": _wrong(asked)}[outcome]
        self.tell(on.StageReplanned(asked.job_id, asked.stage.stage_id, stage))

    # What executors do.

    @rule(executor=EXECUTORS, slots=st.integers(1, 3))
    def join(self, executor: str, slots: int) -> None:
        """An executor comes, if there is none of its id."""
        if executor not in self.agents:
            self.register(executor, slots, same_life=False)

    @rule(executor=EXECUTORS, slots=st.integers(1, 3), same_life=st.booleans())
    def register(self, executor: str, slots: int, same_life: bool) -> None:  # noqa: FBT001
        """An executor comes, comes back, or replaces a former one."""
        agent = self.agents.get(executor)
        if same_life and agent:
            # Its stream broke before anybody noticed: it keeps nothing but its files.
            agent.running.clear()
            agent.stopping.clear()
            agent.stages.clear()
            agent.draining = False
        else:
            self.lives += 1
            if agent:
                self.former.append((executor, agent.incarnation))
            agent = self.agents[executor] = Agent(f"life{self.lives}", slots)
        self.tell(
            on.ExecutorRegistered(
                executor,
                agent.incarnation,
                FACTS,
                agent.slots,
                flight_address=f"{executor}:1",
            )
        )

    @rule(
        gone=st.sets(EXECUTORS),
        late=st.sets(EXECUTORS),
        lost=st.booleans(),
        order=st.randoms(use_true_random=False),
    )
    def restart(self, gone: set[str], late: set[str], lost: bool, order: Random) -> None:  # noqa: FBT001
        """The scheduler's process dies, and another one goes on with what is written down.

        Executors come back in time, or late, or never; perhaps a record cannot be read.
        """
        records = list(self.store.values())
        order.shuffle(records)
        plans = [each for each in records if isinstance(each, PlanRecord | StageRecord)]
        if lost and plans:
            unreadable = order.choice(plans)
            self.unreadable.add(unreadable.job_id)
            records.remove(unreadable)
        self.core = SchedulerCore(FACTS, LIMITS, records)
        self.restarting = True
        self.planning.clear()
        self.replanning.clear()
        for executor in sorted(gone & self.agents.keys()):
            self.leave(executor)
        waiting = {key: self.agents.pop(key) for key in sorted(self.agents)}
        self.tell(on.SchedulerStarted())
        for executor in sorted(waiting.keys() - late):
            self.come_back(executor, waiting[executor])
        self.now_ms += LIMITS.restore_ms_max
        self.tell(on.TimePassed())
        assert self.core.world.restoring is None
        for executor in sorted(waiting.keys() & late):
            self.come_back(executor, waiting[executor])
        self.restarting = False

    def come_back(self, executor: str, agent: Agent) -> None:
        """An executor finds the next scheduler, and tells what it runs and keeps."""
        self.agents[executor] = agent
        for attempt_id in agent.stopping:
            del agent.running[attempt_id]
        agent.stopping.clear()
        agent.draining = False
        stored = {key: told for key, told in agent.stored.items() if key in agent.uploads}
        # Rows that still arrive are reported when they are there, and removed then.
        agent.uploads &= stored.keys() | self.core.world.uploads.keys()
        registered = on.ExecutorRegistered(
            executor,
            agent.incarnation,
            FACTS,
            agent.slots,
            flight_address=f"{executor}:1",
            running_attempt_ids=tuple(agent.running),
            finished_attempt_ids=tuple(agent.reports),
            job_ids=tuple(sorted(agent.files)),
            upload_ids=tuple(stored),
        )
        reports = [*agent.reports.values(), *stored.values()]
        self.tell(registered)
        for report in reports:
            if isinstance(report, on.TaskFinished):
                self.accepted.add(report.attempt_id)
            self.tell(report)

    @rule(executor=EXECUTORS, fact=st.sampled_from(["engine_version", "routing_fingerprint"]))
    def register_wrongly(self, executor: str, fact: str) -> None:
        """An executor comes that does not fit; one of its id that is there is not disturbed."""
        facts = on.ClusterFacts(**{**dataclasses.asdict(FACTS), fact: "other"})
        asked = self.core.handle(
            on.ExecutorRegistered(executor, "stranger", facts, 1), now_ms=self.now_ms
        )
        assert [type(action) for action in asked] == [do.RefuseExecutor]

    @rule(executor=EXECUTORS, what=st.sampled_from(["hear"] * 5 + ["drain", "disconnect"]))
    def live(self, executor: str, what: str) -> None:
        """An executor shows that it is alive, or is about to go, or is gone."""
        agent = self.agents.get(executor)
        life = agent.incarnation if agent else "unknown"
        if what == "hear":
            running = tuple(agent.running) if agent else ("j1/s1/t1#1",)
            self.tell(on.ExecutorHeard(executor, life, running))
        elif what == "drain":
            if agent:
                agent.draining = True
            self.tell(on.ExecutorDrainRequested(executor, life))
        else:
            if agent:
                self.leave(executor)
            self.tell(on.ExecutorDisconnected(executor, life))

    @precondition(lambda self: any(agent.running for agent in self.agents.values()))
    @rule(data=st.data(), count=st.integers(1, 9))
    def work(self, data: st.DataObject, count: int) -> None:
        """Several attempts finish, one after the other."""
        for _ in range(count):
            if any(agent.running for agent in self.agents.values()):
                self.report(data, "finish")

    @rule(data=st.data(), graph=graphs(), outcome=st.sampled_from(["new", "new", "old", "wrong"]))
    def query_through(self, data: st.DataObject, graph: StageGraph, outcome: str) -> None:
        """A client runs a query, and whatever can be done is done."""
        self.query("o3", graph)
        for _ in range(40):
            while self.replanning:
                self.replan(outcome, again=False)
            if not any(agent.running for agent in self.agents.values()):
                break
            self.report(data, "finish")

    @precondition(lambda self: any(agent.running for agent in self.agents.values()))
    @rule(data=st.data(), outcome=st.sampled_from(["finish", "finish", "finish", "fail", "start"]))
    def report(self, data: st.DataObject, outcome: str) -> None:
        """An attempt starts, finishes or fails; a stopping one may do any of it."""
        running = [(key, each) for key, agent in self.agents.items() for each in agent.running]
        executor, attempt_id = data.draw(st.sampled_from(running))
        agent = self.agents[executor]
        life = (executor, agent.incarnation, attempt_id)
        if outcome == "start":
            self.tell(on.TaskStarted(*life))
            return
        launch = agent.running.pop(attempt_id)
        wanted = attempt_id not in agent.stopping
        agent.stopping.discard(attempt_id)
        if outcome == "fail":
            code = data.draw(TROUBLES)
            lost = sorted(self.read[attempt_id])
            named = data.draw(st.sampled_from(lost)) if lost and code == "INPUT_LOST" else ""
            self.tell(on.TaskFailed(*life, Failure(code, "m", retryable=True), named))
            return
        if wanted:
            self.accepted.add(attempt_id)
        partitions = data.draw(st.sets(st.integers(0, 3), max_size=3))
        sizes = Sizes.of((each, 1, 1 + each**4) for each in sorted(partitions))
        figures = OperatorFigures((0,), (1,), (1,))
        rows = data.draw(st.sampled_from([None, b"rows"]))
        fingerprint = self.note_content(data, launch)
        finished = on.TaskFinished(
            *life,
            sizes,
            bytes_read_local=1,
            elapsed_ms=1,
            figures=figures,
            rows=rows,
            fingerprint=fingerprint,
        )
        if wanted:
            agent.reports[attempt_id] = finished
        self.tell(finished)

    def note_content(self, data: st.DataObject, launch: do.LaunchTask) -> int:
        """Draws what an attempt makes, as its stage promises; returns its fingerprint."""
        job = self.core.world.jobs.get(launch.job_id)
        run = job.stages.get(launch.stage_id) if job else None
        read = frozenset(map(self.content, self.read[launch.attempt_id]))
        known = data.draw(st.booleans())
        if run is None or run.stage.repeats is Repeats.ALWAYS:
            self.contents[launch.attempt_id] = read
            return 1 + hash(read) % 1000 if known else 0
        fingerprint = data.draw(st.integers(1, 2)) if known else 0
        self.contents[launch.attempt_id] = fingerprint or launch.attempt_id
        return fingerprint

    def content(self, attempt_id: str) -> object:
        """What an attempt made; attempts of a task with equal contents made the same rows."""
        return (attempt_id.partition("#")[0], self.contents[attempt_id])

    @precondition(lambda self: self.launched)
    @rule(data=st.data(), finished=st.booleans())
    def report_late(self, data: st.DataObject, finished: bool) -> None:  # noqa: FBT001
        """A message about any attempt comes from anybody, now or from a former life."""
        lives = [*self.former, *((key, agent.incarnation) for key, agent in self.agents.items())]
        if not lives:
            return
        executor, life = data.draw(st.sampled_from(lives))
        attempt_id = data.draw(st.sampled_from(self.launched)).attempt_id
        agent = self.agents.get(executor)
        if agent and agent.incarnation == life and attempt_id in agent.running:
            return
        event: on.Event = on.TaskFailed(executor, life, attempt_id, Failure("LATE", "m"))
        if finished:
            event = on.TaskFinished(executor, life, attempt_id)
        assert [type(action) for action in self.tell(event)] == [do.Ignore]

    @rule(time_ms=st.sampled_from([1, 50, 99, 100, 5_000, 9_000, 60_000, 600_000]))
    def pass_time(self, time_ms: int) -> None:
        """Time goes on; what is due comes about. Now and then everybody sleeps too long."""
        self.now_ms += time_ms
        if time_ms < LIMITS.unwatched_job_ms_max:
            for executor, agent in self.agents.items():
                self.tell(on.ExecutorHeard(executor, agent.incarnation, tuple(agent.running)))
        self.tell(on.TimePassed())
        wake_ms = self.core.wake_ms
        assert wake_ms is None or wake_ms > self.now_ms

    # What must always hold.

    @invariant()
    def core_is_sound(self) -> None:
        """Everything that the core checks about itself."""
        check_invariants(self.core.world)

    @invariant()
    def job_ends_once(self) -> None:
        """P3.1: a terminal state is left only if the result cannot be fetched, or told any more."""
        for job_id, job in self.core.world.jobs.items():
            if job_id in self.ended and job.state is not self.ended[job_id]:
                assert self.ended[job_id] is JobState.SUCCEEDED
                lost = any(each.startswith(f"{job_id}/") for each in self.reported_lost)
                assert lost or job_id in self.unreadable
                del self.ended[job_id]
            if job.state.terminal and job_id not in self.ended:
                self.ended[job_id] = job.state
                if job.state is JobState.SUCCEEDED and job.stages:
                    self.check_snapshot(job)

    def check_snapshot(self, job: Job) -> None:
        """All who read a stage, at whatever remove, have read the same rows of it.

        So the answer is one that the query might have had without any loss.
        """
        current: dict[str, str] = {}
        for stage_id, run in job.stages.items():
            for task in run.tasks:
                name = f"{job.job_id}/s{stage_id}/t{task.number}"
                if task.state is TaskState.FINISHED:
                    current[name] = f"{name}#{task.attempt}"
        for attempt_id in current.values():
            for read in self.read[attempt_id]:
                now = current.get(read.partition("#")[0])
                if now is not None:
                    assert self.content(read) == self.content(now), f"{attempt_id} read {read}"

    @invariant()
    def files_are_wanted(self) -> None:
        """Executors keep files of jobs that run or whose result is wanted, and of no others."""
        for agent in self.agents.values():
            busy = {each.job_id for each in agent.running.values()}
            for job_id in agent.files - busy:
                job = self.core.world.jobs[job_id]
                assert not job.released
                assert job.state in {JobState.RUNNING, JobState.SUCCEEDED}

    @invariant()
    def uploads_are_wanted(self) -> None:
        """Executors keep uploads of open sessions, and no others."""
        for agent in self.agents.values():
            assert agent.uploads <= self.core.world.uploads.keys()

    @invariant()
    def agents_and_core_agree(self) -> None:
        """Both sides know of the same executors and the same attempts."""
        executors = self.core.world.executors
        assert executors.keys() == self.agents.keys()
        for key, agent in self.agents.items():
            assert executors[key].running.keys() == agent.running.keys()
            stopping = {
                each.attempt_id for each in executors[key].running.values() if each.stopping
            }
            assert stopping == agent.stopping

    def teardown(self) -> None:
        """When all clients are gone and all tasks have ended, nothing is left anywhere."""
        for session_id in list(self.core.world.sessions):
            self.tell(on.SessionClosed(session_id))
        for executor, agent in self.agents.items():
            for attempt_id in list(agent.running):
                del agent.running[attempt_id]
                failure = Failure("CANCELLED", "m")
                self.tell(on.TaskFailed(executor, agent.incarnation, attempt_id, failure))
        check_invariants(self.core.world)
        world = self.core.world
        stays = {"counter", "executor"}
        store = {key for key in self.store if key[0] not in stays}
        kept = (world.queue, world.unsliced, world.stranded, world.uploads, store)
        assert not any(kept)
        assert all(job.state.terminal and job.released for job in world.jobs.values())
        for agent in self.agents.values():
            assert agent.files | agent.uploads == set()
        assert all(each.free == each.slots for each in world.executors.values())


TestClusterMachine = ClusterMachine.TestCase
TestClusterMachine.settings = settings(
    max_examples=100,
    stateful_step_count=50,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
