"""What an engine process decides by itself."""

from types import SimpleNamespace
from typing import Any

import pytest

from springald_executor.adapters import engine_process
from springald_executor.core import engine_memory
from springald_executor.core.engine_memory import engine_bytes_max, idle_engine_bytes_max


@pytest.mark.parametrize(
    ("memory_bytes", "grown"), [(0, True), (2**20, True), (2**50, False)], ids=str
)
def test_engine_that_holds_less_than_its_share_is_kept(
    monkeypatch: pytest.MonkeyPatch, memory_bytes: int, *, grown: bool
) -> None:
    """Beyond the fixed limit an engine is replaced only if half of its task's share is less."""
    monkeypatch.setattr(engine_memory, "ENGINE_GROWN_BYTES_MAX", 1)
    request: Any = SimpleNamespace(memory_bytes=memory_bytes, slots=1)

    assert engine_process._has_grown(request) is grown  # noqa: SLF001 - a process of its own else


@pytest.mark.parametrize("share_bytes", [2**20, 2**28, 2**30, 2**40], ids=str)
@pytest.mark.parametrize("slots", [1, 8])
def test_engine_that_is_kept_has_room_for_its_next_task(share_bytes: int, slots: int) -> None:
    """No task that stays in its share is killed for what the one before has left behind."""
    held = idle_engine_bytes_max(share_bytes * slots, slots)

    assert held + share_bytes <= engine_bytes_max(share_bytes)
