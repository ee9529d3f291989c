"""What the README and the guide show is what happens."""

import subprocess
import sys
from pathlib import Path

import pytest

import springald
from recipes.document import Document
from recipes.markdown import read_blocks

ROOT = Path(__file__).resolve().parents[2]
GUIDE = ROOT / "docs" / "user-guide"
PAGES = ("cli.md", "dataframes.md", "python.md", "settings.md")
DOCUMENTS = [ROOT / "README.md", *(GUIDE / name for name in PAGES)]
TIMEOUT_S = 100


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda document: document.name)
def test_document_blocks_run(document: Path, tmp_path: Path) -> None:
    """The blocks of a page run from top to bottom, and print what the page says."""
    assert Document(read_blocks(document), tmp_path).run() > 0


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
    # Local mode takes its memory before there is a session that could show it.
    assert listed.pop("springald.local_memory")
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
