"""An executor's host and process: its core, and what its driver, engines and disks do around it."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from simulation.engines import Engines, Files
from simulation.network import Stream
from simulation.rules import Ledger, hold
from simulation.scheduler_process import FACTS
from springald.executor.v1 import executor_pb2 as pb
from springald_executor.codec.events import event_from_proto
from springald_executor.codec.requests import heartbeat, registration, request_from_action
from springald_executor.core import actions as ac
from springald_executor.core import events as ev
from springald_executor.core.agent import Agent
from springald_executor.core.invariants import check_invariants
from springald_executor.core.model import StoredFile
from springald_executor.core.records import Facts, Profile

if TYPE_CHECKING:
    from simulation.world import World

HEARTBEAT_MS: Final = 2_000
GRACE_MS: Final = 20_000
FAREWELL_MS: Final = 50
MEMORY_BYTES: Final = 100_000


class ExecutorProcess:
    """One life of an executor."""

    def __init__(
        self, world: "World", profile: Profile, life: tuple[str, str], on_death: Callable[[], None]
    ) -> None:
        """Starts with nothing, and connects."""
        incarnation, self.address = life
        self.agent = Agent(profile)
        self.is_alive = True
        self.is_paused = False
        self.files: Files = {}
        self.cancelled: set[str] = set()
        self._folders: dict[str, str] = {}
        self._world = world
        self._clock = world.clock
        self._chance = world.chance
        self._on_death = on_death
        self._stream: Stream | None = None
        self._is_registered = False
        self._inbox: list[Callable[[], None]] = []
        self._started: dict[str, pb.ConnectRequest] = {}
        self._beats = 0
        self._waits = 0
        self._facts = Facts(
            executor_id=profile.executor_id,
            incarnation=incarnation,
            engine_version=FACTS.engine_version,
            python_version=FACTS.python_version,
            architecture=FACTS.architecture,
            routing_fingerprint=FACTS.routing_fingerprint,
            slots=profile.slots,
            memory_bytes=profile.memory_bytes,
            flight_address=self.address,
            pid=1,
            host="here",
        )
        self._peers = world.peers
        self._peers[self.address] = self
        self._engines = Engines(world.clock, world.chance, world.library, self)
        self._do_all(self.agent.begin())
        self._connect()
        self._clock.after(HEARTBEAT_MS, self._beat)

    # What happens to it.

    def die(self) -> None:
        """Ends the process on the spot, with its engines and files."""
        if self.is_alive:
            self.is_alive = False
            self._world.story.add(self._clock.now_ms, self._facts.executor_id, "is dead")
            self.files.clear()
            self._engines.close()
            if self._peers.get(self.address) is self:
                del self._peers[self.address]
            if self._stream:
                self._stream.break_off(below_is_gone=True)
            self._on_death()

    def pause(self) -> None:
        """Stops all of the process but its engines, which end what they are at."""
        self.is_paused = True
        self._world.story.add(self._clock.now_ms, self._facts.executor_id, "is paused")

    def resume(self) -> None:
        """Goes on with what has come meanwhile."""
        if self.is_alive and self.is_paused:
            self.is_paused = False
            self._world.story.add(self._clock.now_ms, self._facts.executor_id, "goes on")
            waiting, self._inbox = self._inbox, []
            for act in waiting:
                self._when_awake(act)

    def leave(self) -> None:
        """Asks the executor to leave; one that does not in its grace time is killed."""
        self._when_awake(lambda: self.post(ev.DrainWanted("told to")))

        def give_up() -> None:
            agent = self.agent
            idle = agent.draining and not agent.tasks and not agent.shelf.jobs
            if idle and not self.is_paused:
                self._clock.after(2 * FAREWELL_MS, check_gone)
            else:
                self.die()

        def check_gone() -> None:
            hold(not self.is_alive or self.is_paused, "an executor that is told to leave does")
            self.die()

        self._clock.after(GRACE_MS, give_up)

    def damage(self, number: int) -> None:
        """Damages one of the files that lie here, if there are any."""
        kept = sorted(self.files)
        if kept:
            self.files[kept[number % len(kept)]] = None

    # What peers and clients ask for.

    def find_output(self, task_id: str) -> StoredFile | None:
        """Returns the file of an attempt, if it lies here."""
        return self.agent.find_output(task_id.partition("/")[0], task_id)

    def peer(self, address: str) -> "ExecutorProcess | None":
        """Returns the process that serves at an address, if there is one."""
        return self._peers.get(address)

    @property
    def ledger(self) -> Ledger:
        """What is known of the cluster that it belongs to."""
        return self._world.ledgers.of(self.agent.cluster)

    # The stream.

    def hear(self, stream: Stream, message: pb.ConnectResponse) -> None:
        """Takes a message of the scheduler."""
        self._when_awake(lambda: self._hear(stream, message))

    def lose(self, stream: Stream) -> None:
        """Takes in that a stream ended."""
        self._when_awake(lambda: self._lose(stream))

    def _hear(self, stream: Stream, message: pb.ConnectResponse) -> None:
        if stream is not self._stream:
            return
        kind = message.WhichOneof("message")
        hold(kind != "refused", f"an executor that fits is let in: got {message}")
        event = event_from_proto(message)
        hold(event is not None, f"a message is known: got {kind}")
        self._waits = 0
        if isinstance(event, ev.TaskCancelled):
            self.cancelled.add(event.task_id)
        if isinstance(event, ev.TaskLaunched):
            self.cancelled.discard(event.task_id)  # an earlier scheduler's had this name
        former = self.agent.cluster
        if event:
            self.post(event)
        if self.agent.cluster != former:
            self._folders.clear()  # another scheduler uses the names again
        self._is_registered |= kind == "registered"

    def _lose(self, stream: Stream) -> None:
        if stream is self._stream:
            self._stream = None
            self._is_registered = False
            self.post(ev.SchedulerLost())
            self._connect_later()

    def _connect_later(self) -> None:
        self._waits = min(self._waits + 1, 4)
        wait_ms = 100 * 2**self._waits * self._chance.between(5, 10) // 10
        self._clock.after(wait_ms, lambda: self._when_awake(self._connect))

    def _connect(self) -> None:
        scheduler = self._world.scheduler
        if self._stream or self.agent.left:
            return
        if scheduler is None:
            self._connect_later()
            return
        self._stream = Stream(self._clock, self._chance, self, scheduler)
        scheduler.meet(self._stream)
        self._stream.send_up(registration(self._facts, self.agent.holdings()))

    def _beat(self) -> None:
        if not self.is_alive:
            return
        self._clock.after(HEARTBEAT_MS, self._beat)
        stream = self._stream
        if self.is_paused or not self._is_registered or stream is None:
            return
        running = self.agent.running_task_ids()
        started, self._started = self._started, {}
        for task_id in running:
            if task_id in started:
                stream.send_up(started[task_id])
        self._beats += 1
        stream.send_up(heartbeat(self._beats, running))

    # The core and its actions.

    def post(self, event: ev.Event) -> None:
        """Tells the core an event, checks it, and does what it asks for."""
        if self.is_alive:
            story = self._world.story
            if story.is_told:
                story.add(self._clock.now_ms, self._facts.executor_id, event)
            actions = self.agent.handle(event, self._clock.now_ms)
            check_invariants(self.agent)
            self._do_all(actions)

    def post_awake(self, event: ev.Event) -> None:
        """The same, once the process is not paused."""
        self._when_awake(lambda: self.post(event))

    def _when_awake(self, act: Callable[[], None]) -> None:
        if self.is_paused:
            self._inbox.append(act)
        elif self.is_alive:
            act()

    def _do_all(self, actions: list[ac.Action]) -> None:
        for action in actions:
            if self.is_alive:
                self._do(action)

    def _do(self, action: ac.Action) -> None:
        match action:
            case ac.RunTask(engine_id=engine_id, request=request):
                self._folders[request.task_id] = request.grant.folder
                self._engines.run(engine_id, request)
            case ac.StartEngine(engine_id=engine_id):
                self._engines.start(engine_id)
            case ac.StopEngine(engine_id=engine_id):
                self._engines.stop(engine_id)
            case ac.RemoveFolder(folder=folder):
                self._engines.check_unused(folder)
                for path in [path for path in self.files if path.startswith(f"{folder}/")]:
                    del self.files[path]
            case ac.Leave():
                stream = self._stream
                if stream:
                    stream.end_up("it left")
                self._clock.after(FAREWELL_MS, self.die)
            case ac.Ignore():
                pass
            case _:
                self._tell(action)

    def _tell(self, action: ac.Action) -> None:
        message = request_from_action(action, self._facts.executor_id)
        hold(message is not None, f"every action is carried out: got {action}")
        if message is None:
            return
        match action:
            case ac.TellTaskStarted(task_id=task_id):
                self._started[task_id] = message
                return
            case ac.TellTaskFinished(task_id=task_id) | ac.TellTaskFailed(task_id=task_id):
                self._started.pop(task_id, None)
        if isinstance(action, ac.TellTaskFailed) and action.task_id in self._folders:
            path = f"{self._folders[action.task_id]}/out"
            hold(path not in self.files, f"what failed keeps no file: got {action.task_id}")
        if self._stream:
            self._stream.send_up(message)
