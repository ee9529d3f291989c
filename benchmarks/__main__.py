"""TPC-H side by side: the engine alone in one process, and a cluster of executors on this machine.

All read the same files in the same run, one place after the other; figures are the best of the
runs. Rows are held against those of the first place each time.
"""

import argparse
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import psutil
import pyarrow as pa
from datafusion import RuntimeEnvBuilder, SessionConfig, SessionContext
from rich.console import Console
from rich.table import Table

import springald
from oracle.compare import assert_same
from tpch.data import QUERIES, query_text, table_folders

ENGINE_ALONE: Final = "datafusion"
_MIB: Final = 1024 * 1024
_SAMPLE_S: Final = 0.2


@dataclass
class Figure:
    """The best run of one query in one place.

    Attributes:
        seconds: Wall time to all rows at the client; none if it failed.
        shuffled_bytes: Bytes put through exchanges.
        failure: What it failed with.
    """

    seconds: float | None = None
    shuffled_bytes: int = 0
    failure: str = ""


Run = Callable[[str], tuple[pa.Table, int]]


@contextmanager
def _engine_alone(folders: dict[str, Path], options: argparse.Namespace) -> Iterator[Run]:
    partitions = options.executors * options.slots
    config = SessionConfig().with_target_partitions(partitions)
    runtime = RuntimeEnvBuilder().with_fair_spill_pool(options.memory_gib * 1024 * _MIB)
    context = SessionContext(config, runtime.with_disk_manager_os())
    for name, folder in folders.items():
        context.register_parquet(name, f"{folder}/")
    yield lambda sql: (context.sql(sql).to_arrow_table(), 0)


@contextmanager
def _connected(folders: dict[str, Path], connection: springald.Connection) -> Iterator[Run]:
    def run(sql: str) -> tuple[pa.Table, int]:
        job = connection.sql(sql).execute()
        rows = job.result()
        return rows, sum(stage.bytes_shuffled for stage in job.statistics().stages)

    with connection:
        for name, folder in folders.items():
            connection.register_parquet(name, folder)
        yield run


@contextmanager
def _cluster(folders: dict[str, Path], options: argparse.Namespace) -> Iterator[Run]:
    memory = options.memory_gib * 1024 * _MIB // options.executors
    with (
        springald.LocalCluster(options.executors, options.slots, memory=memory) as cluster,
        _connected(folders, cluster.connect()) as run,
    ):
        yield run


@contextmanager
def _local(folders: dict[str, Path], options: argparse.Namespace) -> Iterator[Run]:
    del options
    with _connected(folders, springald.connect()) as run:
        yield run


_PLACES: Final = {ENGINE_ALONE: _engine_alone, "local": _local, "cluster": _cluster}


class PeakMemory:
    """The most memory that this process and all below it took together, sampled, in bytes."""

    def __init__(self) -> None:
        """Starts sampling."""
        self.bytes = 0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._sample, daemon=True)
        self._thread.start()

    def _sample(self) -> None:
        own = psutil.Process()
        while not self._done.wait(_SAMPLE_S):
            total = 0
            for process in [own, *own.children(recursive=True)]:
                with suppress(psutil.Error):
                    total += process.memory_full_info().pss
            self.bytes = max(self.bytes, total)

    def stop(self) -> int:
        """Ends sampling and returns the peak."""
        self._done.set()
        self._thread.join()
        return self.bytes


def measure(place: str, options: argparse.Namespace, truth: dict[int, pa.Table]) -> list[Figure]:
    """Runs the queries in one place; the first place's rows are what others are held against."""
    folders = table_folders(options.scale, options.parts)
    figures = []
    with _PLACES[place](folders, options) as run:
        for number in options.queries:
            figure = Figure()
            for _ in range(options.runs):
                _measure_once(run, number, figure, truth)
            figures.append(figure)
            print(f"{place} q{number:02} {figure.seconds or figure.failure}", flush=True)
    return figures


def _measure_once(run: Run, number: int, figure: Figure, truth: dict[int, pa.Table]) -> None:
    began = time.perf_counter()
    try:
        rows, shuffled = run(query_text(number))
    except Exception as error:  # noqa: BLE001 - a failed query stays in the table
        figure.failure = f"FAIL {str(error)[:200]}"
        return
    seconds = time.perf_counter() - began
    figure.seconds = min(seconds, figure.seconds or seconds)
    figure.shuffled_bytes = shuffled
    if number in truth:
        assert_same(rows, truth[number])
    else:
        truth[number] = rows


def _table(options: argparse.Namespace, figures: dict[str, list[Figure]]) -> Table:
    table = Table(title=f"TPC-H SF {options.scale:g}, seconds, best of {options.runs}")
    table.add_column("query")
    for place in figures:
        table.add_column(place, justify="right")
    table.add_column("cluster ÷ datafusion", justify="right")
    table.add_column("MiB shuffled", justify="right")
    for at, number in enumerate(options.queries):
        row = {place: figures[place][at] for place in figures}
        times = [f"{f.seconds:.2f}" if f.seconds else f.failure for f in row.values()]
        table.add_row(
            f"q{number:02}", *times, *_compared(row.get(ENGINE_ALONE), row.get("cluster"))
        )
    sums = {place: sum(f.seconds or 0 for f in figures[place]) for place in figures}
    ratio = ""
    if sums.get("cluster") and sums.get(ENGINE_ALONE):
        ratio = f"{sums['cluster'] / sums[ENGINE_ALONE]:.2f}"
    table.add_row("sum", *(f"{seconds:.1f}" for seconds in sums.values()), ratio, "")
    return table


def _compared(alone: Figure | None, cluster: Figure | None) -> tuple[str, str]:
    if cluster is None or not cluster.seconds:
        return "", ""
    ratio = f"{cluster.seconds / alone.seconds:.2f}" if alone and alone.seconds else ""
    return ratio, f"{cluster.shuffled_bytes / _MIB:.1f}"


def main() -> None:
    """Measures and prints."""
    parser = argparse.ArgumentParser(prog="benchmarks", description=__doc__)
    parser.add_argument("--scale", type=float, default=1)
    parser.add_argument("--parts", type=int, default=4, help="files a table")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--executors", type=int, default=2)
    parser.add_argument("--slots", type=int, default=1)
    parser.add_argument("--memory-gib", type=int, default=16, help="for all executors together")
    parser.add_argument("--places", nargs="+", choices=_PLACES, default=[ENGINE_ALONE, "cluster"])
    parser.add_argument("--queries", nargs="+", type=int, default=list(QUERIES))
    parser.add_argument("--json", type=Path, help="where to write the figures")
    options = parser.parse_args()
    truth: dict[int, pa.Table] = {}
    figures, peaks = {}, {}
    for place in options.places:
        memory = PeakMemory()
        figures[place] = measure(place, options, truth)
        peaks[place] = memory.stop()
    console = Console()
    console.print(_table(options, figures))
    for place, peak in peaks.items():
        console.print(f"{place}: peak memory of all processes {peak / _MIB / 1024:.1f} GiB")
    if options.json:
        plain = {place: [asdict(f) for f in figures[place]] for place in figures}
        options.json.write_text(json.dumps({"figures": plain, "peak_bytes": peaks}, indent=1))


if __name__ == "__main__":
    main()
