"""Small seeded tables, each in several files, that put the hazards of a distributed plan to work.

Rows are dealt to files in turn, so that the rows of every group and both sides of every join are
spread over all files, and therefore over all tasks.
"""

import json
import random
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.csv as pa_csv
import pyarrow.parquet as pq


@dataclass(frozen=True)
class Dataset:
    """A table to be written.

    Attributes:
        make: makes all rows from a seeded source of randomness.
        files: how many files the rows are dealt to.
        hollow: numbers of files that get no row.
        format: parquet, csv, json, arrow, or memory for a table that is handed over as it is.
        columns: the column list of the statement that makes the table, where it needs one.
        options: the clauses of that statement after STORED AS.
        folder_by: a column that names sub-folders instead of being stored in the files.
        row_group_rows: rows of a row group in Parquet.
        csv_delimiter: what parts the columns of CSV.
        arrow_stream: writes Arrow's stream form instead of its file form.
        compression: how whole files are compressed, if at all.
    """

    make: Callable[[random.Random], pa.Table]
    files: int = 4
    hollow: tuple[int, ...] = ()
    format: str = "parquet"
    columns: str = ""
    options: str = ""
    folder_by: str = ""
    row_group_rows: int | None = None
    csv_delimiter: str = ","
    arrow_stream: bool = False
    compression: str | None = None

    def build(self, name: str) -> pa.Table:
        """Makes all rows; the same ones each time."""
        return self.make(random.Random(f"springald {name}"))  # noqa: S311 - data, not a secret

    def write(self, name: str, folder: Path) -> None:
        """Writes the files into `folder`."""
        folder.mkdir(parents=True)
        rows = self.build(name)
        if not self.folder_by:
            self._deal(rows, folder)
            return
        keys = rows.column(self.folder_by).to_pylist()
        for key in sorted(set(keys)):
            mine = [at for at, value in enumerate(keys) if value == key]
            inner = folder / f"{self.folder_by}={key}"
            inner.mkdir()
            self._deal(_picked(rows, mine).drop([self.folder_by]), inner)

    def _deal(self, rows: pa.Table, folder: Path) -> None:
        taking = [part for part in range(self.files) if part not in self.hollow]
        for part in range(self.files):
            mine = range(taking.index(part), rows.num_rows, len(taking)) if part in taking else ()
            _write(_picked(rows, mine), folder / f"part-{part:03}.{self.format}", self)

    def statement(self, name: str, folder: Path) -> str:
        """Returns the SQL that makes the table."""
        stored = f"{self.format.upper()} {self.options}".strip()
        columns = f"({self.columns})" if self.columns else ""
        return f"CREATE EXTERNAL TABLE {name} {columns} STORED AS {stored} LOCATION '{folder}/'"


class Takes(Protocol):
    """What a session does for its tables: the oracle's and the product's look the same here."""

    def statement(self, sql: str) -> None:
        """Runs a statement."""

    def parquet(self, name: str, folder: Path) -> None:
        """Registers a folder of Parquet files."""

    def memory(self, name: str, rows: pa.Table) -> None:
        """Registers rows."""


class Store:
    """Writes datasets when they are first asked for, and registers them."""

    def __init__(self, home: Path, known: dict[str, Dataset]) -> None:
        self._home = home
        self._known = known
        self._written: set[str] = set()

    def register(self, names: Iterable[str], session: Takes) -> None:
        """Makes the tables `names` in a session."""
        for name in names:
            dataset = self._known[name]
            if dataset.format == "memory":
                session.memory(name, dataset.build(name))
                continue
            folder = self._home / name
            if name not in self._written:
                dataset.write(name, folder)
                self._written.add(name)
            if dataset.format == "parquet" and not (dataset.columns or dataset.options):
                session.parquet(name, folder)
            else:
                session.statement(dataset.statement(name, folder))


def _picked(rows: pa.Table, places: Iterable[int]) -> pa.Table:
    """Picks rows one by one: `take` knows no string views."""
    picks = [rows.slice(place, 1) for place in places]
    return pa.concat_tables(picks).combine_chunks() if picks else rows.slice(0, 0)


def _write(rows: pa.Table, path: Path, dataset: Dataset) -> None:
    match dataset.format:
        case "parquet":
            pq.write_table(rows, path, row_group_size=dataset.row_group_rows)
        case "csv":
            with pa.output_stream(path, compression=dataset.compression) as sink:
                pa_csv.write_csv(rows, sink, pa_csv.WriteOptions(delimiter=dataset.csv_delimiter))
        case "json":
            path.write_text("".join(_json_line(row) for row in rows.to_pylist()))
        case "arrow":
            start = pa.ipc.new_stream if dataset.arrow_stream else pa.ipc.new_file
            with pa.OSFile(str(path), "wb") as sink, start(sink, rows.schema) as writer:
                writer.write_table(rows)
        case _:
            raise ValueError(f"a dataset is written in a known format: got {dataset.format!r}")


def _json_line(row: dict[str, Any]) -> str:
    return json.dumps(row) + "\n"
