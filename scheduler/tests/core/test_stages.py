"""Stages start when their inputs are finished, and their tasks are slices of partitions."""

import pytest
from core_bench import Bench

from springald_scheduler.core.actions import (
    DefineStage,
    LaunchTask,
    Persist,
    PublishJob,
    SettleStage,
)
from springald_scheduler.core.events import JobPlanned
from springald_scheduler.core.graph import ExchangeKind, StageGraph
from springald_scheduler.core.records import OutputLocation, StageRecord, TaskSlice
from springald_scheduler.core.sizes import Sizes
from springald_scheduler.core.states import JobState


def test_job_planned_defines_its_stage_once_and_launches_its_tasks(bench: Bench) -> None:
    """An executor learns what tasks have in common once, before the first of them."""
    bench.handle(bench.executor("e1", 1), bench.executor("e2", 1))
    bench.submit()
    stage = bench.stage(partitions=3)
    planned = JobPlanned("j1", StageGraph((stage,), settings=(("a", "b"),)))
    settings = (("a", "b"),)
    assert bench.handle(planned) == [
        DefineStage(planned, "e1", "a", "j1", stage, (), settings),
        LaunchTask(planned, "e1", "a", "j1/s1/t1#1", "j1", 1, range(1), 1),
        DefineStage(planned, "e2", "a", "j1", stage, (), settings),
        LaunchTask(planned, "e2", "a", "j1/s1/t2#1", "j1", 1, range(1, 2), 1),
        PublishJob(planned, "j1"),
    ]
    finished = bench.finished("j1/s1/t1#1")
    assert bench.handle(finished) == [
        LaunchTask(finished, "e1", "a", "j1/s1/t3#1", "j1", 1, range(2, 3), 1)
    ]


def test_stage_starts_when_all_its_inputs_are_finished(bench: Bench) -> None:
    """A consumer reads whole outputs of accepted attempts only (P3.2)."""
    bench.handle(bench.executor("e1", 2))
    bench.run(bench.stage(1, 2), bench.stage(2, 2), bench.stage(3, 2, reads=(1, 2)))
    first, second = bench.finished("j1/s1/t1#1", rows={0: 3}), bench.finished("j1/s2/t1#1")
    assert bench.launched(bench.handle(first)) == ["j1/s2/t1#1@e1"]
    actions = bench.handle(second)
    locations = [
        (
            OutputLocation(
                f"j1/s{stage}/t1#1", "e1", "e1:1", Sizes.of([(0, rows, 10 * rows)]), 0, 0, "a"
            ),
        )
        for stage, rows in ((1, 3), (2, 1))
    ]
    record = StageRecord("j1", 2, locations[1], slices=(TaskSlice(range(2), 2),))
    assert actions[:2] == [Persist(second, record), SettleStage(second, "e1", "a", "j1", 2)]
    (define,) = [each for each in actions if isinstance(each, DefineStage)]
    assert list(define.inputs) == locations
    assert bench.launched(actions) == ["j1/s3/t1#1@e1"]
    assert bench.job().state is JobState.RUNNING
    bench.handle(bench.finished("j1/s3/t1#1"))
    assert bench.job().state is JobState.SUCCEEDED


def test_stage_is_sliced_by_the_smallest_executor(bench: Bench) -> None:
    """A task is as large as fits every executor, so that its partitions share hash builds."""
    bench.handle(bench.executor("e1", 4), bench.executor("e2", 2))
    bench.run(bench.stage(partitions=5))
    tasks = bench.job().stages[1].tasks
    slices = [(task.number, task.partitions, task.slots) for task in tasks]
    assert slices == [(1, range(2), 2), (2, range(2, 4), 2), (3, range(4, 5), 1)]


def test_stage_that_is_whole_is_one_task(bench: Bench) -> None:
    """A stage that must not be sliced runs all partitions in one task, on a large executor."""
    bench.handle(bench.executor("e1", 2), bench.executor("e2", 4))
    bench.run(bench.stage(partitions=8, whole=True))
    (task,) = bench.job().stages[1].tasks
    assert (task.partitions, task.slots, task.executor_id) == (range(8), 4, "e2")


def test_stage_read_twice_by_one_stage_is_waited_for_once(bench: Bench) -> None:
    """Two leaves of a stage may read the same stage."""
    bench.handle(bench.executor())
    bench.run(bench.stage(1), bench.stage(2, reads=(1, 1)))
    assert bench.launched(bench.handle(bench.finished("j1/s1/t1#1"))) == ["j1/s2/t1#1@e1"]


def test_stage_report_with_impossible_partition_fails_the_job(bench: Bench) -> None:
    """An output that the stage cannot have made is nobody's input."""
    bench.handle(bench.executor())
    for number, rows in enumerate([{8: 1}, {3: 1, 2: 1}], start=1):
        job_id = bench.run(bench.stage(out=8), operation_id=f"o{number}")
        bench.handle(bench.finished(f"{job_id}/s1/t1#1", rows=rows))
        failure = bench.job(job_id).failure
        assert failure is not None
        assert (failure.code, failure.node_id) == ("INTERNAL", f"{job_id}/s1/t1#1")


@pytest.mark.parametrize("kind", [ExchangeKind.HASH, ExchangeKind.FORWARD])
def test_stage_prefers_executors_that_hold_its_inputs(bench: Bench, kind: ExchangeKind) -> None:
    """A task runs where most bytes of its own partitions lie, if there is room."""
    bench.handle(bench.executor("e1", 1), bench.executor("e2", 1))
    bench.run(bench.stage(1, 2), bench.stage(2, 2, reads=(1,), kind=kind))
    bench.handle(bench.finished("j1/s1/t1#1", "e1", {0: 1, 1: 9}))
    actions = bench.handle(bench.finished("j1/s1/t2#1", "e2", {0: 9, 1: 1}))
    assert bench.launched(actions) == ["j1/s2/t1#1@e2", "j1/s2/t2#1@e1"]


def test_stage_with_broadcast_input_prefers_its_holder(bench: Bench) -> None:
    """An input that every task reads whole draws all of them."""
    bench.handle(bench.executor("e1", 1), bench.executor("e2", 3))
    broadcast = bench.stage(2, 1, reads=(1,), kind=ExchangeKind.BROADCAST)
    bench.run(bench.stage(1, 1), broadcast)
    assert bench.job().stages[1].tasks[0].executor_id == "e2"
    actions = bench.handle(bench.finished("j1/s1/t1#1", "e2"))
    assert bench.launched(actions) == ["j1/s2/t1#1@e2"]
