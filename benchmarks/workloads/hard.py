"""Workloads that are made to be hard: a skewed join, and tasks that have nothing to do."""

from collections.abc import Mapping
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa

from benchmarks.workloads.generated import (
    Integers,
    even_keys,
    kept,
    skewed_keys,
    write_copies,
    write_parts,
)
from benchmarks.workloads.workload import Kind, Workload

SKEW_RATIO: Final = 100
_SKEW_ROWS: Final = 12_000_000
_SKEW_KEYS: Final = 3_000_000
_GROUPS: Final = 100
_FILES_MAX: Final = 1000
"""A scan has no more partitions than a session may ask for; more tasks are more scans."""


def skew(scale: float) -> Workload:
    """A join of two tables, neither of which is small, whose key is even in one query only."""
    rows, keys = int(_SKEW_ROWS * scale), int(_SKEW_KEYS * scale)
    return Workload(
        name="skew",
        title=f"join of {rows:,} rows with {keys:,} keys, skewed {SKEW_RATIO}:1",
        kind=Kind.SKEW,
        make_tables=lambda: skew_tables(rows, keys),
        queries={name: _join(f"facts_{name}") for name in ("even", "skewed")},
    )


def tasks(count: int) -> Workload:
    """A query over so many files, each with one row, and each a task of its own."""
    files = min(count, _FILES_MAX)
    scans = " UNION ALL ".join(
        # Each another filter, so that no two scans are one; none that statistics would answer.
        f"SELECT n FROM files WHERE n > -{number}"
        for number in range(count // files)
    )
    return Workload(
        name="tasks",
        title=f"{count // files * files:,} tasks with nothing to do",
        kind=Kind.TASKS,
        make_tables=lambda: _one_row_files(files),
        queries={"nothing": f"SELECT sum(n) AS n FROM ({scans}) AS scans"},
        options={"spread": True, "partitions": files},
        # The engine alone has no tasks, so its time says nothing.
        timeout_s_min=600,
    )


def skew_tables(rows: int, keys: int) -> Mapping[str, Path]:
    """Returns the folders of the facts, even and skewed, and of what they are joined with."""

    def write(home: Path) -> None:
        write_parts(_facts(even_keys(rows, keys)), home / "facts_even")
        write_parts(_facts(skewed_keys(rows, keys, SKEW_RATIO)), home / "facts_skewed")
        numbers = np.arange(keys, dtype=np.int64)
        joined = {"k": numbers, "weight": numbers % 7, "grp": numbers % _GROUPS}
        write_parts(pa.table(joined), home / "keys")

    names = ("facts_even", "facts_skewed", "keys")
    return kept(f"bench-skew-{rows}-{keys}-{SKEW_RATIO}", names, write)


def _facts(keys: Integers) -> pa.Table:
    return pa.table({"k": keys, "v": np.arange(len(keys), dtype=np.int64) % 1000})


def _join(facts: str) -> str:
    return (
        f"SELECT grp, count(*) AS items, sum(v * weight) AS total FROM {facts} AS f "
        "JOIN keys ON f.k = keys.k GROUP BY grp"
    )


def _one_row_files(count: int) -> Mapping[str, Path]:
    row = pa.table({"n": pa.array([1], pa.int64())})
    return kept(
        f"bench-files-{count}", ("files",), lambda home: write_copies(row, home / "files", count)
    )
