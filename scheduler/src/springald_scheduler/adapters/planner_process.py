"""The planner in processes of its own.

The engine plans by recursion on the native stack: a statement nested deep enough kills the process
that plans it. So statements are planned in child processes with large stacks, each session always
in the same one, and the scheduler keeps what is needed to open a session again in a new child.
"""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterable, Mapping
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final

import structlog

from springald.errors import DeadlineExceededError, InternalError, PlanTooDeepError, SpringaldError
from springald_scheduler.planning.model import (
    Answered,
    ClusterShape,
    Planned,
    SessionSnapshot,
    TableInfo,
    Upload,
)
from springald_scheduler.planning.planner import Planner

PLANNING_MS_MAX: Final = 30_000
"""How long one statement may be planned."""

PLANNER_STACK_BYTES: Final = 512 * 1024 * 1024
"""The stack that the engine plans on; only what is used takes memory."""

_STACK_SIGNALS: Final = frozenset({signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS})

log = structlog.get_logger("springald.planner")


class PlannerProcesses:
    """Offers `Planner`'s calls over child processes; safe to use from many threads."""

    def __init__(
        self, allowed_paths: Iterable[str | Path], work_dir: Path, *, processes: int = 2
    ) -> None:
        """Starts the children; they are ready within a second, and calls wait for them."""
        folders = [str(path) for path in allowed_paths]
        self._children = [
            _Child(folders, work_dir / f"planner-{number}") for number in range(processes)
        ]

    def _of(self, session_id: str) -> "_Child":
        return self._children[hash(session_id) % len(self._children)]

    def open_session(self, session_id: str, settings: Mapping[str, str]) -> None:
        """See `Planner.open_session`."""
        self._of(session_id).call("open_session", session_id, dict(settings))

    def close_session(self, session_id: str) -> None:
        """See `Planner.close_session`."""
        self._of(session_id).call("close_session", session_id)

    def run(self, session_id: str, sql: str, shape: ClusterShape) -> Answered | Planned:
        """See `Planner.run`."""
        outcome: Answered | Planned = self._of(session_id).call("run", session_id, sql, shape)
        return outcome

    def describe(self, session_id: str, sql: str) -> bytes:
        """See `Planner.describe`."""
        return bytes(self._of(session_id).call("describe", session_id, sql))

    def register_files(
        self,
        session_id: str,
        name: str,
        file_format: str,
        path: str,
        options: Iterable[tuple[str, str]],
    ) -> TableInfo:
        """See `Planner.register_files`."""
        arguments = (session_id, name, file_format, path, list(options))
        info: TableInfo = self._of(session_id).call("register_files", *arguments)
        return info

    def register_upload(self, session_id: str, name: str, upload: Upload) -> TableInfo:
        """See `Planner.register_upload`."""
        info: TableInfo = self._of(session_id).call("register_upload", session_id, name, upload)
        return info

    def list_tables(self, session_id: str) -> list[TableInfo]:
        """See `Planner.list_tables`."""
        tables: list[TableInfo] = self._of(session_id).call("list_tables", session_id)
        return tables

    def close(self) -> None:
        """Ends the children."""
        for child in self._children:
            child.close()


class _Child:
    """One planning process, and the sessions that live in it."""

    def __init__(self, allowed_paths: list[str], work_dir: Path) -> None:
        self._allowed_paths = allowed_paths
        self._work_dir = work_dir
        self._lock = threading.Lock()
        self._snapshots: dict[str, SessionSnapshot] = {}
        self._start()

    def _start(self) -> None:
        requests_out, requests_in = os.pipe()
        replies_out, replies_in = os.pipe()
        command = [sys.executable, "-m", __name__, str(requests_out), str(replies_in)]
        self._process = subprocess.Popen(  # noqa: S603 - our own module
            [*command, str(self._work_dir), *self._allowed_paths],
            pass_fds=(requests_out, replies_in),
            stdin=subprocess.DEVNULL,
            # A person's Ctrl-C is for the scheduler, which ends its children itself.
            start_new_session=True,
        )
        os.close(requests_out)
        os.close(replies_in)
        self._requests = Connection(requests_in, readable=False)
        self._replies = Connection(replies_out, writable=False)

    def call(self, method: str, *arguments: Any) -> Any:
        """Makes one call in the child, one at a time.

        Raises:
            SpringaldError: What the planner raised, or how the child died of the statement.
        """
        with self._lock:
            try:
                ok, value, snapshot = self._exchange(method, arguments)
            except (EOFError, OSError):
                raise self._reborn() from None
            session_id = arguments[0]
            if snapshot is not None:
                self._snapshots[session_id] = snapshot
            if method == "close_session":
                self._snapshots.pop(session_id, None)
        if not ok:
            raise value
        return value

    def _exchange(self, method: str, arguments: tuple[Any, ...]) -> tuple[bool, Any, Any]:
        self._requests.send((method, arguments))
        if not self._replies.poll(PLANNING_MS_MAX / 1000):
            self._process.kill()
            self._reborn()
            message = f"a statement is planned within {PLANNING_MS_MAX} ms: this one was not"
            raise DeadlineExceededError(f"{message}; read fewer files or shorten the query")
        ok, value, snapshot = self._replies.recv()
        return ok, value, snapshot

    def _reborn(self) -> SpringaldError:
        """Starts a new child with the old one's sessions; returns how the old one ended."""
        self._requests.close()
        self._replies.close()
        code = self._process.wait()
        log.warning("planner died", exit_code=code)
        self._start()
        for session_id, snapshot in self._snapshots.items():
            self._exchange("restore_session", (session_id, snapshot))
        if -code in _STACK_SIGNALS:
            message = f"a query fits the planner's stack of {PLANNER_STACK_BYTES} bytes"
            return PlanTooDeepError(f"{message}: this one is nested deeper; flatten it")
        return InternalError(f"the planner outlives a statement: it ended with code {code}")

    def close(self) -> None:
        """Ends the child."""
        self._requests.close()
        self._replies.close()
        self._process.terminate()
        self._process.wait()


_CHANGES_A_SESSION: Final = frozenset({"open_session", "register_files", "register_upload"})


def _serve(planner: Planner, requests: Connection, replies: Connection) -> None:
    """Answers calls until the scheduler goes away."""
    while True:
        try:
            method, arguments = requests.recv()
        except EOFError:
            return
        try:
            value, ok = getattr(planner, method)(*arguments), True
        except SpringaldError as error:
            value, ok = error, False
        except Exception as error:  # noqa: BLE001 - a bug here must not look like a dead planner
            value, ok = InternalError(f"the planner knows its own errors: got {error!r}"), False
        changed = ok and (method in _CHANGES_A_SESSION or isinstance(value, Answered))
        replies.send((ok, value, planner.snapshot(arguments[0]) if changed else None))


def main() -> None:
    """Runs a planning process; its arguments are two pipes, its folder and the allowed paths."""
    requests_out, replies_in, work_dir, *allowed_paths = sys.argv[1:]
    requests = Connection(int(requests_out), writable=False)
    replies = Connection(int(replies_in), readable=False)
    planner = Planner(allowed_paths, Path(work_dir))
    threading.stack_size(PLANNER_STACK_BYTES)
    worker = threading.Thread(target=_serve, args=(planner, requests, replies), daemon=True)
    worker.start()
    worker.join()


if __name__ == "__main__":
    main()
