"""The figures as JSON for programs and as Markdown for people."""

import json
import os
import platform
import shlex
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Final

import psutil

from benchmarks.process import Resources
from benchmarks.runner import REFERENCE, Outcome
from benchmarks.tables import tables_of
from benchmarks.workloads.workload import Kind

LOADED_SHARE: Final = 0.05
"""Above this share of the machine taken by other programs, figures are not those of a quiet one."""

_REASON_CHARS: Final = 300
_NOT_MEASURED: Final = ("--json", "--publish")


@dataclass
class Measured:
    """A workload's outcome, with everything that is needed to read it.

    Attributes:
        name: The workload.
        title: The same for people, with its size.
        kind: What is reported.
        runs: How many times each query was run.
        outcome: The figures.
        machine: Where, when and by which command.
    """

    name: str
    title: str
    kind: Kind
    runs: int
    outcome: Outcome
    machine: dict[str, Any]


def described_machine(resources: Resources, arguments: Sequence[str]) -> dict[str, Any]:
    """Says where and when it is measured, and by which command."""
    kept = [
        word
        for at, word in enumerate(arguments)
        if word not in _NOT_MEASURED and arguments[at - 1 : at] != ["--json"]
    ]
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "command": shlex.join(["./dev", "bench", *kept]),
        "cores": resources.cores,
        "cores_of_machine": os.cpu_count() or 1,
        "memory_gib": round(psutil.virtual_memory().total / (1 << 30), 1),
        "memory_gib_of_operators": round(resources.memory_bytes / (1 << 30), 1),
        "python": platform.python_version(),
    }


def written(measured: Sequence[Measured]) -> str:
    """Writes everything as JSON, workload by workload."""
    plain = {one.name: {**asdict(one), "kind": one.kind.value} for one in measured}
    return json.dumps(plain, indent=1) + "\n"


def others_share(measured: Measured) -> float | None:
    """Returns the share of the machine that other programs took while a place was measured.

    None if that was not looked at, as it is not for small queries.
    """
    usages = [
        run.usage
        for cells in measured.outcome.cells.values()
        for cell in cells.values()
        for run in cell.runs
    ]
    # Before and after, when no place is asked anything, at least that is known.
    usages += measured.outcome.idle.values() if not any(u.seconds for u in usages) else []
    offered = sum(usage.seconds for usage in usages) * measured.machine["cores_of_machine"]
    return sum(usage.others_cpu_s for usage in usages) / offered if offered else None


def markdown(measured: Measured) -> str:
    """Writes a workload's section."""
    lines = [
        *(f"### {measured.title}", "", _conditions(measured), ""),
        *tables_of(measured.kind, measured.outcome),
        *_failures(measured.outcome),
    ]
    return "\n".join(lines) + "\n"


def replaced(document: str, name: str, section: str) -> str:
    r"""Puts a section between its marks in a document, at the end if there are none yet.

    Example:
        >>> text = replaced("", "a", "one")
        >>> replaced(text, "a", "two")
        '<!-- begin a -->\ntwo\n<!-- end a -->\n'
    """
    begin, end = f"<!-- begin {name} -->\n", f"<!-- end {name} -->\n"
    before, found, rest = document.partition(begin)
    after = rest.partition(end)[2] if found else ""
    return f"{before}{begin}{section.strip()}\n{end}{after}"


def _conditions(measured: Measured) -> str:
    machine, share = measured.machine, others_share(measured)
    versions = {pair for found in measured.outcome.versions.values() for pair in found.items()}
    return (
        f"`{machine['command']}`, {machine['date']}, {machine['cores']} cores, "
        f"{machine['memory_gib']} GiB of memory ({machine['memory_gib_of_operators']} for "
        f"operators), Python {machine['python']}, "
        f"{', '.join(' '.join(pair) for pair in sorted(versions))}. {_quiet(share)} Best of "
        f"{measured.runs}; in brackets the ratio to {REFERENCE}."
    )


def _quiet(share: float | None) -> str:
    if share is None:
        return "Whether the machine was quiet is not known."
    how = "quiet" if share <= LOADED_SHARE else "**loaded**"
    return f"The machine was {how}: other programs took {share:.0%} of it."


def _failures(outcome: Outcome) -> list[str]:
    """Lists why queries failed; queries that failed alike in one place share a line."""
    alike: dict[tuple[str, str], list[str]] = {}
    for place, cells in outcome.cells.items():
        for query, cell in cells.items():
            if cell.failure:
                alike.setdefault((place, cell.failure[:_REASON_CHARS]), []).append(query)
    lines = [f"- {place} {', '.join(of)}: {reason}" for (place, reason), of in alike.items()]
    return ["", "Failed:", "", *lines] if lines else []
