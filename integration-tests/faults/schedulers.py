"""Schedulers that are killed or paused in the middle of a query."""

import signal

import grpc
import psutil

import springald
from cluster.raw import PROTOCOL
from cluster.waiting import Stopwatch, wait_until
from faults.bench import GUARD_S, Bench
from faults.under_query import Struck, finished_tasks, kill, other_tries_than, wait_moment
from springald.scheduler.v1 import scheduler_pb2 as pb
from springald.scheduler.v1.scheduler_pb2_grpc import SchedulerServiceStub
from springald_scheduler.adapters.stores.opening import open_store

REFUSED = "writes of the old epoch refused"
PROGRESS = "progress after, s"
SERVES = "serves after, s"
_LATE_CALLS = 4
_ETCD_PAUSE_S = 0.3


def _wait_progress(job: springald.Job, finished: int) -> None:
    wait_until(
        lambda: job.status.is_final or job.progress.tasks_finished > finished,
        "a query goes on after its scheduler",
        GUARD_S,
    )


def killed(bench: Bench, job: springald.Job, base_s: float) -> Struck:
    """Kills the scheduler and starts it again; times count from the moment of its start."""
    in_time = wait_moment(bench, job, base_s)
    before = job.statistics()
    (address,) = bench.fleet.addresses
    kill(bench.fleet.schedulers[address])
    watch = Stopwatch()
    bench.fleet.restart_scheduler(address)
    finished = len(finished_tasks(before))
    serves_s = watch.elapsed_s
    _wait_progress(job, finished)
    figures = {SERVES: serves_s, PROGRESS: watch.elapsed_s}
    return Struck(in_time, finished, figures, other_tries_than(before))


def leader_killed(bench: Bench, job: springald.Job, base_s: float) -> Struck:
    """Kills the scheduler that leads; times count from when another one has taken over."""
    fleet = bench.fleet
    leader = fleet.leader()
    in_time = wait_moment(bench, job, base_s)
    before = job.statistics()
    kill(fleet.schedulers[leader])
    _wait_other(bench, leader)
    finished = len(finished_tasks(before))
    watch = Stopwatch()
    _wait_progress(job, finished)
    figures = {PROGRESS: watch.elapsed_s}
    return Struck(in_time, finished, figures, other_tries_than(before))


def _wait_other(bench: Bench, leader: str) -> None:
    wait_until(lambda: bench.fleet.leader_now() not in ("", leader), "another one leads", GUARD_S)


def leader_paused(bench: Bench, job: springald.Job, base_s: float) -> Struck:
    """Stops the scheduler that leads past its lease, and lets it go on when another one leads.

    Calls wait in its sockets that have it write at once. It finds etcd slow at that moment, so that
    it cannot hear that its lease is over before it has sent what it writes.
    """
    fleet = bench.fleet
    leader = fleet.leader()
    old = psutil.Process(fleet.schedulers[leader].pid)
    assert bench.etcd is not None
    etcd = psutil.Process(bench.etcd.processes[0].pid)
    with grpc.insecure_channel(leader) as channel:
        grpc.channel_ready_future(channel).result(10)
        in_time = wait_moment(bench, job, base_s)
        before = job.statistics()
        old.send_signal(signal.SIGSTOP)
        stub = SchedulerServiceStub(channel)
        request = pb.OpenSessionRequest(protocol_version=PROTOCOL, client_name="late")
        late = [stub.OpenSession.future(request, timeout=30) for _ in range(_LATE_CALLS)]
        try:
            _wait_other(bench, leader)
            known = _sessions(bench)
            log = len(fleet.schedulers[leader].log)
            etcd.send_signal(signal.SIGSTOP)
        finally:
            old.send_signal(signal.SIGCONT)
        pause = Stopwatch()
        wait_until(lambda: pause.elapsed_s > _ETCD_PAUSE_S, "etcd is slow for a moment")
        etcd.send_signal(signal.SIGCONT)
        wait_until(
            lambda: "leads no more" in fleet.schedulers[leader].log[log:], "it leads no more", 30
        )
        answers = [call.exception(timeout=30) for call in late]
    assert all(answers), "nobody is answered by one that leads no more"
    assert _sessions(bench) == known, "nothing of the old epoch is written"
    tried = fleet.schedulers[leader].log[log:].count("state is not kept")
    figures = {REFUSED: float(tried)}
    return Struck(in_time, len(finished_tasks(before)), figures, other_tries_than(before))


def _sessions(bench: Bench) -> set[str]:
    store = open_store(bench.fleet.shape.state)
    try:
        return {entry.key for entry in store.scan("record/session/").entries}
    finally:
        store.close()
