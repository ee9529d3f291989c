"""A cluster to break, queries to break it under, and their answers by one process."""

import random
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
from datafusion import SessionContext

import springald
from cluster.fixtures import started_in
from cluster.footprint import Footprint
from cluster.health import assert_healthy
from cluster.tables import write_numbers
from cluster.waiting import Stopwatch
from oracle.compare import assert_same
from tpch.data import query_text, table_folders

EXECUTORS = 3
SCALE = 0.1
QUERIES = (3, 5, 7, 8, 9, 10, 12, 13, 16, 18, 20, 21)
"""Queries of TPC-H with several exchanges one after the other."""

SHUFFLING = {
    "springald.distribution": "always",
    "springald.range_placement": "never",
    "springald.runtime_filters": "never",
    "datafusion.optimizer.hash_join_single_partition_threshold": "0",
    "datafusion.optimizer.hash_join_single_partition_threshold_rows": "0",
}
"""Every join reads both of its sides from an exchange."""

TIMEOUTS = {"executor_timeout": "2", "no_executor_timeout": "20"}
GUARD_S = 60.0
"""How long a query with a fault may take before it counts as hung."""

BIG = "SELECT l_orderkey, l_partkey, l_comment FROM lineitem WHERE l_quantity > 48"
"""A query whose result lies on all executors, and is read in place."""


@dataclass
class Bench:
    """A running cluster with a session.

    Attributes:
        cluster: The cluster.
        con: A session that knows the tables.
        rng: Draws everything that is left to chance.
        footprint: Looks at the cluster from outside.
        numbers: The table by which the cluster's health is told.
    """

    cluster: springald.LocalCluster
    con: springald.Connection
    rng: random.Random
    footprint: Footprint
    numbers: Path
    _engine: SessionContext = field(default_factory=SessionContext)
    _answers: dict[str, pa.Table] = field(default_factory=dict)

    def draw_query(self) -> str:
        """Returns a query."""
        return query_text(self.rng.choice(QUERIES))

    def time_s(self, sql: str) -> float:
        """Runs a query without a fault and returns how long it takes."""
        watch = Stopwatch()
        self.con.sql(sql).to_arrow()
        return watch.elapsed_s

    def alive(self) -> list[springald.ExecutorProcess]:
        """The executors that run."""
        return [each for each in self.cluster.executors if each.is_alive]

    def check(self, sql: str, got: pa.Table) -> None:
        """Raises AssertionError unless rows are those that one process has."""
        want = self._answers.get(sql)
        if want is None:
            want = self._answers[sql] = self._engine.sql(sql).to_arrow_table()
        assert_same(got, want)

    def mend(self) -> None:
        """Brings the cluster back to its full size, and checks that it is well."""
        while len(self.alive()) < EXECUTORS:
            self.cluster.add_executor()
        assert_healthy(self.cluster, self.numbers)

    def register(self, engine: SessionContext) -> None:
        """Tells the one process of the tables."""
        self._engine = engine


@contextmanager
def started(folder: Path, seed: int) -> Iterator[Bench]:
    """Starts a bench below a folder."""
    footprint = Footprint(folder)
    numbers = write_numbers(folder.with_name(f"{folder.name}-numbers"))
    engine = SessionContext()
    with (
        started_in(footprint, None, **TIMEOUTS) as small,
        small.connect(**SHUFFLING) as con,
    ):
        while len(small.executors) < EXECUTORS:
            small.add_executor()
        for name, place in table_folders(SCALE).items():
            con.register_parquet(name, place)
            engine.register_parquet(name, f"{place}/")
        bench = Bench(small, con, random.Random(seed), footprint, numbers)  # noqa: S311
        bench.register(engine)
        yield bench


def attempts(job: springald.Job) -> tuple[int, int]:
    """Returns how many tasks a job has, and how many attempts were made beyond one for each."""
    numbers = [
        int(found[1])
        for task in job.statistics().tasks
        if (found := re.search(r"#(\d+)$", task.task_id))
    ]
    return len(numbers), sum(max(0, each - 1) for each in numbers)
