"""The tables of these tests: small ones to be right about, and one to be busy with for long."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

FILES = 4
NUMBERS_ROWS = 4_000
NUMBERS_GROUPS = 7
BUSY_ROWS = 400_000

# Small data is one task by the cost gate; here it is to be spread wherever a plan allows it.
SPREAD = {"springald.distribution": "always"}

SUMS = "SELECT k, count(*) AS n, sum(id) AS s FROM numbers GROUP BY k ORDER BY k"
"""A distributed query whose answer is `sums()`."""

BUSY = "SELECT count(*) AS n FROM busy a JOIN busy b ON a.k = b.k WHERE a.id + b.id < 0"
"""A distributed query that runs for minutes: 23 thousand million pairs of rows, none of which
passes."""


def sum_of(terms: int) -> str:
    """Returns a query over `numbers` whose planning time grows with the cube of its terms.

    It has one row: the number of terms. 500 of them take seconds, 5,000 hours.
    """
    return f"SELECT {' + '.join(['id'] * terms)} AS one FROM numbers WHERE id = 1"


def sums() -> dict[str, list[int]]:
    """Returns the answer to `SUMS`, worked out here."""
    groups = [
        [row for row in range(NUMBERS_ROWS) if row % NUMBERS_GROUPS == k]
        for k in range(NUMBERS_GROUPS)
    ]
    return {
        "k": list(range(NUMBERS_GROUPS)),
        "n": [len(group) for group in groups],
        "s": [sum(group) for group in groups],
    }


def write_numbers(folder: Path) -> Path:
    """Writes `numbers`: ids from 0, `k` that is the id modulo 7, and the id as text."""
    return _write(folder, NUMBERS_ROWS)


def write_busy(folder: Path) -> Path:
    """Writes `busy`, as `numbers` with a hundred times the rows."""
    return _write(folder, BUSY_ROWS)


def numbers_table(rows: int = NUMBERS_ROWS) -> pa.Table:
    """Returns the rows of `numbers`."""
    ids = range(rows)
    return pa.table(
        {
            "id": pa.array(ids, pa.int64()),
            "k": pa.array((i % NUMBERS_GROUPS for i in ids), pa.int64()),
            "s": pa.array(map(str, ids)),
        }
    )


def _write(folder: Path, rows: int) -> Path:
    folder.mkdir(parents=True)
    table = numbers_table(rows)
    for part in range(FILES):
        first, past = (rows * at // FILES for at in (part, part + 1))
        pq.write_table(table.slice(first, past - first), folder / f"part-{part}.parquet")
    return folder
