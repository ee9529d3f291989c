"""State in one file, for one scheduler at a time.

The file is in WAL mode, and held exclusively as long as the store is open. A commit is in the
operating system's hands when `transact` returns, so it outlives the process, however that ends.
With `synchronous=full` it is on the disk as well and outlives the machine's power; otherwise a loss
of power may take the last moments, and never more than that: the file stays whole.
"""

import os
import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Final, Literal

from springald.errors import AddressInUseError, InvalidArgumentError
from springald_scheduler.adapters.stores.embedded import EmbeddedStore
from springald_scheduler.adapters.stores.interface import Entry, StoreError, StoreFullError

SCHEMA_VERSION: Final = 1
_APPLICATION_ID: Final = 0x5350_474C  # "SPGL"
_LAST_CHARACTER: Final = chr(0x10FFFF)
_SELECT: Final = "SELECT key, CAST(value AS BLOB), CAST(revision AS INTEGER) FROM entry "

Synchronous = Literal["normal", "full"]


class SqliteStateStore(EmbeddedStore):
    """Keeps entries in a file.

    Args:
        path: The file; it and its folder are made if they are not there.
        synchronous: `normal` outlives the process, `full` also the machine's power.

    Raises:
        AddressInUseError: Another process has the file open.
        InvalidArgumentError: It is another kind of file, or of a later version.
        StoreError: It cannot be opened or made.
    """

    def __init__(self, path: Path, synchronous: Synchronous = "normal") -> None:
        table = _Table(path, synchronous)
        super().__init__(f"sqlite:{path}", table, table.revision)


class _Table:
    def __init__(self, path: Path, synchronous: Synchronous) -> None:
        self._path = path
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            # Its values hold the cluster's key.
            os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            self._connection = sqlite3.connect(
                path, isolation_level=None, check_same_thread=False, timeout=0
            )
        except (OSError, sqlite3.Error) as failure:
            raise self._error(failure) from failure
        try:
            self._open(synchronous)
        except sqlite3.Error as failure:
            self._connection.close()
            raise self._error(failure) from failure
        except BaseException:
            self._connection.close()
            raise

    def _open(self, synchronous: Synchronous) -> None:
        # Others may have written keys that are no text, and values that are no bytes.
        self._connection.text_factory = lambda key: key.decode(errors="replace")
        run = self._connection.execute
        run("PRAGMA locking_mode = EXCLUSIVE")
        run("PRAGMA journal_mode = WAL")
        run(f"PRAGMA synchronous = {synchronous}")
        run("BEGIN IMMEDIATE")  # the lock that this takes is kept
        (application,) = run("PRAGMA application_id").fetchone()
        (version,) = run("PRAGMA user_version").fetchone()
        (tables,) = run("SELECT count(*) FROM sqlite_master").fetchone()
        if tables and application != _APPLICATION_ID:
            raise InvalidArgumentError(
                f"a state file is one of a scheduler: got another database at {self._path}; "
                "name another file"
            )
        if version > SCHEMA_VERSION:
            raise InvalidArgumentError(
                f"a state file is of version {SCHEMA_VERSION} or older: got {version} at "
                f"{self._path}; use the release that wrote it, or name another file"
            )
        if not tables:
            run(f"PRAGMA application_id = {_APPLICATION_ID}")
            run(f"PRAGMA user_version = {SCHEMA_VERSION}")
            run(
                "CREATE TABLE entry (key TEXT NOT NULL PRIMARY KEY, value BLOB NOT NULL, "
                "revision INTEGER NOT NULL, leased INTEGER NOT NULL)"
            )
            run("CREATE TABLE last (revision INTEGER NOT NULL)")
            run("INSERT INTO last VALUES (0)")
        # Whoever held a lease has ended.
        run("DELETE FROM entry WHERE leased")
        (self.revision,) = run("SELECT revision FROM last").fetchone()
        run("COMMIT")

    def get(self, key: str) -> Entry | None:
        rows = self._rows("WHERE key = ?", (key,))
        return rows[0] if rows else None

    def scan(self, prefix: str) -> list[Entry]:
        return self._rows(
            "WHERE key >= ? AND key < ? ORDER BY key", (prefix, prefix + _LAST_CHARACTER)
        )

    def _rows(self, where: str, arguments: Sequence[object]) -> list[Entry]:
        try:
            return [Entry(*row) for row in self._connection.execute(_SELECT + where, arguments)]
        except sqlite3.Error as failure:
            raise self._error(failure) from failure

    def apply(self, puts: Sequence[Entry], deletes: Sequence[str], leased: Sequence[str]) -> None:
        run = self._connection
        try:
            run.execute("BEGIN IMMEDIATE")
            if deletes:
                run.executemany("DELETE FROM entry WHERE key = ?", [(key,) for key in deletes])
            if puts:
                run.executemany(
                    "INSERT OR REPLACE INTO entry VALUES (?, ?, ?, ?)",
                    [(each.key, each.value, each.revision, each.key in leased) for each in puts],
                )
            run.execute("UPDATE last SET revision = revision + 1")
            run.execute("COMMIT")
        except sqlite3.Error as failure:
            if run.in_transaction:
                run.execute("ROLLBACK")
            raise self._error(failure) from failure

    def close(self) -> None:
        self._connection.close()

    def _error(self, failure: OSError | sqlite3.Error) -> Exception:
        code = getattr(failure, "sqlite_errorcode", 0) & 0xFF
        if code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
            return AddressInUseError(
                f"a state file has one scheduler: got a second one for {self._path}; stop the "
                "other one, or name another file with --state"
            )
        if code == sqlite3.SQLITE_NOTADB:
            return InvalidArgumentError(
                f"a state file is a sqlite database: got something else at {self._path}; "
                "name another file, or move this one away"
            )
        kind = StoreFullError if code == sqlite3.SQLITE_FULL else StoreError
        advice = "look at the disk and at the file's owner"
        if code == sqlite3.SQLITE_CORRUPT:
            advice = "bring back a copy of it, or move it away and begin with nothing"
        return kind(f"a scheduler's state is kept in {self._path}: got {failure}; {advice}")
