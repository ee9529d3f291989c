"""The statistics of the harness."""

import pytest
from benchmarks.figures import Cell, Run, best_s, compare, first_s, overheads_s, percentile, ratio


def _cell(*seconds: float, failure: str = "") -> Cell:
    return Cell([Run(one) for one in seconds], failure)


def test_percentile_is_a_value_that_was_measured() -> None:
    """A percentile is the smallest value that so many percent of the values do not exceed."""
    values = [float(value) for value in range(1, 101)]
    assert percentile(values, 50) == 50
    assert percentile(values, 95) == 95
    assert percentile([7.0], 95) == 7


def test_percentile_of_nothing_is_refused() -> None:
    """There is no percentile without a value."""
    with pytest.raises(ValueError, match="at least one value"):
        percentile([], 50)


def test_cell_knows_best_and_median() -> None:
    """The best run and the median are both told."""
    cell = _cell(3.0, 1.0, 2.5)
    assert cell.best_s == 1.0
    assert cell.median_s == 2.5


def test_one_failed_run_fails_the_cell() -> None:
    """A query that failed once has no time, however fast its other runs were."""
    cell = _cell(1.0, failure="rows differ")
    assert cell.best_s is None
    assert cell.median_s is None
    assert ratio(cell, _cell(1.0)) is None


def test_compare_counts_only_what_both_finished() -> None:
    """The ratio of sums leaves out queries that one side did not finish, and counts the rest."""
    ours = {"a": _cell(2.0), "b": _cell(9.0), "c": _cell(failure="no answer")}
    theirs = {"a": _cell(1.0), "b": _cell(failure="out of memory"), "c": _cell(1.0)}
    found = compare(ours, theirs)
    assert (found.queries, found.ratio) == (1, 2.0)
    assert (found.worst, found.worst_query) == (2.0, "a")


def test_compare_names_the_worst_query() -> None:
    """The worst ratio is that of one query, not of the sum."""
    ours = {"a": _cell(10.0), "b": _cell(3.0)}
    theirs = {"a": _cell(10.0), "b": _cell(1.0)}
    found = compare(ours, theirs)
    assert found.ratio == pytest.approx(13 / 11)
    assert (found.worst, found.worst_query) == (3.0, "b")


def test_compare_without_a_common_query_has_no_ratio() -> None:
    """Nothing in common is no ratio, not a ratio of 0."""
    found = compare({"a": _cell(failure="x")}, {"a": _cell(1.0)})
    assert (found.queries, found.ratio, found.worst) == (0, None, None)


def test_overheads_pair_queries() -> None:
    """What a place adds is looked at query by query."""
    ours = {"a": _cell(1.5), "b": _cell(1.0), "c": _cell(failure="x")}
    theirs = {"a": _cell(1.0), "b": _cell(2.0), "c": _cell(1.0)}
    assert overheads_s(ours, theirs, best_s) == [0.5, -1.0]


def test_first_time_is_told_apart_from_the_best() -> None:
    """A query that comes again may be answered faster; what it took at first is not lost."""
    assert first_s(_cell(3.0, 1.0)) == 3.0
    assert first_s(_cell(3.0, failure="x")) is None
