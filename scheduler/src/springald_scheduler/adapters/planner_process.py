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
from contextlib import suppress
from multiprocessing.connection import Connection
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Final, cast

import structlog

from springald.errors import (
    DeadlineExceededError,
    InternalError,
    PlanTooDeepError,
    SchedulerUnavailableError,
    SpringaldError,
)
from springald_scheduler.limits import PLANNING_MS_MAX
from springald_scheduler.planning.model import (
    Answered,
    ClusterShape,
    Planned,
    SessionSnapshot,
    TableInfo,
    Upload,
)
from springald_scheduler.planning.planner import Planner

PLANNER_STACK_BYTES: Final = 512 * 1024 * 1024
"""The stack that the engine plans on; only what is used takes memory."""

_DYING_S_MAX: Final = 5.0
"""How long a child that closed its pipes may take to end by itself, and to say of what."""

_STACK_SIGNALS: Final = frozenset({signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS})

log = structlog.get_logger("springald.planner")


class PlannerProcesses:
    """Offers `Planner`'s calls over child processes; safe to use from many threads."""

    def __init__(
        self,
        allowed_paths: Iterable[str | Path],
        work_dir: Path,
        *,
        processes: int = 2,
        planning_ms_max: int = PLANNING_MS_MAX,
    ) -> None:
        """Starts the children; they are ready within a second, and calls wait for them."""
        folders = [str(path) for path in allowed_paths]
        self._children = [
            _Child(folders, work_dir / f"planner-{number}", planning_ms_max)
            for number in range(processes)
        ]

    @property
    def pids(self) -> tuple[int, ...]:
        """The children's process ids, as of now."""
        return tuple(child.pid for child in self._children)

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
        outcome = self._of(session_id).call("run", session_id, sql, shape)
        return cast("Answered | Planned", outcome)

    def describe(self, session_id: str, sql: str) -> bytes:
        """See `Planner.describe`."""
        return cast("bytes", self._of(session_id).call("describe", session_id, sql))

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
        return cast("TableInfo", self._of(session_id).call("register_files", *arguments))

    def register_upload(self, session_id: str, name: str, upload: Upload) -> TableInfo:
        """See `Planner.register_upload`."""
        info = self._of(session_id).call("register_upload", session_id, name, upload)
        return cast("TableInfo", info)

    def list_tables(self, session_id: str) -> list[TableInfo]:
        """See `Planner.list_tables`."""
        return cast("list[TableInfo]", self._of(session_id).call("list_tables", session_id))

    def close(self) -> None:
        """Ends the children."""
        for child in self._children:
            child.close()


class _Child:
    """One planning process, and the sessions that live in it."""

    def __init__(self, allowed_paths: list[str], work_dir: Path, planning_ms_max: int) -> None:
        self._allowed_paths = allowed_paths
        self._work_dir = work_dir
        self._planning_ms_max = planning_ms_max
        self._process_lock = threading.Lock()
        self._closed = False
        self._snapshots: dict[str, SessionSnapshot] = {}
        self._start()

    @property
    def pid(self) -> int:
        return self._process.pid

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

    def call(self, method: str, *arguments: object) -> object:
        """Makes one call in the child, one at a time.

        Raises:
            SpringaldError: What the planner raised, or how the child died of the statement.
        """
        with self._process_lock:
            if self._closed:
                raise _closed()
            if self._process.poll() is not None:
                # It died while it had no statement, so this one is not to suffer for it.
                self._renew()
            ok, value, snapshot = self._attempt(method, arguments)
            session_id = str(arguments[0])
            if snapshot is not None:
                self._snapshots[session_id] = snapshot
            if method == "close_session":
                self._snapshots.pop(session_id, None)
        if not ok:
            raise cast("SpringaldError", value)
        return value

    def _attempt(self, method: str, arguments: tuple[object, ...]) -> tuple[bool, Any, Any]:
        try:
            return self._exchange(method, arguments)
        except TimeoutError:
            self._process.kill()
            self._renew()
            message = f"a statement is planned within {self._planning_ms_max} ms: this one was not"
            raise DeadlineExceededError(
                f"{message}; read fewer files or shorten the query"
            ) from None
        except (EOFError, OSError):
            raise _death(self._renew()) from None

    def _exchange(self, method: str, arguments: tuple[object, ...]) -> tuple[bool, Any, Any]:
        """Asks the child.

        Raises:
            TimeoutError: It takes too long.
            EOFError: It died before it answered.
            OSError: It died before it was asked.
        """
        self._requests.send((method, arguments))
        if not self._replies.poll(self._planning_ms_max / 1000):
            raise TimeoutError
        ok, value, snapshot = self._replies.recv()
        return ok, value, snapshot

    def _renew(self) -> int:
        """Starts a new child with the old one's sessions; returns how the old one ended."""
        code = self._end()
        if self._closed:
            raise _closed()
        log.warning("planner died", exit_code=code, sessions=len(self._snapshots))
        self._start()
        for session_id, snapshot in list(self._snapshots.items()):
            try:
                self._exchange("restore_session", (session_id, snapshot))
            except (EOFError, OSError):  # a timeout is an OSError too
                # It would end each child that is to restore it.
                del self._snapshots[session_id]
                log.exception("session lost", session_id=session_id)
                self._process.kill()
                self._renew()
                break
        return code

    def _end(self) -> int:
        """Lets the child end, and returns how it ended."""
        for connection in (self._requests, self._replies):
            connection.close()
        with suppress(subprocess.TimeoutExpired):
            return self._process.wait(_DYING_S_MAX)
        self._process.kill()
        return self._process.wait()

    def close(self) -> None:
        """Ends the child; a call that waits for it fails."""
        self._closed = True
        self._process.kill()
        with self._process_lock:
            self._end()


def _closed() -> SpringaldError:
    return SchedulerUnavailableError("a planner is open: got a call while the scheduler stops")


def _death(code: int) -> SpringaldError:
    if -code in _STACK_SIGNALS:
        message = f"a query fits the planner's stack of {PLANNER_STACK_BYTES} bytes"
        return PlanTooDeepError(f"{message}: this one is nested deeper; flatten it")
    return InternalError(f"the planner outlives a statement: it ended with code {code}")


_CHANGES_A_SESSION: Final = frozenset({"open_session", "register_files", "register_upload"})


_Call = tuple[str, tuple[Any, ...]]


def _serve(planner: Planner, calls: "SimpleQueue[_Call]", replies: Connection) -> None:
    """Answers calls, one after the other."""
    try:
        while True:
            replies.send(_carried_out(planner, *calls.get()))
    finally:  # without it nobody would answer
        os._exit(1)


def _carried_out(
    planner: Planner, method: str, arguments: tuple[Any, ...]
) -> tuple[bool, Any, Any]:
    """Returns whether a call went well, what it returned or raised, and the session it changed."""
    try:
        value, ok = getattr(planner, method)(*arguments), True
    except SpringaldError as error:
        value, ok = error, False
    except Exception as error:  # noqa: BLE001 - a bug here must not look like a dead planner
        value, ok = InternalError(f"the planner knows its own errors: got {error!r}"), False
    changed = ok and (method in _CHANGES_A_SESSION or isinstance(value, Answered))
    return ok, value, planner.snapshot(arguments[0]) if changed else None


def main() -> None:
    """Runs a planning process; its arguments are two pipes, its folder and the allowed paths."""
    requests_out, replies_in, work_dir, *allowed_paths = sys.argv[1:]
    requests = Connection(int(requests_out), writable=False)
    replies = Connection(int(replies_in), readable=False)
    planner = Planner(allowed_paths, Path(work_dir))
    calls: SimpleQueue[_Call] = SimpleQueue()
    threading.stack_size(PLANNER_STACK_BYTES)
    threading.Thread(target=_serve, args=(planner, calls, replies), daemon=True).start()
    # Read here, so that the end of the scheduler ends this process also while it plans.
    try:
        while True:
            calls.put(requests.recv())
    except EOFError:
        os._exit(0)


if __name__ == "__main__":
    main()
