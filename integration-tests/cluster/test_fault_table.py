"""The runner of faults itself: what it counts, what it does not let pass, and what it publishes."""

import socket
import threading
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import cast

import pytest

from faults import keep, tally
from faults.bench import Bench
from faults.fleet import Fleet, Shape
from faults.outcomes import HungError, Outcome, Record
from faults.relay import Relay
from faults.runs import run_once
from faults.table import ROWS
from faults.tally import Tally

_ROW = ROWS[0]


def _right(seed: int, **told: object) -> Record:
    outcome = {"base_s": 1.0, "took_s": 1.5, **told}
    return Record(_ROW.name, seed, "right", Outcome(**outcome))  # type: ignore[arg-type]


@pytest.mark.parametrize("came_to", ["wrong", "broken", "hung"])
def test_run_that_goes_wrong_is_never_let_pass(came_to: str) -> None:
    """Whichever the row: one such run among many is told."""
    records = [*map(_right, range(99)), Record(_ROW.name, 99, came_to, why="it did")]
    for row in ROWS:
        counted = Tally(row.name, records)
        assert any(bar(counted) for bar in row.all_bars), row.name


def test_run_that_hangs_tells_what_each_process_does(tmp_path: Path) -> None:
    """Stacks of all threads of the scheduler and of each executor are in the error."""

    def hang(bench: Bench) -> Outcome:
        raise HungError(f"rows come: got {len(bench.fleet.alive)} executors")

    with closing(Fleet(tmp_path, Shape(executors=1))) as fleet:
        bench = cast("Bench", SimpleNamespace(fleet=fleet))
        with pytest.raises(HungError, match="rows come: got 1") as hung:
            run_once(bench, replace(_ROW, scenario=hang), 1)
        assert fleet.executors[0].is_alive
    scheduler, _, executor = str(hung.value).partition("\ne1:\n")
    for stacks in (scheduler, executor):
        assert "Current thread" in stacks
        assert "__main__.py" in stacks


def test_bars_hold_what_they_name() -> None:
    """Each lets pass what is within it, and tells what is beyond."""
    fine = Tally("x", [_right(1, lost=4, again=0, figures={"t, s": 4.0, "growth of x, %": 1.0})])
    bad = _right(2, took_s=3.0, lost=4, again=5, figures={"t, s": 6.0, "growth of x, %": 9.0})
    failed = Record("x", 3, "failed", Outcome(1.0, 1.0, finished=False))
    beyond = Tally("x", [bad, bad, failed])
    for bar in (
        tally.ratio_max(1.6),
        tally.again_within_lost,
        tally.kept_min(0.9),
        tally.each_at_most("t, s", 5),
        tally.no_growth(5.0),
        tally.unfinished_max(0),
    ):
        assert not bar(fine)
        assert bar(beyond)
    assert tally.some("t, s")(Tally("x", [_right(1)]))
    assert not tally.some("t, s")(fine)


def test_page_keeps_rows_that_were_not_run(tmp_path: Path) -> None:
    """Rows are run in pieces; each piece replaces what it has made anew, in the table's order."""
    page = tmp_path / "page.md"
    page.write_text(f"before\n{keep.BEGIN}\nold\n{keep.END}\nafter\n")
    first, second = ROWS[0].name, ROWS[1].name
    keep.write_page([Record(second, 1, "hung")], page)
    keep.write_page([_right(1), _right(2), _right(4)], page)
    before, *_, one, two, after = [
        line for line in page.read_text().splitlines() if "---" not in line and "<!--" not in line
    ]
    assert (before, after) == ("before", "after")
    assert one.startswith(f"| {first} | 3 of {ROWS[0].runs} | 0 | 0 | 0 | 1.5 |")
    assert one.endswith("| 1 to 2, 4 |")
    assert two.startswith(f"| {second} | 1 of {ROWS[1].runs} | 0 | 1 | 0 |")


def test_runs_are_kept_once_a_seed(tmp_path: Path) -> None:
    """A run that is repeated replaces the one before, and rows can be forgotten."""
    path = tmp_path / "kept"
    for record in (Record(_ROW.name, 1, "hung"), _right(1), Record("other", 1, "wrong")):
        keep.add(record, path)
    assert keep.load(path) == [_right(1), Record("other", 1, "wrong")]
    keep.forget(["other"], path)
    assert keep.load(path) == [_right(1)]


def test_relay_that_holds_tells_nobody_of_an_end() -> None:
    """Bytes go both ways; the end of one side comes to the other only when it lets go."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        relay = Relay(f"127.0.0.1:{server.getsockname()[1]}")
        here = socket.create_connection(("127.0.0.1", int(relay.address.rpartition(":")[2])))
        there, _ = server.accept()
        here.sendall(b"up")
        assert there.recv(2) == b"up"
        there.sendall(b"down")
        assert here.recv(4) == b"down"
        relay.hold()
        here.close()
        there.settimeout(0.2)
        with pytest.raises(TimeoutError):
            there.recv(1)
        there.settimeout(10)
        ended = threading.Thread(target=there.recv, args=(1,))
        ended.start()
        relay.let_go()
        ended.join(10)
        assert not ended.is_alive()
        there.close()
        relay.close()
