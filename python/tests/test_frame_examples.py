"""Programs for datafusion-python run with an import changed, and make the same rows."""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import datafusion
import pandas as pd
import pytest

import springald
from springald.plans import problems_of

SOURCE = (Path(__file__).parent / "frame_examples.py").read_text()
EXAMPLES = re.findall(r"^def (example_\w+)", SOURCE, re.MULTILINE)
ORDERED = re.compile(r"\.sort\(|distinct_on|\.limit\(|\.head\(|\.tail\(")


def _program(library: str) -> dict[str, Any]:
    """Runs the text of the examples' module, with the library that it is to use."""
    names: dict[str, Any] = {}
    exec(compile(re.sub(r"\bdatafusion\b", library, SOURCE), library, "exec"), names)  # noqa: S102
    return names


THEIRS = _program("datafusion")
OURS = _program("springald")


@pytest.fixture(scope="module")
def contexts() -> Iterator[tuple[Any, springald.Connection]]:
    """A context of each library."""
    with springald.SessionContext() as ours:
        yield datafusion.SessionContext(), ours


@pytest.mark.parametrize("name", EXAMPLES)
def test_example_gives_the_rows_of_datafusion_python(
    name: str, contexts: tuple[Any, springald.Connection]
) -> None:
    """With `datafusion` replaced by `springald`, a program has the same columns and rows."""
    their_context, our_context = contexts
    theirs = THEIRS[name](their_context).to_pydict()
    frame = OURS[name](our_context)
    assert problems_of(frame.to_plan()) == []
    ours = frame.to_pydict()
    assert list(ours) == list(theirs)
    wanted, got = _rows(theirs), _rows(ours)
    assert Counter(got) == Counter(wanted)
    if ORDERED.search(_body(name)):
        assert got == wanted


def test_examples_are_many() -> None:
    """The examples are found, and go through most of the API."""
    assert len(EXAMPLES) > 40


def _rows(columns: dict[str, list[Any]]) -> list[str]:
    """Rows as text, with floats as far as they are exact."""
    return [", ".join(map(_shown, row)) for row in zip(*columns.values(), strict=True)]


def _shown(value: object) -> str:
    if isinstance(value, pd.Timestamp):  # Theirs are pandas', ours Python's own.
        value = value.to_pydatetime()
    return f"{value:.9g}" if isinstance(value, float) else repr(value)


def _body(name: str) -> str:
    start = SOURCE.index(f"def {name}(")
    end = SOURCE.find("\ndef ", start)
    return SOURCE[start : end if end > 0 else None]
