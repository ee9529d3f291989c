"""The examples in the client's documentation do what they say."""

import doctest
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path

import pytest

import springald
from springald import functions

HOME = Path(springald.__file__).parent
# What needs the engine, and what is generated, has its own tests.
ELSEWHERE = {"engine", "local", "local.py", "types"}
# What every example of expressions and DataFrames begins with.
USUAL = {"col": springald.col, "f": functions, "functions": functions, "lit": springald.lit}
MODULES = sorted(
    ".".join(("springald", *path.relative_to(HOME).with_suffix("").parts))
    for path in HOME.rglob("*.py")
    if path.relative_to(HOME).parts[0] not in ELSEWHERE
    and "_pb2" not in path.name
    and ">>> " in path.read_text()
)


@pytest.fixture(scope="module")
def usual(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, object]]:
    """The names that examples use without a word: a connection, a table, a folder."""
    with springald.connect() as con:
        con.register("t", {"a": [1, 2, 3], "b": ["x", None, "z"]})
        folder = tmp_path_factory.mktemp("examples")
        yield {**USUAL, "con": con, "df": con.table("t"), "folder": folder}


@pytest.mark.parametrize("name", MODULES)
def test_example_module_runs(name: str, usual: dict[str, object]) -> None:
    """Every example in a docstring gives what stands below it."""
    module = import_module(name)
    # What a module defines itself is what its examples mean.
    names = {**usual, **vars(module)}
    tried = doctest.testmod(module, globs=names, optionflags=doctest.NORMALIZE_WHITESPACE)
    assert tried.attempted > 0
    assert tried.failed == 0
