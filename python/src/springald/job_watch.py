"""The thread that follows a job on the scheduler, over broken streams, to its end."""

import logging
import threading
from collections.abc import Callable, Iterator
from typing import Final

from springald.backoff import waits_s
from springald.client_limits import SCHEDULER_AWAY_MS_MAX
from springald.codec.errors import error_from_proto
from springald.errors import (
    CancelledError,
    InternalError,
    JobNotFoundError,
    NotLeaderError,
    SchedulerRestartedError,
    SchedulerUnavailableError,
    SessionNotFoundError,
    SpringaldError,
)
from springald.plan.v1 import plan_pb2
from springald.progress import JobStatus
from springald.releases import Releases
from springald.scheduler.v1 import scheduler_pb2 as pb
from springald.transport import Stream, Transport

__all__ = ["JobWatch"]

_LOGGER: Final = logging.getLogger(__name__)

Listener = Callable[[pb.JobUpdate], None]


class JobWatch:
    """A job's latest news, kept up to date by a thread of its own once it is started.

    The thread holds the watch and nothing that the user holds, so that a job which nobody wants any
    more becomes garbage while it runs.

    Args:
        transport: The way to the scheduler.
        session_id: The session.
        operation_id: The job's name for this client.
        plan: What to run.
        releases: What goes with the statement.

    Attributes:
        holds_little: True when the job has ended and its rows, if any, have come with the news.
    """

    def __init__(
        self,
        transport: Transport,
        session_id: str,
        operation_id: str,
        plan: plan_pb2.Plan,
        releases: Releases,
    ) -> None:
        self.operation_id = operation_id
        self._transport = transport
        self._session_id = session_id
        self._plan = plan
        self._releases = releases
        self._released: list[str] = []
        self.holds_little = False
        self._changed = threading.Condition()
        self._update = pb.JobUpdate()
        self._heard = False
        self._failure: SpringaldError | None = None
        self._broken: SpringaldError | None = None
        self._stream: Stream[pb.ExecuteResponse] | Stream[pb.AttachJobResponse] | None = None
        self._listeners: list[Listener] = []
        self._stopped = threading.Event()
        self._thread = threading.Thread(
            target=self._run, name=f"springald-{operation_id[:11]}", daemon=True
        )

    def start(self) -> None:
        """Begins to follow; the statement is sent by this."""
        self._thread.start()

    @property
    def update(self) -> pb.JobUpdate:
        """The latest news; empty before the first."""
        with self._changed:
            return self._update

    @property
    def status(self) -> JobStatus:
        """Where the job stands, as far as this client knows."""
        with self._changed:
            if self._failure is not None:
                is_cancelled = isinstance(self._failure, CancelledError)
                return JobStatus.CANCELLED if is_cancelled else JobStatus.FAILED
            return JobStatus.from_proto(self._update.status)

    @property
    def failure(self) -> SpringaldError | None:
        """Why the job, or the following of it, came to a bad end."""
        with self._changed:
            return self._failure

    @property
    def broken(self) -> SpringaldError | None:
        """Why the last stream broke, as long as no other one has told anything."""
        with self._changed:
            return self._broken

    def wait_first(self, timeout_s: float | None) -> bool:
        """Waits for the first news, or for the failure to get any; False if the time was over."""
        with self._changed:
            return self._changed.wait_for(lambda: self._heard or self._is_over(), timeout_s)

    def wait_over(self, timeout_s: float | None) -> bool:
        """Waits for the end; False if the time was over before."""
        with self._changed:
            return self._changed.wait_for(self._is_over, timeout_s)

    def listen(self, listener: Listener) -> None:
        """Has a callable told the latest news now, and all later ones by the watching thread."""
        with self._changed:
            self._listeners.append(listener)
            update, heard = self._update, self._heard
        if heard:
            self._tell(listener, update)

    def stop(self) -> None:
        """Stops following; the job runs on."""
        self._stopped.set()
        self._drop_stream()

    def _is_over(self) -> bool:
        return self._failure is not None or JobStatus.from_proto(self._update.status).is_final

    def _run(self) -> None:
        try:
            self._follow()
        except SpringaldError as error:
            self._fail(error)
        except Exception as error:  # noqa: BLE001 - somebody waits for this thread's verdict
            self._fail(InternalError(f"following a job must not break: got {error!r}"))

    def _follow(self) -> None:
        """Reads streams until one of them tells the end, with pauses that grow in between."""
        waits = waits_s(SCHEDULER_AWAY_MS_MAX)
        broken: SpringaldError | None = None
        first: SpringaldError | None = None
        while not self._stopped.is_set():
            try:
                for update in self._open():
                    waits, first = waits_s(SCHEDULER_AWAY_MS_MAX), None
                    self._accept(update)
                    if self._is_over():
                        self._drop_stream()
                        return
                broken = SchedulerUnavailableError(
                    f"a job's stream must end with its last status: got the end of the stream of "
                    f"{self.operation_id} before it"
                )
            except (SchedulerUnavailableError, NotLeaderError) as error:
                broken = error
            except (SessionNotFoundError, JobNotFoundError) as error:
                raise self._forgotten(error) if broken else error from None
            first = first or broken
            broken = broken.after(first)
            with self._changed:
                self._broken = broken
            wait_s = next(waits, None)
            if wait_s is None:
                raise broken
            self._stopped.wait(wait_s)
        self._fail(CancelledError(f"following {self.operation_id} was given up"))

    def _open(self) -> Iterator[pb.JobUpdate]:
        """Opens a stream: executing again under the same name is safe until the job is known."""
        if not self._heard:
            self._released = self._released or self._releases.take()
            execute = pb.ExecuteRequest(
                session_id=self._session_id,
                operation_id=self.operation_id,
                plan=self._plan,
                released_operation_ids=self._released,
            )
            executed = self._transport.execute(execute)
            self._hold(executed)
            return (response.update for response in executed)
        attach = pb.AttachJobRequest(session_id=self._session_id, operation_id=self.operation_id)
        attached = self._transport.attach_job(attach)
        self._hold(attached)
        return (response.update for response in attached)

    def _hold(self, stream: Stream[pb.ExecuteResponse] | Stream[pb.AttachJobResponse]) -> None:
        with self._changed:
            self._stream = stream
        if self._stopped.is_set():
            stream.close()

    def _drop_stream(self) -> None:
        """Ends a stream that has told everything, so that no call stays open with the job."""
        with self._changed:
            stream, self._stream = self._stream, None
        if stream is not None:
            stream.close()

    def _accept(self, update: pb.JobUpdate) -> None:
        with self._changed:
            self._update = update
            self._heard = True
            self._broken = None
            self._released = []
            is_remote = update.result.WhichOneof("rows") == "remote"
            self.holds_little = JobStatus.from_proto(update.status).is_final and not is_remote
            if JobStatus.from_proto(update.status).is_final and update.HasField("error"):
                self._failure = error_from_proto(update.error)
            listeners = list(self._listeners)
            if self._is_over():
                self._listeners.clear()
            self._changed.notify_all()
        for listener in listeners:
            self._tell(listener, update)

    def _fail(self, error: SpringaldError) -> None:
        self._releases.put_back(self._released)
        with self._changed:
            self._failure = error
            self._listeners.clear()
            self._changed.notify_all()

    def _tell(self, listener: Listener, update: pb.JobUpdate) -> None:
        try:
            listener(update)
        except Exception:
            # The listener is the user's; the job must not suffer from it.
            _LOGGER.exception("a listener of %s failed", self.operation_id)

    def _forgotten(self, error: SpringaldError) -> SpringaldError:
        return SchedulerRestartedError(
            f"a scheduler remembers its jobs: got {error.code} for {self.operation_id} after the "
            f"stream from {self._transport.address} broke, so it restarted without its memory; "
            "connect again and repeat the statement"
        )
