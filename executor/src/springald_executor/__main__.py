"""The executor's process: `python -m springald_executor --scheduler HOST:PORT`."""

import os
import platform
import queue
import secrets
import socket
import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import Final

import pyarrow as pa
import structlog
from pydantic import ValidationError

from springald.errors import AddressInUseError, DeadlineExceededError, SpringaldError
from springald.lifeline import watch_parent
from springald.server_process import hear_signals, set_up_log, write_ready
from springald_executor.adapters.engine_messages import Ready
from springald_executor.adapters.folders import Folders
from springald_executor.adapters.machine import shuffle_memory_auto, task_memory_auto
from springald_executor.adapters.process_pool import ProcessPool
from springald_executor.adapters.scheduler_link import GrpcLink
from springald_executor.codec.files import located_to_bytes
from springald_executor.core.agent import Agent
from springald_executor.core.events import DrainWanted
from springald_executor.core.limits import (
    ENGINE_START_MS_MAX,
    ENGINES_READY_MAX,
    FAREWELL_MS_MAX,
)
from springald_executor.core.model import Wanted
from springald_executor.core.records import Facts, Profile
from springald_executor.driver import ExecutorDriver, Left
from springald_executor.settings import ExecutorSettings, read_settings
from springald_executor.shuffle.server import FlightServer
from springald_executor.shuffle.space import Roots

log = structlog.get_logger("springald.executor")

EXIT_LEFT: Final = 0
EXIT_FAILED: Final = 1
EXIT_USAGE: Final = 2
EXIT_ADDRESS_IN_USE: Final = 3
EXIT_REFUSED: Final = 4

_EOF: Final = "end of standard input"

News = Ready | Left | str
"""What the main thread waits for: an engine that is ready, an end, or a signal's name."""


class ExecutorProcess:
    """Everything that a process of its own needs beside the driver."""

    def __init__(self, settings: ExecutorSettings, tell: Callable[[News], None]) -> None:
        """Makes the folders, starts the engines and listens; nothing is connected yet.

        Args:
            settings: What the executor is.
            tell: Told of engines that are ready, and of the end.

        Raises:
            SpringaldError: A folder cannot be made, or the Flight port is taken.
        """
        self._settings = settings
        self._stopping = threading.Event()
        self._folders = Folders(settings.work_dir)
        roots = self._folders.roots
        self._profile = _profile(settings, roots)
        self._link = GrpcLink(settings.scheduler)
        pool = ProcessPool(
            roots,
            slots=settings.slots,
            sign=self._sign,
            on_ready=tell,
            inherited_fds=(self._folders.lifeline_fd,),
            read_in_place=settings.read_in_place,
        )
        self.driver = ExecutorDriver(Agent(self._profile), self._link, pool, roots, tell)
        self.driver.begin()
        self._server: FlightServer | None = None
        try:
            self._server = _flight_server(settings, self.driver)
        except SpringaldError:
            self.close()
            raise
        port = self._server.port
        self._flight_address = f"{_in_url(settings.advertise or settings.bind)}:{port}"

    def _sign(self, wanted: Wanted) -> bytes:
        return self.driver.sign(wanted)

    def connect(self, ready: Ready) -> None:
        """Registers with the scheduler, now that an engine told what it is."""
        facts = Facts(
            executor_id=self._settings.executor_id,
            incarnation=secrets.token_hex(8),
            engine_version=ready.engine_version,
            python_version=f"{sys.version_info.major}.{sys.version_info.minor}",
            architecture=platform.machine(),
            routing_fingerprint=ready.routing_fingerprint,
            slots=self._profile.slots,
            memory_bytes=self._profile.memory_bytes,
            flight_address=self._flight_address,
            pid=os.getpid(),
            host=socket.gethostname(),
        )
        self.driver.introduce(facts)
        self._link.begin(self.driver)
        for name, work in (("heartbeat", self._beat), ("ready file", self._tell_ready)):
            threading.Thread(target=work, name=name, daemon=True).start()

    def _beat(self) -> None:
        while not self._stopping.wait(self.driver.heartbeat_interval_ms / 1000):
            self.driver.beat()

    def _tell_ready(self) -> None:
        self.driver.registered.wait()
        told = {
            "executor_id": self._settings.executor_id,
            "flight_address": self._flight_address,
            "pid": os.getpid(),
        }
        log.info("executor is registered", scheduler=self._link.name, **told)
        if self._settings.ready_file is not None:
            try:
                write_ready(self._settings.ready_file, told)
            except SpringaldError as error:
                log.error("ready file is not written", reason=error.message)  # noqa: TRY400

    def close(self) -> None:
        """Ends everything that was started, and leaves no file behind."""
        self._stopping.set()
        self.driver.close()
        if self._server is not None:
            # Whoever still reads is given a moment.
            ending = threading.Thread(target=self._server.shutdown, name="flight", daemon=True)
            ending.start()
            ending.join(FAREWELL_MS_MAX / 1000)
        self._folders.remove()


def _profile(settings: ExecutorSettings, roots: Roots) -> Profile:
    memory = task_memory_auto(settings.sharers) if settings.memory is None else settings.memory
    shuffle_memory = settings.shuffle_memory
    if shuffle_memory is None:
        shuffle_memory = shuffle_memory_auto(memory, roots.memory, settings.sharers)
    return Profile(
        executor_id=settings.executor_id,
        slots=settings.slots,
        memory_bytes=memory,
        shuffle_memory_bytes=shuffle_memory,
        engines=min(settings.slots, ENGINES_READY_MAX),
    )


def _flight_server(settings: ExecutorSettings, driver: ExecutorDriver) -> FlightServer:
    host, port = settings.bind, settings.flight_port
    write_located = located_to_bytes if settings.read_in_place else None
    try:
        return FlightServer(f"grpc://{_in_url(host)}:{port}", driver, write_located)
    except (OSError, pa.ArrowException) as failure:
        message = f"the Flight server needs a free port: got none at {host}:{port}"
        raise AddressInUseError(f"{message}; choose another with --flight-port") from failure


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs an executor and returns its exit code."""
    news: queue.SimpleQueue[News] = queue.SimpleQueue()
    hear_signals(news.put)
    try:
        settings = read_settings(sys.argv[1:] if arguments is None else arguments)
    except ValidationError as wrong:
        for problem in wrong.errors():
            option = str(problem["loc"][0]).replace("_", "-")
            reason = problem["msg"].removeprefix("Value error, ")
            sys.stderr.write(f"springald executor: --{option}: {reason}\n")
        return EXIT_USAGE
    set_up_log(settings.log_level)
    if settings.stop_on_stdin_eof:
        watch_parent(lambda: news.put(_EOF))
    try:
        process = ExecutorProcess(settings, news.put)
    except SpringaldError as error:
        return _complain(error, EXIT_FAILED)
    try:
        return _serve(process, news, settings.drain_timeout)
    finally:
        process.close()


def _serve(process: ExecutorProcess, news: "queue.SimpleQueue[News]", drain_s: float) -> int:
    """Waits until the executor is to end, and returns its exit code."""
    deadline = time.monotonic() + ENGINE_START_MS_MAX / 1000
    is_connected = is_draining = False
    while True:
        waits = not is_connected or is_draining
        try:
            match news.get(timeout=max(0.0, deadline - time.monotonic()) if waits else None):
                case Ready() as ready if ready.routing_fingerprint and not is_connected:
                    process.connect(ready)
                    is_connected = True
                case Left(error=None):
                    return EXIT_LEFT
                case Left(error=SpringaldError() as error, refused=refused):
                    return _complain(error, EXIT_REFUSED if refused else EXIT_FAILED)
                case str() as wish if wish == _EOF or is_draining or not is_connected:
                    return EXIT_LEFT
                case str() as wish:
                    log.info("executor drains", cause=wish)
                    deadline = time.monotonic() + drain_s
                    is_draining = True
                    process.driver.post(DrainWanted(f"the executor got {wish}"))
        except queue.Empty:
            if is_draining:
                log.warning("tasks and readers did not end in time", limit_s=drain_s)
                return EXIT_LEFT
            message = f"an engine process is ready within {ENGINE_START_MS_MAX} ms: got none"
            return _complain(DeadlineExceededError(message), EXIT_FAILED)


def _complain(error: SpringaldError, code: int) -> int:
    """Says on standard error why the executor ends; returns the exit code."""
    sys.stderr.write(f"springald executor: {error}\n")
    return EXIT_ADDRESS_IN_USE if isinstance(error, AddressInUseError) else code


if __name__ == "__main__":
    sys.exit(main())
