"""Several schedulers over an etcd: one leads, and when it dies or is paused another one does."""

import signal
from collections.abc import Iterator
from pathlib import Path
from queue import SimpleQueue

import pytest

import springald
from cluster.several import Several, several
from cluster.tables import SPREAD, SUMS, sums
from cluster.test_scheduler_death import ANSWER_S_MAX, ask
from cluster.waiting import wait_until

pytestmark = pytest.mark.timeout(300)


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Several]:
    """Two schedulers and two executors."""
    with several(tmp_path_factory.mktemp("several")) as started:
        yield started


@pytest.fixture
def con(pair: Several, numbers: Path) -> Iterator[springald.Connection]:
    """A session at whoever leads."""
    pair.leader()
    with springald.connect(pair.url, **SPREAD) as connection:
        connection.register_parquet("numbers", numbers)
        wait_until(lambda: len(connection.executors()) == 2, "both executors are there", 60)
        yield connection


def test_query_outlives_the_leader(pair: Several, con: springald.Connection) -> None:
    """The other scheduler takes over, with sessions, tables and jobs; callers see only time."""
    leader = pair.leader()
    assert con.sql(SUMS).to_pydict() == sums()
    answers: SimpleQueue[object] = SimpleQueue()
    thread = ask(con, answers)
    pair.schedulers[leader].kill()
    thread.join(ANSWER_S_MAX)
    assert answers.get_nowait() == sums(), pair.logs()
    assert wait_until(lambda: pair.leader() != leader, "another one leads")
    assert set(con.tables()) == {"numbers"}
    pair.schedulers[leader] = pair.start(leader)


def test_leader_that_was_paused_writes_nothing(pair: Several, con: springald.Connection) -> None:
    """A leader that is stopped past its lease and goes on finds itself replaced."""
    leader = pair.leader()
    assert con.sql(SUMS).to_pydict() == sums()
    answers: SimpleQueue[object] = SimpleQueue()
    thread = ask(con, answers)
    pair.schedulers[leader].send_signal(signal.SIGSTOP)
    wait_until(lambda: pair.leader() != leader, "another one leads", 60)
    thread.join(ANSWER_S_MAX)
    assert answers.get_nowait() == sums(), pair.logs()
    pair.schedulers[leader].send_signal(signal.SIGCONT)
    wait_until(lambda: "scheduler leads no more" in pair.logs(), "the paused one steps down", 60)
    assert con.sql(SUMS).to_pydict() == sums()
