"""Clients of other versions: refused with both versions named, or understood as far as they go."""

import grpc
import pytest

import springald
from cluster.raw import CALL_S_MAX, PROTOCOL, address_of, channel_to, rpc_error
from springald.errors import ProtocolMismatchError
from springald.scheduler.v1 import scheduler_pb2 as pb
from springald.scheduler.v1.scheduler_pb2_grpc import SchedulerServiceStub

_UNKNOWN_FIELD = b"\xfa\x3e\x05later"  # Field 1007, as a later version might have.


@pytest.mark.parametrize("major", [0, 2, 4_000_000_000])
def test_client_of_another_major_version_is_refused(
    patient: springald.LocalCluster, major: int
) -> None:
    """A client with another major version is refused, and the reason names both (P1.1)."""
    opening = pb.OpenSessionRequest(protocol_version=pb.ProtocolVersion(major=major))
    with channel_to(address_of(patient)) as channel, pytest.raises(grpc.RpcError) as raised:
        SchedulerServiceStub(channel).OpenSession(opening, timeout=CALL_S_MAX)
    error = rpc_error(raised.value)
    assert isinstance(error, ProtocolMismatchError)
    assert str(major) in error.message
    assert str(PROTOCOL.major) in error.message


def test_client_that_tells_no_version_is_refused(patient: springald.LocalCluster) -> None:
    """The version is required: a client that does not tell it is refused."""
    with channel_to(address_of(patient)) as channel, pytest.raises(grpc.RpcError) as raised:
        SchedulerServiceStub(channel).OpenSession(pb.OpenSessionRequest(), timeout=CALL_S_MAX)
    assert isinstance(rpc_error(raised.value), ProtocolMismatchError)


def test_client_of_a_later_minor_version_is_understood(patient: springald.LocalCluster) -> None:
    """A later minor version, with fields that this one does not know, is served (P1.2)."""
    later = pb.OpenSessionRequest(
        protocol_version=pb.ProtocolVersion(major=PROTOCOL.major, minor=999)
    )
    with channel_to(address_of(patient)) as channel:
        stub = SchedulerServiceStub(channel)
        later.MergeFromString(_UNKNOWN_FIELD)
        opened = stub.OpenSession(later, timeout=CALL_S_MAX)
        assert opened.protocol_version.major == PROTOCOL.major
        assert opened.protocol_version.minor < 999
        assert opened.session_id
        stub.CloseSession(pb.CloseSessionRequest(session_id=opened.session_id), timeout=CALL_S_MAX)


def test_client_refuses_a_url_of_something_else(patient: springald.LocalCluster) -> None:
    """A client that is pointed at an executor, or at no scheduler, says what it met, soon."""
    with pytest.raises(springald.SpringaldError) as raised:
        springald.connect(f"springald://{patient.executors[0].flight_address}")
    assert patient.executors[0].flight_address in raised.value.message
