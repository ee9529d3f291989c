"""What the agent's core does about single events."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

import pytest

from springald_executor.core import actions as ac
from springald_executor.core import events as ev
from springald_executor.core.agent import Agent
from springald_executor.core.failures import Failure
from springald_executor.core.limits import ENGINE_RESTARTS_FAILED_MAX, ENGINE_STARTS_FAILED_MAX
from springald_executor.core.model import (
    ExchangeKind,
    Fragment,
    FragmentFormat,
    InputDefinition,
    LocalInput,
    OutputLocation,
    Partition,
    RemoteInput,
    RemoteUpload,
    StageDefinition,
    StoredFile,
    TaskReport,
    UploadLocation,
)
from springald_executor.core.records import Profile
from springald_executor.core.states import ImpossibleTransitionError

Kind = TypeVar("Kind", bound=ac.Action)

TASK = "j1/s1/t1#1"
DIED = Failure("TASK_LOST", "gone", retryable=True)
STAGE = StageDefinition(
    job_id="j1",
    stage_id=1,
    fragment=Fragment(FragmentFormat.PHYSICAL_PLAN, b"plan", "datafusion 55.0.0"),
    inputs=(),
    output=ExchangeKind.HASH,
    output_partitions=2,
    schema=b"",
)


def agent(slots: int = 1, engines: int = 1, stage: StageDefinition = STAGE) -> Agent:
    """An agent that is registered, with idle engines and a stage defined."""
    made = Agent(Profile("e1", slots, 1_000, 8_000, engines))
    made.begin()
    tell(made, ev.Registered("c1", ("/data",)))
    for engine_id in range(1, engines + 1):
        tell(made, ev.EngineReady(engine_id))
    tell(made, ev.StageDefined(stage))
    return made


def tell(told: Agent, event: ev.Event) -> list[ac.Action]:
    """Tells an event at no particular time."""
    return told.handle(event, 0)


def launch(task_id: str = TASK, slots: int = 1) -> ev.TaskLaunched:
    """A launch of the stage's first partition."""
    return ev.TaskLaunched(task_id, "j1", 1, (0,), slots)


def report(path: str = "out", size: int = 0) -> TaskReport:
    """A report of an output in memory."""
    return TaskReport(StoredFile(path, size, in_memory=True, blocks={}))


def one(actions: Sequence[ac.Action], kind: type[Kind]) -> Kind:
    """The only action of a kind."""
    (found,) = [action for action in actions if isinstance(action, kind)]
    return found


def kinds(actions: Sequence[ac.Action]) -> list[str]:
    """The names of actions, in order."""
    return [type(action).__name__ for action in actions]


def test_launch_with_an_idle_engine_runs_at_once() -> None:
    """A pushed attempt goes to a warm engine, with its share of memory, and is told as started."""
    event = launch()
    run, started = tell(agent(slots=4), event)

    assert isinstance(run, ac.RunTask)
    assert run.cause is event
    assert run.request.memory_bytes == 250
    assert run.request.grant.memory_bytes == 2_000
    assert run.request.allowed_paths == ("/data",)
    assert started == ac.TellTaskStarted(event, TASK)


def test_launch_before_its_stage_is_defined_fails() -> None:
    """What a task has in common with others must be known before it."""
    failed = one(tell(agent(), replace(launch(), stage_id=7)), ac.TellTaskFailed)

    assert failed.failure.code == "UNEXPECTED_MESSAGE"


@pytest.mark.parametrize("slots", [0, 3])
def test_launch_beyond_the_offered_slots_fails(slots: int) -> None:
    """Tasks are never taken beyond the slots that were offered (P4.5)."""
    failed = one(tell(agent(slots=2), launch(slots=slots)), ac.TellTaskFailed)

    assert failed.failure.code == "OVERLOADED"


def test_finished_attempt_frees_its_slot_for_the_next() -> None:
    """An engine is used again, and its output is found from then on."""
    told = agent()
    tell(told, launch())
    actions = tell(told, ev.TaskRan(1, TASK, report()))
    again = tell(told, launch("j1/s1/t2#1"))

    assert kinds(actions) == ["TellTaskFinished"]
    assert told.find_output("j1", TASK)
    assert told.find_output("j2", TASK) is None
    assert one(again, ac.RunTask).engine_id == 1


def test_engine_that_is_not_usable_is_replaced_after_its_task() -> None:
    """An engine that has grown too large is killed when it is idle, never in a task."""
    told = agent()
    tell(told, launch())
    actions = tell(told, ev.TaskRan(1, TASK, report(), engine_usable=False))

    assert kinds(actions) == ["TellTaskFinished", "StopEngine", "StartEngine"]


def test_cancel_of_a_running_attempt_kills_its_engine_then_frees_its_files() -> None:
    """Cancelled is told when the engine is gone and the files are removed (P3.4)."""
    told = agent()
    folder = one(tell(told, launch()), ac.RunTask).request.grant.folder
    stop = tell(told, ev.TaskCancelled(TASK))
    late = tell(told, ev.TaskRan(1, TASK, report()))
    gone = tell(told, ev.EngineDied(1, DIED))

    assert kinds(stop) == ["StopEngine", "StartEngine"]
    assert kinds(late) == ["Ignore"]
    assert kinds(gone) == ["RemoveFolder", "TellTaskFailed"]
    assert one(gone, ac.RemoveFolder).folder == folder
    assert one(gone, ac.TellTaskFailed).failure.code == "CANCELLED"


def test_cancel_of_a_waiting_attempt_ends_it_at_once() -> None:
    """An attempt that waits for an engine has nothing to kill."""
    told = Agent(Profile("e1", 1, 1_000, 8_000, 1))
    told.begin()
    tell(told, ev.Registered("c1", ()))
    tell(told, ev.StageDefined(STAGE))
    tell(told, launch())

    assert kinds(tell(told, ev.TaskCancelled(TASK))) == ["TellTaskFailed"]
    assert kinds(tell(told, ev.EngineReady(1))) == []


def test_death_of_an_engine_costs_its_attempt_alone() -> None:
    """A crash is a lost task; the other attempt goes on and a new engine is started."""
    told = agent(slots=2, engines=2)
    tell(told, launch())
    other = one(tell(told, launch("j1/s1/t2#1")), ac.RunTask).engine_id
    gone = tell(told, ev.EngineDied(3 - other, DIED))

    assert kinds(gone) == ["RemoveFolder", "TellTaskFailed", "StartEngine"]
    assert one(gone, ac.TellTaskFailed).failure == replace(DIED, node_id=TASK)
    assert told.running_task_ids() == ["j1/s1/t2#1"]


def test_engine_that_outgrew_its_share_is_killed_with_that_reason() -> None:
    """An overrun is told as out of memory, not as a crash."""
    told = agent()
    tell(told, launch())
    tell(told, ev.EngineOutgrew(1, Failure("OUT_OF_MEMORY", "grew")))

    assert one(tell(told, ev.EngineDied(1, DIED)), ac.TellTaskFailed).failure.code == (
        "OUT_OF_MEMORY"
    )


def test_engines_that_never_start_end_the_executor() -> None:
    """After a few failed starts in a row the executor says why and leaves."""
    told = Agent(Profile("e1", 1, 1_000, 8_000, 1))
    actions = told.begin()
    for _ in range(3):
        started = one(actions, ac.StartEngine).engine_id
        actions = tell(told, ev.EngineDied(started, DIED))

    assert actions == [ac.Leave(ev.EngineDied(started, DIED), DIED)]


def test_engines_that_are_killed_while_they_start_do_not_end_an_executor_that_had_one() -> None:
    """What was ready before can be again; only many failed starts in a row end the executor."""
    told = agent()
    actions = tell(told, ev.EngineDied(1, DIED))
    for _ in range(ENGINE_RESTARTS_FAILED_MAX - 1):
        actions = tell(told, ev.EngineDied(one(actions, ac.StartEngine).engine_id, DIED))
    last = one(actions, ac.StartEngine).engine_id

    assert last > 2 * ENGINE_STARTS_FAILED_MAX
    assert kinds(tell(told, ev.EngineDied(last, DIED))) == ["Leave"]


def test_narrow_engine_is_replaced_for_a_wide_task() -> None:
    """An engine has as many threads as its first task had slots; a wide task waits for more."""
    told = agent(slots=2)
    tell(told, launch())
    tell(told, ev.TaskRan(1, TASK, report()))
    actions = tell(told, launch("j1/s1/t2#1", slots=2))
    tell(told, ev.EngineDied(1, DIED))

    assert kinds(actions) == ["StopEngine", "StartEngine"]
    assert one(tell(told, ev.EngineReady(2)), ac.RunTask).engine_id == 2


def test_wide_engine_takes_a_narrow_task() -> None:
    """Waiting for a new engine would cost more than a few threads too many."""
    told = agent(slots=2)
    tell(told, launch(slots=2))
    tell(told, ev.TaskRan(1, TASK, report()))

    assert one(tell(told, launch("j1/s1/t2#1")), ac.RunTask).engine_id == 1


def _reading(executor_id: str, partitions: tuple[Partition, ...] = (Partition(0, 1, 8),)) -> Agent:
    place = OutputLocation("j1/s0/t1#1", executor_id, "h:1", partitions)
    inputs = (InputDefinition(ExchangeKind.BROADCAST, (place,)),)
    return agent(stage=replace(STAGE, inputs=inputs))


def test_input_of_another_executor_is_to_be_fetched() -> None:
    """An output that lies elsewhere is named with its address."""
    run = one(tell(_reading("e2"), launch()), ac.RunTask)

    (remote,) = run.request.inputs[0].outputs
    assert remote == RemoteInput("j1/s0/t1#1", "e2", "h:1", (Partition(0, 1, 8),))


def test_input_that_should_lie_here_and_does_not_is_lost() -> None:
    """A missing local output names the attempt that has to be run again."""
    failed = one(tell(_reading("e1"), launch()), ac.TellTaskFailed)

    assert failed.failure.code == "INPUT_LOST"
    assert failed.failure.lost_task_id == "j1/s0/t1#1"


def test_empty_output_need_not_be_here() -> None:
    """An output without rows is not asked for."""
    run = one(tell(_reading("e1", ()), launch()), ac.RunTask)

    assert run.request.inputs[0].outputs == ()


def test_copy_of_a_broadcast_output_serves_later_tasks() -> None:
    """A broadcast output is fetched once an executor, not once a task."""
    told = _reading("e2")
    tell(told, launch())
    copy = StoredFile("copy", 10, in_memory=True, blocks={})
    tell(told, ev.TaskRan(1, TASK, replace(report(), copies={"j1/s0/t1#1": copy})))
    run = one(tell(told, launch("j1/s1/t2#1")), ac.RunTask)

    assert run.request.inputs[0].outputs == (LocalInput("j1/s0/t1#1", copy),)
    assert told.find_output("j1", "j1/s0/t1#1") is None, "a copy is not served to others"


def test_release_of_a_job_removes_its_folder_after_its_last_attempt() -> None:
    """No file is removed under an engine that still writes."""
    told = agent()
    folder = one(tell(told, launch()), ac.RunTask).request.grant.folder
    stop = tell(told, ev.JobReleased("j1"))
    gone = tell(told, ev.EngineDied(1, DIED))

    assert kinds(stop) == ["StopEngine", "StartEngine"]
    assert kinds(gone) == ["RemoveFolder", "TellTaskFailed", "RemoveFolder"]
    assert folder.startswith(f"{gone[2].folder}/")  # type: ignore[attr-defined]
    assert kinds(tell(told, ev.JobReleased("j1"))) == ["Ignore"]


def test_reconnecting_to_the_same_scheduler_goes_on() -> None:
    """A broken stream costs nothing: attempts run on, and what ended is told on the next one."""
    told = agent()
    tell(told, launch())
    done = one(tell(told, ev.TaskRan(1, TASK, report())), ac.TellTaskFinished)
    tell(told, launch("j1/s1/t2#1"))
    lost = tell(told, ev.SchedulerLost())
    holdings = told.holdings()
    again = tell(told, ev.Registered("c1", ()))

    assert kinds(lost) == ["Ignore"]
    assert holdings.running_task_ids == ("j1/s1/t2#1",)
    assert holdings.finished_task_ids == (TASK,)
    assert holdings.job_ids == ("j1",)
    assert one(again, ac.TellTaskFinished).report == done.report
    assert told.find_output("j1", TASK)


def test_settled_stage_is_not_told_again() -> None:
    """Its outputs stay; the reports of the job's other stages are still kept."""
    told = agent()
    tell(told, launch())
    tell(told, ev.TaskRan(1, TASK, report()))
    tell(told, ev.StageSettled("j1", 2))
    assert told.holdings().finished_task_ids == (TASK,)
    tell(told, ev.StageSettled("j1", 1))
    assert told.holdings().finished_task_ids == ()
    assert kinds(tell(told, ev.Registered("c1", ()))) == []
    assert told.find_output("j1", TASK)


def test_failure_is_told_once_more() -> None:
    """Whether it was heard on the broken stream is not known; after that it was."""
    told = agent()
    tell(told, launch())
    tell(told, ev.SchedulerLost())
    tell(told, ev.TaskBroke(1, TASK, DIED))
    assert kinds(tell(told, ev.Registered("c1", ()))) == ["TellTaskFailed"]
    assert kinds(tell(told, ev.Registered("c1", ()))) == []


def test_uploads_are_told_again() -> None:
    """A scheduler that was started anew learns of uploads that it knew only by their place."""
    told = agent()
    tell(told, ev.UploadBegan("u1"))
    tell(told, ev.UploadBegan("u2"))
    tell(told, ev.UploadArrived("u1", report(size=10).output))
    assert told.holdings().upload_ids == ("u1",)
    assert one(tell(told, ev.Registered("c1", ())), ac.TellUploadStored).upload_id == "u1"


def test_another_scheduler_begins_with_an_empty_executor() -> None:
    """What another life of the scheduler left behind is removed."""
    told = agent()
    tell(told, launch())
    tell(told, ev.TaskRan(1, TASK, report(size=100)))
    tell(told, ev.UploadBegan("u1"))
    tell(told, ev.UploadArrived("u1", report(size=10).output))
    tell(told, ev.SchedulerLost())
    actions = tell(told, ev.Registered("c2", ()))

    assert kinds(actions) == ["RemoveFolder", "RemoveFolder"]
    assert told.shelf.used_bytes == 0
    assert told.find_upload("u1") is None


def test_drain_waits_for_running_attempts() -> None:
    """A draining executor takes nothing new, and leaves when nobody reads what it made any more."""
    told = agent(slots=2, engines=2)
    tell(told, launch())
    wanted = tell(told, ev.DrainWanted("SIGTERM"))
    refused = one(tell(told, launch("j1/s1/t2#1")), ac.TellTaskFailed)
    done = tell(told, ev.TaskRan(1, TASK, report()))

    assert kinds(wanted) == ["TellDrainRequested"]
    assert refused.failure.code == "EXECUTOR_LOST"
    assert refused.failure.retryable
    assert kinds(done) == ["TellTaskFinished"]
    assert kinds(tell(told, ev.JobReleased("j1"))) == ["RemoveFolder", "Leave"]


def test_idle_executor_leaves_at_once_when_told_to() -> None:
    """Nothing runs, so nothing is waited for."""
    assert kinds(tell(agent(), ev.DrainOrdered())) == ["Leave"]


def test_launch_of_a_job_that_is_being_removed_fails_until_it_is_gone() -> None:
    """Schedulers without durable state use names again, and each launch is answered."""
    told = agent(slots=2, engines=2)
    tell(told, launch())
    tell(told, ev.Registered("c2", ()))
    tell(told, ev.StageDefined(STAGE))
    refused = one(tell(told, launch()), ac.TellTaskFailed)
    assert refused.failure.code == "OVERLOADED"
    assert "RemoveFolder" in kinds(tell(told, ev.EngineDied(1, DIED)))
    assert one(tell(told, launch()), ac.RunTask).request.task_id == TASK


def test_executor_that_leaves_says_so_on_each_stream() -> None:
    """Its word may have been lost with the stream, or was another scheduler's."""
    told = agent()
    tell(told, launch())
    tell(told, ev.SchedulerLost())
    tell(told, ev.DrainWanted("SIGTERM"))
    again = tell(told, ev.Registered("c1", ()))
    assert one(again, ac.TellDrainRequested).reason == "SIGTERM"


def test_files_in_memory_leave_less_for_later_tasks() -> None:
    """The budget of the memory-backed folder is dealt out to free slots."""
    told = agent(slots=2, engines=2)
    first = one(tell(told, launch()), ac.RunTask).request.grant.memory_bytes
    tell(told, ev.TaskRan(1, TASK, report(size=3_000)))
    second = one(tell(told, launch("j1/s1/t2#1")), ac.RunTask).request.grant.memory_bytes
    third = one(tell(told, launch("j1/s1/t3#1")), ac.RunTask).request.grant.memory_bytes

    assert (first, second, third) == (4_000, 2_500, 2_500)


def test_upload_is_stored_once() -> None:
    """A ticket for an upload does not write over what it stored."""
    told = agent()
    begun = tell(told, ev.UploadBegan("u1"))
    arrived = tell(told, ev.UploadArrived("u1", report(size=5).output))

    assert one(begun, ac.ReceiveUpload).grant.memory_bytes == 4_000
    assert one(arrived, ac.TellUploadStored).partition_count == 1
    assert kinds(tell(told, ev.UploadBegan("u1"))) == ["RefuseUpload"]
    assert kinds(tell(told, ev.UploadReleased("u1"))) == ["RemoveFolder"]


def test_upload_released_while_it_arrives_goes_when_its_writer_ends() -> None:
    """An upload that nobody wants any more is not told as stored."""
    told = agent()
    tell(told, ev.UploadBegan("u1"))

    assert kinds(tell(told, ev.UploadReleased("u1"))) == []
    assert kinds(tell(told, ev.UploadArrived("u1", report().output))) == ["RemoveFolder"]


def test_executor_that_leaves_sends_its_uploads_on_first() -> None:
    """It is asked where to, sends each once at a time, and leaves when the last is released."""
    told = agent()
    tell(told, ev.UploadBegan("u1"))
    tell(told, ev.UploadArrived("u1", report(size=5).output))
    assert kinds(tell(told, ev.DrainWanted("SIGTERM"))) == ["TellDrainRequested"]

    ordered = ev.HandOverOrdered("u1", "e2:1")
    sent = one(tell(told, ordered), ac.SendUpload)
    assert (sent.address, sent.file) == ("e2:1", told.find_upload("u1"))
    assert kinds(tell(told, ordered)) == ["Ignore"]
    assert kinds(tell(told, ev.HandOverEnded("u1"))) == []
    assert kinds(tell(told, ordered)) == ["SendUpload"]
    assert kinds(tell(told, ev.UploadReleased("u1"))) == ["RemoveFolder", "Leave"]
    assert kinds(tell(told, ordered)) == ["Ignore"]


def _with_upload(executor_id: str) -> Agent:
    upload = UploadLocation("u1", executor_id, "h:1", 10, 2)
    return agent(stage=replace(STAGE, uploads=(upload,)))


def test_upload_elsewhere_is_to_be_fetched() -> None:
    """A stage may read an upload that lies on another executor."""
    run = one(tell(_with_upload("e2"), launch()), ac.RunTask)

    assert run.request.uploads == {"u1": RemoteUpload("u1", "h:1", 2, 10)}


def test_upload_that_should_lie_here_and_does_not_is_lost() -> None:
    """Rows that only the client has cannot be made again by the cluster."""
    failed = one(tell(_with_upload("e1"), launch()), ac.TellTaskFailed)

    assert failed.failure.code == "INPUT_LOST"
    assert not failed.failure.retryable


def test_impossible_report_tells_the_story() -> None:
    """An engine that reports another attempt than its own contradicts the core."""
    told = agent(slots=2, engines=2)
    tell(told, launch())
    tell(told, launch("j1/s1/t2#1"))

    with pytest.raises(ImpossibleTransitionError, match="TaskLaunched job_id=j1 task_id=j1/s1/t2"):
        tell(told, ev.TaskRan(1, "j1/s1/t2#1", report()))
