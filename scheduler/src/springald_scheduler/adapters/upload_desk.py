"""Clients that send rows: they wait for a place for them, and until they are stored there."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager

from springald.errors import DeadlineExceededError
from springald_scheduler.codec.failures import failure_to_error
from springald_scheduler.core import actions as do
from springald_scheduler.core import events as on
from springald_scheduler.core.failures import upload_incomplete, upload_not_found
from springald_scheduler.core.records import UploadLocation
from springald_scheduler.core.views import UploadView
from springald_scheduler.limits import UPLOAD_ASSIGNED_SLACK_MS, UPLOAD_STORED_MS_MAX


class UploadDesk:
    """Where uploads wait for what the core decides about them.

    Args:
        post: Tells the core an event.
        look: Looks an upload up, by session id and upload id.
        placed_ms_max: After what time the core gives up to find a place.
    """

    def __init__(
        self,
        post: Callable[[on.Event], object],
        look: Callable[[str, str], UploadView | None],
        placed_ms_max: int,
    ) -> None:
        self._post = post
        self._look = look
        self._placed_ms_max = placed_ms_max
        self._placements: dict[str, Future[str]] = {}
        self._lock = threading.Lock()
        self._storings: dict[str, set[threading.Event]] = {}

    def place(self, event: on.UploadRequested) -> str:
        """Waits for a place for an upload; returns its Flight address.

        Raises:
            SpringaldError: There is none within the named limit.
        """
        placed: Future[str] = Future()
        self._placements[event.upload_id] = placed
        try:
            self._post(event)
            # The core gives up before this; nobody waits for ever if it does not.
            return placed.result((self._placed_ms_max + UPLOAD_ASSIGNED_SLACK_MS) / 1000)
        except TimeoutError:
            self._post(on.UploadReleased(event.session_id, event.upload_id))
            raise DeadlineExceededError(
                f"an upload must find a place within {self._placed_ms_max} ms: "
                f"{event.upload_id} did not; try again"
            ) from None
        finally:
            del self._placements[event.upload_id]

    def wait_stored(self, session_id: str, upload_id: str) -> UploadLocation:
        """Waits until an upload is stored; returns where it lies.

        Raises:
            SpringaldError: The session has no such upload, or it is not stored in time.
        """
        with self._waiting(upload_id) as news:
            view = self._view(session_id, upload_id)
            if view.location is None and news.wait(UPLOAD_STORED_MS_MAX / 1000):
                view = self._view(session_id, upload_id)
        if view.location is None:
            raise failure_to_error(upload_incomplete(upload_id))
        return view.location

    def tell(self, action: do.AssignUpload | do.RefuseUpload | do.AnnounceUpload) -> None:
        """Tells who waits what the core decided."""
        placement = self._placements.get(action.upload_id)
        match action:
            case do.AssignUpload():
                if placement:
                    placement.set_result(action.flight_address)
            case do.RefuseUpload():
                if placement and not placement.done():
                    placement.set_exception(failure_to_error(action.failure))
                self._wake(action.upload_id)
            case do.AnnounceUpload():
                self._wake(action.upload_id)

    @contextmanager
    def _waiting(self, upload_id: str) -> Iterator[threading.Event]:
        """Yields what is set when there is news of an upload; each who waits has its own."""
        news = threading.Event()
        with self._lock:
            self._storings.setdefault(upload_id, set()).add(news)
        try:
            yield news
        finally:
            with self._lock:
                self._storings[upload_id].discard(news)
                if not self._storings[upload_id]:
                    del self._storings[upload_id]

    def _wake(self, upload_id: str) -> None:
        with self._lock:
            for news in self._storings.get(upload_id, ()):
                news.set()

    def _view(self, session_id: str, upload_id: str) -> UploadView:
        view = self._look(session_id, upload_id)
        if view is None:
            raise failure_to_error(upload_not_found(upload_id))
        return view
