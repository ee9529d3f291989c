"""Opens rows for whoever shows a ticket (P5.2), and takes rows in, apart from any network."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any, Protocol

import pyarrow as pa

from springald.errors import InputLostError, TicketInvalidError
from springald.results import restore, result_schema
from springald.tickets import verify
from springald_executor.core.model import StoredFile
from springald_executor.shuffle.in_place import Located, locate
from springald_executor.shuffle.reader import StoredFileReader
from springald_executor.shuffle.receive import receive_upload
from springald_executor.shuffle.space import Space

Batches = Iterator[pa.RecordBatch]


@dataclass(frozen=True, slots=True)
class OpenRows:
    """Rows on their way out; they are read from the file as they are asked for.

    Attributes:
        schema: Of all batches.
        batches: The rows.
        restored: True if the types are not those of the file; there may be dictionaries then.
    """

    schema: pa.Schema
    batches: Batches
    restored: bool = False


class Library(Protocol):
    """Where the server finds what it serves, and puts what it receives."""

    def ticket_key(self) -> bytes | None:
        """Returns the cluster's key; None before the executor is registered."""

    def find_output(self, job_id: str, task_id: str) -> StoredFile | None:
        """Returns what an attempt of a job made."""

    def find_upload(self, upload_id: str) -> StoredFile | None:
        """Returns an upload that is complete."""

    def begin_upload(self, upload_id: str) -> Space:
        """Makes a place for an upload.

        Raises:
            SpringaldError: It is here already.
        """

    def end_upload(self, upload_id: str, file: StoredFile | None) -> None:
        """Takes an upload in, or gives its place up."""


class RowDesk:
    """Looks at tickets, and hands out or takes in what they are for."""

    def __init__(self, library: Library) -> None:
        """Takes what knows the files."""
        self._library = library

    def open(self, ticket: bytes) -> OpenRows:
        """Opens what a ticket is for.

        Raises:
            SpringaldError: The ticket is not one, is over, or its rows are not here.
        """
        claims = self._verify(ticket)
        match claims.WhichOneof("grant"):
            case "read_outputs":
                return self._open_outputs(claims.read_outputs)
            case "read_upload":
                return self._open_upload(claims.read_upload.upload_id)
            case _:
                raise TicketInvalidError("rows are read with a ticket for that: got another one")

    def locate(self, ticket: bytes) -> Located:
        """Says where the rows lie that a ticket is for.

        Raises:
            SpringaldError: The ticket is not one, is over, or its rows are not here.
        """
        claims = self._verify(ticket)
        match claims.WhichOneof("grant"):
            case "read_outputs":
                files = _selected(self._find_outputs(claims.read_outputs))
            case "read_upload":
                files = {"": self._find_upload(claims.read_upload.upload_id)}
            case _:
                raise TicketInvalidError("rows are read with a ticket for that: got another one")
        try:
            return locate(files)
        except FileNotFoundError as gone:
            raise InputLostError(f"an output is where it was written: got {gone}") from gone

    def store(self, ticket: bytes, schema: pa.Schema, batches: Batches) -> None:
        """Stores an upload; returns when it is complete and the scheduler has been told.

        Raises:
            SpringaldError: The ticket is not one, is over, or there is no room.
        """
        claims = self._verify(ticket)
        if claims.WhichOneof("grant") != "store_upload":
            raise TicketInvalidError("rows are stored with a ticket for that: got another one")
        upload_id = claims.store_upload.upload_id
        space = self._library.begin_upload(upload_id)
        file = None
        try:
            file = receive_upload(batches, schema, space)
        finally:
            self._library.end_upload(upload_id, file)

    def _verify(self, ticket: bytes) -> Any:  # noqa: ANN401 - a message of the contract
        key = self._library.ticket_key()
        if key is None:
            raise TicketInvalidError("an executor serves after it has registered: not yet")
        return verify(ticket, key, time.time_ns() // 1_000_000)

    def _find_outputs(self, grant: Any) -> "list[_Part]":  # noqa: ANN401 - as above
        parts: list[_Part] = []
        for task_id, group in groupby(grant.selections, key=lambda each: each.task_id):
            file = self._library.find_output(grant.job_id, task_id)
            if file is None:
                raise InputLostError(
                    f"outputs are kept until their job is released: got none of {task_id}",
                    node_id=task_id,
                )
            parts.append((task_id, file, [each.partition for each in group]))
        if not parts:
            raise TicketInvalidError("a ticket for outputs names some: got none")
        return parts

    def _open_outputs(self, grant: Any) -> OpenRows:  # noqa: ANN401 - as above
        parts = self._find_outputs(grant)
        first, file, _ = parts[0]
        with StoredFileReader(file, first) as reader:
            written = reader.schema
        promised = result_schema(written)
        if promised is None:
            return OpenRows(written, _read(parts))
        restored = (restore(batch, promised) for batch in _read(parts))
        return OpenRows(promised, restored, restored=True)

    def _find_upload(self, upload_id: str) -> StoredFile:
        file = self._library.find_upload(upload_id)
        if file is None:
            raise InputLostError(f"an upload is here until it is released: got none of {upload_id}")
        return file

    def _open_upload(self, upload_id: str) -> OpenRows:
        file = self._find_upload(upload_id)
        with StoredFileReader(file, upload_id) as reader:
            schema = reader.schema
        return OpenRows(schema, _read([(upload_id, file, sorted(file.blocks))]))


_Part = tuple[str, StoredFile, list[int]]
"""An attempt or upload, its file, and the partitions that are wanted, in order."""


def _selected(parts: list[_Part]) -> dict[str, StoredFile]:
    """Returns the file of each attempt, as if only the wanted partitions had rows."""
    wanted: dict[str, StoredFile] = {}
    for task_id, file, partitions in parts:
        found = wanted.get(task_id)
        blocks = {number: file.blocks[number] for number in partitions if number in file.blocks}
        wanted[task_id] = replace(file, blocks={**(found.blocks if found else {}), **blocks})
    return wanted


def _read(parts: list[_Part]) -> Batches:
    for name, file, partitions in parts:
        with StoredFileReader(file, name) as reader:
            for partition in partitions:
                yield from reader.read(partition)
