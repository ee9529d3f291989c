"""Engine sessions, kept between tasks: making one takes as long as a small task."""

from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from datafusion import SessionContext

from springald.engine.session import make_context
from springald_executor.core.limits import CONTEXTS_MAX
from springald_executor.core.model import TaskRequest

_Key = tuple[tuple[tuple[str, str], ...], int, int]


class Contexts:
    """Sessions by their settings and memory; one is used by one task at a time."""

    def __init__(self, spill_dir: Path | None) -> None:
        """Takes the folder that operators spill to."""
        self._spill_dir = spill_dir
        self._idle: OrderedDict[_Key, SessionContext] = OrderedDict()

    @contextmanager
    def borrowed(self, request: TaskRequest) -> Iterator[SessionContext]:
        """Hands out a session for a task, which gives it back unless it fails."""
        self._make_folder()
        key = (request.stage.settings, request.slots, request.memory_bytes)
        context = self._idle.pop(key, None) or self.fresh(request)
        yield context
        self._idle[key] = context
        while len(self._idle) > CONTEXTS_MAX:
            self._idle.popitem(last=False)

    def fresh(self, request: TaskRequest) -> SessionContext:
        """Makes a session that nothing else uses."""
        self._make_folder()
        return make_context(
            dict(request.stage.settings),
            partitions=request.slots,
            memory_bytes=request.memory_bytes,
            spill_dir=self._spill_dir,
        )

    def lost_folder(self) -> str:
        """Returns where operators spill if that folder is gone; nothing if all is well."""
        gone = self._spill_dir is not None and not self._spill_dir.is_dir()
        return str(self._spill_dir) if gone else ""

    def _make_folder(self) -> None:
        """Makes the folder again if somebody has removed it, and with it what sessions had there.

        Raises:
            OSError: It cannot be made.
        """
        if self._spill_dir is not None and not self._spill_dir.is_dir():
            self._spill_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._idle.clear()
