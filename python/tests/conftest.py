"""Fixtures of the client's tests."""

import os
from collections.abc import Iterator
from pathlib import Path

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
def stand_ins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Has local clusters start stand-ins for their programs; returns a folder for their files."""
    programs = tmp_path / "programs"
    for program in ("scheduler", "executor"):
        package = programs / f"springald_{program}"
        package.mkdir(parents=True)
        (package / "__init__.py").touch()
        (package / "__main__.py").write_text(f"from fake_process import main\nmain({program!r})\n")
    here = str(Path(__file__).parent)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(programs), here]))
    folder = tmp_path / "clusters"
    folder.mkdir()
    return folder


@pytest.fixture
def con(cluster: FakeCluster) -> Iterator[Connection]:
    """A connection to it."""
    with springald.connect(cluster.url) as connection:
        yield connection
