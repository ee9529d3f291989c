"""What the core changes about a job by the sizes that it measured."""

from dataclasses import replace

import pytest
from core_bench import Bench

from springald_scheduler.core.actions import Action, DefineStage, LaunchTask, ReplanStage
from springald_scheduler.core.events import JobCancelRequested, StageReplanned
from springald_scheduler.core.graph import (
    Adaptive,
    BroadcastOffer,
    ExchangeKind,
    FilterOffer,
    MergeOffer,
    Stage,
    StageInput,
    SwapOffer,
)
from springald_scheduler.core.records import InputPart
from springald_scheduler.core.states import JobState, StageState

OFFER = BroadcastOffer((0,), 1, bytes_max=100, rows_max=8)


def _launches(actions: list[Action]) -> list[LaunchTask]:
    return [each for each in actions if isinstance(each, LaunchTask)]


def _ranges(bench: Bench, stage_id: int) -> list[range]:
    return [task.partitions for task in bench.job().stages[stage_id].tasks]


def _decisions(bench: Bench) -> tuple[str, ...]:
    graph = bench.job().graph
    return graph.decisions if graph else ()


def _read(bench: Bench, adaptive: Adaptive, rows: dict[int, int]) -> None:
    """Runs a stage with an output of these rows, and another one of four partitions over it."""
    bench.handle(bench.executor("e1", 1), bench.executor("e2", 1))
    reader = replace(bench.stage(2, 4, reads=(1,)), adaptive=adaptive)
    bench.run(bench.stage(1), reader)
    bench.handle(bench.finished("j1/s1/t1#1", rows=rows))


@pytest.mark.parametrize(
    ("rows", "wanted"),
    [
        ({0: 1, 1: 1, 2: 1, 3: 1}, [range(4)]),
        ({0: 1, 1: 1, 2: 1, 3: 7}, [range(4)]),
        ({0: 4, 1: 4, 2: 4, 3: 8}, [range(2), range(2, 4)]),
        ({0: 9, 2: 2, 3: 9}, [range(2), range(2, 4)]),
        ({0: 25, 1: 2, 2: 2, 3: 2}, [range(1), range(1, 2), range(2, 3), range(3, 4)]),
    ],
)
def test_stage_that_reads_little_has_fewer_tasks(
    bench: Bench, rows: dict[int, int], wanted: list[range]
) -> None:
    """There is a task for so many bytes; each has neighbouring partitions, all are read once."""
    _read(bench, Adaptive(task_bytes_target=100), rows)
    assert _ranges(bench, 2) == wanted
    told = [each for each in _decisions(bench) if each.startswith("stage 2 runs as")]
    assert bool(told) == (len(wanted) < 4)


def test_stage_without_a_rule_has_as_many_tasks_as_planned(bench: Bench) -> None:
    """Sizes change nothing where the planner did not say so."""
    _read(bench, Adaptive(), {0: 1})
    assert len(_ranges(bench, 2)) == 4
    assert _decisions(bench) == ()


def _run_skewed(bench: Bench, adaptive: Adaptive) -> None:
    """Runs two stages of two tasks, of which the second one's partition 1 is large, and a join."""
    bench.handle(bench.executor("e1", 1), bench.executor("e2", 1))
    join = replace(bench.stage(3, 2, reads=(1, 2)), adaptive=adaptive)
    bench.run(bench.stage(1, 2), bench.stage(2, 2), join)
    for task, executor in ((1, "e1"), (2, "e2")):
        bench.handle(bench.finished(f"j1/s1/t{task}#1", executor, {0: 1, 1: 1}))
    for task, executor in ((1, "e1"), (2, "e2")):
        bench.handle(bench.finished(f"j1/s2/t{task}#1", executor, {0: 1, 1: 40}))


def test_stage_with_a_large_partition_shares_it_among_tasks(bench: Bench) -> None:
    """Tasks of one partition read other outputs of one input each, and all of the others."""
    _run_skewed(bench, Adaptive(split_inputs=(1,), split_bytes_min=10))
    parts = [(task.partitions, task.part) for task in bench.job().stages[3].tasks]
    assert parts == [
        (range(1), None),
        (range(1, 2), InputPart(1, range(1))),
        (range(1, 2), InputPart(1, range(1, 2))),
    ]
    launches = _launches(bench.handle(bench.finished("j1/s3/t1#1", "e1")))
    bench.handle(bench.finished("j1/s3/t2#1", "e2"))
    (last,) = launches
    assert [[list(each) for each in told.sizes] for told in last.slices] == [
        [[(0, 1, 10), (1, 1, 10)]],
        [[(1, 40, 400)]],
    ]


def test_result_of_one_partition_that_tasks_share_comes_with_no_report(bench: Bench) -> None:
    """Each of them has a part of the rows, so they have to lie where a client can fetch them."""
    bench.handle(bench.executor("e1", 2))
    shared = Adaptive(split_inputs=(0,), split_bytes_min=10)
    result = replace(bench.stage(2, reads=(1,)), adaptive=shared, inline_rows_bytes_max=10_000)
    bench.run(bench.stage(1, 4), result)
    bench.handle(bench.finished("j1/s1/t1#1", "e1", {0: 20}))
    actions = bench.handle(bench.finished("j1/s1/t2#1", "e1", {0: 20}))
    assert [task.partitions for task in bench.job().stages[2].tasks] == [range(1), range(1)]
    (told,) = [each.stage for each in actions if isinstance(each, DefineStage)]
    assert told.inline_rows_bytes_max == 0


@pytest.mark.parametrize(
    "adaptive",
    [
        Adaptive(split_inputs=(0,), split_bytes_min=10),
        Adaptive(split_inputs=(1,), split_bytes_min=1000),
        Adaptive(split_bytes_min=10),
    ],
)
def test_stage_is_not_shared_where_that_gains_nothing(bench: Bench, adaptive: Adaptive) -> None:
    """A small input, parts that are too small, and one that may not be split are left alone."""
    _run_skewed(bench, adaptive)
    assert [task.part for task in bench.job().stages[3].tasks] == [None, None]


def _chain(bench: Bench, *, emptied: bool) -> tuple[Stage, ...]:
    """A scan, what reads it, what waits for the scan and is read with it, and the result."""
    adaptive = Adaptive(emptied_by=(0,) if emptied else ())
    return (
        bench.stage(1),
        replace(bench.stage(2), after=(1,)),
        replace(bench.stage(3, reads=(1, 2)), adaptive=adaptive),
        replace(bench.stage(4, reads=(3,)), adaptive=Adaptive(emptied_by=(0,))),
    )


def test_stage_that_an_empty_input_empties_is_not_run(bench: Bench) -> None:
    """Neither it nor what only it would have read is run; the result is, for its schema."""
    bench.handle(bench.executor())
    bench.run(*_chain(bench, emptied=True))
    actions = bench.handle(bench.finished("j1/s1/t1#1", rows={}))
    assert bench.launched(actions) == ["j1/s4/t1#1@e1"]
    assert [bench.job().stages[each].skipped for each in (2, 3, 4)] == [True, True, False]
    assert [each for each in _decisions(bench) if "not run" in each] == [
        "stage 3 is not run: stage 1 has no rows",
        "stage 2 is not run: nothing reads it any more",
    ]
    bench.handle(bench.finished("j1/s4/t1#1", rows={}))
    assert bench.job().state is JobState.SUCCEEDED


def test_stage_with_an_empty_input_that_matters_not_is_run(bench: Bench) -> None:
    """An outer join of nothing has rows."""
    bench.handle(bench.executor())
    bench.run(*_chain(bench, emptied=False))
    actions = bench.handle(bench.finished("j1/s1/t1#1", rows={}))
    assert bench.launched(actions) == ["j1/s2/t1#1@e1"]


def _run_join(bench: Bench, rows: int) -> list[Action]:
    """Runs the build side of a join whose probe side waits for it."""
    bench.handle(bench.executor())
    join = replace(bench.stage(3, reads=(1, 2)), adaptive=Adaptive(offers=(OFFER,)))
    bench.run(
        bench.stage(1), replace(bench.stage(2, 2), after=(1,)), join, bench.stage(4, reads=(3,))
    )
    return bench.handle(bench.finished("j1/s1/t1#1", rows={0: rows}))


def test_join_whose_build_side_is_small_is_planned_anew_before_it_begins(bench: Bench) -> None:
    """Two stages wait for the answer and then are one, under the join's number."""
    actions = _run_join(bench, rows=8)
    (asked,) = [each for each in actions if isinstance(each, ReplanStage)]
    assert (asked.stage.stage_id, asked.other.stage_id, asked.offer) == (3, 2, OFFER)
    assert bench.launched(actions) == []
    build = StageInput(1, ExchangeKind.HASH, 1)
    stage = replace(asked.stage, inputs=(build,), partition_count=2, adaptive=Adaptive())
    actions = bench.handle(StageReplanned("j1", 3, stage))
    assert bench.launched(actions) == ["j1/s3/t1#1@e1"]
    assert bench.job().stages[2].skipped
    (sentence,) = _decisions(bench)
    assert sentence.startswith("stage 2 is part of stage 3, which broadcasts its build side: ")
    assert sentence.endswith("stage 1 has 8 rows of 80 bytes")
    graph = bench.job().graph
    assert graph is not None
    assert graph.stages[2] == stage


def _asked(actions: list[Action]) -> list[ReplanStage]:
    return [each for each in actions if isinstance(each, ReplanStage)]


def _run_merge(bench: Bench, rows: int) -> list[Action]:
    """Runs what a stage reads that a stage of one partition could do itself."""
    bench.handle(bench.executor())
    result = replace(bench.stage(3, reads=(2,)), adaptive=Adaptive(offers=(MergeOffer(0, 100),)))
    bench.run(bench.stage(1), bench.stage(2, 2, reads=(1,)), result)
    return bench.handle(bench.finished("j1/s1/t1#1", rows={0: rows}))


def test_stage_that_reads_little_is_done_by_the_one_that_reads_it(bench: Bench) -> None:
    """Both wait for the plan, and one is run."""
    (asked,) = _asked(_run_merge(bench, rows=10))
    assert (asked.stage.stage_id, asked.other.stage_id) == (3, 2)
    stage = replace(asked.stage, inputs=asked.other.inputs, adaptive=Adaptive())
    actions = bench.handle(StageReplanned("j1", 3, stage))
    assert bench.launched(actions) == ["j1/s3/t1#1@e1"]
    assert bench.job().stages[2].skipped
    assert _decisions(bench) == ("stage 2 is part of stage 3: it reads 100 bytes",)


def test_stage_that_reads_much_is_run_itself(bench: Bench) -> None:
    """A byte more than the offer allows, and nothing is asked."""
    actions = _run_merge(bench, rows=11)
    assert _asked(actions) == []
    assert bench.launched(actions) == ["j1/s2/t1#1@e1"]


def _run_filter(bench: Bench, rows: int) -> list[Action]:
    """Runs what has the keys by which another stage may be filtered."""
    bench.handle(bench.executor())
    offer = FilterOffer(1, b"keys", (0,), rows_max=8, bytes_max=100)
    target = replace(bench.stage(2), after=(1,), adaptive=Adaptive(offers=(offer,)))
    bench.run(bench.stage(1), target, bench.stage(3, reads=(1, 2)))
    return bench.handle(bench.finished("j1/s1/t1#1", rows={0: rows}))


def test_stage_that_few_keys_filter_reads_them(bench: Bench) -> None:
    """It waits for the plan alone, and then reads one stage more."""
    actions = _run_filter(bench, rows=8)
    (asked,) = _asked(actions)
    assert (asked.stage.stage_id, asked.other.stage_id) == (2, 1)
    assert bench.launched(actions) == []
    read = StageInput(1, ExchangeKind.HASH, 1)
    actions = bench.handle(StageReplanned("j1", 2, replace(asked.stage, inputs=(read,))))
    assert bench.launched(actions) == ["j1/s2/t1#1@e1"]
    assert bench.job().stages[1].consumers == {2, 3}
    (sentence,) = _decisions(bench)
    assert sentence == "stage 2 is filtered by the keys of stage 1: stage 1 has 8 rows of 80 bytes"


def test_stage_that_many_keys_would_filter_is_run_as_planned(bench: Bench) -> None:
    """It has waited, and begins."""
    actions = _run_filter(bench, rows=9)
    assert _asked(actions) == []
    assert bench.launched(actions) == ["j1/s2/t1#1@e1"]


def test_filter_that_reads_another_stage_than_it_says_is_no_plan(bench: Bench) -> None:
    """The stage is run as planned, and not asked about again."""
    _run_filter(bench, rows=1)
    actions = bench.handle(StageReplanned("j1", 2, bench.stage(2)))
    assert _asked(actions) == []
    assert bench.launched(actions) == ["j1/s2/t1#1@e1"]


@pytest.mark.parametrize(("build", "swaps"), [(8, True), (7, False)])
def test_join_whose_build_side_is_twice_the_other_is_swapped(
    bench: Bench, build: int, *, swaps: bool
) -> None:
    """Sizes of both sides are known when it may begin."""
    bench.handle(bench.executor())
    offer = SwapOffer((0,), (1,), bytes_min=10)
    join = replace(bench.stage(3, reads=(1, 2)), adaptive=Adaptive(offers=(offer,)))
    bench.run(bench.stage(1), bench.stage(2), join, bench.stage(4, reads=(3,)))
    assert not _asked(bench.handle(bench.finished("j1/s1/t1#1", rows={0: build})))
    asked = _asked(bench.handle(bench.finished("j1/s2/t1#1", rows={0: 4})))
    assert bool(asked) is swaps
    if swaps:
        stage = replace(asked[0].stage, adaptive=Adaptive())
        bench.handle(StageReplanned("j1", 3, stage))
        assert _decisions(bench) == ("stage 3 swaps the sides of a join: 80 bytes against 40",)
    assert bench.job().stages[3].state is StageState.RUNNING


def test_graph_whose_stage_does_not_wait_for_what_filters_it_is_refused(bench: Bench) -> None:
    """Else the stage could begin before, and never be filtered."""
    offer = FilterOffer(1, b"keys", (0,), rows_max=8, bytes_max=100)
    target = replace(bench.stage(2), adaptive=Adaptive(offers=(offer,)))
    bench.handle(bench.executor())
    bench.run(bench.stage(1), target, bench.stage(3, reads=(1, 2)))
    assert bench.job().state is JobState.FAILED


def test_join_whose_build_side_is_large_stays_as_planned(bench: Bench) -> None:
    """Nobody is asked; the probe side begins when the build side is measured."""
    actions = _run_join(bench, rows=11)
    assert [each for each in actions if isinstance(each, ReplanStage)] == []
    assert bench.launched(actions) == ["j1/s2/t1#1@e1"]


def test_join_without_a_new_plan_stays_as_it_was_and_is_not_asked_for_again(bench: Bench) -> None:
    """A planner that fails costs a moment; a second answer is ignored."""
    _run_join(bench, rows=1)
    actions = bench.handle(StageReplanned("j1", 3, None))
    assert bench.launched(actions) == ["j1/s2/t1#1@e1"]
    assert [each for each in actions if isinstance(each, ReplanStage)] == []
    assert bench.ignored(StageReplanned("j1", 3, bench.stage(3)))


def test_join_that_is_replaced_by_what_reads_other_stages_stays_as_it_was(bench: Bench) -> None:
    """A plan that does not fit is no plan."""
    _run_join(bench, rows=1)
    bench.handle(StageReplanned("j1", 3, bench.stage(3, reads=(1, 2))))
    assert bench.job().stages[2].state is StageState.RUNNING
    assert not bench.job().stages[2].skipped


def test_job_that_ends_meanwhile_does_not_hear_of_its_new_plan(bench: Bench) -> None:
    """The answer comes too late and changes nothing."""
    _run_join(bench, rows=1)
    bench.handle(JobCancelRequested("s", "o1", "enough"))
    assert bench.ignored(StageReplanned("j1", 3, bench.stage(3, reads=(1,))))
