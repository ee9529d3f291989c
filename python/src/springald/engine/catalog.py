"""A session's tables and views, and how they are made in an engine session.

The scheduler's planner and the task that runs a whole query build the same catalog from the same
entries, each with its own idea of where an upload's rows lie.
"""

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit

import pyarrow as pa
from datafusion import DataFrame, SessionContext, SQLOptions
from datafusion.substrait import Consumer, Serde

from springald.engine.intervals import with_known_intervals
from springald.errors import (
    DataFileNotFoundError,
    InternalError,
    InvalidArgumentError,
    PathNotAllowedError,
)

FILE_FORMATS: Final = ("parquet", "csv", "json", "arrow")

_PATTERN: Final = re.compile(r"[*?[]")


@dataclass(frozen=True, slots=True)
class CatalogEntry:
    """One table or view: exactly one of statement, format, upload id and stream is set.

    Attributes:
        name: The name as the session resolves it.
        statement: The `CREATE EXTERNAL TABLE` or `CREATE VIEW` that makes it.
        format: The format of registered files: `parquet`, `csv`, `json` or `arrow`.
        path: Where its files lie, if it has any of its own.
        options: Options of their format.
        upload_id: The upload that holds the rows.
        arrow_stream: The rows themselves, as an Arrow IPC stream.
    """

    name: str
    statement: str = ""
    format: str = ""
    path: str = ""
    options: tuple[tuple[str, str], ...] = ()
    upload_id: str = ""
    arrow_stream: bytes = b""


@dataclass(frozen=True, slots=True)
class SqlQuery:
    """A whole query that one task plans and runs, for plans that the engine cannot serialise.

    Attributes:
        sql: Its text; empty if it is a plan of Substrait.
        catalog: The tables and views that it may read.
        parameters: Values of the parameters in the text, by name without the dollar sign.
        settings: Settings of the engine that its text needs.
        substrait_plan: The plan, if it has no text.
    """

    sql: str
    catalog: tuple[CatalogEntry, ...] = field(default=())
    parameters: tuple[tuple[str, pa.Scalar], ...] = field(default=())
    settings: tuple[tuple[str, str], ...] = field(default=())
    substrait_plan: bytes = b""


def plan_query(context: SessionContext, query: SqlQuery, options: SQLOptions) -> DataFrame:
    """Plans a query whose tables are there; its rows have no intervals of the older kinds.

    Raises:
        Exception: The engine refuses.
    """
    if query.substrait_plan:
        plan = Serde.deserialize_bytes(query.substrait_plan)
        logical = Consumer.from_substrait_plan(context, plan)
        return with_known_intervals(context.create_dataframe_from_logical_plan(logical))
    values = {name: _bindable(value) for name, value in query.parameters} or None
    return with_known_intervals(context.sql(query.sql, options, param_values=values))


def _bindable(value: pa.Scalar) -> pa.Scalar:
    """Returns a value that the engine can bind: it asks nulls of lists and maps for their length.

    Such a null loses its type, as NULL in SQL has none.
    """
    has_length = not pa.types.is_struct(value.type) and pa.types.is_nested(value.type)
    return value if value.is_valid or not has_length else pa.scalar(None)


def apply_settings(context: SessionContext, settings: Iterable[tuple[str, str]]) -> None:
    """Changes settings of an engine session."""
    for name, value in settings:
        context.sql(f"SET {name} = {_string(value)}")


def apply_entry(context: SessionContext, entry: CatalogEntry, uploads: Mapping[str, str]) -> None:
    """Makes a table or view; one of that name is replaced unless a statement says otherwise.

    Args:
        context: The engine session.
        entry: What to make.
        uploads: For each upload id, the Arrow file or folder that holds its rows.

    Raises:
        Exception: The engine refuses.
    """
    if entry.arrow_stream:
        with pa.ipc.open_stream(entry.arrow_stream) as reader:
            batches = [*reader] or [pa.RecordBatch.from_pylist([], reader.schema)]
        context.register_record_batches(entry.name, [batches])
    elif entry.statement:
        context.sql(entry.statement, SQLOptions().with_allow_dml(allow=False)).collect()
    elif entry.upload_id:
        if entry.upload_id not in uploads:
            raise InternalError(f"an upload's rows are at hand: got none for {entry.upload_id}")
        _create(context, entry.name, "arrow", uploads[entry.upload_id], ())
    else:
        _create(context, entry.name, entry.format, entry.path, entry.options)


def build(
    context: SessionContext, entries: Iterable[CatalogEntry], uploads: Mapping[str, str]
) -> dict[str, BaseException]:
    """Makes tables and views in an order in which each finds what it stands on.

    Returns:
        What the engine raised for those that could not be made, by name.
    """
    pending = list(entries)
    failed: dict[str, BaseException] = {}
    while pending:
        left = []
        for entry in pending:
            try:
                apply_entry(context, entry, uploads)
            except Exception as failure:  # noqa: BLE001 - the engine raises bare exceptions
                left.append(entry)
                failed[entry.name] = failure
            else:
                failed.pop(entry.name, None)
        if len(left) == len(pending):
            break
        pending = left
    return failed


def _create(
    context: SessionContext,
    name: str,
    file_format: str,
    path: str,
    options: Sequence[tuple[str, str]],
) -> None:
    """Creates a table over files with the statement that a person would write."""
    if file_format not in FILE_FORMATS:
        known = ", ".join(FILE_FORMATS)
        raise InvalidArgumentError(f"a file format is one of {known}: got {file_format!r}")
    listed = ", ".join(f"{_string(key)} {_string(value)}" for key, value in options)
    statement = (
        f"CREATE OR REPLACE EXTERNAL TABLE {quoted(name)} STORED AS {file_format.upper()} "
        f"LOCATION {_string(path)}" + (f" OPTIONS ({listed})" if listed else "")
    )
    context.sql(statement).collect()


def quoted(name: str) -> str:
    """Returns a name as SQL writes it when it must be taken as it is."""
    return '"' + name.replace('"', '""') + '"'


def _string(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


class AllowedPaths:
    """The folders that files may be read from, or written to, with links followed before the check.

    Args:
        folders: As an operator names them.
        are_written: True if files are written there.
    """

    def __init__(self, folders: Sequence[str | Path], *, are_written: bool = False) -> None:
        self._roots = tuple(os.path.realpath(folder) for folder in folders)
        self._are_written = are_written

    def check(self, path: str) -> str:
        """Returns the real path of a file that may be read.

        Raises:
            PathNotAllowedError: It lies elsewhere.
        """
        return self._check_real(os.path.realpath(path), path)

    def check_files(self, paths: Iterable[str]) -> None:
        """Checks that files may be read, following the links of each folder once.

        Raises:
            PathNotAllowedError: One lies elsewhere.
        """
        folders: dict[str, str] = {}
        for path in paths:
            folder, _, name = path.rpartition("/")
            if name in {"", ".", ".."} or os.path.islink(path):  # noqa: PTH114
                self.check(path)
                continue
            if folder not in folders:
                folders[folder] = os.path.realpath(folder + "/")
            self._check_real(f"{folders[folder].rstrip('/')}/{name}", path)

    def _check_real(self, real: str, path: str) -> str:
        if not any(real == root or real.startswith(root.rstrip("/") + "/") for root in self._roots):
            allowed = ", ".join(self._roots) or "no folder"
            if self._are_written:
                rule, option = f"files are written below {allowed} only", "--allow-write"
            else:
                rule, option = f"files are read from {allowed} only", "--allow-path"
            raise PathNotAllowedError(
                f"{rule}: got {path!r}; start the scheduler with {option} for more"
            )
        return real

    def check_location(self, location: str) -> str:
        """Returns the path of a table's location, when it and all links below it may be read.

        A location with `*`, `?` or `[` is a pattern: all below the folder before it is looked at.

        Raises:
            InvalidArgumentError: It is empty, or holds a character that no path has.
            PathNotAllowedError: It lies elsewhere, or is a URL of another kind than `file`.
            DataFileNotFoundError: There is nothing.
        """
        path = local_path(location)
        pattern = _PATTERN.search(path)
        base = path[: path.rfind("/", 0, pattern.start()) + 1] if pattern else path
        real = self.check(base)
        if not os.path.exists(real):  # noqa: PTH110
            message = f"a table's location exists: got nothing at {location!r}"
            raise DataFileNotFoundError(f"{message}; check the path on the scheduler's host")
        self._check_below(real)
        is_folder = os.path.isdir(real) and not path.endswith("/")  # noqa: PTH112
        return path + "/" if is_folder and not pattern else path

    def _check_below(self, folder: str) -> None:
        """Checks where each link below a folder leads, and what lies there."""
        if "/" in self._roots:
            return
        seen, pending = {folder}, [folder]
        while pending:
            for parent, folders, files in os.walk(pending.pop()):
                for name in (*folders, *files):
                    below = os.path.join(parent, name)  # noqa: PTH118
                    if not os.path.islink(below):  # noqa: PTH114
                        continue
                    target = self.check(below)
                    if target not in seen:
                        seen.add(target)
                        pending.append(target)


def local_path(location: str) -> str:
    """Returns the absolute path of a location, which ends with a slash if that does.

    Raises:
        InvalidArgumentError: It is empty, or holds a character that no path has.
        PathNotAllowedError: It is a URL of another kind than `file`.
    """
    if not location or "\0" in location:
        raise InvalidArgumentError(f"a table's location is a path: got {location!r}")
    if "://" not in location:
        return os.path.abspath(location) + ("/" if location.endswith("/") else "")  # noqa: PTH100
    parts = urlsplit(location)
    if parts.scheme != "file" or parts.netloc not in {"", "localhost"}:
        message = f"a location is a local path or a file:// URL: got {location!r}"
        raise PathNotAllowedError(f"{message}; object stores are not offered by this version")
    return local_path(unquote(parts.path))
