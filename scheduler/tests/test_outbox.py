"""Actions on their way: kept before told, in order, whoever carries them out."""

import threading
from collections.abc import Sequence
from typing import TypeAlias

import pytest
from scheduler_kit import DEADLINE_S, wait_until

from springald.errors import (
    IoFailedError,
    NotLeaderError,
    SchedulerUnavailableError,
    SpringaldError,
)
from springald_scheduler.adapters.outbox import Outbox
from springald_scheduler.core import actions as do
from springald_scheduler.core.events import Event
from springald_scheduler.core.records import SessionRecord

Kept: TypeAlias = do.Persist | do.Forget
CAUSE = Event()


def persist(name: str) -> do.Persist:
    """Something to be kept."""
    return do.Persist(CAUSE, SessionRecord(name, 0))


def tell(name: str) -> do.PublishJob:
    """Something to be told."""
    return do.PublishJob(CAUSE, name)


class World:
    """What became of actions, in order."""

    def __init__(self) -> None:
        self.done: list[str] = []
        self.writes: list[list[str]] = []
        self.gate = threading.Event()
        self.gate.set()
        self.writing = threading.Event()
        self.failure: SpringaldError | None = None
        self.broken: list[SpringaldError] = []
        self.outbox = Outbox(self.write, self.carry_out, self.broken.append)

    def write(self, kept: Sequence[Kept]) -> None:
        """Keeps, when the gate is open."""
        self.writing.set()
        assert self.gate.wait(DEADLINE_S)
        if self.failure:
            raise self.failure
        names = [each.record.key[1] for each in kept if isinstance(each, do.Persist)]
        self.writes.append(names)
        self.done += names

    def carry_out(self, action: do.Action) -> None:
        """Tells, or plans."""
        assert isinstance(action, do.PublishJob | do.PlanJob)
        self.done.append(action.job_id)

    def post(self, *actions: do.Action) -> None:
        """Puts, carries and waits, as the driver does."""
        ticket = self.outbox.put(actions)
        self.outbox.carry()
        self.outbox.wait(ticket)


def test_what_is_told_is_kept_before() -> None:
    """Of one batch all that is kept is written first, in one go; the rest keeps its order."""
    world = World()
    world.post(tell("a"), persist("1"), tell("b"), persist("2"))
    assert world.done == ["1", "2", "a", "b"]
    assert world.writes == [["1", "2"]]


def test_statement_is_planned_while_it_is_written_down() -> None:
    """The planner is no receiver: it is asked once, and does not wait for the store."""
    world = World()
    plan = do.PlanJob(CAUSE, "plan", "s", "SELECT 1")
    world.post(tell("a"), persist("1"), plan, tell("b"))
    assert world.done == ["plan", "1", "a", "b"]
    world.post(do.PlanJob(CAUSE, "again", "s", "SELECT 1"), tell("c"))
    assert world.done[4:] == ["again", "c"]


def test_actions_that_come_during_a_write_are_written_together() -> None:
    """A slow store takes one write for all that came meanwhile; nobody who waits is forgotten."""
    world = World()
    world.gate.clear()
    threads = [threading.Thread(target=world.post, args=(persist("0"), tell("t0")))]
    threads[0].start()
    assert world.writing.wait(DEADLINE_S)
    for number in range(1, 9):
        thread = threading.Thread(
            target=world.post, args=(persist(f"{number}"), tell(f"t{number}"))
        )
        thread.start()
        threads.append(thread)
    wait_until(lambda: world.outbox.ticket == 18, "all are in line")
    assert world.done == []
    world.gate.set()
    for thread in threads:
        thread.join(DEADLINE_S)
    assert [len(each) for each in world.writes] == [1, 8]
    for number in range(9):
        assert world.done.index(f"{number}") < world.done.index(f"t{number}")


def test_nothing_is_told_after_a_write_has_failed() -> None:
    """Those who wait are told why, so are those who come later, and may ask elsewhere."""
    world = World()
    world.failure = IoFailedError("the disk is gone")
    with pytest.raises(SchedulerUnavailableError, match="the disk is gone"):
        world.post(tell("a"), persist("1"))
    with pytest.raises(SchedulerUnavailableError, match="the disk is gone"):
        world.post(tell("b"))
    assert world.done == []
    assert world.broken == [world.failure]


def test_write_of_another_leader_s_time_sends_elsewhere() -> None:
    """A scheduler that was replaced does not say that the cluster is gone."""
    world = World()
    world.failure = NotLeaderError.of("b:1", "a write")
    with pytest.raises(NotLeaderError):
        world.post(persist("1"))


def test_closed_outbox_lets_nobody_wait() -> None:
    """Whoever waits for a slow store fails when the scheduler stops."""
    world = World()
    world.gate.clear()
    raised: list[SpringaldError] = []

    def post() -> None:
        try:
            world.post(persist("2"), tell("b"))
        except SpringaldError as error:
            raised.append(error)

    first = threading.Thread(target=world.post, args=(tell("a"),))
    first.start()
    first.join(DEADLINE_S)
    writer = threading.Thread(target=world.outbox.carry)
    world.outbox.put([persist("1")])
    writer.start()
    assert world.writing.wait(DEADLINE_S)
    waiter = threading.Thread(target=post)
    waiter.start()
    wait_until(lambda: world.outbox.ticket == 4, "all are in line")
    world.outbox.close(IoFailedError("stopped"))
    waiter.join(DEADLINE_S)
    assert [error.message for error in raised] == ["stopped"]
    world.gate.set()
    writer.join(DEADLINE_S)
    assert "b" not in world.done
