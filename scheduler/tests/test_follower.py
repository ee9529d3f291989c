"""A scheduler that does not lead answers reads from what the leader has written down (P3.8)."""

import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from core_bench import FACTS
from scheduler_kit import (
    Executor,
    Scheduler,
    ScriptedPlanner,
    execute_request,
    make_graph,
    make_stage,
    wait_until,
)

from springald.errors import NotLeaderError, SpringaldError
from springald.executor.v1 import executor_pb2
from springald.physical.v1.physical_pb2 import FILE_FORMAT_CSV, RegisteredFiles
from springald.scheduler.v1 import scheduler_pb2 as pb
from springald_scheduler.adapters.follower import Follower
from springald_scheduler.adapters.grpc_server import GrpcServer
from springald_scheduler.adapters.journal import Cluster, Journal, batches, cluster_of, raise_epoch
from springald_scheduler.adapters.memory_journal import MemoryJournal
from springald_scheduler.adapters.mirror import Mirror
from springald_scheduler.adapters.service import SchedulerApi
from springald_scheduler.adapters.stores.interface import Change, Put, StoreError, Watch
from springald_scheduler.adapters.stores.memory import MemoryStateStore
from springald_scheduler.core.actions import Persist
from springald_scheduler.core.events import Event
from springald_scheduler.core.records import ExecutorRecord
from springald_scheduler.core.scheduler import SchedulerCore
from springald_scheduler.driver import SchedulerDriver

LEADER = "leader.example:1"


@dataclass
class Pair:
    """A scheduler that leads, and one that reads."""

    leader: Scheduler
    store: MemoryStateStore
    cluster: Cluster
    planner: ScriptedPlanner = field(default_factory=ScriptedPlanner)

    def __post_init__(self) -> None:
        """Begins to read."""
        self.mirror = Mirror(self.store)
        self.follower = Follower(self.mirror, self.planner, self.cluster, 60_000, lambda: LEADER)
        self.follower.begin()
        self.api = SchedulerApi(self.follower)


@contextmanager
def _leading(store: MemoryStateStore, cluster: Cluster) -> Iterator[Scheduler]:
    """A scheduler that leads over a store, at a port of its own."""
    planner = ScriptedPlanner()
    fence = raise_epoch(store)
    assert fence
    journal = Journal(store, fence, 1_000, read_by_others=True)
    core = SchedulerCore(FACTS)
    with SchedulerDriver(core, planner, journal, cluster=cluster) as driver:
        api = SchedulerApi(driver)
        with GrpcServer("127.0.0.1:0") as server:
            server.serve(api, driver)
            try:
                yield Scheduler(core, driver, api, planner, MemoryJournal(), server.address)
            finally:
                driver.close()


@pytest.fixture
def pair() -> Iterator[Pair]:
    """Both, over a store in memory."""
    store = MemoryStateStore()
    cluster = cluster_of(store)
    with _leading(store, cluster) as leader:
        started = Pair(leader, store, cluster)
        yield started
        started.follower.end()
    store.close()


def _open(pair: Pair) -> str:
    request = pb.OpenSessionRequest(protocol_version=pb.ProtocolVersion(major=1))
    return str(pair.leader.api.open_session(request).session_id)


def _files(session_id: str) -> pb.RegisterFilesRequest:
    files = RegisteredFiles(format=FILE_FORMAT_CSV, path="/t.csv")
    return pb.RegisterFilesRequest(session_id=session_id, name="t", files=files)


def _run(pair: Pair, session_id: str, operation_id: str = "o1") -> pb.JobUpdate:
    """Runs a statement at the leader, to its end."""
    updates = pair.leader.api.execute(execute_request(session_id, operation_id=operation_id))
    return [each.update for each in updates][-1]


def test_follower_tells_where_a_result_is(pair: Pair) -> None:
    """Who attaches to a job that has ended is told the same parts as by the leader (P3.8)."""
    session_id = _open(pair)
    pair.leader.planner.script["SELECT 1"] = make_graph(make_stage(partitions=2))
    with Executor(pair.leader.address, slots=2):
        told = _run(pair, session_id)
        attach = pb.AttachJobRequest(session_id=session_id, operation_id="o1")
        (update,) = [each.update for each in pair.api.attach_job(attach)]
    assert update.status == pb.JOB_STATUS_SUCCEEDED
    assert update.result.remote.rows == told.result.remote.rows == 2
    (part,), (known,) = update.result.remote.parts, told.result.remote.parts
    assert (part.flight_address, part.outputs) == (known.flight_address, known.outputs)


def test_follower_tells_of_jobs_as_they_were_written_down(pair: Pair) -> None:
    """Lists are the newest first; what is counted of a job that runs is whole stages (P3.8)."""
    session_id = _open(pair)
    graph = make_graph(make_stage(1, 2, last=False), make_stage(2, reads=(1,)))
    pair.leader.planner.script["SELECT 1"] = graph
    with Executor(pair.leader.address, automatic=False) as executor:
        held = pair.leader.api.execute(execute_request(session_id))
        for number in (1, 2):
            executor.finish(executor.wait("launch_task", number)[-1])
        executor.wait("launch_task", 3)
        pair.leader.planner.script["SELECT 1"] = make_graph()
        updates = pair.leader.api.execute(execute_request(session_id, operation_id="o2"))
        assert next(updates).update.status == pb.JOB_STATUS_RUNNING
        listed = pair.api.list_jobs(pb.ListJobsRequest(session_id=session_id)).jobs
        assert [each.operation_id for each in listed] == ["o2", "o1"]
        progress = listed[1].progress
        assert (progress.stages_total, progress.stages_finished) == (2, 1)
        assert (progress.tasks_finished, progress.tasks_running) == (2, 0)
        described = pair.api.describe_job(
            pb.DescribeJobRequest(session_id=session_id, operation_id="o1")
        )
        assert [each.rows_out for each in described.stages] == [2, 0]
        assert len(described.graph.stages) == 2
        for stream in (held, updates):
            stream.close()
    assert not pair.api.list_jobs(pb.ListJobsRequest(session_id="", jobs_max=1)).jobs[1:]


def test_follower_tells_a_session_s_tables(pair: Pair) -> None:
    """Tables are those of the catalog as it was written down, and the planner's answer (P3.8)."""
    session_id = _open(pair)
    assert not pair.api.list_tables(pb.ListTablesRequest(session_id=session_id)).tables
    first = dict(pair.planner.open)
    assert not pair.api.list_tables(pb.ListTablesRequest(session_id=session_id)).tables
    assert pair.planner.open == first, "a catalog that did not change is kept open"
    pair.leader.planner.catalogs.clear()
    pair.leader.api.register_files(_files(session_id))
    assert not pair.api.list_tables(pb.ListTablesRequest(session_id=session_id)).tables
    assert pair.planner.open != first, "one that changed is opened again"
    pair.follower.end()
    wait_until(lambda: not pair.planner.open, "all is closed again")


def test_follower_tells_executors_as_they_registered(pair: Pair) -> None:
    """In their order, with their slots and whether they leave; what they do is not told (P3.8)."""
    names = ("e2", "e1", "e3")
    with ExitStack() as stack:
        for number, name in enumerate(names, 1):
            each = stack.enter_context(Executor(pair.leader.address, name, slots=number))
            each.wait("registered")
        each.send(executor_pb2.ConnectRequest(drain_requested=executor_pb2.DrainRequested()))
        request = pb.ListExecutorsRequest()
        wait_until(
            lambda: pair.leader.api.list_executors(request).executors[2].state == "draining",
            "the last one leaves",
        )
        told = pair.leader.api.list_executors(request).executors
        listed = pair.api.list_executors(request).executors
        assert [each.executor_id for each in listed] == list(names)
        assert all(each.from_records for each in listed)
        for known in told:
            known.slots_free = known.silent_ms = 0
            known.from_records = True
        assert listed == told
    wait_until(lambda: not pair.api.list_executors(request).executors, "all are gone")


def test_follower_without_slots_on_record_sends_to_the_leader(pair: Pair) -> None:
    """What an earlier release wrote down is too little to answer from."""
    record = ExecutorRecord("e1", "a", "e1.example:1")
    for writes in batches([Persist(Event(), record)]):
        assert pair.store.transact([], writes)
    wait_until(lambda: pair.mirror.look().executors(), "it is copied")
    with pytest.raises(NotLeaderError):
        pair.api.list_executors(pb.ListExecutorsRequest())


def test_follower_sends_the_rest_to_the_leader(pair: Pair) -> None:
    """What changes something, follows a running job, or is not known here, is not answered."""
    session_id = _open(pair)
    with Executor(pair.leader.address, automatic=False) as executor:
        held = pair.leader.api.execute(execute_request(session_id))
        executor.wait("launch_task")
        name = {"session_id": session_id, "operation_id": "o1"}
        calls = {
            "open_session": pb.OpenSessionRequest(protocol_version=pb.ProtocolVersion(major=1)),
            "close_session": pb.CloseSessionRequest(session_id=session_id),
            "execute": execute_request(session_id),
            "attach_job": pb.AttachJobRequest(**name),
            "cancel_job": pb.CancelJobRequest(**name),
            "release_job": pb.ReleaseJobRequest(**name),
            "prepare_upload": pb.PrepareUploadRequest(session_id=session_id),
            "describe_job": pb.DescribeJobRequest(operation_id="j77"),
            "list_tables": pb.ListTablesRequest(session_id="not open"),
        }
        for call, request in calls.items():
            with pytest.raises(NotLeaderError) as refused:
                getattr(pair.api, call)(request)
            assert refused.value.leader_address == LEADER, call
        held.close()


def test_follower_is_never_behind_an_acknowledged_write(pair: Pair) -> None:
    """Each job that the leader has acknowledged is in the next list, however fast that is."""
    session_id = _open(pair)
    for number in range(1, 30):
        held = pair.leader.api.execute(execute_request(session_id, operation_id=f"o{number}"))
        listed = pair.api.list_jobs(pb.ListJobsRequest(session_id=session_id)).jobs
        assert len(listed) == number
        held.close()


class _Deaf(MemoryStateStore):
    """A store whose watches tell nothing until they are let go."""

    def __init__(self) -> None:
        super().__init__()
        self.told = threading.Event()

    def watch(self, prefix: str, after: int) -> Any:  # noqa: ANN401 - the store's own is private
        """Follows changes, late."""
        return _Silent(super().watch(prefix, after), self.told)


class _Silent:
    def __init__(self, watch: Watch, told: threading.Event) -> None:
        self._watch = watch
        self._told = told

    def __iter__(self) -> Iterator[tuple[Change, ...]]:
        for changes in self._watch:
            self._told.wait()
            yield changes

    def close(self) -> None:
        """Ends the watch."""
        self._watch.close()


def test_mirror_that_is_behind_is_not_read() -> None:
    """A copy without what the store's mark promises is waited for, and refused in the end."""
    store = _Deaf()
    fence = raise_epoch(store)
    assert fence
    mirror = Mirror(store)
    mirror.begin()
    assert not mirror.look().jobs()
    assert store.transact([fence], [Put("recorded", b"")])
    with pytest.raises(StoreError):
        mirror.look()
    store.told.set()
    assert not mirror.look().jobs()
    mirror.end()
    store.close()


def test_follower_without_its_store_sends_to_the_leader() -> None:
    """A store that does not answer here may answer there."""
    store = MemoryStateStore()
    follower = Follower(Mirror(store), ScriptedPlanner(), cluster_of(store), 1, lambda: "")
    with pytest.raises(SpringaldError) as refused:
        SchedulerApi(follower).list_jobs(pb.ListJobsRequest())
    assert refused.value.code == "NOT_LEADER"
    store.close()
