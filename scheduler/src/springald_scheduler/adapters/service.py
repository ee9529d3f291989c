"""What clients can ask a scheduler, apart from how they ask: over gRPC, or inside the process."""

import secrets
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from typing import Any, Generic, Self, TypeVar

from springald.errors import (
    InvalidArgumentError,
    SchedulerRestartedError,
    SessionNotFoundError,
    SpringaldError,
)
from springald.scheduler.v1 import scheduler_pb2 as pb
from springald.version import springald_version
from springald_scheduler.adapters.ports import Driver, JobWatch
from springald_scheduler.codec.answers import (
    details_to_proto,
    executors_to_proto,
    schema_answer,
    summary_to_proto,
    table_to_proto,
)
from springald_scheduler.codec.parameters import parameter_descriptions, with_all_parameters
from springald_scheduler.codec.profiles import update_for_client
from springald_scheduler.codec.requests import (
    PROTOCOL_VERSION,
    cancellation,
    check_name,
    check_protocol_version,
    file_format_from_proto,
    registered_upload,
    released_upload,
    releases,
    result_lost,
    session_closed,
    session_opened,
    session_seen,
    statement_from_proto,
    submission_from_proto,
    upload_for_planner,
    upload_requested,
    upload_schema_from_proto,
)
from springald_scheduler.limits import JOBS_LISTED_DEFAULT, JOBS_LISTED_MAX

_ResponseT = TypeVar("_ResponseT")


class SchedulerApi:
    """The calls of `springald.scheduler.v1.SchedulerService`, as `springald.transport` names them.

    Safe to call from many threads. What each call means stands in the proto; all of them raise
    nothing but SpringaldError.

    Args:
        driver: The scheduler.
    """

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        # Session ids begin with it, so that a scheduler without this one's records knows that.
        self._life = driver.name

    def open_session(self, request: pb.OpenSessionRequest) -> pb.OpenSessionResponse:
        """Opens a session."""
        check_protocol_version(request.protocol_version, "a client")
        session_id = f"{self._life}-{secrets.token_urlsafe(16)}"
        settings = {option.name: option.value for option in request.settings}
        self._driver.wait_serving()
        self._driver.planner.open_session(session_id, settings)
        catalog = self._driver.planner.catalog(session_id)
        self._driver.tell(session_opened(session_id, catalog))
        return pb.OpenSessionResponse(
            session_id=session_id,
            protocol_version=PROTOCOL_VERSION,
            scheduler_version=springald_version(),
            lease_ms=self._driver.session_lease_ms,
        )

    def close_session(self, request: pb.CloseSessionRequest) -> pb.CloseSessionResponse:
        """Ends a session."""
        self._driver.tell(session_closed(check_name(request.session_id, "session_id")))
        return pb.CloseSessionResponse()

    def keep_session(self, request: pb.KeepSessionRequest) -> pb.KeepSessionResponse:
        """Renews a session's lease."""
        self._see(request.session_id)
        return pb.KeepSessionResponse()

    def execute(self, request: pb.ExecuteRequest) -> "Updates[pb.ExecuteResponse]":
        """Runs a statement and follows the job."""
        session_id = check_name(request.session_id, "session_id")
        released = request.released_operation_ids
        before = releases(session_id, released) if released else []
        try:
            submission = submission_from_proto(request)
        except SpringaldError:
            if before:
                self._driver.tell(*before)
            raise
        with self._known(session_id):
            job_id = self._driver.submit(submission, before)
        watch = self._driver.watch(request.session_id, job_id)
        return Updates(watch, self._update, lambda update: pb.ExecuteResponse(update=update))

    def attach_job(self, request: pb.AttachJobRequest) -> "Updates[pb.AttachJobResponse]":
        """Follows a job that was started before."""
        self._see(request.session_id)
        name = check_name(request.operation_id, "operation_id")
        if request.lost_task_ids:
            self._driver.tell(result_lost(request))
        watch = self._driver.watch(request.session_id, name)
        return Updates(watch, self._update, lambda update: pb.AttachJobResponse(update=update))

    def describe_query(self, request: pb.DescribeQueryRequest) -> pb.DescribeQueryResponse:
        """Plans a query without running it."""
        statement = statement_from_proto(with_all_parameters(request.plan))
        self._see(request.session_id)
        answer = schema_answer(self._driver.planner.describe(request.session_id, statement))
        answer.parameters.extend(parameter_descriptions(request.plan))
        return answer

    def cancel_job(self, request: pb.CancelJobRequest) -> pb.CancelJobResponse:
        """Stops a job."""
        check_name(request.operation_id, "operation_id")
        if request.session_id:
            self._see(request.session_id)
        self._driver.tell(cancellation(request))
        return pb.CancelJobResponse()

    def release_job(self, request: pb.ReleaseJobRequest) -> pb.ReleaseJobResponse:
        """Gives up a job's result and files."""
        session_id = check_name(request.session_id, "session_id")
        names = [request.operation_id, *request.more_operation_ids]
        self._driver.tell(*releases(session_id, names))
        return pb.ReleaseJobResponse()

    def list_jobs(self, request: pb.ListJobsRequest) -> pb.ListJobsResponse:
        """Lists jobs, newest first."""
        jobs_max = request.jobs_max or JOBS_LISTED_DEFAULT
        if jobs_max > JOBS_LISTED_MAX:
            raise InvalidArgumentError(
                f"jobs_max must be at most {JOBS_LISTED_MAX}: got {jobs_max}; ask for fewer"
            )
        if request.session_id:
            self._see(request.session_id)
        jobs = self._driver.list_jobs(request.session_id, jobs_max)
        return pb.ListJobsResponse(jobs=[summary_to_proto(job) for job in jobs])

    def describe_job(self, request: pb.DescribeJobRequest) -> pb.DescribeJobResponse:
        """Tells all about one job."""
        name = check_name(request.operation_id, "operation_id")
        if request.session_id:
            self._see(request.session_id)
        details = self._driver.describe_job(
            request.session_id, name, with_tasks=not request.without_tasks
        )
        return details_to_proto(details)

    def list_executors(self, _: pb.ListExecutorsRequest) -> pb.ListExecutorsResponse:
        """Lists the executors."""
        return executors_to_proto(self._driver.list_executors())

    def list_tables(self, request: pb.ListTablesRequest) -> pb.ListTablesResponse:
        """Lists the session's tables and views."""
        self._see(request.session_id)
        tables = self._driver.planner.list_tables(request.session_id)
        return pb.ListTablesResponse(tables=[table_to_proto(table) for table in tables])

    def register_files(self, request: pb.RegisterFilesRequest) -> pb.RegisterFilesResponse:
        """Registers files as a table."""
        file_format = file_format_from_proto(request)
        self._see(request.session_id)
        table = self._driver.planner.register_files(
            request.session_id,
            check_name(request.name, "name"),
            file_format,
            check_name(request.files.path, "files.path"),
            [(option.name, option.value) for option in request.files.options],
        )
        self._driver.keep_catalog(request.session_id)
        self._release_uploads(request.session_id, table.released_upload_ids)
        return pb.RegisterFilesResponse(table=table_to_proto(table))

    def prepare_upload(self, request: pb.PrepareUploadRequest) -> pb.PrepareUploadResponse:
        """Chooses a place for an upload; waits for an executor if there is none."""
        self._see(request.session_id)
        upload_id = f"u{secrets.token_hex(8)}"
        return pb.PrepareUploadResponse(
            upload_id=upload_id,
            flight_address=self._driver.place_upload(upload_requested(request, upload_id)),
            ticket=self._driver.mint.store_ticket(upload_id),
        )

    def register_upload(self, request: pb.RegisterUploadRequest) -> pb.RegisterUploadResponse:
        """Makes rows that were sent a table."""
        self._see(request.session_id)
        name = check_name(request.name, "name")
        upload_id = check_name(request.upload_id, "upload_id")
        schema = upload_schema_from_proto(request)
        location = self._driver.wait_upload(request.session_id, upload_id)
        self._driver.tell(registered_upload(request, schema))
        try:
            table = self._driver.planner.register_upload(
                request.session_id, name, upload_for_planner(location, schema)
            )
        except SpringaldError:
            # A place that no table holds is given back.
            if not self._is_table(request.session_id, upload_id):
                self._release_uploads(request.session_id, [upload_id])
            raise
        self._driver.keep_catalog(request.session_id)
        self._release_uploads(request.session_id, table.released_upload_ids)
        return pb.RegisterUploadResponse(table=table_to_proto(table))

    def _update(self, job: Any) -> pb.JobUpdate:  # noqa: ANN401 - what a watch tells
        """Writes how a job stands."""
        describe = partial(self._driver.describe_job, "", with_tasks=False)
        return update_for_client(job, self._driver.mint, describe)

    def _is_table(self, session_id: str, upload_id: str) -> bool:
        """True if an upload became a table when the same was asked before."""
        catalog = self._driver.planner.catalog(session_id)
        return catalog is not None and any(each.upload_id == upload_id for each in catalog.entries)

    def _release_uploads(self, session_id: str, upload_ids: Iterable[str]) -> None:
        for upload_id in upload_ids:
            with suppress(SpringaldError):
                self._driver.tell(released_upload(session_id, upload_id))

    def _see(self, session_id: str) -> None:
        """Renews a session's lease.

        Raises:
            SessionNotFoundError: It is not open.
            SchedulerRestartedError: It was one of a former life of this scheduler.
        """
        check_name(session_id, "session_id")
        with self._known(session_id):
            self._driver.tell(session_seen(session_id))

    @contextmanager
    def _known(self, session_id: str) -> Iterator[None]:
        """Tells sessions of a former life from those that never were."""
        try:
            yield
        except SessionNotFoundError:
            life, dash, _ = session_id.partition("-")
            if dash and life != self._life:
                raise SchedulerRestartedError(
                    f"a session must be of this scheduler's life: got {session_id!r} of another; "
                    "open a new one"
                ) from None
            raise


class Updates(Generic[_ResponseT]):
    """A job's updates, up to its first terminal status; a `springald.transport.Stream`."""

    def __init__(
        self,
        watch: JobWatch,
        update: Callable[[Any], pb.JobUpdate],
        wrap: Callable[[pb.JobUpdate], _ResponseT],
    ) -> None:
        self._watch = watch
        self._update = update
        self._wrap = wrap

    def __iter__(self) -> Self:
        """Returns itself."""
        return self

    def __next__(self) -> _ResponseT:
        """Waits for the next one."""
        return self._wrap(self._update(next(self._watch)))

    def close(self) -> None:
        """Ends the stream, also for a thread that waits in it; the job goes on."""
        self._watch.close()
