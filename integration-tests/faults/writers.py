"""Processes that die while a statement writes files: these appear whole, once, or not at all."""

import shutil
from pathlib import Path

import pyarrow as pa
import pyarrow.dataset as ds

from cluster.waiting import Stopwatch, wait_until
from faults.bench import Bench, read_in_time
from faults.outcomes import Outcome, WrongError
from faults.under_query import Fault, Scenario, statistics_of
from springald.errors import SpringaldError
from springald.plan.v1.plan_pb2 import Plan, PlanVersion, SqlText
from tpch.data import query_text

WRITTEN = (1, 3, 5, 9, 10, 13, 16, 18)
"""Queries of TPC-H whose rows go into files."""


def under_write(fault: Fault) -> Scenario:
    """Makes a scenario of what breaks something while the rows of a query are written.

    The statement may fail with an error, which is counted; then there is no file.
    """

    def run(bench: Bench) -> Outcome | None:
        sql = query_text(bench.rng.choice(WRITTEN)).strip().rstrip(";")
        base_s = _write_once(bench, sql)
        folder = _folder(bench)
        watch = Stopwatch()
        job = bench.con.execute_plan(_statement(sql, folder))
        struck = fault(bench, job, base_s)
        finished = True
        try:
            (count,) = read_in_time(job)["count"].to_pylist()
        except SpringaldError as error:
            finished, count = False, 0
            bench.last_error = f"{error} ({job!r})"
        took_s = watch.elapsed_s
        statistics = statistics_of(job)
        bench.con.sql("SELECT 1").to_arrow()  # what was released is on its way
        if finished:
            _check(bench, sql, folder, count)
        else:
            wait_until(lambda: not _files(folder), "a statement that failed has no files")
        shutil.rmtree(folder, ignore_errors=True)
        if not struck.in_time or statistics is None:
            return None
        struck.verify(statistics)
        again = struck.again(statistics)
        return Outcome(base_s, took_s, again, struck.lost, finished, dict(struck.figures))

    return run


def _write_once(bench: Bench, sql: str) -> float:
    """Writes the rows twice without a fault and returns how long that takes the second time."""
    for _ in range(2):
        watch = Stopwatch()
        read_in_time(bench.con.execute_plan(_statement(sql, _folder(bench))))
        took_s = watch.elapsed_s
        shutil.rmtree(_folder(bench))
    return took_s


def _folder(bench: Bench) -> Path:
    return bench.numbers.parent / "written"


def _statement(sql: str, folder: Path) -> Plan:
    text = f"COPY ({sql}) TO '{folder}/' STORED AS PARQUET"
    return Plan(version=PlanVersion(major=1), sql=SqlText(text=text))


def _files(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def _check(bench: Bench, sql: str, folder: Path, count: int) -> None:
    """Raises WrongError unless the files hold the rows that one process has, and nothing else."""
    got: pa.Table = ds.dataset(folder).to_table()
    if got.num_rows != count:
        raise WrongError(f"a statement tells how many rows it wrote: got {count}, {got.num_rows}")
    bench.check(sql, got)
    staged = [path for path in _files(folder) if path.parent != folder]
    if staged:
        raise WrongError(f"nothing is left of what was staged: got {staged}")
