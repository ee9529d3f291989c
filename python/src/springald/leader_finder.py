"""Which scheduler leads, as etcd says: for clients and executors that were told no scheduler."""

import time
from collections.abc import Sequence
from typing import Final, cast

import grpc
from google.protobuf.message import DecodeError

from springald.backoff import waits_s
from springald.errors import SchedulerUnavailableError
from springald.etcd.v1 import etcd_pb2
from springald.etcd_address import EtcdAddress, value_key
from springald.limits import ETCD_CALL_MS_MAX
from springald.state.v1 import state_pb2

__all__ = ["LEADER", "WHOLE", "LeaderFinder"]

LEADER: Final = "leader"
"""The key under which the scheduler that leads says so."""

WHOLE: Final = b"\0"
"""What a value begins with that is kept under one key."""

_CALL_S_MAX: Final = ETCD_CALL_MS_MAX / 1000


class LeaderFinder:
    """Asks etcd who leads. Safe to use from many threads.

    It looks when it is called and keeps no connection, because that is seldom: in the beginning,
    and when a scheduler does not answer or does not lead.

    Args:
        address: Where etcd is.
        prefix: Below which the schedulers keep their state.

    Attributes:
        name: What it asks, for people; without passwords.
    """

    def __init__(self, address: EtcdAddress, prefix: str) -> None:
        self._address = address
        self._key = value_key(prefix, LEADER)
        self._trouble = ""
        self.name = f"springald+etcd://{','.join(address.members)}/{prefix}"

    def __call__(self) -> Sequence[str]:
        """Returns `host:port` of the scheduler that leads; nothing if there is none to be found."""
        for member in self._address.members:
            try:
                return self._ask(member)
            except grpc.RpcError as error:
                call = cast("grpc.Call", error)
                self._trouble = f"{member} says {call.code().name} ({call.details()})"
        return []

    def wait(self, timeout_ms: int) -> Sequence[str]:
        """Waits until one leads; returns where it is.

        Raises:
            SchedulerUnavailableError: None does in time.
        """
        for wait_s in waits_s(timeout_ms):
            if found := self():
                return found
            time.sleep(wait_s)
        raise SchedulerUnavailableError(
            f"etcd knows which scheduler leads: got none at {self.name} within {timeout_ms} ms"
            f"{f', {self._trouble}' if self._trouble else ''}; check that one runs with its state "
            "there"
        )

    def _ask(self, member: str) -> Sequence[str]:
        with self._address.channel(member) as channel:
            metadata = (("token", self._token(channel)),) if self._address.user else ()
            method = channel.unary_unary(
                "/etcdserverpb.KV/Range",
                request_serializer=etcd_pb2.RangeRequest.SerializeToString,
                response_deserializer=etcd_pb2.RangeResponse.FromString,
            )
            request = etcd_pb2.RangeRequest(key=self._key)
            response = method(request, timeout=_CALL_S_MAX, metadata=metadata)
        self._trouble = ""
        addresses = (_address_in(each.value) for each in response.kvs)
        return [each for each in addresses if each]

    def _token(self, channel: grpc.Channel) -> str:
        method = channel.unary_unary(
            "/etcdserverpb.Auth/Authenticate",
            request_serializer=etcd_pb2.AuthenticateRequest.SerializeToString,
            response_deserializer=etcd_pb2.AuthenticateResponse.FromString,
        )
        who = etcd_pb2.AuthenticateRequest(name=self._address.user, password=self._address.password)
        return str(method(who, timeout=_CALL_S_MAX).token)


def _address_in(value: bytes) -> str:
    """Reads where the scheduler is that wrote a value; nothing if the value is something else."""
    try:
        scheduler = state_pb2.Scheduler.FromString(value.removeprefix(WHOLE))
    except DecodeError:
        return ""
    return scheduler.address if value.startswith(WHOLE) else ""
