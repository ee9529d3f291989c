"""What a server's calls go to: the scheduler while it leads, and one that only reads otherwise."""

from collections.abc import Callable
from typing import Any

from springald.errors import NotLeaderError
from springald.executor.v1.executor_pb2 import ConnectRequest
from springald_scheduler.adapters.executor_link import ExecutorLink
from springald_scheduler.adapters.grpc_server import ExecutorDesk


class Desks:
    """Both desks of a scheduler that may lead or not.

    Args:
        leader_address: Tells where the scheduler is that leads.
        follower: Answers clients while this one does not lead, as far as that is possible.
    """

    def __init__(self, leader_address: Callable[[], str], follower: object) -> None:
        self._leader_address = leader_address
        self._follower = follower
        self._now: tuple[Any, ExecutorDesk] | None = None

    def open(self, api: object, desk: ExecutorDesk) -> None:
        """Has calls answered here from now on."""
        self._now = (api, desk)

    def close(self) -> None:
        """Has calls sent elsewhere from now on."""
        self._now = None

    def __getattr__(self, name: str) -> Callable[[Any], Any]:
        """Returns a call of clients, which finds out who answers it when it is made."""

        def call(request: Any) -> Any:  # noqa: ANN401 - of any kind
            now = self._now
            return getattr(now[0] if now else self._follower, name)(request)

        return call

    def receive(self, link: ExecutorLink, message: ConnectRequest) -> None:
        """See `ExecutorDesk.receive`."""
        if self._now is None:
            raise NotLeaderError.of(self._leader_address(), "tasks")
        self._now[1].receive(link, message)

    def disconnect(self, link: ExecutorLink, reason: str) -> None:
        """See `ExecutorDesk.disconnect`."""
        if self._now is not None:
            self._now[1].disconnect(link, reason)
