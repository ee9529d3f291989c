"""The page that shows one task in four languages shows programs that run."""

import subprocess
import sys
from pathlib import Path

import springald
from recipes.markdown import read_blocks

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "user-guide" / "languages.md"
VISITS = ROOT / "docs" / "recipes" / "visits"
# The programs of Java and C++ are run by the tests of those languages, against the same lines.
PROGRAMS = {
    "sql": VISITS / "visits.sql",
    "python": VISITS / "visits.py",
    "java": ROOT / "java-bindings/src/test/java/dev/springald/sample/Visits.java",
    "cpp": ROOT / "cpp-examples/examples/visits.cpp",
}
EXPECTED = (VISITS / "expected.csv").read_text()
RUN_S_MAX = 60


def test_page_shows_the_programs() -> None:
    """Each block of the page stands in the program of its language, but for the breaks of lines."""
    blocks = {block.language: block.text for block in read_blocks(PAGE)}
    assert blocks.keys() == PROGRAMS.keys()
    for language, text in blocks.items():
        assert _squeezed(text) in _squeezed(PROGRAMS[language].read_text()), language


def test_programs_of_other_languages_promise_the_same_lines() -> None:
    """What the C++ program is held to is what the others print."""
    assert (ROOT / "cpp-examples/examples/visits.expected.txt").read_text() == EXPECTED


def test_sql_on_a_cluster_prints_the_lines(patient: springald.LocalCluster) -> None:
    """The command line runs the file of SQL as it stands."""
    command = Path(sys.executable).with_name("springald")
    options = ["--url", patient.url, "--format", "csv", "--file", str(PROGRAMS["sql"])]
    # Text stands in quotes there, which says the same.
    assert _printed(command, "sql", *options).replace('"', "") == EXPECTED


def test_python_on_a_cluster_prints_the_lines(patient: springald.LocalCluster) -> None:
    """The Python program runs as it stands."""
    assert _printed(sys.executable, PROGRAMS["python"], patient.url) == EXPECTED


def _printed(*words: str | Path) -> str:
    ran = subprocess.run(words, capture_output=True, text=True, timeout=RUN_S_MAX, check=False)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


def _squeezed(text: str) -> str:
    # A formatter breaks lines where they are too long, which is elsewhere on the page.
    return "".join(text.split()).replace(",)", ")")
