"""One session as the planner keeps it: its engine session, tables and settings."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pyarrow as pa
from datafusion import DataFrame, SessionContext, SQLOptions

from springald.engine.catalog import CatalogEntry, apply_entry
from springald.engine.failures import error_from_engine
from springald.engine.schemas import SchemaEncoder, plain_schema
from springald.engine.session import make_context
from springald.errors import (
    InvalidQueryError,
    Position,
    SpringaldError,
    UnknownColumnError,
    UnknownFunctionError,
    UnknownTableError,
)
from springald_scheduler.planning.model import SessionSnapshot, Upload
from springald_scheduler.planning.session_settings import TARGET_PARTITIONS, SessionSettings
from springald_scheduler.planning.words import position_of_name

_QUERY_ONLY = (
    SQLOptions().with_allow_ddl(False).with_allow_dml(False).with_allow_statements(False)
)


class PlannerSession:
    """A session's catalog and settings, and the engine session made from them."""

    def __init__(self, work_dir: Path) -> None:
        """Starts empty; placeholders of uploads are written below the folder."""
        self.settings = SessionSettings()
        self.entries: dict[str, CatalogEntry] = {}
        self.uploads: dict[str, Upload] = {}
        self._work_dir = work_dir
        self.partitions = 1
        self.context = make_context({}, partitions=1)
        self.encoder = SchemaEncoder(self.context)

    def query(self, sql: str, partitions: int) -> DataFrame:
        """Plans a query for a number of partitions; nothing runs.

        Raises:
            SpringaldError: The engine refuses it.
        """
        if partitions != self.partitions:
            self.context.sql(f"SET {TARGET_PARTITIONS} = {partitions}")
            self.partitions = partitions
        with engine_errors(sql):
            return self.context.sql(sql, _QUERY_ONLY)

    def answer(self, sql: str) -> pa.Table:
        """Runs a statement that reads no table's rows, such as SHOW.

        Raises:
            SpringaldError: The engine refuses it.
        """
        with engine_errors(sql):
            options = SQLOptions().with_allow_ddl(False).with_allow_dml(False)
            return self.context.sql(sql, options).to_arrow_table()

    def set(self, name: str, value: str) -> None:
        """Changes a setting, here and in the engine.

        Raises:
            SpringaldError: It is unknown, protected, or does not take the value.
        """
        before = dict(self.settings.engine)
        self.settings.set(name, value)
        if self.settings.engine == before:
            return
        try:
            text = value.replace("'", "''")
            with engine_errors(f"SET {name} = '{text}'") as statement:
                self.context.sql(statement)
        except SpringaldError:
            self.settings.engine = before
            raise

    def reset(self, name: str) -> None:
        """Brings a setting back; the engine session is made anew with what is left."""
        self.settings.reset(name)
        self.rebuild()

    def rebuild(self) -> None:
        """Makes the engine session anew; a table whose files are gone is left out."""
        self.partitions = 1
        self.context = make_context(self.settings.engine, partitions=1)
        self.encoder = SchemaEncoder(self.context)
        for entry in self.entries.values():
            with suppress(Exception):
                apply_entry(self.context, entry, self._placeholders())

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
            SpringaldError: The engine refuses it.
        """
        with engine_errors(sql or entry.statement):
            apply_entry(self.context, entry, self._placeholders())
        replaced = self.entries.pop(entry.name, None)
        self.entries[entry.name] = entry
        return self._unused(replaced)

    def drop(self, sql: str, name: str) -> tuple[str, ...]:
        """Runs a DROP and forgets the table; returns ids of uploads that nothing uses any more.

        Raises:
            SpringaldError: The engine refuses it.
        """
        with engine_errors(sql):
            self.context.sql(sql).collect()
        return self._unused(self.entries.pop(name, None))

    def add_upload(self, upload: Upload) -> None:
        """Writes empty files that stand for an upload's partitions in plans."""
        schema = plain_schema(pa.ipc.read_schema(pa.py_buffer(upload.schema)))
        folder = self._upload_folder(upload.upload_id)
        folder.mkdir(parents=True, exist_ok=True)
        for partition in range(upload.partition_count):
            with pa.ipc.new_file(folder / f"{partition}.arrow", schema):
                pass
        self.uploads[upload.upload_id] = upload

    def _unused(self, entry: CatalogEntry | None) -> tuple[str, ...]:
        if entry is None or not entry.upload_id:
            return ()
        if any(other.upload_id == entry.upload_id for other in self.entries.values()):
            return ()
        self.uploads.pop(entry.upload_id, None)
        folder = self._upload_folder(entry.upload_id)
        for placeholder in folder.iterdir():
            placeholder.unlink()
        folder.rmdir()
        return (entry.upload_id,)

    def close(self) -> None:
        """Removes the session's placeholders."""
        for upload_id in list(self.uploads):
            self.entries = {}
            self._unused(CatalogEntry(name="", upload_id=upload_id))

    def _upload_folder(self, upload_id: str) -> Path:
        return self._work_dir / "springald-upload" / upload_id

    def _placeholders(self) -> dict[str, str]:
        return {upload: f"{self._upload_folder(upload)}/" for upload in self.uploads}


@contextmanager
def engine_errors(sql: str) -> Iterator[str]:
    """Turns what the engine raises into typed errors with a place in the text, where known."""
    try:
        yield sql
    except BaseException as failure:
        if isinstance(failure, KeyboardInterrupt | SystemExit):
            raise
        error = error_from_engine(failure, default=InvalidQueryError)
        if error.position is None:
            error.position = _position(error, sql)
        raise error from None


def _position(error: SpringaldError, sql: str) -> Position | None:
    kinds = (UnknownTableError, UnknownColumnError, UnknownFunctionError)
    if not isinstance(error, kinds):
        return None
    quotes = error.message.split("'")
    name = quotes[1] if len(quotes) > 2 else _word_after(error.message, "named ")
    return position_of_name(sql, name) if name else None


def _word_after(text: str, marker: str) -> str:
    _, found, rest = text.partition(marker)
    return rest.split()[0].rstrip(".,;") if found and rest.split() else ""
