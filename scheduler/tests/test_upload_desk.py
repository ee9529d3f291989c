"""Clients that wait for an upload to be stored: each has news of it, whoever waits beside it."""

from concurrent.futures import ThreadPoolExecutor

import pytest
from scheduler_kit import DEADLINE_S, wait_until

from springald.errors import InvalidArgumentError
from springald_scheduler.adapters import upload_desk
from springald_scheduler.adapters.upload_desk import UploadDesk
from springald_scheduler.core.actions import Action, AnnounceUpload, RefuseUpload
from springald_scheduler.core.events import Event
from springald_scheduler.core.failures import upload_not_found
from springald_scheduler.core.records import UploadLocation
from springald_scheduler.core.states import UploadState
from springald_scheduler.core.views import UploadView

CAUSE = Event()
STORED = UploadLocation("u1", b"", 1, 1, "e1", "e1:1", 1)


class World:
    """Upload u1 of session s."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        # Whoever was not told waits for longer than the test does.
        monkeypatch.setattr(upload_desk, "UPLOAD_STORED_MS_MAX", 2 * DEADLINE_S * 1000)
        self.view: UploadView | None = UploadView(UploadState.ASSIGNED, None)
        self.looked = 0
        self.desk = UploadDesk(lambda _: None, self.look, 1_000)

    def look(self, session_id: str, _: str) -> UploadView | None:
        """What the core knows."""
        self.looked += 1
        return self.view if session_id == "s" else None

    def tell(self, action: Action, view: UploadView | None) -> None:
        """Something becomes of it."""
        assert isinstance(action, AnnounceUpload | RefuseUpload)
        self.view = view
        self.desk.tell(action)


def test_caller_who_goes_takes_no_other_s_news_along(monkeypatch: pytest.MonkeyPatch) -> None:
    """A call of another session, or one that gives up, leaves those who wait as they are."""
    world = World(monkeypatch)
    with ThreadPoolExecutor(2) as clients:
        waiting = [clients.submit(world.desk.wait_stored, "s", "u1") for _ in range(2)]
        wait_until(lambda: world.looked == 2, "both have looked")
        with pytest.raises(InvalidArgumentError):
            world.desk.wait_stored("other", "u1")
        stored = UploadView(UploadState.STORED, STORED)
        world.tell(AnnounceUpload(CAUSE, "u1"), stored)
        assert [each.result(DEADLINE_S) for each in waiting] == [STORED, STORED]


def test_caller_is_told_at_once_that_an_upload_is_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for rows whose executor went away."""
    world = World(monkeypatch)
    with ThreadPoolExecutor(1) as client:
        waiting = client.submit(world.desk.wait_stored, "s", "u1")
        wait_until(lambda: world.looked == 1, "it has looked")
        world.tell(RefuseUpload(CAUSE, "u1", upload_not_found("u1")), None)
        with pytest.raises(InvalidArgumentError):
            waiting.result(DEADLINE_S)
