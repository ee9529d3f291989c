"""What an agent and an engine process say to each other: pickled, over a socket pair.

Both sides are one program of one version, started by each other, so nothing here is a contract.
"""

import pickle
import threading
from dataclasses import dataclass
from multiprocessing.connection import Connection

from springald.errors import SpringaldError
from springald_executor.core.failures import Failure
from springald_executor.core.model import TaskReport, TaskRequest, Wanted


@dataclass(frozen=True, slots=True)
class EngineConfig:
    """What an engine process is started with.

    Attributes:
        disk_root: Where files are written.
        memory_root: Where files in memory are written; empty if there is no such place.
        spill_folder: Where operators spill.
        fingerprint_threads: If not 0, the routing fingerprint is wanted, made by so many threads,
            which the engine then keeps.
        read_in_place: True if files of other executors on this host are read where they lie.
    """

    disk_root: str
    memory_root: str
    spill_folder: str
    fingerprint_threads: int
    read_in_place: bool = True


@dataclass(frozen=True, slots=True)
class Ready:
    """The engine waits for a task; the fingerprint is empty unless it was asked for."""

    engine_version: str
    routing_fingerprint: str


@dataclass(frozen=True, slots=True)
class Run:
    """Run an attempt."""

    request: TaskRequest


@dataclass(frozen=True, slots=True)
class Ran:
    """The attempt made its output."""

    task_id: str
    report: TaskReport
    engine_usable: bool


@dataclass(frozen=True, slots=True)
class Broke:
    """The attempt failed."""

    task_id: str
    failure: Failure
    engine_usable: bool


@dataclass(frozen=True, slots=True)
class TicketWanted:
    """A task wants to fetch something."""

    wanted: Wanted


@dataclass(frozen=True, slots=True)
class TicketWritten:
    """The ticket, or why there is none."""

    ticket: bytes
    error: SpringaldError | None = None


ToEngine = Run | TicketWritten
FromEngine = Ready | Ran | Broke | TicketWanted


def pack(message: ToEngine | FromEngine) -> bytes:
    """Returns a message as it is sent."""
    return pickle.dumps(message, pickle.HIGHEST_PROTOCOL)


class Channel:
    """One end of the socket pair; any thread may send, one receives."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._sending = threading.Lock()

    def send(self, message: ToEngine | FromEngine) -> None:
        """Sends a message; waits until the other side has room for it.

        Raises:
            OSError: The other side is gone.
        """
        self.send_bytes(pack(message))

    def send_bytes(self, data: bytes) -> None:
        """Sends a message that was packed before, see `send`."""
        with self._sending:
            self._connection.send_bytes(data)

    def receive(self) -> object:
        """Waits for a message.

        Raises:
            EOFError: The other side is gone.
            OSError: As EOFError.
        """
        return pickle.loads(self._connection.recv_bytes())  # noqa: S301 - our own process

    def wait(self, timeout_s: float) -> bool:
        """Waits for a message, at most so long; returns whether there is one."""
        return self._connection.poll(timeout_s)

    def close(self) -> None:
        """Closes this end."""
        self._connection.close()
