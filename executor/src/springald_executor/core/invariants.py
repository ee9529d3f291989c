"""What holds between any two events; checked by tests, not in production."""

from collections.abc import Iterator

from springald_executor.core.agent import Agent
from springald_executor.core.states import EngineState, TaskState


def check_invariants(agent: Agent) -> None:
    """Checks all rules.

    Raises:
        AssertionError: One or more are broken; the message lists them and the story.
    """
    broken = [*_tasks(agent), *_engines(agent), *_memory(agent)]
    if broken:
        raise AssertionError("\n".join([*broken, "after:", *agent.story()]))


def _tasks(agent: Agent) -> Iterator[str]:
    if agent.slots_occupied() > agent.profile.slots:
        yield f"occupied slots are offered slots: got {agent.slots_occupied()}"
    kept = (task for task in agent.tasks.values() if task.state is not TaskState.STOPPING)
    promised = sum(task.launch.slots for task in kept)
    if promised > agent.profile.slots:
        yield f"slots promised to attempts that go on are offered slots: got {promised}"
    for task_id, task in agent.tasks.items():
        engine = agent.engines.get(task.engine_id)
        waits = task.state is TaskState.WAITING
        if waits != (engine is None) or (engine and engine.task_id != task_id):
            yield f"an attempt that runs has its engine: got {task_id} with {engine}"
        if waits != (task.grant is None):
            yield f"an attempt that runs has a grant: got {task.grant} for {task_id}"
        if agent.find_output(task.launch.job_id, task_id):
            yield f"an attempt ends once: {task_id} runs and has an output"
    if agent.left and not agent.draining:
        yield "an executor drains before it leaves"


def _engines(agent: Agent) -> Iterator[str]:
    for engine in agent.engines.values():
        if engine.state is EngineState.BUSY and engine.task_id not in agent.tasks:
            yield f"a busy engine has an attempt: got {engine}"
        if engine.state in {EngineState.STARTING, EngineState.IDLE} and engine.task_id:
            yield f"an engine without work has no attempt: got {engine}"
    idle = any(engine.state is EngineState.IDLE for engine in agent.engines.values())
    starting = any(engine.state is EngineState.STARTING for engine in agent.engines.values())
    free = agent.profile.slots - agent.slots_occupied()
    waiting = [task for task in agent.tasks.values() if task.state is TaskState.WAITING]
    if waiting and waiting[0].launch.slots <= free and not (starting or agent.left):
        yield f"who waits with free slots waits for an engine: idle is {idle}"


def _memory(agent: Agent) -> Iterator[str]:
    shelf = agent.shelf
    files = {file.path: file for job in shelf.jobs.values() for file in job.files()}
    stored = {each.file.path: each.file for each in shelf.uploads.values() if each.file}
    used = sum(file.size for file in {**files, **stored}.values() if file.in_memory)
    if used != shelf.used_bytes:
        yield f"used memory is what files in memory take: got {shelf.used_bytes}, want {used}"
    grants = [task.grant.memory_bytes for task in agent.tasks.values() if task.grant]
    granted = sum(grants) + sum(each.granted_bytes for each in shelf.uploads.values())
    if granted != shelf.granted_bytes:
        yield f"granted memory is what writers hold: got {shelf.granted_bytes}, want {granted}"
    if used + granted > shelf.memory_bytes:
        yield f"files in memory stay within the budget: got {used + granted}"
