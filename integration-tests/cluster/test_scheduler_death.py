"""The scheduler is killed at any moment of a query: with its state, callers see only time.

That this holds at many moments, and where several schedulers share an etcd, is for `test_faults`.
"""

import random
import threading
from collections.abc import Iterator
from pathlib import Path
from queue import SimpleQueue

import pytest

import springald
from cluster.tables import SPREAD, SUMS, sums
from cluster.waiting import Stopwatch, wait_until
from springald.errors import SchedulerRestartedError

SEED = 20261121
ANSWER_S_MAX = 60.0
RESTARTED_S_MAX = 5.0


@pytest.fixture(scope="module")
def lasting(tmp_path_factory: pytest.TempPathFactory) -> Iterator[springald.LocalCluster]:
    """A cluster whose scheduler keeps its state in a file."""
    folder = tmp_path_factory.mktemp("lasting")
    with springald.LocalCluster(2, 1, work_dir=folder, state="sqlite") as started:
        yield started


def ask(con: springald.Connection, answers: "SimpleQueue[object]") -> threading.Thread:
    """Runs a query in a thread of its own, as its caller does, without a word about restarts."""

    def run() -> None:
        try:
            answers.put(con.sql(SUMS).to_arrow().to_pydict())
        except springald.SpringaldError as error:
            answers.put(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    return thread


@pytest.mark.timeout(300)
def test_query_outlives_its_scheduler(lasting: springald.LocalCluster, numbers: Path) -> None:
    """`to_arrow()` that was called before the crash returns the right rows after it.

    The session is the same one, with its tables and settings.
    """
    moments = random.Random(SEED)  # noqa: S311 - chooses moments
    with lasting.connect(**SPREAD) as con:
        con.register_parquet("numbers", numbers)
        watch = Stopwatch()
        assert con.sql(SUMS).to_arrow().to_pydict() == sums()
        usual_s = watch.elapsed_s
        answers: SimpleQueue[object] = SimpleQueue()
        pause = threading.Event()
        thread = ask(con, answers)
        pause.wait(moments.uniform(0, usual_s))
        lasting.scheduler.kill()
        wait_until(lambda: not lasting.scheduler.is_alive, "the scheduler is dead")
        lasting.restart_scheduler()
        thread.join(ANSWER_S_MAX)
        assert answers.get_nowait() == sums(), f"seed {SEED}"
        assert set(con.tables()) == {"numbers"}
        shown = con.sql("SHOW springald.distribution").to_pydict()
        assert list(shown.values())[-1] == ["always"]


@pytest.mark.timeout(300)
def test_query_of_a_scheduler_without_state_fails_soon(
    cluster: springald.LocalCluster, numbers: Path
) -> None:
    """With state in memory the caller is told within seconds that the scheduler restarted."""
    with cluster.connect(**SPREAD) as con:
        con.register_parquet("numbers", numbers)
        cluster.scheduler.kill()
        wait_until(lambda: not cluster.scheduler.is_alive, "the scheduler is dead")
        answers: SimpleQueue[object] = SimpleQueue()
        thread = ask(con, answers)
        cluster.restart_scheduler()
        watch = Stopwatch()
        thread.join(ANSWER_S_MAX)
        assert isinstance(answers.get_nowait(), SchedulerRestartedError)
        assert watch.elapsed_s < RESTARTED_S_MAX
