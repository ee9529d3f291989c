"""Runs workloads in places, in alternating order, so that all places see the same disturbances."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pyarrow as pa

from benchmarks.answers import check_same
from benchmarks.figures import Cell, Cells, Run, percentile
from benchmarks.meters import Usage
from benchmarks.process import PlaceFailedError, PlaceProcess, PlaceSpec, Resources, read_answer
from benchmarks.workloads.workload import Kind, Workload

REFERENCE: Final = "datafusion"
"""The place that others are compared with: the engine alone."""

_TIMEOUT_FACTOR: Final = 10
_FIRST_QUERY_S_MAX: Final = 60.0
_IDLE_S: Final = 1.0
_WARM_CHUNK: Final = 1 << 24

Say = Callable[[str], None]


@dataclass
class Outcome:
    """What came of a workload.

    Attributes:
        cells: The figures.
        versions: What answered, by place.
        idle: What each place takes while it waits for its turn.
    """

    cells: Cells
    versions: dict[str, dict[str, str]] = field(default_factory=dict)
    idle: dict[str, Usage] = field(default_factory=dict)


class Runner:
    """Runs one workload.

    Args:
        workload: What to ask.
        specs: Where; the reference should be first, because it says how long others may take.
        resources: What each place gets.
        say: Told what happens, for a person who waits.
    """

    def __init__(
        self, workload: Workload, specs: Sequence[PlaceSpec], resources: Resources, say: Say
    ) -> None:
        self._workload = workload
        self._specs = list(specs)
        self._resources = resources
        self._say = say
        self._tables: Mapping[str, Path] = {}
        self._places: dict[str, PlaceProcess] = {}
        self._truth: dict[str, pa.Table] = {}
        self._counts: dict[str, int] = {}
        self.outcome = Outcome({spec.name: {} for spec in specs})

    def run(self, runs: int, *, one_at_a_time: bool = False) -> Outcome:
        """Runs each query so many times in each place.

        Args:
            runs: How many times.
            one_at_a_time: Whether places take turns by the round, each started anew for it, instead
                of by the query with all of them up: for machines that cannot hold them all.
        """
        self._tables = self._workload.make_tables()
        warm_page_cache(self._tables)
        queries = self._workload.measured_names
        if one_at_a_time:
            for number in range(runs):
                for spec in rotated(self._specs, number):
                    with self._up([spec]):
                        for query in queries:
                            self._measure(spec, query)
            return self.outcome
        with self._up(self._specs):
            for number in range(runs):
                for at, query in enumerate(queries):
                    # First in the given order: the reference says how long others may take.
                    for spec in rotated(self._specs, number + at if number else 0):
                        self._measure(spec, query)
        return self.outcome

    @contextmanager
    def _up(self, specs: Sequence[PlaceSpec]) -> Iterator[None]:
        try:
            for spec in specs:
                self._place(spec)
            self._look_at_idle()
            yield
        finally:
            for place in self._places.values():
                place.close()
            self._places.clear()

    def _place(self, spec: PlaceSpec) -> PlaceProcess | None:
        """Returns a place that answers, started if need be; none if it does not start."""
        place = self._places.get(spec.name)
        if place is not None and place.alive:
            return place
        try:
            place = PlaceProcess(spec, self._resources, self._tables, self._workload.options)
            self._places[spec.name] = place
            # The first query of a process pays for loading code, which is not what is measured.
            place.query(f"SELECT count(*) FROM {min(self._tables)}", _FIRST_QUERY_S_MAX)
        except PlaceFailedError as error:
            self._say(f"{spec.name} does not start: {error}")
            for query in self._workload.measured_names:
                self._cell(spec, query).failure = f"does not start: {error}"
            return None
        self.outcome.versions[spec.name] = place.versions
        return place

    def _measure(self, spec: PlaceSpec, query: str) -> None:
        cell = self._cell(spec, query)
        if cell.failure:
            return
        try:
            place = self._place(spec)
            if place is None:
                return
            cell.runs.append(self._run_once(place, query))
            self._say(f"{query} {spec.name} {cell.runs[-1].seconds:.3f} s")
        except (PlaceFailedError, AssertionError, pa.ArrowException) as error:
            cell.failure = " ".join(str(error).split()) or type(error).__name__
            self._say(f"{query} {spec.name} FAIL {cell.failure[:200]}")

    def _look_at_idle(self) -> None:
        with ExitStack() as stack:
            for name, place in self._places.items():
                if place.alive:
                    self.outcome.idle[name] = stack.enter_context(place.meter.span())
            time.sleep(_IDLE_S)

    def _run_once(self, place: PlaceProcess, query: str) -> Run:
        if query in self._workload.clients:
            return self._run_clients(place, query)
        timed, usage, rows = place.query(
            self._workload.queries[query],
            self._timeout_s(query),
            keep=self._workload.keep_rows,
            measured=self._workload.kind is not Kind.LATENCY,
        )
        if rows is not None:
            self._check(query, rows, place.spec)
        counted = self._counts.setdefault(query, timed["rows"])
        if timed["rows"] != counted:
            raise AssertionError(f"rows differ: got {timed['rows']}, want {counted}")
        return Run(**timed, usage=usage)

    def _run_clients(self, place: PlaceProcess, query: str) -> Run:
        queries = self._workload.queries
        request = {
            "do": "clients",
            "clients": self._workload.clients[query],
            "queries": list(queries.values()),
            "answers": str(place.answers),
        }
        done, usage = place.ask(request, self._workload.timeout_s_max)
        for number, name in enumerate(queries):
            self._check(name, read_answer(place.answers / f"{number}.arrow"), place.spec)
        latencies_s = done["latencies_s"]
        counters = {
            "per_second": len(latencies_s) / done["seconds"],
            "p50_s": percentile(latencies_s, 50),
            "p95_s": percentile(latencies_s, 95),
        }
        return Run(done["seconds"], counters=counters, usage=usage)

    def _check(self, query: str, rows: pa.Table, spec: PlaceSpec) -> None:
        check_same(rows, self._truth.setdefault(query, rows), exact=spec.exact)

    def _timeout_s(self, query: str) -> float:
        known = self.outcome.cells.get(REFERENCE, {}).get(query, Cell()).best_s
        if known is None:
            return self._workload.timeout_s_max
        return max(self._workload.timeout_s_min, _TIMEOUT_FACTOR * known)

    def _cell(self, spec: PlaceSpec, query: str) -> Cell:
        return self.outcome.cells[spec.name].setdefault(query, Cell())


def rotated(specs: Sequence[PlaceSpec], by: int) -> list[PlaceSpec]:
    """Returns the places in another order: nobody always follows the same one."""
    by %= len(specs)
    return [*specs[by:], *specs[:by]]


def warm_page_cache(tables: Mapping[str, Path]) -> None:
    """Reads every file once, so that no place reads from a disk what another finds in memory."""
    for folder in tables.values():
        for file in folder.iterdir():
            with file.open("rb") as stream:
                while stream.read(_WARM_CHUNK):
                    pass
