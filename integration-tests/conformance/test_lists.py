"""The suite's lists: names of vectors, failures that are known, and figures that only grow."""

import pytest

from conformance.clients import Client, all_clients
from conformance.vectors import all_vectors

CLIENTS = pytest.mark.parametrize("client", all_clients().values(), ids=list(all_clients()))


@CLIENTS
def test_known_failure_names_a_vector_and_a_reason(client: Client) -> None:
    """A failure is known by the name of a vector that is asked of the client, and has a reason."""
    asked = {vector.name for vector in all_vectors() if vector.needs <= client.features}
    assert set(client.known_failures) <= asked
    assert all(client.known_failures.values())


@CLIENTS
def test_passes_are_as_many_as_the_ratchet_says(client: Client) -> None:
    """The number of vectors that a client passes is written down, so that none is lost unseen."""
    asked = sum(vector.needs <= client.features for vector in all_vectors())
    assert client.passes == asked - len(client.known_failures)
