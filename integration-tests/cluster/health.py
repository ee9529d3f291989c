"""Whether a cluster is well: it answers, on all of its executors, with every slot free."""

from pathlib import Path

import springald
from cluster.tables import SPREAD, SUMS, sums
from cluster.waiting import wait_until

_ANSWER_S_MAX = 20.0


def assert_healthy(cluster: springald.LocalCluster, numbers: Path) -> None:
    """Raises AssertionError unless the cluster is as good as new.

    Args:
        cluster: The cluster.
        numbers: The folder of the table `numbers`.
    """
    assert cluster.scheduler.is_alive, f"the scheduler lives: got\n{cluster.scheduler.log}"
    with cluster.connect(**SPREAD) as con:
        wait_executors(con, cluster)
        wait_until(lambda: slots_free(con) == slots_total(con), "all slots are free")
        con.register_parquet("numbers", numbers)
        job = con.sql(SUMS).execute()
        assert job.wait(_ANSWER_S_MAX) is springald.JobStatus.SUCCEEDED, job.error
        assert job.result().to_pydict() == sums()
        busy = job.statistics().tasks_per_executor
        alive = sum(executor.is_alive for executor in cluster.executors)
        assert len(busy) >= min(alive, 2), f"the query ran on several executors: got {busy}"


def wait_executors(con: springald.Connection, cluster: springald.LocalCluster) -> None:
    """Waits until the scheduler knows exactly the executors whose processes are alive."""
    alive = {executor.pid for executor in cluster.executors if executor.is_alive}
    wait_until(
        lambda: {executor.pid for executor in con.executors()} == alive,
        f"the scheduler lists the executors {alive}",
    )


def slots_free(con: springald.Connection) -> int:
    """Returns the free slots of all executors."""
    return sum(executor.slots_free for executor in con.executors())


def slots_total(con: springald.Connection) -> int:
    """Returns all slots of all executors."""
    return sum(executor.slots for executor in con.executors())
