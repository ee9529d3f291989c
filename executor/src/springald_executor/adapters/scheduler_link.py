"""The executor's stream to its scheduler: opened, kept, and opened again when it breaks."""

import queue
import random
import threading
import time
from collections.abc import Callable, Iterator
from typing import Final, Protocol

import grpc
import structlog

from springald.codec.errors import error_from_proto, error_from_rpc
from springald.errors import NotLeaderError, SpringaldError
from springald.executor.v1.executor_pb2 import ConnectRequest, ConnectResponse
from springald.executor.v1.executor_pb2_grpc import ExecutorServiceStub
from springald.limits import MESSAGE_BYTES_MAX
from springald.urls import finder_of
from springald_executor.core.limits import (
    FAREWELL_MS_MAX,
    RECONNECT_FIRST_MS,
    RECONNECT_MS_MAX,
    RECONNECT_TOLD_MS,
    SCHEDULER_KEEPALIVE_MS,
    SCHEDULER_PROBE_MS_MAX,
)

log = structlog.get_logger("springald.executor")

_CHANNEL_OPTIONS: Final = (
    ("grpc.max_send_message_length", MESSAGE_BYTES_MAX),
    ("grpc.max_receive_message_length", MESSAGE_BYTES_MAX),
    ("grpc.keepalive_time_ms", SCHEDULER_KEEPALIVE_MS),
    ("grpc.keepalive_timeout_ms", SCHEDULER_PROBE_MS_MAX),
    # Otherwise a stream that is quiet for long is probed no more.
    ("grpc.http2.max_pings_without_data", 0),
    ("grpc.http2.ping_timeout_ms", SCHEDULER_PROBE_MS_MAX),
    ("grpc.enable_http_proxy", 0),
)


class SchedulerLink(Protocol):
    """Whoever carries messages to the scheduler."""

    def send(self, message: ConnectRequest) -> None:
        """Sends a message, in the order of the calls; one that cannot be sent is dropped."""

    def close(self) -> None:
        """Sends what was asked for until now, and ends the stream."""


class LinkListener(Protocol):
    """Whom a link tells what comes in."""

    def registration(self) -> ConnectRequest:
        """Returns the first message of a stream."""

    def receive(self, message: ConnectResponse) -> None:
        """Takes a message of the scheduler."""

    def lose_scheduler(self) -> None:
        """Takes in that the stream has ended."""

    def refuse(self, error: SpringaldError) -> None:
        """Takes in that the scheduler turned the executor away; the link has ended."""


class GrpcLink:
    """The stream over the network.

    Attributes:
        name: Where the scheduler is looked for, for people; without passwords.
    """

    def __init__(self, address: str) -> None:
        """Connects to nothing yet.

        Args:
            address: `host:port` of the scheduler; of several, separated by commas; or the URL of
                an etcd that names the one that leads.
        """
        self._find = finder_of(address)
        self.name = self._find.name if self._find else address
        self._addresses = [] if self._find else address.split(",")
        self._address = next(iter(self._addresses), "")
        self._outgoing: queue.SimpleQueue[ConnectRequest | None] = queue.SimpleQueue()
        self._closing = threading.Event()
        self._call: grpc.Call | None = None
        self._thread: threading.Thread | None = None
        self._complaints = _Complaints(self.name)

    def begin(self, listener: LinkListener) -> None:
        """Connects, on a thread of its own, until it is closed."""
        self._thread = threading.Thread(
            target=self._keep_connected, args=(listener,), name="scheduler", daemon=True
        )
        self._thread.start()

    def send(self, message: ConnectRequest) -> None:
        """Sends a message; while there is no stream it is dropped."""
        self._outgoing.put(message)

    def close(self) -> None:
        """Sends what is waiting, ends the stream, and waits for that at most a named time."""
        self._closing.set()
        self._outgoing.put(None)
        if self._thread is not None:
            self._thread.join(FAREWELL_MS_MAX / 1000)
            if self._call is not None:
                self._call.cancel()
            self._thread.join(FAREWELL_MS_MAX / 1000)

    def _keep_connected(self, listener: LinkListener) -> None:
        wait_ms = RECONNECT_FIRST_MS
        while not self._closing.is_set():
            was_registered = self._connect_once(listener)
            if was_registered is None or self._closing.is_set():
                return
            if was_registered:
                wait_ms = RECONNECT_FIRST_MS
            # Executors that lost the same scheduler do not all come back in the same moment.
            self._closing.wait(wait_ms * random.uniform(0.5, 1.0) / 1000)  # noqa: S311
            wait_ms = min(2 * wait_ms, RECONNECT_MS_MAX)

    def _connect_once(self, listener: LinkListener) -> bool | None:
        """Keeps one stream; returns whether it was registered, None if that was refused."""
        outgoing: queue.SimpleQueue[ConnectRequest | None] = queue.SimpleQueue()
        outgoing.put(listener.registration())
        # What is sent from now on comes after it; what was sent until now is sent again if it
        # matters.
        self._outgoing = outgoing
        if self._closing.is_set():
            return False
        if not self._address:
            self._turn()
        if not self._address:
            self._complaints.tell("etcd names no scheduler that leads")
            return False
        was_registered = False
        with grpc.insecure_channel(self._address, options=_CHANNEL_OPTIONS) as channel:
            responses = ExecutorServiceStub(channel).Connect(_until_end(self._outgoing))
            self._call = responses
            try:
                for message in responses:
                    if message.WhichOneof("message") == "refused":
                        listener.refuse(error_from_proto(message.refused.error))
                        return None
                    was_registered = True
                    self._complaints.forget()
                    is_batch = message.WhichOneof("message") == "batch"
                    for each in message.batch.messages if is_batch else (message,):
                        self._deliver(each, listener)
                reason = "the scheduler ended the stream"
            except grpc.RpcError as failure:
                error = error_from_rpc(failure, f"the scheduler at {self._address}")
                reason = error.message
                self._turn(error)
            finally:
                self._outgoing.put(None)
        if was_registered:
            listener.lose_scheduler()
        if not self._closing.is_set():
            self._complaints.tell(reason)
        return was_registered

    def _turn(self, error: SpringaldError | None = None) -> None:
        """Turns to the scheduler that leads, or to the next one."""
        leader = error.leader_address if isinstance(error, NotLeaderError) else ""
        if not leader and self._find:
            leader = next(iter(self._find()), "")
        elif not leader:
            known = self._addresses.index(self._address) if self._address in self._addresses else -1
            leader = self._addresses[(known + 1) % len(self._addresses)]
        self._address = leader

    def _deliver(self, message: ConnectResponse, listener: LinkListener) -> None:
        try:
            listener.receive(message)
        except SpringaldError as error:
            # The stage, or whatever it is, stays unknown; what depends on it fails by rule.
            log.warning("message is garbled", reason=str(error))


class _Complaints:
    """Tells why there is no scheduler: once for each reason, and from time to time again."""

    def __init__(self, address: str) -> None:
        self._address = address
        self._reason = ""
        self._told_s = 0.0
        self._tries = 0

    def tell(self, reason: str) -> None:
        self._tries += 1
        now_s = time.monotonic()
        if reason == self._reason and now_s - self._told_s < RECONNECT_TOLD_MS / 1000:
            return
        self._reason, self._told_s = reason, now_s
        log.warning(
            "scheduler is not connected, trying again",
            scheduler=self._address,
            reason=reason,
            tries=self._tries,
            wait_ms_max=RECONNECT_MS_MAX,
        )

    def forget(self) -> None:
        if self._reason:
            log.info("scheduler is connected", scheduler=self._address, tries=self._tries + 1)
        self._reason, self._tries = "", 0


class LocalLink:
    """The stream inside one process: a function of the scheduler that takes messages."""

    def __init__(self, deliver: Callable[[ConnectRequest], None]) -> None:
        """Takes the function; the scheduler's answers go to `ExecutorDriver.receive`."""
        self._deliver = deliver
        self._closed = False

    def send(self, message: ConnectRequest) -> None:
        """Hands a message over."""
        if not self._closed:
            self._deliver(message)

    def close(self) -> None:
        """Hands over nothing more."""
        self._closed = True


def _until_end(
    outgoing: "queue.SimpleQueue[ConnectRequest | None]",
) -> Iterator[ConnectRequest]:
    while (message := outgoing.get()) is not None:
        if message.ByteSize() > MESSAGE_BYTES_MAX:
            log.error("message is too large", bytes=message.ByteSize())
            continue
        yield message
