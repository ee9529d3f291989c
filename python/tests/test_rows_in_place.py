"""Parts of a result on this host are read from their files; whatever is not proved is fetched."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pyarrow as pa
import pytest
import xxhash
from pyarrow import flight

from springald.client_limits import IN_PLACE_BYTES_MIN
from springald.errors import InputLostError
from springald.executor.v1.files_pb2 import LocatedFile, LocatedFiles, LocatedPartition
from springald.flight_rows import FlightConnections
from springald.results import with_result_schema
from springald.rows_in_place import RowsInPlace
from springald.transport import Rows

PROMISED = pa.schema([("n", pa.int64()), ("s", pa.string_view())])
PLAIN = pa.schema([("n", pa.int64()), ("s", pa.string())])
WRITTEN = [[1, 2], [3], [4, 5]]
TICKET = b"a ticket"
Change = Callable[[LocatedFiles], object]


class _Executor(flight.FlightServerBase):  # type: ignore[misc]  # published without types
    """Tells where a result of three blocks lies, and sends nothing but a zero."""

    def __init__(self, folder: Path) -> None:
        super().__init__("grpc://127.0.0.1:0")
        self.address = f"127.0.0.1:{self.port}"
        self.path = folder / "output.arrow"
        ends = [0]
        schema = with_result_schema(PLAIN, PROMISED)
        with self.path.open("wb") as sink, pa.ipc.new_file(sink, schema) as writer:
            for block in WRITTEN:
                writer.write_batch(_batch(block, PLAIN))
                ends.append(sink.tell())
        found = self.path.stat()
        written = self.path.read_bytes()
        # Partition 1 lies between the blocks of partition 0, which alone is asked for.
        blocks = LocatedPartition(partition=0, numbers=[0, 2])
        for number in blocks.numbers:
            start, end = ends[number : number + 2]
            blocks.starts.append(start)
            blocks.ends.append(end)
            blocks.checksums.append(xxhash.xxh3_64_intdigest(written[start:end]))
        file = LocatedFile(path=str(self.path), partitions=[blocks])
        file.size_bytes, file.inode = found.st_size, found.st_ino
        boot_id = Path("/proc/sys/kernel/random/boot_id").read_text().strip()
        self.told = LocatedFiles(host_id=boot_id, files=[file])
        self.answers = True
        self.asked: list[tuple[str, bytes]] = []

    def do_action(self, _: object, action: flight.Action) -> list[bytes]:
        self.asked.append((action.type, action.body.to_pybytes()))
        if not self.answers:
            raise flight.FlightServerError("no")
        return [self.told.SerializeToString()]

    def do_get(self, _: object, __: object) -> flight.FlightDataStream:
        return flight.GeneratorStream(PROMISED, iter([_batch([0], PROMISED)]))


def _batch(values: list[int], schema: pa.Schema) -> pa.RecordBatch:
    return pa.RecordBatch.from_pylist([{"n": n, "s": f"text {n}"} for n in values], schema)


@pytest.fixture
def executor(tmp_path: Path) -> Iterator[_Executor]:
    """An executor of this host."""
    with _Executor(tmp_path) as running:
        yield running


@pytest.fixture
def connections() -> Iterator[FlightConnections]:
    """A client's connections."""
    opened = FlightConnections()
    yield opened
    opened.close()


def _open(connections: FlightConnections, executor: _Executor) -> Rows:
    return connections.read(executor.address, TICKET, IN_PLACE_BYTES_MIN)


def _values(rows: Rows) -> list[int]:
    return [n for batch in rows for n in batch["n"].to_pylist()]


def test_large_part_on_this_host_is_read_from_its_file(
    executor: _Executor, connections: FlightConnections
) -> None:
    """The rows of the ticket come in order and with the types that were promised."""
    rows = _open(connections, executor)

    assert isinstance(rows, RowsInPlace)
    assert rows.schema == PROMISED
    batches = list(rows)
    assert pa.Table.from_batches(batches, PROMISED).equals(
        pa.Table.from_batches([_batch(WRITTEN[0], PROMISED), _batch(WRITTEN[2], PROMISED)])
    )
    assert executor.asked == [("locate", TICKET)]


def test_open_part_is_read_to_its_end_whatever_becomes_of_the_file(
    executor: _Executor, connections: FlightConnections
) -> None:
    """An executor that ends takes its files along, and not the rows that somebody reads."""
    rows = _open(connections, executor)
    executor.path.unlink()

    assert _values(rows) == [1, 2, 4, 5]


@pytest.mark.parametrize("place", [0.1, 0.5, 0.9])
@pytest.mark.parametrize("number", [0, 1])
def test_block_with_a_flipped_bit_is_found(
    executor: _Executor, connections: FlightConnections, number: int, place: float
) -> None:
    """P5.4: a block that is not what was written is lost, wherever the bit is, and is no rows."""
    rows = _open(connections, executor)
    told = executor.told.files[0].partitions[0]
    start, end = told.starts[number], told.ends[number]
    with executor.path.open("r+b") as file:
        file.seek(start + int(place * (end - start)))
        (byte,) = file.read(1)
        file.seek(-1, os.SEEK_CUR)
        file.write(bytes([byte ^ 4]))
    with pytest.raises(InputLostError, match="another checksum"):
        list(rows)


def test_small_part_is_fetched_without_asking(
    executor: _Executor, connections: FlightConnections
) -> None:
    """A small query pays for no second call."""
    rows = connections.read(executor.address, TICKET, IN_PLACE_BYTES_MIN - 1)

    assert _values(rows) == [0]
    assert not executor.asked


def test_closed_rows_end(executor: _Executor, connections: FlightConnections) -> None:
    """Whoever closes a reading gets no more of it."""
    rows = _open(connections, executor)
    next(iter(rows))
    rows.close()

    assert _values(rows) == []


def _set(name: str, value: object) -> Change:
    return lambda told: setattr(told.files[0], name, value)


@pytest.mark.parametrize(
    "change",
    [
        lambda told: setattr(told, "host_id", "another host"),
        lambda told: setattr(told, "host_id", ""),
        lambda told: told.files.pop(),
        _set("path", "/nowhere"),
        _set("path", "/dev/null"),
        _set("inode", 1),
        _set("size_bytes", 1),
    ],
    ids=["host", "no host", "nothing", "path", "device", "inode", "size"],
)
def test_part_that_is_not_proved_to_lie_here_is_fetched(
    executor: _Executor, connections: FlightConnections, change: Change
) -> None:
    """A file is read if it is the one that the executor told of; the executor is asked once."""
    change(executor.told)

    assert [_values(_open(connections, executor)) for _ in range(2)] == [[0], [0]]
    assert len(executor.asked) == 1


def test_part_of_an_executor_that_does_not_tell_is_fetched(
    executor: _Executor, connections: FlightConnections
) -> None:
    """An executor may refuse to say where its files lie."""
    executor.answers = False

    assert _values(_open(connections, executor)) == [0]


def test_file_of_another_user_is_not_read(
    executor: _Executor, connections: FlightConnections, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A file is an executor's only if it belongs to who started both."""
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)

    assert _values(_open(connections, executor)) == [0]


def test_link_is_not_followed(executor: _Executor, connections: FlightConnections) -> None:
    """Executors tell of files, never of links."""
    link = executor.path.with_name("link")
    link.symlink_to(executor.path)
    executor.told.files[0].path = str(link)

    assert _values(_open(connections, executor)) == [0]
