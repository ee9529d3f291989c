"""What a stage put out, told by task and read by partition."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from springald_scheduler.core.outputs import HOLDERS_MAX, OutputTable
from springald_scheduler.core.records import OutputLocation
from springald_scheduler.core.sizes import Sizes

PARTITIONS = 6
BLOCKS = st.dictionaries(
    st.integers(0, PARTITIONS - 1), st.tuples(st.integers(1, 9), st.integers(0, 2**40)), max_size=6
)
STAGES = st.lists(st.tuples(st.sampled_from(["e1", "e2", "e3"]), BLOCKS, st.booleans()))


def sizes_of(blocks: dict[int, tuple[int, int]], *, dense: bool) -> Sizes:
    """Sizes in either of their two forms."""
    if not dense:
        return Sizes.of((number, *blocks[number]) for number in sorted(blocks))
    count = max(blocks, default=-1) + 1
    columns = Sizes.of((number, *blocks.get(number, (0, 0))) for number in range(count))
    return Sizes(range(count), columns.rows, columns.bytes)


def table_of(stage: list[tuple[str, dict[int, tuple[int, int]], bool]]) -> OutputTable:
    """The table of outputs."""
    locations = [
        OutputLocation(f"t{number}", executor_id, "h:1", sizes_of(blocks, dense=dense))
        for number, (executor_id, blocks, dense) in enumerate(stage)
    ]
    return OutputTable(locations, PARTITIONS)


@given(stage=STAGES)
def test_output_table_turns_tasks_into_partitions(
    stage: list[tuple[str, dict[int, tuple[int, int]], bool]],
) -> None:
    """Each partition's outputs come out with the rows and bytes that went in, however few."""
    table = table_of(stage)
    for partition in range(PARTITIONS + 1):
        wanted = [
            (number, *blocks[partition])
            for number, (_, blocks, _) in enumerate(stage)
            if partition in blocks
        ]
        assert list(table.of_partition(partition)) == wanted


@given(stage=STAGES, start=st.integers(0, 5), count=st.integers(0, 6))
def test_output_table_sums_up_what_executors_hold(
    stage: list[tuple[str, dict[int, tuple[int, int]], bool]], start: int, count: int
) -> None:
    """Sums over many partitions at once are those over one after the other."""
    partitions = range(start, min(start + count, PARTITIONS))
    wanted: Counter[str] = Counter()
    for executor_id, blocks, _ in stage:
        wanted[executor_id] += sum(size for key, (_, size) in blocks.items() if key in partitions)
    assert +table_of(stage).holdings(partitions) == +wanted


def test_output_table_of_absurd_sizes_breaks_nothing() -> None:
    """An executor that reports more bytes than there are costs the preference, not the job."""
    absurd = dict.fromkeys(range(PARTITIONS), (1, 2**64 - 1))
    table = table_of([("e1", absurd, True), ("e1", absurd, True)])
    assert table.of_partition(0).bytes[0] == 2**64 - 1
    assert set(table.holdings(range(PARTITIONS))) == {"e1"}


@pytest.mark.parametrize(("executors", "draws"), [(HOLDERS_MAX, True), (HOLDERS_MAX + 1, False)])
def test_output_table_of_many_holders_draws_tasks_nowhere(executors: int, draws: bool) -> None:  # noqa: FBT001
    """Where everybody has a small share, none of them is worth waiting for."""
    full = dict.fromkeys(range(PARTITIONS), (1, 10))
    table = table_of([(f"e{number}", full, True) for number in range(executors)])
    assert bool(table.holdings(range(1))) is draws


def test_output_table_of_few_blocks_draws_tasks_with_any_number_of_holders() -> None:
    """Behind a forward exchange each partition has one holder, however many there are in all."""
    locations = [
        OutputLocation(f"t{n}", f"e{n}", "h:1", Sizes.of([(n, 1, 10)])) for n in range(100)
    ]
    assert OutputTable(locations, 100).holdings(range(7, 8)) == {"e7": 10}


def test_sizes_ascend_below_a_count() -> None:
    """Numbers out of order, twice or too large are no output of the stage."""
    assert Sizes().ascends_below(1)
    assert sizes_of({0: (1, 1), 2: (1, 1)}, dense=True).ascends_below(3)
    assert not sizes_of({0: (1, 1), 2: (1, 1)}, dense=True).ascends_below(2)
    assert Sizes.of([(1, 1, 1), (3, 1, 1)]).ascends_below(4)
    assert not Sizes.of([(1, 1, 1), (1, 1, 1)]).ascends_below(4)
    assert not Sizes.of([(3, 1, 1), (1, 1, 1)]).ascends_below(4)
