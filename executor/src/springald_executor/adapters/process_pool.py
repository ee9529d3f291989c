"""Engine processes: started, spoken to, watched and killed.

Each has a thread here that starts it, reads what it says, and notices its end.
"""

import base64
import contextlib
import pickle
import shutil
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final

import psutil
import structlog

from springald.errors import SpringaldError
from springald_executor.adapters.engine_messages import (
    Broke,
    Channel,
    EngineConfig,
    Ran,
    Ready,
    Run,
    TicketWanted,
    TicketWritten,
    pack,
)
from springald_executor.adapters.engine_pool import Post
from springald_executor.core import events as ev
from springald_executor.core.engine_memory import engine_bytes_max
from springald_executor.core.failures import Failure
from springald_executor.core.limits import (
    ENGINE_SEND_BYTES_MAX,
    ENGINE_START_MS_MAX,
)
from springald_executor.core.model import TaskRequest, Wanted
from springald_executor.shuffle.space import Roots

log = structlog.get_logger("springald.executor")

_VMSTAT: Final = Path("/proc/vmstat")
_MODULE: Final = "springald_executor.adapters.engine_process"


class ProcessPool:
    """Engines as processes of their own."""

    def __init__(
        self,
        roots: Roots,
        *,
        slots: int,
        sign: Callable[[Wanted], bytes],
        on_ready: Callable[[Ready], None],
        inherited_fds: tuple[int, ...] = (),
        read_in_place: bool = True,
    ) -> None:
        """Starts nothing yet.

        Args:
            roots: Where engines write.
            slots: How many threads the widest task has.
            sign: Writes tickets for what their tasks fetch.
            on_ready: Told what each engine says of itself when it is ready.
            inherited_fds: Files that stay open as long as an engine lives.
            read_in_place: Whether tasks read files of other executors on this host where they lie.
        """
        self._roots = roots
        self._slots = slots
        self._sign = sign
        self._on_ready = on_ready
        self._has_fingerprint = False
        self._inherited_fds = inherited_fds
        self._read_in_place = read_in_place
        self._engines: dict[int, _Engine] = {}
        self._lock = threading.Lock()
        self._closed = False
        self._fingerprint_from = 0
        self._post: Post = lambda _: None

    def begin(self, post: Post) -> None:
        """Takes whom to tell."""
        self._post = post

    def start(self, engine_id: int) -> None:
        """Starts an engine process; one of them is asked for its routing fingerprint."""
        with self._lock:
            if self._closed:
                return
            self._fingerprint_from = self._fingerprint_from or engine_id
            engine = _Engine(engine_id, self._tell, self._sign, self._note_ready)
            self._engines[engine_id] = engine
        engine.begin(self._config(engine_id), self._inherited_fds)

    def stop(self, engine_id: int) -> None:
        """Kills an engine process."""
        engine = self._find(engine_id)
        if engine is not None:
            engine.kill()

    def run(self, engine_id: int, request: TaskRequest) -> None:
        """Sends an attempt to an engine process."""
        engine = self._find(engine_id)
        if engine is not None:
            engine.run(request)

    def watch(self) -> None:
        """Tells of engines that took much more memory than their task's share."""
        with self._lock:
            engines = list(self._engines.values())
        for engine in engines:
            failure = engine.overrun()
            if failure is not None:
                self._post(ev.EngineOutgrew(engine.engine_id, failure))

    def close(self) -> None:
        """Kills all engine processes and waits until they are gone."""
        with self._lock:
            self._closed = True
            engines = list(self._engines.values())
        for engine in engines:
            engine.kill()
        for engine in engines:
            engine.join()

    def _note_ready(self, ready: Ready) -> None:
        self._has_fingerprint |= bool(ready.routing_fingerprint)
        self._on_ready(ready)

    def _find(self, engine_id: int) -> "_Engine | None":
        with self._lock:
            return self._engines.get(engine_id)

    def _tell(self, event: ev.Event) -> None:
        if isinstance(event, ev.EngineDied):
            with self._lock:
                self._engines.pop(event.engine_id, None)
                if event.engine_id == self._fingerprint_from and not self._has_fingerprint:
                    self._fingerprint_from = 0  # the next one is asked
            shutil.rmtree(self._spill_folder(event.engine_id), ignore_errors=True)
        if not self._closed:
            self._post(event)

    def _config(self, engine_id: int) -> EngineConfig:
        return EngineConfig(
            disk_root=str(self._roots.disk),
            memory_root=str(self._roots.memory or ""),
            spill_folder=str(self._spill_folder(engine_id)),
            fingerprint_threads=self._slots if engine_id == self._fingerprint_from else 0,
            read_in_place=self._read_in_place,
        )

    def _spill_folder(self, engine_id: int) -> Path:
        return self._roots.disk / "spill" / str(engine_id)


class _Engine:
    """One engine process, and the thread that listens to it."""

    def __init__(
        self,
        engine_id: int,
        tell: Callable[[ev.Event], None],
        sign: Callable[[Wanted], bytes],
        on_ready: Callable[[Ready], None],
    ) -> None:
        self.engine_id = engine_id
        self._tell = tell
        self._sign = sign
        self._on_ready = on_ready
        self._process: subprocess.Popen[bytes] | None = None
        self._channel: Channel | None = None
        self._request: TaskRequest | None = None
        self._killed = False
        self._late = False
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None
        self._kills_before = _oom_kills()

    def begin(self, config: EngineConfig, inherited_fds: tuple[int, ...]) -> None:
        """Starts the process on a thread of its own."""
        self._thread = threading.Thread(
            target=self._serve,
            args=(config, inherited_fds),
            name=f"engine {self.engine_id}",
            daemon=True,
        )
        self._thread.start()

    def kill(self) -> None:
        """Kills the process, also one that is only being started."""
        with self._lock:
            self._killed = True
            if self._process is not None:
                self._process.kill()

    def join(self) -> None:
        """Waits until the process is gone."""
        if self._thread is not None:
            self._thread.join()

    def run(self, request: TaskRequest) -> None:
        """Sends an attempt, without waiting for the process to take it."""
        self._request = request
        data = pack(Run(request))
        if len(data) <= ENGINE_SEND_BYTES_MAX:
            self._send(data)
        else:
            name = f"task for engine {self.engine_id}"
            threading.Thread(target=self._send, args=(data,), name=name, daemon=True).start()

    def _send(self, data: bytes) -> None:
        """Sends to a process; one that is gone is noticed by the thread that listens to it."""
        with contextlib.suppress(OSError):
            if self._channel is not None:
                self._channel.send_bytes(data)

    def overrun(self) -> Failure | None:
        """Returns how far the process has outgrown its task's share, if it has."""
        request, process = self._request, self._process
        if request is None or process is None or self._killed:
            return None
        try:
            memory = psutil.Process(process.pid).memory_info()
        except psutil.Error:
            return None
        # Files in memory are counted where they are granted.
        used = memory.rss - getattr(memory, "shared", 0)
        if used <= engine_bytes_max(request.memory_bytes):
            return None
        return Failure(
            "OUT_OF_MEMORY",
            f"an engine stays near its task's share of {request.memory_bytes} bytes: got {used}; "
            "give executors more memory or fewer slots",
        )

    def _serve(self, config: EngineConfig, inherited_fds: tuple[int, ...]) -> None:
        try:
            self._start(config, inherited_fds)
            self._listen()
        except (EOFError, OSError):
            pass  # how it ended is found out below
        except Exception:
            log.exception("engine is given up", engine=self.engine_id)
        self._tell(ev.EngineDied(self.engine_id, self._end()))

    def _start(self, config: EngineConfig, inherited_fds: tuple[int, ...]) -> None:
        ours, theirs = socket.socketpair()
        with theirs:
            fd = theirs.fileno()
            argument = base64.b64encode(pickle.dumps(config)).decode()
            with self._lock:
                if self._killed:
                    ours.close()
                    raise EOFError
                self._process = subprocess.Popen(  # noqa: S603 - our own program
                    [sys.executable, "-P", "-m", _MODULE, str(fd), argument],
                    stdin=subprocess.DEVNULL,
                    pass_fds=(fd, *inherited_fds),
                )
        self._channel = Channel(Connection(ours.detach()))

    def _listen(self) -> None:
        channel = self._channel
        if channel is None:
            raise AssertionError("an engine is listened to after its start")
        if not channel.wait(ENGINE_START_MS_MAX / 1000):
            self._late = True
            self.kill()
        while True:
            match channel.receive():
                case Ready() as ready:
                    self._on_ready(ready)
                    self._tell(ev.EngineReady(self.engine_id))
                case Ran(task_id, report, usable):
                    self._request = None
                    self._tell(ev.TaskRan(self.engine_id, task_id, report, usable))
                case Broke(task_id, failure, usable):
                    self._request = None
                    self._tell(ev.TaskBroke(self.engine_id, task_id, failure, usable))
                case TicketWanted(wanted):
                    channel.send(self._ticket(wanted))

    def _ticket(self, wanted: Wanted) -> TicketWritten:
        try:
            return TicketWritten(self._sign(wanted))
        except SpringaldError as error:
            return TicketWritten(b"", error)

    def _end(self) -> Failure:
        """Waits for the process and says how it ended."""
        if self._channel is not None:
            self._channel.close()
        if self._process is None:
            return Failure("TASK_LOST", "an engine was stopped before it started", retryable=True)
        # A process that closed its socket without ending is of no use.
        self._process.kill()
        code = self._process.wait()
        if self._late:
            message = f"an engine process is ready within {ENGINE_START_MS_MAX} ms: got no sign"
            return Failure("TASK_LOST", message, retryable=True)
        if code == -signal.SIGKILL and not self._killed and _oom_kills() > self._kills_before:
            return Failure(
                "OUT_OF_MEMORY",
                "the kernel killed an engine process because memory ran out; give executors less "
                "memory to deal out, or the machine more",
            )
        how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        message = (
            f"the engine process lives as long as its task: got {how}; run the statement again"
        )
        return Failure("TASK_LOST", message, retryable=True)


def _oom_kills() -> int:
    """Returns how many processes the kernel has killed for memory; 0 where that is not told."""
    try:
        lines = _VMSTAT.read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) for line in lines if line.startswith("oom_kill ")), 0)
