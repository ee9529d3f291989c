"""What operators of tasks measured, summed up by stage, as those see it who ask."""

from dataclasses import replace

import pytest
from core_bench import Bench

from springald_scheduler.core.actions import DefineStage, ReleaseJobFiles
from springald_scheduler.core.events import (
    JobCancelRequested,
    JobPlanned,
    TaskFailed,
    TaskFinished,
)
from springald_scheduler.core.failures import Failure
from springald_scheduler.core.figures import OperatorFigures, Spread, StageFigures
from springald_scheduler.core.graph import AnswerKind, Operator, Stage, StageGraph
from springald_scheduler.core.states import JobState
from springald_scheduler.core.views import JobDetails, OperatorView, describe_job, view_job

FILTER = Operator("s1/o0", "FilterExec", "a > 1", ("s1/o1",))
SCAN = Operator("s1/o1", "DataSourceExec", "t", ())


def measured(attempt_id: str, figures: OperatorFigures, elapsed_ms: int = 0) -> TaskFinished:
    """A report of an attempt's end, with what it measured."""
    return TaskFinished("e1", "a", attempt_id, elapsed_ms=elapsed_ms, figures=figures)


def filtered(bench: Bench, partitions: int = 1) -> Stage:
    """A stage that filters a table."""
    return replace(bench.stage(partitions=partitions), operators=(FILTER, SCAN))


def described(bench: Bench, *, with_tasks: bool = True) -> JobDetails:
    """All about the job."""
    details = describe_job(bench.core.world, "s", "j1", bench.now_ms, with_tasks=with_tasks)
    assert details is not None
    return details


@pytest.mark.parametrize(
    ("values", "spread"),
    [([], None), ([7], (7, 7, 7)), ([9, 1], (1, 1, 9)), ([3, 1, 2], (1, 2, 3))],
)
def test_spread_tells_least_middle_and_most(
    values: list[int], spread: tuple[int, int, int] | None
) -> None:
    """Of two in the middle the smaller counts; of none there is nothing to tell."""
    assert Spread.of(values) == (Spread(*spread) if spread else None)


def test_figures_of_tasks_add_up_by_operator() -> None:
    """A task that lacks an operator says nothing of it, and an empty column is zeros."""
    figures = StageFigures()
    figures.add(OperatorFigures((0, 1), (2, 9), (10, 20), (1, 0), (500, 0), (0, 70)))
    figures.add(OperatorFigures((1,), (4,), (30,), details=((1, "files_opened", 2),)))
    figures.add(OperatorFigures((1,), (0,), (5,), details=((1, "files_opened", 3),)))

    first, second = (figures.by_position[position] for position in (0, 1))
    assert (first.rows_out, list(first.compute_ns)) == (2, [10])
    assert (first.spill_count, first.spilled_bytes, first.bytes_scanned) == (1, 500, 0)
    assert (second.rows_out, list(second.compute_ns)) == (13, [20, 30, 5])
    assert (second.spill_count, second.bytes_scanned) == (0, 70)
    assert second.details == {"files_opened": 5}


def test_describe_tells_operators_over_all_finished_tasks(bench: Bench) -> None:
    """Sums, and how the time differs between tasks; an operator without figures is left out."""
    bench.handle(bench.executor("e1", 3))
    bench.handle(bench.executor("e2", 1))
    bench.run(filtered(bench, 3))
    bench.handle(measured("j1/s1/t1#1", OperatorFigures((1,), (10,), (300,)), elapsed_ms=4))
    bench.handle(measured("j1/s1/t2#1", OperatorFigures((1,), (20,), (100,)), elapsed_ms=2))

    (stage,) = described(bench).stages

    assert stage.task_ms == Spread(2, 2, 4)
    assert stage.operators == (
        OperatorView("s1/o1", 2, 30, Spread(100, 100, 300), 400, 0, 0, 0, ()),
    )


def test_describe_without_tasks_leaves_them_out(bench: Bench) -> None:
    """What is known of a job of a million tasks still fits a message."""
    bench.handle(bench.executor())
    bench.run(filtered(bench))
    assert len(described(bench).tasks) == 1
    assert described(bench, with_tasks=False).tasks == ()
    assert len(described(bench, with_tasks=False).stages) == 1


def test_failed_job_tells_what_its_tasks_measured(bench: Bench) -> None:
    """The failing attempt counts too: it shows how far it came."""
    bench.handle(bench.executor("e1", 2))
    bench.handle(bench.executor("e2", 1))
    bench.run(filtered(bench, 2))
    bench.handle(measured("j1/s1/t1#1", OperatorFigures((0, 1), (5, 10), (1, 2))))
    failure = Failure("DATA_INVALID", "too much")
    figures = OperatorFigures((0, 1), (1, 90), (1, 2))
    bench.handle(TaskFailed("e1", "a", "j1/s1/t2#1", failure, figures=figures))

    details = described(bench)

    assert details.job.state is JobState.FAILED
    assert [each.rows_out for each in details.stages[0].operators] == [6, 100]
    assert details.graph is not None
    assert details.graph.stages[0].operators == (FILTER, SCAN)


def test_attempt_of_a_cancelled_job_changes_no_figures(bench: Bench) -> None:
    """The figures of a job that has ended do not move any more."""
    bench.handle(bench.executor())
    bench.run(filtered(bench))
    bench.handle(JobCancelRequested("s", "j1", "enough"))
    bench.handle(measured("j1/s1/t1#1", OperatorFigures((0,), (5,), (1,))))
    assert described(bench).stages[0].operators == ()


def test_task_that_planned_its_query_tells_the_operators(bench: Bench) -> None:
    """Figures are about the plan that ran, not the one that the scheduler had in mind."""
    bench.handle(bench.executor())
    bench.run(filtered(bench))
    ran = Operator("s1/o0", "EmptyExec", "", ())
    report = measured("j1/s1/t1#1", OperatorFigures((0,), (0,), (1,)))
    bench.handle(replace(report, operators=(ran,)))

    details = described(bench)

    assert details.graph is not None
    assert details.graph.stages[0].operators == (ran,)
    assert [each.node_id for each in details.stages[0].operators] == ["s1/o0"]


def test_query_that_is_profiled_says_so_to_executors(bench: Bench) -> None:
    """Tasks gather more than they usually do only where it is wanted."""
    bench.handle(bench.executor())
    bench.submit()
    graph = StageGraph((filtered(bench),), profile=True)
    actions = bench.handle(JobPlanned("j1", graph))
    assert [each.profile for each in actions if isinstance(each, DefineStage)] == [True]


def test_query_whose_profile_is_wanted_drops_its_rows(bench: Bench) -> None:
    """EXPLAIN ANALYZE runs the query and keeps no file of it, neither here nor there."""
    bench.handle(bench.executor())
    bench.submit()
    graph = StageGraph((filtered(bench),), answer=AnswerKind.PROFILE)
    bench.handle(JobPlanned("j1", graph))
    finished = measured("j1/s1/t1#1", OperatorFigures((0,), (5,), (1,)))

    actions = bench.handle(finished)

    assert ReleaseJobFiles(finished, "e1", "a", "j1") in actions
    view = view_job(bench.core.world, "s", "j1", bench.now_ms)
    assert view is not None
    assert (view.state, view.answer_kind) == (JobState.SUCCEEDED, AnswerKind.PROFILE)
    assert view.outputs == ()
    assert [each.rows_out for each in described(bench).stages[0].operators] == [5]
