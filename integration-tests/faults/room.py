"""Too little room: a disk that is full, a work folder that is gone, memory for a quarter."""

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil

import springald
from cluster.tables import SUMS, sums
from cluster.waiting import Stopwatch
from faults.bench import Bench, read_in_time
from faults.outcomes import Outcome, WrongError
from faults.under_query import Struck, draw_executor, wait_moment
from springald.cluster_process import ExecutorProcess
from springald.errors import IoFailedError, OutOfDiskError, OutOfMemoryError, SpringaldError

DISK_BYTES = 8 * 1024 * 1024
MEMORY = "20MiB"
"""A quarter of what an executor's part of `_WIDE` takes."""

_WIDE = "SELECT l_orderkey, l_linenumber, repeat(l_comment, 14) AS pad FROM lineitem"


class SmallDisks:
    """Folders that hold 8 MiB each: file systems of their own where those may be mounted.

    Elsewhere each process is limited to files of that size, and the error is another one.

    Args:
        folder: Where they are.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._mounted: list[Path] = []
        self.are_mounted = True

    def make(self, name: str) -> Path:
        """Makes one and returns where it is."""
        place = self._folder / name
        place.mkdir(parents=True, exist_ok=True)
        command = ["mount", "-t", "tmpfs", "-o", f"size={DISK_BYTES}", "springald-test", str(place)]
        with suppress(OSError):
            if subprocess.run(command, check=False, capture_output=True).returncode == 0:
                self._mounted.append(place)
                return place
        self.are_mounted = False
        return place

    def limit(self, bench: Bench) -> None:
        """Limits processes where nothing could be mounted."""
        if self.are_mounted:
            return
        for executor in bench.fleet.alive:
            process = psutil.Process(executor.pid)
            for each in (process, *process.children(recursive=True)):
                each.rlimit(psutil.RLIMIT_FSIZE, (DISK_BYTES, DISK_BYTES))

    def close(self) -> None:
        """Unmounts all."""
        for place in self._mounted:
            command = ["umount", "-l", str(place)]
            subprocess.run(command, check=False, capture_output=True)


@contextmanager
def small_disks(folder: Path) -> Iterator[SmallDisks]:
    """Has small disks below a folder for the time of a block."""
    disks = SmallDisks(folder)
    try:
        yield disks
    finally:
        disks.close()


def disk_full(bench: Bench) -> Outcome | None:
    """Runs a query whose files are about as large as the disks, or larger."""
    share = bench.rng.uniform(0.3, 1.0)
    few = bench.rng.random() < 0.3
    where = f"l_orderkey % 1000 < {int(1000 * share)}"
    columns = "l_orderkey" if few else "l_orderkey, l_partkey, l_shipinstruct, l_comment"
    sql = f"SELECT {columns} FROM lineitem WHERE {where} ORDER BY l_comment, l_orderkey"
    return _beside_small_queries(bench, sql, (OutOfDiskError, IoFailedError))


def memory_short(bench: Bench) -> Outcome | None:
    """Sorts or gathers four times as much as fits."""
    gather = (
        f"SELECT l_linenumber % 2 AS g, count(*) AS n, sum(length(array_to_string(p, ''))) AS s "
        f"FROM (SELECT l_linenumber, array_agg(pad) AS p FROM ({_WIDE}) GROUP BY l_linenumber) "
        "GROUP BY l_linenumber % 2"
    )
    ranked = (
        f"SELECT sum(length(pad)) AS s, count(*) AS n FROM (SELECT pad, row_number() OVER "
        f"(ORDER BY pad, l_orderkey, l_linenumber) AS r FROM ({_WIDE})) WHERE r % 3 = 0"
    )
    grouped = f"SELECT count(*) AS n FROM (SELECT pad, count(*) AS c FROM ({_WIDE}) GROUP BY pad)"
    sql = bench.rng.choice([gather, ranked, grouped])
    return _beside_small_queries(bench, sql, (OutOfMemoryError, OutOfDiskError))


def _beside_small_queries(
    bench: Bench, sql: str, may_raise: tuple[type[SpringaldError], ...]
) -> Outcome:
    """Runs a query while small ones go on; it ends right, or names what it was short of."""
    watch = Stopwatch()
    job = bench.con.sql(sql).execute()
    small = 0
    while not job.status.is_final:
        if read_in_time(bench.con.sql(SUMS).execute()).to_pydict() != sums():
            raise WrongError("a small query beside it is answered right")
        small += 1
    finished = _ends(bench, job, sql, may_raise)
    figures = {"queries beside it": float(small)}
    return Outcome(0, watch.elapsed_s, finished=finished, figures=figures)


def _ends(
    bench: Bench, job: springald.Job, sql: str, may_raise: tuple[type[SpringaldError], ...]
) -> bool:
    try:
        bench.check(sql, read_in_time(job))
    except may_raise as error:
        known = {each.executor_id for each in bench.fleet.executors}
        if error.executor_id not in known:
            raise AssertionError(f"the error names its executor: got {error!r}") from error
        bench.last_error = f"{error} ({job!r})"
        return False
    return True


def folder_removed(bench: Bench, job: springald.Job, base_s: float) -> Struck:
    """Removes all that an executor has written, and the folders themselves."""
    in_time = wait_moment(bench, job, base_s)
    victim = draw_executor(bench)
    for place in _folders(victim):
        shutil.rmtree(place, ignore_errors=True)
    return Struck(in_time)


def _folders(executor: ExecutorProcess) -> list[str]:
    """Returns the folders of an executor, known to the process that removes them in the end."""
    words = [
        word
        for child in psutil.Process(executor.pid).children()
        for word in child.cmdline()
        if word.startswith("/") and Path(word).name.startswith("springald-executor-")
    ]
    assert words, f"an executor has folders: got none of {executor}"
    return words
