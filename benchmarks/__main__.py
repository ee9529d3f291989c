"""Measures Springald beside the engine that it is made of, and beside other engines.

All places read the same files on the same cores in one run, taking turns query by query, and every
answer is compared.
"""

import argparse
import sys
from pathlib import Path

import psutil

from benchmarks.catalogue import DEFAULT_PLACES, place_spec
from benchmarks.process import Resources
from benchmarks.report import Measured, described_machine, markdown, written
from benchmarks.runner import Runner
from benchmarks.workloads.tpch import tpch
from tpch.data import QUERIES


def main() -> None:
    """Measures and prints."""
    options = _options()
    resources = Resources(options.cores, int(options.memory_gib * (1 << 30)))
    specs = [place_spec(name, options.cores, _say) for name in options.places]
    machine = described_machine(resources, [Path(sys.argv[0]).parent.name, *sys.argv[1:]])
    workload = tpch(options.scale, options.queries)
    runner = Runner(workload, specs, resources, _say)
    outcome = runner.run(options.runs, one_at_a_time=options.one_at_a_time)
    measured = Measured(workload.name, workload.title, options.runs, outcome, machine)
    if options.json:
        options.json.write_text(written(measured))
    print(markdown(measured))


def _say(text: str) -> None:
    print(text, flush=True)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="./dev bench", description=__doc__)
    memory_gib = round(psutil.virtual_memory().total / (1 << 31), 1)
    add = parser.add_argument
    add("--places", nargs="+", default=list(DEFAULT_PLACES), metavar="PLACE")
    add("--scale", type=float, default=1, help="TPC-H scale factor (default 1)")
    add("--queries", nargs="+", type=int, default=list(QUERIES), metavar="N")
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
    return parser.parse_args()


if __name__ == "__main__":
    main()
