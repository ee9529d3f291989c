"""What an engine process decides by itself."""

from types import SimpleNamespace
from typing import Any

import pytest

from springald_executor.adapters import engine_process


@pytest.mark.parametrize(
    ("memory_bytes", "grown"), [(0, True), (2**20, True), (2**50, False)], ids=str
)
def test_engine_that_holds_less_than_its_share_is_kept(
    monkeypatch: pytest.MonkeyPatch, memory_bytes: int, *, grown: bool
) -> None:
    """Beyond the fixed limit an engine is replaced only if half of its task's share is less."""
    monkeypatch.setattr(engine_process, "ENGINE_GROWN_BYTES_MAX", 1)
    request: Any = SimpleNamespace(memory_bytes=memory_bytes)

    assert engine_process._has_grown(request) is grown  # noqa: SLF001 - a process of its own else
