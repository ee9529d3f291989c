"""Runs the steps of a vector through a client under test, and judges what comes of them."""

import tempfile
from pathlib import Path
from typing import Final

from conformance.outcomes import check_outcome
from conformance.process import OneProcess
from conformance.program import Program
from conformance.rows import ipc_from_table, table_from_rows
from conformance.vectors import Vector, in_places
from springald.conformance.v1 import client_pb2 as calls
from springald.conformance.v1 import vector_pb2 as pb
from springald.plan.v1 import plan_pb2

PLAN_MAJOR: Final = 1
PLAN_MINOR: Final = 1


class FailedStepError(AssertionError):
    """A step of a vector came out otherwise than the vector says."""


def run_vector(program: Program, vector: Vector) -> None:
    """Runs the steps of a vector, each session in sessions of its own.

    Raises:
        FailedStepError: A step came out otherwise.
        BrokenProgramError: The client under test broke.
    """
    with tempfile.TemporaryDirectory(prefix="springald-vector-") as scratch:
        _run(program, vector, Path(scratch))


def _run(program: Program, vector: Vector, scratch: Path) -> None:
    sessions = Sessions(program, vector.name, scratch)
    try:
        with OneProcess(scratch) as oracle:
            for number, step in enumerate(vector.message.steps, start=1):
                try:
                    answer = sessions.call(step)
                    oracle.follow(step)
                    check_outcome(step, answer, oracle)
                except AssertionError as error:
                    at = f"{vector.name}, step {number}, {vector.message.rule}"
                    raise FailedStepError(f"{at}\n{error}") from error
    finally:
        sessions.close()


class Sessions:
    """The sessions of one vector, opened when they are first named.

    Args:
        program: The client under test.
        vector: The vector's name.
        scratch: An empty folder, for what the vector writes.
    """

    def __init__(self, program: Program, vector: str, scratch: Path) -> None:
        self._program = program
        self._vector = vector
        self._scratch = scratch
        self._opened: dict[str, str] = {}

    def call(self, step: pb.Step) -> calls.Answer:
        """Does what a step says, and returns the client's answer."""
        what = step.WhichOneof("call")
        if what == "open_session":
            return self._open(step.session, step.open_session)
        if step.session not in self._opened:
            opened = self._open(step.session, pb.OpenSession())
            if opened.WhichOneof("outcome") != "done":
                return opened
        return self._program.ask(self._message(self._opened[step.session], step))

    def close(self) -> None:
        """Closes all sessions."""
        for session in self._opened.values():
            self._program.ask(calls.Call(close=calls.CloseCall(session=session)))

    def _open(self, session: str, settings: pb.OpenSession) -> calls.Answer:
        name = f"{self._vector}#{session}"
        opened = self._program.ask(calls.Call(open=calls.OpenCall(session=name, settings=settings)))
        if opened.WhichOneof("outcome") == "done":
            self._opened[session] = name
        return opened

    def _message(self, session: str, step: pb.Step) -> calls.Call:
        match step.WhichOneof("call"):
            case "close_session":
                return calls.Call(close=calls.CloseCall(session=session))
            case "execute":
                execute = pb.Execute()
                execute.CopyFrom(step.execute)
                complete(execute.statement, self._scratch)
                return calls.Call(execute=calls.ExecuteCall(session=session, execute=execute))
            case "describe":
                statement = pb.Statement()
                statement.CopyFrom(step.describe.statement)
                complete(statement, self._scratch)
                return calls.Call(describe=calls.DescribeCall(session=session, statement=statement))
            case "upload":
                rows = ipc_from_table(table_from_rows(step.upload.rows))
                return calls.Call(
                    upload=calls.UploadCall(session=session, name=step.upload.name, rows=rows)
                )
            case "register_files":
                register = pb.RegisterFiles()
                register.CopyFrom(step.register_files)
                register.files.path = in_places(register.files.path, self._scratch)
                return calls.Call(
                    register_files=calls.RegisterFilesCall(session=session, register_files=register)
                )
            case _:
                return calls.Call(list_tables=calls.ListTablesCall(session=session))


def complete(statement: pb.Statement, scratch: Path) -> None:
    """Fills in what vectors leave out: a plan's version, and where files are."""
    if statement.HasField("sql"):
        statement.sql.text = in_places(statement.sql.text, scratch)
    for relation in statement.plan.relations.relations:
        for kind in ("read_files", "create_external_table", "copy_to"):
            if relation.WhichOneof("kind") == kind:
                files = getattr(relation, kind).files
                files.path = in_places(files.path, scratch)
    if statement.HasField("plan") and not statement.plan.HasField("version"):
        statement.plan.version.CopyFrom(
            plan_pb2.PlanVersion(
                major=PLAN_MAJOR, minor=PLAN_MINOR, producer="springald-conformance"
            )
        )
