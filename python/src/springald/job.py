"""A job: one execution of a statement, followed in the background."""

import copy
import weakref
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial

import pyarrow as pa

from springald.client_limits import CALL_MS_MAX
from springald.errors import (
    DeadlineExceededError,
    InternalError,
    JobNotFoundError,
    SpringaldError,
)
from springald.job_profile import JobProfile
from springald.job_statistics import JobStatistics
from springald.job_watch import JobWatch
from springald.part_reader import PartReader
from springald.physical.v1 import physical_pb2
from springald.plan.v1 import plan_pb2
from springald.progress import JobStatus, Progress
from springald.result_parts import RESTORES_MAX, Parts, ResultChangedError, restored_parts
from springald.scheduler.v1 import scheduler_pb2 as pb
from springald.session import Session, new_operation_id, plan_of
from springald.sql_text import with_caret
from springald.transport import Transport

__all__ = ["Job"]


class Job:
    """One execution of a statement; made by `DataFrame.execute()`.

    The job runs on whether or not somebody looks. Its result stays with the cluster until it was
    read to the end, `release()` is called, this object is garbage, or the connection is closed.

    Ctrl-C in a method that waits cancels the job on the cluster, and gives its result up.
    """

    def __init__(
        self,
        session: Session,
        statement: str,
        plan: plan_pb2.Plan | None = None,
        pointed: Callable[[SpringaldError], SpringaldError] | None = None,
    ) -> None:
        """Starts a statement. Users call `DataFrame.execute()`.

        Args:
            session: The session that it belongs to.
            statement: Its text, for people where there is a plan.
            plan: What is sent, if it is not the text.
            pointed: Adds to an error where it is; it lives as long as the job.
        """
        session.check_open()
        self._session = session
        self._statement = statement
        self._pointed = pointed or partial(with_caret, text=statement)
        self._table: pa.Table | None = None
        operation_id = new_operation_id()
        sent = plan_of(statement) if plan is None else plan
        watch = JobWatch(session.transport, session.id, operation_id, sent, session.releases)
        self._watch = watch
        # Before the job begins, so that there is no moment in which it runs and nobody answers.
        self._release = weakref.finalize(self, _give_up, session, watch)
        self._release.atexit = False
        with self._given_up_if_interrupted():
            watch.start()
            self._wait_accepted()

    @property
    def id(self) -> str:
        """The scheduler's name for the job, for example `j7`."""
        return self._watch.update.job_id

    @property
    def operation_id(self) -> str:
        """This client's name for the job."""
        return self._watch.operation_id

    @property
    def statement(self) -> str:
        """The statement that the job runs."""
        return self._statement

    @property
    def status(self) -> JobStatus:
        """Where the job stands."""
        return self._watch.status

    @property
    def progress(self) -> Progress:
        """How many of its tasks and stages are done."""
        return Progress.from_proto(self._watch.update.progress)

    @property
    def waiting_reason(self) -> str:
        """Why the job waits, for example that there is no executor; empty if it does not."""
        return self._watch.update.waiting_reason

    @property
    def error(self) -> SpringaldError | None:
        """Why the job failed or was cancelled; None if it did not."""
        failure = self._watch.failure
        if failure is None:
            return None
        # A copy each time: raising adds a traceback, and several threads may raise it.
        return self._pointed(copy.copy(failure))

    def on_progress(self, callback: Callable[[Progress], None]) -> None:
        """Has a callable told the progress now and whenever there is news.

        It is called by the thread that follows the job, so it should be quick; what it raises is
        logged and changes nothing.
        """
        self._watch.listen(lambda update: callback(Progress.from_proto(update.progress)))

    def wait(self, timeout_s: float | None = None) -> JobStatus:
        """Waits for the end of the job, and raises nothing if the end is a bad one.

        Args:
            timeout_s: How long to wait, in seconds; None means to the end.

        Returns:
            The status at the end, or where the job stands when the time is over.
        """
        with self._given_up_if_interrupted():
            self._watch.wait_over(timeout_s)
        return self.status

    def result(self) -> pa.Table:
        """Waits for the job and returns all its rows; asking again returns the same table.

        Raises:
            SpringaldError: The job failed or was cancelled, or its rows cannot be fetched.
        """
        if self._table is None:
            with self._given_up_if_interrupted():
                self._table = self._read_whole()
        return self._table

    def result_batches(self) -> pa.RecordBatchReader:
        """Waits for the job and returns a reader that fetches its rows bit by bit, once.

        Raises:
            SpringaldError: The job failed or was cancelled, or its rows are gone.
        """
        if self._table is not None:
            return self._table.to_reader()
        result = self._wait_result()
        if result.WhichOneof("rows") != "remote":
            return _inline_rows(result.inline.arrow_stream)
        if not self._release.alive:
            raise JobNotFoundError(
                f"a result is read once, unless as a table: got a second reading of {self.id}; "
                "execute the query again"
            )
        if not result.remote.parts:
            raise InternalError(f"a result has at least one part: got none of {self.id}")
        with self._given_up_if_interrupted():
            reader = self._open(result.remote.parts)
            return pa.RecordBatchReader.from_batches(reader.schema, self._rows(reader))

    def statistics(self) -> JobStatistics:
        """Asks the scheduler what the job did: tasks, rows, bytes and time, by stage and task."""
        return JobStatistics.from_proto(self._describe())

    def graph(self) -> physical_pb2.StageGraph:
        """Asks the scheduler for the job's stages as they were planned."""
        return self._describe(without_tasks=True).graph

    def profile(self) -> JobProfile:
        """Asks the scheduler how the job ran: its stages and operators, with what was measured.

        A job that failed or was cancelled tells what is known. Rows, time and spill are always
        measured; what was expected and what was pruned only if the query was profiled, by `EXPLAIN
        ANALYZE` or after `SET springald.profile = true`.
        """
        return JobProfile.from_proto(self._describe(without_tasks=True))

    def explain(self) -> None:
        """Prints the job's profile: its stages and operators, with what was measured."""
        print(self.profile())  # noqa: T201 - what it is for

    def cancel(self, reason: str = "") -> None:
        """Stops the job; one that has ended is left as it is.

        Args:
            reason: Why, for whoever else follows the job.
        """
        self._session.transport.cancel_job(
            pb.CancelJobRequest(
                session_id=self._session.id, operation_id=self.operation_id, reason=reason
            )
        )

    def release(self) -> None:
        """Gives up the result; a job that runs is stopped. Releasing again does nothing."""
        self._release()

    def __repr__(self) -> str:
        done = f"{self.progress.tasks_finished}/{self.progress.tasks_total} tasks"
        return f"Job({self.id or self.operation_id}, {self.status.value}, {done})"

    def _wait_accepted(self) -> None:
        """Waits until the scheduler has made a job of the statement, or has refused it."""
        if not self._watch.wait_first(CALL_MS_MAX / 1000):
            broken = self._watch.broken
            self._release()
            if broken is not None:  # Nobody is there; nobody is slow.
                raise broken
            raise DeadlineExceededError(
                f"a scheduler must accept a statement within {CALL_MS_MAX} ms: got no news from "
                f"{self._session.transport.address}; its process may be stopped or overloaded: "
                "look at it and at its log, then try again"
            )
        if not self.id and self.error is not None:
            raise self.error

    def _wait_result(self) -> pb.JobResult:
        status = self.wait()
        if self.error is not None:
            raise self.error
        if status is not JobStatus.SUCCEEDED:
            raise InternalError(f"a failed job says why: got {status.value} without an error")
        return self._watch.update.result

    def _read_whole(self) -> pa.Table:
        """Reads all rows; a result that is another one, since it was lost, is read once more."""
        result = self._wait_result()
        is_remote = result.WhichOneof("rows") == "remote" and bool(result.remote.parts)
        if not (is_remote and self._release.alive):
            with self.result_batches() as batches:
                return batches.read_all()
        parts: Parts = result.remote.parts
        try:
            for _ in range(RESTORES_MAX):
                reader = self._open(parts)
                try:
                    return pa.Table.from_batches(list(reader), reader.schema)
                except ResultChangedError as changed:
                    parts = changed.parts
                finally:
                    reader.close()
            raise ResultChangedError(parts)
        finally:
            self._release()

    def _open(self, parts: Parts) -> PartReader:
        session, operation_id = self._session, self.operation_id
        restore = partial(restored_parts, session.transport, session.id, operation_id)
        return PartReader(session.transport, parts, restore)

    def _rows(self, reader: PartReader) -> Iterator[pa.RecordBatch]:
        """Streams rows; being a method, it keeps the job, and with it the result, alive."""
        try:
            yield from reader
        finally:
            reader.close()
            self._release()

    @contextmanager
    def _given_up_if_interrupted(self) -> Iterator[None]:
        """Does what Ctrl-C means: nobody waits, so nobody needs the answer."""
        try:
            yield
        except KeyboardInterrupt:
            with suppress(SpringaldError):
                self.cancel("interrupted at the keyboard")
            self._release()
            raise

    def _describe(self, *, without_tasks: bool = False) -> pb.DescribeJobResponse:
        return self._session.transport.describe_job(
            pb.DescribeJobRequest(
                session_id=self._session.id,
                operation_id=self.operation_id,
                without_tasks=without_tasks,
            )
        )


def _give_up(session: Session, watch: JobWatch) -> None:
    """Has a job released, at once if it runs or has files; may be called in a finalizer."""
    if watch.holds_little and session.takes_releases:
        session.releases.add(watch.operation_id)
    else:
        session.later(partial(_release, session.transport, session.id, watch))


def _release(transport: Transport, session_id: str, watch: JobWatch) -> None:
    watch.stop()
    transport.release_job(
        pb.ReleaseJobRequest(session_id=session_id, operation_id=watch.operation_id)
    )


def _inline_rows(arrow_stream: bytes) -> pa.RecordBatchReader:
    if not arrow_stream:
        # A statement without rows.
        return pa.schema([]).empty_table().to_reader()
    return pa.ipc.open_stream(arrow_stream)
