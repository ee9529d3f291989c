"""An engine process: waits for a task, runs it, reports, and waits again.

It ends when its agent does, whatever it is doing: the thread that reads from the agent sees the end
of the stream and ends the process on the spot.
"""

import base64
import os
import pickle
import queue
import signal
import sys
import threading
from functools import cache
from multiprocessing.connection import Connection
from pathlib import Path
from typing import TYPE_CHECKING

from springald.errors import SpringaldError, TaskLostError
from springald_executor.adapters.engine_messages import (
    Broke,
    Channel,
    EngineConfig,
    Ran,
    Ready,
    Run,
    TicketWanted,
    TicketWritten,
)
from springald_executor.core.engine_memory import idle_engine_bytes_max
from springald_executor.core.model import TaskRequest, Wanted

if TYPE_CHECKING:
    import psutil

    # The engine takes half a second to load; the end of the agent is watched for from the start.
    from springald_executor.engine.runner import TaskRunner


class EngineProcess:
    """The child's side of an engine."""

    def __init__(self, socket_fd: int, config: EngineConfig) -> None:
        """Begins to listen to the agent."""
        self._config = config
        self._channel = Channel(Connection(socket_fd))
        self._tasks: queue.SimpleQueue[TaskRequest] = queue.SimpleQueue()
        self._tickets: queue.SimpleQueue[TicketWritten] = queue.SimpleQueue()
        self._is_fresh = True
        threading.Thread(target=self._listen, name="agent", daemon=True).start()

    def serve(self) -> None:
        """Runs tasks until the agent ends or the engine cannot be used any more."""
        runner = self._load()
        while True:
            request = self._tasks.get()
            self._fix_threads(request.slots)
            self._channel.send(_run(runner, request))

    def _fix_threads(self, threads: int) -> None:
        """Says how many threads the engine has: it makes them once, when it first runs."""
        if self._is_fresh:
            os.environ["TOKIO_WORKER_THREADS"] = str(threads)
            self._is_fresh = False

    def _listen(self) -> None:
        try:
            while True:
                match self._channel.receive():
                    case Run(request):
                        self._tasks.put(request)
                    case TicketWritten() as written:
                        self._tickets.put(written)
        except (EOFError, OSError):
            os._exit(0)

    def _load(self) -> "TaskRunner":
        from springald.engine.routing import routing_fingerprint  # noqa: PLC0415 - see above
        from springald_executor.codec.files import located_from_bytes  # noqa: PLC0415
        from springald_executor.codec.queries import query_from_payload  # noqa: PLC0415
        from springald_executor.engine.runner import ENGINE_VERSION, TaskRunner  # noqa: PLC0415
        from springald_executor.shuffle.fetch import FlightFetcher  # noqa: PLC0415
        from springald_executor.shuffle.in_place import Neighbours  # noqa: PLC0415
        from springald_executor.shuffle.space import Roots  # noqa: PLC0415

        config = self._config
        memory = Path(config.memory_root) if config.memory_root else None
        spill = Path(config.spill_folder)
        spill.mkdir(parents=True, exist_ok=True, mode=0o700)
        neighbours = Neighbours(located_from_bytes) if config.read_in_place else None
        runner = TaskRunner(
            Roots(disk=Path(config.disk_root), memory=memory),
            read_query=query_from_payload,
            fetcher=FlightFetcher(self._sign, neighbours=neighbours),
            spill_dir=spill,
        )
        fingerprint = ""
        if config.fingerprint_threads:
            self._fix_threads(config.fingerprint_threads)
            fingerprint = routing_fingerprint()
        self._channel.send(Ready(ENGINE_VERSION, fingerprint))
        return runner

    def _sign(self, wanted: Wanted) -> bytes:
        """Has the agent write a ticket: its key does not leave it."""
        self._channel.send(TicketWanted(wanted))
        written = self._tickets.get()
        if written.error is not None:
            raise written.error
        return written.ticket


def _run(runner: "TaskRunner", request: TaskRequest) -> Ran | Broke:
    from springald_executor.codec.failures import failure_from_error  # noqa: PLC0415
    from springald_executor.engine.runner import TaskError  # noqa: PLC0415

    try:
        report = runner.run(request, threading.Event())
    except TaskError as failed:
        failure = failure_from_error(failed.error, failed.lost_task_id, failed.figures)
        return Broke(request.task_id, failure, failed.engine_usable and not _has_grown(request))
    except SpringaldError as error:
        return Broke(request.task_id, failure_from_error(error), engine_usable=False)
    except Exception as failed:  # noqa: BLE001 - whatever it is, the agent is told
        lost = TaskLostError(f"an engine types its failures: got {failed!r}")
        return Broke(request.task_id, failure_from_error(lost), engine_usable=False)
    return Ran(request.task_id, report, engine_usable=not _has_grown(request))


def _has_grown(request: TaskRequest) -> bool:
    """True if the process holds more memory of its own than an idle engine should.

    Buffers of files that a scan read are given back by the threads that made them, which takes
    seconds, so an engine with a large share is not replaced after each large scan.
    """
    memory = _this_process().memory_info()
    limit = idle_engine_bytes_max(request.memory_bytes, request.slots)
    return bool(memory.rss - memory.shared > limit)


@cache
def _this_process() -> "psutil.Process":
    """Finds out once what psutil asks of each process that it is given."""
    import psutil  # noqa: PLC0415 - loaded with the rest

    return psutil.Process()


def main() -> None:
    """Runs the process; its arguments are its socket and its configuration."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the agent, who ends its engines
    config = pickle.loads(base64.b64decode(sys.argv[2]))  # noqa: S301 - from our own agent
    process = EngineProcess(int(sys.argv[1]), config)
    try:
        process.serve()
    except (BrokenPipeError, ConnectionResetError):
        os._exit(0)


if __name__ == "__main__":
    main()
