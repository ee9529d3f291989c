"""The network: calls to the scheduler over gRPC, rows to and from executors over Arrow Flight."""

import threading
from collections.abc import Callable, Iterator, Sequence
from typing import Generic, Protocol, TypeVar

import grpc
import pyarrow as pa

from springald import client_limits
from springald.backoff import waits_s
from springald.codec.errors import error_from_rpc
from springald.endpoints import Endpoint, Endpoints, Finder
from springald.errors import (
    DeadlineExceededError,
    NotLeaderError,
    SchedulerUnavailableError,
    SpringaldError,
)
from springald.flight_rows import FlightConnections
from springald.scheduler.v1 import scheduler_pb2 as pb
from springald.scheduler.v1.scheduler_pb2_grpc import SchedulerServiceStub
from springald.transport import Rows, Stream

__all__ = ["GrpcTransport"]

RequestT = TypeVar("RequestT")
ResponseT = TypeVar("ResponseT")
ResponseT_co = TypeVar("ResponseT_co", covariant=True)

MethodOf = Callable[[SchedulerServiceStub], ResponseT]


class GrpcTransport:
    """The schedulers of a cluster, of which one leads, and the executors that they name.

    Opening it connects to nothing yet; the first call does. Calls are made again while no scheduler
    can be reached, and made elsewhere where one says that another leads.

    Example:
        >>> transport = GrpcTransport("127.0.0.1:50050")
        >>> transport.address
        '127.0.0.1:50050'
        >>> transport.close()

    Args:
        addresses: `host:port` of the scheduler, or of each of them.
        find: Tells where they are now, if they are found; see `Endpoints`.
    """

    def __init__(self, addresses: str | Sequence[str], find: Finder | None = None) -> None:
        known = [addresses] if isinstance(addresses, str) else list(addresses)
        self._many = len(known) > 1 or find is not None
        self._endpoints = Endpoints(known, find)
        self._flight = FlightConnections()
        self._closed = threading.Event()

    @property
    def address(self) -> str:
        """Where the scheduler is that is asked now."""
        return self._endpoints.current.address

    def open_session(self, request: pb.OpenSessionRequest) -> pb.OpenSessionResponse:
        """Opens a session, or says within seconds that nobody answers."""
        limit_ms = client_limits.CONNECT_MS_MAX
        # One scheduler that refuses is not there; of several, one may be about to lead.
        waits = waits_s(client_limits.ELECTION_MS_MAX) if self._many else iter(())
        try:
            return self._call(lambda stub: stub.OpenSession, request, waits, limit_ms)
        except DeadlineExceededError as error:
            raise SchedulerUnavailableError(
                f"a scheduler must answer within {limit_ms} ms: got no answer "
                f"from {self.address}; check that one runs at this address, and is not stopped"
            ) from error

    def close_session(self, request: pb.CloseSessionRequest) -> pb.CloseSessionResponse:
        """Ends a session."""
        return self._call_briefly(lambda stub: stub.CloseSession, request)

    def keep_session(self, request: pb.KeepSessionRequest) -> pb.KeepSessionResponse:
        """Tells that the session's client is alive."""
        return self._call_briefly(lambda stub: stub.KeepSession, request)

    def execute(self, request: pb.ExecuteRequest) -> Stream[pb.ExecuteResponse]:
        """Runs a statement and follows the job."""
        return self._stream(lambda stub: stub.Execute, request)

    def attach_job(self, request: pb.AttachJobRequest) -> Stream[pb.AttachJobResponse]:
        """Follows a job that was started before."""
        return self._stream(lambda stub: stub.AttachJob, request)

    def describe_query(self, request: pb.DescribeQueryRequest) -> pb.DescribeQueryResponse:
        """Plans a query without running it."""
        return self._call(lambda stub: stub.DescribeQuery, request)

    def cancel_job(self, request: pb.CancelJobRequest) -> pb.CancelJobResponse:
        """Stops a job."""
        return self._call(lambda stub: stub.CancelJob, request)

    def release_job(self, request: pb.ReleaseJobRequest) -> pb.ReleaseJobResponse:
        """Gives up a job's result and files."""
        return self._call_briefly(lambda stub: stub.ReleaseJob, request)

    def list_jobs(self, request: pb.ListJobsRequest) -> pb.ListJobsResponse:
        """Lists jobs, newest first."""
        return self._call(lambda stub: stub.ListJobs, request)

    def describe_job(self, request: pb.DescribeJobRequest) -> pb.DescribeJobResponse:
        """Tells all about one job."""
        return self._call(lambda stub: stub.DescribeJob, request)

    def list_executors(self, request: pb.ListExecutorsRequest) -> pb.ListExecutorsResponse:
        """Lists the executors."""
        return self._call(lambda stub: stub.ListExecutors, request)

    def list_tables(self, request: pb.ListTablesRequest) -> pb.ListTablesResponse:
        """Lists the session's tables and views."""
        return self._call(lambda stub: stub.ListTables, request)

    def register_files(self, request: pb.RegisterFilesRequest) -> pb.RegisterFilesResponse:
        """Registers files as a table."""
        return self._call(lambda stub: stub.RegisterFiles, request)

    def prepare_upload(self, request: pb.PrepareUploadRequest) -> pb.PrepareUploadResponse:
        """Asks where rows can be sent."""
        return self._call(lambda stub: stub.PrepareUpload, request)

    def register_upload(self, request: pb.RegisterUploadRequest) -> pb.RegisterUploadResponse:
        """Makes rows that were sent a table."""
        return self._call(lambda stub: stub.RegisterUpload, request)

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
        self._endpoints.close()
        self._flight.close()

    def _call(
        self,
        method_of: "MethodOf[grpc.UnaryUnaryMultiCallable[RequestT, ResponseT]]",
        request: RequestT,
        waits: Iterator[float] | None = None,
        timeout_ms: int = client_limits.CALL_MS_MAX,
    ) -> ResponseT:
        """Makes a call, again and again as long as there are waits and nobody answers it."""
        waits = waits_s(client_limits.SCHEDULER_AWAY_MS_MAX) if waits is None else waits
        redirected = False
        first: SpringaldError | None = None
        while True:
            endpoint = self._endpoints.current
            try:
                return self._try(endpoint, method_of, request, timeout_ms)
            except NotLeaderError as error:
                self._endpoints.leave(endpoint, error.leader_address)
                if error.leader_address and not redirected:
                    redirected = True
                    continue
                failure: SpringaldError = error
            except SchedulerUnavailableError as error:
                self._endpoints.leave(endpoint)
                failure = error
            redirected = False
            first = first or failure
            wait_s = next(waits, None)
            if wait_s is None or self._closed.wait(wait_s):
                raise failure.after(first)

    def _call_briefly(
        self,
        method_of: "MethodOf[grpc.UnaryUnaryMultiCallable[RequestT, ResponseT]]",
        request: RequestT,
    ) -> ResponseT:
        """Makes a call that nobody waits for."""
        limit_ms = client_limits.CLOSE_MS_MAX
        return self._call(method_of, request, waits_s(limit_ms), limit_ms)

    def _try(
        self,
        endpoint: Endpoint,
        method_of: "MethodOf[grpc.UnaryUnaryMultiCallable[RequestT, ResponseT]]",
        request: RequestT,
        timeout_ms: int,
    ) -> ResponseT:
        try:
            return method_of(endpoint.stub)(request, timeout=timeout_ms / 1000)
        except grpc.RpcError as error:
            call = type(request).__name__.removesuffix("Request")
            tried = f"{call} within {timeout_ms / 1000:g} s"
            raise error_from_rpc(error, endpoint.peer, tried) from None
        except ValueError as error:
            raise self._closed_error() from error

    def _stream(
        self,
        method_of: "MethodOf[grpc.UnaryStreamMultiCallable[RequestT, ResponseT]]",
        request: RequestT,
    ) -> "_GrpcStream[ResponseT]":
        endpoint = self._endpoints.current

        def typed(failure: grpc.RpcError) -> SpringaldError:
            error = error_from_rpc(failure, endpoint.peer)
            if isinstance(error, NotLeaderError):
                self._endpoints.leave(endpoint, error.leader_address)
            elif isinstance(error, SchedulerUnavailableError):
                self._endpoints.leave(endpoint)
            return error

        try:
            return _GrpcStream(method_of(endpoint.stub)(request), typed)
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
