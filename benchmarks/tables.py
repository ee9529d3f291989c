"""One table, or two, for each kind of workload."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from benchmarks.figures import (
    Cell,
    Cells,
    Run,
    best_s,
    compare,
    first_s,
    overheads_s,
    percentile,
    ratio,
    total,
)
from benchmarks.meters import Usage
from benchmarks.runner import REFERENCE, Outcome
from benchmarks.workloads.workload import Kind

MIB: Final = 1 << 20
FAIL: Final = "FAIL"
_GB: Final = 1e9

Lines = list[str]


def tables_of(kind: Kind, outcome: Outcome) -> Lines:
    """Writes a workload's tables in Markdown."""
    return _WRITERS[kind](outcome)


def _queries(outcome: Outcome) -> Lines:
    return [*_times(outcome.cells), "", *_totals(outcome)]


def _skew(outcome: Outcome) -> Lines:
    rows = []
    for place, cells in outcome.cells.items():
        even, *_, skewed = cells.values()
        rows.append([place, _time(even), _time(skewed), _number(ratio(skewed, even))])
    head = ["place", "even keys, s", "skewed keys, s", "skewed ÷ even"]
    return [*markdown_table(head, rows), "", *_totals(outcome)]


def _bulk(outcome: Outcome) -> Lines:
    rows = []
    for place, cells in outcome.cells.items():
        for cell in cells.values():
            run = cell.best
            if run is None:
                rows.append([place, *[FAIL] * 6])
                continue
            speed = f"{run.bytes / run.seconds / _GB:.2f}"
            times = [f"{run.seconds:.3f}", f"{run.first_row_s:.3f}", speed]
            client = max(one.usage.client_peak_bytes for one in cell.runs)
            rows.append([place, f"{run.rows:,}", *times, _mib(client), _mib(_peak([cell]))])
    head = ["place", "rows", "s", "first row, s", "GB/s"]
    return markdown_table([*head, "client's memory, MiB", "peak memory, MiB"], rows)


def _latency(outcome: Outcome) -> Lines:
    """Queries that are asked for the first time are told apart: a place may remember the others."""
    reference = outcome.cells.get(REFERENCE, {})
    rows = []
    for place, cells in outcome.cells.items():
        done = [cell for cell in cells.values() if cell.best]
        row = [place, f"{len(done)} of {len(cells)}"]
        for seconds in (first_s, best_s):
            times = [one for cell in done if (one := seconds(cell)) is not None]
            row += [_ms(percentile(times, at)) if times else FAIL for at in (50, 95)]
            over = overheads_s(cells, reference, seconds)
            row.append(_ms(percentile(over, 50)) if over else "")
        rows.append(row)
    head = ["place", "finished"]
    for when in ("first", "best"):
        head += [f"{when} p50, ms", "p95, ms", f"p50 over {REFERENCE}, ms"]
    return markdown_table(head, rows)


def _clients(outcome: Outcome) -> Lines:
    rows = []
    for place, cells in outcome.cells.items():
        for name, cell in cells.items():
            if cell.best is None:
                rows.append([place, name.split()[0], *[FAIL] * 5])
                continue
            told = cell.best.counters
            rows.append([place, name.split()[0], f"{told['per_second']:.0f}", _ms(told["p50_s"])])
            cpu_ms = cell.best.usage.cpu_s / (told["per_second"] * cell.best.seconds)
            rows[-1] += [_ms(told["p95_s"]), _ms(cpu_ms), _mib(_peak([cell]))]
    head = ["place", "clients", "queries a second", "p50, ms", "p95, ms", "CPU a query, ms"]
    return markdown_table([*head, "peak memory, MiB"], rows)


def _tasks(outcome: Outcome) -> Lines:
    rows = []
    for place, cells in outcome.cells.items():
        for cell in cells.values():
            run = cell.best
            if run is None:
                rows.append([place, *[FAIL] * 5])
                continue
            count = run.counters.get("tasks", 0)
            each = _ms(run.seconds / count) if count else ""
            usage = [f"{run.usage.cpu_s:.2f}", _mib(_peak([cell]))]
            rows.append([place, f"{count:,.0f}" if count else "", f"{run.seconds:.2f}", each])
            rows[-1] += usage
    return markdown_table(["place", "tasks", "s", "ms a task", "CPU, s", "peak memory, MiB"], rows)


def _times(cells: Cells) -> Lines:
    reference = cells.get(REFERENCE, {})
    rows = []
    for query in dict.fromkeys(query for of in cells.values() for query in of):
        row = [query]
        for place, of in cells.items():
            row.append(_time(of[query], None if place == REFERENCE else reference.get(query)))
        rows.append(row)
    return markdown_table(["s", *cells], rows)


def _totals(outcome: Outcome) -> Lines:
    rows = []
    for place, cells in outcome.cells.items():
        best = [cell.best for cell in cells.values() if cell.best]
        medians = sum(cell.median_s or 0 for cell in cells.values())
        row = [place, f"{len(best)} of {len(cells)}", f"{total(list(cells.values())):.2f}"]
        row += [f"{medians:.2f}", *_compared(place, outcome.cells)]
        row += [f"{sum(run.first_row_s for run in best):.2f}", *_taken(best)]
        idle = outcome.idle.get(place, Usage()).peak_bytes
        rows.append([*row, _mib(_peak(cells.values())), _mib(idle)])
    head = ["place", "finished", "sum of best, s", "sum of medians, s", "ratio", "worst ratio"]
    head += ["first rows, s", "CPU, s", "shuffled, MiB", "files"]
    return markdown_table([*head, "peak memory, MiB", "idle memory, MiB"], rows)


def _compared(place: str, cells: Cells) -> tuple[str, str]:
    if place == REFERENCE or REFERENCE not in cells:
        return "", ""
    found = compare(cells[place], cells[REFERENCE])
    return _number(found.ratio), f"{_number(found.worst)} {found.worst_query}".strip()


def _taken(runs: Sequence[Run]) -> tuple[str, str, str]:
    """CPU seconds, shuffled MiB (nothing from a place that does not tell), and files."""
    told = [run.counters["bytes_shuffled"] for run in runs if "bytes_shuffled" in run.counters]
    return (
        f"{sum(run.usage.cpu_s for run in runs):.2f}",
        f"{sum(told) / MIB:.0f}" if told else "",
        f"{sum(run.usage.files for run in runs)}",
    )


def _peak(cells: Iterable[Cell]) -> int:
    return max((run.usage.peak_bytes for cell in cells for run in cell.runs), default=0)


def _time(cell: Cell, reference: Cell | None = None) -> str:
    if cell.best_s is None:
        return FAIL
    over = ratio(cell, reference)
    return f"{cell.best_s:.3f}" + (f" ({over:.2f})" if over is not None else "")


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.1f}"


def _mib(size: float) -> str:
    return f"{size / MIB:.0f}"


def markdown_table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Lines:
    """Writes a table; all columns but the first hold numbers."""
    line = ["---", *["---:"] * (len(head) - 1)]
    return [f"| {' | '.join(cells)} |" for cells in (head, line, *rows)]


_WRITERS: Final[Mapping[Kind, Callable[[Outcome], Lines]]] = {
    Kind.QUERIES: _queries,
    Kind.LATENCY: _latency,
    Kind.CLIENTS: _clients,
    Kind.BULK: _bulk,
    Kind.SKEW: _skew,
    Kind.TASKS: _tasks,
}
