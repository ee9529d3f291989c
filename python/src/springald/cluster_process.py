"""One process of a `LocalCluster`: started, waited for until it is ready, stopped, and read."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

from springald.client_limits import (
    GROUP_END_MS_MAX,
    LOG_TAIL_LINES,
    PROCESS_READY_MS_MAX,
    PROCESS_STOP_MS_MAX,
    READY_POLL_MS,
)
from springald.errors import (
    ERROR_BY_CODE,
    AddressInUseError,
    DeadlineExceededError,
    EngineMismatchError,
    InternalError,
    SpringaldError,
)
from springald.lifeline import KEEP, REMOVE

__all__ = ["ClusterProcess", "ExecutorProcess"]

# Exit codes of the processes' mains; docs/user-guide/cli.md has the table.
_ERROR_BY_EXIT_CODE: Final[Mapping[int, type[SpringaldError]]] = {
    3: AddressInUseError,
    4: EngineMismatchError,
}
# What a process says last, if it knows why it cannot run.
_LAST_WORDS: Final = re.compile(r"^springald \w+: \[([A-Z_]+)\] (.+)", re.MULTILINE)


class ClusterProcess:
    """A scheduler or executor process that a `LocalCluster` started.

    Attributes:
        name: `scheduler`, `executor-1` and so on.
    """

    def __init__(self, name: str, arguments: Sequence[str], folder: Path, root: Path) -> None:
        """Starts `python -m` with arguments; `LocalCluster` does that."""
        folder.mkdir()
        self.name = name
        self._ready_file = folder / "ready.json"
        self._log_file = folder / "log.txt"
        self._last_log: str | None = None
        command = [
            *(sys.executable, "-P", "-m", *arguments),
            *("--ready-file", str(self._ready_file), "--stop-on-stdin-eof"),
        ]
        with self._log_file.open("wb") as log:
            # A session of its own: Ctrl-C in a terminal is for the one who started the cluster.
            self._process = subprocess.Popen(  # noqa: S603 - our own program
                command,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env={**os.environ, "PYTHONUNBUFFERED": "1"},
            )
        self._tell(f"{REMOVE} {root}")

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    @property
    def is_alive(self) -> bool:
        """True until the process has ended."""
        return self._process.poll() is None

    @property
    def log(self) -> str:
        """What the process has written so far, to its standard output and error."""
        if self._last_log is not None:
            return self._last_log
        return self._log_file.read_text(errors="replace")

    def kill(self) -> None:
        """Ends the process with SIGKILL and waits until it is gone."""
        self._process.kill()
        self._process.wait()

    def terminate(self) -> None:
        """Asks the process to end with SIGTERM: an executor finishes its tasks first."""
        if self.is_alive:
            self._process.terminate()

    def wait(self, timeout_s: float | None = None) -> int | None:
        """Waits for the end of the process.

        Args:
            timeout_s: How long to wait, in seconds; None means to the end.

        Returns:
            The exit code, negative for a signal; None if the time was over before.
        """
        try:
            return self._process.wait(timeout_s)
        except subprocess.TimeoutExpired:
            return None

    def __repr__(self) -> str:
        state = "alive" if self.is_alive else f"exit code {self._process.returncode}"
        return f"{type(self).__name__}({self.name}, pid {self.pid}, {state})"

    def wait_ready(self) -> dict[str, Any]:
        """Waits until the process serves, and returns what it says of itself.

        Raises:
            SpringaldError: It ended, or did not get there in time; the text has its last lines.
        """
        deadline = time.monotonic() + PROCESS_READY_MS_MAX / 1000
        while not self._ready_file.exists():
            if not self.is_alive:
                raise self._start_error()
            if time.monotonic() > deadline:
                raise DeadlineExceededError(
                    f"a process serves within {PROCESS_READY_MS_MAX} ms: got no sign of "
                    f"{self.name}; its last lines were:\n{self._log_tail()}"
                )
            time.sleep(READY_POLL_MS / 1000)
        ready: dict[str, Any] = json.loads(self._ready_file.read_text())
        return ready

    def ask_to_stop(self) -> None:
        """Has the process stop at once, in order, without waiting for it."""
        self._tell(KEEP)
        with suppress(OSError):
            self._pipe().close()

    def finish(self) -> None:
        """Waits for a process that is to end, and kills it if it takes too long."""
        if self.wait(PROCESS_STOP_MS_MAX / 1000) is None:
            self.kill()
        with suppress(OSError):
            self._pipe().close()
        self._end_group()
        self._keep_log()

    def _end_group(self) -> None:
        """Ends what the process has started and left behind, should there be anything."""
        deadline = time.monotonic() + GROUP_END_MS_MAX / 1000
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(self.pid, signal.SIGKILL)
            while time.monotonic() < deadline:
                os.killpg(self.pid, 0)
                time.sleep(READY_POLL_MS / 1000)

    def _keep_log(self) -> None:
        """Keeps the log in memory: its file goes with the cluster's folder."""
        with suppress(OSError):
            self._last_log = self._log_file.read_text(errors="replace")

    def _tell(self, line: str) -> None:
        """Says something on the lifeline; a process that is gone does not hear it."""
        with suppress(OSError, ValueError):
            self._pipe().write(os.fsencode(f"{line}\n"))
            self._pipe().flush()

    def _pipe(self) -> Any:  # noqa: ANN401 - a binary stream
        return self._process.stdin

    def _start_error(self) -> SpringaldError:
        code = self._process.returncode
        if told := _LAST_WORDS.findall(self.log):
            known, message = told[-1]
            return ERROR_BY_CODE.get(known, InternalError)(message)
        how = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        return _ERROR_BY_EXIT_CODE.get(code, InternalError)(
            f"a process of the cluster must start: got {how} from {self.name}; "
            f"its last lines were:\n{self._log_tail()}"
        )

    def _log_tail(self) -> str:
        return "\n".join(self.log.splitlines()[-LOG_TAIL_LINES:]) or "(none)"


class ExecutorProcess(ClusterProcess):
    """An executor process that a `LocalCluster` started."""

    _ready: Mapping[str, Any] | None = None

    @property
    def executor_id(self) -> str:
        """The executor's id, as statistics and errors name it."""
        return str(self.wait_ready()["executor_id"])

    @property
    def flight_address(self) -> str:
        """Its Flight server, `host:port`."""
        return str(self.wait_ready()["flight_address"])

    def wait_ready(self) -> dict[str, Any]:
        """Waits until the scheduler has accepted the executor; what it says is kept."""
        if self._ready is None:
            self._ready = super().wait_ready()
        return dict(self._ready)
