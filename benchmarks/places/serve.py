"""The process of one place: takes requests over a socket, runs queries, and takes the time.

It runs with the place's own interpreter, so it imports nothing but pyarrow and the place.
"""

import json
import os
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, field
from importlib import import_module
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Final

import pyarrow as pa

from benchmarks.places.session import Place, Session, Setup

_STARTERS: Final = {
    "datafusion": ("engine", "start"),
    "local": ("springald_modes", "start_local"),
    "cluster": ("springald_modes", "start_cluster"),
    "sail": ("sail", "start"),
    "spark": ("spark", "start"),
}
_FAILURE_CHARS_MAX: Final = 400

Start = Callable[[Setup], AbstractContextManager[Place]]


@dataclass
class Timed:
    """One execution, as it looks to the client.

    Attributes:
        seconds: From the statement to its last row.
        first_row_s: From the statement to its first batch with rows, or to its end.
        rows: Rows that came.
        bytes: Their size in memory.
        counters: What the place itself counted.
    """

    seconds: float
    first_row_s: float
    rows: int
    bytes: int
    counters: dict[str, float] = field(default_factory=dict)


def timed_query(
    session: Session, sql: str, *, keep: bool, count: bool = True
) -> tuple[Timed, pa.Table | None]:
    """Runs a query and reads all its rows.

    Args:
        session: Where it runs.
        sql: The query.
        keep: Whether the rows are wanted; otherwise each batch is let go when the next comes.
        count: Whether the place is asked afterwards what it counted.
    """
    kept: list[pa.RecordBatch] = []
    first_row_s, rows, size = 0.0, 0, 0
    began = time.perf_counter()
    answer = session.query(sql)
    for batch in answer.batches:
        if batch.num_rows and not rows:
            first_row_s = time.perf_counter() - began
        rows += batch.num_rows
        size += batch.nbytes
        if keep:
            kept.append(batch)
    seconds = time.perf_counter() - began
    if count:
        session.count(answer)
    timed = Timed(seconds, first_row_s or seconds, rows, size, answer.counters)
    if not keep:
        return timed, None
    return timed, pa.Table.from_batches(kept, None if kept else answer.schema)


class Server:
    """Answers the harness's requests, one after the other."""

    def __init__(self, place: Place, session: Session) -> None:
        """Takes the place and the session in which single queries run."""
        self._place = place
        self._session = session

    def answer(self, request: dict[str, Any]) -> dict[str, Any]:
        """Does what a request asks for; what goes wrong is an answer too."""
        try:
            if request["do"] == "query":
                return self._query(request["sql"], request.get("answer"))
            if request["do"] == "clients":
                return self._clients(request["clients"], request["queries"], request["answers"])
            return {"versions": dict(self._place.versions())}
        except Exception as error:  # noqa: BLE001 - a failed query stays in the table
            return {"failure": told(error)}

    def _query(self, sql: str, path: str | None) -> dict[str, Any]:
        timed, rows = timed_query(self._session, sql, keep=path is not None)
        if rows is not None:
            _write(rows, Path(str(path)))
        return vars(timed)

    def _clients(self, count: int, queries: Sequence[str], folder: str) -> dict[str, Any]:
        """Has clients, each with a session, take queries from one list until it is empty."""
        work = Work(queries)
        with _opened(self._place, count) as sessions:
            threads = [threading.Thread(target=work.take_all, args=(one,)) for one in sessions]
            began = time.perf_counter()
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            seconds = time.perf_counter() - began
        if work.failures:
            return {"failure": work.failures[0]}
        for number, rows in work.rows.items():
            _write(rows, Path(folder, f"{number}.arrow"))
        return {"seconds": seconds, "latencies_s": work.latencies_s}


class Work:
    """Queries that several clients share."""

    def __init__(self, queries: Sequence[str]) -> None:
        """Takes the queries; each is run once."""
        self._queries = iter(enumerate(queries))
        self._lock = threading.Lock()
        self.latencies_s: list[float] = []
        self.rows: dict[int, pa.Table] = {}
        self.failures: list[str] = []

    def take_all(self, session: Session) -> None:
        """Runs queries until none is left, or one has failed."""
        while not self.failures:
            with self._lock:
                number, sql = next(self._queries, (0, ""))
            if not sql:
                return
            try:
                # To ask for statistics would be a second query for each that is measured.
                timed, rows = timed_query(session, sql, keep=True, count=False)
            except Exception as error:  # noqa: BLE001 - told to the harness
                self.failures.append(told(error))
                return
            self.latencies_s.append(timed.seconds)
            if rows is not None:
                self.rows[number] = rows


def told(error: Exception) -> str:
    """Writes an error on one line."""
    return " ".join(f"{type(error).__name__}: {error}".split())[:_FAILURE_CHARS_MAX]


@contextmanager
def _opened(place: Place, count: int) -> Iterator[list[Session]]:
    if count == 0:
        yield []
        return
    with place.session() as session, _opened(place, count - 1) as others:
        yield [session, *others]


def _write(rows: pa.Table, path: Path) -> None:
    with pa.ipc.new_file(path, rows.schema) as writer:
        writer.write_table(rows)


def _serve(connection: Connection, start: Start, setup: Setup) -> None:
    with start(setup) as place, place.session() as session:
        server = Server(place, session)
        connection.send_bytes(json.dumps(server.answer({"do": "versions"})).encode())
        while True:
            try:
                request = json.loads(connection.recv_bytes())
            except EOFError:
                return
            connection.send_bytes(json.dumps(server.answer(request)).encode())


def main() -> None:
    """Starts the place that the arguments name, and serves until the harness closes the socket."""
    name, fd, text = sys.argv[1:]
    given = json.loads(text)
    setup = Setup(**{**given, "scratch": Path(given["scratch"])})
    module, function = _STARTERS[name]
    connection = Connection(int(fd))
    try:
        start: Start = getattr(import_module(f"benchmarks.places.{module}"), function)
        _serve(connection, start, setup)
    except Exception as error:  # noqa: BLE001 - told to the harness, and with its trace to the log
        traceback.print_exc()
        with suppress(OSError):
            connection.send_bytes(json.dumps({"failure": told(error)}).encode())
    # Whatever threads a place has left: everything that had to be closed is.
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
