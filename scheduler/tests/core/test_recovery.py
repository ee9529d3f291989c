"""Outputs that are lost are made again where somebody needs them, and nothing else is."""

from dataclasses import replace

import pytest
from core_bench import Bench

from springald_scheduler.core import views
from springald_scheduler.core.actions import (
    Action,
    CancelTask,
    DefineStage,
    Forget,
    Persist,
    Refuse,
)
from springald_scheduler.core.events import (
    ExecutorDisconnected,
    ExecutorDrainRequested,
    JobWatched,
    ResultLost,
    TaskFailed,
    TimePassed,
)
from springald_scheduler.core.failures import Failure
from springald_scheduler.core.graph import Repeats, Stage
from springald_scheduler.core.records import StageRecord
from springald_scheduler.core.states import JobState, StageState


def always(*stages: Stage) -> tuple[Stage, ...]:
    """Stages that put out the same rows whenever they run."""
    return tuple(replace(each, repeats=Repeats.ALWAYS) for each in stages)


def lost_input(
    attempt_id: str, executor_id: str, lost: str, code: str = "INPUT_LOST"
) -> TaskFailed:
    """A report that an output could not be read."""
    return TaskFailed(executor_id, "a", attempt_id, Failure(code, "m", retryable=True), lost)


def gone(executor_id: str) -> ExecutorDisconnected:
    """The end of an executor's stream."""
    return ExecutorDisconnected(executor_id, "a", "its stream ended")


def defined(actions: list[Action]) -> list[DefineStage]:
    """The definitions among actions."""
    return [each for each in actions if isinstance(each, DefineStage)]


@pytest.fixture
def shuffled(bench: Bench) -> Bench:
    """A job of two stages, the first finished by e1 and e2, each with half of the rows."""
    bench.handle(bench.executor("e1"), bench.executor("e2"))
    bench.run(*always(bench.stage(1, 2), bench.stage(2, 2, reads=(1,))))
    rows = {0: 1, 1: 1}
    bench.handle(bench.finished("j1/s1/t1#1", "e1", rows), bench.finished("j1/s1/t2#1", "e2", rows))
    return bench


def test_lost_executor_has_missing_outputs_made_again_and_no_others(shuffled: Bench) -> None:
    """The missing map task runs again, its readers wait for it, and get its new place."""
    running = {each.attempt_id: each.executor_id for each in shuffled.job().running.values()}
    assert running == {"j1/s2/t1#1": "e1", "j1/s2/t2#1": "e2"}
    assert shuffled.launched(shuffled.handle(gone("e1"))) == []
    actions = shuffled.handle(shuffled.finished("j1/s2/t2#1", "e2"))
    assert shuffled.launched(actions) == ["j1/s1/t1#2@e2"]
    actions = shuffled.handle(shuffled.finished("j1/s1/t1#2", "e2", {0: 1, 1: 1}))
    assert shuffled.launched(actions) == ["j1/s2/t1#2@e2"]
    (definition,) = defined(actions)
    places = [(each.attempt_id, each.executor_id) for each in definition.inputs[0]]
    assert places == [("j1/s1/t1#2", "e2"), ("j1/s1/t2#1", "e2")]
    assert definition.version == 2
    shuffled.handle(shuffled.finished("j1/s2/t1#2", "e2"))
    assert shuffled.job().state is JobState.SUCCEEDED


def test_task_that_waits_again_is_nowhere(shuffled: Bench) -> None:
    """Whoever asks is not told of an executor that is gone, but of one that has the task."""
    shuffled.handle(gone("e1"))
    told = views.describe_job(shuffled.core.world, "s", "j1", 0)
    assert told is not None
    assert {task.executor_id for task in told.tasks} == {"", "e2"}


@pytest.mark.parametrize("code", ["INPUT_LOST", "FETCH_FAILED"])
def test_lost_input_that_a_reader_reports_has_the_same_consequence(
    shuffled: Bench, code: str
) -> None:
    """A failed fetch and a lost executor lead to one function; the reader's try is not counted."""
    report = lost_input("j1/s2/t2#1", "e2", "j1/s1/t1#1", code)
    assert shuffled.launched(shuffled.handle(report)) == ["j1/s1/t1#2@e2"]
    assert shuffled.job().stages[2].inputs_missing == {1}
    shuffled.handle(shuffled.finished("j1/s2/t1#1", "e1"))
    actions = shuffled.handle(shuffled.finished("j1/s1/t1#2", "e2", {0: 1, 1: 1}))
    assert shuffled.launched(actions) == ["j1/s2/t2#2@e1"]


def test_lost_input_that_was_made_again_meanwhile_costs_a_try_alone(shuffled: Bench) -> None:
    """Late news of an output that is not the accepted one makes nothing run again."""
    shuffled.handle(lost_input("j1/s2/t2#1", "e2", "j1/s1/t1#1"))
    shuffled.handle(shuffled.finished("j1/s1/t1#2", "e2", {0: 1, 1: 1}))
    assert shuffled.job().stages[1].state is StageState.FINISHED
    actions = shuffled.handle(lost_input("j1/s2/t1#1", "e1", "j1/s1/t1#1"))
    assert shuffled.launched(actions) == ["j1/s2/t1#2@e1"]
    for nonsense in ("j1/s1/t9#1", "j2/s1/t1#1", "j1/s9/t1#1", "x", "j1/s1/t1#"):
        (attempt,) = [each for each in shuffled.job().running.values() if each.task_number == 1]
        shuffled.handle(lost_input(attempt.attempt_id, attempt.executor_id, nonsense))
    assert shuffled.job().stages[1].state is StageState.FINISHED


def test_output_that_nobody_needs_any_more_is_not_made_again(bench: Bench) -> None:
    """Outputs that were read to the end may go."""
    bench.handle(bench.executor("e1"), bench.executor("e2"))
    stages = [bench.stage(1, 2), bench.stage(2, 1, reads=(1,)), bench.stage(3, 1, reads=(2,))]
    bench.run(*always(*stages))
    bench.handle(bench.finished("j1/s1/t1#1", "e1"), bench.finished("j1/s1/t2#1", "e2", {1: 9}))
    (attempt,) = bench.job().running.values()
    reader = attempt.executor_id
    bench.handle(bench.finished(attempt.attempt_id, reader))
    assert bench.sends(gone("e2" if reader == "e1" else "e1")) == []
    assert bench.job().stages[1].state is StageState.FINISHED


def test_lost_outputs_are_made_again_from_the_beginning_where_all_is_lost(bench: Bench) -> None:
    """What is needed to make a lost output again is made again first, if it is lost as well."""
    bench.handle(bench.executor("e1"))
    stages = [bench.stage(1), bench.stage(2, reads=(1,)), bench.stage(3, reads=(2,))]
    bench.run(*always(*stages))
    bench.handle(bench.finished("j1/s1/t1#1"), bench.finished("j1/s2/t1#1"))
    bench.handle(gone("e1"))
    states = [run.state for run in bench.job().stages.values()]
    assert states == [StageState.RUNNING] * 3
    assert "there is no executor" in bench.job().waiting_reason
    launched = bench.launched(bench.handle(bench.executor("e2")))
    for name in ("j1/s1/t1#2", "j1/s2/t1#2", "j1/s3/t1#2"):
        assert launched == [f"{name}@e2"]
        launched = bench.launched(bench.handle(bench.finished(name, "e2")))
    assert bench.job().state is JobState.SUCCEEDED


def test_output_without_rows_that_a_reader_misses_is_made_again(bench: Bench) -> None:
    """A file without rows may be read, and be gone or damaged, as any other."""
    bench.handle(bench.executor("e1", 2))
    bench.run(*always(bench.stage(1, 4), bench.stage(2, reads=(1,))))
    bench.handle(bench.finished("j1/s1/t1#1", rows={}))
    assert bench.launched(bench.handle(bench.finished("j1/s1/t2#1", rows={0: 1})))
    actions = bench.handle(lost_input("j1/s2/t1#1", "e1", "j1/s1/t1#1"))
    assert bench.launched(actions) == ["j1/s1/t1#2@e1"]
    assert bench.launched(bench.handle(bench.finished("j1/s1/t1#2", rows={}))) == ["j1/s2/t1#2@e1"]


def test_output_without_rows_is_not_missed(bench: Bench) -> None:
    """Nobody reads an output without rows, so it is not made again."""
    bench.handle(bench.executor("e1"), bench.executor("e2"))
    bench.run(*always(bench.stage(1, 2), bench.stage(2, 1, reads=(1,))))
    bench.handle(bench.finished("j1/s1/t1#1", "e1", {}), bench.finished("j1/s1/t2#1", "e2"))
    (attempt,) = bench.job().running.values()
    bench.handle(gone("e1"))
    assert bench.job().stages[1].state is StageState.FINISHED
    assert attempt.executor_id == "e2"


def repeated(bench: Bench, repeats: Repeats, *fingerprints: int) -> tuple[Bench, list[Action]]:
    """Loses an output that one of two readers has read, and makes it again; returns the actions.

    Args:
        bench: A new bench.
        repeats: What the planner says of the stage.
        fingerprints: Those of the output, before and after.
    """
    bench.handle(bench.executor("e1"), bench.executor("e2"), bench.executor("e3"))
    first, second = bench.stage(1, 2), bench.stage(2, 3, reads=(1,))
    bench.run(replace(first, repeats=repeats), replace(second, repeats=Repeats.ALWAYS))
    made = [replace(bench.finished(f"j1/s1/t{n}#1", f"e{n}"), fingerprint=7) for n in (1, 2)]
    bench.handle(replace(made[0], fingerprint=fingerprints[0]), made[1])
    readers = {each.executor_id: each.attempt_id for each in bench.job().running.values()}
    done = bench.finished(readers["e3"], "e3")
    bench.handle(done)
    actions = bench.handle(gone("e1"))
    again = replace(bench.finished("j1/s1/t1#2", "e3"), fingerprint=fingerprints[1])
    return bench, actions + bench.handle(again)


@pytest.mark.parametrize(
    ("repeats", "before", "after"),
    [(Repeats.UNKNOWN, 5, 5), (Repeats.ALWAYS, 5, 5), (Repeats.ALWAYS, 0, 0)],
)
def test_output_made_again_as_it_was_leaves_its_readers_alone(
    bench: Bench, repeats: Repeats, before: int, after: int
) -> None:
    """Rows with the same fingerprint, or of a stage that repeats, fit what was read before."""
    bench, actions = repeated(bench, repeats, before, after)
    assert not [each for each in actions if isinstance(each, CancelTask)]
    assert bench.job().stages[2].finished == 1


@pytest.mark.parametrize(
    ("repeats", "before", "after"),
    [
        (Repeats.UNKNOWN, 5, 6),
        (Repeats.UNKNOWN, 0, 0),
        (Repeats.ALWAYS, 5, 6),
        (Repeats.NEVER, 5, 6),
    ],
)
def test_output_made_again_otherwise_has_its_readers_begin_again(
    bench: Bench, repeats: Repeats, before: int, after: int
) -> None:
    """Rows of two attempts are never mixed: those who read the former ones begin again."""
    bench, actions = repeated(bench, repeats, before, after)
    cancelled = [each.executor_id for each in actions if isinstance(each, CancelTask)]
    assert cancelled == ["e2"]
    assert bench.job().stages[2].finished == 0
    graph = bench.job().graph
    assert graph is not None
    assert "begin again: stage 1" in graph.decisions[-1]


def test_output_that_never_repeats_is_not_waited_for_to_take_its_readers_back(
    bench: Bench,
) -> None:
    """A stage that is known to vary takes its readers back as soon as it is lost."""
    bench.handle(bench.executor("e1"), bench.executor("e2"))
    stages = (replace(bench.stage(1, 2), repeats=Repeats.NEVER), bench.stage(2, 2, reads=(1,)))
    bench.run(*stages)
    bench.handle(bench.finished("j1/s1/t1#1", "e1"), bench.finished("j1/s1/t2#1", "e2"))
    actions = bench.handle(gone("e1"))
    (cancelled,) = [each for each in actions if isinstance(each, CancelTask)]
    assert cancelled.executor_id == "e2"
    assert bench.ignored(bench.finished(cancelled.attempt_id, "e2")) is False
    assert bench.job().stages[2].finished == 0


def test_stage_that_began_again_is_not_durable_until_it_is_finished_again(bench: Bench) -> None:
    """A scheduler that restarts must not take the rows of two attempts for one answer."""
    bench.handle(bench.executor("e1"), bench.executor("e2"))
    varies = replace(bench.stage(1, 2), repeats=Repeats.NEVER)
    others = (bench.stage(2, 1, reads=(1,)), bench.stage(3, 2, reads=(1, 2)))
    bench.run(varies, *always(*others))
    rows = {0: 1, 1: 1}
    bench.handle(bench.finished("j1/s1/t1#1", "e1", rows), bench.finished("j1/s1/t2#1", "e2", rows))
    (attempt,) = bench.job().running.values()
    bench.handle(bench.finished(attempt.attempt_id, attempt.executor_id))
    event = gone("e1")
    actions = bench.handle(event)
    assert Forget(event, ("job", "j1", "stage", "2")) in actions
    assert bench.job().stages[2].state is StageState.RUNNING


def test_stage_that_was_left_out_for_want_of_rows_has_the_job_begin_again(bench: Bench) -> None:
    """A stage was left out because its input had no rows; if that may have some now, all begins."""
    bench.handle(bench.executor("e1", 3))
    first = replace(bench.stage(1), repeats=Repeats.NEVER)
    second = replace(bench.stage(2, reads=(1,)), repeats=Repeats.ALWAYS)
    adaptive = replace(second.adaptive, emptied_by=(0,))
    third = replace(bench.stage(3, reads=(2,)), adaptive=adaptive)
    bench.run(first, second, third, bench.stage(4, reads=(1, 3)))
    bench.handle(bench.finished("j1/s1/t1#1"), bench.finished("j1/s2/t1#1", rows={}))
    assert bench.job().stages[3].skipped
    bench.handle(gone("e1"))
    assert bench.job().restarts == 1
    launched = bench.launched(bench.handle(bench.executor("e2", 1)))
    assert launched == ["j1/s1/t1#2@e2"]
    for name in ("j1/s1/t1#2", "j1/s2/t1#2", "j1/s3/t1#1", "j1/s4/t1#2"):
        assert launched == [f"{name}@e2"], bench.job().story
        launched = bench.launched(bench.handle(bench.finished(name, "e2")))
    assert bench.job().state is JobState.SUCCEEDED


def test_readers_that_wait_accept_no_former_attempt_in_another_life(bench: Bench) -> None:
    """What they had read may be kept by an executor whose report was not taken (P3.2)."""
    bench.handle(bench.executor("e1"), bench.executor("e2"))
    never = replace(bench.stage(1), repeats=Repeats.NEVER)
    bench.run(never, bench.stage(2, reads=(1,)))
    bench.handle(bench.finished("j1/s1/t1#1", "e1"))
    (reader,) = bench.job().running.values()
    other = "e2" if reader.executor_id == "e1" else "e1"
    bench.handle(gone(reader.executor_id))
    actions = [*bench.handle(bench.finished("j1/s1/t1#2", other)), *bench.handle(gone(other))]
    actions += bench.handle(bench.executor("e3"))
    records = [each.record for each in actions if isinstance(each, Persist)]
    stages = [each for each in records if isinstance(each, StageRecord) and each.stage_id == 2]
    assert stages
    assert stages[-1].slices[0].void >= 1


def test_result_that_is_lost_is_made_again_when_its_client_says_so(bench: Bench) -> None:
    """A job that succeeded runs once more, for the parts that its client could not fetch."""
    bench.handle(bench.executor("e1"), bench.executor("e2"))
    bench.run(*always(bench.stage(1, 2)))
    bench.handle(JobWatched("j1"))
    bench.handle(bench.finished("j1/s1/t1#1", "e1"), bench.finished("j1/s1/t2#1", "e2"))
    assert bench.job().state is JobState.SUCCEEDED
    assert bench.sends(gone("e1")) == []
    actions = bench.handle(ResultLost("s", "o1", ("j1/s1/t1#1",)))
    assert bench.launched(actions) == ["j1/s1/t1#2@e2"]
    assert bench.job().state is JobState.RUNNING
    finished = bench.finished("j1/s1/t1#2", "e2")
    actions = bench.handle(finished)
    (record,) = [each.record for each in actions if isinstance(each, Persist)][:1]
    assert isinstance(record, StageRecord)
    assert [each.attempt_id for each in record.outputs] == ["j1/s1/t1#2", "j1/s1/t2#1"]
    assert bench.job().state is JobState.SUCCEEDED
    assert bench.ignored(ResultLost("s", "o1", ("j1/s1/t1#1",)))
    refused = bench.handle(ResultLost("s", "other", ("j1/s1/t1#1",)))
    assert [type(each) for each in refused] == [Refuse]


def test_result_is_made_again_of_a_stage_that_was_being_made_again(bench: Bench) -> None:
    """What ran again while the job ended, because its readers had read it, goes on then."""
    bench.handle(bench.executor("e1"), bench.executor("e2"))
    bench.run(*always(bench.stage(1, 2), bench.stage(2, 2, reads=(1,))))
    rows = {0: 1, 1: 1}
    bench.handle(ExecutorDrainRequested("e1", "a"), bench.executor("e3"))
    bench.handle(bench.finished("j1/s1/t1#1", "e1", rows), bench.finished("j1/s1/t2#1", "e2", rows))
    readers = {each.attempt_id: each.executor_id for each in bench.job().running.values()}
    assert set(readers.values()) == {"e2", "e3"}
    bench.handle(bench.executor("e4"))
    assert bench.launched(bench.handle(gone("e1"))) == ["j1/s1/t1#2@e4"]
    for attempt_id, executor_id in readers.items():
        bench.handle(bench.finished(attempt_id, executor_id))
    assert bench.job().state is JobState.SUCCEEDED
    bench.handle(JobWatched("j1"))
    actions = bench.handle(ResultLost("s", "o1", ("j1/s2/t2#1",)))
    assert [each.partition("@")[0] for each in bench.launched(actions)] == ["j1/s1/t1#3"]


def test_result_that_is_made_again_for_nobody_is_cancelled(bench: Bench) -> None:
    """A client that asks for a lost result and goes leaves no job behind."""
    bench.handle(bench.executor("e1"))
    bench.run(*always(bench.stage(1)))
    bench.handle(bench.finished("j1/s1/t1#1", "e1"), ResultLost("s", "o1", ("j1/s1/t1#1",)))
    bench.now_ms += 60_000
    bench.handle(TimePassed())
    assert bench.job().state is JobState.CANCELLED


def test_executor_that_left_is_not_counted_against_its_tasks(bench: Bench) -> None:
    """An executor that asked to leave, and does, costs its tasks a move, and no trouble."""
    bench.handle(bench.executor("e0"))
    bench.run(*always(bench.stage(1)))
    bench.handle(JobWatched("j1"))
    for number in range(5):
        drains = ExecutorDrainRequested(f"e{number}", "a")
        bench.handle(drains, gone(f"e{number}"), bench.executor(f"e{number + 1}"))
        bench.now_ms += 30_000
        bench.handle(TimePassed(), bench.executor(f"e{number + 1}"))
    assert bench.job().state is JobState.RUNNING


def test_output_that_is_lost_again_and_again_fails_its_job(bench: Bench) -> None:
    """Every try is counted against something: nothing runs in circles without end."""
    bench.handle(bench.executor("e1", 2))
    bench.run(*always(bench.stage(1), bench.stage(2, reads=(1,))))
    for number in range(1, 100):
        bench.handle(bench.finished(f"j1/s1/t1#{number}"))
        if bench.job().state.terminal:
            break
        bench.handle(lost_input(f"j1/s2/t1#{number}", "e1", f"j1/s1/t1#{number}"))
        if bench.job().state.terminal:
            break
    assert number == bench.core.world.limits.task_outputs_max
    failure = bench.job().failure
    assert failure is not None
    assert failure.code in {"INPUT_LOST", "EXECUTOR_LOST"}
