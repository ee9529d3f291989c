"""A session from the client's side: what it is called, and the thread that keeps it alive."""

import atexit
import logging
import threading
import time
import weakref
from collections.abc import Callable, Mapping
from functools import partial
from queue import Empty, SimpleQueue
from typing import Final
from uuid import uuid4

from springald.checks import check_statement
from springald.client_limits import CLOSE_MS_MAX, RELEASE_HELD_MS
from springald.errors import ProtocolMismatchError, SessionNotFoundError, SpringaldError
from springald.limits import (
    PROTOCOL_MAJOR,
    PROTOCOL_MINOR,
    RELEASES_PROTOCOL_MINOR,
    SESSION_KEEP_INTERVAL_MS,
)
from springald.physical.v1.physical_pb2 import Option
from springald.plan.v1 import plan_pb2
from springald.releases import Releases
from springald.scheduler.v1 import scheduler_pb2 as pb
from springald.transport import Transport
from springald.version import springald_version

__all__ = [
    "Session",
    "close_open_sessions",
    "new_operation_id",
    "plan_of",
    "plan_of_tree",
]

_LOGGER: Final = logging.getLogger(__name__)

_PLAN_MAJOR: Final = 1
_PLAN_MINOR_FOR_SQL: Final = 0
_PLAN_MINOR_FOR_TREES: Final = 1

Chore = Callable[[], object]


def _release_soon() -> None:
    """Marks, among the chores, that results wait to be released; nobody calls it."""


class Session:
    """An open session of a scheduler.

    A thread of its own tells the scheduler that the session is alive, and does what may not be done
    where it is noticed: a result that is garbage is released there, because the garbage collector
    may strike in the middle of a call.

    Args:
        transport: The way to the scheduler; the session closes it.
        settings: Settings to begin with.

    Attributes:
        releases: Results that were given up, for the next statement to take along.
        takes_releases: Whether the scheduler knows how.

    Raises:
        SpringaldError: The scheduler cannot be reached, or refuses the session.
    """

    def __init__(self, transport: Transport, settings: Mapping[str, str]) -> None:
        self.transport = transport
        opened = transport.open_session(
            pb.OpenSessionRequest(
                protocol_version=pb.ProtocolVersion(major=PROTOCOL_MAJOR, minor=PROTOCOL_MINOR),
                client_name=_client_name(),
                settings=[Option(name=name, value=value) for name, value in settings.items()],
            )
        )
        _check_version(opened.protocol_version, transport.address)
        self.id = opened.session_id
        self.scheduler_version = opened.scheduler_version
        self._chores: SimpleQueue[Chore | None] = SimpleQueue()
        self.takes_releases = opened.protocol_version.minor >= RELEASES_PROTOCOL_MINOR
        self.releases = Releases(partial(self._chores.put, _release_soon))
        self._keeper = threading.Thread(
            target=_keep,
            args=(
                *(transport, self.id, self._chores, self.releases),
                _keep_interval_s(opened.lease_ms),
            ),
            name=f"springald-session-{self.id[:8]}",
            daemon=True,
        )
        self._keeper.start()
        self._open = True
        self.held: dict[str, object] = {}
        """What must live as long as a view: the tables of its own, by the view's name."""
        # Nothing here holds the session itself: a connection that is dropped is closed by this.
        weakref.finalize(self, self._chores.put, None).atexit = False
        _OPEN_SESSIONS.add(self)

    @property
    def is_open(self) -> bool:
        """True until the session is closed from this side."""
        return self._open

    def check_open(self) -> None:
        """Raises SessionNotFoundError if the session was closed from this side."""
        if not self._open:
            raise SessionNotFoundError(
                f"a session must be open: got one that was closed, at {self.transport.address}; "
                "connect again"
            )

    def later(self, chore: Chore) -> None:
        """Has something done soon by the session's thread; safe in a finalizer."""
        self._chores.put(chore)

    def close(self) -> None:
        """Ends the session and all it holds; closing again does nothing."""
        self._open = False
        self._chores.put(None)
        if threading.current_thread() is not self._keeper:
            self._keeper.join(2 * CLOSE_MS_MAX / 1000)


def new_operation_id() -> str:
    """Returns a name for one execution of a statement that nobody else uses."""
    return f"op-{uuid4().hex}"


def plan_of(sql: str) -> plan_pb2.Plan:
    """Wraps a statement's text for the wire.

    Raises:
        CallerError: It cannot be sent.
    """
    version = plan_pb2.PlanVersion(
        major=_PLAN_MAJOR, minor=_PLAN_MINOR_FOR_SQL, producer=_client_name()
    )
    return plan_pb2.Plan(version=version, sql=plan_pb2.SqlText(text=check_statement(sql)))


def plan_of_tree(tree: plan_pb2.RelationTree) -> plan_pb2.Plan:
    """Wraps a logical plan for the wire."""
    version = plan_pb2.PlanVersion(
        major=_PLAN_MAJOR, minor=_PLAN_MINOR_FOR_TREES, producer=_client_name()
    )
    return plan_pb2.Plan(version=version, relations=tree)


def _keep(
    transport: Transport,
    session_id: str,
    chores: SimpleQueue[Chore | None],
    releases: Releases,
    interval_s: float,
) -> None:
    """The life of a session's thread: chores, signs of life, and the goodbye at the end."""

    def keep() -> None:
        transport.keep_session(pb.KeepSessionRequest(session_id=session_id))

    def close() -> None:
        transport.close_session(pb.CloseSessionRequest(session_id=session_id))

    def release() -> None:
        if released := releases.take_due():
            first, *more = released
            transport.release_job(
                pb.ReleaseJobRequest(
                    session_id=session_id, operation_id=first, more_operation_ids=more
                )
            )

    release_s: float | None = None
    while True:
        due, wait_s = keep, interval_s
        if release_s is not None:
            due, wait_s = release, max(0.0, release_s - time.monotonic())
        try:
            chore = chores.get(timeout=wait_s)
        except Empty:
            chore = due
        if chore is None:
            break
        if chore is _release_soon:
            release_s = time.monotonic() + RELEASE_HELD_MS / 1000
            continue
        if chore is release:
            release_s = None
        _attempt(chore)
    _attempt(close)
    transport.close()


def _attempt(chore: Chore) -> None:
    """What fails here is met again by the next call that somebody waits for."""
    try:
        chore()
    except SpringaldError as error:
        _LOGGER.debug("a chore of the session failed: %s", error)


def _keep_interval_s(lease_ms: int) -> float:
    """A third of the lease, so that two lost signs of life cost nothing; at most the usual."""
    lease_third_ms = lease_ms / 3 if lease_ms else SESSION_KEEP_INTERVAL_MS
    return min(SESSION_KEEP_INTERVAL_MS, lease_third_ms) / 1000


def _client_name() -> str:
    return f"springald-python/{springald_version()}"


def _check_version(theirs: pb.ProtocolVersion, address: str) -> None:
    if theirs.major != PROTOCOL_MAJOR:
        raise ProtocolMismatchError(
            f"client and scheduler speak one major version of the protocol: got {theirs.major} "
            f"from {address}, {PROTOCOL_MAJOR} here; install the same version on both sides"
        )


_OPEN_SESSIONS: "weakref.WeakSet[Session]" = weakref.WeakSet()


@atexit.register
def close_open_sessions() -> None:
    """Sessions that are open when the interpreter ends are closed while threads still run."""
    for session in list(_OPEN_SESSIONS):
        session.close()
