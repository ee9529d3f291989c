"""Records of a store as another process writes them, for one that only reads.

A copy is kept up to date by a watch. Whoever reads is given what is at least as new as all that was
written when it asked: the leader marks each of its writes in the same transaction, the mark is read
from the store itself, and the copy is waited for until it has that revision.
"""

import threading
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final

import structlog

from springald.errors import MessageGarbledError
from springald_scheduler.adapters.journal import RECORDED, RECORDS, key_of, record_of
from springald_scheduler.adapters.stores.interface import (
    Change,
    StateStore,
    StoreError,
    Watch,
)
from springald_scheduler.core.records import (
    ExecutorRecord,
    JobRecord,
    Key,
    Record,
    SessionRecord,
    executor_key,
    job_key,
    session_key,
)
from springald_scheduler.limits import MIRROR_BEHIND_MS_MAX, MIRROR_RETRY_MS

log = structlog.get_logger("springald.state")

_RECORD: Final = f"{RECORDS}/"
_JOB: Final = job_key("")[0]
_EXECUTOR: Final = executor_key("")[0]


class Mirror:
    """A copy of a store's records, while it is begun.

    Args:
        store: Keeps them; the caller closes it, after the mirror.
    """

    def __init__(self, store: StateStore) -> None:
        self._store = store
        self._changed = threading.Condition()
        self._kept: dict[Key, dict[Key, _Kept]] = {}
        self._revision = -1
        self._watch: Watch | None = None
        self._life = threading.Event()
        self._life.set()

    def begin(self) -> None:
        """Makes the copy, and follows what is written from now on."""
        self._life = ended = threading.Event()
        work = partial(self._run, ended)
        threading.Thread(target=work, name="springald-mirror", daemon=True).start()

    def end(self) -> None:
        """Follows nothing more, and forgets the copy. Ending it again does nothing.

        Its thread ends soon; a store that is slow to answer it holds nobody up.
        """
        with self._changed:
            self._life.set()
            if self._watch:
                self._watch.close()
            self._forget()

    def look(self) -> "Records":
        """Returns the records, as new as those that were written before this was called.

        Raises:
            StoreError: The store does not answer, or the copy is behind for too long.
        """
        mark = self._store.get(RECORDED)
        wanted = mark.revision if mark else 0
        with self._changed:
            behind_s = MIRROR_BEHIND_MS_MAX / 1000
            self._changed.wait_for(
                lambda: self._revision >= wanted or self._life.is_set(), behind_s
            )
            if self._revision < wanted:
                raise StoreError(
                    f"a copy of records is at most {MIRROR_BEHIND_MS_MAX} ms behind: got revision "
                    f"{self._revision} instead of {wanted}"
                )
            return Records(dict(self._kept))

    def _run(self, ended: threading.Event) -> None:
        while not ended.is_set():
            try:
                self._follow(ended)
            except StoreError as error:
                log.warning("records are copied again", reason=error.message)
            ended.wait(MIRROR_RETRY_MS / 1000)

    def _follow(self, ended: threading.Event) -> None:
        """Copies everything, and then what changes, until the watch ends."""
        found = self._store.scan(RECORDS)
        watch = self._store.watch(RECORDS, found.revision)
        try:
            with self._changed:
                if ended.is_set():
                    return
                self._watch = watch
                for entry in found.entries:
                    self._keep(entry.key, entry.value)
                self._revision = found.revision
                self._changed.notify_all()
            for changes in watch:
                self._take(changes, ended)
        finally:
            watch.close()
            with self._changed:
                if not ended.is_set():
                    self._forget()

    def _take(self, changes: Sequence[Change], ended: threading.Event) -> None:
        with self._changed:
            if ended.is_set():
                return
            for change in changes:
                self._keep(change.key, change.value)
            self._revision = changes[-1].revision
            self._changed.notify_all()

    def _keep(self, path: str, value: bytes | None) -> None:
        """Replaces what is kept of one subject; those who look at it go on with what they have."""
        if not path.startswith(_RECORD):
            return
        key = key_of(path)
        changed = {each: kept for each, kept in self._kept.get(key[:2], {}).items() if each != key}
        if value is not None:
            changed[key] = _Kept(path, value)
        if changed:
            self._kept[key[:2]] = changed
        else:
            self._kept.pop(key[:2], None)

    def _forget(self) -> None:
        self._watch = None
        self._kept = {}
        self._revision = -1
        self._changed.notify_all()


class Records:
    """All records as they were at one moment; one is read when somebody wants it.

    Args:
        kept: What is kept, by the subject: the first two parts of its keys.
    """

    def __init__(self, kept: "Mapping[Key, Mapping[Key, _Kept]]") -> None:
        self._kept = kept

    def session(self, session_id: str) -> SessionRecord | None:
        """Returns a session's record, or None."""
        found = self._read(session_key(session_id))
        return found if isinstance(found, SessionRecord) else None

    def jobs(self) -> list[JobRecord]:
        """Returns the records of all jobs, without their stages."""
        subjects = (self._read(key) for key in self._kept if key[0] == _JOB)
        return [each for each in subjects if isinstance(each, JobRecord)]

    def executors(self) -> list[ExecutorRecord]:
        """Returns the records of all executors."""
        found = (self._read(key) for key in self._kept if key[0] == _EXECUTOR)
        return [each for each in found if isinstance(each, ExecutorRecord)]

    def of_job(self, job_id: str) -> list[Record]:
        """Returns all records of a job."""
        kept = self._kept.get(job_key(job_id), {}).values()
        return [record for each in kept if (record := each.record) is not None]

    def _read(self, key: Key) -> Record | None:
        kept = self._kept.get(key, {}).get(key)
        return kept.record if kept else None


class _Kept:
    """A value, read when somebody wants it."""

    def __init__(self, path: str, value: bytes) -> None:
        self._path = path
        self._value = value
        self._record: Record | None = None

    @property
    def record(self) -> Record | None:
        """The record; None if the value is none, which the next leader sets aside."""
        if self._record is None and self._value:
            try:
                self._record = record_of(self._path, self._value)
            except MessageGarbledError as error:
                log.warning("value is no record", key=self._path, reason=error.message)
            self._value = b""
        return self._record


__all__ = ["Mirror", "Records"]
