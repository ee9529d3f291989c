"""Those who follow jobs: each wakes when there is news, and looks how its job stands then.

A slow follower misses nothing but steps in between, and holds nobody up.
"""

import time
from collections.abc import Callable
from queue import Empty, SimpleQueue
from threading import Condition
from typing import Literal, Self

from springald.errors import SpringaldError
from springald_scheduler.core.views import JobView
from springald_scheduler.limits import NEWS_HELD_MS

_Sound = Literal["news", "end"]


class Watches:
    """All followers of all jobs."""

    def __init__(self) -> None:
        self._changed = Condition()
        self._by_job: dict[str, set[Watch]] = {}

    def add(self, watch: "Watch") -> None:
        """Begins to wake a follower."""
        with self._changed:
            self._by_job.setdefault(watch.job_id, set()).add(watch)

    def remove(self, watch: "Watch") -> bool:
        """Stops waking a follower; returns False if that was done before."""
        with self._changed:
            watches = self._by_job.get(watch.job_id, set())
            if watch not in watches:
                return False
            watches.remove(watch)
            if not watches:
                del self._by_job[watch.job_id]
            self._changed.notify_all()
            return True

    def wait_none(self, timeout_s: float) -> None:
        """Waits until nobody follows a job any more, or the time is over."""
        with self._changed:
            self._changed.wait_for(lambda: not self._by_job, timeout_s)

    def wake(self, job_id: str, *, ended: bool) -> None:
        """Wakes all who follow a job; those who hold news only if it has ended."""
        with self._changed:
            for watch in self._by_job.get(job_id, ()):
                watch.wake(ended=ended)

    def close(self, reason: SpringaldError) -> None:
        """Ends all, for a reason that each is told."""
        with self._changed:
            watches = [watch for each in self._by_job.values() for watch in each]
        for watch in watches:
            watch.fail(reason)


class Watch:
    """One follower of a job: how it stands now, then after each news, up to its end.

    One thread iterates; any thread may close.
    """

    def __init__(
        self,
        job_id: str,
        look: Callable[[str], JobView],
        end: Callable[["Watch"], None],
    ) -> None:
        self.job_id = job_id
        self._look = look
        self._end = end
        self._bell: SimpleQueue[_Sound] = SimpleQueue()
        self._ended = False
        self._holding = False
        self._failure: SpringaldError | None = None
        self.wake()

    def wake(self, *, ended: bool = False) -> None:
        """Says that there is news; who holds news for a moment is woken by the job's end only."""
        if ended or not self._holding:
            self._bell.put("news")

    def fail(self, reason: SpringaldError) -> None:
        """Stops following for a reason, which is raised to a thread that waits."""
        self._failure = reason
        self.close()

    def close(self) -> None:
        """Stops following, also for a thread that waits. Closing again does nothing."""
        self._end(self)
        self._bell.put("end")

    def __iter__(self) -> Self:
        """Returns itself."""
        return self

    def __next__(self) -> JobView:
        """Waits for news; the view is of now, however many news there were.

        The end is told at once, and all else is held for a moment, so that a job which is over in
        that time is told of once.

        Raises:
            JobNotFoundError: The job has been forgotten meanwhile.
            SpringaldError: The scheduler stops.
        """
        if self._ended or not self._wait():
            raise self._end_of_news()
        view = self._look(self.job_id)
        if not view.state.terminal:
            view = self._later(view)
        if view.state.terminal:
            self._ended = True
            self._end(self)
        return view

    def _later(self, view: JobView) -> JobView:
        """Returns how the job stands after a moment, or as soon as it has ended."""
        until = time.monotonic() + NEWS_HELD_MS / 1000
        self._holding = True
        try:
            # News of before the hold may still be in line.
            while not view.state.terminal and (left_s := until - time.monotonic()) > 0:
                if not self._wait(left_s):
                    raise self._end_of_news()
                view = self._look(self.job_id)
        except Empty:
            pass
        finally:
            self._holding = False
        # What came while nobody was woken.
        return view if view.state.terminal else self._look(self.job_id)

    def _end_of_news(self) -> Exception:
        """Ends it; returns what says so, the reason once."""
        self._ended = True
        reason, self._failure = self._failure, None
        return reason or StopIteration()

    def _wait(self, timeout_s: float | None = None) -> bool:
        """Waits for news; False if it is the end.

        Raises:
            Empty: There was nothing in time.
        """
        sound = self._bell.get(timeout=timeout_s)
        while sound == "news" and not self._bell.empty():
            sound = self._bell.get()
        return sound == "news"
