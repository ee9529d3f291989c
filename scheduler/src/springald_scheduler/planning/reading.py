"""A statement, in whatever form it came, becomes text and what is bound to it."""

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager

import pyarrow as pa

from springald.engine.catalog import AllowedPaths, CatalogEntry
from springald.errors import InvalidQueryError, SpringaldError
from springald_scheduler.limits import PLAN_KEPT_BYTES_MAX, PLANS_KEPT_MAX
from springald_scheduler.lowering.model import Lowered, PrivateTable
from springald_scheduler.lowering.statement import lower_statement
from springald_scheduler.lowering.text import string
from springald_scheduler.planning import statements
from springald_scheduler.planning.engine_errors import engine_errors
from springald_scheduler.planning.model import Bound
from springald_scheduler.planning.session import PlannerSession
from springald_scheduler.planning.table_files import check_files
from springald_scheduler.planning.words import StatementKind, statement_kind

Statement = str | bytes
"""SQL text, or a serialised `springald.plan.v1.Plan`."""


@contextmanager
def reading(session: PlannerSession, allowed: AllowedPaths, statement: Statement) -> Iterator[str]:
    """Gives a statement as text, with what it needs in the session as long as it is looked at.

    Raises:
        SpringaldError: The statement is refused; with the plan's node, where there is one.
    """
    if isinstance(statement, str):
        statements.check_text(statement)
        yield statement
        return
    with session.statement():
        digest = hashlib.sha256(statement).digest()
        lowered = session.lowered.get(digest)
        if lowered is None:
            lowered = lower_statement(statement, SessionCatalog(session, allowed))
            _keep(session, digest, lowered)
        if lowered.is_written:
            statements.check_text(lowered.sql)
        session.bind(
            Bound(
                parameters=lowered.parameters,
                settings=lowered.settings,
                names=lowered.names,
                substrait_plan=lowered.substrait_plan,
                digest=digest,
            )
        )
        try:
            yield lowered.sql
        except SpringaldError as error:
            if not lowered.is_written:
                error.position = None  # in a text that the caller has never seen
                error.node_id = error.node_id or _node_of(session, lowered)
            raise


def _keep(session: PlannerSession, digest: bytes, lowered: Lowered) -> None:
    """Keeps what a plan was lowered to, for the next time; tables of its own are made anew."""
    if lowered.tables or len(lowered.sql) + len(lowered.substrait_plan) > PLAN_KEPT_BYTES_MAX:
        return
    while len(session.lowered) >= PLANS_KEPT_MAX:
        del session.lowered[next(iter(session.lowered))]
    session.lowered[digest] = lowered


def kind_of(session: PlannerSession, sql: str) -> StatementKind:
    """Returns the kind of a statement; a plan of Substrait has no text and is a query."""
    return StatementKind.QUERY if session.bound.substrait_plan else statement_kind(sql)


def _node_of(session: PlannerSession, lowered: Lowered) -> str:
    """Returns the plan's node whose part of the text is the first that the engine refuses."""
    for node, name, end in lowered.steps:
        sql = f"{lowered.sql[:end]} SELECT 1 FROM {name}"  # noqa: S608 - names made here
        try:
            frame = session.query(sql, 1)
            with engine_errors(sql):
                frame.execution_plan()  # types are looked at here
        except SpringaldError:
            return node
    return lowered.node


class SessionCatalog:
    """What lowering finds in a session; a `springald_scheduler.lowering.model.Catalog`."""

    def __init__(self, session: PlannerSession, allowed: AllowedPaths) -> None:
        """Takes the session, and where files may lie."""
        self._session = session
        self._allowed = allowed

    def table(self, name: str) -> pa.Schema:
        """Returns the columns of a table or view, whose name is quoted."""
        return self._session.table_columns(name)

    def add(self, table: PrivateTable) -> pa.Schema:
        """Makes a table for this statement and returns its columns."""
        if table.arrow_stream:
            return self._session.bind_table(
                CatalogEntry(table.name, arrow_stream=table.arrow_stream)
            )
        location = check_files(self._allowed, table.path, table.format)
        found = statements.parse_external_table(table.statement)
        start, end = found.location_start, found.location_end
        statement = table.statement[:start] + string(location) + table.statement[end:]
        entry = CatalogEntry(table.name, statement=statement, path=location, options=table.options)
        return self._session.bind_table(entry)

    def query(self, lowered: Lowered) -> pa.Schema:
        """Returns the columns of a query, which is planned for it."""
        if statement_kind(lowered.sql) is not StatementKind.QUERY:
            message = f"SQL inside of a plan is a query: got {lowered.sql[:100]!r}"
            raise InvalidQueryError(message)
        session = self._session
        session.bind(Bound(parameters=lowered.parameters, settings=lowered.settings))
        statements.check_text(lowered.sql)
        frame = session.query(lowered.sql, 1)
        with engine_errors(lowered.sql):
            return frame.schema()
