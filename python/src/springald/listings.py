"""What a scheduler tells about its tables, jobs and executors."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Self

import pyarrow as pa

from springald.codec.errors import error_from_proto
from springald.errors import SpringaldError
from springald.progress import JobStatus, Progress
from springald.scheduler.v1 import scheduler_pb2 as pb
from springald.types import schema_from_proto

__all__ = ["ExecutorInfo", "JobInfo", "TableInfo"]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class TableInfo:
    """A table or view of the session.

    Attributes:
        name: Its name.
        kind: `parquet`, `csv`, `json`, `arrow`, `view` or `upload`.
        schema: Its columns.
    """

    name: str
    kind: str
    schema: pa.Schema

    @classmethod
    def from_proto(cls, message: pb.TableSummary) -> Self:
        """Reads a message."""
        return cls(name=message.name, kind=message.kind, schema=schema_from_proto(message.schema))


@dataclass(frozen=True, slots=True)
class JobInfo:
    """A job in a list.

    Attributes:
        id: The scheduler's name for it, for example `j7`.
        operation_id: The client's name for it.
        session_id: The session it belongs to.
        status: Where it stands.
        progress: Its tasks.
        statement: The statement, cut to 1,000 characters.
        submitted: When it was accepted.
        elapsed_ms: How long it has run, or ran, in milliseconds.
        error: Why it failed or was cancelled.
        waiting_reason: Why it waits; empty if it does not.
    """

    id: str
    operation_id: str
    session_id: str
    status: JobStatus
    progress: Progress
    statement: str
    submitted: datetime
    elapsed_ms: int
    error: SpringaldError | None
    waiting_reason: str

    @classmethod
    def from_proto(cls, message: pb.JobSummary) -> Self:
        """Reads a message."""
        return cls(
            id=message.job_id,
            operation_id=message.operation_id,
            session_id=message.session_id,
            status=JobStatus.from_proto(message.status),
            progress=Progress.from_proto(message.progress),
            statement=message.statement,
            submitted=_EPOCH + timedelta(milliseconds=message.submitted_ms),
            elapsed_ms=message.elapsed_ms,
            error=error_from_proto(message.error) if message.HasField("error") else None,
            waiting_reason=message.waiting_reason,
        )


@dataclass(frozen=True, slots=True)
class ExecutorInfo:
    """An executor in a list.

    Attributes:
        id: The executor's id.
        flight_address: Its Flight server, `host:port`.
        slots: Slots in all.
        slots_free: Slots without a task.
        state: `active` or `draining`.
        memory_bytes: The memory it deals out to tasks.
        silent_ms: Milliseconds since it was last heard.
        pid: Process id of its agent.
        from_records: True if a scheduler told this that does not lead; `slots_free` and `silent_ms`
            are 0 then and mean nothing.
    """

    id: str
    flight_address: str
    slots: int
    slots_free: int
    state: str
    memory_bytes: int
    silent_ms: int
    pid: int
    from_records: bool = False

    @classmethod
    def from_proto(cls, message: pb.ExecutorSummary) -> Self:
        """Reads a message."""
        return cls(
            id=message.executor_id,
            flight_address=message.flight_address,
            slots=message.slots_total,
            slots_free=message.slots_free,
            state=message.state,
            memory_bytes=message.memory_bytes,
            silent_ms=message.silent_ms,
            pid=message.pid,
            from_records=message.from_records,
        )
