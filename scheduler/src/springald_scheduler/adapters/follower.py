"""What a scheduler answers that does not lead: reads, from what the leader has written down.

Whatever changes something, keeps something alive, or needs what only the leader knows, is sent to
the leader. So is what is not found here: the leader may know more than it writes down.
"""

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from itertools import count
from typing import Never, Self

from springald.errors import NotLeaderError
from springald_scheduler.adapters.journal import Cluster
from springald_scheduler.adapters.mirror import Mirror, Records
from springald_scheduler.adapters.ports import Planner
from springald_scheduler.adapters.stores.interface import StoreError
from springald_scheduler.codec.tickets import Mint
from springald_scheduler.core import views
from springald_scheduler.core.events import Event, JobSubmitted, SessionSeen, UploadRequested
from springald_scheduler.core.records import JobRecord, Record, UploadLocation
from springald_scheduler.core.states import JobState
from springald_scheduler.core.stored import (
    is_told_whole,
    list_executors,
    submission_order,
    world_of,
)
from springald_scheduler.core.world import World
from springald_scheduler.planning.model import (
    Answered,
    ClusterShape,
    Planned,
    SessionSnapshot,
    TableInfo,
    Upload,
)
from springald_scheduler.planning.reading import Statement


class Follower:
    """A `Driver` that changes nothing.

    Args:
        mirror: The records; the caller begins and ends it with the follower.
        planner: Reads tables; not used by anybody else while this is.
        cluster: What all schedulers of the cluster share.
        session_lease_ms: How long a session lives without a call.
        leader_address: Tells where the scheduler is that leads.
    """

    def __init__(
        self,
        mirror: Mirror,
        planner: Planner,
        cluster: Cluster,
        session_lease_ms: int,
        leader_address: Callable[[], str],
    ) -> None:
        self._mirror = mirror
        self._leader_address = leader_address
        self._reader = ReadingPlanner(planner, self._look, self._refuse)
        self.planner: Planner = self._reader
        self.mint = Mint(cluster.ticket_key, _now_ms)
        self.name = cluster.name
        self.session_lease_ms = session_lease_ms

    def begin(self) -> None:
        """Begins to answer."""
        self._mirror.begin()

    def end(self) -> None:
        """Answers nothing more, so that this scheduler can lead."""
        self._mirror.end()
        self._reader.forget_sessions()

    # What is read.

    def tell(self, *events: Event) -> None:
        """Looks whether sessions are open that make a call; all else is the leader's.

        The lease of such a session is not renewed: nothing is written.
        """
        records = self._look()
        for event in events:
            if not isinstance(event, SessionSeen) or records.session(event.session_id) is None:
                self._refuse(type(event).__name__)

    def watch(self, session_id: str, name: str) -> "_Once":
        """Follows a job that has ended; to follow one that runs keeps it alive."""
        world, job_id = self._world_of(session_id, name)
        view = views.view_job(world, session_id, job_id, _now_ms())
        if view is None or not is_told_whole(world.jobs[job_id]):
            self._refuse("a job that may go on")
        return _Once(view)

    def list_jobs(self, session_id: str, jobs_max: int) -> list[views.JobView]:
        """Returns jobs that are not released, newest first."""
        records = self._look()
        mine = [each for each in records.jobs() if session_id in ("", each.session_id)]
        newest = sorted(mine, key=submission_order, reverse=True)[:jobs_max]
        world = _world(records, newest)
        return views.list_jobs(world, session_id, jobs_max, _now_ms())

    def describe_job(
        self, session_id: str, name: str, *, with_tasks: bool = True
    ) -> views.JobDetails:
        """Returns all that is written down about a job, which has nothing of single tasks' time."""
        world, job_id = self._world_of(session_id, name)
        details = views.describe_job(world, session_id, job_id, _now_ms(), with_tasks=with_tasks)
        if details is None or not (details.graph or details.job.state is JobState.QUEUED):
            self._refuse("a job whose stages are not written down")
        return details

    def list_executors(self) -> list[views.ExecutorView]:
        """Returns executors as they registered; what they do is not written down."""
        listed = list_executors(self._look().executors())
        if listed is None:
            self._refuse("executors that an earlier release wrote down")
        return listed

    # What is the leader's.

    def wait_serving(self) -> None:
        """Refuses: what asks for this changes something."""
        self._refuse("a change")

    def keep_catalog(self, session_id: str) -> None:
        """Refuses."""
        self._refuse(f"a change of session {session_id}")

    def submit(self, event: JobSubmitted, before: Sequence[Event] = ()) -> str:
        """Refuses."""
        self._refuse(f"operation {event.operation_id} after {len(before)} others")

    def place_upload(self, event: UploadRequested) -> str:
        """Refuses."""
        self._refuse(f"a place for upload {event.upload_id}")

    def wait_upload(self, session_id: str, upload_id: str) -> UploadLocation:
        """Refuses."""
        self._refuse(f"upload {upload_id} of session {session_id}")

    def _refuse(self, asked: str) -> Never:
        raise NotLeaderError.of(self._leader_address(), asked)

    def _look(self) -> Records:
        try:
            return self._mirror.look()
        except StoreError as error:
            # The leader may reach the store, or another one will lead that does.
            raise NotLeaderError.of(self._leader_address(), "records") from error

    def _world_of(self, session_id: str, name: str) -> tuple[World, str]:
        """Returns a world with one job, by operation id or job id, and its job id."""
        records = self._look()
        found = (each for each in records.jobs() if _is_called(each, session_id, name))
        job = next(found, None)
        if job is None:
            self._refuse(f"job {name}")
        return _world(records, [job]), job.job_id


class ReadingPlanner:
    """A `Planner` of sessions that another scheduler has: it tells of them and changes none.

    Args:
        planner: Does the work. What is opened there has names of its own, so that nothing of it is
            in the way when this scheduler leads.
        look: Returns the records.
        refuse: Refuses what changes a session.
    """

    def __init__(
        self, planner: Planner, look: Callable[[], Records], refuse: Callable[[str], Never]
    ) -> None:
        self._planner = planner
        self._look = look
        self._refuse = refuse
        self._lock = threading.Lock()
        self._numbers = count(1)
        self._open: dict[str, tuple[str, SessionSnapshot]] = {}

    def forget_sessions(self) -> None:
        """Closes all that were opened, soon: a slow statement may still be read."""
        with self._lock:
            opened = [name for name, _ in self._open.values()]
            self._open.clear()
        work = partial(self._close, opened)
        threading.Thread(target=work, name="springald-forgetting", daemon=True).start()

    def list_tables(self, session_id: str) -> list[TableInfo]:
        """Returns the session's tables and views."""
        return self._planner.list_tables(self._opened(session_id))

    def describe(self, session_id: str, statement: Statement) -> bytes:
        """Returns the schema of a query's rows in IPC form."""
        return self._planner.describe(self._opened(session_id), statement)

    def _opened(self, session_id: str) -> str:
        """Opens a session as it was written down last; returns its name here."""
        records = self._look()
        record = records.session(session_id)
        if record is None or not isinstance(record.catalog, SessionSnapshot):
            self._refuse(f"session {session_id}")
        with self._lock:
            gone = [each for each in self._open if records.session(each) is None]
            name, catalog = self._open.get(session_id, ("", None))
            if name and catalog is not record.catalog:
                gone.append(session_id)
            closed = [self._open.pop(each)[0] for each in gone]
            if session_id not in self._open:
                name = f"{session_id}/{next(self._numbers)}"
                self._planner.restore_session(name, record.catalog)
                self._open[session_id] = (name, record.catalog)
        self._close(closed)
        return name

    def _close(self, names: Iterable[str]) -> None:
        for name in names:
            self._planner.close_session(name)

    def open_session(self, session_id: str, settings: Mapping[str, str]) -> None:
        """Refuses."""
        self._refuse(f"session {session_id} with {len(settings)} settings")

    def close_session(self, session_id: str) -> None:
        """Refuses."""
        self._refuse(f"the end of session {session_id}")

    def restore_session(self, session_id: str, catalog: SessionSnapshot) -> None:
        """Refuses."""
        self._refuse(f"session {session_id} with {len(catalog.entries)} tables")

    def catalog(self, session_id: str) -> SessionSnapshot | None:
        """Refuses: who asks is about to write it down."""
        self._refuse(f"a change of session {session_id}")

    def run(self, session_id: str, statement: Statement, shape: ClusterShape) -> Answered | Planned:
        """Refuses."""
        asked = f"a statement of {len(statement)} characters for {shape.slots_total} slots"
        self._refuse(f"{asked} in session {session_id}")

    def register_files(
        self,
        session_id: str,
        name: str,
        file_format: str,
        path: str,
        options: Iterable[tuple[str, str]],
    ) -> TableInfo:
        """Refuses."""
        asked = f"{file_format} at {path} with {len(list(options))} options"
        self._refuse(f"table {name} of session {session_id}: {asked}")

    def register_upload(self, session_id: str, name: str, upload: Upload) -> TableInfo:
        """Refuses."""
        self._refuse(f"table {name} of session {session_id}: upload {upload.upload_id}")


class _Once:
    """A `JobWatch` of a job that has ended: how it stands, and no more."""

    def __init__(self, view: views.JobView) -> None:
        self._left = iter([view])

    def __iter__(self) -> Self:
        """Returns itself."""
        return self

    def __next__(self) -> views.JobView:
        """Returns how it stands, once."""
        return next(self._left)

    def close(self) -> None:
        """Does nothing: nobody waits."""


def _world(records: Records, jobs: Iterable[JobRecord]) -> World:
    chosen: list[Record] = []
    for job in jobs:
        session = records.session(job.session_id)
        chosen += [session] if session else []
        chosen += records.of_job(job.job_id)
    return world_of(chosen, _now_ms())


def _is_called(job: JobRecord, session_id: str, name: str) -> bool:
    by_operation = name == job.operation_id and session_id == job.session_id
    return by_operation or (name == job.job_id and session_id in ("", job.session_id))


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


__all__ = ["Follower", "ReadingPlanner"]
