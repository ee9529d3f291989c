"""The planner: statements in, answers or stages out."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from pathlib import Path

import pyarrow as pa

from springald.engine.catalog import FILE_FORMATS, AllowedPaths, CatalogEntry
from springald.engine.sinks import COUNT
from springald.errors import (
    InvalidArgumentError,
    PlanTooDeepError,
    SessionNotFoundError,
    SpringaldError,
    SqlSyntaxError,
    UnsupportedError,
)
from springald_scheduler.core.graph import AnswerKind, StageGraph
from springald_scheduler.planning import statements
from springald_scheduler.planning.distribution import (
    is_about_the_session,
    plan_query,
    query_schema,
)
from springald_scheduler.planning.estimates import with_estimates
from springald_scheduler.planning.explain import explanation, stages_text, stream_of
from springald_scheduler.planning.model import (
    Answered,
    ClusterShape,
    Planned,
    SessionSnapshot,
    TableInfo,
    Upload,
)
from springald_scheduler.planning.plan_cache import PlanCache
from springald_scheduler.planning.reading import Statement, kind_of, reading
from springald_scheduler.planning.session import PlannerSession, table_kind
from springald_scheduler.planning.table_files import check_files
from springald_scheduler.planning.words import StatementKind, statement_kind
from springald_scheduler.planning.write_statements import parse_copy, parse_insert
from springald_scheduler.planning.writes import plan_write


class Planner:
    """Keeps the sessions' catalogs and plans their statements, one call at a time."""

    def __init__(
        self,
        allowed_paths: Iterable[str | Path],
        work_dir: Path,
        plans: PlanCache | None = None,
        writable_paths: Iterable[str | Path] | None = None,
    ) -> None:
        """Starts without sessions.

        Args:
            allowed_paths: The folders that tables may be read from.
            work_dir: A folder for its own files.
            plans: Plans that are kept, for planners with the same folders to share.
            writable_paths: The folders that files may be written to; none means the same.
        """
        allowed = list(allowed_paths)
        writable = allowed if writable_paths is None else list(writable_paths)
        self._allowed = AllowedPaths(allowed)
        self._writable = AllowedPaths(writable, are_written=True)
        self._work_dir = work_dir
        self._plans = PlanCache(self._allowed) if plans is None else plans
        self._sessions: dict[str, PlannerSession] = {}

    def open_session(self, session_id: str, settings: Mapping[str, str]) -> None:
        """Opens a session.

        Raises:
            SpringaldError: A setting is unknown, protected, or does not take its value.
        """
        session = PlannerSession(self._allowed, self._work_dir, self._plans)
        for name, value in settings.items():
            session.set(name, value)
        self._sessions[session_id] = session

    def close_session(self, session_id: str) -> None:
        """Forgets a session; one that is not known is ignored."""
        session = self._sessions.pop(session_id, None)
        if session is not None:
            session.close()

    def snapshot(self, session_id: str) -> SessionSnapshot:
        """Returns what makes a session what it is.

        Raises:
            SessionNotFoundError: It is not open.
        """
        return self._session(session_id).snapshot()

    def restore_session(self, session_id: str, snapshot: SessionSnapshot) -> None:
        """Opens a session that was open before, in this process or another one."""
        session = PlannerSession(self._allowed, self._work_dir, self._plans)
        session.restore(snapshot)
        self._sessions[session_id] = session

    def run(self, session_id: str, statement: Statement, shape: ClusterShape) -> Answered | Planned:
        """Carries out a statement, or plans a query.

        Raises:
            SpringaldError: The statement is refused.
        """
        session = self._session(session_id)
        with reading(session, self._allowed, statement) as sql:
            return self._run(session, sql, shape)

    def _run(self, session: PlannerSession, sql: str, shape: ClusterShape) -> Answered | Planned:
        match kind_of(session, sql):
            case StatementKind.QUERY:
                return self._query(session, sql, shape)
            case StatementKind.EXPLAIN:
                return self._explain(session, sql, shape)
            case StatementKind.COPY | StatementKind.INSERT as kind:
                return Planned(self._write(session, kind, sql, shape))
            case StatementKind.SHOW:
                return _answer(self._show(session, sql))
            case kind:
                return _answer(pa.table({}), self._change(session, kind, sql))

    def _change(self, session: PlannerSession, kind: StatementKind, sql: str) -> tuple[str, ...]:
        """Changes a session; returns ids of uploads that nothing uses any more."""
        match kind:
            case StatementKind.SET:
                setting = statements.parse_set(sql)
                session.set(setting.name, setting.value)
                return ()
            case StatementKind.RESET:
                session.reset(statements.parse_reset(sql))
                return ()
            case StatementKind.CREATE_EXTERNAL_TABLE:
                return self._create_external_table(session, sql)
            case StatementKind.CREATE_VIEW:
                return _create_view(session, sql)
            case StatementKind.DROP:
                return session.drop(sql, statements.dropped_table(sql))
        raise self._not_offered(session, sql)

    def describe(self, session_id: str, statement: Statement) -> bytes:
        """Returns the schema of a query's rows in IPC form.

        Raises:
            SpringaldError: The statement is refused.
        """
        session = self._session(session_id)
        with reading(session, self._allowed, statement) as sql:
            return self._describe(session, sql)

    def _describe(self, session: PlannerSession, sql: str) -> bytes:
        match kind_of(session, sql):
            case StatementKind.QUERY:
                schema = query_schema(session, sql)
            case StatementKind.EXPLAIN:
                schema = explanation([]).schema
            case StatementKind.COPY | StatementKind.INSERT:
                schema = COUNT
            case StatementKind.SHOW:
                schema = self._show(session, sql).schema
            case _:
                schema = pa.schema([])
        return bytes(schema.serialize().to_pybytes())

    def register_files(
        self,
        session_id: str,
        name: str,
        file_format: str,
        path: str,
        options: Iterable[tuple[str, str]],
    ) -> TableInfo:
        """Makes files a table; one of that name is replaced.

        Raises:
            SpringaldError: The path may not be read, is not there, or the files do not fit.
        """
        session = self._session(session_id)
        if file_format not in FILE_FORMATS:
            known = ", ".join(FILE_FORMATS)
            raise InvalidArgumentError(f"a file format is one of {known}: got {file_format!r}")
        location = check_files(self._allowed, path, file_format)
        listed = tuple(options)
        entry = CatalogEntry(_table_name(name), format=file_format, path=location, options=listed)
        released = session.create(entry)
        return replace(self._info(session, entry), released_upload_ids=released)

    def register_upload(self, session_id: str, name: str, upload: Upload) -> TableInfo:
        """Makes rows that were uploaded a table; one of that name is replaced.

        Raises:
            SpringaldError: The name or the schema is refused.
        """
        session = self._session(session_id)
        entry = CatalogEntry(_table_name(name), upload_id=upload.upload_id)
        session.add_upload(upload)
        try:
            released = session.create(entry)
        except SpringaldError:
            session.forget_upload(upload.upload_id)
            raise
        return replace(self._info(session, entry), released_upload_ids=released)

    def list_tables(self, session_id: str) -> list[TableInfo]:
        """Returns the session's tables and views by name, without those whose files are gone."""
        session = self._session(session_id)
        names = sorted(session.entries.keys() - session.missing.keys())
        return [self._info(session, session.entries[name]) for name in names]

    def _session(self, session_id: str) -> PlannerSession:
        if session_id not in self._sessions:
            raise unknown_session(session_id)
        return self._sessions[session_id]

    def _query(
        self,
        session: PlannerSession,
        sql: str,
        shape: ClusterShape,
        kind: AnswerKind = AnswerKind.ROWS,
    ) -> Answered | Planned:
        graph = plan_query(session, sql, shape)
        text = "\n".join(operator.name for operator in graph.stages[-1].operators)
        if graph.stages[-1].fragment.query is not None and is_about_the_session(text):
            if kind is AnswerKind.ROWS:
                return _answer(session.answer(sql))
            return _answer(explanation([("stages", "(the scheduler answers this query itself)")]))
        if kind is AnswerKind.ROWS and not session.settings.profile:
            return Planned(graph)
        return Planned(replace(with_estimates(session, sql, graph), profile=True, answer=kind))

    def _write(
        self, session: PlannerSession, kind: StatementKind, sql: str, shape: ClusterShape
    ) -> StageGraph:
        parse = parse_copy if kind is StatementKind.COPY else parse_insert
        graph = plan_write(session, self._writable, parse(sql), shape)
        return replace(graph, profile=session.settings.profile)

    def _explain(
        self, session: PlannerSession, sql: str, shape: ClusterShape
    ) -> Answered | Planned:
        query, modifiers = statements.explained(sql)
        kind = statement_kind(query)
        is_write = kind in {StatementKind.COPY, StatementKind.INSERT}
        if kind is not StatementKind.QUERY and (not is_write or "ANALYZE" in modifiers):
            raise self._not_offered(session, sql)
        if "ANALYZE" in modifiers:
            # What is before the query counts, so that errors point at their place in all of it.
            blank = re.sub(r"\S", " ", sql.removesuffix(query))
            answer = AnswerKind.FULL_PROFILE if "VERBOSE" in modifiers else AnswerKind.PROFILE
            return self._query(session, blank + query, shape, answer)
        verbose = "VERBOSE " if "VERBOSE" in modifiers else ""
        engine_rows = session.answer(f"EXPLAIN {verbose}{query}").to_pylist()
        rows = [(str(row["plan_type"]), str(row["plan"])) for row in engine_rows]
        graph = (
            self._write(session, kind, query, shape)
            if is_write
            else plan_query(session, query, shape)
        )
        rows.append(("stages", stages_text(graph)))
        return _answer(explanation(rows))

    def _not_offered(self, session: PlannerSession, sql: str) -> SpringaldError:
        """Lets the engine refuse first: what is no statement at all is a syntax error."""
        try:
            session.query(sql, 1)
        except (SqlSyntaxError, PlanTooDeepError) as error:
            return error
        except SpringaldError:  # what else is wrong with it does not matter
            pass
        return statements.unsupported(sql)

    def _show(self, session: PlannerSession, sql: str) -> pa.Table:
        own = dict(session.settings.rows())
        name = statements.shown_setting(sql)
        if name in own:
            return pa.table({"name": [name], "value": [own[name]]})
        try:
            answer = session.show(sql, name)
        except UnsupportedError:
            raise statements.unsupported(sql) from None
        if name == "all":
            names = [*own, *answer["name"].to_pylist()]
            return pa.table({"name": names, "value": [*own.values(), *answer["value"].to_pylist()]})
        return answer

    def _create_external_table(self, session: PlannerSession, sql: str) -> tuple[str, ...]:
        table = statements.parse_external_table(sql)
        location = check_files(self._allowed, table.location, table.format)
        literal = "'" + location.replace("'", "''") + "'"
        checked = sql[: table.location_start] + literal + sql[table.location_end :]
        entry = CatalogEntry(table.name, statement=checked, path=location, options=table.options)
        if table.if_not_exists and table.name in session.entries:
            return ()
        return session.create(entry, sql)

    def _info(self, session: PlannerSession, entry: CatalogEntry) -> TableInfo:
        schema = session.columns(entry.name)
        return TableInfo(entry.name, table_kind(entry), bytes(schema.serialize().to_pybytes()))


def _create_view(session: PlannerSession, sql: str) -> tuple[str, ...]:
    view = statements.parse_view(sql)
    if view.if_not_exists and view.name in session.entries:
        return ()
    return session.create(CatalogEntry(view.name, statement=view.statement))


def unknown_session(session_id: str) -> SpringaldError:
    """Returns the error for a session that is not open."""
    message = f"a statement names an open session: got {session_id!r}"
    return SessionNotFoundError(f"{message}; open a new one")


def _table_name(name: str) -> str:
    if not name or "\0" in name:
        raise InvalidArgumentError(f"a table has a name: got {name!r}")
    return name


def _answer(table: pa.Table, released_upload_ids: tuple[str, ...] = ()) -> Answered:
    return Answered(stream_of(table), released_upload_ids)
