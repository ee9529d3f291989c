"""Executors, over real gRPC on loopback: let in, refused, garbled, silent, replaced, gone."""

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest
from scheduler_kit import (
    DEADLINE_S,
    Executor,
    Scheduler,
    execute_request,
    registration,
    running,
    wait_until,
)

from springald.codec.errors import error_from_proto, error_from_rpc
from springald.errors import (
    EngineMismatchError,
    ExecutorLostError,
    InvalidArgumentError,
    MessageGarbledError,
    MessageTooLargeError,
    NoExecutorError,
    ProtocolMismatchError,
    RoutingMismatchError,
    SpringaldError,
    UnexpectedMessageError,
)
from springald.executor.v1 import executor_pb2 as pb
from springald.limits import HEARTBEAT_INTERVAL_MS, MESSAGE_BYTES_MAX
from springald.scheduler.v1 import scheduler_pb2 as client_pb
from springald_scheduler.adapters.memory_journal import MemoryJournal
from springald_scheduler.core.actions import Forget, Persist
from springald_scheduler.core.limits import CoreLimits


@pytest.fixture
def scheduler() -> Iterator[Scheduler]:
    """A scheduler on a free port."""
    with running() as scheduler:
        yield scheduler


def listed(scheduler: Scheduler) -> list[str]:
    """The ids of the executors that are there."""
    request = client_pb.ListExecutorsRequest()
    return [each.executor_id for each in scheduler.api.list_executors(request).executors]


def submit(scheduler: Scheduler) -> client_pb.JobUpdate:
    """Runs a query to its end; returns the last update."""
    hello = client_pb.OpenSessionRequest(protocol_version=client_pb.ProtocolVersion(major=1))
    session_id = scheduler.api.open_session(hello).session_id
    with closing(scheduler.api.execute(execute_request(session_id))) as updates:
        return [each.update for each in updates][-1]


def test_executor_that_registers_gets_the_key(scheduler: Scheduler) -> None:
    """P4.1: an accepted executor learns the ticket key, the heartbeat and where files may lie."""
    with Executor(scheduler.address) as executor:
        (registered,) = executor.wait("registered")
    assert registered.ticket_key == scheduler.driver.mint.key
    assert len(registered.ticket_key) == 32
    assert registered.heartbeat_interval_ms == HEARTBEAT_INTERVAL_MS
    assert list(registered.allowed_paths) == ["/"]


def wrong_engine(who: pb.Registration) -> None:
    """Another engine."""
    who.engine_version = "datafusion 54.1.0"


def wrong_routing(who: pb.Registration) -> None:
    """Another routing."""
    who.routing_fingerprint = "other"


def wrong_protocol(who: pb.Registration) -> None:
    """Another protocol."""
    who.protocol_version.major = 2


def no_slots(who: pb.Registration) -> None:
    """Nothing to offer."""
    who.slots = 0


@pytest.mark.parametrize(
    ("spoil", "kind", "values"),
    [
        (wrong_engine, EngineMismatchError, ("datafusion 55.0.0", "datafusion 54.1.0")),
        (wrong_routing, RoutingMismatchError, ("fingerprint", "other")),
        (wrong_protocol, ProtocolMismatchError, ("1", "2")),
        (no_slots, InvalidArgumentError, ("at least 1", "0")),
    ],
)
def test_executor_that_does_not_fit_is_refused(
    scheduler: Scheduler,
    spoil: Callable[[pb.Registration], None],
    kind: type[SpringaldError],
    values: tuple[str, str],
) -> None:
    """P4.2: the refusal is typed and names both values, and the stream ends without an error."""
    who = registration()
    spoil(who)
    with Executor(scheduler.address, first=pb.ConnectRequest(registration=who)) as executor:
        error = error_from_proto(executor.wait("refused")[0].error)
        assert executor.wait_end() is None
    assert type(error) is kind
    for value in values:
        assert value in error.message
    assert listed(scheduler) == []


@pytest.mark.parametrize(
    ("sent", "kind"),
    [
        (b"\xff\xff", MessageGarbledError),
        (pb.ConnectRequest(), MessageGarbledError),
        (pb.ConnectRequest(registration=registration()), UnexpectedMessageError),
        (bytes(MESSAGE_BYTES_MAX + 1), MessageTooLargeError),
    ],
)
def test_executor_that_sends_nonsense_is_lost(
    scheduler: Scheduler, sent: pb.ConnectRequest | bytes, kind: type[SpringaldError]
) -> None:
    """A stream that cannot be understood ends with its error, and the others go on."""
    with Executor(scheduler.address, "good") as good, Executor(scheduler.address, "bad") as bad:
        good.wait("registered")
        bad.wait("registered")
        bad.send(sent)
        failure = bad.wait_end()
        assert failure is not None
        assert type(error_from_rpc(failure)) is kind
        wait_until(lambda: listed(scheduler) == ["good"], "the other one is lost")
        assert submit(scheduler).status == client_pb.JOB_STATUS_SUCCEEDED


@pytest.mark.parametrize("first", [b"\xff\xff", pb.ConnectRequest(heartbeat=pb.Heartbeat())])
def test_executor_that_does_not_register_first_is_turned_away(
    scheduler: Scheduler, first: pb.ConnectRequest | bytes
) -> None:
    """P4.1: the first message is a registration."""
    with Executor(scheduler.address, first=first) as executor:
        failure = executor.wait_end()
    assert failure is not None
    error = error_from_rpc(failure)
    assert isinstance(error, (MessageGarbledError, UnexpectedMessageError))


def test_executor_that_goes_is_lost_at_once() -> None:
    """P4.3, P3.5: a stream that closes is a lost executor, and the error says what came of it."""
    with running(CoreLimits(no_executor_ms_max=200)) as scheduler:
        with Executor(scheduler.address, automatic=False) as executor:
            hello = client_pb.ProtocolVersion(major=1)
            opened = scheduler.api.open_session(
                client_pb.OpenSessionRequest(protocol_version=hello)
            )
            updates = scheduler.api.execute(execute_request(opened.session_id))
            executor.wait("launch_task")
        last = [each.update for each in updates][-1]
        error = error_from_proto(last.error)
        assert isinstance(error, NoExecutorError)
        assert isinstance(error.cause, ExecutorLostError)
        assert (error.cause.executor_id, error.cause.node_id) == ("e1", "j1/s1/t1#1")
        assert listed(scheduler) == []


def test_executor_that_is_silent_is_disconnected() -> None:
    """P4.3: silence beyond the limit ends the stream from this side."""
    with (
        running(CoreLimits(executor_silence_ms_max=200)) as scheduler,
        Executor(scheduler.address) as executor,
    ):
        failure = executor.wait_end()
        assert failure is not None
        error = error_from_rpc(failure)
        assert isinstance(error, ExecutorLostError)
        assert "silent for 0.2 s" in error.message
        assert listed(scheduler) == []


class HaltingJournal(MemoryJournal):
    """A store whose writes take as long as a test wants."""

    def __init__(self) -> None:
        super().__init__()
        self.flows = threading.Event()
        self.flows.set()
        self.halted = threading.Event()

    def write(self, changes: Sequence[Persist | Forget]) -> None:
        """Waits, and writes."""
        if not self.flows.is_set():
            self.halted.set()
        self.flows.wait(DEADLINE_S)
        super().write(changes)


def test_executor_whose_message_waits_for_a_slow_store_is_not_silent() -> None:
    """P4.3: what is in line behind a message that is being taken in was not left unsaid."""
    silence_ms, journal = 200, HaltingJournal()
    with (
        running(CoreLimits(executor_silence_ms_max=silence_ms), journal=journal) as scheduler,
        Executor(scheduler.address, automatic=False) as executor,
        ThreadPoolExecutor(1) as client,
    ):
        executor.wait("registered")
        last = client.submit(submit, scheduler)
        (launch,) = executor.wait("launch_task")
        journal.flows.clear()
        executor.finish(launch)
        assert journal.halted.wait(DEADLINE_S)
        known = scheduler.core.world.executors
        until_ms = known["e1"].heard_ms + 3 * silence_ms
        wait_until(lambda: known["e1"].heard_ms > until_ms, "it counts as heard")
        journal.flows.set()
        assert last.result(DEADLINE_S).status == client_pb.JOB_STATUS_SUCCEEDED
        assert listed(scheduler) == ["e1"]


def test_executor_that_beats_is_heard(scheduler: Scheduler) -> None:
    """P4.3: heartbeats are the sign of life."""
    with Executor(scheduler.address) as executor:
        executor.wait("registered")
        heard_ms = scheduler.core.world.executors["e1"].heard_ms

        def beat() -> bool:
            executor.send(pb.ConnectRequest(heartbeat=pb.Heartbeat(sequence=1)))
            return scheduler.core.world.executors["e1"].heard_ms > heard_ms

        wait_until(beat, "a heartbeat was heard")


def test_executor_of_another_life_takes_its_place(scheduler: Scheduler) -> None:
    """P2.2: the newer process of an id wins, and the older one's end is no loss of the newer."""
    with Executor(scheduler.address, incarnation="a") as older:
        older.wait("registered")
        with Executor(scheduler.address, incarnation="b") as newer:
            newer.wait("registered")
            failure = older.wait_end()
            assert failure is not None
            assert isinstance(error_from_rpc(failure), ExecutorLostError)
            assert submit(scheduler).status == client_pb.JOB_STATUS_SUCCEEDED
            assert len(newer.wait("launch_task")) == 1


def test_executor_that_was_replaced_may_ask_again(scheduler: Scheduler) -> None:
    """P2.2: its stream ends with an error that may pass, and the one in its place stays."""
    with Executor(scheduler.address, incarnation="a") as older:
        older.wait("registered")
        with Executor(scheduler.address, incarnation="b") as newer:
            newer.wait("registered")
            older.wait_end()
            with Executor(scheduler.address, incarnation="a") as again:
                failure = again.wait_end()
            assert failure is not None
            assert not again.messages
            error = error_from_rpc(failure)
            assert isinstance(error, ExecutorLostError)
            assert error.retryable
            assert submit(scheduler).status == client_pb.JOB_STATUS_SUCCEEDED
            assert len(newer.wait("launch_task")) == 1
        wait_until(lambda: not listed(scheduler), "the newer one is gone")
    with Executor(scheduler.address, incarnation="a") as again:
        again.wait("registered")


def test_executor_that_connects_again_replaces_its_own_stream(scheduler: Scheduler) -> None:
    """A process whose stream broke unnoticed comes back as itself; the old stream's end is late."""
    with Executor(scheduler.address) as older:
        older.wait("registered")
        with Executor(scheduler.address) as newer:
            newer.wait("registered")
            older.wait_end()
            older.close()
            assert listed(scheduler) == ["e1"]
            assert submit(scheduler).status == client_pb.JOB_STATUS_SUCCEEDED


def test_executor_that_drains_is_listed_so(scheduler: Scheduler) -> None:
    """A draining executor is there, and gets no tasks."""
    with Executor(scheduler.address) as executor:
        executor.wait("registered")
        drain = pb.DrainRequested(reason="maintenance")
        executor.send(pb.ConnectRequest(drain_requested=drain))
        request = client_pb.ListExecutorsRequest()
        wait_until(
            lambda: scheduler.api.list_executors(request).executors[0].state == "draining",
            "it drains",
        )
