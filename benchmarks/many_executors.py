"""A real run of many executors on this machine: TPC-H queries, and what is left behind.

    PYTHONPATH=integration-tests .venv/bin/python -m benchmarks.many_executors

Starts a cluster, asks a few queries with `springald.distribution=always`, holds their rows against
one engine's, stops it, and looks for processes and files.
"""

import argparse
import tempfile
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

import psutil
from datafusion import SessionContext
from rich.console import Console
from rich.table import Table

import springald
from cluster.footprint import Footprint
from oracle.compare import assert_same
from tpch.data import query_text, table_folders

_MIB: Final = 1024 * 1024
_RUNS: Final = 3


def main() -> None:
    """Runs the cluster and prints what it took."""
    parser = argparse.ArgumentParser(description="A real run of many executors.")
    parser.add_argument("--executors", type=int, default=40)
    parser.add_argument("--memory-mib", type=int, default=128, help="of each executor")
    parser.add_argument("--scale", type=float, default=0.1)
    parser.add_argument("--queries", type=int, nargs="+", default=[1, 3, 5])
    options = parser.parse_args()
    console = Console()
    with tempfile.TemporaryDirectory() as folder:
        footprint = Footprint(Path(folder))
        began = time.monotonic()
        with springald.LocalCluster(
            options.executors, 1, memory=options.memory_mib * _MIB, work_dir=folder
        ) as cluster:
            console.print(f"{options.executors} executors ready: {time.monotonic() - began:.1f} s")
            console.print(f"before queries: {_processes(footprint)}")
            console.print(_ask(cluster, options))
            console.print(f"after queries: {_processes(footprint)}")
            began = time.monotonic()
        console.print(f"stopped: {time.monotonic() - began:.1f} s")
        left = [*footprint.processes(), *footprint.files()]
        console.print(f"left behind: {left or 'nothing'}")


def _ask(cluster: springald.LocalCluster, options: argparse.Namespace) -> Table:
    table = Table("query", "stages", "tasks", "executors", "first, s", f"best of {_RUNS}, s")
    folders = table_folders(options.scale)
    alone = SessionContext()
    for name, folder in folders.items():
        alone.register_parquet(name, f"{folder}/")
    with cluster.connect(**{"springald.distribution": "always"}) as con:
        for name, folder in folders.items():
            con.register_parquet(name, folder)
        for number in options.queries:
            sql, spent = query_text(number), []
            for _ in range(_RUNS):
                began = time.monotonic()
                job = con.sql(sql).execute()
                rows = job.result()
                spent.append(time.monotonic() - began)
                assert_same(rows, alone.sql(sql).to_arrow_table())
            figures = job.statistics()
            used = {task.executor_id for task in figures.tasks}
            stages, tasks = len(figures.stages), len(figures.tasks)
            row = (f"q{number:02}", stages, tasks, len(used))
            table.add_row(*map(str, row), f"{spent[0]:.2f}", f"{min(spent):.2f}")
    return table


def _processes(footprint: Footprint) -> str:
    """Returns how many processes there are, and their memory; shared pages count once."""
    found = footprint.processes()
    total = 0
    for process in found:
        with suppress(psutil.Error):
            total += process.memory_full_info().pss
    return f"{len(found)} processes, {total / _MIB:,.0f} MiB"


if __name__ == "__main__":
    main()
