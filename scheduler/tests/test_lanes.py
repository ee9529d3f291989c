"""Work in lanes."""

import threading
from concurrent.futures import Future
from functools import partial

from scheduler_kit import DEADLINE_S

from springald_scheduler.adapters.lanes import Lanes


def wait_for(event: threading.Event, wait_s: float = DEADLINE_S) -> None:
    """Waits, as work that is slow, and fails if it waits too long."""
    assert event.wait(wait_s)


def test_work_of_a_lane_is_done_in_order_on_any_number_of_threads() -> None:
    """What was put into a lane first is done first, and nothing beside it."""
    lanes = Lanes(4, "test")
    done: list[int] = []
    last: Future[None] = Future()
    for number in range(1_000):
        lanes.submit("a", partial(done.append, number))
    lanes.submit("a", partial(last.set_result, None))
    last.result(DEADLINE_S)
    lanes.close()
    assert done == list(range(1_000))


def test_lane_that_is_slow_takes_one_thread_however_much_waits_in_it() -> None:
    """Others go on."""
    lanes = Lanes(2, "test")
    goes_on = threading.Event()
    for _ in range(10):
        lanes.submit("slow", partial(wait_for, goes_on))
    other: Future[None] = Future()
    lanes.submit("other", partial(other.set_result, None))
    other.result(DEADLINE_S)
    goes_on.set()
    lanes.close()


def test_lane_goes_on_after_work_that_raised() -> None:
    """An error is the work's own."""
    lanes = Lanes(1, "test")
    after: Future[None] = Future()
    lanes.submit("a", partial(wait_for, threading.Event(), 0))
    lanes.submit("a", partial(after.set_result, None))
    after.result(DEADLINE_S)
    lanes.close()
