"""What schedulers keep their state in: members that die, a quorum that is lost, calls that fail."""

import json
import subprocess

import springald
from cluster.waiting import Stopwatch, wait_until
from etcd_servers import EtcdServers
from faults.bench import Bench, read_in_time
from faults.outcomes import Outcome
from faults.under_query import Struck, finished_tasks, other_tries_than, wait_moment
from springald.errors import SpringaldError

QUORUM_LOST_S = 20.0
STATEMENTS = 8
"""Queries in one run with a store whose calls fail now and then."""

ERROR_SAID = "store fails on purpose"


def etcd_leader_killed(bench: Bench, job: springald.Job, base_s: float) -> Struck:
    """Kills the member of etcd that leads the others."""
    etcd = _etcd(bench)
    victim = _leading_member(etcd)
    in_time = wait_moment(bench, job, base_s)
    before = job.statistics()
    etcd.kill(victim)
    return _struck(bench, job, before, in_time=in_time)


def quorum_lost(bench: Bench, job: springald.Job, base_s: float) -> Struck:
    """Kills two members of three, and starts them again after a while."""
    etcd = _etcd(bench)
    victims = bench.rng.sample(range(len(etcd.processes)), 2)
    in_time = wait_moment(bench, job, base_s)
    before = job.statistics()
    for each in victims:
        etcd.kill(each)
    watch = Stopwatch()
    wait_until(lambda: watch.elapsed_s > QUORUM_LOST_S, "the time is over", 2 * QUORUM_LOST_S)
    for each in victims:
        etcd.restart(each)
    etcd.wait_ready()
    return _struck(bench, job, before, in_time=in_time)


def restore_members(bench: Bench) -> None:
    """Starts the members of etcd that are dead."""
    etcd = _etcd(bench)
    for number, process in enumerate(etcd.processes):
        if process.poll() is not None:
            etcd.restart(number)
    etcd.wait_ready()


def _struck(
    bench: Bench, job: springald.Job, before: springald.JobStatistics, *, in_time: bool
) -> Struck:
    def verify(_: springald.JobStatistics) -> None:
        assert_once(bench, job)

    return Struck(
        in_time, len(finished_tasks(before)), again=other_tries_than(before), verify=verify
    )


def assert_once(bench: Bench, job: springald.Job) -> None:
    """Raises AssertionError unless a statement has become one job."""
    made = [each.id for each in bench.con.jobs() if each.operation_id == job.operation_id]
    assert made == [job.id], f"a statement is run once: got {made} for {job!r}"


def _etcd(bench: Bench) -> EtcdServers:
    assert bench.etcd is not None
    return bench.etcd


def _leading_member(etcd: EtcdServers) -> int:
    """Returns the number of the member that leads."""
    command = ["etcdctl", f"--endpoints={','.join(etcd.members)}", "endpoint", "status", "-w=json"]
    done = subprocess.run(command, check=True, capture_output=True, env={"ETCDCTL_API": "3"})
    for told in json.loads(done.stdout):
        status = told["Status"]
        if status["header"]["member_id"] == status["leader"]:
            return etcd.members.index(told["Endpoint"])
    raise AssertionError(f"a member leads: got {done.stdout!r}")


def calls_fail(bench: Bench) -> Outcome | None:
    """Runs queries over a store of whose calls one in twenty fails, before its effect or after."""
    logged = len(bench.fleet.logs())
    took_s = base_s = 0.0
    finished = True
    for _ in range(STATEMENTS):
        sql = bench.draw_query()
        base_s += bench.base_s(sql)
        watch = Stopwatch()
        job = bench.con.sql(sql).execute()
        try:
            bench.check(sql, read_in_time(job))
        except SpringaldError as error:
            finished = False
            bench.last_error = f"{error} ({job!r})"
        took_s += watch.elapsed_s
        assert_once(bench, job)
    failed = bench.fleet.logs()[logged:].count(ERROR_SAID)
    if not failed:
        return None
    return Outcome(base_s, took_s, finished=finished, figures={"calls failed": float(failed)})
