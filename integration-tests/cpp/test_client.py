"""What the C++ client has of its own: the table of codes, and Arrow's types as messages."""

from collections.abc import Iterator

import pyarrow as pa
import pytest
from fake_cluster import Script, running_cluster

from cpp.programs import ROOT, run
from springald.errors import SchedulerUnavailableError
from springald.type.v1 import type_pb2
from springald.types import schema_to_proto

CODES = ROOT / "docs" / "protocol" / "errors.md"

LEAVES = [
    *(pa.null(), pa.bool_(), pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8()),
    *(pa.uint16(), pa.uint32(), pa.uint64(), pa.float16(), pa.float32(), pa.float64()),
    *(pa.string(), pa.large_string(), pa.string_view()),
    *(pa.binary(), pa.large_binary(), pa.binary_view(), pa.binary(3)),
    *(pa.decimal32(9, 2), pa.decimal64(18, -2), pa.decimal128(38, 5), pa.decimal256(76, 0)),
    *(pa.date32(), pa.date64(), pa.time32("s"), pa.time32("ms"), pa.time64("us"), pa.time64("ns")),
    *(pa.timestamp(unit) for unit in ("s", "ms", "us", "ns")),
    pa.timestamp("us", "Europe/Riga"),
    *(pa.duration(unit) for unit in ("s", "ms", "us", "ns")),
    pa.month_day_nano_interval(),
]
NESTED = [
    *(make(pa.int8()) for make in (pa.list_, pa.large_list, pa.list_view, pa.large_list_view)),
    pa.list_(pa.field("of", pa.string(), nullable=False, metadata={"k": "v"}), 4),
    pa.struct([("a", pa.int8()), ("a", pa.struct([]))]),
    pa.map_(pa.string(), pa.list_(pa.int64()), keys_sorted=True),
    pa.dense_union([pa.field("x", pa.int8()), pa.field("y", pa.string())], [5, 2]),
    pa.sparse_union([pa.field("x", pa.int8())], [127]),
    *(pa.dictionary(index, pa.string()) for index in (pa.int8(), pa.uint16(), pa.int64())),
    pa.dictionary(pa.int32(), pa.list_(pa.int8()), ordered=True),
    pa.run_end_encoded(pa.int16(), pa.float32()),
]


def _codes() -> Iterator[str]:
    for line in CODES.read_text().splitlines():
        cells = [cell.strip(" `") for cell in line.split("|")]
        if len(cells) > 5 and cells[1].isdecimal():
            yield f"{cells[1]} {cells[2]} {cells[4]} {cells[5]}"


def test_codes_are_those_of_the_table() -> None:
    """Every code has the name, the fault and the worth of another try that the contract says."""
    assert run("tests/codes").decode().splitlines() == list(_codes())


@pytest.mark.parametrize("data_type", [*LEAVES, *NESTED], ids=str)
def test_schema_of_each_type_comes_back_the_same(data_type: pa.DataType) -> None:
    """A schema that was read and written again is the same message."""
    field = pa.field("column", data_type, metadata={"b": "2", "a": "1"})
    message = schema_to_proto(pa.schema([field], metadata={"of": "the table"}))
    back = run("tests/schema_round_trip", stdin=message.SerializeToString())
    assert type_pb2.Schema.FromString(back) == message


def test_schema_too_deep_is_refused() -> None:
    """A type that is nested deeper than the contract allows is a caller's error, not a crash."""
    message = schema_to_proto(pa.schema({"x": pa.int8()}))
    inner = message.fields[0].type
    for _ in range(32):
        outer = type_pb2.DataType(list_type=type_pb2.ListType(layout=type_pb2.LIST_LAYOUT_LIST))
        outer.children.add(name="item", type=inner, nullable=True)
        inner = outer
    message.fields[0].type.CopyFrom(inner)
    printed = run("tests/schema_round_trip", stdin=message.SerializeToString())
    assert printed.startswith(b"[INVALID_ARGUMENT] a type is at most TYPE_DEPTH_MAX = 32")


def test_result_is_read_once() -> None:
    """A second reading is refused, of rows that came with the news as of rows that were fetched."""
    with running_cluster() as cluster:
        cluster.scripts["inline"] = Script(rows=pa.table({"a": [1, 2, 3]}), inline=True)
        cluster.scripts["parts"] = Script(rows=pa.table({"a": [1, 2, 3, 4]}), parts=2)
        printed = run("tests/read_twice", cluster.url, "inline", "parts").decode()
    assert printed.splitlines() == [
        "3 JOB_NOT_FOUND JOB_NOT_FOUND",
        "4 JOB_NOT_FOUND JOB_NOT_FOUND",
    ]


def test_statement_that_reaches_nobody_is_told_so() -> None:
    """A scheduler that is away all the time that a statement may take was not too slow."""
    with running_cluster() as cluster:
        cluster.scripts["away"] = Script(refusal=SchedulerUnavailableError("away"))
        printed = run("tests/accept_timeout", cluster.url, "300", "away").decode()
    assert printed == "SCHEDULER_UNAVAILABLE\n"


def test_format_table_keeps_each_row_on_a_line() -> None:
    """A dictionary's value stands for itself, bytes in base 16, and no text breaks a line."""
    table = pa.table(
        {
            "d": pa.array(["q", None]).dictionary_encode(),
            "b": pa.array([b"\x00\xff", b""]),
            "t": pa.array(["a\nb", "c"]),
        }
    )
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as writer:
        writer.write_table(table)
    drawn = run("tests/table_text", stdin=sink.getvalue().to_pybytes()).decode()
    assert drawn.splitlines() == ["d  b     t", "-  ----  ---", "q  00FF  a b", "         c"]
