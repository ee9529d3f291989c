"""State in an etcd cluster, for several schedulers.

Keys lie below a prefix: what is kept in `.values/`, and parts of large values in `.parts/`. etcd
takes requests of 1.5 MB, so a large value is written in parts first, in transactions of their own
under the same conditions; its key then holds their digest.
"""

import hashlib
from collections.abc import Iterator, Sequence
from itertools import groupby
from threading import Event
from typing import Final

import structlog

from springald.errors import InvalidArgumentError
from springald.etcd.v1 import etcd_pb2 as pb
from springald.etcd_address import EtcdAddress, value_key
from springald.leader_finder import WHOLE
from springald_scheduler.adapters.stores.etcd_client import (
    EtcdClient,
    LeaseLostError,
    WatchCall,
)
from springald_scheduler.adapters.stores.interface import (
    Change,
    Delete,
    Entry,
    Lease,
    Put,
    Snapshot,
    StoreError,
    Unchanged,
    WatchLostError,
    Write,
)
from springald_scheduler.limits import ETCD_PAGE_KEYS, ETCD_RETRY_MS

log = structlog.get_logger("springald.state")

PART_BYTES: Final = 512 * 1024
"""A value above this is written in parts of this size."""

_PARTS: Final = ".parts/"
_IN_PARTS: Final = b"\1"
_MOD_REVISION: Final = 2
_PUT: Final = 0


class EtcdStateStore:
    """Keeps entries in etcd; see `StateStore`.

    Args:
        address: Where it is.
        prefix: Below which all keys lie; two clusters have two prefixes.

    Raises:
        InvalidArgumentError: A file of the encryption cannot be read, or the prefix has a part
            that begins with a dot.
    """

    def __init__(self, address: EtcdAddress, prefix: str = "springald") -> None:
        if "/." in f"/{prefix}":
            raise InvalidArgumentError(
                f"no part of a prefix begins with a dot: got {prefix!r}; name another one"
            )
        self._prefix = f"{prefix.strip('/')}/"
        self.name = f"etcd://{','.join(address.members)}/{prefix.strip('/')}"
        self._values = value_key(self._prefix, "").decode()
        self._client = EtcdClient(address)
        self._in_parts: set[str] = set()
        self._watches: set[_Watch] = set()

    def get(self, key: str) -> Entry | None:
        """See `StateStore.get`."""
        response = self._client.range(pb.RangeRequest(key=self._value_key(key)))
        if not response.kvs:
            return None
        return self._entry(response.kvs[0], response.header.revision)

    def scan(self, prefix: str) -> Snapshot:
        """See `StateStore.scan`."""
        found, revision = self._range(self._value_key(prefix), 0)
        return Snapshot(tuple(self._entry(each, revision) for each in found), revision)

    def watch(self, prefix: str, after: int) -> "_Watch":
        """See `StateStore.watch`."""
        watch = _Watch(self, self._client, prefix, after)
        self._watches.add(watch)
        return watch

    def transact(self, conditions: Sequence[Unchanged], writes: Sequence[Write]) -> int | None:
        """See `StateStore.transact`."""
        compare = [
            pb.Compare(
                target=_MOD_REVISION, key=self._value_key(each.key), mod_revision=each.revision
            )
            for each in conditions
        ]
        steps: list[pb.RequestOp] = []
        for write in writes:
            if isinstance(write, Delete):
                steps += self._deletes(write)
            elif len(write.value) <= PART_BYTES:
                steps += self._put(write, WHOLE + write.value)
            else:
                digest = hashlib.sha256(write.value).digest()
                if not self._put_parts(compare, write, digest):
                    return None
                steps += self._put(write, _IN_PARTS + digest)
                steps += self._delete_other_parts(write.key, digest)
        return self._transact(compare, steps)

    def lease(self, ttl_ms: int) -> "_Lease":
        """See `StateStore.lease`."""
        return _Lease(self._client, self._client.grant(-(-ttl_ms // 1000)))

    def close(self) -> None:
        """See `StateStore.close`."""
        for watch in list(self._watches):
            watch.close()
        self._client.close()

    # For watches.

    def forget(self, watch: "_Watch") -> None:
        """Forgets a watch that was closed."""
        self._watches.discard(watch)

    def range_of(self, prefix: str) -> tuple[bytes, bytes]:
        """Returns the first key of a prefix, and the first one beyond it."""
        first = self._value_key(prefix)
        return first, _beyond(first)

    def change(self, event: pb.Event, revision: int) -> Change:
        """Reads a change."""
        key = event.kv.key.decode(errors="replace").removeprefix(self._values)
        if event.type != _PUT:
            return Change(key, None, event.kv.mod_revision)
        entry = self._entry(event.kv, revision)
        return Change(entry.key, entry.value, entry.revision)

    # Keys and values.

    def _value_key(self, key: str) -> bytes:
        return value_key(self._prefix, key)

    def _part_key(self, key: str, digest: bytes, number: int) -> bytes:
        return f"{self._prefix}{_PARTS}{key}/{digest.hex()}/{number:06}".encode()

    def _parts_prefix(self, key: str, digest: bytes | None = None) -> bytes:
        ending = f"/{digest.hex()}/" if digest else ""
        return f"{self._prefix}{_PARTS}{key}{ending}".encode()

    def _range(self, prefix: bytes, revision: int) -> tuple[list[pb.KeyValue], int]:
        """Reads all keys with a prefix, in pages of one revision."""
        found: list[pb.KeyValue] = []
        first, end = prefix, _beyond(prefix)
        while True:
            request = pb.RangeRequest(
                key=first, range_end=end, limit=ETCD_PAGE_KEYS, revision=revision
            )
            response = self._client.range(request)
            revision = revision or response.header.revision
            found += response.kvs
            if not response.more:
                return found, revision
            first = response.kvs[-1].key + b"\0"

    def _entry(self, kv: pb.KeyValue, revision: int) -> Entry:
        key = kv.key.decode(errors="replace").removeprefix(self._values)
        tag, value = kv.value[:1], kv.value[1:]
        if tag == WHOLE:
            return Entry(key, value, kv.mod_revision)
        if tag != _IN_PARTS:
            log.warning("value is not of a scheduler", key=key)
            return Entry(key, b"", kv.mod_revision, kv.value)
        self._in_parts.add(key)
        parts, _ = self._range(self._parts_prefix(key, value), revision)
        joined = b"".join(each.value for each in parts)
        if hashlib.sha256(joined).digest() != value:
            log.warning("parts of a value are not what was written", key=key)
            return Entry(key, b"", kv.mod_revision, kv.value + joined)
        return Entry(key, joined, kv.mod_revision)

    # Writes.

    def _put(self, write: Put, value: bytes) -> Iterator[pb.RequestOp]:
        lease_id = write.lease.lease_id if isinstance(write.lease, _Lease) else 0
        request = pb.PutRequest(key=self._value_key(write.key), value=value, lease=lease_id)
        yield pb.RequestOp(request_put=request)
        if value[:1] == WHOLE and write.key in self._in_parts:
            self._in_parts.discard(write.key)
            yield _delete_prefix(self._parts_prefix(write.key) + b"/")

    def _put_parts(self, compare: Sequence[pb.Compare], write: Put, digest: bytes) -> bool:
        self._in_parts.add(write.key)
        for number, start in enumerate(range(0, len(write.value), PART_BYTES)):
            put = pb.PutRequest(
                key=self._part_key(write.key, digest, number),
                value=write.value[start : start + PART_BYTES],
            )
            if self._transact(compare, [pb.RequestOp(request_put=put)]) is None:
                return False
        return True

    def _delete_other_parts(self, key: str, digest: bytes) -> Iterator[pb.RequestOp]:
        """Yields what removes parts of former values, which nobody points at any more."""
        whole, mine = self._parts_prefix(key) + b"/", self._parts_prefix(key, digest)
        for first, end in ((whole, mine), (_beyond(mine), _beyond(whole))):
            request = pb.DeleteRangeRequest(key=first, range_end=end)
            yield pb.RequestOp(request_delete_range=request)

    def _deletes(self, write: Delete) -> Iterator[pb.RequestOp]:
        key = self._value_key(write.key)
        if write.prefix:
            yield _delete_prefix(key)
            yield _delete_prefix(self._parts_prefix(write.key))
            return
        yield pb.RequestOp(request_delete_range=pb.DeleteRangeRequest(key=key))
        if write.key in self._in_parts:
            self._in_parts.discard(write.key)
            yield _delete_prefix(self._parts_prefix(write.key) + b"/")

    def _transact(self, compare: Sequence[pb.Compare], steps: Sequence[pb.RequestOp]) -> int | None:
        try:
            response = self._client.transact(pb.TxnRequest(compare=compare, success=steps))
        except LeaseLostError:
            return None
        return response.header.revision if response.succeeded else None


class _Lease:
    """A lease of etcd."""

    def __init__(self, client: EtcdClient, lease_id: int) -> None:
        self._client = client
        self.lease_id = lease_id

    def keep(self) -> bool:
        """See `Lease.keep`."""
        return self._client.keep(self.lease_id)

    def revoke(self) -> None:
        """See `Lease.revoke`."""
        self._client.revoke(self.lease_id)


class _Watch:
    """A watch that goes on over broken streams, from the revision that it has seen last."""

    def __init__(self, store: EtcdStateStore, client: EtcdClient, prefix: str, after: int) -> None:
        self._store = store
        self._client = client
        self._range = store.range_of(prefix)
        self._seen = after
        self._closed = Event()
        self._call: WatchCall | None = None

    def __iter__(self) -> Iterator[tuple[Change, ...]]:
        """See `Watch.__iter__`."""
        while not self._closed.is_set():
            try:
                yield from self._follow()
            except WatchLostError:
                raise
            except StoreError as error:
                if not self._closed.is_set():
                    log.warning("watch is opened again", reason=error.message)
            self._closed.wait(ETCD_RETRY_MS / 1000)

    def _follow(self) -> Iterator[tuple[Change, ...]]:
        key, end = self._range
        request = pb.WatchCreateRequest(key=key, range_end=end, start_revision=self._seen + 1)
        self._call = self._client.watch(request)
        if self._closed.is_set():
            self._call.close()
        try:
            for response in self._call:
                if response.compact_revision:
                    raise WatchLostError(
                        f"a watch begins at a revision that etcd still knows: got {self._seen}, "
                        f"and it knows those from {response.compact_revision}"
                    )
                if response.canceled:
                    return
                yield from self._changes(response)
        finally:
            self._call.close()

    def _changes(self, response: pb.WatchResponse) -> Iterator[tuple[Change, ...]]:
        """Yields the changes of each revision; a revision never comes in two responses."""
        for revision, events in groupby(response.events, lambda each: each.kv.mod_revision):
            changes = tuple(self._store.change(event, revision) for event in events)
            self._seen = revision
            yield changes

    def close(self) -> None:
        """See `Watch.close`."""
        self._closed.set()
        self._store.forget(self)
        if self._call:
            self._call.close()


def _beyond(prefix: bytes) -> bytes:
    """Returns the first key after all that begin with a prefix; keys are UTF-8, without 0xFF."""
    return prefix[:-1] + bytes([prefix[-1] + 1])


def _delete_prefix(prefix: bytes) -> pb.RequestOp:
    request = pb.DeleteRangeRequest(key=prefix, range_end=_beyond(prefix))
    return pb.RequestOp(request_delete_range=request)


__all__ = ["PART_BYTES", "EtcdStateStore", "Lease"]
