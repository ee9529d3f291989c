"""Rows that stay: files that a client writes, and tables of the session."""

import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Self

import pyarrow as pa

from springald.dataframe import relations
from springald.dataframe.json_lines import json_lines
from springald.dataframe.rows import Rows
from springald.dataframe.sources import kept_rows
from springald.dataframe.statement import Statement
from springald.dataframe.write_options import DataFrameWriteOptions
from springald.errors import InvalidArgumentError, IoFailedError, UnsupportedError
from springald.expr.node import relation
from springald.plan.v1 import commands_pb2, names_pb2
from springald.results import plain_schema, restore

__all__ = ["Writing"]

_CODECS: Final = ("zstd", "snappy", "gzip", "brotli", "lz4")
_ROW_GROUP_ROWS: Final = 1_000_000


class Writing(Rows):
    """The methods that keep rows.

    A table's files are written by the cluster. Other files are written by the client, from rows
    that arrive bit by bit: under a temporary name beside the file, which is renamed when it is
    complete and on disk. So a query that fails leaves what was there before, and nobody reads half
    a file.
    """

    def write_parquet(
        self,
        path: str | os.PathLike[str],
        compression: str = "zstd",
        compression_level: int | None = None,
        write_options: DataFrameWriteOptions | None = None,
    ) -> None:
        """Runs the query and writes its rows into one Parquet file of this machine.

        Args:
            path: The file; one that is there is replaced.
            compression: `zstd`, `snappy`, `gzip`, `brotli`, `lz4` or `uncompressed`.
            compression_level: How hard to try, in the compression's own numbers.
            write_options: More of how it is written.

        Example:
            >>> df.write_parquet(folder / "t.parquet")
            >>> con.read_parquet(folder / "t.parquet").count()
            3

        Raises:
            IoFailedError: The file cannot be written.
        """
        import pyarrow.parquet as pq  # noqa: PLC0415 - loaded when it is needed

        codec = {"uncompressed": "none", "lz4_raw": "lz4"}.get(compression, compression).lower()
        if codec != "none" and codec not in _CODECS:
            raise InvalidArgumentError(
                f"a Parquet file is compressed by one of {', '.join(_CODECS)}, or uncompressed: "
                f"got {compression!r}"
            )
        with self._in_order(write_options).to_batches() as reader, _replacing(path) as part:
            writer = pq.ParquetWriter(
                part, reader.schema, compression=codec, compression_level=compression_level
            )
            with writer:
                for rows in _gathered(reader):
                    writer.write_table(rows)

    def write_csv(
        self,
        path: str | os.PathLike[str],
        with_header: bool = False,  # noqa: FBT001, FBT002 - datafusion-python's signature
        write_options: DataFrameWriteOptions | None = None,
    ) -> None:
        """Runs the query and writes its rows into one CSV file of this machine.

        Args:
            path: The file; one that is there is replaced.
            with_header: Whether the first line has the names of the columns.
            write_options: More of how it is written.

        Example:
            >>> df.write_csv(folder / "t.csv", with_header=True)
            >>> con.read_csv(folder / "t.csv").columns
            ['a', 'b']

        Raises:
            IoFailedError: The file cannot be written.
            UnsupportedError: A column has a type that CSV has no text for.
        """
        from pyarrow import csv  # noqa: PLC0415 - loaded when it is needed

        options = csv.WriteOptions(include_header=with_header)
        with self._in_order(write_options).to_batches() as reader, _replacing(path) as part:
            schema = plain_schema(reader.schema)
            try:
                with csv.CSVWriter(part, schema, write_options=options) as writer:
                    for batch in reader:
                        writer.write_batch(restore(batch, schema))
            except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
                raise UnsupportedError(
                    f"a column of a CSV file is a number, text, date or time: got {error}; cast "
                    "it, or write Parquet"
                ) from error

    def write_json(
        self, path: str | os.PathLike[str], write_options: DataFrameWriteOptions | None = None
    ) -> None:
        """Runs the query and writes its rows into one file of JSON lines of this machine.

        Dates, times, durations and intervals are text of ISO 8601, bytes are text in base 16,
        decimals are text, so that they keep their digits. NULL is null, and so are NaN and the
        infinities, which JSON has not. A map is an object.

        Args:
            path: The file; one that is there is replaced.
            write_options: More of how it is written.

        Example:
            >>> df.write_json(folder / "t.json")
            >>> (folder / "t.json").read_text().splitlines()[0]
            '{"a": 1, "b": "x"}'

        Raises:
            IoFailedError: The file cannot be written.
        """
        with self._in_order(write_options).to_batches() as reader, _replacing(path) as part:
            for batch in reader:
                for line in json_lines(batch):
                    part.write(f"{line}\n".encode())

    def write_table(
        self, table_name: str, write_options: DataFrameWriteOptions | None = None
    ) -> None:
        """Runs the query, and has the cluster add its rows to a table, as by `INSERT INTO`.

        The executors write new files into the table's folder, which appear when all are there.

        Args:
            table_name: A table of the session over a folder of files, in its own letters.
            write_options: The order of the rows.

        Example:
            >>> con.sql(f"COPY (VALUES (9, 'w')) TO '{folder}/all/' STORED AS PARQUET").to_pydict()
            {'count': [1]}
            >>> con.register_parquet("all_rows", folder / "all")
            >>> df.write_table("all_rows")
            >>> con.table("all_rows").count()
            4

        Raises:
            UnknownTableError: There is none.
            UnsupportedError: The table is no folder of files, but a view, rows that were uploaded,
                or one file.
        """
        command = commands_pb2.InsertCommand(name=names_pb2.TableName(table=table_name))
        rows = self._in_order(write_options).node
        self._over(relation("insert", command, (rows,))).execute().result()

    def _in_order(self, options: DataFrameWriteOptions | None) -> Self:
        if options is None or not options.keys:
            return self
        return self._over(relations.sorted_by(self.node, options.keys))

    def cache(self) -> Self:
        """Runs the query, keeps its rows on the cluster, and returns a DataFrame of them.

        The rows pass through this client a few at a time. They stay until no DataFrame is left that
        is made of them, or the connection is closed.

        Example:
            >>> squares = df.select((col("a") * col("a")).alias("square")).cache()
            >>> squares.count(), squares.to_pydict()
            (3, {'square': [1, 4, 9]})
        """
        with self.to_batches() as reader:
            return type(self)(self._session, Statement(None, kept_rows(self._session, reader)))

    def into_view(self, temporary: bool = False) -> Self:  # noqa: FBT001, FBT002 - datafusion-python's signature
        """Returns the query as what `Connection.register_view()` gives a name.

        Example:
            >>> con.register_view("big", df.filter(col("a") > 1).into_view())
            >>> con.sql("SELECT count(*) AS n FROM big").to_pydict()
            {'n': [2]}

        Args:
            temporary: Views live as long as their connection in any case.
        """
        del temporary
        return self


@contextmanager
def _replacing(path: str | os.PathLike[str]) -> Iterator[Any]:
    """Opens a file beside another one, which it becomes at the end if nothing fails."""
    wanted = _file_of(path)
    part = wanted.with_name(f".{wanted.name}.{secrets.token_hex(4)}.part")
    try:
        with part.open("xb") as opened:
            yield opened
            opened.flush()
            os.fsync(opened.fileno())
        part.replace(wanted)
    except OSError as error:
        raise IoFailedError(
            f"a file can be written where it is wanted: got {error} at {wanted}; choose another "
            "place"
        ) from error
    finally:
        part.unlink(missing_ok=True)


def _file_of(path: str | os.PathLike[str]) -> Path:
    text = os.fspath(path)
    if "://" in text:
        raise UnsupportedError(
            f"files are written on this machine: got {text}; write one here and copy it"
        )
    wanted = Path(text).expanduser().absolute()
    if not text or text.endswith("/") or wanted.is_dir():
        raise InvalidArgumentError(f"rows are written into one file: got the folder {text!r}")
    return wanted


def _gathered(reader: pa.RecordBatchReader) -> Iterator[pa.Table]:
    """Puts batches together, so that a file has few and large row groups."""
    waiting: list[pa.RecordBatch] = []
    rows = 0
    for batch in reader:
        waiting.append(batch)
        rows += batch.num_rows
        if rows >= _ROW_GROUP_ROWS:
            yield pa.Table.from_batches(waiting)
            waiting, rows = [], 0
    if waiting:
        yield pa.Table.from_batches(waiting)
