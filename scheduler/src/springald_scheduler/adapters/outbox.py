"""The actions of a core on their way: first what is to be kept, then what is told.

The core's actions are put in line in the order in which it asked for them. One thread at a time
takes all that wait: it writes what they persist in one go, and carries out the others. So nothing
is told before what makes it true is kept, a slow store holds nobody up who only brings news, and
the more there is to do the fewer writes it takes. What stays inside the process is begun before the
write. Mostly the thread is the one that put them there.
"""

import threading
from collections.abc import Callable, Sequence
from typing import Final

import structlog

from springald.errors import (
    InternalError,
    NotLeaderError,
    SchedulerUnavailableError,
    SpringaldError,
)
from springald_scheduler.core import actions as do

log = structlog.get_logger("springald.scheduler")

Kept = do.Persist | do.Forget

_KEPT: Final = (do.Persist, do.Forget)

_INSIDE: Final = (do.RestoreSession, do.PlanJob)
"""Nobody outside hears of these, so a statement is planned while it is written down. Sessions come
before what is planned in them."""


class Outbox:
    """Actions that wait to be carried out.

    Args:
        write: Keeps records; returns when they are kept, and raises if they never will be.
        carry_out: Does what an action asks for; it raises nothing.
        broken: Told once why `write` has failed for good; nothing is carried out any more, and
            whoever waits is told that this scheduler stops, and why.
    """

    def __init__(
        self,
        write: Callable[[Sequence[Kept]], None],
        carry_out: Callable[[do.Action], None],
        broken: Callable[[SpringaldError], None],
    ) -> None:
        self._write = write
        self._carry_out = carry_out
        self._broken = broken
        self._changed = threading.Condition(threading.Lock())
        self._waiting: list[do.Action] = []
        self._put = 0
        self._done = 0
        self._busy = False
        self._failure: SpringaldError | None = None

    def put(self, actions: Sequence[do.Action]) -> int:
        """Puts actions in line; returns their ticket. Calls come in the order of the core's.

        Raises:
            SpringaldError: The outbox is broken.
        """
        with self._changed:
            if self._failure:
                raise self._failure
            self._waiting += actions
            self._put += len(actions)
            return self._put

    def carry(self) -> None:
        """Carries out what waits, unless another thread is at it, who then does this too."""
        with self._changed:
            if self._busy:
                return
            self._busy = True
        while True:
            with self._changed:
                taken, self._waiting = self._waiting, []
                if not taken or self._failure:
                    self._busy = False
                    return
                ticket = self._put
            try:
                self._carry(taken)
            except SpringaldError as failure:
                self._break(failure)
                return
            except BaseException as bug:
                self._break(InternalError(f"a scheduler does what it decides: got {bug!r}"))
                raise
            with self._changed:
                self._done = ticket
                self._changed.notify_all()

    def wait(self, ticket: int) -> None:
        """Waits until the actions of a ticket, and all before them, have been carried out.

        Raises:
            SpringaldError: They will not be.
        """
        if self._done >= ticket:
            return
        with self._changed:
            self._changed.wait_for(lambda: self._done >= ticket or self._failure)
            if self._done < ticket and self._failure:
                raise self._failure

    @property
    def failure(self) -> SpringaldError | None:
        """Why nothing is carried out any more, for those who ask this scheduler."""
        return self._failure

    @property
    def ticket(self) -> int:
        """The ticket of what was put in line last."""
        return self._put

    def close(self, reason: SpringaldError) -> None:
        """Carries out nothing more; those who wait fail with a reason."""
        with self._changed:
            self._failure = self._failure or reason
            self._changed.notify_all()

    def _carry(self, actions: Sequence[do.Action]) -> None:
        kept = [each for each in actions if isinstance(each, _KEPT)]
        if kept:
            for action in actions:
                if isinstance(action, _INSIDE):
                    self._carry_out(action)
            self._write(kept)
        for action in actions:
            if not isinstance(action, _KEPT) and not (kept and isinstance(action, _INSIDE)):
                self._carry_out(action)

    def _break(self, failure: SpringaldError) -> None:
        with self._changed:
            is_first = self._failure is None
            self._failure = self._failure or _told(failure)
            self._busy = False
            self._changed.notify_all()
        if is_first:
            log.error("state is not kept", reason=failure.message)
            self._broken(failure)


def _told(failure: SpringaldError) -> SpringaldError:
    """Returns what those are told who wait: where they ask next, they may be answered."""
    if isinstance(failure, NotLeaderError):
        return failure
    return SchedulerUnavailableError(
        f"a scheduler must keep its state to run: this one stops, because {failure.message}"
    )
