"""Keeps what runs came to, so that a long row may be run in pieces, and writes the page."""

import json
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path

from faults.outcomes import Outcome, Record
from faults.table import ROWS, Row
from faults.tally import HEAD, Tally, row

_TOP = Path(__file__).resolve().parents[2]
PAGE = _TOP / "docs" / "reliability.md"
KEPT = _TOP / ".data" / "faults.jsonl"
BEGIN, END = "<!-- faults: begin -->", "<!-- faults: end -->"


def add(record: Record, path: Path = KEPT) -> None:
    """Keeps a run."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        file.write(json.dumps(asdict(record)) + "\n")


def load(path: Path = KEPT) -> list[Record]:
    """Returns all runs that are kept; of one that was repeated the last."""
    if not path.exists():
        return []
    found: dict[tuple[str, int], Record] = {}
    for line in path.read_text().splitlines():
        told = json.loads(line)
        outcome = Outcome(**told.pop("outcome")) if told["outcome"] else told.pop("outcome")
        record = Record(outcome=outcome, **told)
        found[record.row, record.seed] = record
    return list(found.values())


def forget(names: Iterable[str], path: Path = KEPT) -> None:
    """Forgets the runs of rows."""
    names = set(names)
    left = [each for each in load(path) if each.row not in names]
    path.write_text("")
    for each in left:
        add(each, path)


def tally_of(each: Row, records: Iterable[Record]) -> Tally:
    """Counts the runs of a row."""
    return Tally(each.name, [record for record in records if record.row == each.name])


def write_page(records: Iterable[Record], page: Path = PAGE) -> None:
    """Writes the rows that have runs into the page; others stay as they are."""
    text = page.read_text()
    before, _, rest = text.partition(BEGIN)
    old, _, after = rest.partition(END)
    written = {_name(line): line for line in old.splitlines() if line.startswith("| ")}
    records = list(records)
    lines = []
    for each in ROWS:
        tally = tally_of(each, records)
        line = row(tally, each.shown, each.runs) if tally.records else written.get(each.name, "")
        if line:
            lines.append(line)
    table = "\n".join([*HEAD, *lines])
    page.write_text(f"{before}{BEGIN}\n{table}\n{END}{after}")


def _name(line: str) -> str:
    return line.split("|")[1].strip()
