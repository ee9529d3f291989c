"""What is broken, and when: each scenario breaks one thing under one query.

A scenario returns None if its fault came too late, after the query's end; then one more is drawn.
"""

import signal
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import psutil
import pyarrow as pa

import springald
from cluster.footprint import children_running, lives
from cluster.waiting import Stopwatch, wait_until
from faults.bench import BIG, GUARD_S, Bench, attempts


@dataclass(frozen=True)
class Outcome:
    """One fault that fired, and what came of it; the rows were right.

    Attributes:
        base_s: How long the query takes without a fault.
        took_s: How long it took with it.
        tasks: How many tasks it had.
        repeated: How many attempts were made beyond one for each.
    """

    base_s: float
    took_s: float
    tasks: int
    repeated: int


Scenario = Callable[[Bench], Outcome | None]
Break = Callable[[Bench, springald.Job, float], bool]


def _under_query(fault: Break) -> Scenario:
    """Makes a scenario of what breaks something while a query runs, and says if it was in time."""

    def run(bench: Bench) -> Outcome | None:
        sql = bench.draw_query()
        base_s = bench.time_s(sql)
        watch = Stopwatch()
        job = bench.con.sql(sql).execute()
        in_time = fault(bench, job, base_s)
        assert job.wait(GUARD_S) is not springald.JobStatus.RUNNING, "nothing hangs"
        bench.check(sql, _read(job))
        took_s = watch.elapsed_s
        tasks, repeated = attempts(job)
        return Outcome(base_s, took_s, tasks, repeated) if in_time else None

    return run


def _read(job: springald.Job) -> pa.Table:
    return job.result()


def _at_random(bench: Bench, job: springald.Job, base_s: float) -> bool:
    """Waits for a moment of the query; returns False if it was over before."""
    job.wait(bench.rng.uniform(0, base_s))
    return not job.status.is_final


def _kill(executor: springald.ExecutorProcess) -> None:
    executor.kill()
    wait_until(lambda: not executor.is_alive, "the executor is dead")


def _executor_killed(bench: Bench, job: springald.Job, base_s: float) -> bool:
    victim = bench.rng.choice(bench.alive())
    in_time = _at_random(bench, job, base_s)
    _kill(victim)
    return in_time


def _executor_killed_after_map(bench: Bench, job: springald.Job, _: float) -> bool:
    wait_until(lambda: job.progress.stages_finished or job.status.is_final, "an output is there")
    holders = {t.executor_id for t in job.statistics().tasks if t.state == "finished"}
    victims = [each for each in bench.alive() if each.executor_id in holders]
    in_time = not job.status.is_final
    _kill(bench.rng.choice(victims or bench.alive()))
    return in_time


def _engine_killed(bench: Bench, job: springald.Job, base_s: float) -> bool:
    in_time = _at_random(bench, job, base_s)
    running = {t.executor_id for t in job.statistics().tasks if t.state == "running"}
    busy = [each for each in bench.alive() if each.executor_id in running]
    if not busy:
        return False
    victim = psutil.Process(bench.rng.choice(busy).pid)
    engines = children_running(victim, "engine_process")
    for engine in engines:
        engine.kill()
    wait_until(lambda: not any(map(lives, engines)), "the engines are dead")
    return in_time and bool(engines)


def _executor_stopped(bench: Bench, job: springald.Job, base_s: float) -> bool:
    """Stops an executor until it is taken for lost, and lets it go on while the query runs."""
    in_time = _at_random(bench, job, base_s)
    victim = bench.rng.choice(bench.alive())
    process = psutil.Process(victim.pid)
    process.send_signal(signal.SIGSTOP)
    try:
        wait_until(
            lambda: victim.executor_id not in {each.id for each in bench.con.executors()},
            "the silent executor is lost",
        )
    finally:
        process.send_signal(signal.SIGCONT)
    return in_time


def _executor_drained(bench: Bench, job: springald.Job, base_s: float) -> bool:
    in_time = _at_random(bench, job, base_s)
    victim = bench.rng.choice(bench.alive())
    victim.terminate()
    job.result()  # it stays for readers until then
    wait_until(lambda: not victim.is_alive, "the executor has left", GUARD_S)
    return in_time


def _bit_flipped(bench: Bench, job: springald.Job, _: float) -> bool:
    """Flips a bit of an output that is finished and, with luck, not read yet."""
    wait_until(lambda: job.progress.tasks_finished or job.status.is_final, "an output is there")
    files = [each for each in bench.footprint.rows_files() if each.name == "output.arrow"]
    if not files or job.status.is_final:
        return False
    return flip_bit(bench, bench.rng.choice(sorted(files))) and not job.status.is_final


def flip_bit(bench: Bench, path: Path) -> bool:
    """Flips a bit in the first half of a file; returns False if it is gone or has no rows."""
    try:
        size = path.stat().st_size
        with path.open("r+b") as file:
            file.seek(bench.rng.randrange(size // 2))
            byte = file.read(1)
            if not byte:
                return False
            file.seek(-1, 1)
            file.write(bytes([byte[0] ^ (1 << bench.rng.randrange(8))]))
    except (OSError, ValueError):
        return False
    return True


def _all_killed(bench: Bench, job: springald.Job, base_s: float) -> bool:
    """Kills every executor, and starts one within the grace."""
    in_time = _at_random(bench, job, base_s)
    for executor in bench.alive():
        _kill(executor)
    bench.cluster.add_executor()
    return in_time


def _result_lost(bench: Bench) -> Outcome | None:
    """Kills an executor that holds a part of a result before its client reads it."""
    base_s = bench.time_s(BIG)
    watch = Stopwatch()
    job = bench.con.sql(BIG).execute()
    assert job.wait(GUARD_S) is springald.JobStatus.SUCCEEDED, job.error
    last = max(task.stage_id for task in job.statistics().tasks)
    holders = {t.executor_id for t in job.statistics().tasks if t.stage_id == last}
    _kill(bench.rng.choice([each for each in bench.alive() if each.executor_id in holders]))
    bench.check(BIG, _read(job))
    return Outcome(base_s, watch.elapsed_s, 0, 0)


SCENARIOS: dict[str, Scenario] = {
    "executor killed": _under_query(_executor_killed),
    "executor killed after map output": _under_query(_executor_killed_after_map),
    "engine process killed": _under_query(_engine_killed),
    "executor stopped beyond its timeout": _under_query(_executor_stopped),
    "executor drained by SIGTERM": _under_query(_executor_drained),
    "bit flipped in a block": _under_query(_bit_flipped),
    "all executors killed, one returns": _under_query(_all_killed),
    "result lost before it is read": _result_lost,
}
