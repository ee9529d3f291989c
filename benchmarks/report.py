"""The figures as JSON for programs and as Markdown for people."""

import json
import os
import platform
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from typing import Any, Final

import psutil

from benchmarks.figures import Cell, compare, ratio, total
from benchmarks.process import Resources
from benchmarks.runner import REFERENCE, Outcome

_MIB: Final = 1 << 20
_FAIL: Final = "FAIL"
_REASON_CHARS: Final = 300
LOADED_SHARE: Final = 0.05
"""Above this share of the machine taken by other programs, figures are not those of a quiet one."""


@dataclass
class Measured:
    """A workload's outcome, with everything that is needed to read it.

    Attributes:
        name: The workload.
        title: The same for people.
        runs: How many times each query was run.
        outcome: The figures.
        machine: Where, when and by which command.
    """

    name: str
    title: str
    runs: int
    outcome: Outcome
    machine: dict[str, Any] = field(default_factory=dict)


def described_machine(resources: Resources, command: Sequence[str]) -> dict[str, Any]:
    """Says where and when it is measured."""
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "command": shlex.join(["./dev", "bench", *command[1:]]),
        "cores": resources.cores,
        "cores_of_machine": os.cpu_count(),
        "memory_gib": round(psutil.virtual_memory().total / (1 << 30), 1),
        "memory_gib_of_operators": round(resources.memory_bytes / (1 << 30), 1),
        "python": platform.python_version(),
        "system": platform.system(),
    }


def written(measured: Measured) -> str:
    """Writes everything as JSON."""
    return json.dumps(asdict(measured), indent=1) + "\n"


def others_share(measured: Measured) -> float:
    """Returns the share of the machine that other programs took while a place was measured."""
    usages = [
        run.usage
        for cells in measured.outcome.cells.values()
        for cell in cells.values()
        for run in cell.runs
    ]
    offered = sum(usage.seconds for usage in usages) * (measured.machine["cores_of_machine"] or 1)
    return sum(usage.others_cpu_s for usage in usages) / offered if offered else 0.0


def markdown(measured: Measured) -> str:
    """Writes the tables, with what they mean."""
    lines = [
        *(f"### {measured.title}", "", _conditions(measured), ""),
        *(*_query_table(measured), ""),
        *_place_table(measured),
        *_failures(measured),
    ]
    return "\n".join(lines) + "\n"


def _conditions(measured: Measured) -> str:
    machine, share = measured.machine, others_share(measured)
    versions = {pair for found in measured.outcome.versions.values() for pair in found.items()}
    return (
        f"`{machine['command']}`, {machine['date']}, {machine['cores']} cores, "
        f"{machine['memory_gib']} GiB of memory ({machine['memory_gib_of_operators']} for "
        f"operators), Python {machine['python']}, "
        f"{', '.join(' '.join(pair) for pair in sorted(versions))}. The machine was "
        f"{'quiet' if share <= LOADED_SHARE else '**loaded**'}: other programs took {share:.0%} of "
        f"it. Best of {measured.runs}, and the ratio to {REFERENCE}."
    )


def _query_table(measured: Measured) -> list[str]:
    cells = measured.outcome.cells
    reference = cells.get(REFERENCE, {})
    queries = list(dict.fromkeys(query for of in cells.values() for query in of))
    rows = []
    for query in queries:
        row = [query]
        for place, of in cells.items():
            row.append(_time(of[query], None if place == REFERENCE else reference.get(query)))
        rows.append(row)
    return _table(["s", *cells], rows)


def _time(cell: Cell, reference: Cell | None) -> str:
    if cell.best_s is None:
        return _FAIL
    over = ratio(cell, reference)
    return f"{cell.best_s:.3f}" + (f" ({over:.2f})" if over is not None else "")


def _place_table(measured: Measured) -> list[str]:
    reference = measured.outcome.cells.get(REFERENCE, {})
    rows = []
    for place, of in measured.outcome.cells.items():
        compared = compare(of, reference)
        done = [cell for cell in of.values() if cell.best]
        best = [cell.best for cell in done if cell.best]
        rows.append(
            [
                place,
                f"{len(done)} of {len(of)}",
                f"{total(done):.2f}",
                f"{sum(cell.median_s or 0 for cell in done):.2f}",
                _maybe(compared.ratio),
                f"{_maybe(compared.worst)} {compared.worst_query}".strip(),
                f"{sum(run.first_row_s for run in best):.2f}",
                f"{sum(run.usage.cpu_s for run in best):.2f}",
                f"{_peak(of.values()) / _MIB:.0f}",
                f"{sum(run.counters.get('bytes_shuffled', 0) for run in best) / _MIB:.0f}",
                f"{sum(run.usage.files for run in best)}",
            ]
        )
    head = ["place", "finished", "sum of best, s", "sum of medians, s", "ratio", "worst ratio"]
    head += ["first rows, s", "CPU, s", "peak memory, MiB", "shuffled, MiB", "files"]
    return _table(head, rows)


def _peak(cells: Iterable[Cell]) -> int:
    return max((run.usage.peak_bytes for cell in cells for run in cell.runs), default=0)


def _maybe(value: float | None) -> str:
    return "" if value is None else f"{value:.2f}"


def _failures(measured: Measured) -> list[str]:
    """Lists why queries failed; queries that failed alike in one place share a line."""
    alike: dict[tuple[str, str], list[str]] = {}
    for place, of in measured.outcome.cells.items():
        for query, cell in of.items():
            if cell.failure:
                alike.setdefault((place, cell.failure[:_REASON_CHARS]), []).append(query)
    lines = [f"- {place} {', '.join(of)}: {reason}" for (place, reason), of in alike.items()]
    return ["", "Failed:", "", *lines] if lines else []


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    line = ["---", *["---:"] * (len(head) - 1)]
    return [f"| {' | '.join(cells)} |" for cells in (head, line, *rows)]
