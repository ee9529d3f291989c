"""The failure table: the core does what each row says, and the page shows the rows."""

import pytest
from core_bench import Bench
from tools.failure_table import PAGE, page_with_table

from springald.errors import ERROR_BY_CODE
from springald_scheduler.core.events import TaskFailed
from springald_scheduler.core.failures import Failure
from springald_scheduler.core.limits import CoreLimits
from springald_scheduler.core.retries import tries_max
from springald_scheduler.core.states import JobState, TaskState
from springald_scheduler.core.taxonomy import (
    NOTICED,
    REPORTED,
    TABLE,
    UNKNOWN_PASSES,
    UNKNOWN_STAYS,
    Budget,
    FailureRow,
    classify,
)


def test_page_shows_the_table() -> None:
    """Documentation is made from the code: `python -m tools.failure_table`."""
    page = PAGE.read_text()
    assert page == page_with_table(page)
    assert len(TABLE) >= 30


def test_rows_are_named_once_and_have_known_codes() -> None:
    """No failure has two rows, and each code is one of the contract."""
    assert len({row.name for row in TABLE}) == len(TABLE)
    assert {row.code for row in TABLE if row.code} <= ERROR_BY_CODE.keys()
    assert not {row.name for row in REPORTED} & {row.name for row in NOTICED}


def fail(bench: Bench, row: FailureRow) -> None:
    """Has the task of the only job, which reads an output, fail as a row says."""
    (attempt,) = bench.job().running.values()
    failure = Failure(row.code, "what happened")
    lost = "j1/s1/t9#1" if row.lost_output else ""
    bench.handle(TaskFailed(attempt.executor_id, "a", attempt.attempt_id, failure, lost))


@pytest.mark.parametrize("row", REPORTED, ids=lambda row: row.name)
def test_failure_is_tried_again_as_its_row_says(row: FailureRow) -> None:
    """A failure that may pass costs its budget, and the last one of it the job."""
    bench = Bench()
    bench.handle(bench.executor("e1", 2), bench.executor("e2", 1))
    bench.run(bench.stage())
    tries = tries_max(CoreLimits(), row.budget)
    for number in range(1, tries):
        fail(bench, row)
        (task,) = bench.job().stages[1].tasks
        assert task.state in {TaskState.WAITING, TaskState.RUNNING}
        assert task.troubles is not None
        assert task.troubles.spent == {row.budget: number}
        assert bool(task.troubles.avoided) is row.elsewhere
        bench.wait(60_000 if not bench.job().running else 0)
        if bench.job().state.terminal:  # nobody watches it
            return
    fail(bench, row)
    failure = bench.job().failure
    assert bench.job().state is JobState.FAILED
    assert failure is not None
    assert failure.code == row.code
    assert failure.attempts == (tries if tries > 1 else 0)
    assert (failure.cause is not None) is (tries > 1)


@pytest.mark.parametrize(("retryable", "row"), [(True, UNKNOWN_PASSES), (False, UNKNOWN_STAYS)])
def test_code_of_a_later_version_goes_by_its_flag(retryable: bool, row: FailureRow) -> None:  # noqa: FBT001
    """P6.2: a reader that does not know a code goes by what it says of itself."""
    assert classify(Failure("CODE_387", "m", retryable=retryable)) is row


def test_task_short_of_memory_is_tried_alone_and_not_twice() -> None:
    """It gets an executor's whole memory once; one that had that has no better place."""
    bench = Bench()
    bench.handle(bench.executor("e1", 4), bench.executor("e2", 1))
    bench.run(bench.stage())
    row = next(each for each in REPORTED if each.budget is Budget.MEMORY)
    fail(bench, row)
    (attempt,) = bench.job().running.values()
    assert (attempt.executor_id, attempt.slots) == ("e1", 4)
    fail(bench, row)
    assert bench.job().state is JobState.FAILED


def test_task_rests_longer_after_each_failure() -> None:
    """Tries are apart: 100 ms, then four times as long each."""
    bench = Bench()
    bench.handle(bench.executor("e1"), bench.executor("e2"))
    bench.run(bench.stage())
    row = next(each for each in REPORTED if each.name == "io_failed")
    executors = []
    for rest_ms in (100, 400, 1_600):
        executors += [each.executor_id for each in bench.job().running.values()]
        fail(bench, row)
        assert bench.job().running == {}
        bench.wait(rest_ms - 1)
        assert bench.job().running == {}
        bench.wait(1)
        assert len(bench.job().running) == 1
    assert executors == ["e1", "e2", "e1"]
