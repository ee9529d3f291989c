"""A place's process as the harness sees it: started, asked, measured, ended in any case."""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final

import psutil
import pyarrow as pa

from benchmarks.meters import Meter, Usage

ROOT: Final = Path(__file__).resolve().parents[1]
_START_S_MAX: Final = 180.0
_STOP_S_MAX: Final = 30.0
_LOG_CHARS: Final = 600


class PlaceFailedError(Exception):
    """A place did not start, did not answer in time, or ended."""


@dataclass(frozen=True)
class PlaceSpec:
    """How to start a place.

    Attributes:
        name: What the tables call it, for example `cluster-2x1`.
        kind: What `serve` starts.
        executors: Processes that compute.
        slots: Tasks that each of them runs at a time.
        python: The interpreter, which has what the place needs.
        environment: Variables that it needs.
        exact: Whether its types are the engine's, so that rows are compared exactly.
    """

    name: str
    kind: str
    executors: int
    slots: int
    python: str = sys.executable
    environment: Mapping[str, str] = field(default_factory=dict)
    exact: bool = True


@dataclass(frozen=True)
class Resources:
    """What every place of a run gets.

    Attributes:
        cores: Processors that its processes are bound to.
        memory_bytes: What operators may hold, all processes together.
    """

    cores: int
    memory_bytes: int


class PlaceProcess:
    """A started place.

    Args:
        spec: What to start.
        resources: What it gets.
        tables: The folder of each table.
        options: Further fields of `benchmarks.places.session.Setup`.

    Raises:
        PlaceFailedError: It did not start.
    """

    def __init__(
        self,
        spec: PlaceSpec,
        resources: Resources,
        tables: Mapping[str, Path],
        options: Mapping[str, Any] | None = None,
    ) -> None:
        self.spec = spec
        (ROOT / ".data").mkdir(exist_ok=True)
        self._folder = Path(tempfile.mkdtemp(prefix=f"bench-{spec.name}-", dir=ROOT / ".data"))
        scratch = self._folder / "scratch"
        scratch.mkdir()
        self.answers = self._folder / "answers"
        self.answers.mkdir()
        setup = {
            "tables": {name: str(folder) for name, folder in tables.items()},
            "executors": spec.executors,
            "slots": spec.slots,
            "memory_bytes": resources.memory_bytes,
            "scratch": str(scratch),
            **(options or {}),
        }
        self._connection, self._process = self._start(setup, scratch, resources.cores)
        self.meter = Meter(self._process.pid, scratch)
        try:
            self.versions: dict[str, str] = self._receive(_START_S_MAX)["versions"]
        except BaseException:
            self.close(at_once=True)
            raise

    def ask(
        self, request: dict[str, Any], timeout_s: float, *, measured: bool = True
    ) -> tuple[dict[str, Any], Usage]:
        """Sends a request and waits for the answer.

        Raises:
            PlaceFailedError: None came within the time, or it says that the query failed. After
                the former the process is gone.
        """
        if not measured:
            return self._exchange(request, timeout_s), Usage()
        with self.meter.span() as usage:
            answer = self._exchange(request, timeout_s)
        return answer, usage

    def query(
        self, sql: str, timeout_s: float, *, keep: bool = True, measured: bool = True
    ) -> tuple[dict[str, Any], Usage, pa.Table | None]:
        """Runs a query; returns what was timed, what was taken, and the rows if they are kept."""
        path = self.answers / "answer.arrow"
        request = {"do": "query", "sql": sql, "answer": str(path) if keep else None}
        timed, usage = self.ask(request, timeout_s, measured=measured)
        return timed, usage, read_answer(path) if keep else None

    @property
    def alive(self) -> bool:
        """Whether it can still be asked."""
        return not self._connection.closed

    def close(self, *, at_once: bool = False) -> None:
        """Ends all processes of the place and removes their files; again does nothing."""
        if not self.alive:
            return
        everyone = self.meter.processes()
        memory_folders = self.meter.memory_folders()
        self._connection.close()
        if not at_once:
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(_STOP_S_MAX)
        for process in everyone:
            with suppress(psutil.Error):
                process.kill()
        psutil.wait_procs(everyone, _STOP_S_MAX)
        self._process.wait()
        for folder in [self._folder, *memory_folders]:
            shutil.rmtree(folder, ignore_errors=True)

    def _start(
        self, setup: dict[str, Any], scratch: Path, cores: int
    ) -> tuple[Connection, "subprocess.Popen[bytes]"]:
        ours, theirs = socket.socketpair()
        environment = {**os.environ, "TMPDIR": str(scratch), **self.spec.environment}
        command = [
            *(self.spec.python, "-m", "benchmarks.places.serve", self.spec.kind),
            *(str(theirs.fileno()), json.dumps(setup)),
        ]
        allowed = sorted(os.sched_getaffinity(0))
        os.sched_setaffinity(0, allowed[:cores])  # inherited; set back below
        try:
            with (self._folder / "log.txt").open("wb") as log:
                process = subprocess.Popen(
                    command,
                    cwd=ROOT,
                    env=environment,
                    stdin=subprocess.DEVNULL,
                    stdout=log,
                    stderr=log,
                    pass_fds=[theirs.fileno()],
                    start_new_session=True,  # a signal to the group is for the harness
                )
        finally:
            os.sched_setaffinity(0, allowed)
            theirs.close()
        return Connection(ours.detach()), process

    def _exchange(self, request: dict[str, Any], timeout_s: float) -> dict[str, Any]:
        self._connection.send_bytes(json.dumps(request).encode())
        return self._receive(timeout_s)

    def _receive(self, timeout_s: float) -> dict[str, Any]:
        try:
            if not self._connection.poll(timeout_s):
                self.close(at_once=True)
                raise PlaceFailedError(f"no answer within {timeout_s:.0f} s")
            answer: dict[str, Any] = json.loads(self._connection.recv_bytes())
        except (EOFError, ConnectionError) as error:
            tail = (self._folder / "log.txt").read_text(errors="replace")[-_LOG_CHARS:]
            self.close(at_once=True)
            raise PlaceFailedError(f"the process ended: {' '.join(tail.split())}") from error
        if "failure" in answer:
            raise PlaceFailedError(answer["failure"])
        return answer


def read_answer(path: Path) -> pa.Table:
    """Reads the rows of an answer into memory, and removes its file."""
    with pa.OSFile(str(path)) as file:
        rows = pa.ipc.open_file(file).read_all()
    path.unlink()
    return rows
