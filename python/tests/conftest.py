"""Fixtures of the client's tests."""

from collections.abc import Iterator

import pytest
from fake_cluster import FakeCluster, running_cluster

import springald
from springald.client import Connection


@pytest.fixture
def cluster() -> Iterator[FakeCluster]:
    """A scripted cluster."""
    with running_cluster() as cluster:
        yield cluster


@pytest.fixture
def con(cluster: FakeCluster) -> Iterator[Connection]:
    """A connection to it."""
    with springald.connect(cluster.url) as connection:
        yield connection
