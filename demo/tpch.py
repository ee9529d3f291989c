"""TPC-H on a cluster of this machine: data, queries, rows, and where each task ran.

`./dev demo` runs it; `./dev demo --help` lists what it takes.
"""

import argparse
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

import springald
from springald.display import cell_texts
from springald.job_report import bytes_text

# In place of this folder, where this very file would stand for the package `tpch`.
sys.path[0] = str(Path(__file__).resolve().parent.parent / "integration-tests")

from tpch.data import QUERIES, query_text, table_folders  # noqa: E402 - needs the line above

SHOWN = (1, 3, 5, 10, 18)
ROWS_SHOWN = 5
# The data is small enough for one task; a demonstration wants to see it travel.
SPREAD = {"springald.distribution": "always"}


def main() -> None:
    """Makes the data, starts the cluster, and runs the queries."""
    options = _options()
    console = Console()
    with console.status(f"making TPC-H data at scale factor {options.scale:g} in .data"):
        folders = table_folders(options.scale)
    size = sum(file.stat().st_size for folder in folders.values() for file in folder.iterdir())
    console.print(f"data: 8 tables, {bytes_text(size)} of Parquet in .data")
    with (
        console.status("starting a scheduler and executors"),
        springald.LocalCluster(executors=options.executors, slots=options.slots) as cluster,
    ):
        _show_cluster(console, cluster)
        with cluster.connect(**SPREAD) as con:
            for name, folder in folders.items():
                con.register_parquet(name, folder)
            for number in options.queries:
                _run(console, con, number)
    console.print("The cluster is gone, and has left nothing behind.")


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./dev demo", description=__doc__)
    parser.add_argument("--scale", type=float, default=0.1, help="scale factor (default 0.1)")
    parser.add_argument("--executors", type=int, default=2, help="executors (default 2)")
    parser.add_argument("--slots", type=int, default=1, help="slots of each (default 1)")
    parser.add_argument(
        "--queries",
        type=_numbers,
        default=SHOWN,
        help=f"numbers, for example 1,3,5, or all (default {','.join(map(str, SHOWN))})",
    )
    return parser.parse_args()


def _numbers(text: str) -> tuple[int, ...]:
    chosen = QUERIES if text == "all" else tuple(map(int, text.split(",")))
    if not set(chosen) <= set(QUERIES):
        raise argparse.ArgumentTypeError(f"queries are numbered 1 to {max(QUERIES)}: got {text}")
    return chosen


def _show_cluster(console: Console, cluster: springald.LocalCluster) -> None:
    console.print(f"scheduler: process {cluster.scheduler.pid} at {cluster.url}")
    for executor in cluster.executors:
        console.print(
            f"executor:  process {executor.pid}, {executor.executor_id}, "
            f"serving rows at {executor.flight_address}"
        )


def _run(console: Console, con: springald.Connection, number: int) -> None:
    text = query_text(number)
    title = text.splitlines()[0].removeprefix("-- ")
    console.rule(Text(title))
    start = time.perf_counter()
    job = con.sql(text).execute()
    rows = job.result()
    elapsed_ms = (time.perf_counter() - start) * 1000
    console.print(_rows_table(rows))
    statistics = job.statistics()
    console.print(_tasks_table(statistics))
    busy = ", ".join(f"{name} {tasks}" for name, tasks in statistics.tasks_per_executor.items())
    console.print(
        f"{rows.num_rows} rows in {elapsed_ms:.0f} ms; tasks: {busy}; "
        f"{bytes_text(statistics.bytes_shuffled)} shuffled"
    )


def _rows_table(rows: pa.Table) -> Table:
    more = rows.num_rows - ROWS_SHOWN
    table = Table(*rows.column_names, caption=f"and {more} rows more" if more > 0 else None)
    first = rows.slice(0, ROWS_SHOWN)
    for cells in zip(*map(cell_texts, first.columns), strict=True):
        table.add_row(*map(Text, cells))
    return table


def _tasks_table(statistics: springald.JobStatistics) -> Table:
    table = Table(box=box.SIMPLE_HEAD, padding=(0, 1, 0, 0))
    for heading in ("task", "executor"):
        table.add_column(heading, no_wrap=True)
    for heading in ("rows", "put out", "read in place", "fetched", "time"):
        table.add_column(heading, justify="right", no_wrap=True)
    for cells in _task_cells(statistics):
        table.add_row(*map(Text, cells))
    return table


def _task_cells(statistics: springald.JobStatistics) -> Iterator[tuple[str, ...]]:
    for task in statistics.tasks:
        yield (
            task.task_id,
            task.executor_id,
            f"{task.rows_out}",
            bytes_text(task.bytes_out),
            bytes_text(task.bytes_read_local),
            bytes_text(task.bytes_read_remote),
            f"{task.elapsed_ms} ms",
        )


if __name__ == "__main__":
    main()
