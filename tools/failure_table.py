"""Writes the failure table of the scheduler's core into `docs/reliability.md`.

`python -m tools.failure_table` writes, `--check` says if the page is another one.
"""

import sys
from pathlib import Path
from typing import Final

from springald_scheduler.core.limits import CoreLimits
from springald_scheduler.core.retries import tries_max
from springald_scheduler.core.taxonomy import TABLE, FailureRow

PAGE: Final = Path(__file__).parents[1] / "docs/reliability.md"
_BEGIN: Final = "<!-- failures: begin -->"
_END: Final = "<!-- failures: end -->"


def failure_table() -> str:
    """Returns the table as Markdown."""
    head = "| what happens | code | class | tried again | counted as, at most |"
    return "\n".join([head, "| --- | --- | --- | --- | --- |", *map(_row, TABLE)])


def page_with_table(page: str) -> str:
    """Returns the page with the table as it is now."""
    before, _, rest = page.partition(_BEGIN)
    return f"{before}{_BEGIN}\n{failure_table()}\n{_END}{rest.partition(_END)[2]}"


def _row(row: FailureRow) -> str:
    again = "no"
    if row.retried:
        again = "yes, better elsewhere" if row.elsewhere else "yes"
    budget = f"{row.budget.value}, {tries_max(CoreLimits(), row.budget)}" if row.retried else ""
    code = f"`{row.code}`" if row.code else ""
    return f"| {row.what} | {code} | {row.kind.value} | {again} | {budget} |"


def main() -> int:
    """Writes the page, or checks it."""
    page = PAGE.read_text()
    wanted = page_with_table(page)
    if "--check" in sys.argv[1:]:
        return int(page != wanted)
    PAGE.write_text(wanted)
    return 0


if __name__ == "__main__":
    sys.exit(main())
