"""The clients under test: how each is started, what it can do, and how far it is."""

import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from springald.conformance.v1 import vector_pb2 as pb

_FOLDER: Final = Path(__file__).parent


@dataclass(frozen=True)
class Client:
    """A client under test.

    Attributes:
        name: What it is called in lists and tables.
        command: The program, as words; `{python}` is this interpreter, `{root}` the project.
        features: What it says that it can do.
        places: Where it is tested: `local`, or a cluster as in `2x1`.
        passes: How many vectors it passes in each place at least. This number only grows.
        known_failures: Vectors that fail, with the reason. They must still fail.
    """

    name: str
    command: tuple[str, ...]
    features: frozenset[int]
    places: tuple[str, ...]
    passes: int
    known_failures: dict[str, str]


@cache
def all_clients() -> dict[str, Client]:
    """Reads `clients.toml`."""
    content = tomllib.loads((_FOLDER / "clients.toml").read_text())
    return {name: _client(name, entry) for name, entry in content.items()}


def _client(name: str, entry: dict[str, object]) -> Client:
    features = [pb.Feature.Value(f"FEATURE_{feature}") for feature in _list(entry["features"])]
    failures = entry.get("known_failures", {})
    if not isinstance(failures, dict) or not isinstance(entry["passes"], int):
        raise TypeError(f"clients.toml: {name} has a table of failures and a number of passes")
    return Client(
        name,
        tuple(_list(entry["command"])),
        frozenset(features),
        tuple(_list(entry["places"])),
        entry["passes"],
        failures,
    )


def _list(value: object) -> list[str]:
    if not isinstance(value, list):
        raise TypeError(f"clients.toml: a list is wanted, got {value!r}")
    return [str(each) for each in value]
