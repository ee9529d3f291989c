"""Everything in one history: the clock, the network's ends, and who lives."""

import hashlib
from collections.abc import Callable

from simulation.chance import Chance, Cuts, Fault
from simulation.clock import Clock
from simulation.executor_process import MEMORY_BYTES, ExecutorProcess
from simulation.queries import Library, Query
from simulation.rules import Ledger
from simulation.scheduler_process import SchedulerProcess
from simulation.store import Store
from simulation.story import Story
from springald_executor.core.records import Profile

_TICK_MS = 250


class Ledgers:
    """A ledger for each cluster: what belongs to another scheduler's is compared with nothing."""

    def __init__(self) -> None:
        """Starts without any."""
        self._kept: dict[str, Ledger] = {}

    def of(self, cluster: str) -> Ledger:
        """Returns a cluster's ledger."""
        return self._kept.setdefault(cluster, Ledger())


class Host:
    """A place where an executor runs, one process after the other."""

    def __init__(self, world: "World", number: int) -> None:
        """Starts its first process some time later."""
        chance = world.chance
        slots = chance.between(1, 3)
        engines = chance.between(1, slots)
        self._world = world
        self._name = f"e{number}"
        self._profile = Profile(self._name, slots, MEMORY_BYTES, 4_000, engines)
        self._keeps_address = chance.between(0, 1) == 1
        self._lives = 0
        self.process: ExecutorProcess | None = None
        world.clock.after(chance.between(0, 1_000), self.start)

    def start(self) -> None:
        """Starts a process, if there is none."""
        world = self._world
        if self.process is None:
            self._lives += 1
            place = self._name if self._keeps_address else f"{self._name}-{self._lives}"
            life = (f"{self._name}-life{self._lives}", f"{place}:1")
            self.process = ExecutorProcess(world, self._profile, life, self._end)

    def _end(self) -> None:
        self.process = None
        chance = self._world.chance
        wait_ms = 200 if chance.calm else chance.one_of(200, 1_000, 4_000, 12_000, 40_000)
        self._world.clock.after(wait_ms, self.start)

    def suffer(self) -> None:
        """Lets what may happen to a host happen."""
        world, process = self._world, self.process
        if process is None:
            return
        strikes = world.chance.strikes
        if strikes(Fault.EXECUTOR_KILLED, 0.1):
            process.die()
        elif strikes(Fault.EXECUTOR_DRAINED, 0.05):
            process.leave()
        elif not process.is_paused and strikes(Fault.EXECUTOR_PAUSED, 0.1):
            process.pause()
            world.clock.after(world.chance.between(100, 25_000), process.resume)
        elif strikes(Fault.OUTPUT_DAMAGED, 0.3):
            process.damage(world.chance.between(0, 99))


class World:
    """A cluster with all that is around it."""

    def __init__(self, seed: int, cuts: Cuts, story: Story) -> None:
        """Makes what does not depend on clients."""
        self.story = story
        self.clock = Clock()
        self.chance = Chance(seed, cuts)
        self.library = Library()
        self.queries: dict[str, Query] = {}
        self.ledgers = Ledgers()
        self.peers: dict[str, ExecutorProcess] = {}
        self.is_durable = self.chance.between(1, 4) > 1
        self.lives = 0
        self.scheduler: SchedulerProcess | None = None
        self.cluster = ""
        self.on_death: list[Callable[[], object]] = []
        self._store: Store | None = None
        self.start_scheduler()
        self.hosts = [Host(self, number) for number in range(1, self.chance.between(1, 4) + 1)]
        self.clock.after(_TICK_MS, self._tick)

    def start_scheduler(self) -> None:
        """Starts a scheduler; one without durable state is another cluster's."""
        if self.scheduler:
            return
        self.lives += 1
        key = b"key" if self.is_durable else f"key {self.lives}".encode()
        self.cluster = hashlib.sha256(key).hexdigest()
        ledger = self.ledgers.of(self.cluster)
        if self._store is None or not self.is_durable:
            self._store = Store(self.chance, ledger)
        self.story.add(self.clock.now_ms, "scheduler", f"begins its life {self.lives}")
        self.scheduler = SchedulerProcess(self, ledger, self._store, key, self._end_scheduler)
        self.scheduler.begin()

    def settle(self) -> None:
        """Ends all faults: who is paused goes on, and who is dead comes back."""
        self.chance.calm = True
        self.story.add(self.clock.now_ms, "world", "it is calm from now on")
        self.start_scheduler()
        for host in self.hosts:
            host.start()
            if host.process:
                host.process.resume()

    def _end_scheduler(self) -> None:
        self.story.add(self.clock.now_ms, "scheduler", "is dead")
        self.scheduler = None
        told, self.on_death = self.on_death, []
        for tell in told:
            tell()
        wait_ms = self.chance.one_of(100, 500, 2_000, 6_000)
        self.clock.after(wait_ms, self.start_scheduler)

    def _tick(self) -> None:
        if self.chance.calm:
            return
        self.clock.after(_TICK_MS, self._tick)
        for host in self.hosts:
            host.suffer()
        if self.scheduler and self.chance.strikes(Fault.SCHEDULER_KILLED, 0.05):
            self.scheduler.die()
