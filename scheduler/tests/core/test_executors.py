"""Executors are let in if they fit, and their loss costs what they ran."""

from dataclasses import asdict, replace
from typing import Any

import pytest
from core_bench import Bench

from springald_scheduler.core.actions import (
    AcceptExecutor,
    CancelTask,
    DisconnectExecutor,
    PublishJob,
    RefuseExecutor,
    ReleaseJobFiles,
)
from springald_scheduler.core.events import (
    ClusterFacts,
    ExecutorDisconnected,
    ExecutorDrainRequested,
    ExecutorHeard,
    JobCancelRequested,
    JobReleased,
    JobWatched,
    TaskFailed,
    TaskStarted,
    TimePassed,
)
from springald_scheduler.core.failures import Failure, no_executor
from springald_scheduler.core.limits import CoreLimits
from springald_scheduler.core.states import JobState


def test_executor_that_fits_is_accepted(bench: Bench) -> None:
    """P4.1: the scheduler's first message is an acceptance or a refusal."""
    event = bench.executor()
    assert bench.sends(event) == [AcceptExecutor(event, "e1", "a")]


@pytest.mark.parametrize(
    ("fact", "value", "code", "text"),
    [
        ("protocol_major", 2, "PROTOCOL_MISMATCH", "protocol version must be 1,"),
        ("engine_version", "datafusion 54.0.0", "ENGINE_MISMATCH", "datafusion 55.0.0"),
        ("python_version", "3.12", "ENGINE_MISMATCH", "Python version must be 3.11"),
        ("architecture", "aarch64", "ENGINE_MISMATCH", "architecture must be x86_64"),
        ("routing_fingerprint", "other", "ROUTING_MISMATCH", "must be fingerprint"),
    ],
)
def test_executor_that_does_not_fit_is_refused(
    bench: Bench, fact: str, value: str | int, code: str, text: str
) -> None:
    """P4.2: the refusal names both values."""
    event = bench.executor()
    facts: dict[str, Any] = asdict(event.facts) | {fact: value}
    event = replace(event, facts=ClusterFacts(**facts))
    (action,) = bench.handle(event)
    assert isinstance(action, RefuseExecutor)
    assert action.failure.code == code
    assert text in action.failure.message
    assert f"got {value}" in action.failure.message
    assert bench.core.world.executors == {}


def test_executor_with_several_problems_hears_of_all(bench: Bench) -> None:
    """A validator reports everything at once."""
    event = replace(bench.executor(), executor_id="", incarnation="", slots=0)
    (action,) = bench.handle(event)
    assert isinstance(action, RefuseExecutor)
    assert action.failure.code == "INVALID_ARGUMENT"
    assert action.failure.message.count("got") == 3


def test_executor_lost_moves_what_it_ran(bench: Bench) -> None:
    """P4.3, P4.4: a closed stream costs the attempts that ran there, which run elsewhere."""
    bench.handle(bench.executor("e1"), bench.executor("e2"))
    bench.run(bench.stage(partitions=2), operation_id="both")
    gone = ExecutorDisconnected("e1", "a", "its stream ended")
    assert bench.launched(bench.handle(gone)) == []
    finished = bench.finished("j1/s1/t2#1", "e2")
    assert bench.launched(bench.handle(finished)) == ["j1/s1/t1#2@e2"]
    assert bench.ignored(bench.finished("j1/s1/t1#1", "e1"))
    bench.handle(bench.finished("j1/s1/t1#2", "e2"))
    assert bench.job().state is JobState.SUCCEEDED


def test_executor_silent_is_lost_and_disconnected(bench: Bench) -> None:
    """P4.3: silence for the named limit has the same consequences as a closed stream."""
    bench.handle(bench.executor())
    bench.run(bench.stage())
    bench.wait(9_999)
    bench.handle(ExecutorHeard("e1", "a", ("j1/s1/t1#1",)))
    assert bench.wait(9_999) == []
    passed = TimePassed()
    bench.now_ms += 1
    how = "it was silent for 10 s"
    actions = bench.sends(passed)
    assert actions == [DisconnectExecutor(passed, "e1", "a", how), PublishJob(passed, "j1")]
    assert "there is no executor" in bench.job().waiting_reason


def test_executor_may_be_silent_without_a_limit(bench: Bench) -> None:
    """A limit of None is for debuggers: silence is no loss."""
    bench = type(bench)(CoreLimits(executor_silence_ms_max=None))
    bench.handle(bench.executor())
    assert bench.wait(10**9) == []


def test_executor_lost_leaves_succeeded_jobs_alone(bench: Bench) -> None:
    """P3.1: success is terminal, also when the result's executor goes."""
    bench.handle(bench.executor())
    bench.run(bench.stage())
    bench.handle(bench.finished("j1/s1/t1#1"), ExecutorDisconnected("e1", "a"))
    assert bench.job().state is JobState.SUCCEEDED


def test_executor_of_another_life_replaces_the_former(bench: Bench) -> None:
    """P2.2: the same id with another incarnation is another executor."""
    bench.handle(bench.executor())
    bench.run(bench.stage())
    event = bench.executor(incarnation="b")
    how = "another process registered under its id"
    actions = bench.sends(event)
    assert actions[0] == DisconnectExecutor(event, "e1", "a", how)
    assert AcceptExecutor(event, "e1", "b") in actions
    assert bench.launched(actions) == ["j1/s1/t1#2@e1"]
    for late in (
        ExecutorDisconnected("e1", "a"),
        ExecutorHeard("e1", "a"),
        bench.finished("j1/s1/t1#1"),
    ):
        assert bench.ignored(late)


def test_executor_that_was_replaced_is_turned_away(bench: Bench) -> None:
    """P2.2: two processes of one id do not take turns; the former waits until the other is gone."""
    bench.handle(bench.executor(), bench.executor(incarnation="b"))
    bench.run(bench.stage())
    event = bench.executor()
    (refusal,) = bench.sends(event)
    assert isinstance(refusal, RefuseExecutor)
    assert (refusal.incarnation, refusal.failure.code) == ("a", "EXECUTOR_LOST")
    assert refusal.failure.retryable
    bench.handle(bench.executor(incarnation="c"))
    assert isinstance(bench.sends(bench.executor(incarnation="b"))[0], RefuseExecutor)
    assert isinstance(bench.sends(bench.executor())[0], RefuseExecutor)
    bench.handle(ExecutorDisconnected("e1", "c"))
    again = bench.executor()
    assert AcceptExecutor(again, "e1", "a") in bench.sends(again)


def test_lives_that_were_replaced_are_forgotten(bench: Bench) -> None:
    """Only some are remembered, so that an id that is used for ever takes no room."""
    lives = [str(number) for number in range(2 * bench.core.world.limits.replaced_lives_max)]
    for each in lives:
        bench.handle(bench.executor(incarnation=each))
    (executor,) = bench.core.world.executors.values()
    assert len(executor.replaced) == bench.core.world.limits.replaced_lives_max


def test_executor_that_comes_back_is_told_what_to_remove(bench: Bench) -> None:
    """A life that was given up too early keeps results, and loses everything else."""
    bench.handle(bench.executor())
    bench.run(bench.stage(), operation_id="result")
    bench.handle(bench.finished("j1/s1/t1#1"))
    bench.run(bench.stage(), operation_id="ends")
    bench.handle(ExecutorDisconnected("e1", "a"), JobCancelRequested("s", "ends", ""))
    again = bench.executor()
    assert bench.sends(again) == [
        AcceptExecutor(again, "e1", "a"),
        ReleaseJobFiles(again, "e1", "a", "j2"),
    ]
    stray = ExecutorHeard("e1", "a", ("j2/s1/t1#1",))
    assert bench.handle(stray) == [CancelTask(stray, "e1", "a", "j2/s1/t1#1")]
    released = JobReleased("s", "result")
    assert ReleaseJobFiles(released, "e1", "a", "j1") in bench.handle(released)


def test_executor_that_drains_gets_no_more_tasks(bench: Bench) -> None:
    """A draining executor finishes what it runs, and its loss then costs what it holds."""
    bench.handle(bench.executor("e1"), bench.executor("e2"))
    bench.handle(ExecutorDrainRequested("e1", "a"))
    bench.run(bench.stage(partitions=2))
    assert [task.executor_id for task in bench.job().stages[1].tasks] == ["e2", ""]
    bench.handle(ExecutorDrainRequested("e2", "a"), ExecutorDrainRequested("e2", "a"))
    bench.handle(bench.finished("j1/s1/t1#1", "e2"))
    assert "no executor" in bench.job().waiting_reason


def test_job_without_executor_waits_with_a_reason_then_fails(bench: Bench) -> None:
    """P3.5, P6.1: a job never waits without end, says why it waits, and how that began."""
    bench.run(bench.stage())
    bench.handle(JobWatched("j1"))
    assert "there is no executor" in bench.job().waiting_reason
    assert bench.wait(59_999) == []
    passed = TimePassed()
    assert bench.wait(1) == [PublishJob(passed, "j1")]
    assert bench.job().failure == replace(no_executor(60_000), node_id="j1")


def test_job_without_executor_starts_when_one_comes(bench: Bench) -> None:
    """P3.5: the wait ends with the first executor."""
    bench.run(bench.stage(partitions=2))
    bench.handle(JobWatched("j1"))
    bench.wait(59_999)
    actions = bench.handle(bench.executor("e1", 2))
    assert bench.launched(actions) == ["j1/s1/t1#1@e1"]
    assert (bench.job().waiting_reason, bench.wait(1)) == ("", [])


def test_task_failed_fails_the_job_with_the_first_cause(bench: Bench) -> None:
    """P6.1: the first error is the job's; the tasks that still run are cancelled."""
    bench.handle(bench.executor("e1"), bench.executor("e2"))
    bench.run(bench.stage(partitions=3))
    failed = TaskFailed("e1", "a", "j1/s1/t1#1", Failure("DIVISION_BY_ZERO", "m"))
    assert bench.sends(failed) == [
        CancelTask(failed, "e2", "a", "j1/s1/t2#1"),
        ReleaseJobFiles(failed, "e1", "a", "j1"),
        PublishJob(failed, "j1"),
    ]
    late = TaskFailed("e2", "a", "j1/s1/t2#1", Failure("CANCELLED", "m"))
    assert ReleaseJobFiles(late, "e2", "a", "j1") in bench.handle(late)
    failure = Failure("DIVISION_BY_ZERO", "m", node_id="j1/s1/t1#1", executor_id="e1")
    assert bench.job().failure == failure


def test_reports_of_attempts_that_do_not_run_are_ignored(bench: Bench) -> None:
    """P2.1: a message about an attempt that is not current is recorded and ignored."""
    bench.handle(bench.executor("e1"), bench.executor("e2"))
    bench.run(bench.stage(partitions=2))
    for event in (
        bench.finished("j1/s1/t1#1", "nobody"),
        bench.finished("j1/s1/t1#1", "e2"),
        bench.finished("j1/s1/t1#2"),
        bench.finished("nonsense"),
        replace(bench.finished("j1/s1/t1#1"), incarnation="old"),
        TaskStarted("e1", "a", "j9/s1/t1#1"),
        TaskFailed("e1", "a", "j9/s1/t1#1", Failure("X", "m")),
    ):
        assert bench.ignored(event)
    assert bench.handle(TaskStarted("e1", "a", "j1/s1/t1#1")) == []
    bench.handle(bench.finished("j1/s1/t1#1"))
    assert bench.ignored(bench.finished("j1/s1/t1#1"))
