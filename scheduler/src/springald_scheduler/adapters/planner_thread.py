"""The planner on a thread of its own, for local mode: one call at a time, on a large stack."""

import threading
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future
from pathlib import Path
from queue import SimpleQueue
from typing import Any, Final, TypeVar
from weakref import WeakValueDictionary

from springald.engine.catalog import AllowedPaths
from springald.errors import SchedulerUnavailableError
from springald_scheduler.planning.model import (
    Answered,
    ClusterShape,
    Planned,
    SessionSnapshot,
    TableInfo,
    Upload,
)
from springald_scheduler.planning.plan_cache import PlanCache
from springald_scheduler.planning.planner import Planner
from springald_scheduler.planning.reading import Statement

_STACK_BYTES: Final = 256 * 1024 * 1024
"""The stack that the engine plans on; only what is used takes memory."""

_PLANS: "Final[WeakValueDictionary[tuple[str, ...], PlanCache]]" = WeakValueDictionary()
"""Plans that the planners of this process share: each connection in local mode has one."""

_ResultT = TypeVar("_ResultT")
_Call = tuple["Future[Any]", Callable[[], Any]]


def _plans_over(folders: tuple[str, ...]) -> PlanCache:
    """Returns the plans of planners with the same folders; they go with the last planner."""
    return _PLANS.setdefault(folders, PlanCache(AllowedPaths(folders)))


class PlannerThread:
    """Offers `Planner`'s calls; safe to use from many threads."""

    def __init__(self, allowed_paths: Iterable[str | Path], work_dir: Path) -> None:
        """Starts the thread."""
        folders = tuple(map(str, allowed_paths))
        self._planner = Planner(folders, work_dir, _plans_over(folders))
        self._calls: SimpleQueue[_Call | None] = SimpleQueue()
        self._closed = False
        former = threading.stack_size(_STACK_BYTES)
        try:
            thread = threading.Thread(target=self._serve, name="springald-planner", daemon=True)
            thread.start()
        finally:
            threading.stack_size(former)

    def _serve(self) -> None:
        while (call := self._calls.get()) is not None:
            future, work = call
            try:
                future.set_result(work())
            except Exception as error:  # noqa: BLE001 - raised where the call was made
                future.set_exception(error)

    def _do(self, work: Callable[[], _ResultT]) -> _ResultT:
        if self._closed:
            raise SchedulerUnavailableError("a planner must run: this one was closed")
        future: Future[_ResultT] = Future()
        self._calls.put((future, work))
        return future.result()

    def open_session(self, session_id: str, settings: Mapping[str, str]) -> None:
        """See `Planner.open_session`."""
        self._do(lambda: self._planner.open_session(session_id, settings))

    def restore_session(self, session_id: str, catalog: SessionSnapshot) -> None:
        """See `Planner.restore_session`."""
        self._do(lambda: self._planner.restore_session(session_id, catalog))

    def catalog(self, session_id: str) -> SessionSnapshot | None:
        """See `Planner.catalog`; sessions end with the process."""
        del session_id
        return None

    def close_session(self, session_id: str) -> None:
        """See `Planner.close_session`."""
        self._do(lambda: self._planner.close_session(session_id))

    def run(self, session_id: str, statement: Statement, shape: ClusterShape) -> Answered | Planned:
        """See `Planner.run`."""
        return self._do(lambda: self._planner.run(session_id, statement, shape))

    def describe(self, session_id: str, statement: Statement) -> bytes:
        """See `Planner.describe`."""
        return self._do(lambda: self._planner.describe(session_id, statement))

    def register_files(
        self,
        session_id: str,
        name: str,
        file_format: str,
        path: str,
        options: Iterable[tuple[str, str]],
    ) -> TableInfo:
        """See `Planner.register_files`."""
        register = self._planner.register_files
        return self._do(lambda: register(session_id, name, file_format, path, options))

    def register_upload(self, session_id: str, name: str, upload: Upload) -> TableInfo:
        """See `Planner.register_upload`."""
        return self._do(lambda: self._planner.register_upload(session_id, name, upload))

    def list_tables(self, session_id: str) -> list[TableInfo]:
        """See `Planner.list_tables`."""
        return self._do(lambda: self._planner.list_tables(session_id))

    def close(self) -> None:
        """Ends the thread after the calls that were made."""
        self._closed = True
        self._calls.put(None)
