"""Every vector through every client that can do what it needs, in every place it is tested in."""

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

import springald
from conformance.clients import Client, all_clients
from conformance.program import Program, started
from conformance.steps import run_vector
from conformance.vectors import Vector, all_vectors
from springald.conformance.v1 import client_pb2 as pb

Pair = tuple[str, str]
PAIRS = [(client.name, place) for client in all_clients().values() for place in client.places]


@dataclass(frozen=True)
class UnderTest:
    """A running client under test, connected."""

    client: Client
    program: Program
    hello: pb.ClientHello


def asked() -> Iterator[tuple[Pair, Vector]]:
    """Tells which vectors are asked of which client, where."""
    for pair in PAIRS:
        for vector in all_vectors():
            if vector.needs <= all_clients()[pair[0]].features:
                yield pair, vector


@pytest.fixture(scope="module")
def conformance_cluster() -> Iterator[springald.LocalCluster]:
    """The cluster that all clients share."""
    with springald.LocalCluster(2, 1) as cluster:
        yield cluster


@pytest.fixture(scope="module")
def under_test(request: pytest.FixtureRequest) -> Iterator[UnderTest]:
    """The client of a pair, started once and connected to its place."""
    name, place = request.param
    client = all_clients()[name]
    url = "" if place == "local" else request.getfixturevalue("conformance_cluster").url
    with started(client.command) as program:
        hello = program.ask(pb.Call(hello=pb.Hello())).hello
        program.ask(pb.Call(connect=pb.Connect(url=url)))
        yield UnderTest(client, program, hello)


@pytest.mark.parametrize(
    ("under_test", "vector"),
    [pytest.param(pair, vector, id=f"{'-'.join(pair)}-{vector.name}") for pair, vector in asked()],
    indirect=["under_test"],
    # Otherwise the narrower scope of the vectors counts for the clients, too.
    scope="module",
)
def test_vector_through_client_has_its_outcome(under_test: UnderTest, vector: Vector) -> None:
    """A vector holds for every client; one that is known to fail must still fail."""
    reason = under_test.client.known_failures.get(vector.name)
    if reason is None:
        run_vector(under_test.program, vector)
        return
    with pytest.raises(AssertionError):
        run_vector(under_test.program, vector)


@pytest.mark.parametrize(
    "under_test",
    [pytest.param(pair, id="-".join(pair)) for pair in PAIRS],
    indirect=True,
)
def test_client_says_what_it_can_do_as_it_is_listed(under_test: UnderTest) -> None:
    """Features are the client's own word: the list that vectors are chosen by has no others."""
    assert frozenset(under_test.hello.features) == under_test.client.features
