"""Results written down: a table for people, or a format for programs."""

import base64
import json
import math
import sys
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import IO, Any
from uuid import UUID

import pyarrow as pa

from springald.cli.formats import Format
from springald.display import rows_text
from springald.errors import InvalidArgumentError
from springald.python_values import has_nanoseconds, holds, nested_value
from springald.type_families import is_binary

__all__ = ["write_rows"]


def write_rows(
    reader: pa.RecordBatchReader, form: Format, output: Path | None, rows_max: int
) -> int:
    """Writes rows as they arrive, and returns how many.

    Args:
        reader: The rows.
        form: How to write them.
        output: The file to write, which appears when it is complete, or a device or named pipe;
            None means standard output.
        rows_max: For a table, how many rows to show; 0 means all.
    """
    if form is Format.TABLE:
        return _write_table(reader, output, rows_max)
    with (
        _sink(output) as sink,
        _writer(form, sink, reader.schema, to_file=output is not None) as to,
    ):
        rows = 0
        for batch in reader:
            to.write(batch)
            rows += batch.num_rows
        return rows


def _write_table(reader: pa.RecordBatchReader, output: Path | None, rows_max: int) -> int:
    batches, rows = [], 0
    for batch in reader:
        batches.append(batch)
        rows += batch.num_rows
        if rows_max and rows > rows_max:
            break
    shown = pa.Table.from_batches(batches, reader.schema)
    note = f"(the first {rows_max} rows; --max-rows 0 shows all)" if 0 < rows_max < rows else ""
    text = rows_text(shown.slice(0, rows_max or None), note)
    with _sink(output) as sink:
        sink.write(f"{text}\n".encode())
    return min(rows, rows_max or rows)


@contextmanager
def _sink(output: Path | None) -> Iterator[IO[bytes]]:
    """A file that appears under its name when all went well, or standard output."""
    if output is None:
        sys.stdout.flush()
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    # What is there and no file, a device or a named pipe, is written to and stays what it is.
    is_file = output.is_file() or not output.exists()
    draft = output.with_name(f".{output.name}.part") if is_file else output
    try:
        with draft.open("wb") as file:
            yield file
        if is_file:
            draft.replace(output)
    except OSError as error:
        raise InvalidArgumentError(f"an output can be written: got {error}") from error
    finally:
        if is_file:
            draft.unlink(missing_ok=True)


class _Writer(ABC):
    """Writes batches into a sink, and what belongs at the end."""

    @abstractmethod
    def write(self, batch: pa.RecordBatch) -> None: ...

    @abstractmethod
    def finish(self) -> None: ...


@contextmanager
def _writer(
    form: Format, sink: IO[bytes], schema: pa.Schema, *, to_file: bool
) -> Iterator[_Writer]:
    if form is Format.CSV:
        writer: _Writer = _CsvWriter(sink, schema)
    elif form is Format.JSON:
        writer = _JsonWriter(sink)
    elif form is Format.ARROW:
        # A pipe takes the stream format; a file the one that can be read at any place.
        make = pa.ipc.new_file if to_file else pa.ipc.new_stream
        writer = _LibraryWriter(make(sink, schema))
    else:
        from pyarrow import parquet  # noqa: PLC0415 - loaded for the one who wants it

        writer = _LibraryWriter(parquet.ParquetWriter(sink, schema))
    yield writer
    writer.finish()


class _LibraryWriter(_Writer):
    """A writer of pyarrow's."""

    def __init__(self, writer: Any) -> None:  # noqa: ANN401 - of one of two kinds
        self._writer = writer

    def write(self, batch: pa.RecordBatch) -> None:
        self._writer.write_batch(batch)

    def finish(self) -> None:
        self._writer.close()


class _CsvWriter(_Writer):
    """CSV after RFC 4180; nulls are empty, and values without a CSV form are written as JSON."""

    def __init__(self, sink: IO[bytes], schema: pa.Schema) -> None:
        from pyarrow import csv  # noqa: PLC0415 - loaded for the one who wants it

        fields = [field.with_type(_csv_type(field.type)) for field in schema]
        self._schema = pa.schema([pa.field(field.name, field.type) for field in fields])
        self._writer = csv.CSVWriter(sink, self._schema)

    def write(self, batch: pa.RecordBatch) -> None:
        columns = [
            _csv_column(column, field.type)
            for column, field in zip(batch.columns, self._schema, strict=True)
        ]
        self._writer.write_batch(pa.RecordBatch.from_arrays(columns, schema=self._schema))

    def finish(self) -> None:
        self._writer.close()


def _csv_type(kind: pa.DataType) -> pa.DataType:
    """Arrow writes all but a few types itself, at their full precision."""
    is_text = pa.types.is_string_view(kind) or pa.types.is_nested(kind) or is_binary(kind)
    return pa.string() if is_text else kind


def _csv_column(column: pa.Array, kind: pa.DataType) -> pa.Array:
    if column.type == kind:
        return column
    if pa.types.is_string_view(column.type):
        return column.cast(kind)
    texts = [None if value is None else _json_value(value) for value in _python_values(column)]
    written = [text if text is None or isinstance(text, str) else _json(text) for text in texts]
    return pa.array(written, kind)


class _JsonWriter(_Writer):
    """One JSON object a line."""

    def __init__(self, sink: IO[bytes]) -> None:
        self._sink = sink

    def write(self, batch: pa.RecordBatch) -> None:
        names = batch.schema.names
        columns = [_python_values(column) for column in batch.columns]
        for number in range(batch.num_rows):
            row = {name: column[number] for name, column in zip(names, columns, strict=True)}
            self._sink.write(f"{_json(_json_value(row))}\n".encode())

    def finish(self) -> None:
        """Writes nothing: the last line is complete."""


def _python_values(column: pa.Array) -> list[Any]:
    """Lets Arrow write times: Python would drop their nanoseconds without a word."""
    if pa.types.is_temporal(column.type):
        column = column.cast(pa.string())
    if holds(column.type, has_nanoseconds):
        return [nested_value(value, _all_digits) for value in column]
    values: list[Any] = column.to_pylist()
    return values


def _all_digits(scalar: pa.Scalar) -> Any:  # noqa: ANN401 - any value
    return scalar.cast(pa.string()).as_py() if has_nanoseconds(scalar.type) else scalar.as_py()


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def _json_value(value: object) -> object:
    """Says in JSON what JSON has no type for: exact numbers and times as text, bytes as base64."""
    match value:
        case dict():
            return {str(key): _json_value(inner) for key, inner in value.items()}
        case list() | tuple():
            return [_json_value(inner) for inner in value]
        case bytes():
            return base64.b64encode(value).decode()
        case float() if not math.isfinite(value):
            return None
        case datetime() | date() | time():
            return value.isoformat()
        case timedelta() | Decimal() | UUID():
            return str(value)
        case str() | int() | float() | None:
            return value
        case _:
            return str(value)
