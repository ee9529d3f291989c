"""Options and fixtures of the black-box tests."""

from collections.abc import Iterator

import pytest

import targets
from cluster.fixtures import busy, cluster, con, footprint, numbers, patient

__all__ = ["busy", "cluster", "con", "footprint", "numbers", "patient"]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Lets a person ask for more than a test run makes by itself."""
    group = parser.getgroup("oracle suite")
    group.addoption(
        "--generated", type=int, default=200, metavar="N", help="how many queries to make at random"
    )
    group.addoption(
        "--generated-seed", type=int, default=0, metavar="S", help="other queries for another seed"
    )


@pytest.fixture(scope="session", params=targets.ALL)
def target(request: pytest.FixtureRequest) -> Iterator[targets.Target]:
    """A place to run queries, started once: pytest orders the tests by it."""
    with targets.started(request.param) as place:
        yield place
