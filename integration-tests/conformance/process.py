"""The engine in one process, which follows a vector to tell the answers that are the engine's."""

from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import pyarrow as pa
from datafusion import SessionConfig, SessionContext

from conformance.rows import table_from_rows
from conformance.vectors import in_places
from springald.conformance.v1 import vector_pb2 as pb
from springald.physical.v1 import physical_pb2 as physical

_WORDS: Final[Mapping[int, str]] = {
    physical.FILE_FORMAT_PARQUET: "PARQUET",
    physical.FILE_FORMAT_CSV: "CSV",
    physical.FILE_FORMAT_JSON: "JSON",
    physical.FILE_FORMAT_ARROW: "ARROW",
}


class OneProcess:
    """Engine sessions of a vector, made when the vector needs one.

    Args:
        scratch: The folder of what the vector writes.
    """

    def __init__(self, scratch: Path) -> None:
        self._scratch = scratch
        self._engines: dict[str, SessionContext] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._engines.clear()

    def follow(self, step: pb.Step) -> None:
        """Does to the engine what a step does to a session, if that makes tables."""
        if step.HasField("failure"):
            return
        match step.WhichOneof("call"):
            case "upload":
                table = table_from_rows(step.upload.rows)
                engine = self._engine(step.session)
                if engine.table_exist(quoted(step.upload.name)):
                    engine.deregister_table(quoted(step.upload.name))
                engine.from_arrow(table, name=step.upload.name)
            case "register_files":
                self._register(step)
            case "execute" if _makes_table(step.execute.statement.sql.text):
                self._engine(step.session).sql(self._text(step.execute.statement.sql.text))

    def rows(self, step: pb.Step) -> pa.Table:
        """Answers a step's SQL text."""
        frame = self._engine(step.session).sql(self._text(step.rows_of_sql))
        batches = frame.collect()
        # What the engine foretells of a schema is not always what the batches then have.
        schema = batches[0].schema if batches else frame.schema()
        return pa.Table.from_batches(batches, schema=schema)

    def _engine(self, session: str) -> SessionContext:
        if session not in self._engines:
            self._engines[session] = SessionContext(SessionConfig().with_target_partitions(1))
        return self._engines[session]

    def _register(self, step: pb.Step) -> None:
        files = step.register_files.files
        path = self._text(files.path)
        options = ", ".join(f"'format.{each.name}' '{each.value}'" for each in files.options)
        self._engine(step.session).sql(
            f"CREATE OR REPLACE EXTERNAL TABLE {quoted(step.register_files.name)} "
            f"STORED AS {_WORDS[files.format]} LOCATION '{path}'"
            + (f" OPTIONS ({options})" if options else "")
        )

    def _text(self, sql: str) -> str:
        return in_places(sql, self._scratch)


def quoted(name: str) -> str:
    """Writes a name as SQL has it, in its own letters."""
    return '"' + name.replace('"', '""') + '"'


def _makes_table(sql: str) -> bool:
    return sql.split(maxsplit=1)[:1] in (["CREATE"], ["DROP"])
