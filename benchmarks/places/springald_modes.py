"""Springald in local mode, and as a cluster of processes on this machine."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from typing import Any

import springald
from benchmarks.places.session import Answer, Session, Setup


class SpringaldPlace:
    """A local mode or a cluster; each session is a connection."""

    def __init__(self, setup: Setup, connect: Callable[..., springald.Connection]) -> None:
        """Takes how connections are made."""
        self._tables = setup.tables
        self._connect = connect
        self._settings: dict[str, Any] = {}
        if setup.spread:
            self._settings["springald.distribution"] = "always"
        if setup.partitions:
            self._settings["datafusion.execution.target_partitions"] = setup.partitions

    @contextmanager
    def session(self) -> Iterator[Session]:
        """Opens a connection."""
        with self._connect(**self._settings) as connection:
            for name, folder in self._tables.items():
                connection.register_parquet(name, folder)
            yield _SpringaldSession(connection)

    def versions(self) -> Mapping[str, str]:
        """Names Springald."""
        return {"springald": springald.__version__, "pyarrow": version("pyarrow")}


class _SpringaldSession:
    def __init__(self, connection: springald.Connection) -> None:
        self._connection = connection
        self._job: springald.Job | None = None

    def query(self, sql: str) -> Answer:
        job = self._connection.sql(sql).execute()
        reader = job.result_batches()
        answer = Answer(iter(reader), reader.schema)
        self._job = job
        return answer

    def count(self, answer: Answer) -> None:
        if self._job is None:
            return
        statistics = self._job.statistics()
        self._job = None
        read_remote = sum(stage.bytes_read_remote for stage in statistics.stages)
        answer.counters.update(
            bytes_shuffled=statistics.bytes_shuffled,
            bytes_fetched=read_remote,
            tasks=len(statistics.tasks),
            stages=len(statistics.stages),
        )


@contextmanager
def start_local(setup: Setup) -> Iterator[SpringaldPlace]:
    """Starts local mode, which takes its memory from the machine: half of it."""
    yield SpringaldPlace(setup, springald.connect)


@contextmanager
def start_cluster(setup: Setup) -> Iterator[SpringaldPlace]:
    """Starts a scheduler and executors."""
    with springald.LocalCluster(
        setup.executors,
        setup.slots,
        memory=setup.memory_bytes // setup.executors,
        work_dir=setup.scratch,
    ) as cluster:
        yield SpringaldPlace(setup, cluster.connect)
