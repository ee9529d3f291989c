"""One session as the planner keeps it: its engine session, tables and settings."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

import pyarrow as pa
from datafusion import DataFrame, SessionConfig, SQLOptions

from springald.engine.catalog import (
    AllowedPaths,
    CatalogEntry,
    SqlQuery,
    apply_entry,
    apply_settings,
    build,
    plan_query,
    quoted,
)
from springald.engine.failures import error_from_engine
from springald.engine.schemas import SchemaEncoder, nullable
from springald.engine.session import make_context
from springald.errors import (
    InvalidQueryError,
    MessageTooLargeError,
    SpringaldError,
    UnknownSettingError,
    UnknownTableError,
)
from springald.limits import INLINE_ROWS_BYTES_MAX
from springald_scheduler.lowering.model import Lowered
from springald_scheduler.planning.engine_errors import engine_errors, quoted_in
from springald_scheduler.planning.model import Bound, ClusterShape, SessionSnapshot, Upload
from springald_scheduler.planning.placeholders import Placeholders
from springald_scheduler.planning.plan_cache import PlanCache, PlanKey, Scanned, depends_on_time
from springald_scheduler.planning.session_settings import (
    TARGET_PARTITIONS,
    SessionSettings,
    full_name,
    unknown_setting,
)
from springald_scheduler.planning.statements import parse_external_table
from springald_scheduler.planning.table_files import (
    KnownFiles,
    check_files,
    scanned_entries,
)
from springald_scheduler.planning.words import (
    StatementKind,
    statement_kind,
)

# EXPLAIN is given what writes as well, and runs nothing of it.
_NO_CHANGE = SQLOptions().with_allow_ddl(allow=False)
_QUERY_ONLY = (
    SQLOptions()
    .with_allow_ddl(allow=False)
    .with_allow_dml(allow=False)
    .with_allow_statements(allow=False)
)
_UNKNOWN = 0
_USUAL: Final = {
    "datafusion.sql_parser.recursion_limit": "50",
    "datafusion.sql_parser.dialect": "generic",
}
"""Settings that a statement may need otherwise, as they are without it."""


class PlannerSession:
    """A session's catalog and settings, and the engine session made from them.

    Attributes:
        settings: What the session has set.
        entries: Its tables and views by name.
        missing: Why a table or view could not be made again, by name.
        uploads: The uploads that its tables read, by id.
        placeholders: What stands for them in plans.
        partitions: How many partitions the engine session plans for; 0 if that is not known.
        context: The engine session.
        encoder: Writes schemas of rows between stages.
        plans: Plans of queries that may come again, from here or from an equal session.
        scanned: The files of the query that was planned last, as they were before.
        bound: What comes with the statement that is being planned.
        lowered: Plans that were lowered, by digest; they rest on the columns of tables.
    """

    def __init__(
        self, allowed: AllowedPaths, work_dir: Path, plans: PlanCache | None = None
    ) -> None:
        """Starts empty; placeholders of uploads are written below the folder."""
        self._allowed = allowed
        self.settings = SessionSettings()
        self.entries: dict[str, CatalogEntry] = {}
        self.missing: dict[str, SpringaldError] = {}
        self.uploads: dict[str, Upload] = {}
        self.placeholders = Placeholders(work_dir)
        self.partitions = 1
        self.context = make_context({}, partitions=1)
        self.encoder = SchemaEncoder()
        self.plans = PlanCache(allowed) if plans is None else plans
        self.scanned: list[Scanned] = []
        self.bound = Bound()
        self.lowered: dict[bytes, Lowered] = {}
        self._applied: dict[str, str] = {}
        self._columns: dict[str, bytes] = {}
        self._known = KnownFiles()

    @contextmanager
    def statement(self) -> Iterator[None]:
        """Keeps what is bound to a statement until the end of it."""
        try:
            yield
        finally:
            bound, self.bound = self.bound, Bound()
            for entry in bound.entries:
                self.context.deregister_table(quoted(entry.name))
            self._apply_settings()

    def bind(self, bound: Bound) -> None:
        """Binds to the statement that is being planned what comes with it, but tables."""
        self.bound = replace(bound, entries=self.bound.entries)

    def _apply_settings(self) -> None:
        """Gives the engine the settings that the statement needs, and others their usual values."""
        wanted = dict(self.bound.settings)
        if wanted == self._applied:
            return
        own = self.settings.engine
        usual = {name: own.get(name, _USUAL[name]) for name in self._applied}
        apply_settings(self.context, {**usual, **wanted}.items())
        self._applied = wanted

    def bind_table(self, entry: CatalogEntry) -> pa.Schema:
        """Makes a table for the statement that is being planned; returns its columns.

        Raises:
            SpringaldError: The engine refuses it.
        """
        if not self._known.meet(entry.path):
            self._forget_files()
            self._known.meet(entry.path)
        with engine_errors(""):
            apply_entry(self.context, entry, {})
        self.bound = replace(self.bound, entries=(*self.bound.entries, entry))
        return self.columns(entry.name)

    def whole(self, sql: str) -> SqlQuery:
        """Returns a statement with all that it needs, wherever it is planned."""
        bound = self.bound
        entries = (*self.entries.values(), *bound.entries)
        return SqlQuery(sql, entries, bound.parameters, bound.settings, bound.substrait_plan)

    def query(self, sql: str, partitions: int) -> DataFrame:
        """Plans a query for a number of partitions; nothing runs.

        Raises:
            SpringaldError: The engine refuses it, or files that it reads are not there.
        """
        frame = self._frame(sql, partitions)
        if not self._look_at_files(frame):
            self._forget_files()
            frame = self._frame(sql, partitions)
            self._look_at_files(frame)
        return frame

    def _frame(self, sql: str, partitions: int) -> DataFrame:
        if partitions != self.partitions:
            self.context.sql(f"SET {TARGET_PARTITIONS} = {partitions}")
            self.partitions = partitions
        try:
            with engine_errors(sql):
                self._apply_settings()
                return plan_query(self.context, self.whole(sql), _QUERY_ONLY)
        except UnknownTableError as error:
            raise self._reason(error) from None

    def _look_at_files(self, frame: DataFrame) -> bool:
        """Notes the files that a query scans; False if the engine may take some for others.

        Raises:
            SpringaldError: Files are not there, or not to be read.
        """
        self.scanned = []
        as_known = True
        entries = (*self.entries.values(), *self.bound.entries)
        for entry in scanned_entries(frame.logical_plan(), entries):
            kind = table_kind(entry)
            check_files(self._allowed, entry.path, kind)
            as_known &= self._known.meet(entry.path)
            self.scanned.append(Scanned(entry.path, kind, self._known.footprint(entry.path)))
        return as_known

    def _forget_files(self) -> None:
        """Makes the engine session anew, which knows nothing of files."""
        self.rebuild()
        for entry in self.bound.entries:
            apply_entry(self.context, entry, {})

    def plan_key(self, sql: str, shape: ClusterShape) -> PlanKey | None:
        """Returns all but the files that a query's plan depends on; None if it is not enough."""
        if self.missing or depends_on_time(sql, self.entries.values()):
            return None
        own, engine = self.settings.own.items(), self.settings.engine.items()
        entries = (*self.entries.values(), *self.bound.entries)
        columns = (
            *map(self._columns_of, self.entries),
            *(self.columns(each.name).serialize().to_pybytes() for each in self.bound.entries),
        )
        return PlanKey(
            sql, self.bound.digest, shape, frozenset(own), frozenset(engine), entries, columns
        )

    def _forget_columns(self) -> None:
        """Forgets what rests on the columns of tables, of which one changes."""
        self._columns.clear()
        self.lowered.clear()

    def _columns_of(self, name: str) -> bytes:
        """Returns the columns that a table or view has had since it was made, as a key."""
        known = self._columns.get(name)
        if known is None:
            known = self._columns[name] = self.columns(name).serialize().to_pybytes()
        return known

    def schema(self, frame: DataFrame) -> pa.Schema:
        """Returns the schema of a query's rows; top-level fields are nullable.

        A query as it was written does not know it: types of a union are settled by the optimizer.

        Raises:
            InvalidQueryError: A column has a name that Arrow does not carry.
        """
        with engine_errors(""):
            optimized = frame.optimized_logical_plan()
            return nullable(self.context.create_dataframe_from_logical_plan(optimized).schema())

    def _reason(self, unknown: UnknownTableError) -> SpringaldError:
        """Returns why a table is not there, if the session has it and could not make it again."""
        name = quoted_in(unknown.message).rsplit(".", maxsplit=1)[-1]
        reason = self.missing.get(name)
        if reason is None:
            return unknown
        message = f"table or view {name} can be made again: {reason.message}"
        return type(reason)(message, position=unknown.position)

    def answer(self, sql: str) -> pa.Table:
        """Runs a statement that reads no table's rows, such as SHOW.

        Raises:
            SpringaldError: The engine refuses it, or there are too many rows.
        """
        with engine_errors(sql):
            self._apply_settings()
            frame = plan_query(self.context, self.whole(sql), _NO_CHANGE)
            batches: list[pa.RecordBatch] = []
            for batch in frame.execute_stream():
                batches.append(batch.to_pyarrow())
                if sum(each.nbytes for each in batches) > INLINE_ROWS_BYTES_MAX:
                    message = f"the scheduler answers with at most {INLINE_ROWS_BYTES_MAX} bytes"
                    raise MessageTooLargeError(f"{message}: got more; ask for fewer rows")
            return pa.Table.from_batches(batches, batches[0].schema if batches else frame.schema())

    def set(self, name: str, value: str) -> None:
        """Changes a setting, here and in the engine.

        Raises:
            SpringaldError: It is unknown, protected, or does not take the value.
        """
        before = dict(self.settings.engine)
        self.settings.set(name, value)
        if self.settings.engine == before:
            return
        name = full_name(name)
        try:
            text = value.replace("'", "''")
            with engine_errors(f"SET {name} = '{text}'") as statement:
                self.context.sql(statement)
                # The next engine session is made with it, here and in tasks.
                SessionConfig().set(name, value)
        except SpringaldError as error:
            self.settings.engine = before
            message = f"a setting exists and takes its value: got {name} = {value!r}"
            raise type(error)(
                f"{message}; the engine says: {error.message}", engine_message=error.engine_message
            ) from None
        self.partitions = _UNKNOWN

    def reset(self, name: str) -> None:
        """Brings a setting back; the engine session is made anew with what is left.

        Raises:
            UnknownSettingError: There is none of that name.
        """
        if self.settings.reset(name):
            self.rebuild()
        else:
            self.show(f"SHOW {full_name(name)}", name)

    def show(self, sql: str, name: str) -> pa.Table:
        """Answers a `SHOW`.

        Args:
            sql: The statement.
            name: What it shows, which may be a setting.

        Raises:
            SpringaldError: There is nothing of this name, or the engine refuses it.
        """
        try:
            return self.answer(sql)
        except UnknownSettingError:
            raise unknown_setting(name) from None

    def rebuild(self) -> None:
        """Makes the engine session anew; a table whose files are gone is `missing`."""
        self._known.clear()
        self.context = make_context(self.settings.engine, partitions=1)
        self._applied = {}
        self.partitions = _UNKNOWN
        self._make(self.entries.values())

    def _make(self, entries: Iterable[CatalogEntry]) -> None:
        self._forget_columns()
        entries = list(entries)
        for entry in entries:
            self._known.meet(entry.path)
        failed = build(self.context, entries, self._locations())
        self.missing = {
            name: error_from_engine(failure, default=InvalidQueryError)
            for name, failure in failed.items()
        }

    def snapshot(self) -> SessionSnapshot:
        """Returns what makes this session what it is."""
        return SessionSnapshot(
            dict(self.settings.own),
            dict(self.settings.engine),
            tuple(self.entries.values()),
            tuple(self.uploads.values()),
        )

    def restore(self, snapshot: SessionSnapshot) -> None:
        """Becomes the session that a snapshot was taken of."""
        self.settings.own = dict(snapshot.own_settings)
        self.settings.engine = dict(snapshot.engine_settings)
        self.entries = {entry.name: entry for entry in snapshot.entries}
        for upload in snapshot.uploads:
            self.add_upload(upload)
        self.rebuild()

    def create(self, entry: CatalogEntry, sql: str = "") -> tuple[str, ...]:
        """Makes a table or view and remembers it; returns ids of uploads that it replaces.

        Raises:
            SpringaldError: The engine refuses it, or it is a view of what it replaces.
        """
        if not self._known.meet(entry.path):
            self._forget_files()
            self._known.meet(entry.path)
        self._forget_columns()
        with engine_errors(sql or entry.statement):
            apply_entry(self.context, entry, self._locations())
        try:
            self.columns(entry.name)
        except SpringaldError:
            self.rebuild()
            raise
        before = dict(self.entries)
        replaced = self.entries.get(entry.name)
        self.entries[entry.name] = entry
        self.missing.pop(entry.name, None)
        if replaced is not None or self.missing:
            self._remake_views()
        if entry.name in self.missing:
            self.entries = before
            self.rebuild()
            message = f"a view does not stand on what it replaces: got {entry.name}"
            raise InvalidQueryError(f"{message}; give it another name")
        return self._unused(replaced)

    def columns(self, name: str) -> pa.Schema:
        """Returns the columns of a table or view.

        Raises:
            InvalidQueryError: A column has a name that Arrow does not carry.
        """
        with engine_errors(""):
            return self.context.table(quoted(name)).schema()

    def table_columns(self, name: str) -> pa.Schema:
        """Returns the columns of a table or view, whose name is written as in SQL.

        Raises:
            UnknownTableError: There is none.
        """
        try:
            with engine_errors(""):
                return self.context.table(name).schema()
        except UnknownTableError as error:
            raise self._reason(error) from None

    def drop(self, sql: str, name: str) -> tuple[str, ...]:
        """Runs a DROP and forgets the table; returns ids of uploads that nothing uses any more.

        Raises:
            SpringaldError: The engine refuses it.
        """
        if name not in self.missing:
            with engine_errors(sql):
                self.context.sql(sql).collect()
        self._forget_columns()
        dropped = self.entries.pop(name, None)
        self._remake_views()
        return self._unused(dropped)

    def _remake_views(self) -> None:
        """Lets views see the tables of today: the engine's own keep those they were made with."""
        views = [entry for entry in self.entries.values() if table_kind(entry) == "view"]
        for view in views:
            self.context.sql(f"DROP VIEW IF EXISTS {quoted(view.name)}").collect()
        names = self.entries.keys() - {view.name for view in views}
        tables = {name: why for name, why in self.missing.items() if name in names}
        self._make(views)
        self.missing |= tables

    def add_upload(self, upload: Upload) -> None:
        """Makes an upload known, so that a table can be made of it."""
        self.placeholders.write(upload)
        self.uploads[upload.upload_id] = upload

    def _unused(self, entry: CatalogEntry | None) -> tuple[str, ...]:
        if entry is None or not entry.upload_id:
            return ()
        if any(other.upload_id == entry.upload_id for other in self.entries.values()):
            return ()
        self.forget_upload(entry.upload_id)
        return (entry.upload_id,)

    def forget_upload(self, upload_id: str) -> None:
        """Forgets an upload; one that is not known is ignored."""
        if self.uploads.pop(upload_id, None) is not None:
            self.placeholders.remove(upload_id)

    def close(self) -> None:
        """Removes the session's placeholders."""
        for upload_id in list(self.uploads):
            self.forget_upload(upload_id)

    def _locations(self) -> dict[str, str]:
        return {upload_id: self.placeholders.folder(upload_id) for upload_id in self.uploads}


def table_kind(entry: CatalogEntry) -> str:
    """Returns the format of a table's files, `view` or `upload`."""
    if entry.upload_id:
        return "upload"
    if entry.format:
        return entry.format
    if statement_kind(entry.statement) is StatementKind.CREATE_VIEW:
        return "view"
    return parse_external_table(entry.statement).format
