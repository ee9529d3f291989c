"""Executors and schedulers that die under each client: on real clusters."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

import springald
from cluster.footprint import Footprint
from cluster.waiting import wait_until
from conformance.clients import all_clients
from conformance.program import Program, started
from springald.conformance.v1 import client_pb2 as calls
from springald.conformance.v1 import vector_pb2 as pb

pytestmark = pytest.mark.timeout(300)

ROWS = 600_000
LARGE = f"SELECT value, repeat('x', 100) AS text FROM generate_series(1, {ROWS})"
SUM = ROWS * (ROWS + 1) // 2
# Nothing but sums, so that each bit counts.
SUMMED = f"SELECT value, value AS again FROM generate_series(1, {ROWS})"
# Long enough to be met while it runs.
SIDE = 20_000
SLOW = (
    f"SELECT sum(a.value * b.value % 2) AS s FROM generate_series(1, {SIDE}) a, "
    f"generate_series(1, {SIDE}) b"
)
SLOW_SUM = SIDE * SIDE // 4


@pytest.fixture(scope="module", params=sorted(all_clients()))
def client(request: pytest.FixtureRequest) -> Iterator[Program]:
    """A client without a session."""
    with started(all_clients()[request.param].command) as program:
        yield program


@pytest.fixture(scope="module")
def trace(tmp_path_factory: pytest.TempPathFactory) -> Footprint:
    """Finds the files of the clusters here."""
    return Footprint(tmp_path_factory.mktemp("deaths"))


@pytest.fixture(scope="module")
def near(trace: Footprint) -> Iterator[springald.LocalCluster]:
    """A cluster whose large results are read in place."""
    with springald.LocalCluster(1, 1, work_dir=trace.folder) as running:
        yield running


@pytest.fixture(scope="module")
def apart() -> Iterator[springald.LocalCluster]:
    """A cluster with one executor, whose results come over Flight, as from another host."""
    with springald.LocalCluster(1, 1, read_in_place=False) as running:
        yield running


@pytest.fixture(scope="module")
def lasting() -> Iterator[springald.LocalCluster]:
    """A cluster whose scheduler keeps its state in a file."""
    with springald.LocalCluster(1, 1, state="sqlite") as running:
        yield running


def run(client: Program, url: str, sql: str, *, takes_first_batch: bool = False) -> None:
    """Opens a session and runs a query there until it has succeeded."""
    client.ask(calls.Call(connect=calls.Connect(url=url)))
    client.ask(calls.Call(open=calls.OpenCall()))
    call = calls.StartCall(takes_first_batch=takes_first_batch)
    call.statement.sql.text = sql
    assert client.ask(calls.Call(start=call)).HasField("done")


def totals(client: Program) -> pb.Totals:
    """Takes the rows of what was run."""
    answer = client.ask(calls.Call(fetch=calls.FetchCall(access=pb.ACCESS_TOTALS)))
    assert answer.HasField("totals"), answer.error
    return answer.totals


@pytest.mark.parametrize("takes_first_batch", [False, True], ids=["before", "while"])
def test_result_outlives_the_executor_that_holds_it(
    client: Program, apart: springald.LocalCluster, *, takes_first_batch: bool
) -> None:
    """P5.9: an executor that is killed before or while its rows are read costs time, no rows."""
    run(client, apart.url, LARGE, takes_first_batch=takes_first_batch)
    holder = next(each for each in apart.executors if each.is_alive)
    apart.add_executor()
    holder.kill()
    wait_until(lambda: not holder.is_alive, "the executor is dead")
    assert totals(client) == pb.Totals(rows=ROWS, sums=[SUM, 0])


def test_block_that_changed_is_made_again(
    client: Program, near: springald.LocalCluster, trace: Footprint
) -> None:
    """P5.4: a client that reads a block in place finds a flipped bit, and takes no row of it."""
    known = trace.rows_files()
    run(client, near.url, SUMMED)
    made = trace.rows_files() - known
    assert made
    for path in made:
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        with path.open("r+b") as file:
            file.write(content)
    assert totals(client) == pb.Totals(rows=ROWS, sums=[SUM, SUM])


def test_query_outlives_its_scheduler(client: Program, lasting: springald.LocalCluster) -> None:
    """P3.3, P3.6: a scheduler that is killed and comes back with its state costs time only."""
    client.ask(calls.Call(connect=calls.Connect(url=lasting.url)))
    client.ask(calls.Call(open=calls.OpenCall()))
    execute = pb.Execute(access=pb.ACCESS_TOTALS)
    execute.statement.sql.text = SLOW
    call = calls.Call(execute=calls.ExecuteCall(execute=execute))
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(client.ask, call)
        wait_until(lambda: is_running(lasting), "the query runs")
        lasting.scheduler.kill()
        wait_until(lambda: not lasting.scheduler.is_alive, "the scheduler is dead")
        lasting.restart_scheduler()
        assert answer.result().totals == pb.Totals(rows=1, sums=[SLOW_SUM])


def is_running(cluster: springald.LocalCluster) -> bool:
    """Whether somebody's job runs."""
    with cluster.connect() as con:
        return any(job.status == springald.JobStatus.RUNNING for job in con.jobs(all_sessions=True))
