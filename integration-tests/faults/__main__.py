"""`python -m faults --runs N`: breaks a cluster again and again, and tells what came of it."""

import argparse
import sys
import tempfile
from pathlib import Path

from faults.bench import started
from faults.runs import run_many, table
from faults.scenarios import SCENARIOS

PAGE = Path(__file__).resolve().parents[2] / "docs" / "reliability.md"
BEGIN, END = "<!-- faults: begin -->", "<!-- faults: end -->"


def main() -> int:
    """Runs the scenarios; returns 1 if a run was not right."""
    parser = argparse.ArgumentParser(prog="python -m faults", description=__doc__)
    parser.add_argument("--runs", type=int, default=5, help="how often each scenario is run")
    parser.add_argument("--seed", type=int, default=0, help="draws other moments for another seed")
    parser.add_argument("--only", default="", help="scenarios whose names contain this")
    parser.add_argument("--write", action="store_true", help=f"write the table into {PAGE.name}")
    given = parser.parse_args()
    names = [name for name in SCENARIOS if given.only in name]
    print(f"seed {given.seed}, {given.runs} runs of each scenario", flush=True)  # noqa: T201
    tallies = []
    with tempfile.TemporaryDirectory(prefix="faults-") as folder:
        place = Path(folder, "cluster")
        place.mkdir()
        with started(place, given.seed) as bench:
            for tally in run_many(bench, names, given.runs):
                tallies.append(tally)
                print("\n".join([tally.row(), *tally.failures]), flush=True)  # noqa: T201
    if given.write:
        told = f"Seed {given.seed}.\n\n{table(tallies)}"
        before, _, rest = PAGE.read_text().partition(BEGIN)
        PAGE.write_text(f"{before}{BEGIN}\n{told}\n{END}{rest.partition(END)[2]}")
    return int(any(tally.failures for tally in tallies))


if __name__ == "__main__":
    sys.exit(main())
