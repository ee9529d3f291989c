"""The agent's core under random orders of events, late and unknown ones among them."""

from dataclasses import dataclass, field, replace

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from springald_executor.core import actions as ac
from springald_executor.core import events as ev
from springald_executor.core.agent import Agent
from springald_executor.core.failures import Failure
from springald_executor.core.invariants import check_invariants
from springald_executor.core.model import (
    Block,
    ExchangeKind,
    Fragment,
    FragmentFormat,
    InputDefinition,
    OutputLocation,
    Partition,
    StageDefinition,
    StoredFile,
    TaskReport,
    TaskRequest,
)
from springald_executor.core.records import Profile
from springald_executor.core.reports import Holdings

BROKE = Failure("DATA_INVALID", "broke")
DIED = Failure("TASK_LOST", "died", retryable=True)
GREW = Failure("OUT_OF_MEMORY", "grew")
JOBS = ("j1", "j2")
UPLOADS = ("u1", "u2")


@dataclass
class _World:
    """What is outside of the core: engines that do as they are told, and folders with files."""

    starting: set[int] = field(default_factory=set)
    living: set[int] = field(default_factory=set)
    dying: set[int] = field(default_factory=set)
    running: dict[int, TaskRequest] = field(default_factory=dict)
    folders: set[str] = field(default_factory=set)
    receiving: dict[str, int] = field(default_factory=dict)
    sending: set[str] = field(default_factory=set)
    told: dict[str, str] = field(default_factory=dict)
    left: bool = False


class AgentMachine(RuleBasedStateMachine):
    """A scheduler that may be confused, engines that may die, clients that may go away."""

    def __init__(self) -> None:
        super().__init__()
        self.world = _World()
        self.clock_ms = 0
        self.launched = 0
        self.open_launches: set[str] = set()
        self.answered: set[str] = set()

    @initialize(slots=st.integers(1, 4), engines=st.integers(1, 4))
    def begin(self, slots: int, engines: int) -> None:
        """An executor starts and registers."""
        self.agent = Agent(Profile("e1", slots, 1_000, 10_000, min(slots, engines)))
        self._carry_out(self.agent.begin())
        self.register("c1")

    @rule(cluster=st.sampled_from(["c1", "c1", "c1", "c2"]))
    def register(self, cluster: str) -> None:
        """The stream breaks, and a scheduler, perhaps another one, accepts the executor."""
        self._tell(ev.SchedulerLost())
        holdings = self.agent.holdings()
        self.answered.clear()
        if cluster == self.agent.cluster:
            assert self.open_launches <= set(holdings.running_task_ids), "no attempt is forgotten"
            self._tell(ev.Registered(cluster, ("/",)))
            assert self.answered >= set(holdings.finished_task_ids), "what is kept is told again"
        else:
            self.open_launches.clear()
            self._tell(ev.Registered(cluster, ("/",)))
            # But for folders of attempts whose engines are being killed.
            left = replace(self.agent.holdings(), job_ids=())
            assert left == Holdings(), "nothing of another scheduler is left"

    @rule(job=st.sampled_from(JOBS))
    def settle(self, job: str) -> None:
        """The scheduler has written down where the outputs of a stage lie."""
        self._tell(ev.StageSettled(job, 1))
        kept = self.agent.holdings().finished_task_ids
        assert not [each for each in kept if each.startswith(f"{job}/s1/")]

    def define(self, job: str, reads: str) -> None:
        """The scheduler defines a stage; its input may lie here, elsewhere or nowhere."""
        partitions = (Partition(0, 1, 1),)
        places = tuple(
            OutputLocation(task_id, reads, "h:1", partitions)
            for task_id in sorted(self.world.told)[:3]
        )
        inputs = (InputDefinition(ExchangeKind.SINGLE, places),) if reads else ()
        fragment = Fragment(FragmentFormat.PHYSICAL_PLAN, b"", "v")
        definition = StageDefinition(job, 1, fragment, inputs, ExchangeKind.HASH, 2, b"")
        self._tell(ev.StageDefined(definition))

    @rule(
        job=st.sampled_from(JOBS),
        reads=st.sampled_from(["", "", "e1", "e2"]),
        slots=st.sampled_from([1, 1, 2, 3, 4]),
    )
    def launch(self, job: str, reads: str, slots: int) -> None:
        """The scheduler launches a new attempt, perhaps one too many."""
        self.define(job, reads)
        self._launch(job, 1, slots)

    @rule(stage=st.integers(1, 3), slots=st.integers(-1, 6))
    def launch_wrongly(self, stage: int, slots: int) -> None:
        """The scheduler launches what it did not define, or on slots that there are not."""
        self._launch("j3", stage, slots)

    def _launch(self, job: str, stage: int, slots: int) -> None:
        self.launched += 1
        task_id = f"{job}/s{stage}/t{self.launched}#1"
        self.open_launches.add(task_id)
        draining = self.agent.draining
        self._tell(ev.TaskLaunched(task_id, job, stage, (0,), slots))
        if draining:
            assert task_id not in self.agent.tasks, "a draining executor takes no task"

    def _launched(self) -> list[str]:
        """The attempts of jobs that are not released."""
        released = self.agent.released_jobs
        return sorted(e for e in self.agent.tasks if e.split("/")[0] not in released)

    @precondition(lambda self: bool(self._launched()))
    @rule(data=st.data())
    def launch_again(self, data: st.DataObject) -> None:
        """A launch that arrives twice runs once."""
        task_id = data.draw(st.sampled_from(self._launched()))
        before = dict(self.agent.tasks)
        self._tell(ev.TaskLaunched(task_id, task_id.split("/")[0], 1, (0,), 1))
        assert dict(self.agent.tasks) == before

    @rule(data=st.data())
    def cancel(self, data: st.DataObject) -> None:
        """The scheduler cancels an attempt, whatever became of it."""
        known = [*self.agent.tasks] or [*self.world.told, "j9/s1/t1#1"]
        self._tell(ev.TaskCancelled(data.draw(st.sampled_from(known))))

    @rule(job=st.sampled_from(JOBS))
    def release_job(self, job: str) -> None:
        """The scheduler is done with a job."""
        self._tell(ev.JobReleased(job))
        if not any(task.launch.job_id == job for task in self.agent.tasks.values()):
            assert not [folder for folder in self.world.folders if folder.startswith(f"jobs/{job}")]

    @precondition(lambda self: self.world.starting)
    @rule(data=st.data(), dies=st.sampled_from([False, False, False, True]))
    def engine_starts(self, data: st.DataObject, dies: bool) -> None:  # noqa: FBT001
        """An engine becomes ready, or dies before."""
        engine_id = data.draw(st.sampled_from(sorted(self.world.starting)))
        self.world.starting.discard(engine_id)
        if dies:
            self._tell(ev.EngineDied(engine_id, DIED))
        else:
            self.world.living.add(engine_id)
            self._tell(ev.EngineReady(engine_id))

    @precondition(lambda self: self.world.running)
    @rule(data=st.data(), how=st.sampled_from(["ran", "ran", "broke", "died", "grew"]))
    def engine_works(self, data: st.DataObject, how: str) -> None:
        """An attempt ends in one of its ways, perhaps while its engine is being killed."""
        engine_id = data.draw(st.sampled_from(sorted(self.world.running)))
        request = self.world.running[engine_id]
        usable = data.draw(st.booleans())
        if how == "grew":
            self._tell(ev.EngineOutgrew(engine_id, GREW))
            return
        del self.world.running[engine_id]
        if how == "ran":
            report = self._report(data, request)
            self._tell(ev.TaskRan(engine_id, request.task_id, report, usable))
        elif how == "broke":
            self._tell(ev.TaskBroke(engine_id, request.task_id, BROKE, usable))
        elif engine_id in self.world.living:
            self.world.living.discard(engine_id)
            self._tell(ev.EngineDied(engine_id, DIED))

    @precondition(lambda self: self.world.dying)
    @rule(data=st.data())
    def engine_goes(self, data: st.DataObject) -> None:
        """An engine that is being killed is gone."""
        engine_id = data.draw(st.sampled_from(sorted(self.world.dying)))
        self.world.dying.discard(engine_id)
        self.world.running.pop(engine_id, None)
        self._tell(ev.EngineDied(engine_id, DIED))

    @rule(engine_id=st.integers(0, 99))
    def engine_late(self, engine_id: int) -> None:
        """News of an engine that is not there changes nothing."""
        if engine_id not in self.agent.engines:
            for event in (
                ev.EngineReady(engine_id),
                ev.EngineDied(engine_id, DIED),
                ev.TaskBroke(engine_id, "j1/s1/t1#1", BROKE),
                ev.EngineOutgrew(engine_id, GREW),
            ):
                actions = self.agent.handle(event, self.clock_ms)
                assert [type(action) for action in actions] == [ac.Ignore]

    @rule(upload=st.sampled_from(UPLOADS))
    def upload_begins(self, upload: str) -> None:
        """A client shows a ticket for an upload."""
        self._tell(ev.UploadBegan(upload))

    @rule(upload=st.sampled_from(UPLOADS), data=st.data())
    def upload_ends(self, upload: str, data: st.DataObject) -> None:
        """An upload arrives, breaks, or is only said to."""
        granted = self.world.receiving.pop(upload, None)
        if granted is not None and data.draw(st.booleans()):
            size = data.draw(st.integers(0, granted))
            blocks: dict[int, tuple[Block, ...]] = {0: (Block(0, 0, size, 1, 0),)}
            file = StoredFile(f"{upload}-{self.clock_ms}", size, granted > 0, blocks)
            self._tell(ev.UploadArrived(upload, file))
        else:
            self._tell(ev.UploadBroke(upload))

    @rule(upload=st.sampled_from(UPLOADS))
    def upload_released(self, upload: str) -> None:
        """The scheduler is done with an upload."""
        self._tell(ev.UploadReleased(upload))

    @rule(upload=st.sampled_from(UPLOADS))
    def hand_over(self, upload: str) -> None:
        """The scheduler wants an upload sent on, perhaps again, perhaps one that is not here."""
        sent = self._tell(ev.HandOverOrdered(upload, "h:1"))
        begun = [each for each in sent if isinstance(each, ac.SendUpload)]
        assert begun or self.agent.find_upload(upload) is None or upload in self.world.sending
        for each in begun:
            assert upload not in self.world.sending, "an upload is sent once at a time"
            assert each.file == self.agent.find_upload(upload), "what lies here is sent"
            self.world.sending.add(upload)

    @precondition(lambda self: self.world.sending)
    @rule(data=st.data())
    def hand_over_ends(self, data: st.DataObject) -> None:
        """An upload was sent on, or could not be."""
        upload = data.draw(st.sampled_from(sorted(self.world.sending)))
        self.world.sending.discard(upload)
        self._tell(ev.HandOverEnded(upload))

    @rule(own=st.booleans())
    def drain(self, own: bool) -> None:  # noqa: FBT001
        """Somebody wants the executor to leave; rarely, or nothing else would happen."""
        if self.clock_ms > 30:
            self._tell(ev.DrainWanted("test") if own else ev.DrainOrdered())

    @invariant()
    def holds(self) -> None:
        """The core's own rules hold."""
        if hasattr(self, "agent"):
            check_invariants(self.agent)

    def teardown(self) -> None:
        """When everything is released and every engine reports, nothing is left."""
        if not hasattr(self, "agent"):
            return
        for job in JOBS:
            self._tell(ev.JobReleased(job))
        for upload in UPLOADS:
            self._tell(ev.UploadReleased(upload))
            self._tell(ev.UploadBroke(upload))
        while self.world.dying:
            self.engine_goes_first()
        for job in JOBS:
            self._tell(ev.JobReleased(job))
        assert not self.agent.tasks
        assert not self.world.folders
        assert self.agent.shelf.used_bytes == self.agent.shelf.granted_bytes == 0
        assert not self.open_launches, "every launch of this connection was answered"

    def engine_goes_first(self) -> None:
        """The killed engine with the lowest number is gone."""
        engine_id = min(self.world.dying)
        self.world.dying.discard(engine_id)
        self.world.running.pop(engine_id, None)
        self._tell(ev.EngineDied(engine_id, DIED))

    def _report(self, data: st.DataObject, request: TaskRequest) -> TaskReport:
        room = request.grant.memory_bytes
        size = data.draw(st.integers(0, room // 2))
        folder = request.grant.folder
        output = StoredFile(f"{folder}/out", size, data.draw(st.booleans()), {})
        copy = StoredFile(f"{folder}/in", size, data.draw(st.booleans()), {})
        names = data.draw(st.lists(st.sampled_from(["j1/s1/t1#1", "j1/s1/t2#1"]), unique=True))
        return TaskReport(output, dict.fromkeys(names, copy))

    def _tell(self, event: ev.Event) -> list[ac.Action]:
        self.clock_ms += 1
        actions = self.agent.handle(event, self.clock_ms)
        self._carry_out(actions)
        return actions

    def _carry_out(self, actions: list[ac.Action]) -> None:
        for action in actions:
            assert not (self.world.left and isinstance(action, ac.StartEngine | ac.RunTask))
            self._carry_out_one(action)

    def _carry_out_one(self, action: ac.Action) -> None:
        world = self.world
        match action:
            case ac.StartEngine(engine_id=engine_id):
                world.starting.add(engine_id)
            case ac.StopEngine(engine_id=engine_id):
                world.living.remove(engine_id)
                world.dying.add(engine_id)
            case ac.RunTask(engine_id=engine_id, request=request):
                assert engine_id in world.living
                assert engine_id not in world.running, "one engine runs one attempt"
                world.running[engine_id] = request
                world.folders.add(request.grant.folder)
            case ac.TellTaskFinished(task_id=task_id) | ac.TellTaskFailed(task_id=task_id):
                assert task_id not in self.answered, "an attempt is answered once a stream"
                self.answered.add(task_id)
                if task_id not in self.open_launches:
                    assert world.told[task_id] == type(action).__name__, "and always alike"
                self.open_launches.discard(task_id)
                world.told[task_id] = type(action).__name__
                if isinstance(action, ac.TellTaskFailed):
                    name = task_id.split("/", maxsplit=1)[1].replace("/", "-").replace("#", "-")
                    left = [folder for folder in world.folders if f"/{name}-" in folder]
                    assert not left, "a failed attempt keeps no files"
            case ac.ReceiveUpload(upload_id=upload_id, grant=grant):
                assert upload_id not in world.receiving
                world.receiving[upload_id] = grant.memory_bytes
                world.folders.add(grant.folder)
            case ac.RemoveFolder(folder=folder):
                gone = {each for each in world.folders if f"{each}/".startswith(f"{folder}/")}
                writers = {each.grant.folder for each in world.running.values()}
                assert not writers & gone, "no file is removed under its writer"
                world.folders -= gone
            case ac.Leave():
                assert not world.left, "an executor leaves once"
                world.left = True
            case _:
                pass


AgentMachine.TestCase.settings = settings(max_examples=150, stateful_step_count=60, deadline=None)
test_agent_keeps_its_promises_in_any_order = pytest.mark.timeout(300)(AgentMachine.TestCase)
