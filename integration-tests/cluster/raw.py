"""The wire itself: both gRPC services and Flight, without the client that keeps to the rules."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import grpc
from pyarrow import flight

import springald
from springald.codec.errors import error_from_rpc
from springald.codec.flight_errors import error_from_flight
from springald.errors import SpringaldError
from springald.physical.v1.physical_pb2 import Option
from springald.plan.v1 import plan_pb2
from springald.scheduler.v1 import scheduler_pb2 as pb
from springald.scheduler.v1.scheduler_pb2_grpc import SchedulerServiceStub

CALL_S_MAX = 15.0
SCHEDULER_SERVICE = "/springald.scheduler.v1.SchedulerService"
EXECUTOR_SERVICE = "/springald.executor.v1.ExecutorService"
PROTOCOL = pb.ProtocolVersion(major=1, minor=0)

_UNLIMITED = [
    ("grpc.max_send_message_length", -1),
    ("grpc.max_receive_message_length", -1),
    ("grpc.use_local_subchannel_pool", 1),
]

# Rows lie on executors, however few they are.
_FETCHED = Option(name="springald.inline_rows_bytes_max", value="0")


def address_of(cluster: springald.LocalCluster) -> str:
    """Returns `host:port` of a cluster's scheduler."""
    return cluster.url.removeprefix("springald://")


@contextmanager
def channel_to(address: str) -> Iterator[grpc.Channel]:
    """Opens a channel that puts no limit on what is sent."""
    with grpc.insecure_channel(address, options=_UNLIMITED) as channel:
        yield channel


def send_bytes(channel: grpc.Channel, method: str, payload: bytes) -> bytes:
    """Makes a call with a request of any bytes; returns the answer's bytes."""
    call: grpc.UnaryUnaryMultiCallable[bytes, bytes] = channel.unary_unary(method)
    return call(payload, timeout=CALL_S_MAX)


def stream_bytes(channel: grpc.Channel, method: str, *payloads: bytes) -> list[bytes]:
    """Opens a stream both ways with requests of any bytes; returns the answers up to its end."""
    call: grpc.StreamStreamMultiCallable[bytes, bytes] = channel.stream_stream(method)
    return list(call(iter(payloads), timeout=CALL_S_MAX))


def rpc_error(failure: grpc.RpcError) -> SpringaldError:
    """Returns what the client makes of a failed call."""
    return error_from_rpc(failure)


class RawSession:
    """A session spoken by hand."""

    def __init__(self, channel: grpc.Channel) -> None:
        self.stub = SchedulerServiceStub(channel)
        opened = self.stub.OpenSession(
            pb.OpenSessionRequest(
                protocol_version=PROTOCOL, client_name="test", settings=[_FETCHED]
            )
        )
        self.id = opened.session_id

    def execute(self, sql: str, operation_id: str) -> Any:  # noqa: ANN401 - its type is private
        """Starts a statement; iterating the call gives the news."""
        request = pb.ExecuteRequest(
            session_id=self.id, operation_id=operation_id, plan=sql_plan(sql)
        )
        return self.stub.Execute(request, timeout=60)

    def result(self, sql: str, operation_id: str) -> pb.JobUpdate:
        """Runs a statement to its end and returns the last news."""
        *_, last = self.execute(sql, operation_id)
        update: pb.JobUpdate = last.update
        return update

    def part(self, sql: str, operation_id: str) -> pb.ResultPart:
        """Runs a query whose rows lie on executors; returns the first part with rows."""
        parts = self.result(sql, operation_id).result.remote.parts
        return next(part for part in parts if part.rows)

    def close(self) -> None:
        """Ends the session."""
        self.stub.CloseSession(pb.CloseSessionRequest(session_id=self.id))


@contextmanager
def raw_session(cluster: springald.LocalCluster) -> Iterator[RawSession]:
    """Opens a session for the time of a block."""
    with channel_to(address_of(cluster)) as channel:
        session = RawSession(channel)
        try:
            yield session
        finally:
            session.close()


def sql_plan(sql: str) -> plan_pb2.Plan:
    """Wraps a statement for the wire."""
    version = plan_pb2.PlanVersion(major=1, minor=0, producer="test")
    return plan_pb2.Plan(version=version, sql=plan_pb2.SqlText(text=sql))


def fetch(address: str, ticket: bytes) -> Any:  # noqa: ANN401 - a pyarrow.Table
    """Shows a ticket to a Flight server and reads all that it opens.

    Raises:
        SpringaldError: As the client would raise it.
    """
    with flight.connect(f"grpc://{address}") as client:
        try:
            options = flight.FlightCallOptions(timeout=CALL_S_MAX)
            return client.do_get(flight.Ticket(ticket), options).read_all()
        except flight.FlightError as failure:
            raise error_from_flight(failure) from None
