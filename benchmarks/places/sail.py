"""Sail as a cluster in one process, asked over Spark Connect."""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from importlib.metadata import version
from typing import Any

import pyarrow as pa
from pysail.spark import SparkConnectServer  # type: ignore[import-not-found]
from pyspark.sql.connect.session import SparkSession  # type: ignore[import-not-found]

from benchmarks.places.session import Answer, Session, Setup


class SailPlace:
    """A Sail server; each session is one of Spark Connect."""

    def __init__(self, setup: Setup, port: int) -> None:
        """Takes where the server listens."""
        self._tables = setup.tables
        self._url = f"sc://127.0.0.1:{port}"

    @contextmanager
    def session(self) -> Iterator[Session]:
        """Opens a session."""
        spark = SparkSession.builder.remote(self._url).create()
        for name, folder in self._tables.items():
            spark.read.parquet(folder).createOrReplaceTempView(name)
        yield _SailSession(spark)
        spark.stop()

    def versions(self) -> Mapping[str, str]:
        """Names Sail and its client."""
        return {"pysail": version("pysail"), "pyspark-client": version("pyspark-client")}


class _SailSession:
    def __init__(self, spark: SparkSession) -> None:
        self._spark = spark

    def query(self, sql: str) -> Answer:
        frame = self._spark.sql(sql)
        # What the public calls do, but without waiting for the last row.
        plan = frame._plan.to_proto(self._spark.client)  # noqa: SLF001
        return Answer(_batches(self._spark.client.to_table_as_iterator(plan, {})))

    def count(self, answer: Answer) -> None:
        """Sail tells nothing of what it moved."""


def _batches(parts: Iterator[Any]) -> Iterator[pa.RecordBatch]:
    """Keeps the tables of a stream that tells its schema in between."""
    for part in parts:
        if isinstance(part, pa.Table):
            yield from part.to_batches()


@contextmanager
def start(setup: Setup) -> Iterator[SailPlace]:
    """Starts the server, with workers for the life of the process."""
    # Sail reads its settings from the environment when the server is made.
    os.environ.update(
        SAIL_MODE="local-cluster",
        SAIL_CLUSTER__WORKER_INITIAL_COUNT=str(setup.executors),
        SAIL_CLUSTER__WORKER_MAX_COUNT=str(setup.executors),
        SAIL_CLUSTER__WORKER_TASK_SLOTS=str(setup.slots),
        SAIL_CLUSTER__WORKER_MAX_IDLE_TIME_SECS="86400",
        SAIL_EXECUTION__DEFAULT_PARALLELISM=str(setup.partitions or setup.cores),
        SAIL_RUNTIME__MEMORY_POOL__TYPE="fair",
        SAIL_RUNTIME__MEMORY_POOL__FAIR__MAX_SIZE=str(setup.memory_bytes // setup.executors),
    )
    server = SparkConnectServer()
    server.start()
    if server.listening_address is None:
        raise RuntimeError("a server that has started listens: got no address of Sail's")
    try:
        yield SailPlace(setup, server.listening_address[1])
    finally:
        server.stop()
