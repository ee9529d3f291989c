"""The schedulers of a cluster: which one to ask, and which one when that does not answer."""

import threading
from collections.abc import Callable, Sequence

import grpc

from springald import client_limits
from springald.limits import MESSAGE_BYTES_MAX
from springald.scheduler.v1.scheduler_pb2_grpc import SchedulerServiceStub

__all__ = ["Endpoint", "Endpoints"]

Finder = Callable[[], Sequence[str]]


class Endpoint:
    """A channel to one scheduler.

    Args:
        address: `host:port`.
        several: Whether there are others to turn to; then its silence is noticed sooner.
    """

    def __init__(self, address: str, *, several: bool) -> None:
        self.address = address
        self.channel = grpc.insecure_channel(address, options=_options(several=several))
        self.stub = SchedulerServiceStub(self.channel)

    @property
    def peer(self) -> str:
        """What it is called in errors."""
        return f"the scheduler at {self.address}"


class Endpoints:
    """The schedulers that are known, of which one is current.

    Example:
        >>> endpoints = Endpoints(["a:1", "b:2"])
        >>> endpoints.current.address
        'a:1'
        >>> endpoints.leave(endpoints.current)
        >>> endpoints.current.address
        'b:2'
        >>> endpoints.leave(endpoints.current, "c:3")
        >>> endpoints.current.address
        'c:3'
        >>> endpoints.close()

    Args:
        addresses: Where they are, at least one unless they are found.
        find: Tells where they are now, the one that leads first; raises nothing.
    """

    def __init__(self, addresses: Sequence[str], find: Finder | None = None) -> None:
        self._find = find
        self._addresses = list(addresses)
        self._several = len(addresses) > 1 or find is not None
        self._lock = threading.Lock()
        self._made: dict[str, Endpoint] = {}
        self._current = self._made_for(self._addresses[0])

    @property
    def current(self) -> Endpoint:
        """The scheduler to ask now."""
        return self._current

    def leave(self, endpoint: Endpoint, leader_address: str = "") -> None:
        """Turns to another scheduler, unless somebody did so meanwhile.

        Args:
            endpoint: The one that did not answer, or does not lead.
            leader_address: The one that leads, as far as that is known.
        """
        found = list(self._find()) if self._find and not leader_address else []
        with self._lock:
            if endpoint is not self._current:
                return
            self._addresses += [each for each in found if each not in self._addresses]
            if leader_address and leader_address not in self._addresses:
                self._addresses.append(leader_address)
            following = leader_address or _after(endpoint.address, found or self._addresses)
            self._current = self._made_for(following)

    def close(self) -> None:
        """Closes all channels."""
        with self._lock:
            for endpoint in self._made.values():
                endpoint.channel.close()

    def _made_for(self, address: str) -> Endpoint:
        if address not in self._made:
            self._made[address] = Endpoint(address, several=self._several)
        return self._made[address]


def _after(address: str, addresses: Sequence[str]) -> str:
    """Returns the address after one; the first if that is the last, or not among them."""
    place = addresses.index(address) + 1 if address in addresses else 0
    return addresses[place % len(addresses)]


def _options(*, several: bool) -> list[tuple[str, int]]:
    interval_ms = client_limits.KEEPALIVE_INTERVAL_MS
    answer_ms = client_limits.KEEPALIVE_ANSWER_MS_MAX
    if several:
        interval_ms = client_limits.KEEPALIVE_INTERVAL_OF_SEVERAL_MS
        answer_ms = client_limits.KEEPALIVE_ANSWER_OF_SEVERAL_MS_MAX
    return [
        ("grpc.max_send_message_length", MESSAGE_BYTES_MAX),
        ("grpc.max_receive_message_length", MESSAGE_BYTES_MAX),
        ("grpc.keepalive_time_ms", interval_ms),
        ("grpc.keepalive_timeout_ms", answer_ms),
        # Otherwise a stream that is quiet for long is probed no more.
        ("grpc.http2.max_pings_without_data", 0),
        ("grpc.keepalive_permit_without_calls", 1),
        ("grpc.http2.ping_timeout_ms", answer_ms),
        ("grpc.initial_reconnect_backoff_ms", client_limits.BACKOFF_FIRST_MS),
        ("grpc.max_reconnect_backoff_ms", client_limits.RECONNECT_MS_MAX),
        # A cluster is reached directly, whatever proxy the environment names for the web.
        ("grpc.enable_http_proxy", 0),
        # Channels would share one backoff: a new connection must try at once, not wait for an old
        # one.
        ("grpc.use_local_subchannel_pool", 1),
    ]
