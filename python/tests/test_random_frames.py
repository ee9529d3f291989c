"""Random expressions and DataFrames, here and with datafusion-python's own DataFrame."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import datafusion
import datafusion.functions
import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import springald
import springald.functions

ROWS = pa.table(
    {
        "id": pa.array(range(12), pa.int64()),
        "n": pa.array([0, 1, -2, 3, None, 5, 0, 7, None, -9, 3, 1], pa.int64()),
        "m": pa.array([3, None, 1, 1, 2, 0, 4, None, 2, 2, -3, 5], pa.int64()),
        "x": pa.array([0.5, -1.25, None, 3.0, 2.5, 0.0, 7.75, 1.0, None, 4.5, -2.0, 8.0]),
        "s": pa.array(["a", "bb", None, "", "aB", "c%", "bb", "A_b", "zz", None, "a", "é"]),
        "b": pa.array([True, False, None, True, None, False, True, True, False, None, True, False]),
    }
)

Tree = tuple[Any, ...]
"""An expression that belongs to no library: an operator, and what it takes."""


@dataclass(frozen=True)
class Library:
    """What builds an expression: the same names in both libraries."""

    col: Any
    lit: Any
    f: Any


OURS = Library(springald.col, springald.lit, springald.functions)
THEIRS = Library(datafusion.col, datafusion.lit, datafusion.functions)

INTEGERS = st.one_of(
    st.sampled_from([("col", "n"), ("col", "m"), ("col", "id")]),
    st.integers(-5, 5).map(lambda value: ("lit", value)),
)
FLOATS = st.one_of(
    st.just(("col", "x")),
    st.sampled_from([0.0, 1.5, -2.25]).map(lambda value: ("lit", value)),
)
TEXTS = st.one_of(
    st.just(("col", "s")), st.sampled_from(["", "a", "Bb"]).map(lambda value: ("lit", value))
)
BOOLEANS = st.one_of(st.just(("col", "b")), st.booleans().map(lambda value: ("lit", value)))


def _integers() -> st.SearchStrategy[Tree]:
    return st.recursive(
        INTEGERS,
        lambda deeper: st.one_of(
            st.tuples(st.sampled_from(["+", "-", "*"]), deeper, deeper),
            st.tuples(st.just("%"), deeper, st.sampled_from([2, 3, 7]).map(lambda v: ("lit", v))),
            st.tuples(st.just("coalesce"), deeper, deeper),
            st.tuples(st.just("case"), _conditions_over(deeper), deeper, deeper),
            st.tuples(st.just("length"), TEXTS),
            st.tuples(st.just("nullif"), deeper, deeper),
        ),
        max_leaves=6,
    )


def _conditions_over(values: st.SearchStrategy[Tree]) -> st.SearchStrategy[Tree]:
    compared = st.tuples(st.sampled_from(["=", "<>", "<", "<=", ">", ">="]), values, values)
    return st.one_of(
        compared,
        st.tuples(st.just("between"), values, values, values),
        st.tuples(st.just("in"), values, values, values),
        st.tuples(st.just("is null"), values),
        BOOLEANS,
    )


def _conditions() -> st.SearchStrategy[Tree]:
    leaves = st.one_of(
        _conditions_over(_integers()), _conditions_over(FLOATS), _conditions_over(TEXTS)
    )
    return st.recursive(
        leaves,
        lambda deeper: st.one_of(
            st.tuples(st.sampled_from(["and", "or"]), deeper, deeper),
            st.tuples(st.just("not"), deeper),
        ),
        max_leaves=5,
    )


VALUES = st.one_of(
    _integers(),
    FLOATS,
    st.tuples(st.sampled_from(["+", "-", "*"]), FLOATS, _integers()),
    st.tuples(st.sampled_from(["upper", "reverse"]), TEXTS),
    st.tuples(st.just("concat"), TEXTS, TEXTS),
    _conditions(),
)
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("filter"), _conditions()),
        st.tuples(st.just("with_column"), st.sampled_from(["v", "n", "x"]), _integers()),
        st.tuples(st.just("union"), _conditions()),
        st.tuples(st.just("first"), st.integers(0, 9)),
        st.tuples(st.just("join"), st.sampled_from(["inner", "left", "semi", "anti"])),
        st.tuples(st.just("distinct")),
    ),
    max_size=4,
)


def _expr(tree: Tree, library: Library) -> Any:  # noqa: ANN401, PLR0911 - one of two libraries' expression
    kind, *rest = tree
    if kind == "col":
        return library.col(rest[0])
    if kind == "lit":
        return library.lit(rest[0])
    given_ = [_expr(each, library) for each in rest]
    if kind == "between":
        return given_[0].between(given_[1], given_[2])
    if kind == "in":
        return library.f.in_list(given_[0], given_[1:])
    if kind == "is null":
        return given_[0].is_null()
    if kind == "not":
        return ~given_[0]
    if kind == "case":
        return library.f.when(given_[0], given_[1]).otherwise(given_[2])
    operators = {
        "+": "__add__", "-": "__sub__", "*": "__mul__", "%": "__mod__", "=": "__eq__",
        "<>": "__ne__", "<": "__lt__", "<=": "__le__", ">": "__gt__", ">=": "__ge__",
        "and": "__and__", "or": "__or__",
    }  # fmt: skip
    if kind in operators:
        return getattr(given_[0], operators[kind])(given_[1])
    return getattr(library.f, kind)(*given_)


def _frame(rows: Any, steps: list[Tree], library: Library) -> Any:  # noqa: ANN401 - as above
    frame = rows
    for at, (kind, *rest) in enumerate(steps):
        if kind == "filter":
            frame = frame.filter(_expr(rest[0], library))
        elif kind == "with_column":
            value = _expr(rest[1], library)
            frame = frame.with_column(
                rest[0], value.cast(pa.float64()) if rest[0] == "x" else value
            )
        elif kind == "union":
            frame = frame.union(frame.filter(_expr(rest[0], library)))
        elif kind == "first":
            keys = [library.col(name).sort() for name in ("id", "n", "m", "x", "s", "b")]
            frame = frame.sort(*keys).limit(rest[0])
        elif kind == "join":
            kept = rows.filter(library.col("m") > library.lit(1))
            other = kept.select(library.col("id").alias(f"k{at}"))
            frame = frame.join(other, left_on="id", right_on=f"k{at}", how=rest[0])
        else:
            frame = frame.distinct()
    return frame


def _rows(table: pa.Table) -> Counter[str]:
    columns = table.to_pydict().values()
    return Counter(
        ", ".join(f"{value:.9g}" if isinstance(value, float) else repr(value) for value in row)
        for row in zip(*columns, strict=True)
    )


@pytest.fixture(scope="module")
def sources() -> Iterator[tuple[Any, Any]]:
    """The rows as a DataFrame of either library."""
    with springald.connect() as con:
        yield con.from_arrow(ROWS), datafusion.SessionContext().from_arrow(ROWS)


QUICK = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@QUICK
@given(trees=st.lists(VALUES, min_size=1, max_size=3))
def test_random_expressions_equal_datafusion_python_s(
    sources: tuple[Any, Any], trees: list[Tree]
) -> None:
    """Any expression that both libraries can say has the same values in both."""
    answers = []
    for frame, library in zip(sources, (OURS, THEIRS), strict=True):
        named = [_expr(tree, library).alias(f"c{at}") for at, tree in enumerate(trees)]
        answers.append(frame.select(*named).to_arrow_table())
    assert _rows(answers[0]) == _rows(answers[1])


@QUICK
@given(steps=STEPS, groups=st.sampled_from([None, ["s"], ["b", "s"]]))
def test_random_frames_equal_datafusion_python_s(
    sources: tuple[Any, Any], steps: list[Tree], groups: list[str] | None
) -> None:
    """Any chain of steps that both libraries can say has the same rows in both."""
    answers = []
    for rows, library in zip(sources, (OURS, THEIRS), strict=True):
        frame = _frame(rows, steps, library)
        if groups is not None:
            sums = [library.f.sum(library.col("n")).alias("n"), library.f.count().alias("rows")]
            frame = frame.aggregate([library.col(name) for name in groups], sums)
        answers.append(frame.to_arrow_table())
    assert answers[0].column_names == answers[1].column_names
    assert _rows(answers[0]) == _rows(answers[1])
