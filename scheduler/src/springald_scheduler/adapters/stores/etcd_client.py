"""Calls of etcd's version 3 interface: one member after the other until one answers."""

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, Final, TypeVar, cast

import grpc
from google.protobuf.message import Message

from springald.etcd.v1 import etcd_pb2 as pb
from springald.etcd_address import EtcdAddress
from springald.limits import ETCD_CALL_MS_MAX
from springald_scheduler.adapters.stores.interface import StoreError, StoreFullError

_ResponseT = TypeVar("_ResponseT", bound=Message)
_AnswerT = TypeVar("_AnswerT")

_NOT_SENT: Final = ("failed to connect", "connection refused", "name resolution", "dns")
_LOST_LEASE: Final = "requested lease not found"


class LeaseLostError(StoreError):
    """A write was asked for under a lease that has ended; nothing was written."""


class EtcdClient:
    """A connection to an etcd cluster; safe to use from many threads.

    Args:
        address: Where it is.
        call_ms_max: How long one member may take to answer one call.
    """

    def __init__(self, address: EtcdAddress, call_ms_max: int = ETCD_CALL_MS_MAX) -> None:
        self._address = address
        self._call_s = call_ms_max / 1000
        self._channels = [address.channel(member) for member in address.members]
        self._lock = threading.Lock()
        self._current = 0
        self._token = ""
        self._closed = threading.Event()

    def close(self) -> None:
        """Closes all connections; waiting calls fail."""
        self._closed.set()
        for channel in self._channels:
            channel.close()

    def range(self, request: pb.RangeRequest) -> pb.RangeResponse:
        """Reads keys; asked again of each other member.

        Raises:
            StoreError: No member answered.
        """
        failure: StoreError | None = None
        for _ in range(len(self._channels) + 1):
            try:
                return self._call("/etcdserverpb.KV/Range", request, pb.RangeResponse)
            except StoreFullError:
                raise
            except StoreError as error:
                failure = error
                if self._closed.wait(0.02):
                    break
        raise failure or StoreError("an etcd cluster has a member: got none")

    def transact(self, request: pb.TxnRequest) -> pb.TxnResponse:
        """Carries out a transaction, asked for once.

        Raises:
            StoreError: It is not known whether it was carried out.
            LeaseLostError: It was not, because its lease has ended.
        """
        return self._call("/etcdserverpb.KV/Txn", request, pb.TxnResponse)

    def grant(self, ttl_s: int) -> int:
        """Begins a lease; returns its id."""
        request = pb.LeaseGrantRequest(ttl=ttl_s)
        return self._call("/etcdserverpb.Lease/LeaseGrant", request, pb.LeaseGrantResponse).id

    def revoke(self, lease_id: int) -> None:
        """Ends a lease; one that has ended stays so."""
        try:
            request = pb.LeaseRevokeRequest(id=lease_id)
            self._call("/etcdserverpb.Lease/LeaseRevoke", request, pb.LeaseRevokeResponse)
        except LeaseLostError:
            return

    def keep(self, lease_id: int) -> bool:
        """Keeps a lease; returns False if it has ended."""
        request = pb.LeaseKeepAliveRequest(id=lease_id)
        path = "/etcdserverpb.Lease/LeaseKeepAlive"

        def first(channel: grpc.Channel, metadata: "_Metadata") -> pb.LeaseKeepAliveResponse:
            method = channel.stream_stream(
                path,
                request_serializer=pb.LeaseKeepAliveRequest.SerializeToString,
                response_deserializer=pb.LeaseKeepAliveResponse.FromString,
            )
            call = method(iter([request]), timeout=self._call_s, metadata=metadata)
            try:
                return next(call)
            except StopIteration:
                raise StoreError("etcd answers each sign of life: got none") from None
            finally:
                call.cancel()

        return self._with_member(first).ttl > 0

    def watch(self, request: pb.WatchCreateRequest) -> "WatchCall":
        """Opens a stream of changes at one member.

        Raises:
            StoreError: None answered.
        """

        def opened(channel: grpc.Channel, metadata: "_Metadata") -> WatchCall:
            method = channel.stream_stream(
                "/etcdserverpb.Watch/Watch",
                request_serializer=pb.WatchRequest.SerializeToString,
                response_deserializer=pb.WatchResponse.FromString,
            )
            ended = threading.Event()

            def requests() -> Iterator[pb.WatchRequest]:
                yield pb.WatchRequest(create_request=request)
                ended.wait()

            # A member that has lost the others ends the stream instead of staying silent.
            metadata = (*metadata, ("hasleader", "true"))
            return WatchCall(method(requests(), metadata=metadata), ended, self._failed)

        return self._with_member(opened)

    def _call(self, path: str, request: Message, kind: type[_ResponseT]) -> _ResponseT:
        def asked(channel: grpc.Channel, metadata: "_Metadata") -> _ResponseT:
            method = channel.unary_unary(
                path,
                request_serializer=type(request).SerializeToString,
                response_deserializer=kind.FromString,
            )
            return method(request, timeout=self._call_s, metadata=metadata)

        return self._with_member(asked)

    def _with_member(self, ask: "Callable[[grpc.Channel, _Metadata], _AnswerT]") -> _AnswerT:
        """Asks the current member; another one if it was never reached, or knows no token."""
        failure: StoreError | None = None
        for _ in range(len(self._channels) + 1):
            number = self._current
            try:
                return ask(self._channels[number], self._metadata(number))
            except grpc.RpcError as error:
                failure = self._failed(error, number)
                if _is_token_refused(error) and self._address.user:
                    self._token = ""
                elif not _is_not_sent(error):
                    raise failure from None
            except ValueError as error:
                raise StoreError("a store is open: got a call after it was closed") from error
        raise failure or StoreError("an etcd cluster has a member: got none")

    def _failed(self, error: grpc.RpcError, number: int | None = None) -> StoreError:
        """Turns to the next member where that may help; returns what went wrong."""
        call = cast("grpc.Call", error)
        code, details = call.code(), call.details() or ""
        if _LOST_LEASE in details:
            return LeaseLostError(f"a lease lasts until it is written under: etcd says {details}")
        if "space exceeded" in details:
            return StoreFullError(
                f"etcd has room for a scheduler's state: it says {details}; raise its quota, or "
                "compact and defragment it"
            )
        with self._lock:
            if number in {None, self._current}:
                self._current = (self._current + 1) % len(self._channels)
        members = ", ".join(self._address.members)
        return StoreError(
            f"etcd answers within {self._call_s:g} s: got {code.name} ({details}) from one of "
            f"{members}; check that a majority of its members run"
        )

    def _metadata(self, number: int) -> "_Metadata":
        if not self._address.user:
            return ()
        if not self._token:
            method = self._channels[number].unary_unary(
                "/etcdserverpb.Auth/Authenticate",
                request_serializer=pb.AuthenticateRequest.SerializeToString,
                response_deserializer=pb.AuthenticateResponse.FromString,
            )
            request = pb.AuthenticateRequest(
                name=self._address.user, password=self._address.password
            )
            try:
                self._token = method(request, timeout=self._call_s).token
            except grpc.RpcError as error:
                if _is_not_sent(error):
                    raise
                details = cast("grpc.Call", error).details() or ""
                raise StoreError(
                    f"etcd knows user {self._address.user!r} by the password: it says {details}"
                ) from None
        return (("token", self._token),)


class WatchCall:
    """One stream of changes."""

    def __init__(
        self,
        call: Any,  # noqa: ANN401 - gRPC's own name for it is private
        ended: threading.Event,
        failed: Callable[[grpc.RpcError], StoreError],
    ) -> None:
        self._call = call
        self._ended = ended
        self._failed = failed

    def __iter__(self) -> Iterator[pb.WatchResponse]:
        """Yields what comes.

        Raises:
            StoreError: The stream broke.
        """
        try:
            yield from self._call
        except grpc.RpcError as error:
            raise self._failed(error) from None

    def close(self) -> None:
        """Ends the stream."""
        self._ended.set()
        self._call.cancel()


_Metadata = tuple[tuple[str, str], ...]


def wait_members(client: EtcdClient, timeout_s: float) -> None:
    """Waits until the cluster answers.

    Raises:
        StoreError: It does not in time.
    """
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            client.range(pb.RangeRequest(key=b"\0"))
        except StoreError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
        else:
            return


def _is_not_sent(error: grpc.RpcError) -> bool:
    """True if a member was never asked, so that asking another one is safe."""
    call = cast("grpc.Call", error)
    details = (call.details() or "").lower()
    return call.code() is grpc.StatusCode.UNAVAILABLE and any(each in details for each in _NOT_SENT)


def _is_token_refused(error: grpc.RpcError) -> bool:
    call = cast("grpc.Call", error)
    return call.code() is grpc.StatusCode.UNAUTHENTICATED or "auth token" in (call.details() or "")
