"""Deadlines that the core waits for; the driver asks for the next one and says when it passed."""

import heapq
from enum import Enum


class AlarmKind(Enum):
    """What a deadline is about."""

    SESSION = "session"
    EXECUTOR = "executor"
    STRANDED = "stranded"
    UNWATCHED = "unwatched"
    PROGRESS = "progress"
    UPLOAD = "upload"
    RESTORE = "restore"
    RETRY = "retry"
    WRITE = "write"


Alarm = tuple[AlarmKind, str]


class Alarms:
    """At most one time for each kind and subject; setting one again replaces it.

    Setting, clearing and taking cost O(log n): what was replaced stays in the heap until it comes
    up, or until half of the heap is of that sort.

    Example:
        >>> alarms = Alarms()
        >>> alarms.set(AlarmKind.SESSION, "s1", 50)
        >>> alarms.next_ms, alarms.take_due(50), alarms.next_ms
        (50, (<AlarmKind.SESSION: 'session'>, 's1'), None)
    """

    def __init__(self) -> None:
        self._heap: list[tuple[int, int, Alarm]] = []
        self._times: dict[Alarm, tuple[int, int]] = {}
        self._count = 0

    def __contains__(self, alarm: Alarm) -> bool:
        return alarm in self._times

    def __len__(self) -> int:
        return len(self._times)

    def subjects(self, kind: AlarmKind) -> set[str]:
        """Returns what alarms of a kind are set for."""
        return {subject for each, subject in self._times if each is kind}

    def set(self, kind: AlarmKind, subject: str, at_ms: int) -> None:
        """Sets or moves an alarm."""
        self._count += 1
        self._times[kind, subject] = (at_ms, self._count)
        heapq.heappush(self._heap, (at_ms, self._count, (kind, subject)))
        if len(self._heap) > 2 * len(self._times) + 64:
            self._heap = [(at, count, alarm) for alarm, (at, count) in self._times.items()]
            heapq.heapify(self._heap)

    def clear(self, kind: AlarmKind, subject: str) -> None:
        """Removes an alarm if it is set."""
        self._times.pop((kind, subject), None)

    @property
    def next_ms(self) -> int | None:
        """When the next alarm is due, or None."""
        self._drop_replaced()
        return self._heap[0][0] if self._heap else None

    def take_due(self, now_ms: int) -> Alarm | None:
        """Removes and returns the first alarm that is due, or returns None."""
        at_ms = self.next_ms
        if at_ms is None or at_ms > now_ms:
            return None
        _, _, alarm = heapq.heappop(self._heap)
        del self._times[alarm]
        return alarm

    def _drop_replaced(self) -> None:
        while self._heap and self._times.get(self._heap[0][2]) != self._heap[0][:2]:
            heapq.heappop(self._heap)
