"""Real shuffles of many tasks by many partitions on this machine, and tables of many files.

    .venv/bin/python -m benchmarks.wide --widths 50 100 200 --files 1000 10000

For each width a table of so many small files is grouped by a key under so many partitions, so that
each task of one stage reads from each task of another. Then a table of so many files is counted in
one task, which shows what planning them takes.
"""

import argparse
import tempfile
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from rich.console import Console
from rich.table import Table

import springald

_ROWS = 1_000


def main() -> None:
    """Runs each width in a cluster of two executors."""
    parser = argparse.ArgumentParser(description="Real shuffles of many tasks.")
    parser.add_argument("--widths", type=int, nargs="+", default=[50, 100, 200])
    parser.add_argument("--files", type=int, nargs="*", default=[1_000, 10_000])
    parser.add_argument("--executors", type=int, default=2)
    options = parser.parse_args()
    shuffles = Table("width", "tasks", "s", "ms a task", "longest task, s")
    counts = Table("files", "first, s", "again, s")
    with (
        tempfile.TemporaryDirectory() as folder,
        springald.LocalCluster(options.executors, 1, work_dir=folder) as cluster,
    ):
        for width in options.widths:
            shuffles.add_row(f"{width:,}", *_shuffle(cluster, _table(folder, width), width))
        for files in options.files:
            counts.add_row(f"{files:,}", *_count(cluster, _table(folder, files)))
    Console().print(shuffles, counts)


def _table(parent: str, files: int) -> Path:
    """Makes a table of small files, each with keys of the whole range."""
    folder = Path(tempfile.mkdtemp(dir=parent))
    for number in range(files):
        keys = pa.array(range(number, files * _ROWS, files))
        pq.write_table(pa.table({"k": keys}), folder / f"{number:06}.parquet")
    return folder


def _shuffle(cluster: springald.LocalCluster, folder: Path, width: int) -> tuple[str, ...]:
    settings = {
        "springald.distribution": "always",
        "datafusion.execution.target_partitions": width,
    }
    with cluster.connect(**settings) as con:
        con.register_parquet("t", folder)
        began = time.monotonic()
        job = con.sql(
            "SELECT sum(n) AS n FROM (SELECT k, count(*) AS n FROM t GROUP BY k)"
        ).execute()
        total = job.result()["n"][0].as_py()
        spent = time.monotonic() - began
        tasks = job.statistics().tasks
    if total != width * _ROWS:
        raise RuntimeError(f"each row is counted once: got {total} of {width * _ROWS}")
    longest = max(task.elapsed_ms for task in tasks) / 1_000
    each = 1_000 * spent / len(tasks)
    return f"{len(tasks):,}", f"{spent:.1f}", f"{each:.0f}", f"{longest:.2f}"


def _count(cluster: springald.LocalCluster, folder: Path) -> tuple[str, ...]:
    spent = []
    with cluster.connect(**{"springald.distribution": "never"}) as con:
        con.register_parquet("t", folder)
        for _ in range(2):
            began = time.monotonic()
            con.sql("SELECT count(k + 1) AS n FROM t WHERE k % 2 = 0").to_arrow()
            spent.append(time.monotonic() - began)
    return tuple(f"{each:.2f}" for each in spent)


if __name__ == "__main__":
    main()
