"""The suite's lists: names of vectors, failures that are known, and figures that only grow."""

import pytest
from google.protobuf import text_format

from conformance.clients import Client, all_clients
from conformance.support import PAGE, support_page
from conformance.tidy import tidied
from conformance.vectors import FOLDER, all_vectors
from springald.conformance.v1.vector_pb2 import VectorFile

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


def test_support_page_is_made_of_the_lists() -> None:
    """The page that people read says what the suite shows; `python -m conformance.support`."""
    assert PAGE.read_text() == support_page()


def test_files_of_vectors_are_in_their_layout() -> None:
    """Vectors are written in one layout, so that a change shows as what it is."""
    for path in FOLDER.glob("*.textproto"):
        content = text_format.Parse(path.read_text(), VectorFile())
        assert path.read_text() == tidied(content), f"{path.name}: python -m conformance.tidy"
