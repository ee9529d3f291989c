"""The planner in a process of its own.

The engine plans by recursion on the native stack and folds constants while it plans: a statement
can kill the process that plans it, fill its memory, or keep it busy. So each child has a large
stack, and whoever asks it something watches its time and memory and ends it when it takes too much.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Final, cast

import psutil

from springald.errors import (
    DeadlineExceededError,
    InternalError,
    OutOfMemoryError,
    PlanTooDeepError,
    SpringaldError,
)
from springald_scheduler.limits import PLANNING_LOOK_MS
from springald_scheduler.planning.model import Answered, SessionSnapshot
from springald_scheduler.planning.planner import Planner

PLANNER_STACK_BYTES: Final = 512 * 1024 * 1024
"""The stack that the engine plans on; only what is used takes memory."""

_DYING_S_MAX: Final = 5.0
"""How long a child that closed its pipes may take to end by itself, and to say of what."""

_STACK_SIGNALS: Final = frozenset({signal.SIGSEGV, signal.SIGABRT, signal.SIGBUS})


@dataclass(frozen=True, slots=True)
class PlanningLimits:
    """What one statement may take of a planning process.

    Attributes:
        ms_max: Its time.
        bytes_max: By how much the process may grow.
    """

    ms_max: int
    bytes_max: int


@dataclass(frozen=True, slots=True)
class Reply:
    """What came of a call.

    Attributes:
        value: What it returned.
        snapshot: The session, if the call changed it.
        bytes_used: The memory of the process after a call that took a while; 0 is not known.
    """

    value: object
    snapshot: SessionSnapshot | None
    bytes_used: int = 0


class PlannerChild:
    """One planning process; one caller at a time uses it.

    Attributes:
        sessions: Ids of the sessions that are at home here.
        stale: Ids of sessions that it still holds and that live elsewhere, or not any more.
    """

    def __init__(
        self, allowed_paths: Sequence[str], writable_paths: Sequence[str], work_dir: Path
    ) -> None:
        """Starts the process; it is ready within a second, and the first call waits for it."""
        self.sessions: set[str] = set()
        self.stale: set[str] = set()
        self._work_dir = work_dir
        self._code: int | None = None
        requests_out, requests_in = os.pipe()
        replies_out, replies_in = os.pipe()
        command = [sys.executable, "-m", __name__, str(requests_out), str(replies_in)]
        self._process = psutil.Popen(
            [*command, str(work_dir), json.dumps([*allowed_paths]), json.dumps([*writable_paths])],
            pass_fds=(requests_out, replies_in),
            stdin=subprocess.DEVNULL,
            # A person's Ctrl-C is for the scheduler, which ends its children itself.
            start_new_session=True,
        )
        os.close(requests_out)
        os.close(replies_in)
        self._requests = Connection(requests_in, readable=False)
        self._replies = Connection(replies_out, writable=False)

    @property
    def pid(self) -> int:
        """Its process id."""
        return int(self._process.pid)

    @property
    def lives(self) -> bool:
        """False once the process has ended."""
        return self._code is None and self._process.poll() is None

    def ask(self, method: str, arguments: tuple[object, ...], limits: PlanningLimits) -> Reply:
        """Makes one call.

        Raises:
            SpringaldError: What the planner raised; if the process does not live any more, what
                the statement did to it.
        """
        try:
            before = self._memory_bytes()
            self._requests.send((self._take_stale(), method, arguments))
            used = self._wait(limits, before)
            ok, value, snapshot = self._replies.recv()
        except (EOFError, OSError, psutil.NoSuchProcess):
            raise _death(self.end()) from None
        if not ok:
            raise cast("SpringaldError", value)
        return Reply(value, snapshot, used)

    def _wait(self, limits: PlanningLimits, before: int) -> int:
        """Waits for a reply; returns the memory that was last seen, 0 if nobody had to look.

        Raises:
            DeadlineExceededError: It takes too long; the process is ended.
            OutOfMemoryError: It takes too much; the process is ended.
        """
        deadline, used = time.monotonic() + limits.ms_max / 1000, 0
        while not self._replies.poll(PLANNING_LOOK_MS / 1000):
            used = self._memory_bytes()
            if used - before > limits.bytes_max:
                self.kill()
                self.end()
                raise OutOfMemoryError(
                    f"a statement is planned within {limits.bytes_max} bytes of memory: this one "
                    f"took {used - before}; shorten it, or raise the scheduler's --planning-memory"
                )
            if time.monotonic() > deadline:
                self.kill()
                self.end()
                message = f"a statement is planned within {limits.ms_max} ms: this one was not"
                raise DeadlineExceededError(f"{message}; read fewer files or shorten the query")
        return used

    def _take_stale(self) -> tuple[str, ...]:
        taken = []
        while self.stale:  # others add to it meanwhile
            taken.append(self.stale.pop())
        return tuple(taken)

    def _memory_bytes(self) -> int:
        return int(self._process.memory_info().rss)

    def kill(self) -> None:
        """Ends the process on the spot, also while a caller waits for it, who then fails."""
        with suppress(psutil.NoSuchProcess):
            self._process.kill()

    def end(self) -> int:
        """Lets the process end, removes its folder, and returns how it ended; not while it is used.

        Ending it again does nothing.
        """
        if self._code is None:
            for connection in (self._requests, self._replies):
                connection.close()
            try:
                self._code = int(self._process.wait(_DYING_S_MAX))
            except psutil.TimeoutExpired:
                self.kill()
                self._code = int(self._process.wait())
            shutil.rmtree(self._work_dir, ignore_errors=True)
        return self._code


def _death(code: int) -> SpringaldError:
    if -code in _STACK_SIGNALS:
        message = f"a query fits the planner's stack of {PLANNER_STACK_BYTES} bytes"
        return PlanTooDeepError(f"{message}: this one is nested deeper; flatten it")
    return InternalError(f"the planner outlives a statement: it ended with code {code}")


_CHANGES_A_SESSION: Final = frozenset({"open_session", "register_files", "register_upload"})


_Call = tuple[tuple[str, ...], str, tuple[Any, ...]]


def _serve(planner: Planner, calls: "SimpleQueue[_Call]", replies: Connection) -> None:
    """Answers calls, one after the other."""
    try:
        while True:
            stale, method, arguments = calls.get()
            for session_id in stale:
                planner.close_session(session_id)
            replies.send(_carried_out(planner, method, arguments))
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
    """Runs a planning process; its arguments are two pipes, its folder, and the allowed paths."""
    requests_out, replies_in, work_dir, allowed_paths, writable_paths = sys.argv[1:]
    requests = Connection(int(requests_out), writable=False)
    replies = Connection(int(replies_in), readable=False)
    allowed, writable = json.loads(allowed_paths), json.loads(writable_paths)
    planner = Planner(allowed, Path(work_dir), writable_paths=writable)
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
