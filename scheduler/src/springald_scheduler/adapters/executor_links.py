"""The streams of all executors: which one is whose."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from springald.errors import ExecutorLostError, SpringaldError
from springald.executor.v1.executor_pb2 import ConnectResponse
from springald_scheduler.adapters.executor_link import ExecutorLink


class ExecutorLinks:
    """One link for each executor that is registered.

    An executor's life is its id and its incarnation. A link that ends before it was put here is
    remembered, and is refused then.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._arriving: dict[tuple[str, str], ExecutorLink] = {}
        self._ended: set[ExecutorLink] = set()
        self._links: dict[str, tuple[str, ExecutorLink]] = {}
        self._lives: dict[ExecutorLink, tuple[str, str]] = {}
        self._busy: set[ExecutorLink] = set()

    def life_of(self, link: ExecutorLink) -> tuple[str, str] | None:
        """Returns whose link it is; None before its registration and after its end."""
        return self._lives.get(link)

    @contextmanager
    def taking_in(self, link: ExecutorLink) -> Iterator[None]:
        """Notes for the time of a block that a message of a link is being taken in."""
        self._busy.add(link)
        try:
            yield
        finally:
            self._busy.discard(link)

    def busy_lives(self) -> list[tuple[str, str]]:
        """Returns whose messages are being taken in: what these send meanwhile is not read yet."""
        return [life for link in self._busy.copy() if (life := self._lives.get(link))]

    def arrive(self, executor_id: str, incarnation: str, link: ExecutorLink) -> None:
        """Notes who wants to register over a link, until it is put or turned away."""
        with self._lock:
            self._arriving[executor_id, incarnation] = link

    def put(self, executor_id: str, incarnation: str) -> ExecutorLink | None:
        """Makes the link that arrived the executor's; returns it, or None if there is none left.

        The one that the executor had is ended.
        """
        with self._lock:
            link = self._arriving.pop((executor_id, incarnation), None)
            if link is None:
                return None
            _, former = self._links.pop(executor_id, ("", None))
            if former:
                self._lives.pop(former, None)
                former.end(ExecutorLostError("an executor has one stream: this one was replaced"))
            if link in self._ended:
                self._ended.discard(link)
                return None
            self._links[executor_id] = (incarnation, link)
            self._lives[link] = (executor_id, incarnation)
            return link

    def is_put(self, executor_id: str, incarnation: str) -> bool:
        """Says whether a life has its link, which an earlier registration may have been given.

        An executor that registers again while its first registration is written has one link left,
        the later one, and is accepted twice.
        """
        with self._lock:
            current, _ = self._links.get(executor_id, ("", None))
            return current == incarnation

    def turn_away(self, executor_id: str, incarnation: str) -> ExecutorLink | None:
        """Returns the link that arrived and is refused."""
        with self._lock:
            return self._arriving.pop((executor_id, incarnation), None)

    def send(
        self, executor_id: str, incarnation: str, message: ConnectResponse, *, waits: bool = False
    ) -> None:
        """Sends a message; if the link is gone, the core hears of it in a moment.

        Args:
            executor_id: The executor.
            incarnation: Its life.
            message: The message.
            waits: It need not go before another one does.
        """
        with self._lock:
            current, link = self._links.get(executor_id, ("", None))
        if link and current == incarnation:
            if waits:
                link.hold(message)
            else:
                link.send(message)

    def end(self, executor_id: str, incarnation: str, error: SpringaldError) -> None:
        """Ends the link of an executor's life, if it is still there."""
        with self._lock:
            current, link = self._links.get(executor_id, ("", None))
            if link is None or current != incarnation:
                return
            del self._links[executor_id]
            self._lives.pop(link, None)
        link.end(error)

    def remove(self, link: ExecutorLink) -> tuple[str, str] | None:
        """Forgets a link that ended; returns whose it was, None if another one replaces it.

        That one may still wait to be put: then the core knows of it already, or will in a moment.
        """
        with self._lock:
            life = self._lives.pop(link, None)
            if life is None:
                if link in self._arriving.values():
                    self._ended.add(link)
                return None
            if self._links[life[0]][1] is not link:
                return None
            del self._links[life[0]]
            return None if life in self._arriving else life

    def take_all(self) -> list[ExecutorLink]:
        """Forgets all links and returns them."""
        with self._lock:
            links = [link for _, link in self._links.values()]
            links += self._arriving.values()
            self._links.clear()
            self._lives.clear()
            self._arriving.clear()
            return links
