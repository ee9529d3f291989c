"""The suite's lists: names of vectors, failures that are known, and figures that only grow."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from google.protobuf import text_format

from conformance.clients import Client, all_clients
from conformance.support import PAGE, support_page
from conformance.tidy import tidied
from conformance.vectors import FOLDER, all_vectors
from springald.conformance.v1.vector_pb2 import (
    FEATURE_TLS,
    FEATURE_UNSPECIFIED,
    Feature,
    VectorFile,
)
from springald.plan.v1 import plan_pb2

ROOT: Final = Path(__file__).parents[2]
CLAUSE: Final = re.compile(r"\bP\d\.\d+\b")
CLAUSES: Final = {
    clause
    for page in (ROOT / "docs" / "protocol").glob("*.md")
    for clause in re.findall(r"^- \*\*(P\d\.\d+)\*\*", page.read_text(), re.MULTILINE)
}
CITED_MIN: Final = 17
"""How many clauses vectors cite: this number only grows."""

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


def test_every_kind_of_a_plan_is_in_a_vector() -> None:
    """Relations and expressions of each kind are sent by every client, in some vector."""
    trees = [
        call.statement.plan.relations
        for vector in all_vectors()
        for step in vector.message.steps
        for call in (step.execute, step.describe)
    ]
    for node, listed in (
        (plan_pb2.Relation, [tree.relations for tree in trees]),
        (plan_pb2.Expression, [tree.expressions for tree in trees]),
    ):
        kinds = {field.name for field in node.DESCRIPTOR.oneofs_by_name["kind"].fields}
        found = {each.WhichOneof("kind") for nodes in listed for each in nodes}
        assert kinds - found == set()


def test_every_feature_is_asked_for_by_a_vector() -> None:
    """A client that says it can do something is asked for it; encryption has tests of its own."""
    asked = {feature for vector in all_vectors() for feature in vector.needs}
    assert set(Feature.values()) - asked == {FEATURE_UNSPECIFIED, FEATURE_TLS}


def test_clauses_are_proved() -> None:
    """Each clause of the protocol is cited by a vector, or named by a test; no other is cited."""
    cited = {clause for vector in all_vectors() for clause in vector.message.clauses}
    assert cited <= CLAUSES
    assert len(cited) >= CITED_MIN
    named = {found for text in _sources() for found in CLAUSE.findall(text)}
    assert sorted(CLAUSES - cited - named) == []


def _sources() -> Iterator[str]:
    """The sources of all tests, in Python and in Java."""
    for folder in ("python", "scheduler", "executor", "integration-tests", "java-bindings"):
        for path in (ROOT / folder).rglob("*"):
            is_test = "test" in path.name.lower() or path.parent.name == "hazards"
            if path.suffix in {".py", ".java"} and is_test:
                yield path.read_text()
