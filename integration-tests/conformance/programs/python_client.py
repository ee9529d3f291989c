"""The Python client under test: does what it is asked with nothing but the public package."""

import sys
import traceback
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from itertools import chain
from typing import Final

import pyarrow as pa

import springald
from conformance.messages import read_messages, write_message
from conformance.programs.totals import totals_of
from conformance.rows import ipc_from_table, rows_from_table, table_from_ipc
from springald.codec.errors import error_to_proto
from springald.conformance.v1 import client_pb2 as pb
from springald.conformance.v1 import vector_pb2 as vectors
from springald.physical.v1 import physical_pb2 as physical
from springald.plan.v1 import plan_pb2
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
    vectors.FEATURE_SMALL_DECIMALS,
]


@dataclass(frozen=True)
class Held:
    """A job that has succeeded, and what was taken of its rows."""

    job: springald.Job
    reader: pa.RecordBatchReader | None
    first: pa.RecordBatch | None


class PythonClient:
    """The sessions of one cluster, by the runner's names, and a method for each call."""

    def __init__(self) -> None:
        self._url: str | None = None
        self._sessions: dict[str, springald.Connection] = {}
        self._held: dict[str, Held] = {}

    def hello(self, _: pb.Hello) -> pb.Answer:
        """Tells who this is."""
        name = f"springald-python {springald.__version__}"
        return pb.Answer(hello=pb.ClientHello(name=name, features=FEATURES))

    def connect(self, call: pb.Connect) -> pb.Answer:
        """Takes another cluster."""
        self.close_all()
        self._url = call.url or None
        return _DONE

    def open(self, call: pb.OpenCall) -> pb.Answer:
        """Opens a session."""
        settings = {option.name: option.value for option in call.settings.settings}
        self._sessions[call.session] = springald.connect(self._url, **settings)
        return _DONE

    def close(self, call: pb.CloseCall) -> pb.Answer:
        """Closes a session; it stays here, so that later calls meet a closed one."""
        if call.session in self._sessions:
            self._sessions[call.session].close()
        return _DONE

    def execute(self, call: pb.ExecuteCall) -> pb.Answer:
        """Runs a statement and takes its rows."""
        execute = call.execute
        job = self._run(call.session, execute.statement)
        if execute.cancel == vectors.CANCEL_MOMENT_AT_ONCE:
            job.cancel("a vector wants it")
        reader = job.result_batches()
        batches: Iterable[pa.RecordBatch] = reader
        if execute.cancel == vectors.CANCEL_MOMENT_FIRST_BATCH:
            first = next(batch for batch in reader if batch.num_rows)
            job.cancel("a vector wants it")
            batches = chain([first], reader)
        return _rows_answer(batches, reader.schema, execute.access)

    def start(self, call: pb.StartCall) -> pb.Answer:
        """Runs a statement until it has succeeded."""
        job = self._run(call.session, call.statement)
        job.wait()
        reader = job.result_batches() if call.takes_first_batch else None
        first = next(batch for batch in reader if batch.num_rows) if reader else None
        self._held[call.session] = Held(job, reader, first)
        return _DONE

    def fetch(self, call: pb.FetchCall) -> pb.Answer:
        """Takes the rows of what was started."""
        held = self._held.pop(call.session)
        if held.reader is None:
            table = held.job.result()
            return _rows_answer(table.to_batches(), table.schema, call.access)
        batches = chain([held.first], held.reader)
        return _rows_answer(batches, held.reader.schema, call.access)

    def describe(self, call: pb.DescribeCall) -> pb.Answer:
        """Tells columns."""
        session, statement = self._sessions[call.session], call.statement
        if _is_text(statement):
            return pb.Answer(columns=schema_to_proto(session.sql(statement.sql.text).schema))
        return pb.Answer(columns=schema_to_proto(session.describe_plan(_plan_of(statement))))

    def upload(self, call: pb.UploadCall) -> pb.Answer:
        """Makes rows a table."""
        self._sessions[call.session].register(call.name, table_from_ipc(call.rows))
        return _DONE

    def register_files(self, call: pb.RegisterFilesCall) -> pb.Answer:
        """Makes files a table."""
        session = self._sessions[call.session]
        files = call.register_files.files
        registers: dict[physical.FileFormat.ValueType, Callable[..., None]] = {
            physical.FILE_FORMAT_PARQUET: session.register_parquet,
            physical.FILE_FORMAT_CSV: session.register_csv,
            physical.FILE_FORMAT_JSON: session.register_json,
            physical.FILE_FORMAT_ARROW: session.register_arrow,
        }
        options = {option.name: option.value for option in files.options}
        registers[files.format](call.register_files.name, files.path, **options)
        return _DONE

    def list_tables(self, call: pb.ListTablesCall) -> pb.Answer:
        """Tells names of tables."""
        return pb.Answer(names=vectors.Names(names=self._sessions[call.session].tables()))

    def close_all(self) -> None:
        """Closes all sessions."""
        self._held.clear()
        for session in self._sessions.values():
            session.close()
        self._sessions.clear()

    def _run(self, session: str, statement: vectors.Statement) -> springald.Job:
        """Starts a statement: text as users write it, and the others as messages."""
        if _is_text(statement):
            return self._sessions[session].sql(statement.sql.text).execute()
        return self._sessions[session].execute_plan(_plan_of(statement))


def _rows_answer(
    batches: Iterable[pa.RecordBatch], schema: pa.Schema, access: vectors.Access.ValueType
) -> pb.Answer:
    if access == vectors.ACCESS_TOTALS:
        return pb.Answer(totals=totals_of(batches))
    table = pa.Table.from_batches(batches, schema=schema)
    if access == vectors.ACCESS_ROWS:
        return pb.Answer(typed_rows=rows_from_table(table))
    return pb.Answer(rows=ipc_from_table(table))


def _is_text(statement: vectors.Statement) -> bool:
    """True for SQL text without parameters."""
    sql = statement.sql
    has_parameters = sql.positional_parameters or sql.named_parameters
    return statement.HasField("sql") and not has_parameters


def _plan_of(statement: vectors.Statement) -> plan_pb2.Plan | bytes:
    version = plan_pb2.PlanVersion(major=1, minor=1, producer="conformance-python")
    match statement.WhichOneof("kind"):
        case "plan":
            return statement.plan
        case "plan_bytes":
            return statement.plan_bytes
        case "substrait":
            foreign = plan_pb2.SubstraitPlan(plan=statement.substrait)
            return plan_pb2.Plan(version=version, substrait=foreign)
        case _:
            return plan_pb2.Plan(version=version, sql=statement.sql)


_DONE: Final = pb.Answer(done=pb.Done())


def answer(client: PythonClient, call: pb.Call) -> pb.Answer:
    """Answers one call, whatever happens."""
    name = call.WhichOneof("call") or ""
    handle: Callable[[object], pb.Answer] = getattr(client, name)
    try:
        return handle(getattr(call, name))
    except springald.SpringaldError as error:
        return pb.Answer(error=error_to_proto(error))
    except (Exception, pa.ArrowException):  # noqa: BLE001 - the runner is told all of it
        return pb.Answer(broken=traceback.format_exc())


def main() -> None:
    """Answers calls until there are no more."""
    client = PythonClient()
    for call in read_messages(sys.stdin.buffer, pb.Call):
        write_message(sys.stdout.buffer, answer(client, call))
    client.close_all()


if __name__ == "__main__":
    main()
