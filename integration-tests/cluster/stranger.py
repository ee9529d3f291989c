"""An executor spoken by hand: it says of itself what a test wants, and runs nothing."""

import os
import platform
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from queue import SimpleQueue
from uuid import uuid4

import grpc

from cluster.raw import CALL_S_MAX, PROTOCOL
from springald.engine.routing import routing_fingerprint
from springald.executor.v1 import executor_pb2 as pb
from springald.executor.v1.executor_pb2_grpc import ExecutorServiceStub


def registration() -> pb.Registration:
    """Returns what an executor of this machine, with a slot, says of itself."""
    return pb.Registration(
        protocol_version=PROTOCOL,
        executor_id=f"stranger-{uuid4().hex[:8]}",
        incarnation=uuid4().hex,
        engine_version=f"datafusion {version('datafusion')}",
        python_version=f"{sys.version_info.major}.{sys.version_info.minor}",
        architecture=platform.machine(),
        routing_fingerprint=routing_fingerprint(),
        slots=1,
        memory_bytes=1 << 20,
        flight_address="127.0.0.1:9",
        pid=os.getpid(),
        host=socket.gethostname(),
    )


class Stranger:
    """The open stream of such an executor."""

    def __init__(self, channel: grpc.Channel, first: pb.ConnectRequest) -> None:
        self._up: SimpleQueue[pb.ConnectRequest | None] = SimpleQueue()
        self._up.put(first)
        self._down = ExecutorServiceStub(channel).Connect(self._requests(), timeout=CALL_S_MAX)

    def send(self, message: pb.ConnectRequest) -> None:
        """Sends a message up."""
        self._up.put(message)

    def receive(self) -> pb.ConnectResponse:
        """Waits for the next message down."""
        return next(self._down)

    def receive_end(self) -> list[pb.ConnectResponse]:
        """Waits for the end of the stream; returns what came before it.

        Raises:
            grpc.RpcError: The end is an error.
        """
        return list(self._down)

    def close(self) -> None:
        """Ends the stream."""
        self._up.put(None)
        self._down.cancel()

    def _requests(self) -> Iterator[pb.ConnectRequest]:
        while (message := self._up.get()) is not None:
            yield message


@contextmanager
def stranger(channel: grpc.Channel, who: pb.Registration) -> Iterator[Stranger]:
    """Connects such an executor for the time of a block."""
    made = Stranger(channel, pb.ConnectRequest(registration=who))
    try:
        yield made
    finally:
        made.close()
