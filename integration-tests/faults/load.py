"""Many queries: from many clients at once, and one after another for long."""

import shutil
import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psutil

from cluster.tables import SUMS, sums
from cluster.waiting import Stopwatch
from faults.bench import GUARD_S, Bench, read_in_time
from faults.fleet import run_beside, tell
from faults.outcomes import HungError, Outcome, WrongError

CLIENTS = 20
QUERIES_OF_EACH = 10
QUERIES_IN_A_ROW = 2_000
_LOOK_EVERY = 100
GROWTH_PERCENT_MAX = 5.0
_HELD = ("memory, MiB", "descriptors", "threads", "files", "state rows")
_IN_FLIGHT = {"state rows": 10, "files": 10}
"""What the last few jobs have that are not released yet; there may be little else."""
SHOWN = tuple(text for name in _HELD for text in (f"growth of {name}, %", f"{name} in the end"))


def many_clients(bench: Bench) -> Outcome:
    """Has client processes run queries all at once; each knows its own answers."""
    watch = Stopwatch()
    numbers = str(bench.numbers)
    seed = bench.rng.randrange(1 << 30)
    clients = [
        run_beside(
            "faults.small_client",
            [bench.fleet.url, numbers, str(number), str(QUERIES_OF_EACH), str(seed)],
        )
        for number in range(CLIENTS)
    ]
    queued = 0
    try:
        for each in clients:
            tell(each, "begin")
        while any(each.poll() is None for each in clients):
            if watch.elapsed_s > GUARD_S:
                raise HungError(f"{CLIENTS} clients are served within {GUARD_S:g} s")
            open_now = [
                each for each in bench.con.jobs(all_sessions=True) if not each.status.is_final
            ]
            queued = max(queued, len(open_now))
    finally:
        for each in clients:
            each.kill()
    answered = 0
    for number, each in enumerate(clients):
        said, _ = each.communicate()
        if each.returncode != 0:
            raise WrongError(f"client {number} is answered right: it said {said}")
        answered += int(said.split()[-1])
    wanted = CLIENTS * QUERIES_OF_EACH
    assert answered == wanted, f"no query is lost: got {answered} of {wanted}"
    assert queued <= wanted, f"the queue is bounded: got {queued}"
    left = [each for each in bench.con.jobs(all_sessions=True) if not each.status.is_final]
    assert not left, f"nothing is left in the queue: got {left}"
    figures = {"queue at most": float(queued), "queries": float(answered)}
    return Outcome(0, watch.elapsed_s, figures=figures)


def one_after_another(bench: Bench) -> Outcome:
    """Runs small queries for long; what processes hold does not grow in the second half."""
    watch = Stopwatch()
    seen: list[dict[str, float]] = []
    for number in range(1, QUERIES_IN_A_ROW + 1):
        _one(bench, number)
        if number % _LOOK_EVERY == 0:
            seen.append(_held(bench))
    half = len(seen) // 2
    figures = {}
    for name in seen[0]:
        # The upper end of each half's later part: what it has grown to.
        first = max(each[name] for each in seen[half // 2 : half])
        second = max(each[name] for each in seen[half + half // 2 :])
        grown = second - first - _IN_FLIGHT.get(name, 0)
        figures[f"growth of {name}, %"] = max(0.0, 100 * grown / first) if first else 0.0
        figures[f"{name} in the end"] = seen[-1][name]
    return Outcome(0, watch.elapsed_s, figures=figures)


def _one(bench: Bench, number: int) -> None:
    if number % 2:
        got = read_in_time(bench.con.sql(SUMS).execute()).to_pydict()
        want = sums()
    else:
        sql = f"SELECT id FROM numbers WHERE id = {number}"
        got, want = read_in_time(bench.con.sql(sql).execute()).to_pydict(), {"id": [number]}
    if got != want:
        raise WrongError(f"query {number} is answered right: got {got}")


def _held(bench: Bench) -> dict[str, float]:
    processes = list(_processes(bench))
    held = dict.fromkeys(_HELD, 0.0)
    for each in processes:
        with suppress(psutil.Error):
            with each.oneshot():
                held["memory, MiB"] += each.memory_info().rss / 2**20
                held["threads"] += each.num_threads()
            held["descriptors"] += each.num_fds()
    held["files"] = float(len(bench.footprint.files()))
    held["state rows"] = _state_rows(bench)
    return held


def _processes(bench: Bench) -> Iterator[psutil.Process]:
    for each in (*bench.fleet.schedulers.values(), *bench.fleet.alive):
        process = psutil.Process(each.pid)
        yield process
        yield from process.children(recursive=True)


def _state_rows(bench: Bench) -> float:
    """Counts them in a copy: a scheduler lets nobody else into its file."""
    state = Path(bench.fleet.shape.state.removeprefix("sqlite:"))
    rows = 0
    with tempfile.TemporaryDirectory(prefix="faults-state-") as folder:
        for each in state.parent.glob(f"{state.name}*"):
            shutil.copy(each, folder)
        copied = sqlite3.connect(Path(folder, state.name))
        try:
            names = copied.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
            for (name,) in names:
                rows += copied.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0]
        finally:
            copied.close()
    return float(rows)
