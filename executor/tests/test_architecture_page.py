"""The page on the executor shows the state diagrams that the core follows."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from springald_executor.core.states import ENGINE_TRANSITIONS, TASK_TRANSITIONS

PAGE = Path(__file__).parents[2] / "docs/architecture/executor.md"


def test_diagrams_are_the_cores_tables() -> None:
    """Documentation is executed: a change of a table changes its diagram."""
    diagrams = re.findall(r"```mermaid\nstateDiagram-v2\n(.*?)```", PAGE.read_text(), re.DOTALL)

    assert [_drawn(diagram) for diagram in diagrams] == [
        _listed(TASK_TRANSITIONS),
        _listed(ENGINE_TRANSITIONS),
    ]


def _drawn(diagram: str) -> set[tuple[str, str]]:
    return set(re.findall(r"(\w+) --> (\w+)", diagram))


def _listed(table: Mapping[Any, frozenset[Any]]) -> set[tuple[str, str]]:
    return {(old.value, new.value) for old, following in table.items() for new in following}
