"""An executor's stream to its scheduler, as long as there is none."""

import socket
import threading

import pytest
from structlog.testing import capture_logs

from springald.errors import SpringaldError
from springald.executor.v1.executor_pb2 import ConnectRequest, ConnectResponse
from springald_executor.adapters import scheduler_link
from springald_executor.adapters.scheduler_link import GrpcLink

TRIES = 5
WAIT_S_MAX = 20.0


class Patient:
    """Counts how often the link begins a stream."""

    def __init__(self) -> None:
        self.tries = threading.Semaphore(0)

    def registration(self) -> ConnectRequest:
        """Returns a first message."""
        self.tries.release()
        return ConnectRequest()

    def receive(self, message: ConnectResponse) -> None:
        """Is not called."""
        raise AssertionError(message)

    def lose_scheduler(self) -> None:
        """Is not called: there was none."""
        raise AssertionError

    def refuse(self, error: SpringaldError) -> None:
        """Is not called."""
        raise AssertionError(error)


@pytest.mark.parametrize(("told_ms", "lines"), [(60_000, 1), (0, TRIES - 1)])
def test_scheduler_that_is_not_there_is_told_once(
    monkeypatch: pytest.MonkeyPatch, told_ms: int, lines: int
) -> None:
    """The reason is one line however often it is tried, and comes again after a named time."""
    for name, value in (
        ("RECONNECT_FIRST_MS", 1), ("RECONNECT_MS_MAX", 2), ("RECONNECT_TOLD_MS", told_ms),
    ):  # fmt: skip
        monkeypatch.setattr(scheduler_link, name, value)
    listener = Patient()
    with socket.socket() as taken, capture_logs() as logs:
        taken.bind(("127.0.0.1", 0))  # and does not listen
        link = GrpcLink(f"127.0.0.1:{taken.getsockname()[1]}")
        link.begin(listener)
        for _ in range(TRIES):
            assert listener.tries.acquire(timeout=WAIT_S_MAX)
        link.close()
    warned = [line for line in logs if line["log_level"] == "warning"]
    assert lines <= len(warned) <= (1 if lines == 1 else TRIES)
    assert warned[0]["event"] == "scheduler is not connected, trying again"
    assert "got a refused connection" in warned[0]["reason"]
