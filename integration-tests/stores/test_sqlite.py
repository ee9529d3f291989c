"""State in a file: it outlives its process, and has one at a time."""

import os
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest

from springald.errors import AddressInUseError, InvalidArgumentError
from springald_scheduler.adapters.stores.interface import Put, StoreError
from springald_scheduler.adapters.stores.sqlite import SCHEMA_VERSION, SqliteStateStore

DEADLINE_S = 20.0
WRITER = """
import sys
from pathlib import Path
from springald_scheduler.adapters.stores.interface import Put
from springald_scheduler.adapters.stores.sqlite import SqliteStateStore

store = SqliteStateStore(Path(sys.argv[1]))
number = 0
while True:
    number += 1
    store.transact([], [Put("a", b"%d" % number), Put("b", b"%d" % number)])
    print(number, flush=True)
"""


def test_state_outlives_its_store(tmp_path: Path) -> None:
    """A file that is opened again has what was written, but for leases; revisions go on."""
    store = SqliteStateStore(tmp_path / "deep" / "state.db", "full")
    first = store.transact([], [Put("a", b"1"), Put("l", b"1", store.lease(60_000))])
    store.close()
    assert first is not None
    store = SqliteStateStore(tmp_path / "deep" / "state.db")
    assert [entry.key for entry in store.scan("").entries] == ["a"]
    second = store.transact([], [Put("b", b"2")])
    assert second is not None
    assert second > first
    store.close()


@pytest.mark.parametrize("after", [1, 40, 400])
def test_state_outlives_a_killed_process(tmp_path: Path, after: int) -> None:
    """What was written when `transact` returned is there, and each transaction whole or not."""
    path = tmp_path / "state.db"
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout
        told = next(int(line) for line in writer.stdout if int(line) >= after)
        os.kill(writer.pid, signal.SIGKILL)
        told = max([told, *(int(line) for line in writer.stdout if line.endswith("\n"))])
    assert writer.wait(DEADLINE_S) == -signal.SIGKILL
    store = SqliteStateStore(path)
    kept = {entry.key: int(entry.value) for entry in store.scan("").entries}
    store.close()
    assert kept["a"] == kept["b"]
    assert kept["a"] in {told, told + 1}


def test_second_scheduler_is_refused(tmp_path: Path) -> None:
    """Two processes never share a file, also when one is only reading; afterwards it is free."""
    path = tmp_path / "state.db"
    with subprocess.Popen(
        [sys.executable, "-c", WRITER, str(path)], stdout=subprocess.PIPE, text=True
    ) as writer:
        assert writer.stdout
        assert next(iter(writer.stdout)).startswith("1")
        with pytest.raises(AddressInUseError, match="one scheduler"):
            SqliteStateStore(path)
        os.kill(writer.pid, signal.SIGKILL)
    SqliteStateStore(path).close()


def test_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    """Another program's database, and what is no database, stay as they are."""
    other = tmp_path / "other.db"
    connection = sqlite3.connect(other)
    connection.execute("CREATE TABLE theirs (a INTEGER)")
    connection.commit()
    connection.close()
    text = tmp_path / "text.db"
    text.write_text("a letter to a friend\n" * 200)
    before = text.read_bytes()
    for path in (other, text):
        with pytest.raises(InvalidArgumentError, match="name another"):
            SqliteStateStore(path)
    assert text.read_bytes() == before
    assert sqlite3.connect(other).execute("SELECT count(*) FROM theirs").fetchone() == (0,)


@pytest.mark.parametrize("left", [0.5, 0.9])
def test_file_that_lost_its_end_is_refused(tmp_path: Path, left: float) -> None:
    """Nothing is made of half a state; the error says how to go on."""
    path = tmp_path / "state.db"
    store = SqliteStateStore(path)
    store.transact([], [Put(f"k{number:02}", bytes(5_000)) for number in range(20)])
    store.close()
    os.truncate(path, int(path.stat().st_size * left))
    with pytest.raises(StoreError, match=r"malformed; bring back a copy"):
        SqliteStateStore(path).scan("")


def test_file_of_a_later_version_is_refused(tmp_path: Path) -> None:
    """An older release does not guess at what a newer one wrote."""
    path = tmp_path / "state.db"
    SqliteStateStore(path).close()
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    connection.close()
    with pytest.raises(InvalidArgumentError, match="version"):
        SqliteStateStore(path)


def test_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    """The error names the path."""
    (tmp_path / "file").write_text("")
    with pytest.raises(StoreError, match="file"):
        SqliteStateStore(tmp_path / "file" / "state.db")


def test_file_is_private(tmp_path: Path) -> None:
    """It holds the cluster's key."""
    path = tmp_path / "state.db"
    store = SqliteStateStore(path)
    store.transact([], [Put("a", b"1")])
    for each in tmp_path.iterdir():
        assert each.stat().st_mode & 0o077 == 0, each
    store.close()
