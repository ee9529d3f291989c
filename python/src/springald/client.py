"""Connections: where a session's tables are made and its queries begin."""

from collections.abc import Mapping, Sequence
from types import MappingProxyType, TracebackType
from typing import Final, Self

import pyarrow as pa

from springald.checks import check_is_text, check_text
from springald.client_limits import ELECTION_MS_MAX, JOBS_LISTED_MAX
from springald.dataframe import DataFrame
from springald.dataframe.sources import OWN_TABLE_PREFIX, named_table
from springald.dataframe.statement import Parameters, Statement
from springald.errors import InvalidArgumentError, UnknownTableError, UnsupportedError
from springald.given_plans import plan_from_bytes, statement_of
from springald.grpc_transport import GrpcTransport
from springald.job import Job
from springald.job_profile import JobProfile
from springald.limits import LOCAL_MEMORY_BYTES_MIN
from springald.listings import ExecutorInfo, JobInfo, TableInfo
from springald.paths import option_text
from springald.plan.v1 import names_pb2, plan_pb2
from springald.registering import Registering
from springald.scheduler.v1 import scheduler_pb2 as pb
from springald.session import Session
from springald.sql_text import is_query, name_parts, quote_name, written_name
from springald.transport import Transport
from springald.types import schema_from_proto
from springald.uploads import Tabular, upload
from springald.urls import addresses_of, finder_of

__all__ = ["Connection", "connect", "opened_session"]

LOCAL_MEMORY: Final = "springald.local_memory"
"""The only setting that is the client's own: local mode is made with it."""

FileOption = str | int | float | bool


def connect(url: str | None = None, **settings: object) -> "Connection":
    """Opens a session: on a cluster, or without a URL inside this process.

    Example:
        >>> import springald
        >>> with springald.connect() as con:  # doctest: +SKIP
        ...     con.sql("SELECT 1 AS one").to_pydict()
        {'one': [1]}

    Args:
        url: `springald://host:port` of a scheduler, or of several that share their state:
            `springald://host:port,host:port`; or the etcd in which they keep their state, as
            `springald+etcd://host:port,host:port/prefix`, where the one that leads is found; None
            means local mode, which needs the extra `springald[local]`.
        **settings: Settings to begin with, as by `SET`. Their names have dots, so they are given
            as `**{"springald.distribution": "always"}`. In local mode `springald.local_memory` is
            how many bytes it deals out to tasks, at least 1 MiB, from its start to its end; without
            it half of the machine's.

    Raises:
        SchedulerUnavailableError: Nothing answers at the URL within a few seconds.
        InvalidArgumentError: The URL is not one of a scheduler, or the memory is not one.
        UnsupportedError: Local mode is not installed.
    """
    return Connection(opened_session(url, settings))


def opened_session(url: str | None, settings: Mapping[str, object]) -> Session:
    """Opens a session, as `connect()` describes it."""
    texts = {name: check_text(option_text(value), name) for name, value in settings.items()}
    memory = _local_memory(url, texts.pop(LOCAL_MEMORY, None))
    transport = _local_transport(memory) if url is None else _grpc_transport(url)
    try:
        return Session(transport, texts)
    except BaseException:
        transport.close()
        raise


class Connection(Registering):
    """A session with a scheduler; made by `springald.connect()` and `LocalCluster.connect()`.

    It may be used from several threads at once. Closing it, which `with` does, releases everything
    that it made on the cluster: tables, uploads, jobs and results.
    """

    def __init__(self, session: Session) -> None:
        """Wraps an open session. Users call `springald.connect()`."""
        self._session = session

    @property
    def session_id(self) -> str:
        """The session's id on the scheduler."""
        return self._session.id

    @property
    def url(self) -> str:
        """Where the scheduler is: `springald://host:port`, or `local`."""
        address = self._session.transport.address
        return f"springald://{address}" if ":" in address else address

    @property
    def scheduler_version(self) -> str:
        """The version of Springald that the scheduler runs."""
        return self._session.scheduler_version

    def sql(
        self, query: str, param_values: Mapping[str, object] | Sequence[object] | None = None
    ) -> DataFrame:
        """Takes a statement.

        A query (`SELECT`, `WITH`, `VALUES`, `FROM`, `SHOW`, `DESCRIBE`, `EXPLAIN`) is lazy: it runs
        when rows are asked for. Any other statement (`CREATE`, `DROP`, `SET`, ...) takes effect
        before this returns.

        Args:
            query: The statement.
            param_values: Values for the parameters: by name for `$name`, in order for `$1`, `$2`
                and so on.

        Raises:
            SpringaldError: The statement is no query and failed. What is wrong with a query is
                raised where its rows or schema are asked for.
        """
        self._session.check_open()
        check_is_text(query, "a statement")
        statement = Statement(query, None, Parameters.of(param_values))
        if is_query(query):
            return DataFrame(self._session, statement)
        done = Job(self._session, query, statement.to_plan())
        done.result()
        return DataFrame(self._session, statement, done)

    def execute_plan(self, plan: plan_pb2.Plan | bytes) -> Job:
        """Starts a statement that was written as a message of `springald.plan.v1`.

        What a program of another language, a file or another library made of the protocol runs as
        it is: SQL text with parameters, a logical plan, or a plan of Substrait.

        Args:
            plan: The message, or its bytes.

        Example:
            >>> from springald.plan.v1.plan_pb2 import Plan, PlanVersion, SqlText
            >>> version = PlanVersion(major=1)
            >>> plan = Plan(version=version, sql=SqlText(text="SELECT 1 AS a"))
            >>> con.execute_plan(plan).result().to_pydict()
            {'a': [1]}

        Raises:
            MessageGarbledError: The bytes are no plan.
            SpringaldError: The scheduler refused the plan, or cannot be reached.
        """
        message = plan_from_bytes(plan) if isinstance(plan, bytes) else plan
        return Job(self._session, statement_of(message), message)

    def describe_plan(self, plan: plan_pb2.Plan | bytes) -> pa.Schema:
        """Tells the columns of a query that was written as a message, without running it.

        Args:
            plan: The message, or its bytes.

        Raises:
            MessageGarbledError: The bytes are no plan.
            SpringaldError: The plan is wrong, or the scheduler cannot be reached.
        """
        self._session.check_open()
        message = plan_from_bytes(plan) if isinstance(plan, bytes) else plan
        request = pb.DescribeQueryRequest(session_id=self._session.id, plan=message)
        return schema_from_proto(self._session.transport.describe_query(request).schema)

    def table(self, name: str) -> DataFrame:
        """Returns a DataFrame of all rows of a table or view.

        Args:
            name: The name as `tables()` tells it, or in SQL's own notation: `"My Table"` in quotes,
                `schema.table`.

        Raises:
            UnknownTableError: The session has no such table.
        """
        known = name in self.tables()
        source = quote_name(name) if known else written_name(name)
        root = named_table(names_pb2.TableName(table=name) if known else _table_name(name))
        text = f"SELECT * FROM {source}"  # noqa: S608 - a quoted name
        frame = DataFrame(self._session, Statement(text, root))
        if not known:
            # Planning decides, by the rules of SQL, whether the name means a table.
            frame.schema  # noqa: B018
        return frame

    def tables(self) -> Mapping[str, TableInfo]:
        """Returns the session's tables and views, by name, in the order of their names."""
        self._session.check_open()
        listed = self._session.transport.list_tables(
            pb.ListTablesRequest(session_id=self._session.id)
        )
        tables = map(TableInfo.from_proto, listed.tables)
        return MappingProxyType(
            {table.name: table for table in tables if not table.name.startswith(OWN_TABLE_PREFIX)}
        )

    def register(self, name: str, rows: Tabular) -> None:
        """Makes rows in memory a table; they are sent to the cluster once, now.

        Args:
            name: The table's name, exactly as it is to be called; one of that name is replaced.
            rows: A pyarrow Table, RecordBatch or RecordBatchReader, a list of RecordBatches, a
                dictionary of lists, a pandas or polars DataFrame, or any object that offers the
                Arrow C stream interface.
        """
        self._session.check_open()
        upload(self._session, check_text(name, "a table's name"), rows)

    def deregister_table(self, name: str) -> None:
        """Takes a table or view out of the session; what it was made of stays.

        Raises:
            UnknownTableError: The session has no such table.
        """
        table = self.tables().get(name)
        if table is None:
            raise UnknownTableError(
                f"a table must be registered: got {name!r}; tables() lists those that are"
            )
        kind = "VIEW" if table.kind == "view" else "TABLE"
        self.sql(f"DROP {kind} {quote_name(name)}")
        self._session.held.pop(name, None)

    def jobs(self, *, all_sessions: bool = False, jobs_max: int = 100) -> list[JobInfo]:
        """Lists jobs that the scheduler remembers, newest first.

        Args:
            all_sessions: List everybody's jobs and not only this session's.
            jobs_max: At most this many, 1 to 1000.

        Raises:
            InvalidArgumentError: The number is another one.
        """
        self._session.check_open()
        if not 1 <= jobs_max <= JOBS_LISTED_MAX:
            raise InvalidArgumentError(f"jobs_max is 1 to {JOBS_LISTED_MAX}: got {jobs_max}")
        session_id = "" if all_sessions else self._session.id
        listed = self._session.transport.list_jobs(
            pb.ListJobsRequest(session_id=session_id, jobs_max=jobs_max)
        )
        return [JobInfo.from_proto(job) for job in listed.jobs]

    def cancel_job(self, job_id: str, reason: str = "") -> None:
        """Stops a job of any session; one that has ended is left as it is.

        Args:
            job_id: The job's id, as `jobs()` tells it.
            reason: Why, for whoever waits for the job.

        Raises:
            JobNotFoundError: The scheduler does not know the job.
        """
        self._session.check_open()
        self._session.transport.cancel_job(pb.CancelJobRequest(operation_id=job_id, reason=reason))

    def profile(self, job_id: str) -> JobProfile:
        """Tells how a job of any session runs or ran, as far as the scheduler remembers it.

        Args:
            job_id: The job's id, as `jobs()` tells it.

        Raises:
            JobNotFoundError: The scheduler does not know the job.
        """
        self._session.check_open()
        described = self._session.transport.describe_job(
            pb.DescribeJobRequest(operation_id=job_id, without_tasks=True)
        )
        return JobProfile.from_proto(described)

    def executors(self) -> list[ExecutorInfo]:
        """Lists the cluster's executors, in the order in which they came."""
        self._session.check_open()
        listed = self._session.transport.list_executors(pb.ListExecutorsRequest())
        return [ExecutorInfo.from_proto(executor) for executor in listed.executors]

    def close(self) -> None:
        """Ends the session and all it holds; closing again does nothing."""
        self._session.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        state = "" if self._session.is_open else ", closed"
        return f"Connection({self.url!r}{state})"


def _local_memory(url: str | None, given: str | None) -> int | None:
    """Returns the bytes that local mode is to deal out, or nothing if nobody says how many."""
    if given is None:
        return None
    if url is not None:
        raise InvalidArgumentError(
            f"{LOCAL_MEMORY} is local mode's: got {given} for {url}; give it to the executors"
        )
    memory = int(given) if given.isascii() and given.isdigit() else 0
    if memory < LOCAL_MEMORY_BYTES_MIN:
        raise InvalidArgumentError(
            f"{LOCAL_MEMORY} is at least {LOCAL_MEMORY_BYTES_MIN} bytes: got {given!r}"
        )
    return memory


def _grpc_transport(url: str) -> Transport:
    find = finder_of(url)
    return GrpcTransport(find.wait(ELECTION_MS_MAX) if find else addresses_of(url), find)


def _local_transport(memory: int | None) -> Transport:
    try:
        from springald.local import LocalTransport  # noqa: PLC0415 - brings the engine with it
    except ImportError as error:
        raise UnsupportedError(
            f"local mode needs the scheduler and the executor: got {error}; "
            "pip install 'springald[local]', or give the url of a cluster"
        ) from error
    return LocalTransport(memory)


def _table_name(written: str) -> names_pb2.TableName:
    """Returns what a name in SQL's notation means: letters that are not quoted are small."""
    parts = name_parts(written, folds=True) or [written]
    fields = ("table", "schema", "catalog")
    return names_pb2.TableName(**dict(zip(fields, reversed(parts), strict=False)))
