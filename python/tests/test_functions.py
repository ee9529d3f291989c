"""`springald.functions` is the engine's list, and takes what datafusion-python's functions take."""

import inspect
from collections.abc import Callable

import datafusion.functions as theirs
import pytest
from datafusion import DataFrame as TheirFrame
from datafusion import Expr as TheirExpr
from tools import generate_functions

from springald import DataFrame
from springald import functions as ours
from springald.expr import Expr
from springald.functions.names import FUNCTIONS, TABLE_FUNCTIONS

# Helpers of their module that are no functions of the engine.
NOT_FUNCTIONS = {
    "coerce_to_expr",
    "coerce_to_expr_list",
    "coerce_to_expr_or_none",
    "expr_list_to_raw_expr_list",
    "sort_list_to_raw_sort_list",
    "sort_or_default",
}
# What of their expressions is about their engine's own trees, or not about expressions.
NOT_OURS = {
    "canonical_name",
    "column_name",
    "from_bytes",
    "literal_with_metadata",
    "python_value",
    "rex_call_operands",
    "rex_call_operator",
    "rex_type",
    "schema_name",
    "to_bytes",
    "to_variant",
    "types",
    "variant_name",
}


def _functions(module: object) -> dict[str, Callable[..., object]]:
    return {
        name: function
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if not name.startswith("_") and name not in NOT_FUNCTIONS
    }


THEIRS = {
    name: function
    for name, function in _functions(theirs).items()
    if function.__module__ == "datafusion.functions"
}


def test_generated_modules_are_what_the_server_reports() -> None:
    """What is committed is what the generator makes of the server's list today."""
    differing = [
        path.name for path, text in generate_functions.modules().items() if path.read_text() != text
    ]
    assert differing == [], "run `nox -s functions`"


def test_functions_every_one_of_the_server_is_there() -> None:
    """Each function that the server reports can be called from Python, by its own name."""
    missing = [
        name
        for name in FUNCTIONS
        if name not in TABLE_FUNCTIONS and not callable(getattr(ours, name, None))
    ]
    assert missing == []
    assert len(FUNCTIONS) > 300


@pytest.mark.parametrize("name", sorted(THEIRS))
def test_function_takes_what_datafusion_python_s_takes(name: str) -> None:
    """A call with datafusion-python's arguments, by place or by name, is a call of ours."""
    mine = inspect.signature(getattr(ours, name)).parameters
    given = inspect.signature(THEIRS[name]).parameters
    kept = [each for each in given if given[each].kind is not inspect.Parameter.VAR_KEYWORD]
    assert list(mine)[: len(kept)] == kept or name in RENAMED, f"{name}: {list(mine)}, {kept}"
    for each in kept:
        if name not in RENAMED and given[each].default is not inspect.Parameter.empty:
            assert mine[each].default is not inspect.Parameter.empty, f"{name}({each})"


# Aliases that take the names of the function that they are.
RENAMED = {
    name
    for name in THEIRS
    if getattr(ours, name, None) is not None and getattr(ours, name).__name__ != name
}


def test_expression_has_the_methods_of_datafusion_python_s() -> None:
    """What their expression offers ours does too, but for views of their engine's trees."""
    offered = {name for name in dir(TheirExpr) if not name.startswith("_")}
    assert offered - NOT_OURS - set(dir(Expr)) == set()


def test_frame_has_the_methods_of_datafusion_python_s() -> None:
    """What their DataFrame offers ours does too, but for views of their engine's plans."""
    offered = {name for name in dir(TheirFrame) if not name.startswith("_")}
    about_their_engine = {
        "default_str_repr",
        "execution_plan",
        "logical_plan",
        "optimized_logical_plan",
        "write_parquet_with_options",
        "write_table",
    }
    assert offered - about_their_engine - set(dir(DataFrame)) == set()
