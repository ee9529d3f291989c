"""A scheduler and an executor that answer from a script: real gRPC, real Flight, no engine."""
# ruff: noqa: ARG002, D102, N802 - gRPC and Flight dictate names and arguments, protos describe them

import threading
import zlib
from collections.abc import Callable, Iterator
from concurrent import futures
from contextlib import contextmanager
from dataclasses import dataclass, field

import grpc
import pyarrow as pa
from pyarrow import flight

from springald.codec.errors import abort_rpc, error_to_proto
from springald.codec.flight_errors import flight_error_from
from springald.errors import (
    CancelledError,
    JobNotFoundError,
    NotLeaderError,
    Position,
    SessionNotFoundError,
    SpringaldError,
    SqlSyntaxError,
    TicketInvalidError,
)
from springald.flight_rows import UPLOAD_COMPLETE
from springald.limits import MESSAGE_BYTES_MAX, PROTOCOL_MAJOR
from springald.physical.v1 import physical_pb2
from springald.scheduler.v1 import scheduler_pb2 as pb
from springald.scheduler.v1.scheduler_pb2_grpc import (
    SchedulerServiceServicer,
    add_SchedulerServiceServicer_to_server,
)
from springald.types import schema_from_proto, schema_to_proto

WAIT_S_MAX = 20.0

Batches = Callable[[], Iterator[pa.RecordBatch]]


@dataclass
class Script:
    """What becomes of a statement.

    Attributes:
        rows: The rows it returns.
        parts: How many parts they come in.
        batches: In place of rows: makes the batches of the single part while they are read.
        schema: The schema of `batches`.
        inline: The rows travel inside the last update.
        error: It fails with this, as a job.
        refusal: It is refused with this, before it becomes a job.
        held: It runs until `FakeCluster.finish()` or a cancel.
        breaks: How many of its streams break after their first update.
        lost_part: Reading its rows fails with this.
        rows_told: In place of the truth, how many rows each part is said to have.
        lost_after: The last part ends after so many of its rows, until it is asked for again.
        again: In place of `rows`, what is there when it was asked for again.
    """

    rows: pa.Table = field(default_factory=lambda: pa.table({"one": [1]}))
    parts: int = 1
    batches: Batches | None = None
    schema: pa.Schema | None = None
    inline: bool = False
    error: SpringaldError | None = None
    refusal: SpringaldError | None = None
    held: bool = False
    breaks: int = 0
    lost_part: SpringaldError | None = None
    rows_told: int | None = None
    lost_after: int | None = None
    again: pa.Table | None = None


@dataclass(frozen=True)
class FakeTls:
    """What a cluster shows and trusts, as PEM.

    Attributes:
        certificate: The certificate of both of its servers.
        key: Its private key.
        trusted: The authorities of its clients, which must show a certificate.
    """

    certificate: bytes
    key: bytes
    trusted: bytes


@dataclass
class FakeJob:
    """One execution, as the fake remembers it."""

    id: str
    operation_id: str
    session_id: str
    sql: str
    script: Script
    streams: int = 0
    status: pb.JobStatus.ValueType = pb.JOB_STATUS_QUEUED
    error: SpringaldError | None = None
    finished: int = 0
    attempt: int = 1


class FakeCluster(SchedulerServiceServicer):
    """Answers statements by their text, and remembers what it was asked."""

    def __init__(self, address: str = "127.0.0.1:0", tls: FakeTls | None = None) -> None:
        self.changed = threading.Condition()
        self.scripts: dict[str, Script] = {}
        self.default = Script()
        self.jobs: list[FakeJob] = []
        self.calls: list[str] = []
        self.sessions: dict[str, dict[str, str]] = {}
        self.tables: dict[str, tuple[str, pa.Schema]] = {}
        self.files: dict[str, physical_pb2.RegisteredFiles] = {}
        self.uploads: dict[str, pa.Table] = {}
        self.protocol_major = PROTOCOL_MAJOR
        self.protocol_minor = 0
        self.forgetful = False
        self.leader_address: str | None = None
        self.lease_ms = 60_000
        self.flight = FakeFlight(self, tls)
        self.grpc_server = grpc.server(
            futures.ThreadPoolExecutor(20),
            options=[
                ("grpc.max_receive_message_length", MESSAGE_BYTES_MAX),
                ("grpc.http2.min_recv_ping_interval_without_data_ms", 1000),
            ],
        )
        add_SchedulerServiceServicer_to_server(self, self.grpc_server)
        self.port = (
            self.grpc_server.add_insecure_port(address)
            if tls is None
            else self.grpc_server.add_secure_port(
                address,
                grpc.ssl_server_credentials(
                    [(tls.key, tls.certificate)], tls.trusted, require_client_auth=True
                ),
            )
        )
        self.grpc_server.start()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"springald://127.0.0.1:{self.port}"

    def close(self) -> None:
        """Stops both servers."""
        with self.changed:
            for job in self.jobs:
                job.script.held = False
            self.changed.notify_all()
        self.grpc_server.stop(None).wait()
        self.flight.shutdown()

    def wait_call(self, call: str, times: int = 1) -> None:
        """Waits until a call was made so often."""
        with self.changed:
            if not self.changed.wait_for(lambda: self.calls.count(call) >= times, WAIT_S_MAX):
                raise AssertionError(f"{call} is called {times} times: got {self.calls}")

    def finish(self, sql: str) -> None:
        """Lets a held statement succeed."""
        with self.changed:
            self.scripts[sql].held = False
            self.changed.notify_all()

    def finish_all(self) -> None:
        """Lets all held statements succeed."""
        with self.changed:
            for job in self.jobs:
                job.script.held = False
            self.changed.notify_all()

    def advance(self, sql: str, finished: int) -> None:
        """Sets how many of the four tasks of a statement's job are done."""
        with self.changed:
            for job in self.jobs:
                if job.sql == sql:
                    job.finished = finished
            self.changed.notify_all()

    def executed(self) -> list[str]:
        """The statements that became jobs, in order."""
        return [job.sql for job in self.jobs]

    def note(self, call: str) -> None:
        """Remembers a call."""
        with self.changed:
            self.calls.append(call)
            self.changed.notify_all()

    # What SchedulerService promises.

    def OpenSession(
        self, request: pb.OpenSessionRequest, context: grpc.ServicerContext
    ) -> pb.OpenSessionResponse:
        self._check_leader(context)
        self.note("open")
        session_id = f"session{len(self.sessions) + 1}"
        self.sessions[session_id] = {option.name: option.value for option in request.settings}
        return pb.OpenSessionResponse(
            session_id=session_id,
            protocol_version=pb.ProtocolVersion(
                major=self.protocol_major, minor=self.protocol_minor
            ),
            scheduler_version="0.0.fake",
            lease_ms=self.lease_ms,
        )

    def CloseSession(
        self, request: pb.CloseSessionRequest, context: grpc.ServicerContext
    ) -> pb.CloseSessionResponse:
        self.note(f"close {request.session_id}")
        return pb.CloseSessionResponse()

    def KeepSession(
        self, request: pb.KeepSessionRequest, context: grpc.ServicerContext
    ) -> pb.KeepSessionResponse:
        self.note("keep")
        return pb.KeepSessionResponse()

    def Execute(
        self, request: pb.ExecuteRequest, context: grpc.ServicerContext
    ) -> Iterator[pb.ExecuteResponse]:
        self._check_session(request.session_id, context)
        for operation_id in request.released_operation_ids:
            self.note(f"released with a statement {operation_id}")
        sql = request.plan.sql.text
        with self.changed:
            script = self.scripts.get(sql, self.default)
            job = self._job(request.operation_id)
            if script.refusal is not None:
                abort_rpc(context, script.refusal)
            if job is None:
                number = len(self.jobs) + 1
                job = FakeJob(f"j{number}", request.operation_id, request.session_id, sql, script)
                self.jobs.append(job)
        self.note("execute")
        for update in self._follow(job, context):
            yield pb.ExecuteResponse(update=update)

    def AttachJob(
        self, request: pb.AttachJobRequest, context: grpc.ServicerContext
    ) -> Iterator[pb.AttachJobResponse]:
        self.note("attach")
        self._check_session(request.session_id, context)
        job = self._job(request.operation_id)
        if job is None:
            abort_rpc(context, JobNotFoundError(f"no job {request.operation_id}"))
        if request.lost_task_ids:
            self.note(f"lost {' '.join(request.lost_task_ids)}")
            job.attempt += _last_output(job) in request.lost_task_ids
        for update in self._follow(job, context):
            yield pb.AttachJobResponse(update=update)

    def DescribeQuery(
        self, request: pb.DescribeQueryRequest, context: grpc.ServicerContext
    ) -> pb.DescribeQueryResponse:
        self.note("describe query")
        script = self.scripts.get(request.plan.sql.text, self.default)
        if script.refusal is not None:
            abort_rpc(context, script.refusal)
        return pb.DescribeQueryResponse(schema=schema_to_proto(script.rows.schema))

    def CancelJob(
        self, request: pb.CancelJobRequest, context: grpc.ServicerContext
    ) -> pb.CancelJobResponse:
        with self.changed:
            job = self._job(request.operation_id)
            if job is None:
                abort_rpc(context, JobNotFoundError(f"no job {request.operation_id}"))
            job.error = CancelledError(f"{job.id} was cancelled: {request.reason}")
            job.status = pb.JOB_STATUS_CANCELLED
            self.changed.notify_all()
        self.note("cancel")
        return pb.CancelJobResponse()

    def ReleaseJob(
        self, request: pb.ReleaseJobRequest, context: grpc.ServicerContext
    ) -> pb.ReleaseJobResponse:
        for operation_id in (request.operation_id, *request.more_operation_ids):
            self.note(f"release {operation_id}")
        self.note("release")
        return pb.ReleaseJobResponse()

    def ListJobs(
        self, request: pb.ListJobsRequest, context: grpc.ServicerContext
    ) -> pb.ListJobsResponse:
        self.note("list jobs")
        wanted = [job for job in self.jobs if request.session_id in ("", job.session_id)]
        return pb.ListJobsResponse(jobs=[self._summary(job) for job in reversed(wanted)])

    def DescribeJob(
        self, request: pb.DescribeJobRequest, context: grpc.ServicerContext
    ) -> pb.DescribeJobResponse:
        job = self._job(request.operation_id)
        if job is None:
            abort_rpc(context, JobNotFoundError(f"no job {request.operation_id}"))
        return pb.DescribeJobResponse(
            summary=self._summary(job),
            graph=_graph(),
            stages=[
                pb.StageStatistics(stage_id=1, tasks_total=2, rows_out=9, bytes_shuffled=512),
                pb.StageStatistics(stage_id=2, tasks_total=1, rows_out=3, bytes_read_remote=256),
            ],
            tasks=[
                pb.TaskStatistics(task_id="j1/s1/t1#1", stage_id=1, executor_id="e1"),
                pb.TaskStatistics(task_id="j1/s1/t2#1", stage_id=1, executor_id="e2"),
                pb.TaskStatistics(task_id="j1/s2/t1#1", stage_id=2, executor_id="e1"),
                pb.TaskStatistics(task_id="j1/s2/t2#1", stage_id=2, state="waiting"),
            ],
        )

    def ListExecutors(
        self, request: pb.ListExecutorsRequest, context: grpc.ServicerContext
    ) -> pb.ListExecutorsResponse:
        executor = pb.ExecutorSummary(
            executor_id="e1", flight_address=self.flight.address, slots_total=2, state="active"
        )
        return pb.ListExecutorsResponse(executors=[executor])

    def ListTables(
        self, request: pb.ListTablesRequest, context: grpc.ServicerContext
    ) -> pb.ListTablesResponse:
        self._check_session(request.session_id, context)
        return pb.ListTablesResponse(
            tables=[
                pb.TableSummary(name=name, kind=kind, schema=schema_to_proto(schema))
                for name, (kind, schema) in sorted(self.tables.items())
            ]
        )

    def RegisterFiles(
        self, request: pb.RegisterFilesRequest, context: grpc.ServicerContext
    ) -> pb.RegisterFilesResponse:
        self.files[request.name] = request.files
        self.tables[request.name] = ("parquet", pa.schema([("a", pa.int64())]))
        return pb.RegisterFilesResponse()

    def PrepareUpload(
        self, request: pb.PrepareUploadRequest, context: grpc.ServicerContext
    ) -> pb.PrepareUploadResponse:
        upload_id = f"u{len(self.uploads) + 1}"
        return pb.PrepareUploadResponse(
            upload_id=upload_id,
            flight_address=self.flight.address,
            ticket=f"upload {upload_id}".encode(),
        )

    def RegisterUpload(
        self, request: pb.RegisterUploadRequest, context: grpc.ServicerContext
    ) -> pb.RegisterUploadResponse:
        self.tables[request.name] = ("upload", schema_from_proto(request.schema))
        return pb.RegisterUploadResponse(table=pb.TableSummary(name=request.name, kind="upload"))

    def _check_leader(self, context: grpc.ServicerContext) -> None:
        if self.leader_address is not None:
            abort_rpc(context, NotLeaderError.of(self.leader_address, "this one"))

    def _check_session(self, session_id: str, context: grpc.ServicerContext) -> None:
        self._check_leader(context)
        if self.forgetful or session_id not in self.sessions:
            abort_rpc(context, SessionNotFoundError(f"no session {session_id}"))

    def _job(self, name: str) -> FakeJob | None:
        return next((job for job in self.jobs if name in (job.operation_id, job.id)), None)

    def _follow(self, job: FakeJob, context: grpc.ServicerContext) -> Iterator[pb.JobUpdate]:
        job.streams += 1
        broken = job.streams <= job.script.breaks
        yield self._update(job)
        if broken:
            context.abort(grpc.StatusCode.UNAVAILABLE, "a wire was cut")
        while True:
            with self.changed:
                self._step(job)
                update = self._update(job)
            yield update
            if update.status > pb.JOB_STATUS_RUNNING:
                return
            if not self._wait_news(job, update, context):
                return

    def _wait_news(self, job: FakeJob, told: pb.JobUpdate, context: grpc.ServicerContext) -> bool:
        """Waits while a held job is as it was told; false if nobody listens any more."""
        with self.changed:
            while job.script.held and context.is_active() and self._update(job) == told:
                self.changed.wait(0.1)
        return context.is_active()

    def _step(self, job: FakeJob) -> None:
        if job.status == pb.JOB_STATUS_QUEUED:
            job.status = pb.JOB_STATUS_RUNNING
        elif job.status == pb.JOB_STATUS_RUNNING and not job.script.held:
            job.error = job.script.error
            job.status = pb.JOB_STATUS_FAILED if job.error else pb.JOB_STATUS_SUCCEEDED
            job.finished = 4

    def _update(self, job: FakeJob) -> pb.JobUpdate:
        progress = pb.Progress(tasks_total=4, tasks_finished=job.finished, stages_total=2)
        update = pb.JobUpdate(job_id=job.id, status=job.status, progress=progress)
        if job.error is not None:
            update.error.CopyFrom(error_to_proto(job.error))
        if job.status == pb.JOB_STATUS_SUCCEEDED:
            update.result.CopyFrom(self._result(job))
        if job.status == pb.JOB_STATUS_RUNNING and job.script.held:
            update.waiting_reason = "the test holds it"
        return update

    def _result(self, job: FakeJob) -> pb.JobResult:
        if job.script.inline:
            sink = pa.BufferOutputStream()
            with pa.ipc.new_stream(sink, job.script.rows.schema) as writer:
                writer.write_table(job.script.rows)
            return pb.JobResult(inline=pb.InlineRows(arrow_stream=sink.getvalue().to_pybytes()))
        parts = [self._part(job, number) for number in range(job.script.parts)]
        return pb.JobResult(remote=pb.RemoteRows(parts=parts, rows=job.script.rows.num_rows))

    def _part(self, job: FakeJob, number: int) -> pb.ResultPart:
        script = job.script
        part = pb.ResultPart(
            flight_address=self.flight.address,
            ticket=f"{job.id} {number} {job.attempt}".encode(),
            rows=script.rows_told or 0,
        )
        if script.lost_after is not None:
            rows = part_of(job, number)
            part.rows = rows.num_rows
            digest = zlib.crc32(repr(rows.to_pydict()).encode())
            part.outputs.add(task_id=_output(job, number), rows=rows.num_rows, digest=digest)
        return part

    def _summary(self, job: FakeJob) -> pb.JobSummary:
        return pb.JobSummary(
            job_id=job.id,
            operation_id=job.operation_id,
            session_id=job.session_id,
            status=job.status,
            statement=job.sql,
            submitted_ms=1_700_000_000_000,
            elapsed_ms=12,
        )


class FakeFlight(flight.FlightServerBase):  # type: ignore[misc] # no types
    """Serves the rows of scripts in parts, and keeps uploads."""

    def __init__(self, cluster: FakeCluster, tls: FakeTls | None) -> None:
        if tls is None:
            super().__init__("grpc://127.0.0.1:0")
        else:
            super().__init__(
                "grpc+tls://127.0.0.1:0",
                tls_certificates=[(tls.certificate, tls.key)],
                verify_client=True,
                root_certificates=tls.trusted,
            )
        self.cluster = cluster
        self.address = f"127.0.0.1:{self.port}"

    def do_get(
        self, context: flight.ServerCallContext, ticket: flight.Ticket
    ) -> flight.FlightDataStream:
        self.cluster.note("get")
        job_id, number, attempt = ticket.ticket.decode().split()
        job = next((job for job in self.cluster.jobs if job.id == job_id), None)
        if job is None:
            raise flight_error_from(TicketInvalidError(f"no such ticket: {job_id}"))
        script = job.script
        if script.lost_part is not None:
            raise flight_error_from(script.lost_part)
        if script.batches is not None:
            reader = pa.RecordBatchReader.from_batches(script.schema, script.batches())
            return flight.RecordBatchStream(reader)
        rows = part_of(job, int(number))
        if script.lost_after is None:
            return flight.RecordBatchStream(rows)
        if int(number) == script.parts - 1 and attempt == "1":
            rows = rows.slice(0, script.lost_after)
        # Blocks are others each time, as those of another attempt may be.
        batches = rows.to_batches(max_chunksize=1 + int(attempt))
        return flight.RecordBatchStream(pa.RecordBatchReader.from_batches(rows.schema, batches))

    def do_put(
        self,
        context: flight.ServerCallContext,
        descriptor: flight.FlightDescriptor,
        reader: flight.MetadataRecordBatchReader,
        writer: flight.FlightMetadataWriter,
    ) -> None:
        upload_id = descriptor.command.decode().removeprefix("upload ")
        batches, mark = [], b""
        for chunk in reader:
            batches.append(chunk.data)
            mark = chunk.app_metadata.to_pybytes() if chunk.app_metadata else b""
        if mark == UPLOAD_COMPLETE:
            self.cluster.uploads[upload_id] = pa.Table.from_batches(batches, reader.schema)
        self.cluster.note("put")


def part_of(job: FakeJob, number: int) -> pa.Table:
    """The rows of one part of a job's result, all of them."""
    script = job.script
    whole = script.again if script.again is not None and job.attempt > 1 else script.rows
    size = -(-whole.num_rows // script.parts)
    return whole.slice(number * size, size)


def _output(job: FakeJob, number: int) -> str:
    """Names what a part consists of; only the last one is ever made again."""
    attempt = job.attempt if number == job.script.parts - 1 else 1
    return f"{job.id}/s1/t{number + 1}#{attempt}"


def _last_output(job: FakeJob) -> str:
    return _output(job, job.script.parts - 1)


def syntax_error(line: int, column: int) -> SqlSyntaxError:
    """A refusal as the scheduler makes it."""
    return SqlSyntaxError("the text must parse: got FORM", position=Position(line, column))


@contextmanager
def running_cluster(tls: FakeTls | None = None) -> Iterator[FakeCluster]:
    """A cluster for the time of a block."""
    cluster = FakeCluster(tls=tls)
    try:
        yield cluster
    finally:
        cluster.close()


def _graph() -> physical_pb2.StageGraph:
    scan = physical_pb2.Operator(node_id="s1/o1", name="DataSourceExec", detail="t")
    root = physical_pb2.Operator(
        node_id="s2/o1", name="AggregateExec", detail="gby=[a]", input_node_ids=["s2/o2"]
    )
    leaf = physical_pb2.Operator(node_id="s2/o2", name="ExchangeRead")
    return physical_pb2.StageGraph(
        stages=[
            physical_pb2.Stage(
                stage_id=1,
                partition_count=4,
                sliceable=True,
                operators=[scan],
                output=physical_pb2.Exchange(
                    kind=physical_pb2.EXCHANGE_KIND_HASH, partition_count=2, keys=["a"]
                ),
            ),
            physical_pb2.Stage(
                stage_id=2,
                partition_count=2,
                operators=[root, leaf],
                inputs=[physical_pb2.StageInput(stage_id=1)],
                single_task_reason="it is small",
                output=physical_pb2.Exchange(
                    kind=physical_pb2.EXCHANGE_KIND_RESULT, partition_count=2
                ),
            ),
        ],
        decisions=["t is read in 4 partitions"],
    )
