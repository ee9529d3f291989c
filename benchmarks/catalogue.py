"""The places and workloads that can be asked for by name."""

import re
from typing import Final

from benchmarks.process import PlaceSpec

DEFAULT_PLACES: Final = ("datafusion", "local", "cluster-2x1")
_CLUSTER: Final = re.compile(r"cluster-(\d+)x(\d+)")


def place_spec(name: str) -> PlaceSpec:
    """Says how to start a place.

    Raises:
        ValueError: There is no such place.
    """
    if match := _CLUSTER.fullmatch(name):
        return PlaceSpec(name, "cluster", int(match[1]), int(match[2]))
    if name in ("datafusion", "local"):
        return PlaceSpec(name, name, 1, 2)
    raise ValueError(f"a place is datafusion, local or cluster-<executors>x<slots>: got {name!r}")
