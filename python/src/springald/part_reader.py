"""Reading a result: its parts in order, a little ahead of whoever asks for the rows."""

import atexit
import threading
import weakref
from collections.abc import Iterator, Sequence
from queue import Empty, Queue
from typing import Any, Final, TypeAlias

import pyarrow as pa

from springald.client_limits import PREFETCH_BATCHES_MAX, ROWS_SILENCE_MS_MAX
from springald.errors import FetchFailedError, InternalError
from springald.scheduler.v1 import scheduler_pb2 as pb
from springald.transport import Rows, Transport

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
    """

    def __init__(self, transport: Transport, parts: Sequence[pb.ResultPart]) -> None:
        self._fetch = _Fetch(transport, parts)
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

    def __init__(self, transport: Transport, parts: Sequence[pb.ResultPart]) -> None:
        self._transport = transport
        self._parts = parts
        self._items: Queue[Item] = Queue(PREFETCH_BATCHES_MAX)
        self._closed = threading.Event()
        self._rows_lock = threading.Lock()
        self._rows: Rows | None = None
        self._thread = threading.Thread(target=self._run, name="springald-rows", daemon=True)
        _RUNNING.add(self)

    def start(self) -> None:
        self._thread.start()

    def take(self) -> Item:
        try:
            item: Item = self._items.get(timeout=ROWS_SILENCE_MS_MAX / 1000)
        except Empty:
            self.close()
            raise FetchFailedError(
                f"rows of a result must keep coming: got none for {ROWS_SILENCE_MS_MAX} ms; "
                "run the query again"
            ) from None
        if isinstance(item, BaseException):
            raise item
        return item

    def close(self) -> None:
        self._closed.set()
        with self._rows_lock:
            rows = self._rows
        if rows is not None:
            rows.close()
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
            schema: pa.Schema | None = None
            for part in self._parts:
                rows = self._open(part)
                if schema is None:
                    schema = rows.schema
                    self._put(schema)
                _check_same(schema, rows.schema)
                for batch in rows:
                    self._put(batch)
            self._put(None)
        except _ClosedError:
            pass
        except BaseException as error:  # noqa: BLE001 - raised where the rows are read
            self._put_last(error)

    def _open(self, part: pb.ResultPart) -> Rows:
        rows = self._transport.read_part(part)
        with self._rows_lock:
            self._rows = rows
        if self._closed.is_set():
            rows.close()
            raise _ClosedError
        return rows

    def _put(self, item: Item) -> None:
        if self._closed.is_set():
            raise _ClosedError
        self._items.put(item)

    def _put_last(self, error: BaseException) -> None:
        if not self._closed.is_set():
            self._items.put(error)


class _ClosedError(Exception):
    """The reader does not want the rest."""


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
