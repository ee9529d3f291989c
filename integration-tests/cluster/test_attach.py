"""Operation ids: a client that lost its stream finds its job again, and asking twice runs once."""

from pathlib import Path

import grpc
import pytest

import springald
from cluster.raw import RawSession, fetch, raw_session, rpc_error
from cluster.tables import BUSY, numbers_table
from cluster.waiting import wait_until
from springald.errors import (
    InvalidArgumentError,
    JobNotFoundError,
    OperationConflictError,
    SessionNotFoundError,
)
from springald.scheduler.v1 import scheduler_pb2 as pb


def _attach(session: RawSession, operation_id: str) -> list[pb.JobUpdate]:
    request = pb.AttachJobRequest(session_id=session.id, operation_id=operation_id)
    return [response.update for response in session.stub.AttachJob(request, timeout=30)]


def _status(session: RawSession, operation_id: str) -> pb.JobSummary:
    request = pb.DescribeJobRequest(session_id=session.id, operation_id=operation_id)
    return session.stub.DescribeJob(request, timeout=10).summary


def _cancel(session: RawSession, operation_id: str) -> None:
    request = pb.CancelJobRequest(session_id=session.id, operation_id=operation_id)
    session.stub.CancelJob(request, timeout=10)


def test_stream_broken_cancels_nothing(patient: springald.LocalCluster, busy: Path) -> None:
    """A stream that breaks leaves the job running; attaching tells it as it stands (P3.3)."""
    with raw_session(patient) as session:
        session.result(f"CREATE EXTERNAL TABLE busy STORED AS PARQUET LOCATION '{busy}/'", "make")
        stream = session.execute(BUSY, "long")
        first = next(stream).update
        stream.cancel()
        wait_until(lambda: _status(session, "long").progress.tasks_running > 0, "the job runs on")
        request = pb.AttachJobRequest(session_id=session.id, operation_id="long")
        again = session.stub.AttachJob(request, timeout=30)
        now = next(again).update
        assert (now.job_id, now.status) == (first.job_id, pb.JOB_STATUS_RUNNING)
        assert now.progress.tasks_total > 0
        _cancel(session, "long")
        *_, last = (response.update for response in again)
        assert last.status == pb.JOB_STATUS_CANCELLED


def test_operation_repeated_is_the_same_job(patient: springald.LocalCluster) -> None:
    """The same operation id with the same statement is the same job, ended or not (P2.3).

    Another statement under it is refused.
    """
    with raw_session(patient) as session:
        first = session.result("SELECT 1 AS one", "once")
        again = session.result("SELECT 1 AS one", "once")
        assert (first.job_id, first.status) == (again.job_id, pb.JOB_STATUS_SUCCEEDED)
        with pytest.raises(grpc.RpcError) as refused:
            session.result("SELECT 2 AS two", "once")
        error = rpc_error(refused.value)
        assert isinstance(error, OperationConflictError)
        assert "once" in error.message


def test_operation_ids_are_a_session_s_own(patient: springald.LocalCluster) -> None:
    """Two sessions may use one operation id for two statements."""
    with raw_session(patient) as one, raw_session(patient) as other:
        first = one.result("SELECT 1 AS one", "mine")
        second = other.result("SELECT 2 AS two", "mine")
        assert first.job_id != second.job_id


def test_result_is_found_by_attaching(patient: springald.LocalCluster) -> None:
    """Attaching to a job that has ended gives its result, by operation id or job id."""
    with raw_session(patient) as session:
        made = session.result("SELECT count(*) AS n FROM generate_series(1, 10)", "counted")
        for name in ("counted", made.job_id):
            (*_, last) = _attach(session, name)
            assert last.status == pb.JOB_STATUS_SUCCEEDED
            (part,) = [part for part in last.result.remote.parts if part.rows]
            assert fetch(part.flight_address, part.ticket).to_pydict() == {"n": [10]}


def test_job_released_is_not_found(patient: springald.LocalCluster) -> None:
    """A released job cannot be attached to; releasing it again, or what never was, succeeds."""
    with raw_session(patient) as session:
        session.result("SELECT count(*) FROM generate_series(1, 10)", "gone")
        for name in ("gone", "gone", "never"):
            request = pb.ReleaseJobRequest(session_id=session.id, operation_id=name)
            session.stub.ReleaseJob(request, timeout=10)
        for name in ("gone", "never"):
            with pytest.raises(grpc.RpcError) as refused:
                _attach(session, name)
            assert isinstance(rpc_error(refused.value), JobNotFoundError)


def test_session_closed_is_not_found(patient: springald.LocalCluster) -> None:
    """No call finds a closed session; closing it again, or one that never was, succeeds (P3.4)."""
    with raw_session(patient) as session:
        session.close()
        session.close()
        session.stub.CloseSession(pb.CloseSessionRequest(session_id="never"), timeout=10)
        with pytest.raises(grpc.RpcError) as refused:
            session.result("SELECT 1", "late")
        assert isinstance(rpc_error(refused.value), SessionNotFoundError)
        with pytest.raises(grpc.RpcError) as refused:
            session.stub.KeepSession(pb.KeepSessionRequest(session_id=session.id), timeout=10)
        assert isinstance(rpc_error(refused.value), SessionNotFoundError)


@pytest.mark.parametrize("name", ["", "a" * 65, "spaces in it", "../../etc", "j\u00e9"])
def test_operation_id_malformed_is_refused(patient: springald.LocalCluster, name: str) -> None:
    """An operation id is 1 to 64 characters of `[A-Za-z0-9_-]`."""
    with raw_session(patient) as session:
        with pytest.raises(grpc.RpcError) as refused:
            session.result("SELECT 1", name)
        error = rpc_error(refused.value)
        assert isinstance(error, InvalidArgumentError)
        assert "operation id" in error.message


def test_uploads_of_another_session_are_refused(patient: springald.LocalCluster) -> None:
    """A session registers only what was uploaded in it, and only when its rows are there."""
    with raw_session(patient) as one, raw_session(patient) as other:
        prepared = one.stub.PrepareUpload(
            pb.PrepareUploadRequest(session_id=one.id, bytes_expected=numbers_table().nbytes),
            timeout=20,
        )
        for session, upload_id in ((other, prepared.upload_id), (one, "never")):
            with pytest.raises(grpc.RpcError) as refused:
                session.stub.RegisterUpload(
                    pb.RegisterUploadRequest(
                        session_id=session.id, name="stolen", upload_id=upload_id
                    ),
                    timeout=20,
                )
            error = rpc_error(refused.value)
            assert isinstance(error, InvalidArgumentError)
            assert upload_id in error.message
