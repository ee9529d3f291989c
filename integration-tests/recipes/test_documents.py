"""What the README and the guide show is what happens."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import springald

ROOT = Path(__file__).resolve().parents[2]
GUIDE = ROOT / "docs" / "user-guide"
DOCUMENTS = [
    document
    for document in (ROOT / "README.md", *sorted(GUIDE.glob("*.md")))
    if "```python" in document.read_text()
]
TIMEOUT_S = 100


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.name)
def test_document_examples_run(document: Path, tmp_path: Path) -> None:
    """The Python examples of a document run from top to bottom, in one program of a reader's."""
    program = tmp_path / "example.py"
    # Lines stay where they are in the document, so that a traceback names the place.
    program.write_text("\n".join(_python_lines(document)))
    ran = subprocess.run(
        [sys.executable, program],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stderr == ""


def test_settings_page_lists_springald_s_own() -> None:
    """The page of settings has each of Springald's own, with its default, and no other."""
    rows = [line.split("|") for line in (GUIDE / "settings.md").read_text().splitlines()]
    listed = {
        row[1].strip(" `"): row[2].strip(" `")
        for row in rows
        if len(row) > 3 and row[1].startswith(" `springald.")
    }
    with springald.connect() as con:
        shown = con.sql("SHOW ALL").to_pylist()
    own = {row["name"]: row["value"] for row in shown if row["name"].startswith("springald.")}
    assert listed == own


def test_demo_shows_rows_and_where_tasks_ran(tmp_path: Path) -> None:
    """The demonstration ends well, and shows tasks on both executors."""
    ran = subprocess.run(
        [sys.executable, ROOT / "demo" / "tpch.py", "--scale", "0.01", "--queries", "1,3"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=TIMEOUT_S,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    for text in ("Q1, pricing summary report", "executor-1", "executor-2", "shuffled"):
        assert text in ran.stdout


def _python_lines(document: Path) -> Iterator[str]:
    """Yields the document's lines, blank where they are not Python."""
    inside = False
    for line in document.read_text().splitlines():
        if line.startswith("```"):
            inside = line == "```python"
            yield ""
        else:
            yield line if inside else ""
