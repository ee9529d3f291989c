"""Planning processes and the sessions in them.

A session is at home in one child, where its calls are made in order. What it is made of is kept
here too, so when its home has died, or is stuck in another session's statement, it is opened again
in another child and stays there.
"""

import threading
import time
from collections import deque
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final, Self, cast

import structlog

from springald.errors import OverloadedError, SchedulerUnavailableError, SpringaldError
from springald_scheduler.adapters.planner_process import PlannerChild, PlanningLimits
from springald_scheduler.limits import (
    PLANNER_PATIENCE_MS,
    PLANNER_SPARE_MS,
    PLANNER_WAIT_MS_MAX,
    PLANNERS_MAX,
    PLANNERS_READY,
    PLANNING_BYTES_MAX,
    PLANNING_MS_MAX,
)
from springald_scheduler.planning.model import (
    Answered,
    ClusterShape,
    Planned,
    SessionSnapshot,
    TableInfo,
    Upload,
)
from springald_scheduler.planning.planner import unknown_session
from springald_scheduler.planning.reading import Statement

_RESTORES_MAX: Final = 2
"""How many children may die of a session that they are to open again."""

log = structlog.get_logger("springald.planner")


class PlannerProcesses:
    """Offers `Planner`'s calls over child processes; safe to use from many threads.

    Args:
        allowed_paths: Folders that tables may be read from.
        work_dir: Where each child gets a folder.
        writable_paths: Folders that files may be written to; none means the same.
        processes: Children that are kept ready, beside those that are stuck.
        processes_max: Children at most.
        planning_ms_max: The time that a statement may take.
        planning_bytes_max: The memory that a statement may take.
        wait_ms_max: How long a statement may wait for a child.
    """

    def __init__(
        self,
        allowed_paths: Iterable[str | Path],
        work_dir: Path,
        *,
        writable_paths: Iterable[str | Path] | None = None,
        processes: int = PLANNERS_READY,
        processes_max: int = PLANNERS_MAX,
        planning_ms_max: int = PLANNING_MS_MAX,
        planning_bytes_max: int = PLANNING_BYTES_MAX,
        wait_ms_max: int = PLANNER_WAIT_MS_MAX,
    ) -> None:
        self._wait_ms_max = wait_ms_max
        self._limits = PlanningLimits(planning_ms_max, planning_bytes_max)
        allowed = [str(path) for path in allowed_paths]
        writable = allowed if writable_paths is None else [str(path) for path in writable_paths]
        self._children = _Children(allowed, writable, work_dir, processes, processes_max)
        self._sessions: dict[str, _Session] = {}

    @property
    def pids(self) -> tuple[int, ...]:
        """The children's process ids, as of now."""
        return self._children.pids

    def open_session(self, session_id: str, settings: Mapping[str, str]) -> None:
        """See `Planner.open_session`."""
        session = _Session(session_id)
        try:
            self._call(session, "open_session", dict(settings))
        except SpringaldError:
            self._children.forget(session, self._limits)
            raise
        self._sessions[session_id] = session

    def restore_session(self, session_id: str, catalog: SessionSnapshot) -> None:
        """See `Planner.restore_session`; a child makes it with the first call."""
        session = _Session(session_id)
        session.snapshot = catalog
        self._sessions[session_id] = session

    def catalog(self, session_id: str) -> SessionSnapshot | None:
        """See `Planner.catalog`."""
        session = self._sessions.get(session_id)
        return session.snapshot if session else None

    def close_session(self, session_id: str) -> None:
        """See `Planner.close_session`."""
        session = self._sessions.pop(session_id, None)
        if session is not None:
            with session.turns:
                self._children.forget(session, self._limits)

    def run(self, session_id: str, statement: Statement, shape: ClusterShape) -> Answered | Planned:
        """See `Planner.run`."""
        return cast(
            "Answered | Planned", self._call(self._find(session_id), "run", statement, shape)
        )

    def describe(self, session_id: str, statement: Statement) -> bytes:
        """See `Planner.describe`."""
        return cast("bytes", self._call(self._find(session_id), "describe", statement))

    def register_files(
        self,
        session_id: str,
        name: str,
        file_format: str,
        path: str,
        options: Iterable[tuple[str, str]],
    ) -> TableInfo:
        """See `Planner.register_files`."""
        arguments = (name, file_format, path, list(options))
        session = self._find(session_id)
        return cast("TableInfo", self._call(session, "register_files", *arguments))

    def register_upload(self, session_id: str, name: str, upload: Upload) -> TableInfo:
        """See `Planner.register_upload`."""
        session = self._find(session_id)
        return cast("TableInfo", self._call(session, "register_upload", name, upload))

    def list_tables(self, session_id: str) -> list[TableInfo]:
        """See `Planner.list_tables`."""
        return cast("list[TableInfo]", self._call(self._find(session_id), "list_tables"))

    def close(self) -> None:
        """Ends the children; calls that wait for one fail."""
        self._children.close()

    def _find(self, session_id: str) -> "_Session":
        session = self._sessions.get(session_id)
        if session is None:
            raise unknown_session(session_id)
        return session

    def _call(self, session: "_Session", method: str, *arguments: object) -> object:
        """Makes one call where the session is at home.

        Raises:
            SpringaldError: What the planner raised, or what the statement did to its process.
        """
        with session.turns:
            is_new = session.snapshot is None
            if not is_new and self._sessions.get(session.session_id) is not session:
                raise unknown_session(session.session_id)
            child = self._children.take(session, self._wait_ms_max)
            used = 0
            try:
                if session.home is not child:
                    self._restore(session, child)
                reply = child.ask(method, (session.session_id, *arguments), self._limits)
                used = reply.bytes_used
                session.snapshot = reply.snapshot or session.snapshot
            except SpringaldError:
                self._children.check_open()  # if it was closed, that is why
                raise
            finally:
                self._children.give_back(child, worn=used > self._limits.bytes_max)
            return reply.value

    def _restore(self, session: "_Session", child: PlannerChild) -> None:
        """Makes a child the session's home; one that no child survives is forgotten."""
        if session.snapshot is not None:
            try:
                arguments = (session.session_id, session.snapshot)
                child.stale.discard(session.session_id)
                child.ask("restore_session", arguments, self._limits)
            except SpringaldError:
                session.restores += 1
                if session.restores >= _RESTORES_MAX:
                    log.exception("session lost", session_id=session.session_id)
                    self._sessions.pop(session.session_id, None)
                raise
            session.restores = 0
        self._children.settle(session, child)


class _Turns:
    """Lets callers in one at a time, in the order in which they came."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._taken = False
        self._waiting: deque[threading.Event] = deque()

    def __enter__(self) -> Self:
        with self._lock:
            if not self._taken:
                self._taken = True
                return self
            bell = threading.Event()
            self._waiting.append(bell)
        bell.wait()
        return self

    def __exit__(self, *_: object) -> None:
        with self._lock:
            if self._waiting:
                self._waiting.popleft().set()
            else:
                self._taken = False


class _Session:
    """A session, and what is needed to open it again.

    Attributes:
        session_id: Its id.
        turns: Orders its calls.
        home: The child that has it open; it may have died meanwhile.
        snapshot: What it is made of; None before it was opened.
        restores: How many children have just died of opening it again.
    """

    def __init__(self, session_id: str) -> None:
        self.session_id = session_id
        self.turns = _Turns()
        self.home: PlannerChild | None = None
        self.snapshot: SessionSnapshot | None = None
        self.restores = 0


class _Waiter:
    """A call that waits for a child."""

    def __init__(self, session: _Session) -> None:
        self.session = session
        self.bell = threading.Event()
        self.child: PlannerChild | None = None


class _Children:
    """All children: who is used by whom, and who waits for one.

    A child is stuck if its call takes longer than anyone else should wait. Stuck children do not
    count: as many others as are kept ready are started beside them, up to the maximum.
    """

    def __init__(
        self,
        allowed_paths: list[str],
        writable_paths: list[str],
        work_dir: Path,
        ready: int,
        children_max: int,
    ) -> None:
        self._allowed_paths = allowed_paths
        self._writable_paths = writable_paths
        self._work_dir = work_dir
        self._ready = ready
        self._children_max = children_max
        self._lock = threading.Lock()
        self._closed = False
        self._started = 0
        self._idle_since: dict[PlannerChild, float] = {}
        self._busy_since: dict[PlannerChild, float] = {}
        self._waiters: deque[_Waiter] = deque()
        with self._lock:
            self._start_missing()

    @property
    def pids(self) -> tuple[int, ...]:
        with self._lock:
            return tuple(child.pid for child in self._all())

    def take(self, session: _Session, wait_ms_max: int) -> PlannerChild:
        """Waits for a child, if possible the session's home; the caller gives it back.

        Raises:
            OverloadedError: There was none in time.
            SchedulerUnavailableError: The pool is closed.
        """
        deadline = time.monotonic() + wait_ms_max / 1000
        with self._lock:
            self.check_open()
            child = self._choose(session)
            if child is not None:
                return child
            waiter = _Waiter(session)
            self._waiters.append(waiter)
        while True:
            waiter.bell.wait(PLANNER_PATIENCE_MS / 1000)
            with self._lock:
                if waiter.child is not None:
                    return waiter.child
                try:
                    self.check_open()
                    child = self._choose(session)
                    if child is None and time.monotonic() > deadline:
                        raise OverloadedError(
                            f"a statement waits at most {wait_ms_max} ms for a planner: all "
                            f"{len(self._all())} are busy with others; try again later"
                        )
                except SpringaldError:
                    self._waiters.remove(waiter)
                    raise
                if child is not None:
                    self._waiters.remove(waiter)
                    return child
                waiter.bell.clear()

    def give_back(self, child: PlannerChild, *, worn: bool) -> None:
        """Takes a child back, for whoever has waited for it longest.

        Args:
            child: The child; it may be dead.
            worn: It is not to be used again.
        """
        with self._lock:
            self._busy_since.pop(child, None)
            if worn or self._closed or not child.lives:
                self._bury(child)
                self._start_missing()
                return
            for waiter in self._waiters:
                if self._suits(child, waiter.session):
                    self._waiters.remove(waiter)
                    waiter.child = child
                    self._busy_since[child] = time.monotonic()
                    waiter.bell.set()
                    return
            self._idle_since[child] = time.monotonic()
            self._end_spares()

    def settle(self, session: _Session, child: PlannerChild) -> None:
        """Makes a child a session's home; the former one forgets it when it can."""
        with self._lock:
            if session.home is not None:
                session.home.sessions.discard(session.session_id)
                session.home.stale.add(session.session_id)
                log.info("session moved", session_id=session.session_id, planner=child.pid)
            session.home = child
            child.sessions.add(session.session_id)

    def forget(self, session: _Session, limits: PlanningLimits) -> None:
        """Lets the session's home forget it: at once, or with its next call if it has one now."""
        home = session.home
        if home is None:
            return
        with self._lock:
            home.sessions.discard(session.session_id)
            home.stale.add(session.session_id)
            if home not in self._idle_since or not home.lives:
                return
            self._use(home)
        try:
            home.ask("close_session", (session.session_id,), limits)
        finally:
            self.give_back(home, worn=False)

    def close(self) -> None:
        """Ends all children; those that are used are ended by their callers, who fail."""
        with self._lock:
            self._closed = True
            for child in self._all():
                child.kill()
            for child in list(self._idle_since):
                self._bury(child)
            for waiter in self._waiters:
                waiter.bell.set()

    def check_open(self) -> None:
        """Raises SchedulerUnavailableError once the pool is closed."""
        if self._closed:
            message = "a planner is open: got a call while the scheduler stops"
            raise SchedulerUnavailableError(message)

    # Below, the lock is held.

    def _all(self) -> list[PlannerChild]:
        return [*self._idle_since, *self._busy_since]

    def _choose(self, session: _Session) -> PlannerChild | None:
        """Returns a child to use now, or nothing if the call is to wait."""
        for child in [child for child in self._idle_since if not child.lives]:
            self._bury(child)
        self._start_missing()
        suiting = [child for child in self._idle_since if self._suits(child, session)]
        if not suiting:
            return None
        child = min(suiting, key=lambda each: (each is not session.home, len(each.sessions)))
        return self._use(child)

    def _use(self, child: PlannerChild) -> PlannerChild:
        del self._idle_since[child]
        self._busy_since[child] = time.monotonic()
        return child

    def _suits(self, child: PlannerChild, session: _Session) -> bool:
        """True if the child is the session's home, or the session cannot go on there soon."""
        home = session.home
        if home is None or home is child:
            return True
        return home not in self._idle_since and (
            home not in self._busy_since or self._is_stuck(home)
        )

    def _is_stuck(self, child: PlannerChild) -> bool:
        busy_s = time.monotonic() - self._busy_since.get(child, time.monotonic())
        return busy_s * 1000 >= PLANNER_PATIENCE_MS

    def _start_missing(self) -> None:
        """Starts as many children as are to be ready, ahead of those who will need them."""
        while not self._closed and len(self._all()) < self._children_max:
            if sum(not self._is_stuck(child) for child in self._all()) >= self._ready:
                return
            self._started += 1
            work_dir = self._work_dir / f"planner-{self._started}"
            child = PlannerChild(self._allowed_paths, self._writable_paths, work_dir)
            self._idle_since[child] = time.monotonic()

    def _end_spares(self) -> None:
        """Ends a child that has not been needed for long."""
        if len(self._idle_since) <= self._ready:
            return
        child = min(self._idle_since, key=lambda each: self._idle_since[each])
        if (time.monotonic() - self._idle_since[child]) * 1000 > PLANNER_SPARE_MS:
            self._bury(child)

    def _bury(self, child: PlannerChild) -> None:
        """Ends a child that nobody uses; its sessions are opened elsewhere when they are needed."""
        self._idle_since.pop(child, None)
        code = child.end()
        if code and not self._closed:
            log.warning("planner died", exit_code=code, sessions=len(child.sessions))
        for waiter in self._waiters:
            waiter.bell.set()
