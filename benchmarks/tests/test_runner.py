"""How the harness has places take turns, with places that are made up."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from benchmarks import runner
from benchmarks.meters import Usage
from benchmarks.process import PlaceFailedError, PlaceSpec, Resources
from benchmarks.runner import REFERENCE, Outcome, Runner
from benchmarks.workloads.workload import Kind, Workload

NAMES = (REFERENCE, "a", "b")
ROWS = pa.table({"n": [1]})
Answer = Callable[[str, str], pa.Table]


class _Meter:
    @contextmanager
    def span(self) -> Iterator[Usage]:
        yield Usage()


class _Cast:
    """Makes places up: they answer as they are told to, and note who was asked what, and how."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.asked: list[tuple[str, str, float]] = []
        self.started: list[str] = []
        self.open: set[str] = set()

    def start(self, spec: PlaceSpec, *_: object) -> "_Place":
        self.started.append(spec.name)
        return _Place(self, spec)


class _Place:
    def __init__(self, cast: _Cast, spec: PlaceSpec) -> None:
        self.spec, self.versions, self.meter = spec, dict[str, str](), _Meter()
        self._cast = cast
        cast.open.add(spec.name)

    @property
    def alive(self) -> bool:
        return self.spec.name in self._cast.open

    def query(
        self, sql: str, timeout_s: float, **_: object
    ) -> tuple[Mapping[str, Any], Usage, pa.Table]:
        timed = {"seconds": 10.0, "first_row_s": 1.0, "rows": 1, "bytes": 8, "counters": {}}
        if sql.startswith("SELECT count(*)"):
            return timed, Usage(), ROWS
        self._cast.asked.append((self.spec.name, sql, timeout_s))
        try:
            rows = self._cast.answer(self.spec.name, sql)
        except PlaceFailedError:
            self.close()
            raise
        return timed, Usage(), rows

    def close(self) -> None:
        self._cast.open.discard(self.spec.name)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., tuple[_Cast, Outcome]]:
    """Runs two queries in three places, whose answers a function makes up."""

    def run(answer: Answer, runs: int, **options: bool) -> tuple[_Cast, Outcome]:
        cast = _Cast(answer)
        monkeypatch.setattr(runner, "PlaceProcess", cast.start)
        monkeypatch.setattr(runner, "_IDLE_S", 0)
        queries = {"q1": "one", "q2": "two"}
        workload = Workload("w", "W", Kind.QUERIES, lambda: {"t": tmp_path}, queries)
        specs = [PlaceSpec(name, name, 1, 1) for name in NAMES]
        lines: list[str] = []
        outcome = Runner(workload, specs, Resources(1, 1), lines.append).run(runs, **options)
        assert not cast.open
        return cast, outcome

    return run


Run = Callable[..., tuple[_Cast, Outcome]]


def test_places_take_turns_query_by_query(run: Run) -> None:
    """Each query is asked everywhere before the next, and after the first run in another order."""
    cast, _ = run(lambda *_: ROWS, 2)
    turns = [cast.asked[at : at + 3] for at in range(0, 12, 3)]
    assert [{sql for _, sql, _ in turn} for turn in turns] == [{"one"}, {"two"}] * 2
    assert all({name for name, _, _ in turn} == set(NAMES) for turn in turns)
    assert [turn[0][0] for turn in turns] == [REFERENCE, REFERENCE, "a", "b"]
    assert cast.started == list(NAMES)


def test_places_one_at_a_time_never_meet(run: Run) -> None:
    """Where the machine cannot hold all places, one is closed before the next is started."""
    cast, outcome = run(lambda *_: ROWS, 2, one_at_a_time=True)
    assert len(cast.started) == 2 * len(NAMES)
    names = [name for name, _, _ in cast.asked]
    assert all(names[at] == names[at + 1] for at in range(0, len(names), 2))
    assert all(len(cell.runs) == 2 for cells in outcome.cells.values() for cell in cells.values())


def test_time_allowed_follows_the_reference(run: Run) -> None:
    """Others get ten times what the engine alone took, once that is known."""
    cast, _ = run(lambda *_: ROWS, 1)
    assert {name: timeout_s for name, _, timeout_s in cast.asked} == {
        REFERENCE: 600,
        "a": 100,
        "b": 100,
    }


def test_wrong_rows_fail_and_are_not_asked_again(run: Run) -> None:
    """A place with other rows than the reference fails that query; nobody else is touched."""
    wrong = pa.table({"n": [2]})
    cast, outcome = run(lambda name, sql: wrong if (name, sql) == ("a", "one") else ROWS, 3)
    assert outcome.cells["a"]["q1"].failure.startswith("rows differ")
    assert outcome.cells["a"]["q2"].best_s == 10
    assert outcome.cells["b"]["q1"].best_s == 10
    assert [sql for name, sql, _ in cast.asked if name == "a"].count("one") == 1


def test_place_that_ended_is_started_again(run: Run) -> None:
    """A query that ends a place costs that query; the place answers the next one."""

    def answer(name: str, sql: str) -> pa.Table:
        if (name, sql) == ("a", "one"):
            raise PlaceFailedError("no answer within 100 s")
        return ROWS

    cast, outcome = run(answer, 1)
    assert outcome.cells["a"]["q1"].failure == "no answer within 100 s"
    assert outcome.cells["a"]["q2"].best_s == 10
    assert cast.started == [*NAMES, "a"]
