"""Results whose rows have come are given up together, or with the next statement."""

import threading
from collections.abc import Iterator

import pytest
from fake_cluster import FakeCluster, Script

import springald
from springald import Connection
from springald.limits import RELEASED_PER_CALL_MAX
from springald.releases import Releases


@pytest.fixture
def cluster() -> Iterator[FakeCluster]:
    """A cluster that takes several names, and whose results are inline."""
    cluster = FakeCluster()
    cluster.protocol_minor = 1
    cluster.default = Script(inline=True)
    yield cluster
    cluster.close()


@pytest.fixture
def con(cluster: FakeCluster) -> Iterator[Connection]:
    """A connection."""
    with springald.connect(cluster.url) as connection:
        yield connection


def read(con: Connection) -> str:
    """Reads a result and gives it up; returns its operation id."""
    job = con.sql("SELECT 1").execute()
    job.result()
    job.release()
    return job.operation_id


def test_result_is_released_with_the_next_statement(
    cluster: FakeCluster, con: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It costs no call of its own."""
    monkeypatch.setattr("springald.session.RELEASE_HELD_MS", 3_600_000)
    first, second = read(con), read(con)
    cluster.wait_call(f"released with a statement {first}")
    assert "release" not in cluster.calls
    assert f"released with a statement {second}" not in cluster.calls


def test_results_are_released_together_after_a_moment(
    cluster: FakeCluster, con: Connection
) -> None:
    """Nobody holds memory of the cluster for long, also if no statement follows."""
    jobs = [con.sql("SELECT 1").execute() for _ in range(3)]
    for job in jobs:
        job.wait()
        job.release()
    for job in jobs:
        cluster.wait_call(f"release {job.operation_id}")
    cluster.wait_call("release")
    assert cluster.calls.count("release") == 1


def test_job_that_runs_is_released_at_once(
    cluster: FakeCluster, con: Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Giving up what still computes stops it."""
    monkeypatch.setattr("springald.session.RELEASE_HELD_MS", 3_600_000)
    cluster.default = Script(held=True)
    job = con.sql("SELECT 1").execute()
    job.release()
    cluster.wait_call(f"release {job.operation_id}")


def test_scheduler_of_an_earlier_version_gets_a_call_for_each(
    cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would read past the names, and keep the results."""
    monkeypatch.setattr("springald.session.RELEASE_HELD_MS", 3_600_000)
    cluster.protocol_minor = 0
    with springald.connect(cluster.url) as con:
        for operation_id in (read(con), read(con)):
            cluster.wait_call(f"release {operation_id}")
    assert not any(call.startswith("released with") for call in cluster.calls)


def test_names_that_were_not_delivered_are_told_again() -> None:
    """A statement that did not reach the scheduler took nothing along."""
    asked: list[None] = []
    releases = Releases(lambda: asked.append(None))
    releases.add("a")
    taken = releases.take()
    assert releases.take_due() == []
    releases.put_back(taken)
    assert len(asked) == 2
    assert releases.take_due() == ["a"]


def test_more_names_than_a_call_takes_are_told_in_several() -> None:
    """A call has a limit, and the rest is due again."""
    asked: list[None] = []
    releases = Releases(lambda: asked.append(None))
    for number in range(RELEASED_PER_CALL_MAX + 1):
        releases.add(str(number))
    assert len(asked) == 1
    assert len(releases.take_due()) == RELEASED_PER_CALL_MAX
    assert len(asked) == 2
    assert releases.take_due() == [str(RELEASED_PER_CALL_MAX)]


def test_names_from_many_threads_are_all_told() -> None:
    """Whoever adds one either is taken or asks again."""
    due = threading.Semaphore(0)
    releases = Releases(due.release)
    names = {f"{thread}-{number}" for thread in range(4) for number in range(500)}

    def add(thread: int) -> None:
        for number in range(500):
            releases.add(f"{thread}-{number}")

    threads = [threading.Thread(target=add, args=(thread,)) for thread in range(4)]
    for thread in threads:
        thread.start()
    told: list[str] = []
    while len(told) < len(names):
        assert due.acquire(timeout=30)
        told += releases.take_due()
    for thread in threads:
        thread.join()
    assert sorted(told) == sorted(names)
