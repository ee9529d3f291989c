"""Whose turn it is among jobs with tasks to place, as far as there are slots for them."""

import heapq
from collections.abc import Mapping


class Turns:
    """The turns of all jobs of a queue, by how many slots their smallest next task needs.

    Finding the job whose turn it is, of all or of those that fit, and giving it another turn, cost
    O(log n) jobs: there is a heap for each number of slots, and there are few different ones. What
    is out of date in a heap is dropped when it comes up.

    Args:
        queue: The jobs; those that are not in it have no turn.

    Example:
        >>> turns = Turns({"j1": None, "j2": None})
        >>> turns.give("j1", 4)
        >>> turns.give("j2", 1)
        >>> turns.first(), turns.first(slots_max=3)
        ('j1', 'j2')
    """

    def __init__(self, queue: Mapping[str, object]) -> None:
        self._queue = queue
        self._given = 0
        self._current: dict[str, tuple[int, int]] = {}
        self._heaps: dict[int, list[tuple[int, str]]] = {}

    def give(self, job_id: str, slots: int) -> None:
        """Puts a job behind all others."""
        self._given += 1
        self._set(job_id, self._given, slots)

    def change(self, job_id: str, slots: int) -> None:
        """Notes that a job's smallest next task needs another number of slots; its turn stays."""
        turn, before = self._current[job_id]
        if slots != before:
            self._set(job_id, turn, slots)

    def slots(self, job_id: str) -> int:
        """How many slots the smallest next task of a job needs."""
        return self._current[job_id][1]

    def first(self, slots_max: int | None = None) -> str | None:
        """Returns the job whose turn it is, of those that need at most so many slots."""
        heads = [
            heap[0]
            for slots in list(self._heaps)
            if (slots_max is None or slots <= slots_max) and (heap := self._fresh(slots))
        ]
        return min(heads)[1] if heads else None

    def _set(self, job_id: str, turn: int, slots: int) -> None:
        self._current[job_id] = (turn, slots)
        heapq.heappush(self._heaps.setdefault(slots, []), (turn, job_id))

    def _fresh(self, slots: int) -> list[tuple[int, str]]:
        """Returns a heap whose first entry holds; an empty one is forgotten."""
        heap = self._heaps[slots]
        while heap:
            turn, job_id = heap[0]
            queued = job_id in self._queue
            if queued and self._current.get(job_id) == (turn, slots):
                return heap
            heapq.heappop(heap)
            if not queued:
                self._current.pop(job_id, None)
        del self._heaps[slots]
        return heap
