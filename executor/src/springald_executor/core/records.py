"""What an agent's core remembers of itself, its attempts and its engines."""

from dataclasses import dataclass

from springald_executor.core.events import TaskLaunched
from springald_executor.core.failures import Failure
from springald_executor.core.model import Grant, StageDefinition
from springald_executor.core.states import EngineState, TaskState


@dataclass(frozen=True, slots=True)
class Profile:
    """What an executor is.

    Attributes:
        executor_id: Its id.
        slots: How many it offers.
        memory_bytes: What it deals out to tasks, by their slots.
        shuffle_memory_bytes: The budget of files in memory.
        engines: How many engines it keeps ready.
    """

    executor_id: str
    slots: int
    memory_bytes: int
    shuffle_memory_bytes: int
    engines: int


@dataclass(frozen=True, slots=True)
class Facts:
    """What an executor says of itself when it registers."""

    executor_id: str
    incarnation: str
    engine_version: str
    python_version: str
    architecture: str
    routing_fingerprint: str
    slots: int
    memory_bytes: int
    flight_address: str
    pid: int
    host: str


@dataclass(slots=True)
class Task:
    """An attempt that has not ended.

    Attributes:
        launch: What the scheduler asked for.
        stage: Its stage as it was defined then: a later definition tells of other inputs.
        state: Where it stands.
        engine_id: The engine that runs it, or ran it until it was stopped; 0 if none.
        grant: Its grant of memory for files; none before it runs.
        end: Why it is being stopped; none for one that the scheduler has given up already.
    """

    launch: TaskLaunched
    stage: StageDefinition
    state: TaskState = TaskState.WAITING
    engine_id: int = 0
    grant: Grant | None = None
    end: Failure | None = None

    @property
    def owed(self) -> bool:
        """True if the scheduler still waits to hear how the attempt ends."""
        return self.state is not TaskState.STOPPING or self.end is not None


@dataclass(slots=True)
class Engine:
    """An engine process; its number of threads is fixed by the first task that it runs."""

    engine_id: int
    state: EngineState = EngineState.STARTING
    threads: int = 0
    task_id: str = ""
