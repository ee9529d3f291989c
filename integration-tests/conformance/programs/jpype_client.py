"""The Java bindings inside a Python process, as a client under test.

Every call goes through the public classes of `dev.springald`; rows cross the border in both
directions without a copy.
"""

import gc
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import chain
from typing import Final, cast

import jpype
import pyarrow as pa

from conformance.messages import read_messages, write_message
from conformance.programs.java_rows import (
    JavaObject,
    bytes_for_java,
    java,
    map_for_java,
    rows_for_java,
    rows_of,
    schema_of,
    start_machine,
)
from conformance.programs.totals import totals_of
from conformance.rows import ipc_from_table, table_from_ipc
from springald.conformance.v1 import client_pb2 as pb
from springald.conformance.v1 import vector_pb2 as vectors
from springald.error.v1 import error_pb2
from springald.physical.v1 import physical_pb2 as physical
from springald.plan.v1 import plan_pb2
from springald.type.v1 import type_pb2
from springald.types import schema_to_proto

FEATURES: Final = [
    vectors.FEATURE_SQL,
    vectors.FEATURE_SQL_PARAMETERS,
    vectors.FEATURE_PLAN,
    vectors.FEATURE_SUBSTRAIT,
    vectors.FEATURE_SETTINGS,
    vectors.FEATURE_UPLOAD,
    vectors.FEATURE_REGISTER_FILES,
    vectors.FEATURE_DESCRIBE,
    vectors.FEATURE_CANCEL,
    vectors.FEATURE_LIST_TABLES,
    vectors.FEATURE_TYPED_ROWS,
    vectors.FEATURE_TLS,
]
_REASON: Final = "a vector wants it"
_VERSION: Final = plan_pb2.PlanVersion(major=1, minor=1, producer="conformance-jpype")


class Held:
    """A job that has succeeded, and what was taken of its rows."""

    def __init__(self, job: JavaObject) -> None:
        self._open = ExitStack()
        self._open.enter_context(job)
        self._job = job
        self._reader: pa.RecordBatchReader | None = None
        self._first: list[pa.RecordBatch] = []

    def take_first(self, session: JavaObject) -> None:
        """Takes the first batch that has rows."""
        self._reader = self._open.enter_context(rows_of(session, self._job.result()))
        self._first = [next(batch for batch in self._reader if batch.num_rows)]

    @contextmanager
    def rest(self, session: JavaObject) -> Iterator[tuple[Iterable[pa.RecordBatch], pa.Schema]]:
        """Lends all rows, from the first one on, and gives the job up afterwards."""
        with self._open as opened:
            reader = self._reader or opened.enter_context(rows_of(session, self._job.result()))
            self._reader = None
            first, self._first = self._first, []
            yield chain(first, reader), reader.schema

    def give_up(self) -> None:
        """Takes no more."""
        self._first = []
        self._open.close()


class JPypeClient:
    """The sessions of one cluster, by the runner's names, and a method for each call."""

    def __init__(self) -> None:
        self._url = ""
        self._tls: JavaObject = None
        self._sessions: dict[str, JavaObject] = {}
        self._held: dict[str, Held] = {}

    def hello(self, _: pb.Hello) -> pb.Answer:
        """Tells who this is."""
        name = f"springald-java {java('dev.springald.Springald').version()} in Python"
        return pb.Answer(hello=pb.ClientHello(name=name, features=FEATURES, plan_version=_VERSION))

    def connect(self, call: pb.Connect) -> pb.Answer:
        """Takes another cluster."""
        self.close_all()
        self._url = call.url
        self._tls = _tls_options(call.tls) if call.HasField("tls") else None
        return _DONE

    def open(self, call: pb.OpenCall) -> pb.Answer:
        """Opens a session."""
        # A JVM that has just begun may take long to say hello on a machine that does much else.
        patience = java("java.time.Duration").ofMinutes(1)
        options = java("dev.springald.ConnectOptions").builder().connectTimeout(patience)
        if self._tls is not None:
            options.tls(self._tls)
        for option in call.settings.settings:
            options.setting(option.name, option.value)
        session = java("dev.springald.Springald").connect(self._url, options.build())
        self._sessions[call.session] = session
        return _DONE

    def close(self, call: pb.CloseCall) -> pb.Answer:
        """Closes a session, which breaks where rows of it are still held somewhere.

        It stays here, so that later calls meet a closed one.
        """
        if call.session in self._sessions:
            self._sessions[call.session].close()
        return _DONE

    def execute(self, call: pb.ExecuteCall) -> pb.Answer:
        """Runs a statement and takes its rows."""
        execute = call.execute
        with self._query(call.session, execute.statement).execute() as job:
            if execute.cancel == vectors.CANCEL_MOMENT_AT_ONCE:
                job.cancel(_REASON)
            if execute.access == vectors.ACCESS_ROWS:
                with job.result() as result:
                    rows = bytes(java("dev.springald.TypedRows").of(result))
                return pb.Answer(typed_rows=vectors.Rows.FromString(rows))
            with rows_of(self._sessions[call.session], job.result()) as reader:
                batches: Iterable[pa.RecordBatch] = reader
                if execute.cancel == vectors.CANCEL_MOMENT_FIRST_BATCH:
                    first = next(batch for batch in reader if batch.num_rows)
                    job.cancel(_REASON)
                    batches = chain([first], reader)
                if execute.access == vectors.ACCESS_TOTALS:
                    return pb.Answer(totals=totals_of(batches))
                return pb.Answer(
                    rows=ipc_from_table(pa.Table.from_batches(batches, schema=reader.schema))
                )

    def start(self, call: pb.StartCall) -> pb.Answer:
        """Runs a statement until it has succeeded."""
        job = self._query(call.session, call.statement).execute()
        job.await_()
        held = self._held[call.session] = Held(job)
        if call.takes_first_batch:
            held.take_first(self._sessions[call.session])
        return _DONE

    def fetch(self, call: pb.FetchCall) -> pb.Answer:
        """Takes the rows of what was started."""
        held = self._held.pop(call.session)
        with held.rest(self._sessions[call.session]) as (batches, schema):
            if call.access == vectors.ACCESS_TOTALS:
                return pb.Answer(totals=totals_of(batches))
            return pb.Answer(rows=ipc_from_table(pa.Table.from_batches(batches, schema=schema)))

    def describe(self, call: pb.DescribeCall) -> pb.Answer:
        """Tells columns."""
        columns = schema_of(self._query(call.session, call.statement).schema())
        return pb.Answer(columns=schema_to_proto(columns))

    def upload(self, call: pb.UploadCall) -> pb.Answer:
        """Makes rows a table."""
        with rows_for_java(table_from_ipc(call.rows)) as rows:
            self._sessions[call.session].upload(call.name, rows)
        return _DONE

    def register_files(self, call: pb.RegisterFilesCall) -> pb.Answer:
        """Makes files a table."""
        session = self._sessions[call.session]
        name, files = call.register_files.name, call.register_files.files
        options = map_for_java([(option.name, option.value) for option in files.options])
        match files.format:
            case physical.FILE_FORMAT_PARQUET:
                session.registerParquet(name, files.path)
            case physical.FILE_FORMAT_CSV:
                session.registerCsv(name, files.path, options)
            case physical.FILE_FORMAT_JSON:
                session.registerJson(name, files.path, options)
            case _:
                session.registerArrow(name, files.path)
        return _DONE

    def list_tables(self, call: pb.ListTablesCall) -> pb.Answer:
        """Tells names of tables."""
        tables = self._sessions[call.session].tables()
        return pb.Answer(names=vectors.Names(names=[str(table.name()) for table in tables]))

    def close_all(self) -> None:
        """Closes all sessions."""
        for held in self._held.values():
            held.give_up()
        self._held.clear()
        # A failure and the frames that it went through hold each other, and the rows there.
        gc.collect()
        for session in self._sessions.values():
            session.close()
        self._sessions.clear()

    def _query(self, session: str, statement: vectors.Statement) -> JavaObject:
        """Makes a query: text as users write it, and the others as the bytes of a plan."""
        opened = self._sessions[session]
        sql = statement.sql
        if not statement.HasField("sql"):
            return opened.plan(bytes_for_java(_plan_of(statement)))
        if sql.positional_parameters and sql.named_parameters:
            # Nobody can write this with the bindings; the cluster refuses it.
            plan = plan_pb2.Plan(version=_VERSION, sql=sql)
            return opened.plan(bytes_for_java(plan.SerializeToString()))
        query = opened.sql(sql.text)
        if sql.positional_parameters:
            return query.bind([_literal(scalar) for scalar in sql.positional_parameters])
        if sql.named_parameters:
            named = [(each.name, _literal(each.value)) for each in sql.named_parameters]
            return query.bind(map_for_java(named))
        return query


def _tls_options(told: pb.Tls) -> JavaObject:
    tls, path = java("dev.springald.TlsOptions").system(), java("java.nio.file.Path").of
    if told.trusted_certificates:
        tls = tls.withTrustedCertificates(path(told.trusted_certificates))
    if told.client_certificate:
        tls = tls.withClientCertificate(path(told.client_certificate), path(told.client_key))
    if told.host_name:
        tls = tls.withHostName(told.host_name)
    return tls


def _plan_of(statement: vectors.Statement) -> bytes:
    match statement.WhichOneof("kind"):
        case "plan":
            return statement.plan.SerializeToString()
        case "plan_bytes":
            return statement.plan_bytes
        case _:
            foreign = plan_pb2.SubstraitPlan(plan=statement.substrait)
            return plan_pb2.Plan(version=_VERSION, substrait=foreign).SerializeToString()


def _literal(scalar: type_pb2.Scalar) -> JavaObject:
    content = bytes_for_java(scalar.SerializeToString())
    message = java("springald.type.v1.Type$Scalar").parseFrom(content)
    return java("dev.springald.Literal").ofProto(message)


def _error(error: JavaObject) -> error_pb2.Error:
    """Writes down what Java raised."""
    known = error.errorCode()
    number = known.get().number() if known.isPresent() else str(error.code()).removeprefix("CODE_")
    written = error_pb2.Error(
        code=cast("error_pb2.Code.ValueType", int(number)),
        fault=error_pb2.Fault.Value(f"FAULT_{error.fault()}"),
        retryable=bool(error.retryable()),
        message=str(error.description()),
        node_id=str(error.nodeId()),
        executor_id=str(error.executorId()),
        engine_message=str(error.engineMessage()),
    )
    if error.position().isPresent():
        at = error.position().get()
        written.position.line, written.position.column = int(at.line()), int(at.column())
    return written


_DONE: Final = pb.Answer(done=pb.Done())


def answer(client: JPypeClient, call: pb.Call) -> pb.Answer:
    """Answers one call, whatever happens."""
    name = call.WhichOneof("call") or ""
    handle: Callable[[object], pb.Answer] = getattr(client, name)
    try:
        return handle(getattr(call, name))
    except java("dev.springald.SpringaldException") as error:
        return pb.Answer(error=_error(error))
    except (Exception, pa.ArrowException):  # noqa: BLE001 - the runner is told all of it
        return pb.Answer(broken=traceback.format_exc())


def main() -> None:
    """Answers calls until there are no more."""
    start_machine()
    # Whatever Java prints must not get between the answers.
    system = java("java.lang.System")
    system.setOut(system.err)
    client = JPypeClient()
    for call in read_messages(sys.stdin.buffer, pb.Call):
        write_message(sys.stdout.buffer, answer(client, call))
    client.close_all()
    jpype.shutdownJVM()


if __name__ == "__main__":
    main()
