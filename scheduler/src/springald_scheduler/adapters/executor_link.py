"""The scheduler's end of an executor's stream."""

from collections.abc import Iterator
from queue import SimpleQueue
from typing import Protocol

from springald.errors import SpringaldError
from springald.executor.v1.executor_pb2 import ConnectResponse


class ExecutorLink(Protocol):
    """How messages reach an executor, over a network or inside the process.

    Both calls come in order, while the driver holds its lock: they return at once, and call the
    driver from no thread but another one.
    """

    def send(self, message: ConnectResponse) -> None:
        """Sends a message; the link does not change it."""
        ...

    def end(self, error: SpringaldError | None) -> None:
        """Ends the stream after all that was sent, with an error or without."""
        ...


class QueueLink:
    """A link whose messages are taken by the thread that writes the stream.

    Example:
        >>> link = QueueLink()
        >>> link.send(ConnectResponse())
        >>> link.end(None)
        >>> len(list(link))
        1
    """

    def __init__(self) -> None:
        self._queue: SimpleQueue[ConnectResponse | SpringaldError | None] = SimpleQueue()

    def send(self, message: ConnectResponse) -> None:
        """Puts a message in line."""
        self._queue.put(message)

    def end(self, error: SpringaldError | None) -> None:
        """Puts the end in line."""
        self._queue.put(error)

    def __iter__(self) -> Iterator[ConnectResponse]:
        """Yields messages until the end.

        Raises:
            SpringaldError: The stream was ended with it.
        """
        while isinstance(message := self._queue.get(), ConnectResponse):
            yield message
        if message is not None:
            raise message
