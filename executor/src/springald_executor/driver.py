"""Drives the agent's core: tells it what happens and does what it asks for.

The same driver runs in the executor's process, with a stream and engine processes, and in local
mode, with a function call and threads.
"""

import queue
import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import structlog

from springald.errors import (
    InternalError,
    SpringaldError,
    TicketInvalidError,
    UnexpectedMessageError,
)
from springald.executor.v1.executor_pb2 import ConnectRequest, ConnectResponse
from springald.limits import HEARTBEAT_INTERVAL_MS
from springald_executor.adapters.engine_pool import EnginePool
from springald_executor.adapters.scheduler_link import SchedulerLink
from springald_executor.codec.events import event_from_proto
from springald_executor.codec.failures import error_from_failure
from springald_executor.codec.requests import heartbeat, registration, request_from_action
from springald_executor.codec.tickets import ticket_for
from springald_executor.core import actions as ac
from springald_executor.core import events as ev
from springald_executor.core.agent import Agent
from springald_executor.core.model import StoredFile, UploadOffered, Wanted
from springald_executor.core.records import Facts
from springald_executor.shuffle.handover import send_upload
from springald_executor.shuffle.space import Roots, Space

log = structlog.get_logger("springald.executor")


@dataclass(frozen=True, slots=True)
class Left:
    """The executor is to end: because it was asked to, it cannot go on, or it was refused."""

    error: SpringaldError | None = None
    refused: bool = False


class ExecutorDriver:
    """An executor, but for its link, its engines and its Flight server.

    Example:
        A caller makes the parts, then begins::

            driver = ExecutorDriver(agent, link, pool, roots)
            driver.begin()
            driver.register(facts)
    """

    def __init__(
        self,
        agent: Agent,
        link: SchedulerLink,
        pool: EnginePool,
        roots: Roots,
        on_left: Callable[[Left], None] = lambda _: None,
    ) -> None:
        """Takes the parts.

        Args:
            agent: The core.
            link: Carries messages to the scheduler.
            pool: Runs engines.
            roots: Where files are written.
            on_left: Told when the executor is to end; who made it then closes it.
        """
        self.registered = threading.Event()
        self.heartbeat_interval_ms = HEARTBEAT_INTERVAL_MS
        self._agent = agent
        self._link = link
        self._pool = pool
        self._roots = roots
        self._on_left = on_left
        self._facts: Facts | None = None
        self._ticket_key: bytes | None = None
        self._beats = 0
        self._started: dict[str, ConnectRequest] = {}
        self._lock = threading.Lock()
        self._waiting: deque[ac.Action] = deque()
        self._is_carrying_out = False
        self._removals: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._remover = threading.Thread(target=self._remove, name="remover", daemon=True)

    def begin(self) -> None:
        """Starts the engines that are kept ready."""
        self._remover.start()
        self._pool.begin(self.post)
        with self._lock:
            self._waiting.extend(self._agent.begin())
        self._carry_out()

    def close(self) -> None:
        """Ends the link, the engines, and what is still to be removed."""
        self._link.close()
        self._pool.close()
        self._removals.put(None)
        self._remover.join()

    def post(self, event: ev.Event) -> None:
        """Tells the core of an event, and does what it asks for, unless another thread is at it."""
        with self._lock:
            self._waiting.extend(self._handle(event))
        self._carry_out()

    # For the link.

    def introduce(self, facts: Facts) -> None:
        """Takes what the executor says of itself when it registers."""
        self._facts = facts

    def registration(self) -> ConnectRequest:
        """Returns the first message of a stream."""
        if self._facts is None:
            raise AssertionError("an executor is introduced before it registers")
        with self._lock:
            holdings = self._agent.holdings()
        return registration(self._facts, holdings)

    def register(self, facts: Facts) -> None:
        """Introduces the executor over a link that is there already."""
        self.introduce(facts)
        self._link.send(self.registration())

    def receive(self, message: ConnectResponse) -> None:
        """Takes a message of the scheduler.

        Raises:
            SpringaldError: The message breaks a rule of the contract; nothing came of it.
        """
        if message.HasField("registered"):
            self._ticket_key = message.registered.ticket_key
            if message.registered.heartbeat_interval_ms:
                self.heartbeat_interval_ms = message.registered.heartbeat_interval_ms
        event = event_from_proto(message)
        if event is None:
            log.warning("message is not known", kind=message.WhichOneof("message"))
            return
        self.post(event)
        if message.HasField("registered"):
            self.registered.set()

    def lose_scheduler(self) -> None:
        """Takes in that the stream has ended."""
        self.registered.clear()
        self.post(ev.SchedulerLost())

    def refuse(self, error: SpringaldError) -> None:
        """Takes in that the scheduler turned the executor away."""
        self._on_left(Left(error, refused=True))

    def beat(self) -> None:
        """Tells the scheduler that the executor is alive, and looks after the engines."""
        with self._lock:
            running = self._agent.running_task_ids()
            started, self._started = self._started, {}
        if self.registered.is_set():
            for task_id in started.keys() & running:
                self._link.send(started[task_id])
            self._beats += 1
            self._link.send(heartbeat(self._beats, running))
        self._pool.watch()

    # For the Flight server and the engines.

    def ticket_key(self) -> bytes | None:
        """Returns the cluster's key; None before the executor is registered."""
        return self._ticket_key

    def sign(self, wanted: Wanted) -> bytes:
        """Writes a ticket for another executor of the cluster."""
        if self._ticket_key is None:
            raise TicketInvalidError("an executor writes tickets after it has registered: not yet")
        return ticket_for(wanted, self._ticket_key, time.time_ns() // 1_000_000)

    def find_output(self, job_id: str, task_id: str) -> StoredFile | None:
        """Returns what an attempt of a job made, if it lies here."""
        with self._lock:
            return self._agent.find_output(job_id, task_id)

    def find_upload(self, upload_id: str) -> StoredFile | None:
        """Returns an upload that is complete."""
        with self._lock:
            return self._agent.find_upload(upload_id)

    def begin_upload(self, upload_id: str) -> Space:
        """Makes a place for an upload.

        Raises:
            SpringaldError: It is here already.
        """
        with self._lock:
            actions = self._handle(ev.UploadBegan(upload_id))
        match actions:
            case [ac.ReceiveUpload(grant=grant)]:
                return Space(self._roots, grant)
            case [ac.RefuseUpload(failure=failure)]:
                raise error_from_failure(failure)
            case _:
                raise UnexpectedMessageError(f"an upload is received or refused: got {actions}")

    def end_upload(self, upload_id: str, file: StoredFile | None) -> None:
        """Takes an upload in, or gives its place up."""
        if file is None:
            self.post(ev.UploadBroke(upload_id))
        else:
            self.post(ev.UploadArrived(upload_id, file))

    # Doing what the core asks for.

    def _handle(self, event: ev.Event) -> list[ac.Action]:
        """Tells the core; one that contradicts itself cannot be relied on, so the executor ends."""
        try:
            return self._agent.handle(event, _now_ms())
        except Exception as failure:
            log.exception("core contradicts itself", event_kind=type(event).__name__)
            self._on_left(Left(InternalError(f"an agent's core holds its rules: {failure}")))
            return []

    def _carry_out(self) -> None:
        """Carries actions out in the order in which the core asked for them, one at a time."""
        with self._lock:
            if self._is_carrying_out:
                return
            self._is_carrying_out = True
        while True:
            with self._lock:
                if not self._waiting:
                    self._is_carrying_out = False
                    return
                action = self._waiting.popleft()
            try:
                self._do(action)
            except Exception:
                log.exception("action failed", action=type(action).__name__)

    def _do(self, action: ac.Action) -> None:
        match action:
            case ac.RunTask(engine_id=engine_id, request=request):
                self._pool.run(engine_id, request)
            case ac.StartEngine(engine_id=engine_id):
                self._pool.start(engine_id)
            case ac.StopEngine(engine_id=engine_id):
                self._pool.stop(engine_id)
            case ac.SendUpload():
                name = f"upload {action.upload_id}"
                work = partial(self._send_upload, action)
                threading.Thread(target=work, name=name, daemon=True).start()
            case ac.RemoveFolder(folder=folder):
                self._removals.put(folder)
            case ac.Leave(failure=failure):
                self._on_left(Left(None if failure is None else error_from_failure(failure)))
            case ac.Ignore(cause=cause, reason=reason):
                log.debug("event is ignored", event_kind=type(cause).__name__, reason=reason)
            case _:
                self._tell(action)

    def _tell(self, action: ac.Action) -> None:
        """Sends a message; that a task began waits for the next heartbeat, and mostly for ever."""
        message = request_from_action(action, self._agent.profile.executor_id)
        if message is None:
            raise AssertionError(f"every action is carried out: got {action}")
        match action:
            case ac.TellTaskStarted(task_id=task_id):
                with self._lock:
                    self._started[task_id] = message
                return
            case ac.TellTaskFinished(task_id=task_id) | ac.TellTaskFailed(task_id=task_id):
                with self._lock:
                    self._started.pop(task_id, None)
        self._link.send(message)

    def _send_upload(self, order: ac.SendUpload) -> None:
        """Sends an upload on; one that does not arrive is asked for again."""
        try:
            ticket = self.sign(UploadOffered(order.upload_id))
            send_upload(order.file, order.upload_id, order.address, ticket)
            log.info("upload is handed over", upload_id=order.upload_id, to=order.address)
        except SpringaldError as error:
            log.warning("upload is not handed over", upload_id=order.upload_id, reason=str(error))
        finally:
            self.post(ev.HandOverEnded(order.upload_id))

    def _remove(self) -> None:
        """Removes folders beside everything else: many large files take a while."""
        while (folder := self._removals.get()) is not None:
            self._roots.remove(folder)


def _now_ms() -> int:
    return time.monotonic_ns() // 1_000_000
