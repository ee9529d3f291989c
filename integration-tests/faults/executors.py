"""Executors and their engine processes: killed, paused, drained, and their files."""

import re
import signal
from pathlib import Path

import psutil
import pyarrow as pa

import springald
from cluster.footprint import children_running, lives
from cluster.waiting import Stopwatch, wait_until
from faults.bench import GUARD_S, SHUFFLING, Bench, read_in_time
from faults.outcomes import HungError, Outcome
from faults.under_query import (
    Struck,
    draw_executor,
    finished_tasks,
    kill,
    other_tries_than,
    under_query,
    wait_moment,
)
from springald.cluster_process import ExecutorProcess
from springald.errors import NoExecutorError, OutOfMemoryError, SpringaldError

LOST_S = 2.0
"""How long an executor may be silent here."""

STILL_S = LOST_S / 2
"""How long an executor stands still that is not to be lost."""

NO_EXECUTOR_S = 4.0
"""How long a job waits while there is no executor, where none returns."""

BIG = "SELECT l_orderkey, l_partkey, l_comment FROM lineitem WHERE l_quantity > 48"
"""A query whose result lies on all executors, and is read in place."""

_REFUSED = "report of an attempt that does not run there"
"""What the scheduler's log says of a report that comes too late."""

_HOG = (
    "SELECT sum(length(repeat(cast(value AS varchar), 25000))) FROM generate_series(1, 100000000)"
)
"""A query whose one task takes a gigabyte for each batch, and the engine does not count it."""


def on_executor(statistics: springald.JobStatistics, executor: ExecutorProcess) -> int:
    """Counts the tasks that an executor runs, or whose outputs it has."""
    states = ("running", "finished")
    mine = (t for t in statistics.tasks if t.executor_id == executor.executor_id)
    return sum(task.state in states for task in mine)


def killed(bench: Bench, job: springald.Job, base_s: float) -> Struck:
    """Kills an executor at any moment."""
    victim = draw_executor(bench)
    in_time = wait_moment(bench, job, base_s)
    lost = on_executor(job.statistics(), victim)
    kill(victim)
    return Struck(in_time, lost)


def _stopped_with_outputs(
    bench: Bench, job: springald.Job
) -> tuple[ExecutorProcess, springald.JobStatistics] | None:
    """Pauses an executor that has finished outputs, and counts these when they are all told of."""
    wait_until(lambda: job.progress.stages_finished or job.status.is_final, "an output is there")
    holders = {each.executor_id for each in finished_tasks(job.statistics())}
    victims = [each for each in bench.fleet.alive if each.executor_id in holders]
    if not victims or job.status.is_final:
        return None
    victim = bench.rng.choice(victims)
    psutil.Process(victim.pid).suspend()
    return victim, _settled(job, victim)


def _settled(job: springald.Job, victim: ExecutorProcess) -> springald.JobStatistics:
    """Returns the figures when word of the last output of a paused executor has arrived."""

    def tasks(told: springald.JobStatistics) -> set[tuple[str, str]]:
        mine = (each for each in told.tasks if each.executor_id == victim.executor_id)
        return {(each.task_id, each.state) for each in mine}

    last, now = job.statistics(), job.statistics()
    while tasks(last) != tasks(now):
        last, now = now, job.statistics()
    return now


def _of(victim: ExecutorProcess, before: springald.JobStatistics) -> int:
    return sum(task.executor_id == victim.executor_id for task in finished_tasks(before))


def killed_and_found_by_fetch(bench: Bench, job: springald.Job, _: float) -> Struck:
    """Kills an executor that has outputs, so that its connection does not tell of it.

    Whoever reads the outputs tells first, unless the scheduler has missed heartbeats before.
    """
    relay = bench.fleet.relay
    assert relay is not None
    found = _stopped_with_outputs(bench, job)
    if found is None:
        return Struck(in_time=False)
    victim, before = found
    relay.hold()
    in_time = not job.status.is_final
    kill(victim)
    again = other_tries_than(before)

    def is_found() -> str:
        if again(job.statistics()) or _of(victim, before) > _of(victim, job.statistics()):
            return "fetch"
        listed = {each.id for each in bench.con.executors()}
        return "heartbeat" if victim.executor_id not in listed else ""

    how = wait_until(lambda: (job.status.is_final and "end") or is_found(), "the loss is found")
    figures = {"found by fetch": float(how == "fetch")}
    return Struck(in_time and how == "fetch", _of(victim, before), figures, again)


def killed_and_found_by_heartbeat(bench: Bench, job: springald.Job, _: float) -> Struck:
    """Has an executor that has outputs fall silent for ever."""
    found = _stopped_with_outputs(bench, job)
    if found is None:
        return Struck(in_time=False)
    victim, before = found
    in_time = not job.status.is_final
    try:
        _wait_lost(bench, victim)
    finally:
        kill(victim)
    return Struck(in_time, _of(victim, before), again=other_tries_than(before))


def _wait_lost(bench: Bench, victim: ExecutorProcess) -> None:
    wait_until(
        lambda: victim.executor_id not in {each.id for each in bench.con.executors()},
        "the silent executor is lost",
    )


def engine_killed(bench: Bench, job: springald.Job, base_s: float) -> Struck:
    """Kills the engine process of a task."""
    in_time = wait_moment(bench, job, base_s)
    before = job.statistics()
    running = {t.executor_id for t in before.tasks if t.state == "running"}
    busy = [each for each in bench.fleet.alive if each.executor_id in running]
    if not busy or not in_time:
        return Struck(in_time=False)
    victim = bench.rng.choice(busy)
    engines = children_running(psutil.Process(victim.pid), "engine_process")
    for engine in engines:
        engine.kill()
    wait_until(lambda: not any(map(lives, engines)), "the engines are dead")

    def verify(after: springald.JobStatistics) -> None:
        assert not other_tries_than(before)(after), "no finished task runs again"
        assert victim.is_alive, "the executor lives on"

    return Struck(bool(engines), lost=1, verify=verify)


def engine_overruns(bench: Bench) -> Outcome | None:
    """Has a task outgrow its memory; queries beside it notice nothing."""
    sql = bench.draw_query()
    base_s = bench.base_s(sql)
    settings = {**SHUFFLING, "datafusion.execution.target_partitions": "1"}
    with bench.fleet.connect(**settings) as con:
        hog = con.sql(_HOG).execute()
        slowest_s = again = 0.0
        watch = Stopwatch()
        while not hog.status.is_final:
            if watch.elapsed_s > GUARD_S:
                raise HungError(f"a task that outgrows its memory is stopped: got {hog!r}")
            one = Stopwatch()
            job = bench.con.sql(sql).execute()
            bench.check(sql, read_in_time(job))
            slowest_s = max(slowest_s, one.elapsed_s)
            statistics = job.statistics()
            again += sum(not each.task_id.endswith("#1") for each in statistics.tasks)
        error = hog.error
        assert isinstance(error, OutOfMemoryError), f"it fails for memory: got {error!r}"
        assert error.executor_id in {each.executor_id for each in bench.fleet.alive}
        assert not again, f"no other task runs again: got {again:g}"
        tries = max(int(each.task_id.partition("#")[2]) for each in hog.statistics().tasks)
    return Outcome(base_s, slowest_s, tries - 1, 1)


def engine_killed_or_overruns(bench: Bench) -> Outcome | None:
    """One or the other."""
    return bench.rng.choice([under_query(engine_killed), engine_overruns])(bench)


def paused(bench: Bench, job: springald.Job, base_s: float) -> Struck:
    """Stops an executor at work until it is lost, and lets it go on while the query runs."""
    in_time = wait_moment(bench, job, base_s)
    running = {t.executor_id: t.task_id for t in job.statistics().tasks if t.state == "running"}
    busy = [each for each in bench.fleet.alive if each.executor_id in running]
    if not busy or not in_time:
        return Struck(in_time=False)
    victim = bench.rng.choice(busy)
    process = psutil.Process(victim.pid)
    process.send_signal(signal.SIGSTOP)
    try:
        statistics = _settled(job, victim)
        lost = on_executor(statistics, victim)
        late = {
            t.task_id
            for t in statistics.tasks
            if t.executor_id == victim.executor_id and t.state == "running"
        }
        _wait_lost(bench, victim)
    finally:
        logged = len(bench.fleet.logs())
        process.send_signal(signal.SIGCONT)
    pid = victim.pid
    wait_until(lambda: pid in {each.pid for each in bench.con.executors()}, "it is taken back")

    def verify(after: springald.JobStatistics) -> None:
        accepted = {each.task_id for each in after.tasks} & late
        assert not accepted, f"nothing late is accepted: got {accepted}"

    def refused() -> int:
        return bench.fleet.logs()[logged:].count(_REFUSED)

    if late:
        wait_until(refused, "a late report is refused")
    figures = {"late reports refused": float(refused())}
    return Struck(bool(late), lost, figures, verify=verify)


def drained(bench: Bench, job: springald.Job, base_s: float) -> Struck:
    """Asks an executor to leave."""
    in_time = wait_moment(bench, job, base_s)
    victim = draw_executor(bench)
    victim.terminate()
    read_in_time(job)  # it stays for readers until then
    wait_until(lambda: not victim.is_alive, "the executor has left", GUARD_S)
    return Struck(in_time)


def bit_flipped(bench: Bench, job: springald.Job, _: float) -> Struck:
    """Flips a bit of an output that nobody has begun to read: its stage waits for another task.

    For that an executor stands still, for less time than it may be silent.
    """
    still = psutil.Process(draw_executor(bench).pid)
    still.send_signal(signal.SIGSTOP)
    try:
        files = _outputs_in_waiting(bench, job)
        if not files:
            return Struck(in_time=False)
        path = bench.rng.choice(files)
        flipped = flip_bit(bench, path)
        before = job.statistics()
        unread = flipped and _is_unread(path, before)
    finally:
        still.send_signal(signal.SIGCONT)

    def verify(after: springald.JobStatistics) -> None:
        tries = [each for each in after.tasks if not each.task_id.endswith("#1")]
        assert tries, f"a flipped bit is found: got no task run again for {path}; {before}; {after}"

    return Struck(unread, lost=1, verify=verify)


_OUTPUT = re.compile(r"/(?P<job>j\d+)-\d+/s(?P<stage>\d+)-t\d+-\d+-\d+/output\.arrow$")


def _stage_of(path: Path, job_id: str) -> int:
    """Returns the number of the stage that made a file; 0 for a file of another job."""
    found = _OUTPUT.search(str(path))
    return int(found["stage"]) if found and found["job"] == job_id else 0


def _is_unread(path: Path, statistics: springald.JobStatistics) -> bool:
    """Says whether the stage that made a file still runs: its readers begin after its end."""
    number = _stage_of(path, statistics.job_id)
    stage = next(each for each in statistics.stages if each.stage_id == number)
    return stage.tasks_finished < stage.tasks


def _outputs_in_waiting(bench: Bench, job: springald.Job) -> list[Path]:
    """Returns files of stages that are not finished, or nothing if none comes in time."""
    watch = Stopwatch()

    def found() -> list[Path]:
        statistics = job.statistics()
        files = sorted(each for each in bench.footprint.rows_files() if _stage_of(each, job.id))
        return [each for each in files if _is_unread(each, statistics) and _has_rows(each)]

    wait_until(
        lambda: found() or job.status.is_final or watch.elapsed_s > STILL_S,
        "an output is there whose stage goes on",
    )
    return found()


def _has_rows(path: Path) -> bool:
    """Says whether a file is finished and has blocks: of one without, nobody reads anything."""
    try:
        with pa.ipc.open_file(str(path)) as file:
            return bool(file.num_record_batches)
    except (OSError, pa.ArrowInvalid):
        return False


def flip_bit(bench: Bench, path: Path) -> bool:
    """Flips a bit in the first half of a file; returns False if it is gone."""
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


def all_killed_one_returns(bench: Bench, job: springald.Job, base_s: float) -> Struck:
    """Kills every executor, and starts one within the grace."""
    in_time = wait_moment(bench, job, base_s)
    statistics = job.statistics()
    lost = sum(on_executor(statistics, each) for each in bench.fleet.alive)
    for executor in bench.fleet.alive:
        kill(executor)
    bench.fleet.add_executor()
    return Struck(in_time, lost)


def all_killed_none_returns(bench: Bench) -> Outcome | None:
    """Kills every executor; the query fails, and says why, when the grace is over."""
    sql = bench.draw_query()
    base_s = bench.base_s(sql)
    job = bench.con.sql(sql).execute()
    if not wait_moment(bench, job, base_s):
        return None
    for executor in bench.fleet.alive:
        kill(executor)
    watch = Stopwatch()
    try:
        read_in_time(job)
    except NoExecutorError:
        figures = {"error after, s": watch.elapsed_s}
        return Outcome(0, watch.elapsed_s, finished=True, figures=figures)
    except SpringaldError as error:
        raise AssertionError(f"the error is that there is no executor: got {error!r}") from error
    return None  # its rows had come before


def result_lost(bench: Bench) -> Outcome | None:
    """Kills an executor that holds a part of a result before its client reads it."""
    base_s = bench.base_s(BIG)
    watch = Stopwatch()
    job = bench.con.sql(BIG).execute()
    assert job.wait(GUARD_S) is springald.JobStatus.SUCCEEDED, job.error
    statistics = job.statistics()
    last = max(task.stage_id for task in statistics.tasks)
    holders = {t.executor_id for t in statistics.tasks if t.stage_id == last}
    victim = bench.rng.choice([e for e in bench.fleet.alive if e.executor_id in holders])
    lost = _of(victim, statistics)
    kill(victim)
    bench.check(BIG, read_in_time(job))
    took_s = watch.elapsed_s
    return Outcome(base_s, took_s, other_tries_than(statistics)(job.statistics()), lost)
