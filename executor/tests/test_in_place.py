"""Files of another executor on the same host are read where they lie, and nobody else's are."""

import os
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import pyarrow as pa
import pytest
from executor_kit import flip_bit
from pyarrow import flight

from springald.codec.flight_errors import error_from_flight
from springald.errors import InputLostError, MessageGarbledError, TicketInvalidError
from springald.executor.v1 import files_pb2
from springald.executor.v1.executor_pb2 import (
    OutputSelection,
    ReadOutputs,
    ReadUpload,
    TicketClaims,
)
from springald.tickets import sign
from springald_executor.codec.files import located_from_bytes, located_to_bytes
from springald_executor.core.model import Grant, OutputsWanted, StoredFile, UploadWanted, Wanted
from springald_executor.shuffle.fetch import FlightFetcher
from springald_executor.shuffle.in_place import LOCATE, Located, LocatedFile, Neighbours
from springald_executor.shuffle.orders import Fetched, FetchOrder, InputError, Selection
from springald_executor.shuffle.reader import StoredFileReader
from springald_executor.shuffle.server import FlightServer
from springald_executor.shuffle.space import Roots, Space
from springald_executor.shuffle.writer import OutputWriter

KEY = bytes(range(32))
FAR_MS = 2**62
SCHEMA = pa.schema([("a", pa.int64())])
Change = Callable[[Located], Located]


class _Peer:
    """Another executor: its outputs, how it tells of them, and how often it was asked."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.files: dict[str, StoredFile] = {}
        self.change: Change = lambda located: located
        self.asked = 0

    def ticket_key(self) -> bytes | None:
        return KEY

    def find_output(self, job_id: str, task_id: str) -> StoredFile | None:
        return self.files.get(task_id) if job_id == "j1" else None

    def find_upload(self, upload_id: str) -> StoredFile | None:
        return self.files.get(upload_id)

    def begin_upload(self, _: str) -> Space:
        raise AssertionError("nobody stores anything in these tests")

    def end_upload(self, _: str, __: StoredFile | None) -> None:
        raise AssertionError("nobody stores anything in these tests")

    def write_located(self, located: Located) -> bytes:
        self.asked += 1
        return located_to_bytes(self.change(located))

    def put(self, name: str, *partitions: list[int]) -> None:
        """Writes an output, or upload, of one block a partition; one without rows has none."""
        space = Space(Roots(disk=self.folder), Grant(f"peer/{name}", 0))
        writer = OutputWriter(space.create("output.arrow"), SCHEMA, gather_bytes=1)
        for number, values in enumerate(partitions):
            writer.write(number, pa.record_batch({"a": pa.array(values, pa.int64())}))
        self.files[name] = writer.finish()


@pytest.fixture
def peer(tmp_path: Path) -> _Peer:
    """An executor with outputs of two tasks."""
    made = _Peer(tmp_path)
    made.put("t1", [1, 2], [3])
    made.put("t2", [4], [])
    return made


@pytest.fixture
def server(peer: _Peer) -> Iterator[FlightServer]:
    """The peer's Flight server."""
    with FlightServer("grpc://127.0.0.1:0", peer, peer.write_located) as running:
        yield running


@pytest.fixture
def fetcher() -> FlightFetcher:
    """Who fetches for a task."""
    return FlightFetcher(_ticket, neighbours=Neighbours(located_from_bytes))


def _ticket(wanted: Wanted) -> bytes:
    claims = TicketClaims(expires_ms=FAR_MS)
    if isinstance(wanted, UploadWanted):
        claims.read_upload.CopyFrom(ReadUpload(upload_id=wanted.upload_id))
        return sign(claims, KEY)
    assert isinstance(wanted, OutputsWanted)
    selections = [OutputSelection(task_id=task, partition=part) for task, part in wanted.selections]
    claims.read_outputs.CopyFrom(ReadOutputs(job_id=wanted.job_id, selections=selections))
    return sign(claims, KEY)


def _order(server: FlightServer, *picked: tuple[str, int, int, int]) -> FetchOrder:
    """An order by task, partition, rows, and where they are put."""
    wanted = OutputsWanted("j1", tuple((task, part) for task, part, _, _ in picked))
    selections = tuple(Selection(task, rows, where) for task, _, rows, where in picked)
    return FetchOrder(f"127.0.0.1:{server.port}", wanted, selections, "in.arrow")


def _fetch(peer: _Peer, fetcher: FlightFetcher, order: FetchOrder) -> Fetched:
    space = Space(Roots(disk=peer.folder), Grant("task", 0))
    return fetcher.fetch([order], space)[0]


def _rows(fetched: Fetched, partition: int) -> list[int]:
    values = []
    for file in fetched.files:
        with StoredFileReader(file, "t") as reader:
            for batch in reader.read(partition):
                values.extend(batch["a"].to_pylist())
    return values


def test_outputs_on_one_host_are_read_where_they_lie(
    peer: _Peer, server: FlightServer, fetcher: FlightFetcher
) -> None:
    """Each output is a link to its own file: no byte is copied, no memory is counted twice."""
    order = _order(server, ("t1", 0, 2, 0), ("t2", 0, 1, 0), ("t1", 1, 1, 1))

    fetched = _fetch(peer, fetcher, order)

    assert fetched.in_place
    assert (_rows(fetched, 0), _rows(fetched, 1)) == ([1, 2, 4], [3])
    inodes = [Path(file.path).stat().st_ino for file in fetched.files]
    assert inodes == [Path(peer.files[name].path).stat().st_ino for name in ("t1", "t2")]
    assert not any(file.in_memory for file in fetched.files)


def test_outputs_are_put_where_the_order_says(
    peer: _Peer, server: FlightServer, fetcher: FlightFetcher
) -> None:
    """A broadcast is told apart by attempts, not by partitions; so it is when fetched."""
    order = _order(server, ("t1", 0, 2, 7), ("t1", 1, 1, 7), ("t2", 0, 1, 8))

    fetched = _fetch(peer, fetcher, order)

    assert fetched.in_place
    assert [sorted(file.blocks) for file in fetched.files] == [[7], [8]]
    assert (_rows(fetched, 7), _rows(fetched, 8)) == ([1, 2, 3], [4])


def test_upload_on_one_host_is_read_where_it_lies(
    peer: _Peer, server: FlightServer, fetcher: FlightFetcher
) -> None:
    """An upload keeps all its blocks."""
    peer.put("u1", [1], [2])
    order = FetchOrder(f"127.0.0.1:{server.port}", UploadWanted("u1"), (), "upload.arrow")

    fetched = _fetch(peer, fetcher, order)

    assert fetched.in_place
    assert fetched.files[0].blocks == peer.files["u1"].blocks


def test_linked_file_outlives_its_executor(
    peer: _Peer, server: FlightServer, fetcher: FlightFetcher
) -> None:
    """The task goes on when the executor that made its input dies and its files are removed."""
    fetched = _fetch(peer, fetcher, _order(server, ("t1", 0, 2, 0)))
    Path(peer.files["t1"].path).unlink()

    assert _rows(fetched, 0) == [1, 2]


def _with_file(change: Callable[[LocatedFile], LocatedFile]) -> Change:
    return lambda told: Located(told.host_id, tuple(change(each) for each in told.files))


def _elsewhere(told: LocatedFile) -> LocatedFile:
    return LocatedFile(told.task_id, replace(told.file, path=f"{told.file.path}.no"), told.inode)


def _of_another_size(told: LocatedFile) -> LocatedFile:
    return LocatedFile(told.task_id, replace(told.file, size=told.file.size + 1), told.inode)


@pytest.mark.parametrize(
    "change",
    [
        lambda told: Located("another host", told.files),
        lambda told: Located("", told.files),
        _with_file(_elsewhere),
        _with_file(_of_another_size),
        _with_file(lambda told: LocatedFile(told.task_id, told.file, told.inode + 1)),
        _with_file(lambda told: LocatedFile("t9", told.file, told.inode)),
        lambda told: Located(told.host_id, ()),
    ],
    ids=["host", "no host", "path", "size", "inode", "attempt", "nothing"],
)
def test_file_that_is_not_the_one_is_fetched_instead(
    peer: _Peer, server: FlightServer, fetcher: FlightFetcher, change: Change
) -> None:
    """What cannot be proved to be the peer's file is not read; its rows come over Flight."""
    peer.change = change

    fetched = _fetch(peer, fetcher, _order(server, ("t1", 0, 2, 0)))

    assert not fetched.in_place
    assert _rows(fetched, 0) == [1, 2]


def test_file_of_another_user_is_fetched_instead(
    peer: _Peer, server: FlightServer, fetcher: FlightFetcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody passes a file of his own off as an executor's."""
    monkeypatch.setattr(os, "geteuid", lambda: os.getuid() + 1)

    assert not _fetch(peer, fetcher, _order(server, ("t1", 0, 2, 0))).in_place


def test_executor_on_another_host_is_asked_once(
    peer: _Peer, server: FlightServer, fetcher: FlightFetcher
) -> None:
    """A task does not pay a call for each input that it fetches from afar."""
    peer.change = lambda told: Located("another host", told.files)
    for _ in range(3):
        assert not _fetch(peer, fetcher, _order(server, ("t1", 0, 2, 0))).in_place

    assert peer.asked == 1


def test_executor_that_cannot_tell_is_fetched_from(peer: _Peer, fetcher: FlightFetcher) -> None:
    """An answer that does not decode costs the short way, not the task."""
    with FlightServer("grpc://127.0.0.1:0", peer, lambda _: b"\xff") as garbled:
        fetched = _fetch(peer, fetcher, _order(garbled, ("t1", 0, 2, 0)))

    assert not fetched.in_place
    assert _rows(fetched, 0) == [1, 2]


def test_rows_other_than_known_are_not_believed(
    peer: _Peer, server: FlightServer, fetcher: FlightFetcher
) -> None:
    """A file with more rows than the scheduler knows of fails as a fetch does."""
    with pytest.raises(InputError):
        _fetch(peer, fetcher, _order(server, ("t1", 0, 1, 0)))


def test_lost_output_is_told_as_lost(
    peer: _Peer, server: FlightServer, fetcher: FlightFetcher
) -> None:
    """An output that somebody removed is made again."""
    Path(peer.files["t1"].path).unlink()
    with pytest.raises(InputError) as raised:
        _fetch(peer, fetcher, _order(server, ("t1", 0, 2, 0)))

    assert type(raised.value.error) is InputLostError
    assert raised.value.lost_task_id == "t1"


def test_place_is_told_for_a_ticket_only(server: FlightServer) -> None:
    """Where files lie is told to those who may read them (P5.2)."""
    forged = sign(TicketClaims(expires_ms=FAR_MS, read_upload=ReadUpload(upload_id="u")), bytes(32))
    with flight.connect(f"grpc://127.0.0.1:{server.port}") as client:
        for ticket in (b"", forged):
            with pytest.raises(flight.FlightError) as raised:
                list(client.do_action(flight.Action(LOCATE, ticket)))
            assert type(error_from_flight(raised.value)) is TicketInvalidError


def test_answer_with_columns_of_different_lengths_is_refused() -> None:
    """Half a block is no block."""
    partition = files_pb2.LocatedPartition(numbers=[0, 1], starts=[0])
    file = files_pb2.LocatedFile(path="/x", partitions=[partition])

    with pytest.raises(MessageGarbledError):
        located_from_bytes(files_pb2.LocatedFiles(files=[file]).SerializeToString())


@pytest.mark.parametrize("place", [0.1, 0.5, 0.9])
def test_linked_block_with_a_flipped_bit_is_a_lost_input(
    peer: _Peer, server: FlightServer, fetcher: FlightFetcher, place: float
) -> None:
    """P5.4: what is read in place is looked at first, and its attempt is named."""
    flip_bit(peer.files["t1"], 1, place)
    with pytest.raises(InputError) as raised:
        _fetch(peer, fetcher, _order(server, ("t1", 1, 1, 0)))
    assert isinstance(raised.value.error, InputLostError)
    assert raised.value.lost_task_id == "t1"


def test_flipped_bit_that_is_not_read_is_no_matter(
    peer: _Peer, server: FlightServer, fetcher: FlightFetcher
) -> None:
    """Only blocks that are read are looked at."""
    flip_bit(peer.files["t1"], 1, 0.5)
    assert _rows(_fetch(peer, fetcher, _order(server, ("t1", 0, 2, 0))), 0) == [1, 2]


def test_lost_output_among_others_is_named(
    peer: _Peer, server: FlightServer, fetcher: FlightFetcher
) -> None:
    """The peer says which of the outputs it does not have: that one is made again, no other."""
    with pytest.raises(InputError) as raised:
        _fetch(peer, fetcher, _order(server, ("t1", 0, 2, 0), ("gone", 0, 1, 0)))
    assert raised.value.lost_task_id == "gone"
