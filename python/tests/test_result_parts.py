"""Parts of a result that are lost: which are asked for again, and where reading goes on."""

from collections.abc import Callable, Iterator, Sequence

import pyarrow as pa
import pytest

from springald.errors import (
    DivisionByZeroError,
    FetchFailedError,
    InputLostError,
    SpringaldError,
    TicketExpiredError,
)
from springald.part_reader import PartReader
from springald.result_parts import Parts, ResultChangedError, lost_outputs, rows_before
from springald.scheduler.v1 import scheduler_pb2 as pb

SCHEMA = pa.schema([("a", pa.int64())])


def part(*outputs: tuple[str, int, int], address: str = "e1") -> pb.ResultPart:
    """A part of outputs: attempt, rows, digest."""
    told = [pb.ResultOutput(task_id=name, rows=rows, digest=d) for name, rows, d in outputs]
    return pb.ResultPart(
        flight_address=address, rows=sum(rows for _, rows, _ in outputs), outputs=told
    )


class Place:
    """A transport whose parts have the numbers 0, 1, 2 …, and break after some batches."""

    def __init__(self, breaks: dict[str, int]) -> None:
        self.breaks = breaks
        self.opened: list[str] = []

    def read_part(self, part: pb.ResultPart) -> "Rows":
        """Opens a part; those of an address that breaks end after so many rows."""
        self.opened.append(part.flight_address)
        values = list(range(part.rows))
        return Rows(values, self.breaks.get(part.flight_address))


class Rows:
    """Rows in batches of one."""

    schema = SCHEMA

    def __init__(self, values: list[int], breaks_after: int | None) -> None:
        self._rows = self._read(values, breaks_after)

    def __iter__(self) -> "Rows":
        return self

    def __next__(self) -> pa.RecordBatch:
        return next(self._rows)

    def close(self) -> None:
        """Does nothing."""

    def _read(self, values: list[int], breaks_after: int | None) -> Iterator[pa.RecordBatch]:
        for place, value in enumerate(values):
            if place == breaks_after:
                raise FetchFailedError("gone")
            yield pa.record_batch({"a": [value]}, schema=SCHEMA)


def read(place: Place, parts: Parts, restored: Parts) -> tuple[list[int], list[Sequence[str]]]:
    """Reads parts; returns the values, and what was asked for again."""
    asked: list[Sequence[str]] = []

    def restore(lost: Sequence[str], _: Callable[..., None]) -> Parts:
        asked.append(list(lost))
        return restored

    reader = PartReader(place, parts, restore)  # type: ignore[arg-type]
    return [value for batch in reader for value in batch["a"].to_pylist()], asked


def test_part_that_breaks_is_made_again_and_taken_up_where_it_broke_off() -> None:
    """No row is given out twice, and none is left out."""
    parts = [part(("j1/s2/t1#1", 2, 7)), part(("j1/s2/t2#1", 3, 8), address="e2")]
    again = [part(("j1/s2/t1#1", 2, 7)), part(("j1/s2/t2#2", 3, 8), address="e3")]
    values, asked = read(Place({"e2": 1}), parts, again)
    assert values == [0, 1, 0, 1, 2]
    assert asked == [["j1/s2/t2#1"]]


def test_part_that_was_not_begun_may_be_another_one() -> None:
    """Rows of which none was given out may be in another order, and other attempts'."""
    parts = [part(("j1/s2/t1#1", 2, 7)), part(("j1/s2/t2#1", 3, 8), address="e2")]
    again = [part(("j1/s2/t1#1", 2, 7)), part(("j1/s2/t2#2", 4, 9), address="e3")]
    values, _ = read(Place({"e2": 0}), parts, again)
    assert values == [0, 1, 0, 1, 2, 3]


@pytest.mark.parametrize(
    "again", [("j1/s2/t1#2", 3, 9), ("j1/s2/t1#2", 3, 0), ("j1/s2/t1#2", 4, 7)]
)
def test_rows_that_were_given_out_cannot_be_taken_back(again: tuple[str, int, int]) -> None:
    """Whoever has read rows that are others now, or may be, is told so."""
    with pytest.raises(ResultChangedError, match="run the query again"):
        read(Place({"e1": 1}), [part(("j1/s2/t1#1", 3, 7))], [part(again, address="e2")])


def test_part_that_breaks_again_and_again_fails_with_its_error() -> None:
    """Every try is counted."""
    parts = [part(("j1/s2/t1#1", 3, 7))]
    with pytest.raises(FetchFailedError, match="gone"):
        read(Place({"e1": 1}), parts, parts)


@pytest.mark.parametrize(
    ("error", "lost"),
    [
        (FetchFailedError("m"), ["a", "b"]),
        (InputLostError("m", node_id="b"), ["b"]),
        (InputLostError("m", node_id="other"), ["a", "b"]),
        (TicketExpiredError("m"), []),
        (DivisionByZeroError("m"), None),
        (ResultChangedError([]), None),
    ],
)
def test_outputs_to_ask_for_follow_from_the_error(
    error: SpringaldError, lost: list[str] | None
) -> None:
    """An error that names an output asks for that one; an old ticket for none."""
    assert lost_outputs(error, part(("a", 1, 1), ("b", 1, 1))) == lost


def test_part_without_outputs_cannot_be_made_again() -> None:
    """A scheduler of a former version does not tell of what its parts consist."""
    assert lost_outputs(FetchFailedError("m"), pb.ResultPart(rows=1)) is None


def test_rows_before_are_compared_across_parts() -> None:
    """What counts is the order of the outputs, not how they are put together into parts."""
    former = [part(("t1#1", 2, 5), ("t2#1", 2, 6))]
    now = [part(("t1#2", 2, 5)), part(("t2#2", 2, 9))]
    rows_before(former, now, 2)
    with pytest.raises(ResultChangedError):
        rows_before(former, now, 3)
