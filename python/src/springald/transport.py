"""How a client reaches a scheduler and the rows: over the network, or inside the process.

The two implementations are `springald.grpc_transport.GrpcTransport` and
`springald.local.LocalTransport`. Everything above this interface is the same for both.
"""

from typing import Protocol, Self, TypeVar

import pyarrow as pa

from springald.scheduler.v1 import scheduler_pb2 as pb

__all__ = ["Rows", "Stream", "Transport"]

ItemT_co = TypeVar("ItemT_co", covariant=True)


class Stream(Protocol[ItemT_co]):
    """Things that arrive one by one.

    It ends with StopIteration, and raises SpringaldError where it breaks. One thread reads it; any
    thread may close it.
    """

    def __iter__(self) -> Self:
        """Returns itself."""
        ...

    def __next__(self) -> ItemT_co:
        """Waits for the next one."""
        ...

    def close(self) -> None:
        """Ends the stream at once, also for a thread that waits in it."""
        ...


class Rows(Stream[pa.RecordBatch], Protocol):
    """One part of a result on its way: a batch is fetched when it is asked for.

    Attributes:
        schema: The schema of all batches, known from the start.
    """

    schema: pa.Schema


class Transport(Protocol):
    """The calls of `springald.scheduler.v1.SchedulerService`, and the ways of rows.

    All methods may be called from several threads at once, and raise nothing but SpringaldError.
    What each call means stands in `proto/springald/scheduler/v1/scheduler.proto`.
    """

    @property
    def address(self) -> str:
        """Where the scheduler is, for people: `127.0.0.1:50050`, or `local`."""
        ...

    def open_session(self, request: pb.OpenSessionRequest) -> pb.OpenSessionResponse:
        """Opens a session."""
        ...

    def close_session(self, request: pb.CloseSessionRequest) -> pb.CloseSessionResponse:
        """Ends a session."""
        ...

    def keep_session(self, request: pb.KeepSessionRequest) -> pb.KeepSessionResponse:
        """Tells that the session's client is alive."""
        ...

    def execute(self, request: pb.ExecuteRequest) -> Stream[pb.ExecuteResponse]:
        """Runs a statement and follows the job, up to its first terminal status.

        What is wrong with the statement is raised here or by the first `next`. Closing the stream
        leaves the job running.
        """
        ...

    def attach_job(self, request: pb.AttachJobRequest) -> Stream[pb.AttachJobResponse]:
        """Follows a job that was started before, up to its first terminal status."""
        ...

    def describe_query(self, request: pb.DescribeQueryRequest) -> pb.DescribeQueryResponse:
        """Plans a query without running it."""
        ...

    def cancel_job(self, request: pb.CancelJobRequest) -> pb.CancelJobResponse:
        """Stops a job."""
        ...

    def release_job(self, request: pb.ReleaseJobRequest) -> pb.ReleaseJobResponse:
        """Gives up a job's result and files."""
        ...

    def list_jobs(self, request: pb.ListJobsRequest) -> pb.ListJobsResponse:
        """Lists jobs, newest first."""
        ...

    def describe_job(self, request: pb.DescribeJobRequest) -> pb.DescribeJobResponse:
        """Tells all about one job."""
        ...

    def list_executors(self, request: pb.ListExecutorsRequest) -> pb.ListExecutorsResponse:
        """Lists the executors."""
        ...

    def list_tables(self, request: pb.ListTablesRequest) -> pb.ListTablesResponse:
        """Lists the session's tables and views."""
        ...

    def register_files(self, request: pb.RegisterFilesRequest) -> pb.RegisterFilesResponse:
        """Registers files as a table."""
        ...

    def prepare_upload(self, request: pb.PrepareUploadRequest) -> pb.PrepareUploadResponse:
        """Asks where rows can be sent."""
        ...

    def register_upload(self, request: pb.RegisterUploadRequest) -> pb.RegisterUploadResponse:
        """Makes rows that were sent a table."""
        ...

    def read_part(self, part: pb.ResultPart) -> Rows:
        """Opens one part of a result."""
        ...

    def store_upload(
        self, prepared: pb.PrepareUploadResponse, reader: pa.RecordBatchReader
    ) -> None:
        """Sends rows to where an upload was prepared; they are stored when this returns."""
        ...

    def close(self) -> None:
        """Closes all connections. Waiting calls end with an error. Closing again does nothing."""
        ...
