"""Starting processes: a scheduler, an executor, or a whole cluster in the foreground."""

import runpy
import signal
import sys
import threading
from importlib.util import find_spec
from typing import Final

import typer

from springald.cli.failures import FAILED
from springald.cluster import LocalCluster
from springald.errors import UnsupportedError

__all__ = ["run_cluster", "run_program"]

_LOOK_S: Final = 0.5
_TAIL_LINES: Final = 5


def run_cluster(
    executors: int, slots: int, *, memory: int | None, port: int, log_level: str
) -> int:
    """Runs a cluster until a signal says to stop; returns the exit code."""
    stop = threading.Event()
    with LocalCluster(executors, slots, memory=memory, log_level=log_level, port=port) as cluster:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stop.set())
        typer.echo(cluster.url)
        typer.secho(f"{_counted(executors, slots)}; Ctrl-C stops the cluster", err=True)
        code = _watch(cluster, stop)
    typer.secho("stopped", err=True)
    return code


def _counted(executors: int, slots: int) -> str:
    """Says how large a cluster is.

    Example:
        >>> _counted(1, 1), _counted(2, 4)
        ('1 executor with 1 slot', '2 executors with 4 slots each')
    """
    return (
        f"{executors} executor{'' if executors == 1 else 's'} with {slots} "
        f"slot{'' if slots == 1 else 's'}{'' if executors == 1 else ' each'}"
    )


def run_program(module: str, command: str, arguments: list[str]) -> None:
    """Runs the main of another distribution in this process, as `python -m` does.

    Raises:
        UnsupportedError: It is not installed.
    """
    if find_spec(module) is None:
        name = module.replace("_", "-")
        raise UnsupportedError(
            f"springald {command} needs {name}: got no such package; pip install {name}"
        )
    sys.argv = [f"springald {command}", *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)


def _watch(cluster: LocalCluster, stop: threading.Event) -> int:
    """Waits for the signal to stop; tells of executors that end, and ends with the scheduler."""
    ended: set[int] = set()
    while not stop.wait(_LOOK_S):
        if not cluster.scheduler.is_alive:
            _tell_end(cluster.scheduler.name, cluster.scheduler.log)
            return FAILED
        for executor in cluster.executors:
            if not executor.is_alive and executor.pid not in ended:
                ended.add(executor.pid)
                _tell_end(executor.name, executor.log)
    return 0


def _tell_end(name: str, log: str) -> None:
    tail = "\n".join(log.splitlines()[-_TAIL_LINES:])
    typer.secho(f"{name} ended; its last lines were:\n{tail}", err=True, fg=typer.colors.RED)
