"""Results that were given up, and of which the scheduler is told when there is an occasion."""

from collections import deque
from collections.abc import Callable, Iterable

from springald.limits import RELEASED_PER_CALL_MAX

__all__ = ["Releases"]


class Releases:
    """Names of jobs that wait to be released: with the next statement, or after a moment.

    Nothing here takes a lock: the garbage collector gives results up in the middle of anything.

    Example:
        >>> releases = Releases(lambda: print("soon"))
        >>> releases.add("op-1")
        soon
        >>> releases.add("op-2")
        >>> releases.take()
        ['op-1', 'op-2']

    Args:
        soon: Has `take_due` called in a moment.
    """

    def __init__(self, soon: Callable[[], None]) -> None:
        self._soon = soon
        self._waiting: deque[str] = deque()
        self._is_due = False

    def add(self, operation_id: str) -> None:
        """Has a job released."""
        self._waiting.append(operation_id)
        self._make_due()

    def take(self) -> list[str]:
        """Returns jobs for one call, which releases them; the others stay."""
        taken: list[str] = []
        while len(taken) < RELEASED_PER_CALL_MAX:
            try:
                taken.append(self._waiting.popleft())
            except IndexError:  # another thread may have taken the last one
                break
        return taken

    def take_due(self) -> list[str]:
        """Returns what nothing else has taken meanwhile."""
        self._is_due = False  # first, so that whoever adds one from now on asks again
        taken = self.take()
        if self._waiting:
            self._make_due()
        return taken

    def put_back(self, operation_ids: Iterable[str]) -> None:
        """Takes jobs back whose call did not come through."""
        self._waiting.extend(operation_ids)
        if self._waiting:
            self._make_due()

    def _make_due(self) -> None:
        if not self._is_due:
            self._is_due = True
            self._soon()
