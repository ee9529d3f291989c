"""The page about the planner names tests; they exist."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[3]
PLACES = (
    "scheduler/tests/planning",
    "scheduler/tests/test_planner_process.py",
    "python/tests/engine",
)


def test_planner_page_names_tests_that_exist() -> None:
    """A rule without its test is a claim."""
    page = (ROOT / "docs/architecture/planner.md").read_text()
    named = set(re.findall(r"`(test_\w+)`", page))
    found: set[str] = set()
    for place in PLACES:
        path = ROOT / place
        for file in path.rglob("*.py") if path.is_dir() else [path]:
            found.update(re.findall(r"^def (test_\w+)", file.read_text(), re.MULTILINE))
    assert len(named) > 40
    assert named <= found, named - found
