"""The scheduler's end of an executor's stream."""

from collections.abc import Iterator
from queue import SimpleQueue
from typing import Protocol

from springald.errors import SpringaldError
from springald.executor.v1.executor_pb2 import Batch, ConnectResponse
from springald_scheduler.limits import BATCH_BYTES_MAX, BATCH_BYTES_MIN


class ExecutorLink(Protocol):
    """How messages reach an executor, over a network or inside the process.

    Both calls come in order, while the driver holds its lock: they return at once, and call the
    driver from no thread but another one.
    """

    def send(self, message: ConnectResponse) -> None:
        """Sends a message; the link does not change it."""
        ...

    def hold(self, message: ConnectResponse) -> None:
        """Sends a message before the next one, whenever that comes, or with `flush`."""
        ...

    def flush(self) -> None:
        """Sends what is held."""
        ...

    def end(self, error: SpringaldError | None) -> None:
        """Ends the stream after all that was sent, with an error or without."""
        ...


class QueueLink:
    """A link whose messages are taken by the thread that writes the stream.

    Attributes:
        takes_batches: Whether the executor takes several messages in one.

    Example:
        >>> link = QueueLink()
        >>> link.send(ConnectResponse())
        >>> link.end(None)
        >>> len(list(link))
        1
    """

    def __init__(self) -> None:
        self._queue: SimpleQueue[ConnectResponse | SpringaldError | None] = SimpleQueue()
        self._held: list[ConnectResponse] = []
        self.takes_batches = False

    def send(self, message: ConnectResponse) -> None:
        """Puts a message in line, behind those that are held."""
        self.flush()
        self._queue.put(message)

    def hold(self, message: ConnectResponse) -> None:
        """Keeps a message for later, which wakes nobody now."""
        self._held.append(message)

    def flush(self) -> None:
        """Puts in line what is held."""
        for message in self._held:
            self._queue.put(message)
        self._held.clear()

    def end(self, error: SpringaldError | None) -> None:
        """Puts the end in line."""
        self.flush()
        self._queue.put(error)

    def batches(self) -> Iterator[ConnectResponse]:
        """Yields messages until the end, those that wait together as one.

        Raises:
            SpringaldError: The stream was ended with it.
        """
        taken: list[ConnectResponse] = []
        size = 0
        is_open = True
        while is_open:
            message = self._queue.get()
            if isinstance(message, ConnectResponse):
                taken.append(message)
                size += message.ByteSize()
                if size < BATCH_BYTES_MIN and not self._queue.empty():
                    continue
            else:
                is_open = False
            yield from _batched(taken, size)
            taken, size = [], 0
        if isinstance(message, SpringaldError):
            raise message

    def __iter__(self) -> Iterator[ConnectResponse]:
        """Yields messages until the end.

        Raises:
            SpringaldError: The stream was ended with it.
        """
        while isinstance(message := self._queue.get(), ConnectResponse):
            yield message
        if message is not None:
            raise message


def _batched(messages: list[ConnectResponse], size: int) -> Iterator[ConnectResponse]:
    """Yields messages as one, or one by one if they are too large together."""
    if len(messages) <= 1 or size > BATCH_BYTES_MAX:
        yield from messages
    else:
        yield ConnectResponse(batch=Batch(messages=messages))
