"""A thread that calls at a time: the core's sense of time. It sleeps until then."""

import threading
from collections.abc import Callable
from typing import Self


class Timer:
    """Calls a function when a time has come that was set before.

    Args:
        now_ms: Tells the time.
        ring: Is called, in the timer's thread, at or after the time; it may set the next one.
    """

    def __init__(self, now_ms: Callable[[], int], ring: Callable[[], None]) -> None:
        self._now_ms = now_ms
        self._ring = ring
        self._changed = threading.Condition()
        self._due_ms: int | None = None
        self._closed = False
        # A program that forgets to close its local session ends all the same.
        self._thread = threading.Thread(target=self._run, name="springald-timer", daemon=True)
        self._thread.start()

    def set(self, due_ms: int | None) -> None:
        """Sets a time; a later one than is set already is left to the ring in between."""
        if due_ms is None:
            return
        with self._changed:
            if self._due_ms is None or due_ms < self._due_ms:
                self._due_ms = due_ms
                self._changed.notify()

    def close(self) -> None:
        """Ends the thread; it calls no more when this returns."""
        with self._changed:
            self._closed = True
            self._changed.notify()
        if threading.current_thread() is not self._thread:
            self._thread.join()

    def __enter__(self) -> Self:
        """Returns itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Closes it."""
        self.close()

    def _run(self) -> None:
        while self._wait_due():
            self._ring()

    def _wait_due(self) -> bool:
        with self._changed:
            while not self._closed:
                wait_ms = None if self._due_ms is None else self._due_ms - self._now_ms()
                if wait_ms is not None and wait_ms <= 0:
                    self._due_ms = None
                    return True
                self._changed.wait(None if wait_ms is None else wait_ms / 1000)
        return False
