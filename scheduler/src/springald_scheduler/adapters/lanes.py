"""Work in lanes: in order inside each, and side by side between them.

Work that waits for its lane takes no thread, so a lane that is slow leaves the threads to others.
"""

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TypeAlias

Work: TypeAlias = Callable[[], None]


class Lanes:
    """Runs work on a bounded number of threads.

    Args:
        threads_max: How many lanes move at the same time.
        name: What the threads are called.
    """

    def __init__(self, threads_max: int, name: str) -> None:
        self._workers = ThreadPoolExecutor(threads_max, name)
        self._lock = threading.Lock()
        self._waiting: dict[str, deque[Work]] = {}

    def submit(self, lane: str, work: Work) -> None:
        """Puts work, which raises nothing, at the end of a lane.

        Raises:
            RuntimeError: The lanes are closed, or the interpreter ends.
        """
        with self._lock:
            waiting = self._waiting.get(lane)
            if waiting is not None:
                waiting.append(work)
                return
            self._workers.submit(self._move, lane, work)
            self._waiting[lane] = deque()

    def _move(self, lane: str, work: Work) -> None:
        try:
            work()
        finally:
            with self._lock:
                waiting = self._waiting[lane]
                if not waiting:
                    del self._waiting[lane]
                else:
                    # Behind the other lanes, which get their turn first.
                    with suppress(RuntimeError):  # closed
                        self._workers.submit(self._move, lane, waiting.popleft())

    def close(self) -> None:
        """Waits for the work that has begun, and does no more."""
        self._workers.shutdown(cancel_futures=True)
