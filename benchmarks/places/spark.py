"""Spark as a cluster of processes on this machine: a driver and executors, each a JVM."""

import json
import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.request import urlopen

import pyspark  # type: ignore[import-not-found]
from pyspark.sql import SparkSession  # type: ignore[import-not-found]

from benchmarks.places.session import Answer, Session, Setup

_DRIVER_BYTES = 2 << 30
"""Results pass through the driver; this is taken from what the executors get."""

_PARTITIONS_PER_CORE = 4
"""Spark's default is made for large clusters, and would be 200 in all."""


class SparkPlace:
    """A Spark application; sessions share its executors."""

    def __init__(self, setup: Setup, spark: SparkSession) -> None:
        """Takes the application."""
        self._tables = setup.tables
        self._spark = spark

    @contextmanager
    def session(self) -> Iterator[Session]:
        """Opens a session with tables of its own."""
        spark = self._spark.newSession()
        for name, folder in self._tables.items():
            spark.read.parquet(folder).createOrReplaceTempView(name)
        yield _SparkSession(spark)

    def versions(self) -> Mapping[str, str]:
        """Names Spark and where it runs."""
        return {"spark": f"{pyspark.__version__} {self._spark.sparkContext.master}"}


class _SparkSession:
    def __init__(self, spark: SparkSession) -> None:
        self._spark = spark
        self._before = _totals(spark)

    def query(self, sql: str) -> Answer:
        # All at once: Spark hands rows out as Arrow in no other way.
        rows = self._spark.sql(sql).toArrow()
        return Answer(iter(rows.to_batches()), rows.schema)

    def count(self, answer: Answer) -> None:
        """Reads what the executors have shuffled since the last time; other sessions count too."""
        totals = _totals(self._spark)
        answer.counters.update({name: totals[name] - self._before[name] for name in totals})
        self._before = totals


def _totals(spark: SparkSession) -> dict[str, float]:
    context = spark.sparkContext
    url = f"{context.uiWebUrl}/api/v1/applications/{context.applicationId}/allexecutors"
    with urlopen(url) as response:  # noqa: S310 - the application's own page
        executors = json.load(response)
    return {
        "bytes_shuffled": sum(executor["totalShuffleWrite"] for executor in executors),
        "tasks": sum(executor["totalTasks"] for executor in executors),
    }


@contextmanager
def start(setup: Setup) -> Iterator[SparkPlace]:
    """Starts the driver and the executors."""
    # Otherwise the executors listen where others can reach them.
    os.environ["SPARK_LOCAL_IP"] = "127.0.0.1"
    # An executor's heap holds what operators may; the JVM's own needs come on top.
    executor_mib = max(1024, (setup.memory_bytes - _DRIVER_BYTES) // setup.executors >> 20)
    partitions = setup.partitions or setup.cores * _PARTITIONS_PER_CORE
    builder = (
        SparkSession.builder.master(
            f"local-cluster[{setup.executors},{setup.slots},{executor_mib}]"
        )
        .appName("springald-benchmarks")
        .config("spark.driver.memory", f"{_DRIVER_BYTES >> 20}m")
        .config("spark.executor.memory", f"{executor_mib}m")
        .config("spark.driver.host", "127.0.0.1")
        .config("spark.driver.bindAddress", "127.0.0.1")
        .config("spark.driver.maxResultSize", "0")
        .config("spark.local.dir", str(setup.scratch))
        .config("spark.sql.warehouse.dir", str(setup.scratch / "warehouse"))
        .config("spark.sql.shuffle.partitions", partitions)
        .config("spark.ui.port", "0")
    )
    if setup.spread:
        # Small files are packed into one task by what opening them is said to cost.
        builder = builder.config("spark.sql.files.openCostInBytes", str(1 << 30))
    spark = builder.getOrCreate()
    try:
        yield SparkPlace(setup, spark)
    finally:
        spark.stop()
        # Executors' logs lie beside the program, wherever else its files are sent.
        shutil.rmtree(Path(pyspark.__file__).parent / "work", ignore_errors=True)
