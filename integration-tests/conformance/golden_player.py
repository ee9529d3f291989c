"""Plays what a client of a past release sent, byte by byte, and takes what comes of it."""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Final, Protocol, cast
from uuid import uuid4

import grpc
import pyarrow as pa
from google.protobuf.message import Message

from conformance.outcomes import check_outcome
from conformance.process import OneProcess
from conformance.programs.totals import totals_of
from conformance.rows import ipc_from_table, table_from_ipc
from springald.codec.errors import error_from_proto, error_from_rpc, error_to_proto
from springald.conformance.v1 import client_pb2 as calls
from springald.conformance.v1 import golden_pb2 as golden
from springald.conformance.v1 import vector_pb2 as vectors
from springald.errors import SpringaldError
from springald.grpc_transport import GrpcTransport
from springald.local import LocalTransport
from springald.part_reader import PartReader
from springald.scheduler.v1 import scheduler_pb2 as pb
from springald.transport import Transport

_SERVICE: Final = "/springald.scheduler.v1.SchedulerService"
_ANSWER_S_MAX: Final = 60.0
_LOCAL: Final[dict[str, tuple[type[Message], str]]] = {
    "OpenSession": (pb.OpenSessionRequest, "open_session"),
    "CloseSession": (pb.CloseSessionRequest, "close_session"),
    "Execute": (pb.ExecuteRequest, "execute"),
    "DescribeQuery": (pb.DescribeQueryRequest, "describe_query"),
    "CancelJob": (pb.CancelJobRequest, "cancel_job"),
    "ListTables": (pb.ListTablesRequest, "list_tables"),
    "RegisterFiles": (pb.RegisterFilesRequest, "register_files"),
    "PrepareUpload": (pb.PrepareUploadRequest, "prepare_upload"),
    "RegisterUpload": (pb.RegisterUploadRequest, "register_upload"),
}


class Place(Protocol):
    """Where requests are played.

    Attributes:
        transport: The way of rows.
    """

    transport: Transport

    def ask(self, method: str, request: bytes) -> bytes:
        """Makes a call; raises SpringaldError if it fails."""
        ...

    def follow(self, request: bytes) -> Iterator[bytes]:
        """Executes; raises SpringaldError if that fails."""
        ...


class ClusterPlace:
    """A cluster, to which bytes go as they are."""

    def __init__(self, address: str) -> None:
        self.transport: Transport = GrpcTransport(address)
        self._channel = grpc.insecure_channel(address)

    def ask(self, method: str, request: bytes) -> bytes:
        """Makes a call."""
        call: grpc.UnaryUnaryMultiCallable[bytes, bytes]
        call = self._channel.unary_unary(f"{_SERVICE}/{method}")
        try:
            return call(request, timeout=_ANSWER_S_MAX)
        except grpc.RpcError as error:
            raise error_from_rpc(error) from None

    def follow(self, request: bytes) -> Iterator[bytes]:
        """Executes."""
        call: grpc.UnaryStreamMultiCallable[bytes, bytes]
        call = self._channel.unary_stream(f"{_SERVICE}/Execute")
        try:
            yield from call(request, timeout=_ANSWER_S_MAX)
        except grpc.RpcError as error:
            raise error_from_rpc(error) from None

    def close(self) -> None:
        """Ends the connections."""
        self._channel.close()
        self.transport.close()


class LocalPlace:
    """Local mode, which has no wire: it takes what the bytes mean to the stubs of today."""

    def __init__(self) -> None:
        self.transport: Transport = LocalTransport()

    def ask(self, method: str, request: bytes) -> bytes:
        """Makes a call."""
        kind, name = _LOCAL[method]
        answered: Message = getattr(self.transport, name)(kind.FromString(request))
        return answered.SerializeToString()

    def follow(self, request: bytes) -> Iterator[bytes]:
        """Executes."""
        for response in self.transport.execute(pb.ExecuteRequest.FromString(request)):
            yield response.SerializeToString()

    def close(self) -> None:
        """Ends it."""
        self.transport.close()


def play(place: Place, vector: golden.GoldenVector, put: tuple[str, Path]) -> None:
    """Plays the steps of a vector, and checks what comes of each.

    Args:
        place: Where.
        vector: What was sent, and what came of it then.
        put: The text of the file that stands for a folder, and the folder.

    Raises:
        AssertionError: A step comes out otherwise than it did.
    """
    with _sessions(place, put) as sessions:
        for number, step in enumerate(vector.steps, start=1):
            answer = sessions.step(step)
            try:
                check_outcome(step.expected, answer, OneProcess(put[1]))
            except AssertionError as error:
                raise AssertionError(f"{vector.name}, step {number}\n{error}") from error


@contextmanager
def _sessions(place: Place, put: tuple[str, Path]) -> Iterator["_Sessions"]:
    sessions = _Sessions(place, put)
    try:
        yield sessions
    finally:
        sessions.close()


class _Sessions:
    """The sessions of one vector."""

    def __init__(self, place: Place, put: tuple[str, Path]) -> None:
        self._place = place
        self._text, self._folder = put[0].encode(), str(put[1]).encode()
        self._ids: dict[str, str] = {}

    def step(self, step: golden.GoldenStep) -> calls.Answer:
        """Plays one step."""
        played = _Step(self._place, self._ids.get(step.expected.session, ""), step.expected)
        answer = calls.Answer(done=calls.Done())
        try:
            for request in step.requests:
                sent = request.request.replace(self._text, self._folder)
                answer = played.request(request.method, sent, request.rows)
            answer = played.end(answer)
        except SpringaldError as error:
            answer = calls.Answer(error=error_to_proto(error))
        self._ids[step.expected.session] = played.session_id
        return answer

    def close(self) -> None:
        for session_id in filter(None, self._ids.values()):
            closing = pb.CloseSessionRequest(session_id=session_id)
            self._place.ask("CloseSession", closing.SerializeToString())


class _Step:
    """One step on its way: the ids that its requests need, and the job that it follows."""

    def __init__(self, place: Place, session_id: str, expected: vectors.Step) -> None:
        self.session_id = session_id
        self._place = place
        self._expected = expected
        self._operation_id = f"golden-{uuid4().hex}"
        self._upload_id = ""
        self._updates: Iterator[pb.JobUpdate] | None = None

    def request(self, method: str, sent: bytes, rows: bytes) -> calls.Answer:
        """Sends a request and takes its answer; a job is only begun."""
        match method:
            case "OpenSession":
                opened = pb.OpenSessionResponse.FromString(self._place.ask(method, sent))
                self.session_id = opened.session_id
            case "Execute":
                ids = pb.ExecuteRequest(session_id=self.session_id, operation_id=self._operation_id)
                self._updates = self._follow(sent + ids.SerializeToString())
            case "CancelJob":
                next(cast("Iterator[pb.JobUpdate]", self._updates))
                job = pb.CancelJobRequest(
                    session_id=self.session_id, operation_id=self._operation_id
                )
                self._place.ask(method, sent + job.SerializeToString())
            case "DescribeQuery":
                described = pb.DescribeQueryResponse.FromString(self._ask(method, sent))
                return calls.Answer(columns=described.schema)
            case "ListTables":
                listed = pb.ListTablesResponse.FromString(self._ask(method, sent))
                names = vectors.Names(names=[table.name for table in listed.tables])
                return calls.Answer(names=names)
            case "PrepareUpload":
                prepared = pb.PrepareUploadResponse.FromString(self._ask(method, sent))
                self._upload_id = prepared.upload_id
                self._place.transport.store_upload(prepared, table_from_ipc(rows).to_reader())
            case "RegisterUpload":
                upload = pb.RegisterUploadRequest(upload_id=self._upload_id)
                self._ask(method, sent + upload.SerializeToString())
            case _:
                self._ask(method, sent)
        return calls.Answer(done=calls.Done())

    def end(self, answer: calls.Answer) -> calls.Answer:
        """Follows the job to its end, if there is one, and takes its rows."""
        if self._updates is None:
            return answer
        *_, last = self._updates
        if last.HasField("error"):
            raise error_from_proto(last.error)
        if last.status != pb.JOB_STATUS_SUCCEEDED:
            raise AssertionError(f"a job's news end with its end: got {last}")
        with ExitStack() as stack:
            schema, batches = self._open(last.result, stack)
            if self._expected.HasField("totals"):
                return calls.Answer(totals=totals_of(batches))
            return calls.Answer(rows=ipc_from_table(pa.Table.from_batches(batches, schema)))

    def _open(
        self, result: pb.JobResult, stack: ExitStack
    ) -> tuple[pa.Schema, Iterable[pa.RecordBatch]]:
        if result.WhichOneof("rows") == "remote":
            parts = PartReader(self._place.transport, result.remote.parts)
            stack.callback(parts.close)
            return parts.schema, parts
        stream = stack.enter_context(pa.ipc.open_stream(result.inline.arrow_stream))
        return stream.schema, stream

    def _follow(self, sent: bytes) -> Iterator[pb.JobUpdate]:
        for response in self._place.follow(sent):
            yield pb.ExecuteResponse.FromString(response).update

    def _ask(self, method: str, sent: bytes) -> bytes:
        # Every request that gets here has the session in the same field.
        session = pb.KeepSessionRequest(session_id=self.session_id)
        return self._place.ask(method, sent + session.SerializeToString())
