"""The examples in the client's documentation do what they say."""

import doctest
from importlib import import_module
from pathlib import Path

import pytest

import springald

HOME = Path(springald.__file__).parent
# What needs the engine, and what is generated, has its own tests.
ELSEWHERE = {"engine", "local", "local.py", "types"}
MODULES = sorted(
    ".".join(("springald", *path.relative_to(HOME).with_suffix("").parts))
    for path in HOME.rglob("*.py")
    if path.relative_to(HOME).parts[0] not in ELSEWHERE
    and "_pb2" not in path.name
    and ">>> " in path.read_text()
)


@pytest.mark.parametrize("name", MODULES)
def test_example_module_runs(name: str) -> None:
    """Every example in a docstring gives what stands below it."""
    tried = doctest.testmod(import_module(name), optionflags=doctest.NORMALIZE_WHITESPACE)
    assert tried.attempted > 0
    assert tried.failed == 0
