"""The 22 queries of TPC-H."""

import shutil
from collections.abc import Sequence
from pathlib import Path

from benchmarks.workloads.workload import Workload
from tpch.data import query_text, table_folders

PARTS = 8
_DISK_BYTES_PER_SCALE = 1_200_000_000
"""Parquet files, and room for what is spilled and shuffled: measured at SF 10, doubled."""


def tpch(scale: float, numbers: Sequence[int]) -> Workload:
    """Makes the workload at a scale factor."""
    return Workload(
        name=f"tpch-sf{scale:g}",
        title=f"TPC-H SF {scale:g}",
        make_tables=lambda: tables(scale),
        queries={f"q{number:02}": query_text(number) for number in numbers},
    )


def tables(scale: float) -> dict[str, Path]:
    """Returns the folders of the tables, made if there is room on the disk.

    Raises:
        OSError: There is not.
    """
    needed = int(scale * _DISK_BYTES_PER_SCALE)
    free = shutil.disk_usage(Path(__file__).parent).free
    if free < needed:
        raise OSError(f"SF {scale:g} needs {needed >> 20} MiB on disk: got {free >> 20} MiB free")
    return table_folders(scale, PARTS)
