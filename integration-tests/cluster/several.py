"""Schedulers that share an etcd, and executors that know all of them."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from cluster.waiting import wait_until
from etcd_servers import EtcdServers, etcd_servers, free_ports
from springald.leader_finder import LEADER
from springald_scheduler.adapters.stores.etcd import EtcdStateStore
from springald_scheduler.codec.records import scheduler_from_bytes

_STOP_S = 20.0
_READY_S = 60.0


class Several:
    """Schedulers and executors, each a process of its own.

    Args:
        etcd: Where the schedulers keep their state.
        folder: Where they write.
        schedulers: How many.
        executors: How many, with one slot each. They are told where etcd is, if there is one
            only, and all schedulers otherwise.
    """

    def __init__(self, etcd: EtcdServers, folder: Path, schedulers: int, executors: int) -> None:
        self.etcd = etcd
        self._folder = folder
        self._started = 0
        self._all: list[subprocess.Popen[bytes]] = []
        self.addresses = [f"127.0.0.1:{port}" for port in free_ports(schedulers)]
        self.schedulers = {address: self.start(address) for address in self.addresses}
        for number in range(executors):
            where = self.url_in_etcd if executors == 1 else self.url
            options = ["--scheduler", where, "--executor-id", f"e{number}"]
            options += ["--slots", "1", "--work-dir", str(folder / f"e{number}")]
            self._run("springald_executor", options)

    @property
    def url(self) -> str:
        """Where clients connect."""
        return f"springald://{','.join(self.addresses)}"

    @property
    def url_in_etcd(self) -> str:
        """The same, for those who are told where etcd is."""
        return f"springald+{self.etcd.url}/test"

    def start(self, address: str) -> subprocess.Popen[bytes]:
        """Starts a scheduler, perhaps once more, and waits until it answers."""
        ready = self._folder / f"ready-{self._started}"
        options = [
            "--bind",
            address,
            "--state",
            f"{self.etcd.url}/test",
            "--ready-file",
            str(ready),
        ]
        process = self._run("springald_scheduler", options)
        wait_until(ready.exists, "a scheduler is ready", _READY_S)
        assert json.loads(ready.read_text())["address"] == address
        return process

    def leader(self) -> str:
        """Waits until one leads, and returns its address."""
        return wait_until(self._leader, "a scheduler leads", _READY_S)

    def _leader(self) -> str:
        store = EtcdStateStore(self.etcd.address, "test")
        try:
            entry = store.get(LEADER)
            return scheduler_from_bytes(entry.value)[1] if entry else ""
        finally:
            store.close()

    def logs(self) -> str:
        """What all have logged last."""
        return "\n".join(
            f"{each.name}:\n{each.read_text(errors='replace')[-3000:]}"
            for each in sorted(self._folder.glob("*.log"))
        )

    def close(self) -> None:
        """Ends all."""
        for process in self._all:
            with suppress(ProcessLookupError):
                process.send_signal(signal.SIGCONT)
                process.kill()
        for process in self._all:
            process.wait(_STOP_S)

    def _run(self, module: str, options: list[str]) -> subprocess.Popen[bytes]:
        self._started += 1
        log = (self._folder / f"{self._started}-{module}.log").open("wb")
        with log:
            process = subprocess.Popen(
                [sys.executable, "-m", module, *options],
                stdout=log,
                stderr=subprocess.STDOUT,
                env=dict(os.environ),
            )
        self._all.append(process)
        return process


@contextmanager
def several(folder: Path, schedulers: int = 2, executors: int = 2) -> Iterator[Several]:
    """Starts an etcd, schedulers and executors, and leaves none of them."""
    with etcd_servers() as etcd:
        cluster = Several(etcd, folder, schedulers, executors)
        try:
            yield cluster
        finally:
            cluster.close()
