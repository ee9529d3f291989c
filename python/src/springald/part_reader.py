"""Reading a result: its parts in order, a little ahead of whoever asks for the rows."""

import atexit
import threading
import weakref
from collections.abc import Iterator
from contextlib import suppress
from queue import Empty, Queue
from typing import Any, Final, TypeAlias

import pyarrow as pa

from springald.client_limits import PREFETCH_BATCHES_MAX, ROWS_SILENCE_MS_MAX
from springald.errors import FetchFailedError, InternalError, SpringaldError
from springald.result_parts import RESTORES_MAX, Parts, Restore, lost_outputs, rows_before
from springald.scheduler.v1 import scheduler_pb2 as pb
from springald.transport import Rows, Stream, Transport

__all__ = ["PartReader"]

Item: TypeAlias = Any
"""What comes out of a fetch: the schema first, then batches, then an error or None for the end."""

_CLOSE_S_MAX: Final = 2.0


class PartReader:
    """The rows of a result, in the order of its parts.

    A thread fetches them, so that the reader can be interrupted while it waits for an executor that
    does not answer, and so that the next rows are on their way while the last are worked on.

    Args:
        transport: The way to the executors.
        parts: The parts, at least one.
        restore: Has parts that are lost made again; none if nobody can.
    """

    def __init__(self, transport: Transport, parts: Parts, restore: Restore | None = None) -> None:
        self._fetch = _Fetch(transport, parts, restore)
        # The thread knows the fetch and not this reader: dropping the reader ends the thread.
        weakref.finalize(self, self._fetch.close).atexit = False
        self._fetch.start()
        self.schema: pa.Schema = self._fetch.take()

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        while (batch := self._fetch.take()) is not None:
            yield batch

    def close(self) -> None:
        """Ends the fetch; closing again does nothing."""
        self._fetch.close()


class _Fetch:
    """The thread that reads the parts, and the short queue between it and the reader."""

    def __init__(self, transport: Transport, parts: Parts, restore: Restore | None) -> None:
        self._transport = transport
        self._parts = parts
        self._restore = restore
        self._current = 0
        self._given = 0
        self._stalled = threading.Event()
        self._restoring = threading.Event()
        self._schema: pa.Schema | None = None
        self._items: Queue[Item] = Queue(PREFETCH_BATCHES_MAX)
        self._closed = threading.Event()
        self._rows_lock = threading.Lock()
        self._rows: Rows | Stream[pb.AttachJobResponse] | None = None
        self._thread = threading.Thread(target=self._run, name="springald-rows", daemon=True)
        _RUNNING.add(self)

    def start(self) -> None:
        self._thread.start()

    def take(self) -> Item:
        item: Item = self._take_patiently()
        if isinstance(item, BaseException):
            raise item
        return item

    def _take_patiently(self) -> Item:
        """Waits for the next item; rows that do not come are given up, and asked for again."""
        while True:
            with suppress(Empty):
                return self._items.get(timeout=ROWS_SILENCE_MS_MAX / 1000)
            if self._restoring.is_set():
                continue  # The scheduler bounds how long rows may take to be made again.
            if self._restore is None or self._stalled.is_set():
                break
            self._stalled.set()
            self._end_call()
        self.close()
        raise _silence()

    def _end_call(self) -> None:
        with self._rows_lock:
            rows = self._rows
        if rows is not None:
            rows.close()

    def close(self) -> None:
        self._closed.set()
        self._end_call()
        # A thread that waits for room finds some, sees that it is closed, and ends.
        while not self._items.empty():
            try:
                self._items.get_nowait()
            except Empty:
                break

    def join(self) -> None:
        self._thread.join(_CLOSE_S_MAX)

    def _run(self) -> None:
        try:
            self._read_all()
            self._put(None)
        except _ClosedError:
            pass
        except BaseException as error:  # noqa: BLE001 - raised where the rows are read
            self._put_last(error)

    def _read_all(self) -> None:
        """Reads all parts; those that are lost are made again and taken up where they broke off."""
        for tried in range(1 + RESTORES_MAX):
            try:
                self._read_parts()
            except SpringaldError as error:
                part = self._parts[self._current]
                lost = lost_outputs(error, part)
                if lost is None or self._restore is None or tried == RESTORES_MAX:
                    raise
                self._restoring.set()
                try:
                    parts = self._restore(lost, self._hold)
                finally:
                    self._restoring.clear()
                self._stalled.clear()
                rows_before(self._parts, parts, self._given)
                self._parts = parts
            else:
                return

    def _read_parts(self) -> None:
        """Reads the parts from the first row on that was not given out."""
        skipped = self._given
        for place, part in enumerate(self._parts):
            self._current = place
            if part.rows and part.rows <= skipped:
                skipped -= part.rows
                continue
            rows = self._open(part)
            if self._schema is None:
                self._schema = rows.schema
                self._put(rows.schema)
            _check_same(self._schema, rows.schema)
            read = 0
            for batch in rows:
                read += batch.num_rows
                new = batch.slice(skipped) if skipped else batch
                skipped = max(0, skipped - batch.num_rows)
                if new.num_rows or not batch.num_rows:
                    self._put(new)
                    self._given += new.num_rows
            if self._closed.is_set():
                raise _ClosedError
            if self._stalled.is_set() and (read < part.rows or not part.rows):
                raise _silence()
            if read < part.rows:
                raise _broken(part, read)

    def _open(self, part: pb.ResultPart) -> Rows:
        rows = self._transport.read_part(part)
        self._hold(rows)
        return rows

    def _hold(self, rows: Rows | Stream[pb.AttachJobResponse]) -> None:
        """Notes what is to be closed by whoever wants no more."""
        with self._rows_lock:
            self._rows = rows
        if self._closed.is_set():
            rows.close()
            raise _ClosedError

    def _put(self, item: Item) -> None:
        if self._closed.is_set():
            raise _ClosedError
        self._items.put(item)

    def _put_last(self, error: BaseException) -> None:
        if not self._closed.is_set():
            self._items.put(error)


class _ClosedError(Exception):
    """The reader does not want the rest."""


def _silence() -> FetchFailedError:
    return FetchFailedError(
        f"rows of a result must keep coming: got none for {ROWS_SILENCE_MS_MAX} ms; run the query "
        "again"
    )


def _broken(part: pb.ResultPart, rows: int) -> FetchFailedError:
    return FetchFailedError(
        f"a part of a result has the rows that it was told to have: got {rows} of {part.rows} from "
        f"{part.flight_address}; run the query again"
    )


def _check_same(first: pa.Schema, other: pa.Schema) -> None:
    if not other.equals(first):
        raise InternalError(f"all parts of a result have one schema: got {other} after {first}")


_RUNNING: "weakref.WeakSet[_Fetch]" = weakref.WeakSet()


@atexit.register
def _close_all() -> None:
    """A thread inside Arrow when the interpreter goes away would take the process down with it."""
    fetches = list(_RUNNING)
    for fetch in fetches:
        fetch.close()
    for fetch in fetches:
        fetch.join()
