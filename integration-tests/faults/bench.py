"""A cluster to break, queries to break it under, and their answers by one process."""

import random
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import SimpleQueue

import pyarrow as pa
from datafusion import SessionContext

import springald
from cluster.footprint import Footprint
from cluster.health import slots_free, slots_total
from cluster.tables import SUMS, sums, write_numbers
from cluster.waiting import Stopwatch, wait_until
from etcd_servers import EtcdServers
from faults.fleet import Fleet, Shape
from faults.outcomes import HungError, WrongError
from oracle.compare import assert_same
from tpch.data import query_text, table_folders

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

GUARD_S = 60.0
"""How long a query with a fault may take before it counts as hung."""


class Bench:
    """A running cluster with a session.

    Attributes:
        fleet: The cluster's processes.
        con: A session that knows the tables.
        rng: Draws everything that is left to chance.
        footprint: Looks at the cluster from outside.
        etcd: The servers that schedulers keep their state in, if they do.
        numbers: The folder of the table `numbers`.
        last_error: Of the query that failed last, for people.
    """

    def __init__(self, fleet: Fleet, con: springald.Connection, numbers: Path) -> None:
        self.fleet = fleet
        self.con = con
        self.rng = random.Random(0)  # noqa: S311
        self.footprint = Footprint(fleet.folder)
        self.etcd: EtcdServers | None = None
        self.numbers = numbers
        self._engine = SessionContext()
        self._answers: dict[str, pa.Table] = {}
        self._warm: set[str] = set()
        self.last_error = ""
        for name, place in {**table_folders(SCALE), "numbers": numbers}.items():
            con.register_parquet(name, place)
            self._engine.register_parquet(name, f"{place}/")

    def draw_query(self) -> str:
        """Returns a query."""
        return query_text(self.rng.choice(QUERIES))

    def base_s(self, sql: str) -> float:
        """Runs a query without a fault and returns how long it takes, once its plan is known."""
        if sql not in self._warm:
            self.con.sql(sql).to_arrow()
            self._warm.add(sql)
        watch = Stopwatch()
        self.con.sql(sql).to_arrow()
        return watch.elapsed_s

    def check(self, sql: str, got: pa.Table) -> None:
        """Raises WrongError unless rows are those that one process has."""
        want = self._answers.get(sql)
        if want is None:
            want = self._answers[sql] = self._engine.sql(sql).to_arrow_table()
        try:
            assert_same(got, want)
        except AssertionError as wrong:
            raise WrongError(str(wrong)) from None

    def mend(self) -> None:
        """Brings the cluster back to its full size, and checks that it is well."""
        fleet = self.fleet
        if fleet.relay:
            fleet.relay.let_go()
        for address, scheduler in fleet.schedulers.items():
            if not scheduler.is_alive:
                fleet.restart_scheduler(address)
        missing = fleet.shape.executors - len(fleet.alive)
        fleet.add_executors(missing)
        fleet.forget_dead()
        pids = {each.pid for each in fleet.alive}
        wait_until(
            lambda: {each.pid for each in self.con.executors()} == pids,
            f"the scheduler lists the executors {pids}",
        )
        wait_until(lambda: slots_free(self.con) == slots_total(self.con), "all slots are free")
        job = self.con.sql(SUMS).execute()
        if read_in_time(job).to_pydict() != sums():
            raise WrongError("the cluster answers right afterwards")
        busy = job.statistics().tasks_per_executor
        assert len(busy) >= min(len(pids), 2), f"queries run on several executors: got {busy}"


def read_in_time(job: springald.Job, guard_s: float = GUARD_S) -> pa.Table:
    """Returns a job's rows.

    Raises:
        HungError: They did not come in time.
        SpringaldError: There are none.
    """
    got: SimpleQueue[pa.Table | Exception] = SimpleQueue()

    def read() -> None:
        try:
            got.put(job.result())
        except Exception as error:  # noqa: BLE001 - raised by whoever waits
            got.put(error)

    reader = threading.Thread(target=read, daemon=True)
    reader.start()
    reader.join(guard_s)
    if reader.is_alive():
        raise HungError(f"rows or an error come within {guard_s:g} s: got {job!r}")
    table = got.get()
    if isinstance(table, Exception):
        raise table
    return table


@contextmanager
def started(folder: Path, shape: Shape) -> Iterator[Bench]:
    """Starts a bench below a folder that is empty."""
    numbers = write_numbers(folder / "numbers")
    place = folder / "fleet"
    place.mkdir()
    fleet = Fleet(place, shape)
    try:
        with fleet.connect(**SHUFFLING) as con:
            yield Bench(fleet, con, numbers)
    finally:
        fleet.close()
