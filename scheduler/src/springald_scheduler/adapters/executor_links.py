"""The streams of all executors: which one is whose."""

from springald.errors import ExecutorLostError, SpringaldError
from springald.executor.v1.executor_pb2 import ConnectResponse
from springald_scheduler.adapters.executor_link import ExecutorLink


class ExecutorLinks:
    """One link for each executor that is registered.

    An executor's life is its id and its incarnation. All calls but `life_of` are made while the
    driver holds its lock.
    """

    def __init__(self) -> None:
        self._links: dict[str, tuple[str, ExecutorLink]] = {}
        self._lives: dict[ExecutorLink, tuple[str, str]] = {}

    def life_of(self, link: ExecutorLink) -> tuple[str, str] | None:
        """Returns whose link it is; None before its registration and after its end."""
        return self._lives.get(link)

    def put(self, executor_id: str, incarnation: str, link: ExecutorLink) -> None:
        """Makes a link an executor's; the one that it had is ended."""
        former = self._links.pop(executor_id, None)
        if former:
            self._lives.pop(former[1], None)
            former[1].end(ExecutorLostError("an executor has one stream: this one was replaced"))
        self._links[executor_id] = (incarnation, link)
        self._lives[link] = (executor_id, incarnation)

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
        current, link = self._links.get(executor_id, ("", None))
        if link and current == incarnation:
            if waits:
                link.hold(message)
            else:
                link.send(message)

    def end(self, executor_id: str, incarnation: str, error: SpringaldError) -> None:
        """Ends the link of an executor's life, if it is still there."""
        current, link = self._links.get(executor_id, ("", None))
        if link and current == incarnation:
            del self._links[executor_id]
            self._lives.pop(link, None)
            link.end(error)

    def remove(self, link: ExecutorLink) -> tuple[str, str] | None:
        """Forgets a link that ended; returns whose it was, None if it was replaced before."""
        life = self._lives.pop(link, None)
        if life is None or self._links[life[0]][1] is not link:
            return None
        del self._links[life[0]]
        return life

    def take_all(self) -> list[ExecutorLink]:
        """Forgets all links and returns them."""
        links = [link for _, link in self._links.values()]
        self._links.clear()
        self._lives.clear()
        return links
