"""Which executor has how many free slots, and whose turn it is where they are scarce."""

import heapq
from collections import Counter

from springald_scheduler.core.model import Executor
from springald_scheduler.core.states import ExecutorState


class SlotPool:
    """The slots of all executors that take tasks.

    Finding the roomiest executor, and taking and giving slots, cost O(log n).

    One executor at a time may be reserved for a task that needs more slots than are free together
    anywhere, so that a stream of smaller tasks cannot starve it.
    """

    def __init__(self) -> None:
        self._active: dict[int, Executor] = {}
        self._sizes: Counter[int] = Counter()
        self._heap: list[tuple[int, int]] = []
        self._reserved: Executor | None = None
        self._reserved_for = ("", 0)

    @property
    def empty(self) -> bool:
        """True if no executor takes tasks."""
        return not self._active

    @property
    def slots_total(self) -> int:
        """Slots of the executors that take tasks."""
        return sum(size * count for size, count in self._sizes.items())

    @property
    def smallest(self) -> int:
        """The slots of the smallest executor; 0 if there is none."""
        return min(self._sizes, default=0)

    @property
    def largest(self) -> int:
        """The slots of the largest executor; 0 if there is none."""
        return max(self._sizes, default=0)

    @property
    def reservation(self) -> tuple[Executor, tuple[str, int]] | None:
        """The reserved executor, and the job and stage that it is reserved for."""
        return (self._reserved, self._reserved_for) if self._reserved else None

    def add(self, executor: Executor) -> None:
        """Lets an executor take tasks."""
        self._active[executor.order] = executor
        self._sizes[executor.slots] += 1
        self._push(executor)

    def remove(self, executor: Executor) -> None:
        """Gives an executor no more tasks; one that is not in the pool is ignored."""
        if self._active.pop(executor.order, None) is None:
            return
        self._sizes[executor.slots] -= 1
        if not self._sizes[executor.slots]:
            del self._sizes[executor.slots]
        if self._reserved is executor:
            self._reserved = None

    def take(self, executor: Executor, slots: int) -> None:
        """Occupies slots."""
        executor.free -= slots
        self._push(executor)

    def give(self, executor: Executor, slots: int) -> None:
        """Frees slots."""
        executor.free += slots
        self._push(executor)

    def takes(self, executor: Executor, slots: int) -> bool:
        """True if an executor may be given a task of so many slots now."""
        return (
            executor.state is ExecutorState.ACTIVE
            and executor.free >= slots
            and executor is not self._reserved
        )

    def roomiest(self) -> Executor | None:
        """Returns the executor with most free slots that is not reserved; None if all are full.

        Of several it is the one that registered first.
        """
        while self._heap:
            free, order = -self._heap[0][0], self._heap[0][1]
            executor = self._active.get(order)
            if executor and executor.free == free and executor is not self._reserved:
                return executor
            heapq.heappop(self._heap)
        return None

    def reserve(self, slots: int, job_id: str, stage_id: int) -> None:
        """Keeps the executor that will soonest have so many slots free for a stage's next task."""
        large = [executor for executor in self._active.values() if executor.slots >= slots]
        self._reserved = max(large, key=lambda executor: (executor.free, -executor.order))
        self._reserved_for = (job_id, stage_id)

    def clear_reservation(self) -> None:
        """Gives the reserved executor back to everybody."""
        executor, self._reserved = self._reserved, None
        if executor:
            self._push(executor)

    def _push(self, executor: Executor) -> None:
        if executor.free > 0 and executor.order in self._active:
            heapq.heappush(self._heap, (-executor.free, executor.order))
        if len(self._heap) > 4 * len(self._active) + 64:
            self._heap = [(-each.free, each.order) for each in self._active.values() if each.free]
            heapq.heapify(self._heap)
