"""A scheduler under test: real driver and streams, a scripted planner, and fake executors.

Executors here compute nothing: they answer as they are told, over the same stream as real ones.
"""

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from queue import SimpleQueue
from typing import Any, Literal, Self, TypeVar

import grpc
import pyarrow as pa
import structlog
from structlog.testing import capture_logs

from springald.codec.errors import error_to_proto
from springald.errors import CancelledError, SpringaldError
from springald.executor.v1 import executor_pb2 as pb
from springald.plan.v1.plan_pb2 import Plan, PlanVersion, SqlText
from springald.scheduler.v1 import scheduler_pb2 as client_pb
from springald_scheduler.adapters.grpc_server import GrpcServer
from springald_scheduler.adapters.memory_journal import MemoryJournal
from springald_scheduler.adapters.service import SchedulerApi
from springald_scheduler.core.events import ClusterFacts
from springald_scheduler.core.graph import (
    Exchange,
    ExchangeKind,
    Fragment,
    FragmentFormat,
    Stage,
    StageGraph,
    StageInput,
)
from springald_scheduler.core.limits import CoreLimits
from springald_scheduler.core.scheduler import SchedulerCore
from springald_scheduler.driver import SchedulerDriver
from springald_scheduler.planning.model import (
    Answered,
    ClusterShape,
    Planned,
    SessionSnapshot,
    TableInfo,
    Upload,
)

FACTS = ClusterFacts(1, "datafusion 55.0.0", "3.11", "x86_64", "fingerprint")
SCHEMA = bytes(pa.schema([("a", pa.int64())]).serialize().to_pybytes())
DEADLINE_S = 20.0

_T = TypeVar("_T")
Kind = Literal[
    "registered",
    "refused",
    "define_stage",
    "launch_task",
    "cancel_task",
    "release_job",
    "release_upload",
]
Outcome = StageGraph | bytes | BaseException | Callable[[], StageGraph]


def make_stage(
    stage_id: int = 1,
    partitions: int = 1,
    *,
    reads: tuple[int, ...] = (),
    payload: bytes = b"plan",
    upload_ids: tuple[str, ...] = (),
    last: bool = True,
) -> Stage:
    """A stage; the last one makes a result."""
    kind = ExchangeKind.RESULT if last else ExchangeKind.HASH
    return Stage(
        stage_id=stage_id,
        fragment=Fragment(FragmentFormat.PHYSICAL_PLAN, payload, "55.0.0"),
        inputs=tuple(StageInput(each, ExchangeKind.HASH, partitions) for each in reads),
        output=Exchange(kind, partitions),
        partition_count=partitions,
        schema=SCHEMA,
        upload_ids=upload_ids,
    )


def make_graph(*stages: Stage) -> StageGraph:
    """A query of these stages, or of one with one partition."""
    return StageGraph(stages or (make_stage(),))


class ScriptedPlanner:
    """Plans each statement as the script says; what is not in it is a query of one task."""

    def __init__(self) -> None:
        self.script: dict[str, Outcome] = {}
        self.open: dict[str, dict[str, str]] = {}
        self.catalogs: dict[str, SessionSnapshot] = {}
        self.shapes: list[ClusterShape] = []
        self.uploads: dict[str, Upload] = {}
        self.released_upload_ids: tuple[str, ...] = ()

    def open_session(self, session_id: str, settings: Mapping[str, str]) -> None:
        """Begins a session."""
        self.open[session_id] = dict(settings)

    def restore_session(self, session_id: str, catalog: SessionSnapshot) -> None:
        """Begins a session of an earlier process."""
        self.open[session_id] = dict(catalog.own_settings)

    def catalog(self, session_id: str) -> SessionSnapshot | None:
        """Tells the session's settings, as one object."""
        kept = self.open.get(session_id)
        if kept is None:
            return None
        return self.catalogs.setdefault(session_id, SessionSnapshot(kept, {}, (), ()))

    def close_session(self, session_id: str) -> None:
        """Forgets a session."""
        self.open.pop(session_id, None)

    def run(
        self, session_id: str, statement: str | bytes, shape: ClusterShape
    ) -> Answered | Planned:
        """Does what the script says."""
        assert session_id in self.open
        self.shapes.append(shape)
        outcome = self.script.get(str(statement), make_graph())
        if callable(outcome):
            outcome = outcome()
        if isinstance(outcome, BaseException):
            raise outcome
        if isinstance(outcome, bytes):
            return Answered(outcome, self.released_upload_ids)
        return Planned(outcome)

    def describe(self, session_id: str, statement: str | bytes) -> bytes:
        """Tells the one schema that there is."""
        assert session_id in self.open
        assert statement
        return SCHEMA

    def register_files(
        self,
        session_id: str,
        name: str,
        file_format: str,
        path: str,
        options: Iterable[tuple[str, str]],
    ) -> TableInfo:
        """Makes a table of the one schema that there is."""
        assert session_id in self.open
        assert path
        assert list(options) is not None
        return TableInfo(name, file_format, SCHEMA)

    def register_upload(self, session_id: str, name: str, upload: Upload) -> TableInfo:
        """Makes a table, unless the script has an error under its name."""
        assert session_id in self.open
        outcome = self.script.get(name)
        if isinstance(outcome, BaseException):
            raise outcome
        self.uploads[name] = upload
        return TableInfo(name, "upload", upload.schema)

    def list_tables(self, session_id: str) -> list[TableInfo]:
        """Tells the uploads."""
        assert session_id in self.open
        return [TableInfo(name, "upload", each.schema) for name, each in self.uploads.items()]


@dataclass
class Scheduler:
    """A running scheduler."""

    core: SchedulerCore
    driver: SchedulerDriver
    api: SchedulerApi
    planner: ScriptedPlanner
    journal: MemoryJournal
    address: str = ""


@contextmanager
def running(
    limits: CoreLimits | None = None, *, port: bool = True, journal: MemoryJournal | None = None
) -> Iterator[Scheduler]:
    """A scheduler, on a free port of loopback unless told otherwise."""
    planner, journal = ScriptedPlanner(), journal or MemoryJournal()
    core = SchedulerCore(FACTS, limits)
    with SchedulerDriver(core, planner, journal) as driver:
        scheduler = Scheduler(core, driver, SchedulerApi(driver), planner, journal)
        if not port:
            yield scheduler
            return
        with GrpcServer("127.0.0.1:0") as server:
            server.serve(scheduler.api, driver)
            scheduler.address = server.address
            try:
                yield scheduler
            finally:
                driver.close()


def registration(
    executor_id: str = "e1", *, slots: int = 1, incarnation: str = "a", major: int = 1
) -> pb.Registration:
    """A registration that fits, unless the test changes it."""
    return pb.Registration(
        protocol_version=client_pb.ProtocolVersion(major=major),
        executor_id=executor_id,
        incarnation=incarnation,
        engine_version=FACTS.engine_version,
        python_version=FACTS.python_version,
        architecture=FACTS.architecture,
        routing_fingerprint=FACTS.routing_fingerprint,
        slots=slots,
        memory_bytes=1 << 30,
        flight_address=f"{executor_id}.example:1",
    )


class Executor:
    """An executor's end of a stream.

    In automatic mode each task finishes at once, with one row in each of its partitions.
    """

    def __init__(
        self,
        address: str,
        executor_id: str = "e1",
        *,
        slots: int = 1,
        incarnation: str = "a",
        automatic: bool = True,
        first: pb.ConnectRequest | bytes | None = None,
    ) -> None:
        self.automatic = automatic
        self.messages: list[pb.ConnectResponse] = []
        self.failure: grpc.RpcError | None = None
        self._news = threading.Condition()
        self._ended = False
        self._outgoing: SimpleQueue[bytes | None] = SimpleQueue()
        who = registration(executor_id, slots=slots, incarnation=incarnation)
        self.send(pb.ConnectRequest(registration=who) if first is None else first)
        self._channel = grpc.insecure_channel(
            address, options=[("grpc.max_send_message_length", -1)]
        )
        call: grpc.StreamStreamMultiCallable[bytes, pb.ConnectResponse] = (
            self._channel.stream_stream(
                "/springald.executor.v1.ExecutorService/Connect",
                response_deserializer=pb.ConnectResponse.FromString,
            )
        )
        self._responses = call(iter(lambda: self._outgoing.get(), None))  # noqa: PLW0108 - typed
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def send(self, message: pb.ConnectRequest | bytes) -> None:
        """Sends a message, or bytes that may be none."""
        data = message if isinstance(message, bytes) else message.SerializeToString()
        self._outgoing.put(data)

    def close(self) -> None:
        """Breaks the stream, as a process does that is killed."""
        self._outgoing.put(None)
        self._channel.close()
        self._reader.join(DEADLINE_S)

    def __enter__(self) -> Self:
        """Returns itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Breaks the stream."""
        self.close()

    def wait(self, kind: Kind, count: int = 1) -> list[Any]:
        """Waits until so many messages of a kind have come, and returns all of them."""
        with self._news:
            assert self._news.wait_for(lambda: len(self._of(kind)) >= count, DEADLINE_S), (
                f"waited for {count} {kind}, got {self.messages}"
            )
            return self._of(kind)

    def wait_end(self) -> grpc.RpcError | None:
        """Waits until the scheduler ended the stream; returns the error that it ended with."""
        with self._news:
            assert self._news.wait_for(lambda: self._ended, DEADLINE_S)
            return self.failure

    def finish(
        self,
        launch: pb.LaunchTask,
        rows: Mapping[int, int] | None = None,
        stream: bytes | None = None,
    ) -> None:
        """Reports the end of an attempt, perhaps with its rows."""
        measured = dict.fromkeys(launch.partitions, 1) if rows is None else rows
        finished = pb.TaskFinished(
            task_id=launch.task_id,
            sizes=pb.Sizes(
                numbers=measured,
                rows=measured.values(),
                bytes=[10 * count for count in measured.values()],
            ),
            elapsed_ms=3,
            rows=None if stream is None else client_pb.InlineRows(arrow_stream=stream),
        )
        self.send(pb.ConnectRequest(task_finished=finished))

    def _of(self, kind: Kind) -> list[Any]:
        return [getattr(each, kind) for each in self.messages if each.HasField(kind)]

    def _read(self) -> None:
        try:
            for message in self._responses:
                with self._news:
                    self.messages.append(message)
                    self._news.notify_all()
                if self.automatic and message.HasField("launch_task"):
                    self.finish(message.launch_task)
                if message.HasField("cancel_task"):
                    failed = pb.TaskFailed(task_id=message.cancel_task.task_id)
                    failed.error.CopyFrom(error_to_proto(CancelledError("it was asked to stop")))
                    self.send(pb.ConnectRequest(task_failed=failed))
        except grpc.RpcError as failure:
            self.failure = failure
        except ValueError:
            pass  # The channel was closed while the stream began.
        with self._news:
            self._ended = True
            self._news.notify_all()


@dataclass(eq=False)
class InProcessExecutor:
    """An executor in the scheduler's own process: no stream, one thread of its own."""

    driver: SchedulerDriver
    slots: int = 1
    messages: list[pb.ConnectResponse] = field(default_factory=list)
    ended: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        """Registers."""
        self._tasks: SimpleQueue[pb.LaunchTask | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._work)
        self._thread.start()
        who = registration("local", slots=self.slots)
        self.driver.receive(self, pb.ConnectRequest(registration=who))

    def send(self, message: pb.ConnectResponse) -> None:
        """Takes a message; tasks run in the other thread."""
        self.messages.append(message)
        if message.HasField("launch_task"):
            self._tasks.put(message.launch_task)

    def hold(self, message: pb.ConnectResponse) -> None:
        """Takes a message that might wait."""
        self.send(message)

    def flush(self) -> None:
        """Does nothing: nothing waits."""

    def end(self, error: SpringaldError | None) -> None:
        """Takes note that the scheduler ended."""
        assert error is None or error.code
        self._tasks.put(None)
        self.ended.set()

    def join(self) -> None:
        """Waits for the thread."""
        self._thread.join(DEADLINE_S)

    def _work(self) -> None:
        for launch in iter(self._tasks.get, None):
            ones = [1 for _ in launch.partitions]
            sizes = pb.Sizes(numbers=launch.partitions, rows=ones, bytes=ones)
            finished = pb.TaskFinished(task_id=launch.task_id, sizes=sizes)
            self.driver.receive(self, pb.ConnectRequest(task_finished=finished))


def sql(text: str) -> Plan:
    """A statement as clients send it."""
    return Plan(version=PlanVersion(major=1), sql=SqlText(text=text))


def execute_request(
    session_id: str, text: str = "SELECT 1", operation_id: str = "o1"
) -> client_pb.ExecuteRequest:
    """A request to run a statement."""
    return client_pb.ExecuteRequest(
        session_id=session_id, operation_id=operation_id, plan=sql(text)
    )


@contextmanager
def captured_logs() -> Iterator[list[Any]]:
    """Collects log lines, and leaves structlog as it was: local mode is silent if nobody set it."""
    was_configured = structlog.is_configured()
    try:
        with capture_logs() as logs:
            yield logs
    finally:
        if not was_configured:
            structlog.reset_defaults()


def wait_until(look: Callable[[], _T], what: str) -> _T:
    """Looks until there is something to see, with a deadline.

    For states that no call can be waited for: who looks does not know who makes them.
    """
    deadline = time.monotonic() + DEADLINE_S
    between = threading.Event()
    while not (seen := look()):
        assert time.monotonic() < deadline, f"waited in vain until {what}"
        between.wait(0.005)
    return seen


__all__ = [
    "DEADLINE_S",
    "FACTS",
    "SCHEMA",
    "Executor",
    "InProcessExecutor",
    "Scheduler",
    "ScriptedPlanner",
    "captured_logs",
    "execute_request",
    "make_graph",
    "make_stage",
    "registration",
    "running",
    "sql",
    "wait_until",
]
