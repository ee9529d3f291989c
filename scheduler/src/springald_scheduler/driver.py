"""Round the core: tells it what happens, and does what it asks for, in order.

One lock guards the core and the order of its actions, which an outbox carries out: first what is to
be kept, then the others. Whatever takes time is done by other threads: statements are planned by
workers, streams are written by their own threads, and the core's sense of time is a timer's.
"""

import threading
import time
from collections.abc import Callable, Sequence
from typing import Self, TypeVar

import structlog

from springald.errors import (
    ExecutorLostError,
    InternalError,
    JobNotFoundError,
    MessageGarbledError,
    SchedulerUnavailableError,
    SpringaldError,
    UnexpectedMessageError,
)
from springald.executor.v1 import executor_pb2 as pb
from springald.limits import HEARTBEAT_INTERVAL_MS
from springald_scheduler.adapters.action_log import log_actions
from springald_scheduler.adapters.executor_link import ExecutorLink
from springald_scheduler.adapters.executor_links import ExecutorLinks
from springald_scheduler.adapters.journal import Cluster
from springald_scheduler.adapters.outbox import Outbox
from springald_scheduler.adapters.planning_desk import PlanningDesk
from springald_scheduler.adapters.ports import Planner, RecordKeeper
from springald_scheduler.adapters.timer import Timer
from springald_scheduler.adapters.upload_desk import UploadDesk
from springald_scheduler.adapters.watches import Watch, Watches
from springald_scheduler.codec.definitions import Definitions
from springald_scheduler.codec.executors import (
    action_to_proto,
    event_from_proto,
    refusal_to_proto,
    registration_from_proto,
)
from springald_scheduler.codec.failures import failure_from_error, failure_to_error
from springald_scheduler.codec.tickets import Mint
from springald_scheduler.core import actions as do
from springald_scheduler.core import events as on
from springald_scheduler.core import views
from springald_scheduler.core.failures import job_not_found
from springald_scheduler.core.records import UploadLocation
from springald_scheduler.core.scheduler import SchedulerCore
from springald_scheduler.core.world import World
from springald_scheduler.limits import SERVING_MS_MAX, STOP_MS_MAX
from springald_scheduler.planning.model import ClusterShape, SessionSnapshot

log = structlog.get_logger("springald.scheduler")

_T = TypeVar("_T")


class SchedulerDriver:
    """Runs a scheduler's core. Safe to call from many threads.

    Args:
        core: The core, new.
        planner: Plans statements; the caller closes it, after the driver.
        journal: Keeps what must survive.
        allowed_paths: Folders that executors may open files in.
        cluster: What it shares with earlier and other processes; made up by default.
        on_broken: Told that the store keeps nothing any more; the caller then closes the driver.
    """

    def __init__(
        self,
        core: SchedulerCore,
        planner: Planner,
        journal: RecordKeeper,
        *,
        allowed_paths: Sequence[str] = ("/",),
        cluster: Cluster | None = None,
        on_broken: Callable[[SpringaldError], None] = lambda _: None,
    ) -> None:
        self.planner = planner
        self._began_ms = time.time_ns() // 1_000_000
        self._began_ns = time.monotonic_ns()
        cluster = cluster or Cluster.made_up()
        self.name = cluster.name
        self.mint = Mint(cluster.ticket_key, self.now_ms)
        self._core = core
        self._durable = journal.durable
        self._serving = threading.Event()
        self._outbox = Outbox(journal.write, self._do, on_broken)
        self._allowed_paths = list(allowed_paths)
        self._lock = threading.Lock()
        self._closed = False
        self._links = ExecutorLinks()
        self._definitions = Definitions()
        self._watches = Watches()
        self._planning = PlanningDesk(planner, self._shape, self._tell_planned)
        self._uploads = UploadDesk(
            self._post, self._view_upload, core.world.limits.no_executor_ms_max
        )
        self._timer = Timer(self.now_ms, self._tell_time)
        self._post_late(on.SchedulerStarted())

    @property
    def session_lease_ms(self) -> int:
        """How long a session lives without a call."""
        return self._core.world.limits.session_lease_ms

    def now_ms(self) -> int:
        """The time in milliseconds since 1970-01-01 UTC, on a clock that never goes back."""
        return self._began_ms + (time.monotonic_ns() - self._began_ns) // 1_000_000

    def close(self) -> None:
        """Ends all streams and threads; jobs are left as they are."""
        stopped = self._outbox.failure or SchedulerUnavailableError(
            "a scheduler must run: this one stopped"
        )
        with self._lock:
            self._closed = True
        self._outbox.close(stopped)
        self._serving.set()
        links = self._links.take_all()
        self._timer.close()
        self._watches.close(stopped)
        for link in links:
            link.end(stopped)
        self._planning.close()

    def __enter__(self) -> Self:
        """Returns itself."""
        return self

    def __exit__(self, *_: object) -> None:
        """Closes it."""
        self.close()

    def cancel_jobs(self, reason: str) -> None:
        """Cancels all jobs, and waits a moment until those who follow them have been told."""
        running = self._look(
            lambda world, _: [job.job_id for job in world.jobs.values() if not job.state.terminal]
        )
        for job_id in running:
            self._post_late(on.JobCancelRequested("", job_id, reason))
        self._watches.wait_none(STOP_MS_MAX / 1000)

    # For those who speak with clients.

    def wait_serving(self) -> None:
        """Waits until what an earlier process left has been taken up.

        Raises:
            SchedulerUnavailableError: That takes too long.
        """
        if not self._serving.wait(SERVING_MS_MAX / 1000):
            raise SchedulerUnavailableError(
                f"a scheduler serves within {SERVING_MS_MAX} ms: got none that does; try again"
            )

    def keep_catalog(self, session_id: str) -> None:
        """Writes a session's tables and settings down, if they have changed."""
        if self._durable:
            _, ticket = self._post(catalog_of=session_id)
            self._outbox.wait(ticket)

    def tell(self, *events: on.Event) -> None:
        """Tells the core events.

        Raises:
            SpringaldError: The core refuses one.
        """
        self.wait_serving()
        for action in self._settle(*events):
            if isinstance(action, do.Refuse):
                raise failure_to_error(action.failure)

    def submit(self, event: on.JobSubmitted, before: Sequence[on.Event] = ()) -> str:
        """Submits a statement; returns its job id.

        Args:
            event: The statement.
            before: What comes before it, and is written down with it.

        Raises:
            SpringaldError: The session is not open, or the operation id stands for another one.
        """
        self.wait_serving()
        for action in self._settle(*before, event):
            match action:
                case do.AcceptJob() | do.AttachJob():
                    return action.job_id
                case do.Refuse():
                    raise failure_to_error(action.failure)
        raise InternalError(f"a submitted job must be answered for: got nothing for {event!r}")

    def watch(self, session_id: str, name: str) -> Watch:
        """Follows a job by operation id or job id; close the watch in the end.

        Raises:
            JobNotFoundError: There is none, or it was released.
        """
        self.wait_serving()
        view = self._look(lambda world, now: views.view_job(world, session_id, name, now))
        if view is None or view.released:
            raise failure_to_error(job_not_found(name))
        watch = Watch(view.job_id, self._view, self._unwatch)
        self._watches.add(watch)
        self._post(on.JobWatched(view.job_id))
        return watch

    def list_jobs(self, session_id: str, jobs_max: int) -> list[views.JobView]:
        """Returns jobs, newest first."""
        return self._look(lambda world, now: views.list_jobs(world, session_id, jobs_max, now))

    def describe_job(
        self, session_id: str, name: str, *, with_tasks: bool = True
    ) -> views.JobDetails:
        """Returns all about a job, or all but its tasks.

        Raises:
            JobNotFoundError: There is none.
        """
        details = self._look(
            lambda world, now: views.describe_job(
                world, session_id, name, now, with_tasks=with_tasks
            )
        )
        if details is None:
            raise failure_to_error(job_not_found(name))
        return details

    def list_executors(self) -> list[views.ExecutorView]:
        """Returns the executors in the order of registration."""
        return self._look(views.list_executors)

    def place_upload(self, event: on.UploadRequested) -> str:
        """Waits for a place for an upload; returns its Flight address.

        Raises:
            SpringaldError: There is none within the named limit.
        """
        self.wait_serving()
        return self._uploads.place(event)

    def wait_upload(self, session_id: str, upload_id: str) -> UploadLocation:
        """Waits until an upload is stored; returns where it lies.

        Raises:
            SpringaldError: The session has no such upload, or it is not stored in time.
        """
        return self._uploads.wait_stored(session_id, upload_id)

    # For those who speak with executors.

    def receive(self, link: ExecutorLink, message: pb.ConnectRequest) -> None:
        """Takes in a message of an executor; the first one of a link is its registration.

        Raises:
            SpringaldError: The message is not one that may come now; the caller ends the stream.
        """
        with self._links.taking_in(link):
            self._take_in(link, message)

    def _take_in(self, link: ExecutorLink, message: pb.ConnectRequest) -> None:
        life = self._links.life_of(link)
        if message.WhichOneof("message") == "registration":
            if life:
                raise UnexpectedMessageError("an executor registers once a stream: got it twice")
            registration = registration_from_proto(message.registration)
            self._links.arrive(registration.executor_id, registration.incarnation, link)
            self._settle(registration)
            return
        if life is None:
            raise UnexpectedMessageError(
                "an executor must be registered: got "
                f"{message.WhichOneof('message') or 'an unknown message'} before or after that"
            )
        event = event_from_proto(message, *life)
        if event is None:
            raise MessageGarbledError(
                f"an executor's message must be one of this protocol version: {life[0]} sent "
                "another one; use the same release on both sides"
            )
        self._post(event)
        if isinstance(event, on.ExecutorHeard):
            with self._lock:
                link.flush()

    def disconnect(self, link: ExecutorLink, reason: str) -> None:
        """Takes in that an executor's stream ended; a stream that was replaced is no matter."""
        life = self._links.remove(link)
        if life:
            self._post_late(on.ExecutorDisconnected(*life, reason))

    # The core and its actions.

    def _post(self, *events: on.Event, catalog_of: str = "") -> tuple[list[do.Action], int]:
        """Tells the core events; returns what it asks for, and the ticket of that.

        Args:
            events: The events.
            catalog_of: A session whose tables or settings may have changed; told first.
        """
        with self._lock:
            if self._closed:
                raise SchedulerUnavailableError("a scheduler must run: this one is stopping")
            if self._durable and catalog_of:
                # Looked at here, so that of two changes the later one is told last.
                events = (*self._catalog_changed(catalog_of), *events)
            try:
                actions = self._core.handle(*events, now_ms=self.now_ms())
            except Exception as bug:
                # One event may be lost, not the threads that bring the next ones.
                log.exception("event broke the core", events=repr(events)[:1_000])
                raise InternalError(f"the scheduler broke its own rules: {bug!r}") from bug
            ticket = self._outbox.put(actions)
            self._timer.set(self._core.wake_ms)
        self._outbox.carry()
        log_actions(actions)
        return actions, ticket

    def _catalog_changed(self, session_id: str) -> list[on.Event]:
        session = self._core.world.sessions.get(session_id)
        catalog = self.planner.catalog(session_id)
        if session is None or catalog is None or catalog is session.catalog:
            return []
        return [on.SessionChanged(session_id, catalog)]

    def _settle(self, *events: on.Event) -> list[do.Action]:
        """Tells the core events, and waits until what it asks for is carried out."""
        actions, ticket = self._post(*events)
        if not all(isinstance(each, do.Refuse | do.Ignore) for each in actions):
            self._outbox.wait(ticket)
        return actions

    def _do(self, action: do.Action) -> None:
        """Carries an action out, for the outbox."""
        try:
            self._carry_out(action)
        except Exception as bug:
            log.exception("action failed", action=type(action).__name__)
            self._make_good(action, bug)

    def _follow_up(self, event: on.Event) -> None:
        """Tells the core what comes of an action, after the actions that go with it."""
        self._planning.tell_later(event)

    def _make_good(self, action: do.Action, bug: Exception) -> None:
        """Tells the core what did not come about: it counts on every action that it asks for."""
        error = InternalError(f"the scheduler carries out what it decides: got {bug!r}")
        failure = failure_from_error(error)
        match action:
            case do.LaunchTask():
                life = (action.executor_id, action.incarnation)
                self._follow_up(on.TaskFailed(*life, action.attempt_id, failure))
            case do.DefineStage():
                self._definitions.spoil(action, failure)
            case do.PlanJob():
                self._follow_up(on.JobFailed(action.job_id, failure))
            case do.ReplanStage():
                stays = on.StageReplanned(action.job_id, action.stage.stage_id, None)
                self._follow_up(stays)

    def _carry_out(self, action: do.Action) -> None:
        match action:
            case do.PublishJob():
                job = self._core.world.jobs.get(action.job_id)
                self._watches.wake(action.job_id, ended=job is None or job.state.terminal)
            case do.PlanJob():
                self._planning.plan(action)
            case do.ReplanStage():
                self._planning.replan(action)
            case do.DropSession():
                self._planning.drop_session(action.session_id)
            case do.RestoreSession():
                if isinstance(action.catalog, SessionSnapshot):
                    self.planner.restore_session(action.session_id, action.catalog)
            case do.ServeClients():
                self._serving.set()
            case do.ToExecutor():
                self._carry_out_there(action)
            case do.AssignUpload() | do.RefuseUpload() | do.AnnounceUpload():
                self._uploads.tell(action)

    def _carry_out_there(self, action: do.ToExecutor) -> None:
        match action:
            case do.AcceptExecutor():
                self._accept(action)
            case do.RefuseExecutor():
                link = self._links.turn_away(action.executor_id, action.incarnation)
                if link and action.failure.retryable:
                    link.end(failure_to_error(action.failure))
                elif link:
                    link.send(refusal_to_proto(action.failure))
                    link.end(None)
            case do.DisconnectExecutor():
                rule = "an executor must be heard and be the only one of its id"
                lost = ExecutorLostError(f"{rule}: {action.reason}", executor_id=action.executor_id)
                self._links.end(action.executor_id, action.incarnation, lost)
            case do.DefineStage():
                self._send(action, self._definitions.write(action))
            case do.LaunchTask():
                self._launch(action)
            case do.ReleaseJobFiles(in_no_hurry=True):
                self._send(action, action_to_proto(action), waits=True)
            case _:
                self._send(action, action_to_proto(action))

    def _accept(self, action: do.AcceptExecutor) -> None:
        life = (action.executor_id, action.incarnation)
        link = self._links.put(*life)
        if link is None:
            if not self._links.is_put(*life):
                self._follow_up(on.ExecutorDisconnected(*life))
            return
        registered = pb.Registered(
            ticket_key=self.mint.key,
            heartbeat_interval_ms=HEARTBEAT_INTERVAL_MS,
            allowed_paths=self._allowed_paths,
        )
        link.send(pb.ConnectResponse(registered=registered))

    def _send(
        self, action: do.ToExecutor, message: pb.ConnectResponse | None, *, waits: bool = False
    ) -> None:
        if message is not None:
            self._links.send(action.executor_id, action.incarnation, message, waits=waits)

    def _launch(self, action: do.LaunchTask) -> None:
        failure = self._definitions.failure(action)
        if failure:
            life = (action.executor_id, action.incarnation)
            self._follow_up(on.TaskFailed(*life, action.attempt_id, failure))
        else:
            self._send(action, action_to_proto(action))

    # What other threads do.

    def _tell_planned(self, events: tuple[on.Event, ...], session_id: str) -> None:
        self._post_late(*events, catalog_of=session_id)

    def _tell_time(self) -> None:
        # Whoever waits for a slow store with an executor's message does not read the next ones.
        heard = [on.ExecutorHeard(*life) for life in self._links.busy_lives()]
        self._post_late(*heard, on.TimePassed())

    def _unwatch(self, watch: Watch) -> None:
        if self._watches.remove(watch):
            self._post_late(on.JobUnwatched(watch.job_id))

    def _post_late(self, *events: on.Event, catalog_of: str = "") -> None:
        """Tells the core what nobody waits for an answer to; a stopping scheduler need not know."""
        try:
            self._post(*events, catalog_of=catalog_of)
        except SchedulerUnavailableError:
            return
        except SpringaldError as bug:
            log.error("event not handled", events=repr(events)[:1_000], error=str(bug))  # noqa: TRY400

    # What is looked up.

    def _look(self, look: Callable[[World, int], _T]) -> _T:
        with self._lock:
            seen, ticket = look(self._core.world, self.now_ms()), self._outbox.ticket
        # Nobody is told what might be forgotten.
        self._outbox.wait(ticket)
        return seen

    def _view(self, job_id: str) -> views.JobView:
        view = self._look(lambda world, now: views.view_job(world, "", job_id, now))
        if view is None:
            raise JobNotFoundError(f"a job must be remembered: {job_id} was forgotten meanwhile")
        return view

    def _view_upload(self, session_id: str, upload_id: str) -> views.UploadView | None:
        return self._look(lambda world, _: views.view_upload(world, session_id, upload_id))

    def _shape(self) -> ClusterShape:
        slots, memory_bytes = self._look(lambda world, _: views.executor_sizes(world))
        return ClusterShape(slots, memory_bytes)
