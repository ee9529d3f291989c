"""Fetches outputs from other executors over Flight, into local files that the engine can read.

One call for each executor and input, all at the same time. Rows come selection by selection, and
how many rows each has is known before, which tells where one ends and the next begins. From an
executor on the same host nothing is fetched: its files are read where they lie.
"""

import queue
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, Final

import pyarrow as pa
from pyarrow import flight

from springald.codec.flight_errors import error_from_flight
from springald.errors import FetchFailedError, InputLostError, SpringaldError
from springald_executor.core.limits import (
    FETCH_CALLS_MAX,
    FETCH_SILENCE_MS_MAX,
    PEER_KEEPALIVE_MS,
)
from springald_executor.core.model import StoredFile, Wanted
from springald_executor.shuffle.in_place import Neighbours
from springald_executor.shuffle.orders import Fetched, FetchOrder, InputError, Selection
from springald_executor.shuffle.space import Space
from springald_executor.shuffle.writer import OutputWriter

_CHANNEL_OPTIONS: Final = [
    ("grpc.keepalive_time_ms", PEER_KEEPALIVE_MS),
    ("grpc.keepalive_timeout_ms", PEER_KEEPALIVE_MS),
    # Executors are reached directly, whatever proxy the environment names for the web.
    ("grpc.enable_http_proxy", 0),
]


class FlightFetcher:
    """Fetches over Flight; connections are kept."""

    def __init__(
        self,
        sign: Callable[[Wanted], bytes],
        *,
        neighbours: Neighbours | None = None,
        silence_ms_max: int = FETCH_SILENCE_MS_MAX,
    ) -> None:
        """Keeps no connection yet.

        Args:
            sign: Writes tickets.
            neighbours: Who finds files of this host; none if everything is to be fetched.
            silence_ms_max: How long a peer may send nothing.
        """
        self._sign = sign
        self._neighbours = neighbours
        self._silence_s = silence_ms_max / 1000
        self._clients: dict[str, flight.FlightClient] = {}

    def fetch(self, orders: Sequence[FetchOrder], space: Space) -> list[Fetched]:
        """Returns the files of each order, see `Fetcher`."""
        calls = _Calls([self._prepare(order, space) for order in orders], self._silence_s)
        try:
            return calls.run()
        except BaseException:
            for order in orders:
                self._clients.pop(order.address, None)
            calls.cancel()
            raise

    def _prepare(self, order: FetchOrder, space: Space) -> "_Transfer":
        client = self._clients.get(order.address)
        if client is None:
            where = f"grpc://{order.address}"
            client = flight.FlightClient(where, generic_options=_CHANNEL_OPTIONS)
            self._clients[order.address] = client
        return _Transfer(order, space, client, self._sign(order.wanted), self._neighbours)


class _Calls:
    """Calls that run at the same time, as many as a named limit allows."""

    def __init__(self, transfers: "list[_Transfer]", silence_s: float) -> None:
        self._transfers = transfers
        self._silence_s = silence_s
        self._done: queue.SimpleQueue[_Transfer] = queue.SimpleQueue()

    def run(self) -> list[Fetched]:
        """Returns when all have ended well; raises when one has not, or sends nothing."""
        later = list(reversed(self._transfers))
        running: set[_Transfer] = set()
        while later or running:
            while later and len(running) < FETCH_CALLS_MAX:
                transfer = later.pop()
                running.add(transfer)
                transfer.begin(self._done)
            try:
                ended = self._done.get(timeout=self._patience_s(running))
            except queue.Empty:
                self._check_silence(running)
                continue
            running.remove(ended)
            if ended.failure is not None:
                raise ended.failure
        return [transfer.result() for transfer in self._transfers]

    def cancel(self) -> None:
        """Gives all calls up."""
        for transfer in self._transfers:
            transfer.cancel()

    def _patience_s(self, running: "set[_Transfer]") -> float:
        oldest = min(transfer.heard_at for transfer in running)
        return max(0.0, oldest + self._silence_s - time.monotonic())

    def _check_silence(self, running: "set[_Transfer]") -> None:
        for transfer in running:
            if transfer.heard_at + self._silence_s <= time.monotonic():
                address = transfer.order.address
                message = f"a peer sends rows at least every {self._silence_s:g} s"
                raise InputError(
                    FetchFailedError(f"{message}: got none from {address}; they are made again"),
                    transfer.current_task_id,
                )


class _Transfer:
    """One call and the thread that reads it."""

    def __init__(
        self,
        order: FetchOrder,
        space: Space,
        client: flight.FlightClient,
        ticket: bytes,
        neighbours: Neighbours | None,
    ) -> None:
        self.order = order
        self.heard_at = time.monotonic()
        self.current_task_id = order.selections[0].task_id if order.selections else ""
        self.failure: Exception | None = None
        self._space = space
        self._client = client
        self._ticket = ticket
        self._neighbours = neighbours
        self._fetched: Fetched | None = None
        self._reader: Any = None
        self._cancelled = False

    def begin(self, done: "queue.SimpleQueue[_Transfer]") -> None:
        """Starts to read, on a thread of its own, which says when it has ended."""
        self.heard_at = time.monotonic()
        name = f"fetch {self.order.name}"
        threading.Thread(target=self._run, args=(done,), name=name, daemon=True).start()

    def _run(self, done: "queue.SimpleQueue[_Transfer]") -> None:
        try:
            self._fetched = self._link() or Fetched((self._read(),))
        except InputError as error:
            self.failure = error
        except SpringaldError as error:
            self.failure = error
        except Exception as error:  # noqa: BLE001 - whatever Flight raises is a failed fetch
            typed = self._typed(error)
            self.failure = InputError(typed, self._lost_task_id(typed))
        done.put(self)

    def result(self) -> Fetched:
        """Returns what came of a transfer that ended well."""
        if self._fetched is None:
            raise AssertionError("a transfer is asked for its files after it ended well")
        return self._fetched

    def cancel(self) -> None:
        """Gives up; a call that has not been answered at all is left to its thread."""
        self._cancelled = True
        if self._reader is not None:
            self._reader.cancel()

    def _link(self) -> Fetched | None:
        """Returns the other executor's own files, if they lie on this host."""
        if self._neighbours is None:
            return None
        looks = self._neighbours.find(self.order, self._client, self._ticket, self._space)
        return None if looks is None else Fetched(tuple(look.file for look in looks), looks)

    def _read(self) -> StoredFile:
        self._reader = self._client.do_get(flight.Ticket(self._ticket))
        self.heard_at = time.monotonic()
        gather_bytes = self.order.gather_bytes
        target = self._space.create(self.order.name)
        writer = OutputWriter(target, self._reader.schema, gather_bytes=gather_bytes)
        try:
            self._read_rows(writer)
            return writer.finish()
        except BaseException:
            writer.discard()
            raise

    def _read_rows(self, writer: OutputWriter) -> None:
        partition = 0
        for selection in self.order.selections:
            if selection.partition != partition:
                # What lies side by side is read as one range.
                writer.end_partition(partition)
                partition = selection.partition
            self._read_selection(selection, writer)
        while (batch := self._next()) is not None:
            if self.order.selections:
                raise self._broken("more rows than were asked for")
            writer.write(0, batch)

    def _read_selection(self, selection: Selection, writer: OutputWriter) -> None:
        self.current_task_id = selection.task_id
        missing = selection.rows
        while missing > 0:
            batch = self._next()
            if batch is None or batch.num_rows > missing:
                raise self._broken(f"{missing} rows too few or too many of {selection.task_id}")
            missing -= batch.num_rows
            writer.write(selection.partition, batch)

    def _next(self) -> pa.RecordBatch | None:
        if self._cancelled:
            raise self._broken("no more interest in it")
        try:
            chunk = self._reader.read_chunk()
        except StopIteration:
            return None
        self.heard_at = time.monotonic()
        return chunk.data

    def _broken(self, what: str) -> InputError:
        message = f"a peer sends the rows that were asked for: got {what} from {self.order.address}"
        return InputError(FetchFailedError(message), self.current_task_id)

    def _lost_task_id(self, error: SpringaldError) -> str:
        """Returns whose output is lost: the one that the peer names, or the one that was read."""
        named = any(selection.task_id == error.node_id for selection in self.order.selections)
        return error.node_id if named else self.current_task_id

    def _typed(self, failure: Exception) -> SpringaldError:
        """Returns why the fetch failed; an output that is gone is told as such."""
        error = error_from_flight(failure, self.order.address)
        if isinstance(error, InputLostError):
            return error
        return FetchFailedError(
            f"outputs of other tasks can be fetched: {error.message}",
            engine_message=error.engine_message,
        )
