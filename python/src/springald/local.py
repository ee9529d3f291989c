"""Local mode: scheduler, planner and engine inside the caller's process.

The same service, driver, core, planner and executor as in a cluster, with function calls in the
place of sockets and threads in the place of processes. Needs the extra `springald[local]`.
"""

import secrets
import tempfile
import threading
import weakref
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Final

import pyarrow as pa
import structlog

from springald.errors import DeadlineExceededError, IoFailedError, SpringaldError
from springald.limits import PROTOCOL_MAJOR
from springald.scheduler.v1 import scheduler_pb2 as pb
from springald.transport import Rows, Stream
from springald_executor.adapters.folders import Folders
from springald_executor.adapters.machine import (
    processors,
    shuffle_memory_auto,
    task_memory_auto,
)
from springald_executor.adapters.scheduler_link import LocalLink
from springald_executor.adapters.thread_pool import InProcessPool
from springald_executor.core.agent import Agent
from springald_executor.core.records import Facts, Profile
from springald_executor.driver import ExecutorDriver
from springald_executor.shuffle.rows import OpenRows, RowDesk
from springald_scheduler.adapters.executor_link import QueueLink
from springald_scheduler.adapters.memory_journal import MemoryJournal
from springald_scheduler.adapters.planner_thread import PlannerThread
from springald_scheduler.adapters.service import SchedulerApi
from springald_scheduler.core.events import ClusterFacts
from springald_scheduler.core.limits import CoreLimits
from springald_scheduler.core.scheduler import SchedulerCore
from springald_scheduler.driver import SchedulerDriver

__all__ = ["LocalTransport"]

_EXECUTOR_ID: Final = "local"
_REGISTERED_S_MAX: Final = 10.0
# One process agrees with itself: what executors of a cluster are compared by is not looked up.
_ALIKE: Final = "local"
_FACTS: Final = ClusterFacts(PROTOCOL_MAJOR, _ALIKE, _ALIKE, _ALIKE, _ALIKE)


class LocalTransport:
    """A scheduler and an executor of this process; a `springald.transport.Transport`."""

    address = "local"

    def __init__(self, memory_bytes: int | None = None) -> None:
        """Starts both; there is no socket and no child process.

        Args:
            memory_bytes: What tasks have; None takes half of the machine's.
        """
        stack = ExitStack()
        # Also when the transport is dropped or the interpreter ends without a close.
        self._end = weakref.finalize(self, stack.close)
        try:
            self._api, self._desk = _start(stack, memory_bytes)
        except BaseException:
            self._end()
            raise
        self.open_session = self._api.open_session
        self.close_session = self._api.close_session
        self.keep_session = self._api.keep_session
        self.describe_query = self._api.describe_query
        self.cancel_job = self._api.cancel_job
        self.release_job = self._api.release_job
        self.list_jobs = self._api.list_jobs
        self.describe_job = self._api.describe_job
        self.list_executors = self._api.list_executors
        self.list_tables = self._api.list_tables
        self.register_files = self._api.register_files
        self.prepare_upload = self._api.prepare_upload
        self.register_upload = self._api.register_upload

    def execute(self, request: pb.ExecuteRequest) -> Stream[pb.ExecuteResponse]:
        """Runs a statement and follows the job."""
        return self._api.execute(request)

    def attach_job(self, request: pb.AttachJobRequest) -> Stream[pb.AttachJobResponse]:
        """Follows a job that was started before."""
        return self._api.attach_job(request)

    def read_part(self, part: pb.ResultPart) -> Rows:
        """Opens one part of a result, in place."""
        return _LocalRows(self._desk.open(part.ticket))

    def store_upload(
        self, prepared: pb.PrepareUploadResponse, reader: pa.RecordBatchReader
    ) -> None:
        """Stores rows of the caller."""
        self._desk.store(prepared.ticket, reader.schema, iter(reader))

    def close(self) -> None:
        """Ends both and removes their files. Closing again does nothing."""
        self._end()


def _start(stack: ExitStack, memory_bytes: int | None) -> tuple[SchedulerApi, RowDesk]:
    _log_as_a_library()
    folders = _folders()
    stack.callback(folders.remove)
    planner = PlannerThread(["/"], folders.roots.disk / "planner")
    stack.callback(planner.close)
    # Nobody can be lost here: there is no network between the two.
    limits = CoreLimits(executor_silence_ms_max=None)
    scheduler = SchedulerDriver(SchedulerCore(_FACTS, limits), planner, MemoryJournal())
    stack.callback(scheduler.close)
    memory = task_memory_auto() if memory_bytes is None else memory_bytes
    executor = _executor(folders, scheduler, stack, memory)
    if not executor.registered.wait(_REGISTERED_S_MAX):
        raise DeadlineExceededError("local mode starts within 10 s: it did not; try again")
    return SchedulerApi(scheduler), RowDesk(executor)


def _log_as_a_library() -> None:
    """Sends log events to the standard library's loggers, which are quiet unless a program asks."""
    if structlog.is_configured():
        return
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            structlog.processors.format_exc_info,
            structlog.processors.LogfmtRenderer(key_order=["event"]),
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
    )


def _folders() -> Folders:
    try:
        return Folders(Path(tempfile.gettempdir()), janitor=False)
    except IoFailedError as error:
        raise IoFailedError(f"{error.message} (set TMPDIR)") from error


def _executor(
    folders: Folders, scheduler: SchedulerDriver, stack: ExitStack, memory: int
) -> ExecutorDriver:
    profile = Profile(
        executor_id=_EXECUTOR_ID,
        slots=processors(),
        memory_bytes=memory,
        shuffle_memory_bytes=shuffle_memory_auto(memory, folders.roots.memory),
        engines=1,
    )
    link = QueueLink()
    up = LocalLink(lambda message: scheduler.receive(link, message))
    executor = ExecutorDriver(Agent(profile), up, InProcessPool(folders.roots), folders.roots)
    stack.callback(executor.close)
    down = threading.Thread(target=_deliver, args=(link, executor), name="springald-local")
    down.daemon = True
    down.start()
    stack.callback(link.end, None)
    executor.begin()
    executor.register(_facts(profile))
    return executor


def _facts(profile: Profile) -> Facts:
    return Facts(
        executor_id=profile.executor_id,
        incarnation=secrets.token_hex(8),
        engine_version=_ALIKE,
        python_version=_ALIKE,
        architecture=_ALIKE,
        routing_fingerprint=_ALIKE,
        slots=profile.slots,
        memory_bytes=profile.memory_bytes,
        flight_address=_EXECUTOR_ID,
        pid=0,
        host=_EXECUTOR_ID,
    )


def _deliver(link: QueueLink, executor: ExecutorDriver) -> None:
    try:
        for message in link:
            executor.receive(message)
    except SpringaldError:
        # The scheduler ended the stream: both are being closed.
        return


class _LocalRows:
    """Rows that are read from their file as they are asked for."""

    def __init__(self, rows: OpenRows) -> None:
        self.schema = rows.schema
        self._batches: Iterator[pa.RecordBatch] = iter(rows.batches)

    def __iter__(self) -> "_LocalRows":
        return self

    def __next__(self) -> pa.RecordBatch:
        return next(self._batches)

    def close(self) -> None:
        """Reads no more."""
        self._batches = iter(())
