"""Clusters to try things on, and the tables that they read."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import springald
from cluster.footprint import Footprint
from cluster.health import assert_healthy
from cluster.tables import SPREAD, write_busy, write_numbers

__all__ = ["busy", "cluster", "con", "footprint", "numbers", "patient", "started_in"]


@pytest.fixture(scope="session")
def numbers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the table `numbers`."""
    return write_numbers(tmp_path_factory.mktemp("tables") / "numbers")


@pytest.fixture(scope="session")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the table `busy`."""
    return write_busy(tmp_path_factory.mktemp("tables") / "busy")


@pytest.fixture(scope="session")
def footprint(tmp_path_factory: pytest.TempPathFactory) -> Footprint:
    """Looks at the cluster from outside."""
    return Footprint(tmp_path_factory.mktemp("cluster"))


@pytest.fixture(scope="session")
def cluster(footprint: Footprint) -> Iterator[springald.LocalCluster]:
    """A cluster of two executors with a slot each; modules that need another one have their own."""
    with started_in(footprint) as started:
        yield started


@contextmanager
def started_in(
    footprint: Footprint, memory: int | None = None, **settings: str
) -> Iterator[springald.LocalCluster]:
    """Starts a cluster of two executors with a slot each.

    Args:
        footprint: Where it has its files.
        memory: The memory of each executor.
        **settings: Settings of the scheduler by name, as in its environment.
    """
    with footprint.environment(settings):
        started = springald.LocalCluster(2, 1, memory=memory, work_dir=footprint.folder)
    with started:
        yield started


@pytest.fixture
def patient(cluster: springald.LocalCluster, numbers: Path) -> Iterator[springald.LocalCluster]:
    """The cluster, which must be well again when the test is over."""
    yield cluster
    assert_healthy(cluster, numbers)


@pytest.fixture
def con(patient: springald.LocalCluster, numbers: Path) -> Iterator[springald.Connection]:
    """A session with `numbers`, whose queries are spread; the cluster must survive the test."""
    with patient.connect(**SPREAD) as connection:
        connection.register_parquet("numbers", numbers)
        yield connection
