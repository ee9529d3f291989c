"""Fixtures of the oracle suite."""

import pytest

from oracle.datasets import Store
from oracle.reference import Oracle
from oracle.tables import DATASETS


@pytest.fixture(scope="session")
def store(tmp_path_factory: pytest.TempPathFactory) -> Store:
    """Writes the suite's tables when a case asks for them."""
    return Store(tmp_path_factory.mktemp("tables"), DATASETS)


@pytest.fixture(scope="session")
def oracle(store: Store) -> Oracle:
    """Answers cases in this process, each once."""
    return Oracle(store)
