"""Messages that are no messages: each is refused by type, and nobody else notices."""

import os
import random
import socket
from collections.abc import Callable

import grpc
import pyarrow as pa
import pytest
from pyarrow import flight

import springald
from cluster.raw import (
    CALL_S_MAX,
    EXECUTOR_SERVICE,
    PROTOCOL,
    SCHEDULER_SERVICE,
    RawSession,
    address_of,
    channel_to,
    raw_session,
    rpc_error,
    send_bytes,
    sql_plan,
    stream_bytes,
)
from cluster.stranger import registration, stranger
from cluster.tables import SUMS, sums
from springald import errors as e
from springald.codec.flight_errors import error_from_flight
from springald.executor.v1 import executor_pb2
from springald.limits import MESSAGE_BYTES_MAX
from springald.plan.v1 import plan_pb2
from springald.scheduler.v1 import scheduler_pb2 as pb

_METHODS = [method.name for method in pb.DESCRIPTOR.services_by_name["SchedulerService"].methods]
# A length-delimited field that promises more bytes than there are.
_GARBAGE = [b"\xff" * 50, b"\x0a\x7f", random.Random(3).randbytes(500)]  # noqa: S311 - not a secret


def _call(channel: grpc.Channel, name: str, payload: bytes) -> None:
    """Makes a call of the clients' service with a request of any bytes."""
    service = pb.DESCRIPTOR.services_by_name["SchedulerService"]
    if service.methods_by_name[name].server_streaming:
        stream: grpc.UnaryStreamMultiCallable[bytes, bytes] = channel.unary_stream(
            f"{SCHEDULER_SERVICE}/{name}"
        )
        list(stream(payload, timeout=CALL_S_MAX))
    else:
        send_bytes(channel, f"{SCHEDULER_SERVICE}/{name}", payload)


@pytest.mark.parametrize("name", _METHODS)
def test_scheduler_refuses_garbage(patient: springald.LocalCluster, name: str) -> None:
    """Bytes that do not decode are refused as garbled, by every call of the clients' service."""
    with channel_to(address_of(patient)) as channel:
        for garbage in _GARBAGE:
            with pytest.raises(grpc.RpcError) as raised:
                _call(channel, name, garbage)
            assert isinstance(rpc_error(raised.value), e.MessageGarbledError)


@pytest.mark.parametrize("name", _METHODS)
def test_scheduler_refuses_empty_requests(patient: springald.LocalCluster, name: str) -> None:
    """A request with nothing in it is the caller's mistake, or right by the contract's defaults."""
    forgiving = {"ListJobs", "ListExecutors"}
    with channel_to(address_of(patient)) as channel:
        try:
            _call(channel, name, b"")
        except grpc.RpcError as failure:
            error = rpc_error(failure)
            assert error.fault == "caller", error
            assert name not in forgiving
        else:
            assert name in forgiving


def test_executor_service_refuses_garbage(patient: springald.LocalCluster) -> None:
    """Bytes that do not decode end an executor's stream as garbled."""
    method = f"{EXECUTOR_SERVICE}/Connect"
    with channel_to(address_of(patient)) as channel:
        for garbage in _GARBAGE:
            with pytest.raises(grpc.RpcError) as raised:
                stream_bytes(channel, method, garbage)
            assert isinstance(rpc_error(raised.value), e.MessageGarbledError)


def test_executor_stream_that_begins_otherwise_is_ended(patient: springald.LocalCluster) -> None:
    """The first message up is a registration (P4.1): anything else ends the stream, typed."""
    unknown = b"\xfa\x01\x00"  # Field 31, which no message has.
    for first in (
        executor_pb2.ConnectRequest(heartbeat=executor_pb2.Heartbeat(sequence=1)),
        executor_pb2.ConnectRequest(),
        executor_pb2.ConnectRequest.FromString(unknown),
    ):
        with (
            channel_to(address_of(patient)) as channel,
            pytest.raises(grpc.RpcError) as raised,
        ):
            stream_bytes(channel, f"{EXECUTOR_SERVICE}/Connect", first.SerializeToString())
        assert isinstance(rpc_error(raised.value), e.MessageGarbledError | e.UnexpectedMessageError)


def test_executor_message_unknown_ends_its_stream(patient: springald.LocalCluster) -> None:
    """A message that the scheduler does not know ends the stream of its executor alone."""
    who = registration()
    with channel_to(address_of(patient)) as channel, stranger(channel, who) as executor:
        assert executor.receive().HasField("registered")
        executor.send(executor_pb2.ConnectRequest())
        with pytest.raises(grpc.RpcError) as raised:
            executor.receive_end()
        assert isinstance(rpc_error(raised.value), e.MessageGarbledError)


def test_executor_news_of_nothing_is_ignored(patient: springald.LocalCluster) -> None:
    """News of attempts and uploads that never were change nothing (P2.1)."""
    news = [
        executor_pb2.ConnectRequest(
            heartbeat=executor_pb2.Heartbeat(sequence=7, running_task_ids=["j1/s1/t1#1", "?"])
        ),
        executor_pb2.ConnectRequest(task_started=executor_pb2.TaskStarted(task_id="j999/s1/t1#1")),
        executor_pb2.ConnectRequest(task_finished=executor_pb2.TaskFinished(task_id="../..")),
        executor_pb2.ConnectRequest(task_failed=executor_pb2.TaskFailed(task_id="")),
        executor_pb2.ConnectRequest(upload_stored=executor_pb2.UploadStored(upload_id="never")),
    ]
    who = registration()
    with channel_to(address_of(patient)) as channel, stranger(channel, who) as executor:
        assert executor.receive().HasField("registered")
        for message in news:
            executor.send(message)
        with patient.connect() as con:
            assert who.executor_id in {listed.id for listed in con.executors()}


def _flood(session: RawSession, name: str) -> None:
    """Makes a call whose request is over the limit for messages."""
    long = "x" * (MESSAGE_BYTES_MAX + 1)
    if name == "Execute":
        list(session.execute(f"SELECT '{long}'", "large"))
    elif name == "DescribeQuery":
        request = pb.DescribeQueryRequest(session_id=session.id, plan=sql_plan(long))
        session.stub.DescribeQuery(request, timeout=CALL_S_MAX)
    else:
        opening = pb.OpenSessionRequest(protocol_version=PROTOCOL, client_name=long)
        session.stub.OpenSession(opening, timeout=CALL_S_MAX)


@pytest.mark.parametrize("name", ["Execute", "DescribeQuery", "OpenSession"])
def test_scheduler_refuses_messages_over_the_limit(
    patient: springald.LocalCluster, name: str
) -> None:
    """A message over 16 MiB is refused as too large, and the channel goes on (P5.1)."""
    with raw_session(patient) as session:
        with pytest.raises(grpc.RpcError) as raised:
            _flood(session, name)
        assert isinstance(rpc_error(raised.value), e.MessageTooLargeError)
        assert session.result("SELECT 1", "after").status == pb.JOB_STATUS_SUCCEEDED


def test_executor_service_refuses_messages_over_the_limit(patient: springald.LocalCluster) -> None:
    """An executor's message over 16 MiB ends its stream as too large."""
    who = registration()
    who.host = "x" * (MESSAGE_BYTES_MAX + 1)
    with (
        channel_to(address_of(patient)) as channel,
        stranger(channel, who) as executor,
        pytest.raises(grpc.RpcError) as raised,
    ):
        executor.receive()
    assert isinstance(rpc_error(raised.value), e.MessageTooLargeError)


def test_scheduler_refuses_a_plan_of_another_kind(patient: springald.LocalCluster) -> None:
    """A plan that is no SQL text, or of a later version, is refused as not offered."""
    later = plan_pb2.Plan(version=plan_pb2.PlanVersion(major=99), sql=plan_pb2.SqlText(text="?"))
    nothing = plan_pb2.Plan(version=plan_pb2.PlanVersion(major=1))
    with raw_session(patient) as session:
        for at, plan in enumerate((later, nothing)):
            request = pb.ExecuteRequest(session_id=session.id, operation_id=f"odd-{at}", plan=plan)
            with pytest.raises(grpc.RpcError) as raised:
                list(session.stub.Execute(request, timeout=CALL_S_MAX))
            assert rpc_error(raised.value).fault == "caller"


def test_unknown_call_is_refused(patient: springald.LocalCluster) -> None:
    """A call that the service does not have is refused as of another protocol."""
    with channel_to(address_of(patient)) as channel:
        for method in (f"{SCHEDULER_SERVICE}/NoSuchCall", "/no.such.Service/Call"):
            with pytest.raises(grpc.RpcError) as raised:
                send_bytes(channel, method, b"")
            assert isinstance(rpc_error(raised.value), e.ProtocolMismatchError)


def test_flight_server_refuses_calls_that_it_does_not_offer(
    patient: springald.LocalCluster,
) -> None:
    """An executor's Flight server reads and stores by ticket, and nothing else (P5.2)."""
    address = patient.executors[0].flight_address
    command = flight.FlightDescriptor.for_command(b"x")
    path = flight.FlightDescriptor.for_path("/etc/passwd")
    options = flight.FlightCallOptions(timeout=CALL_S_MAX)
    calls: dict[str, Callable[[flight.FlightClient], object]] = {
        "list flights": lambda client: list(client.list_flights(options=options)),
        "info of a command": lambda client: client.get_flight_info(command, options),
        "info of a path": lambda client: client.get_flight_info(path, options),
        "schema": lambda client: client.get_schema(command, options),
        "actions": lambda client: client.list_actions(options),
        "action": lambda client: list(client.do_action(flight.Action("stop", b""), options)),
        "exchange": lambda client: client.do_exchange(command, options)[1].read_all(),
    }
    for what, call in calls.items():
        with flight.connect(f"grpc://{address}") as client:
            with pytest.raises(
                (flight.FlightError, pa.ArrowException, NotImplementedError)
            ) as raised:
                call(client)
            assert isinstance(error_from_flight(raised.value), e.UnsupportedError), what


@pytest.mark.parametrize("command", [b"", b"garbage", b"\xff" * 1000])
def test_flight_server_stores_nothing_without_a_ticket(
    patient: springald.LocalCluster, command: bytes
) -> None:
    """Rows that come with no ticket, or with a path, are not stored."""
    address = patient.executors[0].flight_address
    for descriptor in (
        flight.FlightDescriptor.for_command(command),
        flight.FlightDescriptor.for_path("/etc", "passwd"),
    ):
        with pytest.raises((flight.FlightError, pa.ArrowException)) as raised:
            _put(address, descriptor)
        assert isinstance(error_from_flight(raised.value), e.TicketInvalidError)


def _put(address: str, descriptor: flight.FlightDescriptor) -> None:
    rows = pa.table({"a": [1]})
    options = flight.FlightCallOptions(timeout=CALL_S_MAX)
    with flight.connect(f"grpc://{address}") as client:
        writer, _ = client.do_put(descriptor, rows.schema, options)
        with writer:
            writer.write_table(rows)
            writer.done_writing()


@pytest.mark.parametrize("hello", [b"", b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", os.urandom(5000)])
def test_ports_survive_other_protocols(patient: springald.LocalCluster, hello: bytes) -> None:
    """Whatever is said to an open port, the process goes on serving."""
    for address in (address_of(patient), patient.executors[0].flight_address):
        host, _, port = address.rpartition(":")
        with socket.create_connection((host, int(port)), timeout=5) as raw:
            raw.sendall(hello)
            raw.shutdown(socket.SHUT_WR)
            while raw.recv(4096):
                pass
    with patient.connect() as con:
        con.register("sent", {"a": [1, 2, 3]})
        assert con.table("sent").count() == 3


def test_client_goes_on_after_a_message_over_the_limit(con: springald.Connection) -> None:
    """The client refuses to send what the scheduler would, and names the limit."""
    schema = pa.schema([(f"{'column' * 200}{at}", pa.int64()) for at in range(20_000)])
    with pytest.raises(e.MessageTooLargeError, match=str(MESSAGE_BYTES_MAX)):
        con.register("wide", schema.empty_table())
    assert con.sql(SUMS).to_pydict() == sums()
