"""What the driver needs of the world, and what the world needs of the driver, as interfaces."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from springald_scheduler.codec.tickets import Mint
from springald_scheduler.core.actions import Forget, Persist
from springald_scheduler.core.events import Event, JobSubmitted, UploadRequested
from springald_scheduler.core.records import UploadLocation
from springald_scheduler.core.views import ExecutorView, JobDetails, JobView
from springald_scheduler.planning.model import (
    Answered,
    ClusterShape,
    Planned,
    SessionSnapshot,
    TableInfo,
    Upload,
)
from springald_scheduler.planning.reading import Statement


class RecordKeeper(Protocol):
    """Keeps records: a journal, in a store or in memory."""

    @property
    def durable(self) -> bool:
        """True if records outlive the process."""
        ...

    def write(self, changes: Sequence[Persist | Forget]) -> None:
        """Writes records, and removes those that are to be forgotten, in order.

        A record replaces the one of its key; forgetting a key forgets all that begin with it.

        Raises:
            SpringaldError: It is not kept, and nothing will be any more.
        """
        ...


class Planner(Protocol):
    """Plans statements. Safe to call from many threads; raises nothing but SpringaldError."""

    def open_session(self, session_id: str, settings: Mapping[str, str]) -> None:
        """Begins a session with settings."""
        ...

    def close_session(self, session_id: str) -> None:
        """Forgets a session."""
        ...

    def restore_session(self, session_id: str, catalog: SessionSnapshot) -> None:
        """Begins a session that an earlier process had, with its tables and settings."""
        ...

    def catalog(self, session_id: str) -> SessionSnapshot | None:
        """Returns a session's tables and settings, the same object as long as they do not change.

        None if there is no such session, or the planner does not outlive its sessions.
        """
        ...

    def run(self, session_id: str, statement: Statement, shape: ClusterShape) -> Answered | Planned:
        """Carries out a statement, or plans a query."""
        ...

    def describe(self, session_id: str, statement: Statement) -> bytes:
        """Returns the schema of a query's rows in IPC form."""
        ...

    def register_files(
        self,
        session_id: str,
        name: str,
        file_format: str,
        path: str,
        options: Iterable[tuple[str, str]],
    ) -> TableInfo:
        """Makes files a table."""
        ...

    def register_upload(self, session_id: str, name: str, upload: Upload) -> TableInfo:
        """Makes rows that were uploaded a table."""
        ...

    def list_tables(self, session_id: str) -> list[TableInfo]:
        """Returns the session's tables and views."""
        ...


class JobWatch(Protocol):
    """A job as it stands, now and after each change; it ends with the first terminal state."""

    def __iter__(self) -> Iterator[JobView]:
        """Returns itself."""
        ...

    def __next__(self) -> JobView:
        """Waits for news."""
        ...

    def close(self) -> None:
        """Stops watching, also for a thread that waits."""
        ...


class Driver(Protocol):
    """What `SchedulerDriver` offers to those who speak with clients."""

    planner: Planner
    mint: Mint
    name: str

    def wait_serving(self) -> None:
        """Waits until what an earlier process left has been taken up."""
        ...

    def keep_catalog(self, session_id: str) -> None:
        """Writes a session's tables and settings down, if they have changed."""
        ...

    @property
    def session_lease_ms(self) -> int:
        """How long a session lives without a call."""
        ...

    def tell(self, *events: Event) -> None:
        """Tells the core events; raises the error if it refuses one."""
        ...

    def submit(self, event: JobSubmitted, before: Sequence[Event] = ()) -> str:
        """Submits a statement, after other events; returns its job id."""
        ...

    def watch(self, session_id: str, name: str) -> JobWatch:
        """Follows a job."""
        ...

    def list_jobs(self, session_id: str, jobs_max: int) -> list[JobView]:
        """Returns jobs, newest first."""
        ...

    def describe_job(self, session_id: str, name: str, *, with_tasks: bool = True) -> JobDetails:
        """Returns all about a job, or all but its tasks."""
        ...

    def list_executors(self) -> list[ExecutorView]:
        """Returns the executors."""
        ...

    def place_upload(self, event: UploadRequested) -> str:
        """Waits for a place for an upload; returns its Flight address."""
        ...

    def wait_upload(self, session_id: str, upload_id: str) -> UploadLocation:
        """Waits until an upload is stored; returns where it lies."""
        ...
