"""Measures Springald beside the engine that it is made of, and beside other engines.

All places read the same files on the same cores in one run, taking turns query by query, and every
answer is compared.
"""

import argparse
import shutil
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

import psutil

from benchmarks.catalogue import DEFAULT_PLACES, PLACES, place_spec
from benchmarks.process import Resources
from benchmarks.report import Measured, described_machine, markdown, replaced, written
from benchmarks.runner import Runner
from benchmarks.workloads.hard import skew, tasks
from benchmarks.workloads.tpch import bulk, clients, small, tpch
from benchmarks.workloads.workload import Workload
from tpch.data import QUERIES

_README: Final = Path(__file__).with_name("README.md")
_TERMINATED: Final = 128 + signal.SIGTERM
_WORKLOADS: Final[dict[str, Callable[[argparse.Namespace], Workload]]] = {
    "tpch": lambda options: tpch(options.scale, options.queries),
    "small": lambda _: small(),
    "clients": lambda _: clients(),
    "bulk": lambda options: bulk(options.scale),
    "skew": lambda options: skew(options.scale),
    "tasks": lambda options: tasks(options.tasks),
}


def main() -> None:
    """Measures, prints, and writes where it is asked to."""
    options = _options()
    # Places and their files are cleared away whatever ends the run.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(_TERMINATED))
    resources = Resources(options.cores, int(options.memory_gib * (1 << 30)))
    machine = described_machine(resources, sys.argv[1:])
    specs = [place_spec(name, options.cores, _say) for name in options.places]
    measured = []
    for name in options.workloads:
        workload = _WORKLOADS[name](options)
        _say(f"{workload.title}: {', '.join(options.places)}")
        runner = Runner(workload, specs, resources, _say)
        outcome = runner.run(options.runs, one_at_a_time=options.one_at_a_time)
        done = Measured(name, workload.title, workload.kind, options.runs, outcome, machine)
        measured.append(done)
        _say(markdown(done))
        if options.json:
            options.json.write_text(written(measured))
        if options.publish:
            _publish(workload.title, markdown(done))
        if options.delete_data:
            for folder in workload.make_tables().values():
                shutil.rmtree(folder.parent, ignore_errors=True)


def _publish(title: str, section: str) -> None:
    _README.write_text(replaced(_README.read_text(), title, section))


def _say(text: str) -> None:
    print(text, flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__)
    memory_gib = round(psutil.virtual_memory().total / (1 << 31), 1)
    add = parser.add_argument
    add(
        "--places",
        nargs="+",
        default=list(DEFAULT_PLACES),
        metavar="PLACE",
        help=f"of {', '.join(PLACES)}, or cluster-<executors>x<slots> "
        f"(default {' '.join(DEFAULT_PLACES)}); the first one's rows are what others are held "
        "against",
    )
    add("--workloads", nargs="+", choices=_WORKLOADS, default=["tpch"], help="(default tpch)")
    add("--scale", type=float, default=1, help="scale factor of tpch, bulk and skew (default 1)")
    add("--queries", nargs="+", type=int, default=list(QUERIES), metavar="N", help="of tpch")
    add("--tasks", type=int, default=10_000, help="how many, of tasks (default 10000)")
    add("--runs", type=int, default=3, help="runs of each query (default 3)")
    add("--cores", type=int, default=2, help="processors that every place gets (default 2)")
    add(
        "--memory-gib",
        type=float,
        default=memory_gib,
        help="what operators may hold, all processes of a place together (default half of all, "
        "which local mode takes anyway)",
    )
    add(
        "--one-at-a-time",
        action="store_true",
        help="places take turns by the round, each started anew for it",
    )
    add("--json", type=Path, help="where to write the figures")
    add("--publish", action="store_true", help="put the tables into benchmarks/README.md")
    add("--delete-data", action="store_true", help="delete the workload's data afterwards")
    return parser.parse_args()


if __name__ == "__main__":
    main()
