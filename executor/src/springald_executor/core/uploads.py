"""Uploads on one executor: they arrive, are sent on when it leaves, and go."""

from collections.abc import Callable

from springald_executor.core import events as ev
from springald_executor.core import failures
from springald_executor.core.actions import (
    Action,
    Ignore,
    ReceiveUpload,
    RefuseUpload,
    RemoveFolder,
    SendUpload,
    TellUploadStored,
)
from springald_executor.core.model import StoredFile
from springald_executor.core.shelf import Shelf


class Uploads:
    """What the agent does about uploads.

    Args:
        shelf: Where they lie, with all other files.
        do: Asks for an action.
        gone: Told when one is gone.
    """

    def __init__(
        self, shelf: Shelf, do: Callable[[Action], None], gone: Callable[[], None]
    ) -> None:
        self._shelf = shelf
        self._do = do
        self._gone = gone
        self._sending: set[str] = set()

    def tell_stored(self, cause: ev.Event) -> None:
        """Tells of all that are complete."""
        for upload_id, shelf in self._shelf.uploads.items():
            if shelf.file is not None:
                self._do(TellUploadStored(cause, *_stored(upload_id, shelf.file)))

    def release_all(self, cause: ev.Event) -> None:
        """Removes all."""
        for upload_id in list(self._shelf.uploads):
            self._release(cause, upload_id)

    def on_began(self, event: ev.UploadBegan) -> None:
        """Gives an upload a place."""
        upload_id = event.upload_id
        if upload_id in self._shelf.uploads:
            self._do(RefuseUpload(event, upload_id, failures.upload_exists(upload_id)))
        else:
            grant = self._shelf.begin_upload(upload_id)
            self._do(ReceiveUpload(event, upload_id, grant))

    def on_arrived(self, event: ev.UploadArrived) -> None:
        """Keeps what arrived whole."""
        self._end(event, event.upload_id, event.file)

    def on_broke(self, event: ev.UploadBroke) -> None:
        """Removes what arrived in part."""
        self._end(event, event.upload_id, None)

    def on_released(self, event: ev.UploadReleased) -> None:
        """Removes one that nobody needs any more."""
        if event.upload_id in self._shelf.uploads:
            self._release(event, event.upload_id)
        else:
            self._do(Ignore(event, "unknown upload"))

    def on_hand_over_ordered(self, event: ev.HandOverOrdered) -> None:
        """Sends one to another executor."""
        file = self._shelf.find_upload(event.upload_id)
        if file is None or event.upload_id in self._sending:
            self._do(Ignore(event, "upload that is not here, or on its way"))
            return
        self._sending.add(event.upload_id)
        self._do(SendUpload(event, event.upload_id, event.address, file))

    def on_hand_over_ended(self, event: ev.HandOverEnded) -> None:
        """Lets it be sent again: who ordered it knows if that is needed."""
        self._sending.discard(event.upload_id)

    def _end(self, cause: ev.Event, upload_id: str, file: StoredFile | None) -> None:
        shelf = self._shelf.uploads.get(upload_id)
        if shelf is None or shelf.file is not None:
            self._do(Ignore(cause, "upload that does not arrive"))
        elif file is None or shelf.doomed:
            self._remove(cause, upload_id)
        else:
            self._shelf.finish_upload(upload_id, file)
            self._do(TellUploadStored(cause, *_stored(upload_id, file)))

    def _release(self, cause: ev.Event, upload_id: str) -> None:
        """Removes an upload; one that still arrives is removed when its writer ends."""
        shelf = self._shelf.uploads[upload_id]
        if shelf.file is None:
            shelf.doomed = True
        else:
            self._remove(cause, upload_id)

    def _remove(self, cause: ev.Event, upload_id: str) -> None:
        self._do(RemoveFolder(cause, self._shelf.drop_upload(upload_id)))
        self._gone()


def _stored(upload_id: str, file: StoredFile) -> tuple[str, int, int, int]:
    """Returns what is told of an upload: its id, rows, bytes and partitions."""
    return (upload_id, file.rows, file.size, max(1, len(file.blocks)))
