"""What the harness asks, and the data that it makes."""

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from benchmarks.answers import check_same
from benchmarks.catalogue import place_spec
from benchmarks.runner import rotated
from benchmarks.workloads.generated import even_keys, skewed_keys, write_copies, write_parts
from benchmarks.workloads.hard import tasks
from benchmarks.workloads.tpch import small_queries

ROWS, KEYS, RATIO = 10_100, 50, 100


def test_even_keys_are_alike_often() -> None:
    """Without skew no key has more than one row more than another."""
    counts = np.bincount(even_keys(ROWS, KEYS), minlength=KEYS)
    assert counts.sum() == ROWS
    assert counts.max() - counts.min() <= 1


def test_skewed_keys_have_the_ratio_asked_for() -> None:
    """One key has so many times the rows of all others together, and no other key is missing."""
    counts = np.bincount(skewed_keys(ROWS, KEYS, RATIO), minlength=KEYS)
    assert counts.sum() == ROWS
    assert counts[0] == RATIO * counts[1:].sum()
    assert counts[1:].min() > 0


def test_skewed_keys_are_spread_over_the_files() -> None:
    """The skew is in the key, not in one file."""
    cold = np.flatnonzero(skewed_keys(ROWS, KEYS, RATIO))
    assert all(len(part) for part in np.split(cold, np.searchsorted(cold, [ROWS // 3, ROWS // 2])))


def test_generated_keys_are_the_same_each_time() -> None:
    """Two runs of the harness measure the same rows."""
    assert np.array_equal(skewed_keys(ROWS, KEYS, RATIO), skewed_keys(ROWS, KEYS, RATIO))


def test_written_files_hold_all_rows(tmp_path: Path) -> None:
    """A table that is written in parts, or several times, is all there."""
    rows = pa.table({"n": list(range(101))})
    write_parts(rows, tmp_path / "parts")
    write_copies(rows, tmp_path / "copies", 3)
    assert sorted(pq.read_table(tmp_path / "parts")["n"].to_pylist()) == list(range(101))
    assert pq.read_table(tmp_path / "copies").num_rows == 3 * 101


def test_small_queries_are_a_hundred_and_distinct() -> None:
    """No small query is asked twice in a round, so that none is answered from memory."""
    queries = dict(small_queries())
    assert len(queries) == len(set(queries.values())) == 100


@pytest.mark.parametrize(("count", "files"), [(300, 300), (10_000, 1000)])
def test_empty_tasks_are_as_many_as_asked_for(count: int, files: int) -> None:
    """Tasks are scans times files, and a scan has no more files than a session's partitions."""
    workload = tasks(count)
    assert workload.options["partitions"] == files
    assert workload.queries["nothing"].count("FROM files") * files == count


def test_rotation_gives_everybody_each_turn() -> None:
    """Over as many rounds as there are places, each place has been at each position once."""
    specs = [place_spec(name, 2, print) for name in ("datafusion", "local", "cluster-2x1")]
    rounds = [rotated(specs, by) for by in range(3)]
    for position in range(3):
        assert {order[position].name for order in rounds} == {spec.name for spec in specs}


def test_cluster_place_is_read_from_its_name() -> None:
    """A cluster's name says its executors and slots; another name is refused with the choice."""
    spec = place_spec("cluster-3x4", 2, print)
    assert (spec.executors, spec.slots) == (3, 4)
    with pytest.raises(ValueError, match="a place is one of datafusion"):
        place_spec("cluster-0x1", 2, print)


def test_answers_of_one_engine_are_compared_exactly() -> None:
    """Between places of one engine another type or another row is a failure."""
    rows = pa.table({"a": pa.array([1, 2], pa.int64())})
    check_same(rows.take([1, 0]), rows, exact=True)
    with pytest.raises(AssertionError):
        check_same(rows.cast(pa.schema({"a": pa.int32()})), rows, exact=True)
    with pytest.raises(AssertionError):
        check_same(rows.slice(1), rows, exact=True)


def test_answers_of_another_engine_may_differ_in_type_and_rounding_only() -> None:
    """Another engine may name and type columns its way, and round averages; values must agree."""
    truth = pa.table({"avg(x)": pa.array([1.5, None], pa.float64()), "n": ["a", "b"]})
    theirs = pa.table({"_1": pa.array([1.50001, None], pa.float32()), "_2": ["a", "b"]})
    check_same(theirs, truth, exact=False)
    with pytest.raises(AssertionError):
        check_same(theirs.set_column(1, "_2", pa.array(["a", "c"])), truth, exact=False)
    with pytest.raises(AssertionError):
        check_same(theirs.set_column(0, "_1", pa.array([1.6, None])), truth, exact=False)
    with pytest.raises(AssertionError):
        check_same(theirs.select([0]), truth, exact=False)
