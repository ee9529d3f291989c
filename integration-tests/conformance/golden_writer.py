"""Writes what this release's client sends for each vector, to be kept for ever.

    PYTHONPATH=integration-tests python -m conformance.golden_writer   # or: nox -s release

Vectors run in local mode through the Python client, and their requests are noted on the way. Left
out are steps for which the client sends nothing, vectors that cancel after the first batch, which
is a moment and no bytes, and vectors of what is not offered, because it may be one day.
"""

import re
import shutil
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias, cast

import pyarrow as pa
from google.protobuf import text_format
from google.protobuf.message import Message

import springald
from conformance.golden_files import FOLDER_BYTES, long_folder, write_release
from conformance.outcomes import check_outcome
from conformance.process import OneProcess
from conformance.program import Program
from conformance.programs import python_client
from conformance.rows import ipc_from_table, rows_from_table
from conformance.steps import Sessions
from conformance.vectors import DATA, all_vectors
from springald.client import Connection
from springald.conformance.v1 import client_pb2 as calls
from springald.conformance.v1 import golden_pb2 as golden
from springald.conformance.v1 import vector_pb2 as pb
from springald.error.v1 import error_pb2
from springald.local import LocalTransport
from springald.scheduler.v1 import scheduler_pb2
from springald.session import Session
from springald.transport import Transport

PLACE: Final = "/springald-golden".ljust(FOLDER_BYTES, "-")
CHOSEN: Final = ("session_id", "operation_id", "upload_id", "released_operation_ids")
"""Fields that chance, a server or what went before decides."""

_NOTED: Final = {
    "open_session": "OpenSession",
    "close_session": "CloseSession",
    "execute": "Execute",
    "describe_query": "DescribeQuery",
    "cancel_job": "CancelJob",
    "list_tables": "ListTables",
    "register_files": "RegisterFiles",
    "prepare_upload": "PrepareUpload",
    "register_upload": "RegisterUpload",
}
Call: TypeAlias = Literal[
    "open_session",
    "close_session",
    "execute",
    "describe",
    "upload",
    "register_files",
    "list_tables",
]
_SENT_FOR: Final[dict[Call, set[str]]] = {
    "open_session": {"OpenSession"},
    "close_session": {"CloseSession"},
    "execute": {"Execute"},
    "describe": {"DescribeQuery"},
    "upload": {"PrepareUpload"},
    "register_files": {"RegisterFiles"},
    "list_tables": {"ListTables"},
}
_PLACE: Final = re.compile(r"(?<![\w/])(data|scratch)/(?=\w)")


class Notes:
    """Requests as they are sent.

    Args:
        folder: The folder of the data, in whose place requests have another text.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = str(folder).encode()
        self._requests: list[golden.GoldenRequest] = []

    def take(self) -> list[golden.GoldenRequest]:
        """Returns what was noted since the last time."""
        taken, self._requests = self._requests, []
        return taken

    def request(self, method: str, request: Message) -> None:
        """Notes a request, without what chance or the server chose."""
        kept = type(request)()
        kept.CopyFrom(request)
        for field in CHOSEN:
            if field in kept.DESCRIPTOR.fields_by_name:
                kept.ClearField(field)
        sent = kept.SerializeToString(deterministic=True)
        sent = sent.replace(self._folder, PLACE.encode())
        self._requests.append(golden.GoldenRequest(method=method, request=sent))

    def rows(self, rows: pa.Table) -> None:
        """Notes the rows that follow the last request."""
        self._requests[-1].rows = ipc_from_table(rows)


class NotedTransport:
    """A transport that has what it is asked noted; a `springald.transport.Transport`."""

    def __init__(self, notes: Notes) -> None:
        self._notes = notes
        self._transport = LocalTransport()

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - a method of the transport
        method = getattr(self._transport, name)
        return partial(self._noted, name, method) if name in _NOTED else method

    def store_upload(
        self, prepared: scheduler_pb2.PrepareUploadResponse, reader: pa.RecordBatchReader
    ) -> None:
        """Sends rows, which are noted."""
        rows = reader.read_all()
        self._notes.rows(rows)
        self._transport.store_upload(prepared, rows.to_reader())

    def _noted(self, name: str, method: Callable[[Message], object], request: Message) -> object:
        self._notes.request(_NOTED[name], request)
        return method(request)


class NotedClient(python_client.PythonClient):
    """The Python client under test in this process, over a transport that is noted."""

    def __init__(self, notes: Notes) -> None:
        super().__init__()
        self._notes = notes

    def open(self, call: calls.OpenCall) -> calls.Answer:
        """Opens a session."""
        settings = {option.name: option.value for option in call.settings.settings}
        transport = cast("Transport", NotedTransport(self._notes))
        try:
            self._sessions[call.session] = Connection(Session(transport, settings))
        except BaseException:
            transport.close()
            raise
        return calls.Answer(done=calls.Done())

    def ask(self, call: calls.Call) -> calls.Answer:
        """Answers a call, as the program does."""
        answered = python_client.answer(self, call)
        if answered.WhichOneof("outcome") == "broken":
            raise AssertionError(answered.broken)
        return answered


def golden_vector(vector: pb.Vector, folder: Path) -> golden.GoldenVector:
    """Runs a vector, and tells what was sent for its steps."""
    notes = Notes(folder)
    client = NotedClient(notes)
    sessions = Sessions(cast("Program", client), vector.name, folder)
    kept = golden.GoldenVector(name=vector.name)
    try:
        with OneProcess(folder) as oracle:
            for step in vector.steps:
                answered = sessions.call(step)
                oracle.follow(step)
                check_outcome(step, answered, oracle)
                if requests := notes.take():
                    expected = _expected(step, oracle)
                    if not any(request.method in _SENT_FOR[_call_of(step)] for request in requests):
                        # The client said it itself: what was sent is only a session.
                        expected = pb.Step(session=step.session)
                    kept.steps.append(golden.GoldenStep(expected=expected, requests=requests))
    finally:
        client.close_all()
    return kept


def golden_file(folder: Path) -> golden.GoldenFile:
    """Runs all vectors over a copy of the suite's data in a folder."""
    content = golden.GoldenFile(release=springald.__version__, folder=PLACE)
    for path in sorted(path for path in DATA.rglob("*") if path.is_file()):
        name = path.relative_to(DATA).as_posix()
        content.files.add(path=name, content=path.read_bytes())
    for vector in all_vectors():
        if not (_cancels_midway(vector.message) or _is_not_offered(vector.message)):
            kept = golden_vector(_in_folder(vector.message, folder), folder)
            if kept.steps:
                content.vectors.append(kept)
    return content


def _expected(step: pb.Step, oracle: OneProcess) -> pb.Step:
    expected = pb.Step()
    expected.CopyFrom(step)
    expected.ClearField(_call_of(step))
    if step.HasField("rows_of_sql"):
        expected.rows.CopyFrom(rows_from_table(oracle.rows(step)))
    return expected


def _call_of(step: pb.Step) -> Call:
    return step.WhichOneof("call") or "execute"


def _in_folder(vector: pb.Vector, folder: Path) -> pb.Vector:
    """Puts the folder where a vector says `data/` or `scratch/`."""
    text = text_format.MessageToString(vector, as_utf8=True)
    own = {"data": folder, "scratch": folder / vector.name.replace("/", "-")}
    return text_format.Parse(_PLACE.sub(lambda found: f"{own[found[1]]}/", text), pb.Vector())


def _cancels_midway(vector: pb.Vector) -> bool:
    return any(step.execute.cancel == pb.CANCEL_MOMENT_FIRST_BATCH for step in vector.steps)


def _is_not_offered(vector: pb.Vector) -> bool:
    return any(step.failure.code == error_pb2.CODE_UNSUPPORTED for step in vector.steps)


def main() -> None:
    """Writes the file of the release that the version names."""
    with tempfile.TemporaryDirectory(prefix="springald-golden-") as parent:
        folder = long_folder(Path(parent))
        shutil.copytree(DATA, folder, dirs_exist_ok=True)
        release = write_release(golden_file(folder))
    sys.stdout.write(f"{release.name}: {release.vectors} vectors\n")


if __name__ == "__main__":
    main()
