"""Flight tickets: only what this cluster signed, for what it names, until its time (P5.2)."""

import time
from collections.abc import Iterator
from dataclasses import dataclass

import pyarrow as pa
import pytest
from pyarrow import flight

import springald
from cluster.raw import CALL_S_MAX, RawSession, address_of, channel_to, fetch, raw_session
from cluster.stranger import registration, stranger
from cluster.tables import numbers_table
from cluster.waiting import wait_until
from springald.codec.flight_errors import error_from_flight
from springald.errors import (
    InputLostError,
    SpringaldError,
    TicketExpiredError,
    TicketInvalidError,
)
from springald.executor.v1.executor_pb2 import OutputSelection, SignedTicket, TicketClaims
from springald.scheduler.v1 import scheduler_pb2 as pb
from springald.tickets import sign, verify

_HOUR_MS = 60 * 60 * 1000


@dataclass(frozen=True)
class _Result:
    """A result that lies on an executor, and the key of its cluster."""

    session: RawSession
    part: pb.ResultPart
    key: bytes

    @property
    def claims(self) -> TicketClaims:
        return verify(self.part.ticket, self.key, _now_ms())


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


def _key_of(cluster: springald.LocalCluster) -> bytes:
    """Learns the cluster's key as an executor does: by registering."""
    with channel_to(address_of(cluster)) as channel, stranger(channel, registration()) as executor:
        return executor.receive().registered.ticket_key


@pytest.fixture
def result(patient: springald.LocalCluster) -> Iterator[_Result]:
    """A result of ten rows."""
    with raw_session(patient) as session:
        part = session.part("SELECT value FROM generate_series(1, 10)", "ten")
        assert fetch(part.flight_address, part.ticket).num_rows == 10
        yield _Result(session, part, _key_of(patient))


def test_ticket_tampered_with_is_refused(result: _Result) -> None:
    """A ticket with any bit turned opens nothing."""
    good = result.part.ticket
    for at in range(0, len(good), 5):
        bad = bytearray(good)
        bad[at] ^= 1 << (at % 8)
        with pytest.raises(TicketInvalidError):
            fetch(result.part.flight_address, bytes(bad))
    assert fetch(result.part.flight_address, good).num_rows == 10


@pytest.mark.parametrize(
    "ticket",
    [b"", b"\0", b"ticket", b"\xff" * 100, b"../../etc/passwd", b"x" * 1_000_000],
    ids=["empty", "zero", "word", "ones", "path", "long"],
)
def test_ticket_of_any_bytes_is_refused(result: _Result, ticket: bytes) -> None:
    """What is no ticket opens nothing."""
    with pytest.raises(TicketInvalidError):
        fetch(result.part.flight_address, ticket)


def test_ticket_of_another_cluster_is_refused(result: _Result) -> None:
    """A ticket that was signed with another key opens nothing."""
    assert result.key
    foreign = sign(result.claims, bytes(32))
    with pytest.raises(TicketInvalidError):
        fetch(result.part.flight_address, foreign)


def test_ticket_signed_for_nothing_is_refused(result: _Result) -> None:
    """A genuine signature under claims that grant nothing, or nothing known, opens nothing."""
    for claims in (TicketClaims(), TicketClaims(expires_ms=_now_ms() + _HOUR_MS)):
        with pytest.raises(TicketInvalidError):
            fetch(result.part.flight_address, sign(claims, result.key))
    unknown = SignedTicket.FromString(result.part.ticket)
    unknown.claims = b"\xff\xff\xff"
    with pytest.raises(TicketInvalidError):
        fetch(result.part.flight_address, unknown.SerializeToString())


def test_ticket_expired_is_refused(result: _Result) -> None:
    """A genuine ticket whose time is over says so, so that a client can ask for a new one."""
    claims = result.claims
    assert fetch(result.part.flight_address, sign(claims, result.key)).num_rows == 10
    claims.expires_ms = _now_ms() - 1
    with pytest.raises(TicketExpiredError) as raised:
        fetch(result.part.flight_address, sign(claims, result.key))
    assert raised.value.retryable


def test_ticket_opens_only_what_it_names(result: _Result) -> None:
    """A genuine ticket for an output that is not there, or of another job, reads nothing."""
    for job_id, task_id in (
        (result.claims.read_outputs.job_id, "j1/s9/t9#9"),
        ("j999999", result.claims.read_outputs.selections[0].task_id),
        ("../..", "../../etc/passwd"),
    ):
        claims = TicketClaims(expires_ms=_now_ms() + _HOUR_MS)
        claims.read_outputs.job_id = job_id
        claims.read_outputs.selections.append(OutputSelection(task_id=task_id, partition=0))
        with pytest.raises(InputLostError):
            fetch(result.part.flight_address, sign(claims, result.key))


def test_ticket_for_one_thing_does_not_do_another(
    result: _Result, patient: springald.LocalCluster
) -> None:
    """A ticket for storing does not read, and a ticket for reading does not store."""
    prepared = result.session.stub.PrepareUpload(
        pb.PrepareUploadRequest(session_id=result.session.id), timeout=CALL_S_MAX
    )
    with pytest.raises(TicketInvalidError):
        fetch(prepared.flight_address, prepared.ticket)
    with pytest.raises(TicketInvalidError):
        _store(result.part.flight_address, result.part.ticket)
    assert all(executor.is_alive for executor in patient.executors)


def test_upload_is_stored_once(result: _Result) -> None:
    """A ticket for storing stores once: rows that are there are never replaced."""
    prepared = result.session.stub.PrepareUpload(
        pb.PrepareUploadRequest(session_id=result.session.id), timeout=CALL_S_MAX
    )
    _store(prepared.flight_address, prepared.ticket)
    with pytest.raises(SpringaldError):
        _store(prepared.flight_address, prepared.ticket)


def test_result_released_is_not_served(result: _Result) -> None:
    """A ticket outlives its result, and opens nothing then."""
    result.session.stub.ReleaseJob(
        pb.ReleaseJobRequest(session_id=result.session.id, operation_id="ten"), timeout=CALL_S_MAX
    )

    def is_gone() -> bool:
        try:
            fetch(result.part.flight_address, result.part.ticket)
        except InputLostError:
            return True
        return False

    wait_until(is_gone, "the result is not served")


def _store(address: str, ticket: bytes) -> None:
    """Sends rows under a ticket; raises as the client would."""
    rows = numbers_table(10)
    with flight.connect(f"grpc://{address}") as client:
        try:
            writer, _ = client.do_put(
                flight.FlightDescriptor.for_command(ticket),
                rows.schema,
                flight.FlightCallOptions(timeout=CALL_S_MAX),
            )
            with writer:
                writer.write_table(rows)
                none = pa.RecordBatch.from_pylist([], schema=rows.schema)
                writer.write_with_metadata(none, b"complete")
        except (flight.FlightError, pa.ArrowException) as failure:
            raise error_from_flight(failure) from None
