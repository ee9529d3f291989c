"""Schedulers that wait to lead answer reads, and the one that leads is found in etcd."""

from collections.abc import Iterator
from pathlib import Path
from queue import SimpleQueue

import grpc
import pytest

import springald
from cluster.queued import check_answers, check_queued, queue_up
from cluster.raw import channel_to, rpc_error, sql_plan
from cluster.several import Several, several
from cluster.tables import SPREAD, SUMS, sums
from cluster.test_scheduler_death import ANSWER_S_MAX, ask
from cluster.waiting import wait_until
from springald.errors import NotLeaderError
from springald.grpc_transport import GrpcTransport
from springald.scheduler.v1 import scheduler_pb2 as pb
from springald.scheduler.v1.scheduler_pb2_grpc import SchedulerServiceStub

pytestmark = pytest.mark.timeout(300)

FETCHED = {"springald.inline_rows_bytes_max": 0}


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Several]:
    """Two schedulers and one executor."""
    with several(tmp_path_factory.mktemp("several"), executors=1) as started:
        yield started


@pytest.fixture
def con(pair: Several, numbers: Path) -> Iterator[springald.Connection]:
    """A session at whoever leads, whose results lie on executors."""
    pair.leader()
    with springald.connect(pair.url, **SPREAD, **FETCHED) as connection:
        connection.register_parquet("numbers", numbers)
        wait_until(connection.executors, "the executor is there", 60)
        yield connection


def test_follower_answers_reads(pair: Several, con: springald.Connection) -> None:
    """Jobs, tables, schemas, executors and places of results are the leader's, rows too (P3.8)."""
    job = con.execute_plan(sql_plan(SUMS))
    job.wait(60)
    leader = pair.leader()
    (other,) = [each for each in pair.addresses if each != leader]
    with channel_to(other) as channel:
        stub = SchedulerServiceStub(channel)
        listed = stub.ListJobs(pb.ListJobsRequest(session_id=con.session_id)).jobs
        assert job.id in [each.job_id for each in listed]
        described = stub.DescribeJob(pb.DescribeJobRequest(operation_id=job.id))
        assert described.summary.status == pb.JOB_STATUS_SUCCEEDED
        assert described.stages[-1].rows_out == len(sums()["k"])
        tables = stub.ListTables(pb.ListTablesRequest(session_id=con.session_id)).tables
        assert [each.name for each in tables] == ["numbers"]
        query = pb.DescribeQueryRequest(session_id=con.session_id, plan=sql_plan(SUMS))
        fields = stub.DescribeQuery(query).schema.fields
        assert [each.name for each in fields] == ["k", "n", "s"]
        (executor,) = stub.ListExecutors(pb.ListExecutorsRequest()).executors
        assert (executor.executor_id, executor.slots_total) == ("e0", 1)
        assert executor.from_records
        attach = pb.AttachJobRequest(session_id=con.session_id, operation_id=job.operation_id)
        (update,) = [each.update for each in stub.AttachJob(attach)]
    transport = GrpcTransport(other)
    found: dict[str, list[int]] = {name: [] for name in sums()}
    for part in update.result.remote.parts:
        for batch in transport.read_part(part):
            for name, values in batch.to_pydict().items():
                found[name] += values
    transport.close()
    assert found == sums()
    assert job.result().to_pydict() == sums()


def test_follower_names_the_leader(pair: Several, con: springald.Connection) -> None:
    """What is no read is refused, with the address of the scheduler to ask (P3.8)."""
    leader = pair.leader()
    (other,) = [each for each in pair.addresses if each != leader]
    with channel_to(other) as channel:
        stub = SchedulerServiceStub(channel)
        close = pb.CloseSessionRequest(session_id=con.session_id)
        with pytest.raises(grpc.RpcError) as refused:
            stub.CloseSession(close)
        error = rpc_error(refused.value)
    assert isinstance(error, NotLeaderError)
    assert error.leader_address == leader
    assert set(con.tables()) == {"numbers"}


def test_leader_is_found_in_etcd_and_followed(pair: Several, numbers: Path) -> None:
    """Clients and executors that know etcd alone go on with another leader."""
    leader = pair.leader()
    with springald.connect(pair.url_in_etcd, **SPREAD) as con:
        assert con.url == f"springald://{leader}"
        con.register_parquet("numbers", numbers)
        assert con.sql(SUMS).to_pydict() == sums()
        answers: SimpleQueue[object] = SimpleQueue()
        thread = ask(con, answers)
        pair.schedulers[leader].kill()
        thread.join(ANSWER_S_MAX)
        assert answers.get_nowait() == sums(), pair.logs()
        assert con.url == f"springald://{pair.leader()}"
        assert pair.leader() != leader
        assert set(con.tables()) == {"numbers"}
    pair.schedulers[leader] = pair.start(leader)


def test_queued_jobs_outlive_the_leader(pair: Several, numbers: Path) -> None:
    """A plan that is too large for one write of etcd is written in parts, and found whole."""
    leader = pair.leader()
    with springald.connect(pair.url_in_etcd) as con:
        jobs = queue_up(con, numbers)
        check_queued(jobs)
        pair.schedulers[leader].kill()
        check_answers(jobs)
    pair.schedulers[leader] = pair.start(leader)
