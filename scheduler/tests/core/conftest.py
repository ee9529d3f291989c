"""What the core's tests share."""

import pytest
from core_bench import Bench


@pytest.fixture
def bench() -> Bench:
    """A core with the protocol's limits."""
    return Bench()
