"""The processes of a cluster, each on its own, to be killed, paused and started again."""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil

import springald
from cluster.waiting import wait_until
from etcd_servers import free_ports
from faults.relay import Relay
from springald.cluster_process import ClusterProcess, ExecutorProcess
from springald.leader_finder import LEADER
from springald_scheduler.adapters.stores.interface import StoreError
from springald_scheduler.adapters.stores.opening import is_shared, open_store
from springald_scheduler.codec.records import scheduler_from_bytes

LEADS_S_MAX = 60.0
STACKS_S_MAX = 10.0
_HERE = Path(__file__).resolve().parents[1]
_LAST_STACK = re.compile(r"Current thread [^\n]*\n(  File [^\n]*\n)+")


@dataclass(frozen=True)
class Shape:
    """What a fleet is made of.

    Attributes:
        executors: How many, with one slot each.
        schedulers: How many.
        state: Where schedulers keep what must survive, as they are told it.
        module: The scheduler's program.
        scheduler: Options of each scheduler.
        executor: Options of each executor.
        relayed: Has executors reach the scheduler through a wire that can be cut silently.
        work_dir: Makes the folder that an executor works in from its name; by default one on disk.
    """

    executors: int = 3
    schedulers: int = 1
    state: str = "memory"
    module: str = "springald_scheduler"
    scheduler: Mapping[str, str] = field(default_factory=dict)
    executor: Mapping[str, str] = field(default_factory=dict)
    relayed: bool = False
    work_dir: Callable[[str], Path] | None = None


class Fleet:
    """Schedulers at fixed addresses, and executors that know all of them.

    Args:
        folder: Where all of them write.
        shape: What it is made of.
    """

    def __init__(self, folder: Path, shape: Shape) -> None:
        self.folder = folder
        self.shape = shape
        self._all: list[ClusterProcess] = []
        self.executors: list[ExecutorProcess] = []
        self.addresses = [f"127.0.0.1:{port}" for port in free_ports(shape.schedulers)]
        self.relay: Relay | None = None
        try:
            self.schedulers = {each: self.start_scheduler(each) for each in self.addresses}
            if shape.relayed:
                self.relay = Relay(self.addresses[0])
            self.add_executors(shape.executors)
        except BaseException:
            self.close()
            raise

    @property
    def url(self) -> str:
        """Where clients connect."""
        return f"springald://{','.join(self.addresses)}"

    @property
    def alive(self) -> list[ExecutorProcess]:
        """The executors that run."""
        return [each for each in self.executors if each.is_alive]

    def connect(self, **settings: object) -> springald.Connection:
        """Opens a session."""
        return springald.connect(self.url, **settings)

    def start_scheduler(self, address: str) -> ClusterProcess:
        """Starts a scheduler, perhaps once more, and waits until it answers."""
        options = {
            "--bind": address,
            "--state": self.shape.state,
            "--work-dir": str(self.folder / f"scheduler-{len(self._all)}"),
            **self.shape.scheduler,
        }
        started = ClusterProcess(
            f"scheduler-{len(self._all)}",
            [self.shape.module, *_flat(options)],
            self._place("scheduler"),
            self.folder,
        )
        self._all.append(started)
        started.wait_ready()
        return started

    def restart_scheduler(self, address: str) -> None:
        """Starts a scheduler that is dead at the address that it had."""
        self.schedulers[address] = self.start_scheduler(address)

    def leader(self) -> str:
        """Waits until one leads, and returns its address; a single one does."""
        if not is_shared(self.shape.state):
            return self.addresses[0]
        return wait_until(self.leader_now, "a scheduler leads", LEADS_S_MAX)

    def leader_now(self) -> str:
        """Returns the address of the one that leads, or nothing."""
        store = open_store(self.shape.state)
        try:
            entry = store.get(LEADER)
            return scheduler_from_bytes(entry.value)[1] if entry else ""
        except StoreError:
            return ""
        finally:
            store.close()

    def add_executor(self) -> ExecutorProcess:
        """Starts one more, and waits until it is registered."""
        (added,) = self.add_executors(1)
        return added

    def add_executors(self, count: int) -> list[ExecutorProcess]:
        """Starts some, then waits for each of them."""
        added = [self._start_executor() for _ in range(count)]
        for each in added:
            each.wait_ready()
        return added

    def _start_executor(self) -> ExecutorProcess:
        name = f"e{len(self.executors) + 1}"
        work_dir = self.shape.work_dir or self.folder.joinpath
        options = {
            "--scheduler": self.relay.address if self.relay else ",".join(self.addresses),
            "--executor-id": name,
            "--slots": "1",
            "--memory": "256MiB",
            "--work-dir": str(work_dir(f"{name}-work")),
            **self.shape.executor,
        }
        started = ExecutorProcess(
            name, ["springald_executor", *_flat(options)], self._place(name), self.folder
        )
        self._all.append(started)
        self.executors.append(started)
        return started

    def executor(self, executor_id: str) -> ExecutorProcess:
        """Returns one by its id."""
        return next(each for each in self.executors if each.executor_id == executor_id)

    def forget_dead(self) -> None:
        """Lets go of those that are dead, and of their logs, so that long runs stay quick."""
        for each in self._all:
            if not each.is_alive:
                each.finish()
        self._all = [each for each in self._all if each.is_alive]

    def logs(self) -> str:
        """What the schedulers have logged."""
        return "\n".join(
            each.read_text(errors="replace") for each in sorted(self.folder.glob("*scheduler/log*"))
        )

    def stacks(self) -> str:
        """What the threads of each process do, for people who look into one that hangs."""
        return "\n".join(f"{each.name}:\n{_stacks(each)}" for each in self._all if each.is_alive)

    def close(self) -> None:
        """Ends all of them."""
        for each in self._all:
            with suppress(psutil.Error):
                psutil.Process(each.pid).resume()
            each.ask_to_stop()
        for each in self._all:
            each.finish()
        if self.relay:
            self.relay.close()

    def _place(self, name: str) -> Path:
        return self.folder / f"{len(self._all) + len(list(self.folder.iterdir())):05}-{name}"


def _stacks(process: ClusterProcess) -> str:
    before = len(process.log)
    os.kill(process.pid, signal.SIGUSR1)
    try:
        wait_until(lambda: _LAST_STACK.search(process.log, before), "it tells", STACKS_S_MAX)
    except AssertionError:
        return "it tells nothing"
    return process.log[before:]


def _flat(options: Mapping[str, str]) -> list[str]:
    return [word for pair in options.items() for word in pair]


def run_beside(module: str, arguments: Sequence[str]) -> "subprocess.Popen[str]":
    """Starts a program of these tests that writes text."""
    return subprocess.Popen(
        [sys.executable, "-m", module, *arguments],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": python_path()},
    )


def tell(program: "subprocess.Popen[str]", word: str) -> None:
    """Waits until a program has said something, and answers with a word."""
    assert program.stdin is not None
    assert program.stdout is not None
    program.stdout.readline()
    program.stdin.write(f"{word}\n")
    program.stdin.flush()


def python_path() -> str:
    """Where programs of these tests are found."""
    return os.pathsep.join([str(_HERE), os.environ.get("PYTHONPATH", "")]).rstrip(os.pathsep)
