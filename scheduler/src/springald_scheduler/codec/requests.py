"""Requests of clients: what is wrong with them, and the events that they are."""

import hashlib
import re
from collections.abc import Sequence
from typing import Final

import pyarrow as pa

from springald.checks import no_statement
from springald.errors import (
    InvalidArgumentError,
    PlanTooLargeError,
    ProtocolMismatchError,
)
from springald.limits import (
    OPERATION_ID_CHARACTERS_MAX,
    PLAN_BYTES_MAX,
    PROTOCOL_MAJOR,
    PROTOCOL_MINOR,
    RELEASED_PER_CALL_MAX,
)
from springald.plan.v1 import plan_pb2
from springald.scheduler.v1 import scheduler_pb2 as pb
from springald.sql_text import has_words
from springald.types import schema_from_proto
from springald_scheduler.codec.stages import FILE_FORMAT_NAMES
from springald_scheduler.core.events import (
    JobCancelRequested,
    JobReleased,
    JobSubmitted,
    ResultLost,
    SessionClosed,
    SessionOpened,
    SessionSeen,
    UploadRegistered,
    UploadReleased,
    UploadRequested,
)
from springald_scheduler.core.records import UploadLocation
from springald_scheduler.planning.model import Upload

PROTOCOL_VERSION: Final = pb.ProtocolVersion(major=PROTOCOL_MAJOR, minor=PROTOCOL_MINOR)
PLAN_MAJOR: Final = 1
PLAN_MINOR: Final = 1

_KINDS_SHOWN_MAX: Final = 50

_OPERATION_ID: Final = re.compile(rf"[A-Za-z0-9_-]{{1,{OPERATION_ID_CHARACTERS_MAX}}}")


def check_protocol_version(version: pb.ProtocolVersion, who: str) -> None:
    """Checks that a side speaks this protocol (P1.1).

    Raises:
        ProtocolMismatchError: It speaks another major version.
    """
    if version.major != PROTOCOL_MAJOR:
        raise ProtocolMismatchError(
            f"{who} must speak protocol version {PROTOCOL_MAJOR}: got {version.major}."
            f"{version.minor}; use the same release on both sides"
        )


def submission_from_proto(request: pb.ExecuteRequest) -> JobSubmitted:
    """Reads a statement to be run.

    Raises:
        SpringaldError: The operation id is malformed, or the plan is none that this version runs.
    """
    check_name(request.session_id, "session_id")
    if not _OPERATION_ID.fullmatch(request.operation_id):
        raise InvalidArgumentError(
            f"an operation id must be 1 to {OPERATION_ID_CHARACTERS_MAX} of A-Z a-z 0-9 _ -: "
            f"got {request.operation_id[: 2 * OPERATION_ID_CHARACTERS_MAX]!r}"
        )
    statement = statement_from_proto(request.plan)
    digest = hashlib.sha256(request.plan.SerializeToString(deterministic=True)).digest()
    return JobSubmitted(
        request.session_id,
        request.operation_id,
        statement if isinstance(statement, str) else summary_of(request.plan),
        digest,
        b"" if isinstance(statement, str) else statement,
    )


def statement_from_proto(plan: plan_pb2.Plan) -> str | bytes:
    """Reads a plan as the planner takes it: text that is all of it, or the plan itself.

    What is wrong inside of relations is found where they are planned.

    Raises:
        ProtocolMismatchError: The plan needs another version of plan.v1.
        InvalidArgumentError: It holds no statement.
        PlanTooLargeError: It is larger than a plan may be.
        SqlSyntaxError: It is an empty text.
    """
    if plan.version.major != PLAN_MAJOR or plan.version.minor > PLAN_MINOR:
        raise ProtocolMismatchError(
            f"a plan must need at most version {PLAN_MAJOR}.{PLAN_MINOR} of plan.v1: got "
            f"{plan.version.major}.{plan.version.minor}; use the same release on both sides"
        )
    kind = plan.WhichOneof("statement")
    if kind is None:
        raise InvalidArgumentError("plan.statement must be set: got none; send SQL text")
    if kind == "sql":
        if not has_words(plan.sql.text):
            raise no_statement()
        if not plan.sql.positional_parameters and not plan.sql.named_parameters:
            return plan.sql.text
    size = plan.ByteSize()
    if size > PLAN_BYTES_MAX:
        message = f"a plan has at most {PLAN_BYTES_MAX} bytes: got {size}"
        raise PlanTooLargeError(f"{message}; upload what it holds as a table")
    return plan.SerializeToString(deterministic=True)


def summary_of(plan: plan_pb2.Plan) -> str:
    """Returns what a statement is, for people who look at a list of jobs."""
    match plan.WhichOneof("statement"):
        case "sql":
            return plan.sql.text
        case "substrait":
            return f"(a Substrait plan of {len(plan.substrait.plan)} bytes)"
    kinds = [each.WhichOneof("kind") or "?" for each in reversed(plan.relations.relations)]
    return f"(a plan: {' <- '.join(kinds[:_KINDS_SHOWN_MAX])})"


def file_format_from_proto(files: pb.RegisterFilesRequest) -> str:
    """Reads the format of files: `parquet`, `csv`, `json` or `arrow`.

    Raises:
        InvalidArgumentError: It is none of these.
    """
    number = files.files.format
    if number not in FILE_FORMAT_NAMES:
        known = ", ".join(FILE_FORMAT_NAMES.values())
        raise InvalidArgumentError(f"files.format must be one of {known}: got number {number}")
    return FILE_FORMAT_NAMES[number]


def session_opened(session_id: str, catalog: object | None) -> SessionOpened:
    """The event of a new session."""
    return SessionOpened(session_id, catalog)


def session_seen(session_id: str) -> SessionSeen:
    """The event of a call in a session."""
    return SessionSeen(session_id)


def session_closed(session_id: str) -> SessionClosed:
    """The event of a session's end."""
    return SessionClosed(session_id)


def cancellation(request: pb.CancelJobRequest) -> JobCancelRequested:
    """The event of a wish to stop a job."""
    return JobCancelRequested(request.session_id, request.operation_id, request.reason)


def result_lost(request: pb.AttachJobRequest) -> ResultLost:
    """Reads which parts of a result could not be fetched."""
    return ResultLost(request.session_id, request.operation_id, tuple(request.lost_task_ids))


def releases(session_id: str, names: Sequence[str]) -> list[JobReleased]:
    """The events of results given up.

    Raises:
        InvalidArgumentError: A name is empty, or there are too many.
    """
    if len(names) > RELEASED_PER_CALL_MAX + 1:
        raise InvalidArgumentError(
            f"a call must release at most {RELEASED_PER_CALL_MAX} more jobs: got {len(names)}; "
            "make several"
        )
    return [JobReleased(session_id, check_name(name, "operation_id")) for name in names]


def upload_requested(request: pb.PrepareUploadRequest, upload_id: str) -> UploadRequested:
    """The event of rows that want a place."""
    return UploadRequested(request.session_id, upload_id, request.bytes_expected)


def registered_upload(request: pb.RegisterUploadRequest, schema: bytes) -> UploadRegistered:
    """The event of an upload that becomes a table."""
    return UploadRegistered(request.session_id, request.upload_id, schema, request.name)


def released_upload(session_id: str, upload_id: str) -> UploadReleased:
    """The event of an upload that no table reads, any more or after all."""
    return UploadReleased(session_id, upload_id)


def upload_for_planner(location: UploadLocation, schema: bytes) -> Upload:
    """Tells the planner about an upload."""
    return Upload(
        upload_id=location.upload_id,
        schema=schema,
        rows=location.rows,
        bytes=location.bytes,
        partition_count=location.partition_count,
    )


def upload_schema_from_proto(request: pb.RegisterUploadRequest) -> bytes:
    """Reads the schema of an upload, into IPC form.

    Raises:
        InvalidArgumentError: It is none.
    """
    schema: pa.Schema = schema_from_proto(request.schema)
    return bytes(schema.serialize().to_pybytes())


def check_name(value: str, field: str) -> str:
    """Checks that a required name is there.

    Raises:
        InvalidArgumentError: It is empty.
    """
    if not value:
        raise InvalidArgumentError(f"{field} must be given: got an empty one")
    return value
