"""Uploads of an executor that leaves are taken over by another one, and nobody misses them."""

from dataclasses import replace

import pytest
from core_bench import Bench

from springald_scheduler.core.actions import (
    Action,
    DefineStage,
    HandOverUpload,
    Persist,
    ReleaseUpload,
)
from springald_scheduler.core.events import (
    ExecutorDisconnected,
    ExecutorDrainRequested,
    ExecutorHeard,
    SessionClosed,
    SessionOpened,
    UploadRegistered,
    UploadRequested,
    UploadStored,
)
from springald_scheduler.core.records import UploadRecord
from springald_scheduler.core.states import JobState

DRAINED = ExecutorDrainRequested("e1", "a")
TAKEN = UploadStored("e2", "a", "u1", rows=5, bytes=55, partition_count=3)


@pytest.fixture
def uploaded(bench: Bench) -> Bench:
    """A table of rows that lie on e1."""
    bench.handle(bench.executor("e1"), SessionOpened("s"), UploadRequested("s", "u1", 40))
    bench.handle(UploadStored("e1", "a", "u1", rows=5, bytes=50, partition_count=2))
    bench.handle(UploadRegistered("s", "u1", b"schema"))
    return bench


def orders(actions: list[Action]) -> list[tuple[str, str, str]]:
    """Who is to send what where."""
    return [
        (each.executor_id, each.upload_id, each.flight_address)
        for each in actions
        if isinstance(each, HandOverUpload)
    ]


def released(actions: list[Action]) -> list[str]:
    """Where uploads are removed."""
    return [each.executor_id for each in actions if isinstance(each, ReleaseUpload)]


def test_upload_of_an_executor_that_leaves_is_taken_over(uploaded: Bench) -> None:
    """Its place changes when the other one has it, durably, and then it goes from the former."""
    uploaded.handle(uploaded.executor("e2"))
    assert orders(uploaded.handle(DRAINED)) == [("e1", "u1", "e2:1")]
    actions = uploaded.handle(TAKEN)
    assert released(actions) == ["e1"]
    (record,) = [each.record for each in actions if isinstance(each, Persist)]
    assert isinstance(record, UploadRecord)
    assert (record.executor_id, record.location and record.location.flight_address) == (
        "e2",
        "e2:1",
    )
    assert record.location
    assert record.location.partition_count == 2, "as plans know it"
    uploaded.handle(ExecutorDisconnected("e1", "a"))
    uploaded.run(uploaded.stage(upload_ids=("u1",)))
    assert uploaded.job().state is JobState.RUNNING


def test_upload_stays_where_it_is_read_until_its_readers_end(uploaded: Bench) -> None:
    """What was launched reads on; what is launched later is told of the new place."""
    uploaded.handle(uploaded.executor("e2"))
    uploaded.run(uploaded.stage(1, 4, upload_ids=("u1",)))
    assert len(uploaded.job().running) == 2
    uploaded.handle(DRAINED)
    assert released(uploaded.handle(TAKEN)) == []
    actions = uploaded.handle(uploaded.finished("j1/s1/t2#1", "e2"))
    (defined,) = [each for each in actions if isinstance(each, DefineStage)]
    assert [each.executor_id for each in defined.uploads] == ["e2"]
    uploaded.handle(uploaded.finished("j1/s1/t1#1", "e1"))
    uploaded.handle(uploaded.finished("j1/s1/t3#1", "e2"))
    assert released(uploaded.handle(uploaded.finished("j1/s1/t4#1", "e2"))) == ["e1"]
    assert uploaded.job().state is JobState.SUCCEEDED


def test_upload_waits_for_somebody_who_takes_it(uploaded: Bench) -> None:
    """An executor that comes takes it; one that goes again is replaced."""
    assert orders(uploaded.handle(DRAINED)) == []
    assert orders(uploaded.handle(uploaded.executor("e2"))) == [("e1", "u1", "e2:1")]
    assert orders(uploaded.handle(uploaded.executor("e3"))) == []
    assert orders(uploaded.handle(ExecutorDisconnected("e2", "a"))) == [("e1", "u1", "e3:1")]


def test_upload_is_asked_for_again_until_it_is_there(uploaded: Bench) -> None:
    """Sending it may have failed, which nobody tells."""
    uploaded.handle(uploaded.executor("e2"), DRAINED)
    heard = ExecutorHeard("e1", "a")
    assert orders(uploaded.handle(heard)) == [("e1", "u1", "e2:1")]
    uploaded.handle(TAKEN)
    assert orders(uploaded.handle(heard)) == []


def test_upload_that_arrives_otherwise_is_not_taken(uploaded: Bench) -> None:
    """The rows that count are those of the client."""
    uploaded.handle(uploaded.executor("e2"), DRAINED)
    actions = uploaded.handle(replace(TAKEN, rows=4))
    assert released(actions) == ["e2"]
    assert uploaded.core.world.uploads["u1"].executor_id == "e1"


def test_upload_that_arrives_at_a_former_heir_is_removed(uploaded: Bench) -> None:
    """It lies in the way there if it is sent again, and would be left behind otherwise."""
    uploaded.handle(uploaded.executor("e2"), DRAINED, uploaded.executor("e3"))
    uploaded.handle(ExecutorDisconnected("e2", "a"))
    assert uploaded.core.world.uploads["u1"].heir == ("e3", "a")
    uploaded.handle(uploaded.executor("e2"))
    assert released(uploaded.handle(TAKEN)) == ["e2"]


def test_upload_that_is_told_again_where_it_is_still_read_stays(uploaded: Bench) -> None:
    """A stream that broke makes no difference to jobs that read it at its former place."""
    uploaded.run(uploaded.stage(upload_ids=("u1",)))
    uploaded.handle(uploaded.executor("e2"), DRAINED, TAKEN)
    stored = UploadStored("e1", "a", "u1", rows=5, bytes=50, partition_count=2)
    assert released(uploaded.handle(stored)) == []


def test_upload_that_is_dropped_meanwhile_goes_from_everywhere(uploaded: Bench) -> None:
    """With its session it is removed where it lies and where it is sent to."""
    uploaded.handle(uploaded.executor("e2"), DRAINED)
    assert sorted(released(uploaded.handle(SessionClosed("s")))) == ["e1", "e2"]


def test_upload_that_is_stored_while_its_executor_leaves_is_sent_on(bench: Bench) -> None:
    """Its client is told that it is stored, and where does not matter to it."""
    bench.handle(bench.executor("e1"), SessionOpened("s"), UploadRequested("s", "u1", 40))
    bench.handle(bench.executor("e2"))
    assert orders(bench.handle(DRAINED)) == []
    stored = UploadStored("e1", "a", "u1", rows=5, bytes=50, partition_count=2)
    assert orders(bench.handle(stored)) == [("e1", "u1", "e2:1")]
    bench.handle(TAKEN, UploadRegistered("s", "u1", b"schema"))
    location = bench.core.world.uploads["u1"].location
    assert location
    assert (location.executor_id, location.schema) == ("e2", b"schema")
