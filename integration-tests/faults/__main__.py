"""`python -m faults`: breaks clusters again and again, and tells what came of it."""

import argparse
import sys
import time
from collections.abc import Sequence

from faults import keep
from faults.outcomes import Record
from faults.runs import run_many
from faults.table import ROWS, Row
from faults.tally import HEAD, row


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs rows; returns 1 if something does not hold that must."""
    given = _parser().parse_args(arguments)
    rows = [each for each in ROWS if given.only in each.name]
    if not rows:
        _say(f"a row is one of: {', '.join(each.name for each in ROWS)}")
        return 2
    if given.fresh:
        keep.forget(each.name for each in rows)
    deadline = time.monotonic() + given.minutes * 60 if given.minutes else float("inf")
    for each in rows:
        _run(each, _seeds(each, given), deadline)
    records = keep.load()
    problems = [problem for each in rows for problem in _told(each, records)]
    if given.write:
        keep.write_page(records)
    return int(bool(problems))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m faults", description=__doc__)
    parser.add_argument(
        "--runs",
        default="5",
        help="how often each row is run; 0.1x is a tenth of what is published",
    )
    parser.add_argument("--full", action="store_true", help="as often as is published: --runs 1x")
    parser.add_argument(
        "--seed", type=int, default=1, help="of the first run; the next has one more"
    )
    parser.add_argument("--only", default="", help="rows whose names contain this")
    parser.add_argument("--minutes", type=float, default=0, help="begins no run after this time")
    parser.add_argument(
        "--fresh", action="store_true", help="forgets former runs; otherwise these are not repeated"
    )
    parser.add_argument("--again", action="store_true", help="repeats runs that are kept")
    parser.add_argument("--write", action="store_true", help=f"writes into {keep.PAGE.name}")
    return parser


def _seeds(each: Row, given: argparse.Namespace) -> list[int]:
    asked = "1x" if given.full else given.runs
    runs = max(1, round(float(asked[:-1]) * each.runs)) if asked.endswith("x") else int(asked)
    done = {record.seed for record in keep.load() if record.row == each.name}
    wanted = range(given.seed, given.seed + runs)
    return [seed for seed in wanted if given.again or seed not in done]


def _run(each: Row, seeds: Sequence[int], deadline: float) -> None:
    if seeds:
        _say(f"{each.name}: seeds {seeds[0]} to {seeds[-1]}")
    for record in run_many(each, seeds, deadline):
        keep.add(record)
        if record.came_to != "right" and not (record.outcome and each.failures_max is None):
            _complain(each, record)


def _complain(each: Row, record: Record) -> None:
    _say(
        f"  {record.came_to}, seed {record.seed}: {record.why}\n"
        f"  repeat it: python -m faults --only '{each.name}' --seed {record.seed} --runs 1 --again"
    )


def _told(each: Row, records: Sequence[Record]) -> list[str]:
    """Prints a row; returns what does not hold of it."""
    tally = keep.tally_of(each, records)
    if not tally.records:
        return []
    _say("\n".join([*HEAD, row(tally, each.shown, each.runs)]))
    problems = [problem for bar in each.all_bars if (problem := bar(tally))]
    for problem in problems:
        _say(f"  {each.name} does not hold: {problem}")
    return problems


def _say(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
