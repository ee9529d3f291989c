"""The network: calls to the scheduler over gRPC, rows to and from executors over Arrow Flight."""

import threading
from collections.abc import Callable
from typing import Final, Generic, Protocol, TypeVar

import grpc
import pyarrow as pa
from grpc.experimental import ChannelOptions

from springald import client_limits
from springald.backoff import waits_s
from springald.codec.errors import error_from_rpc
from springald.errors import (
    DeadlineExceededError,
    SchedulerUnavailableError,
    SpringaldError,
)
from springald.flight_rows import FlightConnections
from springald.limits import MESSAGE_BYTES_MAX
from springald.scheduler.v1 import scheduler_pb2 as pb
from springald.scheduler.v1.scheduler_pb2_grpc import SchedulerServiceStub
from springald.transport import Rows, Stream

__all__ = ["GrpcTransport"]

RequestT = TypeVar("RequestT")
ResponseT = TypeVar("ResponseT")
ResponseT_co = TypeVar("ResponseT_co", covariant=True)

_CHANNEL_OPTIONS: Final = [
    ("grpc.max_send_message_length", MESSAGE_BYTES_MAX),
    ("grpc.max_receive_message_length", MESSAGE_BYTES_MAX),
    ("grpc.keepalive_time_ms", client_limits.KEEPALIVE_INTERVAL_MS),
    ("grpc.keepalive_timeout_ms", client_limits.KEEPALIVE_ANSWER_MS_MAX),
    ("grpc.initial_reconnect_backoff_ms", client_limits.BACKOFF_FIRST_MS),
    ("grpc.max_reconnect_backoff_ms", client_limits.RECONNECT_MS_MAX),
    # A cluster is reached directly, whatever proxy the environment names for the web.
    ("grpc.enable_http_proxy", 0),
    # A stream is polled by the thread that reads it, and not by one that would have to wake it.
    (ChannelOptions.SingleThreadedUnaryStream, 1),
    # Channels would share one backoff: a new connection must try at once, not wait for an old one.
    ("grpc.use_local_subchannel_pool", 1),
]


class GrpcTransport:
    """A scheduler at an address, and the executors that it names.

    Opening it connects to nothing yet; the first call does.

    Example:
        >>> transport = GrpcTransport("127.0.0.1:50050")
        >>> transport.address
        '127.0.0.1:50050'
        >>> transport.close()

    Args:
        address: `host:port` of the scheduler.
    """

    def __init__(self, address: str) -> None:
        self.address = address
        self._peer = f"the scheduler at {address}"
        self._channel = grpc.insecure_channel(address, options=_CHANNEL_OPTIONS)
        self._stub = SchedulerServiceStub(self._channel)
        self._flight = FlightConnections()
        self._closed = threading.Event()

    def open_session(self, request: pb.OpenSessionRequest) -> pb.OpenSessionResponse:
        """Opens a session, or says within seconds that nobody answers."""
        try:
            return self._try(self._stub.OpenSession, request, client_limits.CONNECT_MS_MAX)
        except DeadlineExceededError as error:
            raise SchedulerUnavailableError(
                f"a scheduler must answer within {client_limits.CONNECT_MS_MAX} ms: got no answer "
                f"from {self.address}; check that one runs at this address, and is not stopped"
            ) from error

    def close_session(self, request: pb.CloseSessionRequest) -> pb.CloseSessionResponse:
        """Ends a session."""
        return self._try(self._stub.CloseSession, request, client_limits.CLOSE_MS_MAX)

    def keep_session(self, request: pb.KeepSessionRequest) -> pb.KeepSessionResponse:
        """Tells that the session's client is alive."""
        return self._call(self._stub.KeepSession, request)

    def execute(self, request: pb.ExecuteRequest) -> Stream[pb.ExecuteResponse]:
        """Runs a statement and follows the job."""
        return self._stream(self._stub.Execute, request)

    def attach_job(self, request: pb.AttachJobRequest) -> Stream[pb.AttachJobResponse]:
        """Follows a job that was started before."""
        return self._stream(self._stub.AttachJob, request)

    def describe_query(self, request: pb.DescribeQueryRequest) -> pb.DescribeQueryResponse:
        """Plans a query without running it."""
        return self._call(self._stub.DescribeQuery, request)

    def cancel_job(self, request: pb.CancelJobRequest) -> pb.CancelJobResponse:
        """Stops a job."""
        return self._call(self._stub.CancelJob, request)

    def release_job(self, request: pb.ReleaseJobRequest) -> pb.ReleaseJobResponse:
        """Gives up a job's result and files."""
        return self._try(self._stub.ReleaseJob, request, client_limits.CLOSE_MS_MAX)

    def list_jobs(self, request: pb.ListJobsRequest) -> pb.ListJobsResponse:
        """Lists jobs, newest first."""
        return self._call(self._stub.ListJobs, request)

    def describe_job(self, request: pb.DescribeJobRequest) -> pb.DescribeJobResponse:
        """Tells all about one job."""
        return self._call(self._stub.DescribeJob, request)

    def list_executors(self, request: pb.ListExecutorsRequest) -> pb.ListExecutorsResponse:
        """Lists the executors."""
        return self._call(self._stub.ListExecutors, request)

    def list_tables(self, request: pb.ListTablesRequest) -> pb.ListTablesResponse:
        """Lists the session's tables and views."""
        return self._call(self._stub.ListTables, request)

    def register_files(self, request: pb.RegisterFilesRequest) -> pb.RegisterFilesResponse:
        """Registers files as a table."""
        return self._call(self._stub.RegisterFiles, request)

    def prepare_upload(self, request: pb.PrepareUploadRequest) -> pb.PrepareUploadResponse:
        """Asks where rows can be sent."""
        return self._call(self._stub.PrepareUpload, request)

    def register_upload(self, request: pb.RegisterUploadRequest) -> pb.RegisterUploadResponse:
        """Makes rows that were sent a table."""
        return self._call(self._stub.RegisterUpload, request)

    def read_part(self, part: pb.ResultPart) -> Rows:
        """Opens one part of a result at the executor that holds it."""
        return self._flight.read(part.flight_address, part.ticket, part.bytes)

    def store_upload(
        self, prepared: pb.PrepareUploadResponse, reader: pa.RecordBatchReader
    ) -> None:
        """Sends rows to the executor where an upload was prepared."""
        self._flight.store(prepared.flight_address, prepared.ticket, reader)

    def close(self) -> None:
        """Closes all channels."""
        self._closed.set()
        self._channel.close()
        self._flight.close()

    def _call(
        self,
        method: "grpc.UnaryUnaryMultiCallable[RequestT, ResponseT]",
        request: RequestT,
    ) -> ResponseT:
        """Makes a call, again and again for a moment while the scheduler cannot be reached."""
        for wait_s in waits_s(client_limits.CALL_TRIES_MAX):
            try:
                return self._try(method, request, client_limits.CALL_MS_MAX)
            except SchedulerUnavailableError:
                if self._closed.wait(wait_s):
                    raise
        return self._try(method, request, client_limits.CALL_MS_MAX)

    def _try(
        self,
        method: "grpc.UnaryUnaryMultiCallable[RequestT, ResponseT]",
        request: RequestT,
        timeout_ms: int,
    ) -> ResponseT:
        try:
            return method(request, timeout=timeout_ms / 1000)
        except grpc.RpcError as error:
            call = type(request).__name__.removesuffix("Request")
            tried = f"{call} within {timeout_ms / 1000:g} s"
            raise error_from_rpc(error, self._peer, tried) from None
        except ValueError as error:
            raise self._closed_error() from error

    def _stream(
        self,
        method: "grpc.UnaryStreamMultiCallable[RequestT, ResponseT]",
        request: RequestT,
    ) -> "_GrpcStream[ResponseT]":
        try:
            return _GrpcStream(method(request), lambda error: error_from_rpc(error, self._peer))
        except ValueError as error:
            raise self._closed_error() from error

    def _closed_error(self) -> SpringaldError:
        return SchedulerUnavailableError(
            f"a connection must be open: got a call after the one to {self.address} was closed; "
            "connect again"
        )


class _Call(Protocol[ResponseT_co]):
    """What gRPC returns for a stream; its own name for it is private."""

    def __next__(self) -> ResponseT_co: ...

    def cancel(self) -> bool: ...


class _GrpcStream(Generic[ResponseT]):
    """A server's stream whose errors are typed and whose end any thread can bring about."""

    def __init__(
        self,
        call: "_Call[ResponseT]",
        typed: Callable[[grpc.RpcError], SpringaldError],
    ) -> None:
        self._call = call
        self._typed = typed
        self._closed = False

    def __iter__(self) -> "_GrpcStream[ResponseT]":
        return self

    def __next__(self) -> ResponseT:
        try:
            return next(self._call)
        except grpc.RpcError as error:
            if self._closed:
                raise StopIteration from None
            raise self._typed(error) from None

    def close(self) -> None:
        self._closed = True
        self._call.cancel()
