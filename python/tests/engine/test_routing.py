"""Where rows go under hash partitioning is the same in every process of one build."""

import subprocess
import sys

import pytest
from datafusion import SessionContext

from springald.engine import routing


def test_routing_fingerprint_is_stable_over_processes() -> None:
    """Executors with the same engine on the same kind of machine must agree."""
    code = "from springald.engine.routing import routing_fingerprint as f; print(f())"
    other = subprocess.run(  # noqa: S603 - our own interpreter
        [sys.executable, "-c", code], capture_output=True, check=True, text=True
    )
    assert other.stdout.strip() == routing.routing_fingerprint()


@pytest.mark.parametrize("column", ["number", "text", "day", "amount", "measure"])
def test_routing_fingerprint_tells_of_keys_that_are_sent_elsewhere(
    monkeypatch: pytest.MonkeyPatch, column: str
) -> None:
    """A build that routes the keys of one type otherwise has another digest."""
    usual = routing._route  # noqa: SLF001

    def otherwise(context: SessionContext, name: str) -> list[list[int]]:
        routed = usual(context, name)
        return routed[::-1] if name == column else routed

    monkeypatch.setattr(routing, "_route", otherwise)
    assert routing.routing_fingerprint.__wrapped__() != routing.routing_fingerprint()
