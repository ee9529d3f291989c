"""Clusters that are set up for some kind of fault, by name; runs of a row share one."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Final

import pytest

from etcd_servers import etcd_servers
from faults.bench import Bench, started
from faults.executors import LOST_S, NO_EXECUTOR_S
from faults.fleet import Shape, python_path
from faults.room import MEMORY, small_disks
from faults.unlucky_scheduler import SEED

World = Callable[[Path, int], AbstractContextManager[Bench]]
"""Starts a cluster below an empty folder, from a seed."""

_SOON = {"--executor-timeout": f"{LOST_S:g}", "--no-executor-timeout": "20"}


def _of(**shape: object) -> World:
    """A cluster of a shape, and nothing else."""

    @contextmanager
    def world(folder: Path, _: int) -> Iterator[Bench]:
        state = folder / "state"
        state.mkdir()
        told = {"scheduler": _SOON, **shape}
        if told.get("state") == "sqlite":
            told["state"] = f"sqlite:{state / 'state.db'}"
        with started(folder, Shape(**told)) as bench:  # type: ignore[arg-type]
            yield bench

    return world


def _with_etcd(members: int, schedulers: int) -> World:
    @contextmanager
    def world(folder: Path, _: int) -> Iterator[Bench]:
        with etcd_servers(members) as etcd:
            shape = Shape(state=f"{etcd.url}/test", schedulers=schedulers, scheduler=_SOON)
            with started(folder, shape) as bench:
                bench.etcd = etcd
                yield bench

    return world


@contextmanager
def _unlucky(folder: Path, seed: int, state: str = "", schedulers: int = 1) -> Iterator[Bench]:
    shape = Shape(
        state=state or f"sqlite:{folder / 'state.db'}",
        schedulers=schedulers,
        module="faults.unlucky_scheduler",
        scheduler=_SOON,
    )
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv(SEED, str(seed))
        environment.setenv("PYTHONPATH", python_path())
        with started(folder, shape) as bench:
            yield bench


@contextmanager
def _unlucky_with_etcd(folder: Path, seed: int) -> Iterator[Bench]:
    with etcd_servers(1) as etcd, _unlucky(folder, seed, f"{etcd.url}/test", 2) as bench:
        bench.etcd = etcd
        yield bench


@contextmanager
def _tiny_disks(folder: Path, _: int) -> Iterator[Bench]:
    with small_disks(folder / "disks") as disks:
        shape = Shape(scheduler=_SOON, executor={"--shuffle-memory": "0"}, work_dir=disks.make)
        with started(folder, shape) as bench:
            disks.limit(bench)
            yield bench


WORLDS: Final[Mapping[str, World]] = {
    "plain": _of(),
    "told": _of(scheduler={**_SOON, "--log-level": "debug"}),
    "relayed": _of(relayed=True),
    "impatient": _of(scheduler={**_SOON, "--no-executor-timeout": f"{NO_EXECUTOR_S:g}"}),
    "sqlite": _of(state="sqlite"),
    "two schedulers": _with_etcd(members=1, schedulers=2),
    "three members": _with_etcd(members=3, schedulers=2),
    "unlucky": _unlucky,
    "unlucky with etcd": _unlucky_with_etcd,
    "tiny disks": _tiny_disks,
    "short of memory": _of(executor={"--memory": MEMORY}),
    "many": _of(scheduler={}),
    "long": _of(state="sqlite", scheduler={}),
}
