"""Flight: outputs, results and uploads for those with a ticket, and typed errors for the others."""

import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import flight

from springald.codec.flight_errors import error_from_flight, flight_error_from
from springald.errors import (
    FetchFailedError,
    InputLostError,
    InternalError,
    MessageGarbledError,
    OutOfDiskError,
    SpringaldError,
    TicketExpiredError,
    TicketInvalidError,
    UnsupportedError,
)
from springald.executor.v1.executor_pb2 import (
    OutputSelection,
    ReadOutputs,
    ReadUpload,
    StoreUpload,
    TicketClaims,
)
from springald.results import plain_schema, restore, with_result_schema
from springald.tickets import sign
from springald_executor.core.limits import FETCH_CALLS_MAX, UPLOAD_BLOCK_ROWS_MAX
from springald_executor.core.model import Grant, OutputsWanted, StoredFile, UploadWanted, Wanted
from springald_executor.shuffle.fetch import FlightFetcher
from springald_executor.shuffle.orders import FetchOrder, InputError, Selection
from springald_executor.shuffle.reader import StoredFileReader
from springald_executor.shuffle.server import FlightServer
from springald_executor.shuffle.space import Roots, Space
from springald_executor.shuffle.writer import OutputWriter

KEY = bytes(range(32))
FAR_MS = 2**62


class _Library:
    """Outputs and uploads of a test."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.outputs: dict[tuple[str, str], StoredFile] = {}
        self.uploads: dict[str, StoredFile] = {}
        self.key: bytes | None = KEY
        self.given_up: list[str] = []

    def ticket_key(self) -> bytes | None:
        return self.key

    def find_output(self, job_id: str, task_id: str) -> StoredFile | None:
        return self.outputs.get((job_id, task_id))

    def find_upload(self, upload_id: str) -> StoredFile | None:
        return self.uploads.get(upload_id)

    def begin_upload(self, upload_id: str) -> Space:
        if upload_id in self.uploads:
            raise TicketInvalidError("here already")
        return self.space(f"uploads/{upload_id}")

    def end_upload(self, upload_id: str, file: StoredFile | None) -> None:
        if file is None:
            self.given_up.append(upload_id)
        else:
            self.uploads[upload_id] = file

    def space(self, name: str) -> Space:
        return Space(Roots(disk=self.folder), Grant(name, 0))

    def put(self, task_id: str, rows: dict[int, list[pa.RecordBatch]], schema: pa.Schema) -> None:
        """Writes an output of job j1, each batch as a block."""
        file = self.space(task_id).create("output.arrow")
        writer = OutputWriter(file, schema, gather_bytes=1)
        for partition, batches in rows.items():
            for batch in batches:
                writer.write(partition, batch)
        self.outputs["j1", task_id] = writer.finish()


@pytest.fixture
def library(tmp_path: Path) -> _Library:
    """Nothing yet."""
    return _Library(tmp_path)


@pytest.fixture
def server(library: _Library) -> Iterator[FlightServer]:
    """A server of the library on a free port."""
    with FlightServer("grpc://127.0.0.1:0", library) as running:
        yield running


@pytest.fixture
def client(server: FlightServer) -> Iterator[flight.FlightClient]:
    """A client of the server."""
    with flight.connect(f"grpc://127.0.0.1:{server.port}") as connected:
        yield connected


def outputs_ticket(
    *selections: tuple[str, int], job: str = "j1", key: bytes = KEY, expires_ms: int = FAR_MS
) -> flight.Ticket:
    """A ticket for partitions of outputs."""
    selected = [OutputSelection(task_id=task, partition=part) for task, part in selections]
    claims = TicketClaims(expires_ms=expires_ms)
    claims.read_outputs.CopyFrom(ReadOutputs(job_id=job, selections=selected))
    return flight.Ticket(sign(claims, key))


def upload_ticket(upload_id: str) -> bytes:
    """A ticket to store an upload."""
    store = StoreUpload(upload_id=upload_id)
    return sign(TicketClaims(expires_ms=FAR_MS, store_upload=store), KEY)


def numbers(*values: int) -> pa.RecordBatch:
    """A batch of one column."""
    return pa.record_batch({"a": pa.array(values, pa.int64())})


def refusal(client: flight.FlightClient, ticket: flight.Ticket) -> SpringaldError:
    """The typed error of a read."""
    with pytest.raises(Exception) as raised:  # noqa: PT011 - of any Flight class
        client.do_get(ticket).read_all()
    return error_from_flight(raised.value)


def test_partitions_come_in_the_order_of_the_ticket(
    library: _Library, client: flight.FlightClient
) -> None:
    """Selections are streamed one after the other, from as many outputs as they name."""
    schema = numbers().schema
    library.put("t1", {0: [numbers(1), numbers(2)], 1: [numbers(3)]}, schema)
    library.put("t2", {1: [numbers(4, 5)]}, schema)

    ticket = outputs_ticket(("t2", 1), ("t1", 1), ("t1", 0), ("t1", 7))

    assert client.do_get(ticket).read_all()["a"].to_pylist() == [4, 5, 3, 1, 2]


def test_output_without_rows_gives_its_schema(
    library: _Library, client: flight.FlightClient
) -> None:
    """A reader finds the columns of an empty result."""
    library.put("t1", {}, numbers().schema)

    assert client.do_get(outputs_ticket(("t1", 0))).read_all().schema == numbers().schema


def test_rows_without_columns_are_counted(library: _Library, client: flight.FlightClient) -> None:
    """A batch without columns arrives as its number of rows."""
    counted = numbers(1, 2, 3).select([])
    library.put("t1", {0: [counted, counted]}, counted.schema)

    chunks = list(client.do_get(outputs_ticket(("t1", 0))))

    assert sum(chunk.data.num_rows for chunk in chunks) == 6


def test_result_comes_with_the_types_that_were_promised(
    library: _Library, client: flight.FlightClient
) -> None:
    """Views and dictionaries lie as plain types in the file and are restored on the way out."""
    promised = pa.schema([("d", pa.dictionary(pa.int32(), pa.string())), ("v", pa.string_view())])
    file_schema = with_result_schema(plain_schema(promised), promised)
    first = pa.record_batch([["x", "y"], ["p", None]], schema=plain_schema(promised))
    second = pa.record_batch([["y", "z"], ["q", "r"]], schema=plain_schema(promised))
    library.put("t1", {0: [first, second]}, file_schema)

    table = client.do_get(outputs_ticket(("t1", 0))).read_all()

    assert table.schema == promised
    assert table.to_pylist() == [*first.to_pylist(), *second.to_pylist()]


@pytest.mark.parametrize(
    ("ticket", "kind"),
    [
        (flight.Ticket(b"garbage"), TicketInvalidError),
        (outputs_ticket(("t1", 0), key=bytes(32)), TicketInvalidError),
        (outputs_ticket(("t1", 0), expires_ms=1), TicketExpiredError),
        (outputs_ticket(), TicketInvalidError),
        (outputs_ticket(("t1", 0), job="j2"), InputLostError),
        (outputs_ticket(("t9", 0)), InputLostError),
        (flight.Ticket(upload_ticket("u1")), TicketInvalidError),
    ],
    ids=["garbage", "foreign", "expired", "empty", "other job", "unknown", "for storing"],
)
def test_ticket_that_opens_nothing_is_refused(
    library: _Library,
    client: flight.FlightClient,
    ticket: flight.Ticket,
    kind: type[SpringaldError],
) -> None:
    """A ticket is signed, ends, and opens what it names of one job, and nothing else (P5.2)."""
    library.put("t1", {0: [numbers(1)]}, numbers().schema)

    assert type(refusal(client, ticket)) is kind


def test_nothing_is_served_before_the_executor_has_a_key(
    library: _Library, client: flight.FlightClient
) -> None:
    """Without the cluster's key no ticket can be told from a forged one."""
    library.key = None

    assert type(refusal(client, outputs_ticket(("t1", 0)))) is TicketInvalidError


def test_damaged_output_is_a_lost_input(library: _Library, client: flight.FlightClient) -> None:
    """A damaged block ends the stream with the attempt that made it, not with wrong rows (P5.4)."""
    library.put("t1", {0: [numbers(*range(1_000)), numbers(*range(1_000))]}, numbers().schema)
    file = library.outputs["j1", "t1"]
    with Path(file.path).open("r+b") as changed:
        changed.seek(file.blocks[0][1].end - 100)
        changed.write(b"\xff\xff")

    error = refusal(client, outputs_ticket(("t1", 0)))

    assert type(error) is InputLostError
    assert error.node_id == "t1"


def test_removed_output_is_a_lost_input(library: _Library, client: flight.FlightClient) -> None:
    """A file that somebody removed is told as lost."""
    library.put("t1", {0: [numbers(1)]}, numbers().schema)
    Path(library.outputs["j1", "t1"].path).unlink()

    assert type(refusal(client, outputs_ticket(("t1", 0)))) is InputLostError


@pytest.mark.parametrize(
    "call",
    [
        lambda client: list(client.list_flights()),
        lambda client: client.get_flight_info(flight.FlightDescriptor.for_path("x")),
        lambda client: client.get_schema(flight.FlightDescriptor.for_path("x")),
        lambda client: list(client.do_action(flight.Action("x", b""))),
        lambda client: list(client.do_action(flight.Action("locate", b""))),
        lambda client: client.list_actions(),
        lambda client: client.do_exchange(flight.FlightDescriptor.for_path("x"))[1].read_chunk(),
    ],
    ids=[
        "list_flights",
        "get_flight_info",
        "get_schema",
        "do_action",
        "locate",
        "list_actions",
        "exchange",
    ],
)
def test_every_other_call_is_refused(client: flight.FlightClient, call: Any) -> None:  # noqa: ANN401
    """A Flight server refuses every request that it does not know (P5.2)."""
    with pytest.raises(Exception) as raised:  # noqa: PT011 - of any Flight class
        call(client)

    assert type(error_from_flight(raised.value)) is UnsupportedError


def store(
    client: flight.FlightClient, upload_id: str, table: pa.Table, *, complete: bool = True
) -> None:
    """Sends a table as a client does."""
    descriptor = flight.FlightDescriptor.for_command(upload_ticket(upload_id))
    writer, _ = client.do_put(descriptor, table.schema)
    with writer:
        writer.write_table(table)
        if complete:
            none = pa.RecordBatch.from_pylist([], schema=table.schema)
            writer.write_with_metadata(none, b"complete")


def test_upload_is_stored_in_blocks_that_tasks_can_share(
    library: _Library, client: flight.FlightClient
) -> None:
    """An upload of some megabytes has several partitions, each a run of neighbouring blocks."""
    table = pa.table({"a": range(2_000_000)})
    store(client, "u1", table)
    file = library.uploads["u1"]

    assert sorted(file.blocks) == [0, 1, 2]
    assert all(len(list(file.ranges(partition))) == 1 for partition in file.blocks)
    with StoredFileReader(file, "u1") as reader:
        rows = [batch for partition in sorted(file.blocks) for batch in reader.read(partition)]
    assert max(batch.num_rows for batch in rows) < 4 * UPLOAD_BLOCK_ROWS_MAX
    assert pa.Table.from_batches(rows) == table


def test_upload_with_dictionaries_and_views_is_stored_plain(
    library: _Library, client: flight.FlightClient
) -> None:
    """The engine reads files with plain types, so that is what an upload becomes."""
    texts = pa.array(["x", "y", None])
    table = pa.table({"d": texts.dictionary_encode(), "v": texts.cast(pa.string_view())})
    store(client, "u1", table)

    with StoredFileReader(library.uploads["u1"], "u1") as reader:
        assert reader.schema == plain_schema(table.schema)
        assert pa.Table.from_batches(reader.read(0)).to_pylist() == table.to_pylist()


def test_empty_upload_is_stored(library: _Library, client: flight.FlightClient) -> None:
    """A table without rows is a table."""
    store(client, "u1", numbers().schema.empty_table())

    assert library.uploads["u1"].rows == 0


def test_upload_that_breaks_off_is_not_stored(
    library: _Library, client: flight.FlightClient
) -> None:
    """Flight ends an aborted call like a finished one, so the last message says which it was."""
    with pytest.raises(flight.FlightError) as raised:
        store(client, "u1", pa.table({"a": [1]}), complete=False)

    assert type(error_from_flight(raised.value)) is MessageGarbledError
    assert library.given_up == ["u1"]
    assert not list(library.folder.rglob("*.arrow"))


def test_upload_without_a_ticket_is_refused(library: _Library, client: flight.FlightClient) -> None:
    """Rows are stored where a ticket says so, and with no other kind of ticket."""
    for command in (b"garbage", outputs_ticket(("t1", 0)).ticket):
        descriptor = flight.FlightDescriptor.for_command(command)
        with pytest.raises(flight.FlightError) as raised:
            client.do_put(descriptor, numbers().schema)[0].close()
        assert type(error_from_flight(raised.value)) is TicketInvalidError
    assert not library.uploads
    assert not library.given_up


def test_second_upload_with_one_ticket_is_refused(client: flight.FlightClient) -> None:
    """An upload is stored once."""
    store(client, "u1", numbers(1).schema.empty_table())

    with pytest.raises(flight.FlightError) as raised:
        store(client, "u1", numbers(1).schema.empty_table())
    assert type(error_from_flight(raised.value)) is TicketInvalidError


def test_upload_to_a_full_disk_leaves_nothing_behind(
    library: _Library, client: flight.FlightClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An upload that does not fit is given up, with its half of a file."""
    full = OutOfDiskError("full")

    def fail(*_: object) -> None:
        raise full

    monkeypatch.setattr("springald_executor.shuffle.space.SpaceFile._append", fail)
    with pytest.raises(flight.FlightError) as raised:
        store(client, "u1", pa.table({"a": range(100_000)}))

    assert type(error_from_flight(raised.value)) is OutOfDiskError
    assert library.given_up == ["u1"]
    assert not list(library.folder.rglob("*.arrow"))


def fetch(
    server: FlightServer | None,
    library: _Library,
    selections: list[Selection],
    wanted: Wanted | None = None,
    silence_ms_max: int = 10_000,
    gather_bytes: int = 1,
    address: str = "",
) -> StoredFile:
    """Fetches from the server as an engine does."""
    asked = wanted or OutputsWanted("j1", tuple((each.task_id, 0) for each in selections))

    def ticket(wanted: Wanted) -> bytes:
        if isinstance(wanted, OutputsWanted):
            return bytes(outputs_ticket(*wanted.selections, job=wanted.job_id).ticket)
        read = ReadUpload(upload_id=wanted.upload_id)
        return sign(TicketClaims(expires_ms=FAR_MS, read_upload=read), KEY)

    where = address or f"127.0.0.1:{server.port if server else 1}"
    order = FetchOrder(where, asked, tuple(selections), "in.arrow", gather_bytes)
    fetcher = FlightFetcher(ticket, silence_ms_max=silence_ms_max)
    (fetched,) = fetcher.fetch([order], library.space("fetched"))
    (file,) = fetched.files
    return file


def rows_of(file: StoredFile, partition: int) -> list[int]:
    """The values of a partition."""
    with StoredFileReader(file, "t") as reader:
        return [value for batch in reader.read(partition) for value in batch["a"].to_pylist()]


def test_fetch_puts_rows_of_several_outputs_side_by_side(
    library: _Library, server: FlightServer
) -> None:
    """A partition that comes from several tasks is one range of the local file."""
    library.put("t1", {0: [numbers(1), numbers(2)], 1: [numbers(3)]}, numbers().schema)
    library.put("t2", {0: [numbers(4, 5)], 1: [numbers(6)]}, numbers().schema)
    wanted = OutputsWanted("j1", (("t1", 0), ("t2", 0), ("t1", 1), ("t2", 1)))
    selections = [
        Selection("t1", 2, 0),
        Selection("t2", 2, 0),
        Selection("t1", 1, 1),
        Selection("t2", 1, 1),
    ]

    file = fetch(server, library, selections, wanted, gather_bytes=10_000)

    assert rows_of(file, 0) == [1, 2, 4, 5]
    assert rows_of(file, 1) == [3, 6]
    assert [len(list(file.ranges(partition))) for partition in (0, 1)] == [1, 1]


def test_more_fetches_than_run_at_once_all_come(library: _Library, server: FlightServer) -> None:
    """Calls are bounded; what does not run at once runs later, and files come in order."""
    count = FETCH_CALLS_MAX + 5
    for number in range(count):
        library.put(f"t{number}", {0: [numbers(number)]}, numbers().schema)
    orders = [
        FetchOrder(
            f"127.0.0.1:{server.port}",
            OutputsWanted("j1", ((f"t{number}", 0),)),
            (Selection(f"t{number}", 1, 0),),
            f"in-{number}.arrow",
        )
        for number in range(count)
    ]

    def ticket(wanted: Wanted) -> bytes:
        assert isinstance(wanted, OutputsWanted)
        return bytes(outputs_ticket(*wanted.selections, job=wanted.job_id).ticket)

    fetched = FlightFetcher(ticket).fetch(orders, library.space("fetched"))

    assert [rows_of(each.files[0], 0) for each in fetched] == [[number] for number in range(count)]


def test_fetch_of_an_upload_keeps_its_blocks(
    library: _Library, client: flight.FlightClient, server: FlightServer
) -> None:
    """A copy has the blocks of the original, so that both are divided alike."""
    store(client, "u1", pa.table({"a": range(300_000)}))

    file = fetch(server, library, [], UploadWanted("u1"))

    original = [block.rows for blocks in library.uploads["u1"].blocks.values() for block in blocks]
    assert [block.rows for block in file.blocks[0]] == original


@pytest.mark.parametrize("rows", [1, 3])
def test_fetch_with_other_rows_than_known_fails(
    library: _Library, server: FlightServer, rows: int
) -> None:
    """A peer that sends more or fewer rows than the scheduler knows of is not believed."""
    library.put("t1", {0: [numbers(1, 2)]}, numbers().schema)

    with pytest.raises(InputError) as raised:
        fetch(server, library, [Selection("t1", rows, 0)])

    assert type(raised.value.error) is FetchFailedError
    assert raised.value.lost_task_id == "t1"


def test_fetch_of_a_lost_output_names_the_attempt(library: _Library, server: FlightServer) -> None:
    """An output that is gone at its executor is lost, and is made again."""
    with pytest.raises(InputError) as raised:
        fetch(server, library, [Selection("t1", 1, 0)])

    assert type(raised.value.error) is InputLostError
    assert raised.value.lost_task_id == "t1"


def test_fetch_from_an_executor_that_is_gone_fails(library: _Library) -> None:
    """A peer that cannot be reached is a failed fetch, at once."""
    with pytest.raises(InputError) as raised:
        fetch(None, library, [Selection("t1", 1, 0)])

    assert type(raised.value.error) is FetchFailedError
    assert raised.value.error.retryable


class _Silent(flight.FlightServerBase):  # type: ignore[misc]  # published without types
    """Stops sending, before the first batch or after it, until it is released."""

    def __init__(self, *, answers: bool) -> None:
        super().__init__("grpc://127.0.0.1:0")
        self.answers = answers
        self.released = threading.Event()

    def do_get(self, _: object, __: object) -> flight.FlightDataStream:
        if not self.answers:
            self.released.wait(30)
        return flight.GeneratorStream(numbers().schema, self._rows())

    def _rows(self) -> Iterator[pa.RecordBatch]:
        yield numbers(1)
        self.released.wait(30)
        raise flight_error_from(InternalError("released"))


@pytest.mark.parametrize("answers", [True, False])
def test_fetch_from_a_silent_peer_fails_at_its_deadline(
    library: _Library, *, answers: bool
) -> None:
    """A peer that sends nothing for a named time is a failed fetch, even if it lives."""
    with _Silent(answers=answers) as silent:
        began = time.monotonic()
        with pytest.raises(InputError, match="sends rows at least every") as raised:
            fetch(
                None,
                library,
                [Selection("t1", 2, 0)],
                silence_ms_max=200,
                address=f"127.0.0.1:{silent.port}",
            )
        elapsed_s = time.monotonic() - began
        silent.released.set()

    assert raised.value.lost_task_id == "t1"
    assert 0.2 <= elapsed_s < 5


def test_restored_rows_are_equal_after_a_fetch_of_every_type(
    library: _Library, server: FlightServer
) -> None:
    """Nothing is lost between an executor's file and its copy at another one."""
    schema = pa.schema(
        [
            ("l", pa.list_(pa.struct([("x", pa.decimal128(10, 2))]))),
            ("m", pa.map_(pa.string(), pa.int8())),
            ("t", pa.timestamp("ns", "Asia/Kolkata")),
            ("n", pa.null()),
        ]
    )
    row = {"l": [{"x": None}], "m": [("k", 1)], "t": 5, "n": None}
    batch = pa.RecordBatch.from_pylist([row, dict.fromkeys(row)], schema)
    library.put("t1", {0: [batch]}, schema)

    file = fetch(server, library, [Selection("t1", 2, 0)])

    with StoredFileReader(file, "t1") as reader:
        (copied,) = reader.read(0)
    assert copied.equals(restore(batch, schema))
