"""One history, from its seed to its end."""

from dataclasses import dataclass
from typing import Final

from simulation.chance import NO_CUTS, Cuts, Fault
from simulation.client import Client
from simulation.queries import draw_query
from simulation.rules import BrokenRuleError, hold
from simulation.story import Story
from simulation.world import World

_END_MS: Final = 120_000
"""How long all may take to end once it is calm."""

_CLEAN_MS: Final = 70_000
"""How long it may take until all is removed that belonged to clients who vanished."""

_LOOK_MS: Final = 3_000


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a history went.

    Attributes:
        seed: Its seed.
        faults: The faults that struck, by their numbers.
        steps: How many things happened.
        virtual_ms: How long it lasted by its own clock.
        error: What broke; None if nothing did.
        story: What happened, if it was to be told.
    """

    seed: int
    faults: tuple[tuple[int, Fault], ...]
    steps: int
    virtual_ms: int
    error: str | None = None
    story: str = ""


def run_history(seed: int, cuts: Cuts = NO_CUTS, *, tell: bool = False) -> Outcome:
    """Lives through a history and looks whether its rules hold.

    Args:
        seed: What all of it follows from.
        cuts: Faults to leave out.
        tell: Whether its story is wanted.

    Example:
        >>> run_history(1) == run_history(1)
        True
    """
    story = Story(is_told=tell)
    world = World(seed, cuts, story)
    error = None
    try:
        _live(world)
    except Exception as broken:  # noqa: BLE001 - whatever breaks a core breaks a rule
        error = f"{type(broken).__name__}: {broken}"
    faults = tuple(world.chance.struck)
    clock = world.clock
    return Outcome(seed, faults, clock.steps, clock.now_ms, error, str(story))


def _live(world: World) -> None:
    clock, chance = world.clock, world.chance
    clients = []
    for number in range(1, chance.between(1, 3) + 1):
        statements = [f"c{number}-q{each}" for each in range(1, chance.between(1, 3) + 1)]
        for statement in statements:
            world.queries[statement] = draw_query(chance, world.library)
        own = {each: world.queries[each] for each in statements}
        clients.append(Client(world, number, own))

    def done() -> bool:
        return all(each.is_done for each in clients)

    clock.run_until(chance.one_of(3_000, 8_000, 20_000, 40_000), done)
    world.settle()
    waiting = clock.run_until(clock.now_ms + _END_MS, done)
    hold(waiting, f"all jobs end: some did not in {_END_MS / 1000:g} s without a fault")
    last_ms = clock.now_ms + _CLEAN_MS
    while True:
        clock.run_until(clock.now_ms + _LOOK_MS, lambda: False)
        try:
            _check_clean(world)
        except BrokenRuleError:
            if clock.now_ms > last_ms:
                raise
        else:
            return


def _check_clean(world: World) -> None:
    """Nothing is left of jobs that nobody wants."""
    scheduler = world.scheduler
    hold(scheduler is not None, "the scheduler lives")
    if scheduler is None:
        return
    core = scheduler.core.world
    hold(not core.sessions, f"sessions end: got {list(core.sessions)}")
    busy = [job.job_id for job in core.jobs.values() if not (job.state.terminal and job.released)]
    hold(not busy, f"jobs are released: got {busy}")
    hold(len(core.executors) == len(world.hosts), f"executors are back: got {list(core.executors)}")
    for executor in core.executors.values():
        idle = executor.free == executor.slots and not executor.running
        hold(idle, f"slots are given back: got {executor.executor_id} {executor.running}")
    scheduler.check_store_empty()
    for host in world.hosts:
        process = host.process
        if process:
            agent = process.agent
            hold(not agent.tasks, f"attempts end: got {list(agent.tasks)}")
            hold(not agent.shelf.jobs, f"files are removed: got {list(agent.shelf.jobs)}")
            hold(not process.files, f"no file is left: got {sorted(process.files)}")
            hold(not agent.stages, f"definitions are dropped: got {list(agent.stages)}")
            memory = (agent.shelf.granted_bytes, agent.shelf.used_bytes)
            hold(memory == (0, 0), f"memory is given back: got {memory}")
