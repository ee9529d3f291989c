"""The support matrix, made from the vectors and the clients' own lists.

PYTHONPATH=integration-tests python -m conformance.support     # writes docs/protocol/support.md
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from conformance.clients import Client, all_clients
from conformance.vectors import all_vectors
from springald.conformance.v1 import vector_pb2 as pb

PAGE: Final = Path(__file__).parents[2] / "docs" / "protocol" / "support.md"

_HEAD: Final = """\
# What each client can do

Made from the conformance suite, where every figure is a vector that runs in every test of the
project. A client that lacks a feature is not asked for it; a vector that is known to fail must go
on failing. In Python every vector runs in local mode, too; `jpype` is the Java bindings inside a
Python process.
"""


def support_page() -> str:
    """Writes the page."""
    clients = list(all_clients().values())
    parts = [_HEAD, "## Features\n", *_features(clients), "", "## Vectors\n", *_vectors(clients)]
    known = list(_known(clients))
    if known:
        parts += [
            "",
            "## Known failures\n",
            "| client | vector | why |",
            "| --- | --- | --- |",
            *known,
        ]
    return "\n".join(parts) + "\n"


def _features(clients: list[Client]) -> Iterator[str]:
    yield from _table_head("feature", clients)
    for name, number in pb.Feature.items():
        if number:
            marks = ["yes" if number in client.features else "no" for client in clients]
            words = name.removeprefix("FEATURE_").replace("_", " ").lower()
            yield f"| {words} | {' | '.join(marks)} |"


def _vectors(clients: list[Client]) -> Iterator[str]:
    vectors = all_vectors()
    counts = Counter(vector.name.split("/")[0] for vector in vectors)
    yield from _table_head("about", clients)
    for about, count in sorted(counts.items()):
        cells = [_passed(client, about, count) for client in clients]
        yield f"| {about} | {' | '.join(cells)} |"
    yield f"| **all** | {' | '.join(_passed(client, '', len(vectors)) for client in clients)} |"


def _passed(client: Client, about: str, count: int) -> str:
    asked = [
        vector.name
        for vector in all_vectors()
        if vector.name.startswith(about) and vector.needs <= client.features
    ]
    return f"{len(asked) - sum(name in client.known_failures for name in asked)} of {count}"


def _known(clients: list[Client]) -> Iterator[str]:
    for client in clients:
        for vector, reason in client.known_failures.items():
            yield f"| {client.name} | {vector} | {reason} |"


def _table_head(first: str, clients: list[Client]) -> Iterator[str]:
    names = " | ".join(client.name for client in clients)
    yield f"| {first} | {names} |"
    yield f"| --- |{' --- |' * len(clients)}"


if __name__ == "__main__":
    PAGE.write_text(support_page())
