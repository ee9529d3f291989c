"""One of several schedulers leads, whatever goes wrong when it begins to (P3.8)."""

import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any, cast

import grpc
import pytest
from scheduler_kit import ScriptedPlanner, captured_logs, wait_until

from springald.errors import IoFailedError
from springald.leader_finder import LEADER
from springald.scheduler.v1 import scheduler_pb2 as pb
from springald.scheduler.v1 import scheduler_pb2_grpc as pb_grpc
from springald_scheduler import __main__ as process
from springald_scheduler.adapters.election import Election
from springald_scheduler.adapters.stores.interface import (
    Entry,
    Put,
    Snapshot,
    StoreError,
    Unchanged,
)
from springald_scheduler.adapters.stores.memory import MemoryStateStore
from springald_scheduler.settings import SchedulerSettings

Ending = Callable[[], None]


def test_election_goes_on_after_a_bug() -> None:
    """A scheduler that failed to lead tries again, whatever it failed by."""
    tries: list[Unchanged] = []
    leads = threading.Event()

    def lead(fence: Unchanged) -> Ending:
        tries.append(fence)
        if len(tries) == 1:
            raise KeyError("a bug")
        leads.set()
        return lambda: None

    store = MemoryStateStore()
    election = Election(store, "here:1", lead)
    election.begin()
    assert leads.wait(20)
    election.close()
    store.close()


@pytest.mark.parametrize("value", [b"", b"\0\xff garbled"])
def test_leader_that_is_none_is_replaced(value: bytes) -> None:
    """A key of no scheduler, which no lease removes, keeps nobody from leading; it is set aside."""
    store = MemoryStateStore()
    store.transact([], [Put(LEADER, value)])
    leads = threading.Event()

    def lead(_: Unchanged) -> Ending:
        leads.set()
        return lambda: None

    election = Election(store, "here:1", lead)
    election.begin()
    assert leads.wait(20)
    assert [entry.value for entry in store.scan("aside/").entries] == [value]
    election.close()
    store.close()


class _Unreadable(MemoryStateStore):
    """Refuses to tell a leader its records; those who follow are told."""

    refused = 0

    def scan(self, prefix: str) -> Snapshot:
        """See `StateStore.scan`."""
        if prefix == "record/":
            self.refused += 1
            raise StoreError("a store answers: got no answer")
        return super().scan(prefix)


def test_scheduler_that_fails_to_lead_follows_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """It answers reads as before it tried."""
    store = _Unreadable()
    monkeypatch.setattr(process, "open_store", lambda _: store)
    ready: SimpleQueue[str] = SimpleQueue()
    monkeypatch.setattr(process, "write_ready", lambda _, told: ready.put(told["address"]))
    settings = SchedulerSettings.model_validate(
        {"bind": "127.0.0.1:0", "state": "etcd://127.0.0.1:1/x", "ready_file": "ready"}
    )
    causes: SimpleQueue[str] = SimpleQueue()
    planner = cast("Any", ScriptedPlanner())
    thread = threading.Thread(target=process.serve_in_turn, args=(settings, planner, causes))
    thread.start()
    address = ready.get(timeout=20)
    wait_until(lambda: store.refused, "a scheduler that fails to lead")

    def answers() -> bool:
        try:
            stub.ListJobs(pb.ListJobsRequest(), timeout=5)
        except grpc.RpcError:
            return False
        return True

    with grpc.insecure_channel(address) as channel:
        stub = pb_grpc.SchedulerServiceStub(channel)
        wait_until(answers, "a follower that reads")
    causes.put("the end of the test")
    thread.join(20)
    assert not thread.is_alive()


class _Away(MemoryStateStore):
    """Does not answer."""

    def get(self, key: str) -> Entry | None:
        """See `StateStore.get`."""
        raise StoreError(f"etcd answers: got no answer for {key} from 127.0.0.1:1")


def test_scheduler_whose_store_does_not_come_says_where_it_looked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """It waits for the store for a named time, and tells each look in its log."""
    monkeypatch.setattr(process, "open_store", lambda _: _Away())
    monkeypatch.setattr(process, "STORE_AT_START_MS_MAX", 100)
    monkeypatch.setattr(process, "STORE_AT_START_LOOK_MS", 30)
    settings = SchedulerSettings.model_validate(
        {"bind": "127.0.0.1:0", "state": "etcd://127.0.0.1:1/x"}
    )
    planner = cast("Any", ScriptedPlanner())
    with captured_logs() as logs, pytest.raises(IoFailedError, match=r"within 0\.1 s: .*0\.0\.1:1"):
        process.serve_in_turn(settings, planner, SimpleQueue())
    waits = [each for each in logs if each["event"] == "waiting for the store"]
    assert len(waits) > 1
    assert all("127.0.0.1:1" in each["reason"] for each in waits)
