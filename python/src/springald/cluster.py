"""A whole cluster on this machine: real processes on free ports, and no trace of them later."""

import atexit
import shutil
import tempfile
import time
import weakref
from collections.abc import Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Final, Self, TypeVar

from springald.client import Connection, connect
from springald.client_limits import EXECUTORS_BACK_MS_MAX, READY_POLL_MS
from springald.cluster_process import ClusterProcess, ExecutorProcess
from springald.errors import (
    DeadlineExceededError,
    InvalidArgumentError,
    UnsupportedError,
)
from springald.grpc_transport import GrpcTransport
from springald.scheduler.v1 import scheduler_pb2 as pb
from springald.session import close_open_sessions

__all__ = ["LocalCluster"]

_SCHEDULER: Final = "springald_scheduler"
_EXECUTOR: Final = "springald_executor"
_LOG_LEVELS: Final = ("debug", "info", "warning", "error")

ProcessT = TypeVar("ProcessT", bound=ClusterProcess)


class LocalCluster:
    """A scheduler and executors as processes of this machine, for tests, notebooks and trying out.

    The processes run from construction to `close()`, which `with` calls. None of them and none of
    their files is left behind, however this process ends.

    Example:
        >>> from springald import LocalCluster
        >>> with LocalCluster(executors=2, slots=1) as cluster:  # doctest: +SKIP
        ...     with cluster.connect() as con:
        ...         con.sql("SELECT 1 AS one").show()

    Args:
        executors: How many executors to start, at least 0.
        slots: How many slots each of them offers.
        memory: The memory that each deals out to its tasks, in bytes; None shares half of the
            machine's memory out among them. One that is added later takes the share that it would
            have had, and the others keep theirs.
        work_dir: An existing folder in which the cluster makes its own, private one; None means the
            system's folder for temporary files.
        read_in_place: False has executors and clients fetch all rows, as if they were on different
            hosts, instead of reading files where they lie.
        log_level: How much the processes write into their logs: `debug`, `info`, `warning`,
            `error`.
        port: The scheduler's port; 0 means any free one.
        state: Where the scheduler keeps its state: `memory`, `sqlite` for a file in the cluster's
            own folder, or what `springald scheduler --state` takes. With anything but memory
            queries go on when the scheduler is restarted.

    Raises:
        SpringaldError: A process did not start; the text has the last lines of its log.
    """

    def __init__(
        self,
        executors: int = 2,
        slots: int = 1,
        *,
        memory: int | None = None,
        work_dir: str | Path | None = None,
        read_in_place: bool = True,
        log_level: str = "info",
        port: int = 0,
        state: str = "memory",
    ) -> None:
        if executors < 0 or slots < 1:
            raise InvalidArgumentError(
                f"a cluster has 0 executors or more, with 1 slot or more each: got {executors} "
                f"executors and {slots} slots"
            )
        if log_level not in _LOG_LEVELS:
            raise InvalidArgumentError(
                f"a log level is one of {', '.join(_LOG_LEVELS)}: got {log_level!r}"
            )
        _check_installed()
        self._slots = slots
        self._memory = memory
        self._log_level = log_level
        self._read_in_place = read_in_place
        self._folder = Path(tempfile.mkdtemp(prefix="springald-", dir=work_dir))
        self._state = f"sqlite:{self._folder / 'state.db'}" if state == "sqlite" else state
        self._processes: list[ClusterProcess] = []
        self._executors: list[ExecutorProcess] = []
        # Holds what is to be ended and not the cluster, so that a dropped one is ended too.
        self._end = weakref.finalize(self, _end_all, self._processes, self._folder)
        self._end.atexit = False
        _OPEN_CLUSTERS.add(self)
        try:
            self._scheduler, self._address = self._start_scheduler(f"127.0.0.1:{port}")
            self._start_executors(executors, slots)
        except BaseException:
            self._end()
            raise

    @property
    def url(self) -> str:
        """Where clients connect: `springald://127.0.0.1:port`."""
        return f"springald://{self._address}"

    @property
    def scheduler(self) -> ClusterProcess:
        """The scheduler's process."""
        return self._scheduler

    @property
    def executors(self) -> tuple[ExecutorProcess, ...]:
        """The executors' processes in the order of their start, ended ones included."""
        return tuple(self._executors)

    def connect(self, **settings: object) -> Connection:
        """Opens a connection, as `springald.connect(cluster.url)` does.

        Args:
            **settings: Settings to begin with, as for `springald.connect`.
        """
        return connect(self.url, **settings)

    def add_executor(self, slots: int | None = None) -> ExecutorProcess:
        """Starts another executor and waits until the scheduler has accepted it.

        Args:
            slots: How many slots it offers; None means as many as the others.
        """
        (added,) = self._start_executors(1, slots or self._slots)
        return added

    def restart_scheduler(self) -> ClusterProcess:
        """Ends the scheduler, starts one at the same port, and waits for the executors to be back.

        Returns:
            The new process, which `scheduler` is from now on.
        """
        self._scheduler.terminate()
        self._scheduler.finish()
        self._scheduler, self._address = self._start_scheduler(self._address)
        self._wait_executors(sum(executor.is_alive for executor in self._executors))
        return self._scheduler

    def close(self) -> None:
        """Ends all processes and removes all files; closing again does nothing."""
        self._end()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        alive = sum(executor.is_alive for executor in self._executors)
        return f"LocalCluster({self.url}, {alive} executors)"

    def _start_scheduler(self, address: str) -> tuple[ClusterProcess, str]:
        options = {
            "--bind": address,
            "--work-dir": self._folder / "scheduler-work",
            "--log-level": self._log_level,
            "--state": self._state,
        }
        process = self._start(ClusterProcess, "scheduler", [_SCHEDULER, *_flat(options)])
        return process, str(process.wait_ready()["address"])

    def _start_executors(self, count: int, slots: int) -> list[ExecutorProcess]:
        """Starts them all, then waits for each: they get ready side by side."""
        started = []
        sharers = sum(executor.is_alive for executor in self._executors) + count
        for _ in range(count):
            name = f"executor-{len(self._executors) + 1}"
            options = {
                "--scheduler": self._address,
                "--slots": slots,
                "--executor-id": name,
                "--work-dir": self._folder / f"{name}-work",
                "--log-level": self._log_level,
                "--sharers": sharers,
                **({"--memory": self._memory} if self._memory is not None else {}),
            }
            flags = [] if self._read_in_place else ["--no-read-in-place"]
            process = self._start(ExecutorProcess, name, [_EXECUTOR, *_flat(options), *flags])
            self._executors.append(process)
            started.append(process)
        for process in started:
            process.wait_ready()
        return started

    def _start(self, kind: type[ProcessT], name: str, arguments: list[str]) -> ProcessT:
        folder = self._folder / f"{len(self._processes) + 1:03}-{name}"
        process = kind(name, arguments, folder, self._folder)
        self._processes.append(process)
        return process

    def _wait_executors(self, count: int) -> None:
        transport = GrpcTransport(self._address)
        deadline = time.monotonic() + EXECUTORS_BACK_MS_MAX / 1000
        try:
            while True:
                known = len(transport.list_executors(pb.ListExecutorsRequest()).executors)
                if known >= count:
                    return
                if time.monotonic() > deadline:
                    raise DeadlineExceededError(
                        f"executors come back within {EXECUTORS_BACK_MS_MAX} ms after a restart "
                        f"of the scheduler: got {known} of {count}"
                    )
                time.sleep(READY_POLL_MS / 1000)
        finally:
            transport.close()


def _end_all(processes: Sequence[ClusterProcess], folder: Path) -> None:
    """Ends processes and removes their folder: the scheduler first, which tells clients why.

    Should this be interrupted, what is left ends by its lifeline.
    """
    executors = [process for process in processes if isinstance(process, ExecutorProcess)]
    others = [process for process in processes if not isinstance(process, ExecutorProcess)]
    for group in (others, executors):
        for process in group:
            process.ask_to_stop()
        for process in group:
            process.finish()
    shutil.rmtree(folder, ignore_errors=True)


def _flat(options: Mapping[str, object]) -> list[str]:
    return [str(word) for pair in options.items() for word in pair]


def _check_installed() -> None:
    missing = [name for name in (_SCHEDULER, _EXECUTOR) if find_spec(name) is None]
    if missing:
        raise UnsupportedError(
            f"a cluster needs the scheduler and the executor: got no {' and no '.join(missing)}; "
            "pip install 'springald[local]'"
        )


_OPEN_CLUSTERS: "weakref.WeakSet[LocalCluster]" = weakref.WeakSet()


@atexit.register
def _close_all() -> None:
    """Clusters that are open when the interpreter ends are closed, their clients before them."""
    clusters = list(_OPEN_CLUSTERS)
    if clusters:
        close_open_sessions()
    for cluster in clusters:
        cluster.close()
