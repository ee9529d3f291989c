"""A scheduler that is started before its etcd waits for it."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import springald
from cluster.waiting import wait_until
from etcd_servers import EtcdServers, etcd_servers

pytestmark = pytest.mark.timeout(120)

READY_S = 60.0
WAITS = b"waiting for the store"


@pytest.fixture
def away() -> Iterator[EtcdServers]:
    """An etcd that is not there yet."""
    with etcd_servers() as servers:
        servers.kill(0)
        yield servers


@contextmanager
def waiting_scheduler(etcd: EtcdServers, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Starts a scheduler, and waits until it says that it waits."""
    log = folder / "scheduler.log"
    options = ["--bind", "127.0.0.1:0", "--state", f"{etcd.url}/late"]
    options += ["--ready-file", str(folder / "ready")]
    with log.open("wb") as out:
        process = subprocess.Popen(
            [sys.executable, "-m", "springald_scheduler", *options],
            stdout=out,
            stderr=subprocess.STDOUT,
            env=dict(os.environ),
        )
    try:
        wait_until(lambda: WAITS in log.read_bytes(), "it says that it waits", READY_S)
        assert etcd.members[0].encode() in log.read_bytes()
        yield process
    finally:
        process.kill()
        process.wait(READY_S)


def test_scheduler_waits_for_its_etcd(away: EtcdServers, tmp_path: Path) -> None:
    """Whichever of the two is started first, the scheduler serves."""
    with waiting_scheduler(away, tmp_path) as process:
        away.restart(0)
        ready = tmp_path / "ready"
        wait_until(ready.exists, "it is ready", READY_S)
        assert process.poll() is None
        with springald.connect(f"springald://{json.loads(ready.read_text())['address']}") as con:
            assert not con.tables()


def test_scheduler_that_waits_is_stopped_like_any_other(away: EtcdServers, tmp_path: Path) -> None:
    """SIGTERM ends it at once, without an error."""
    with waiting_scheduler(away, tmp_path) as process:
        process.send_signal(signal.SIGTERM)
        assert process.wait(10) == 0
