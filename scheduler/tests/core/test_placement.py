"""Jobs take turns, free slots draw tasks, and nobody starves."""

from core_bench import Bench

from springald_scheduler.core.events import JobCancelRequested, SessionClosed


def test_tasks_spread_over_the_roomiest_executors(bench: Bench) -> None:
    """Without inputs, most free slots decide, then who registered first."""
    bench.handle(bench.executor("e1", 1), bench.executor("e2", 2), bench.executor("e3", 2))
    bench.run(bench.stage(partitions=5))
    placed = [task.executor_id for task in bench.job().stages[1].tasks]
    assert placed == ["e2", "e3", "e1", "e2", "e3"]


def test_jobs_take_turns(bench: Bench) -> None:
    """A small job behind a large one is served at the next free slots."""
    bench.handle(bench.executor("e1", 2))
    bench.run(bench.stage(partitions=100), operation_id="large")
    bench.run(bench.stage(partitions=1), operation_id="small")
    actions = bench.handle(bench.finished("j1/s1/t1#1"), bench.finished("j1/s1/t2#1"))
    assert "j2/s1/t1#1@e1" in bench.launched(actions)


def test_task_that_needs_many_slots_does_not_starve(bench: Bench) -> None:
    """Slots are saved up for a large task while smaller ones come and go."""
    bench.handle(bench.executor("e1", 2), bench.executor("e2", 2))
    for number in range(1, 7):
        bench.run(bench.stage(partitions=1), operation_id=f"small{number}")
    bench.run(bench.stage(partitions=2, whole=True), operation_id="large")
    assert bench.job("j7").waiting_reason == "all 4 slots are taken by other jobs"
    executors = bench.core.world.executors.values()
    for number in range(12):
        bench.run(bench.stage(partitions=1), operation_id=f"more{number}")
        attempts = [attempt for each in executors for attempt in each.running.values()]
        oldest = min(attempts, key=lambda attempt: int(attempt.job_id[1:]))
        actions = bench.handle(bench.finished(oldest.attempt_id, oldest.executor_id))
        if any(each.startswith("j7/") for each in bench.launched(actions)):
            break
    assert bench.job("j7").stages[1].tasks[0].attempt == 1
    assert bench.job("j7").waiting_reason == ""


def test_reservation_ends_with_its_job(bench: Bench) -> None:
    """Slots that were saved for a job that is cancelled serve the others at once."""
    bench.handle(bench.executor("e1", 2))
    bench.run(bench.stage(partitions=1), operation_id="running")
    bench.run(bench.stage(partitions=2, whole=True), operation_id="large")
    bench.run(bench.stage(partitions=1), operation_id="small")
    assert bench.core.world.pool.reservation is not None
    actions = bench.handle(JobCancelRequested("s", "large", ""))
    assert bench.launched(actions) == ["j3/s1/t1#1@e1"]


def test_task_larger_than_all_executors_left_makes_do(bench: Bench) -> None:
    """A task that was made for an executor that left runs with the slots that there are."""
    bench.handle(bench.executor("e1", 1), bench.executor("e2", 4))
    bench.run(bench.stage(partitions=1), operation_id="o1")
    bench.run(bench.stage(partitions=4, whole=True), operation_id="o2")
    assert bench.job("j1").stages[1].tasks[0].executor_id == "e2"
    assert bench.core.world.pool.reservation is not None
    lost = bench.executor("e2", 4, incarnation="b")
    bench.handle(lost)
    assert bench.job("j1").stages[1].tasks[0].executor_id == "e1"
    assert bench.job("j2").stages[1].tasks[0].executor_id == "e2"


def test_everything_is_free_after_the_session_closed_and_tasks_ended(bench: Bench) -> None:
    """Slots are conserved: what was taken comes back exactly once."""
    bench.handle(bench.executor("e1", 3))
    bench.run(bench.stage(partitions=9))
    bench.handle(SessionClosed("s"))
    executor = bench.core.world.executors["e1"]
    assert executor.free == 0
    for attempt_id in list(executor.running):
        bench.handle(bench.finished(attempt_id))
    assert (executor.free, executor.file_job_ids) == (3, {})
