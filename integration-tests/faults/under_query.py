"""Runs a query, has something broken meanwhile, and says what came of both.

A scenario returns None if its fault came too late, after the query's end; then one more is drawn.
"""

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field

import springald
from cluster.waiting import Stopwatch, wait_until
from faults.bench import GUARD_S, Bench, read_in_time
from faults.outcomes import Outcome
from springald.cluster_process import ClusterProcess, ExecutorProcess
from springald.errors import JobNotFoundError, SpringaldError

Scenario = Callable[[Bench], Outcome | None]


def tries_beyond_the_first(after: springald.JobStatistics) -> int:
    """Counts them over all tasks."""
    numbers = [
        int(found[1]) for task in after.tasks if (found := re.search(r"#(\d+)$", task.task_id))
    ]
    return sum(max(0, each - 1) for each in numbers)


def other_tries_than(before: springald.JobStatistics) -> Callable[[springald.JobStatistics], int]:
    """Counts tasks that had finished and have another attempt now."""
    finished = {_task(each.task_id): each.task_id for each in finished_tasks(before)}

    def count(after: springald.JobStatistics) -> int:
        now = {_task(each.task_id): each.task_id for each in after.tasks}
        return sum(now.get(task, attempt) != attempt for task, attempt in finished.items())

    return count


def finished_tasks(statistics: springald.JobStatistics) -> list[springald.TaskStatistics]:
    """Returns the tasks that have finished."""
    return [each for each in statistics.tasks if each.state == "finished"]


def _task(attempt: str) -> str:
    return attempt.partition("#")[0]


@dataclass(frozen=True)
class Struck:
    """A fault that has fired.

    Attributes:
        in_time: Whether the query still ran.
        lost: Tasks whose work it took, or might have.
        figures: What was measured.
        again: Counts the tasks that were run again.
        verify: Called when the job has ended; raises AssertionError.
    """

    in_time: bool
    lost: int = 0
    figures: Mapping[str, float] = field(default_factory=dict)
    again: Callable[[springald.JobStatistics], int] = tries_beyond_the_first
    verify: Callable[[springald.JobStatistics], None] = lambda _: None


Fault = Callable[[Bench, springald.Job, float], Struck]


def under_query(fault: Fault, guard_s: float = GUARD_S) -> Scenario:
    """Makes a scenario of what breaks something while a query runs.

    The query may fail with an error, which is counted; it must not hang, nor be wrong.
    """

    def run(bench: Bench) -> Outcome | None:
        sql = bench.draw_query()
        base_s = bench.base_s(sql)
        watch = Stopwatch()
        job = bench.con.sql(sql).execute()
        struck = fault(bench, job, base_s)
        finished = True
        figures = dict(struck.figures)
        try:
            bench.check(sql, read_in_time(job, guard_s))
        except SpringaldError as error:
            finished = False
            bench.last_error = f"{error} ({job!r})"
        took_s = watch.elapsed_s
        statistics = statistics_of(job)
        if not struck.in_time or statistics is None:
            return None
        struck.verify(statistics)
        again = struck.again(statistics)
        return Outcome(base_s, took_s, again, struck.lost, finished, figures)

    return run


def statistics_of(job: springald.Job) -> springald.JobStatistics | None:
    """Returns what is known of a job whose rows were read, or nothing.

    Then it is released, and a scheduler that leads since knows nothing of it.
    """
    with suppress(JobNotFoundError):
        return job.statistics()
    return None


def wait_moment(bench: Bench, job: springald.Job, base_s: float) -> bool:
    """Waits for a moment of the query; returns False if it was over before."""
    job.wait(bench.rng.uniform(0, base_s))
    return not job.status.is_final


def kill(process: ClusterProcess) -> None:
    """Ends a process on the spot."""
    process.kill()
    wait_until(lambda: not process.is_alive, "the process is dead")


def draw_executor(bench: Bench) -> ExecutorProcess:
    """Returns an executor that runs."""
    return bench.rng.choice(bench.fleet.alive)
