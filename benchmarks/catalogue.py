"""The places that can be asked for by name."""

import re
from collections.abc import Callable
from typing import Final

from benchmarks.competitors import competitor_python
from benchmarks.process import PlaceSpec

DEFAULT_PLACES: Final = ("datafusion", "local", "cluster-2x1")
PLACES: Final = (*DEFAULT_PLACES, "cluster-1x2", "sail", "spark")
_CLUSTER: Final = re.compile(r"cluster-([1-9]\d*)x([1-9]\d*)")


def place_spec(name: str, cores: int, say: Callable[[str], None]) -> PlaceSpec:
    """Says how to start a place.

    Args:
        name: One of `PLACES`, or `cluster-<executors>x<slots>`.
        cores: How many tasks a place runs at a time, where its name does not say it.
        say: Told if something is prepared that takes long.

    Raises:
        ValueError: There is no such place.
    """
    if match := _CLUSTER.fullmatch(name):
        return PlaceSpec(name, "cluster", int(match[1]), int(match[2]))
    if name in ("datafusion", "local"):
        return PlaceSpec(name, name, executors=1, slots=cores)
    if name in ("sail", "spark"):
        python = competitor_python(name, say)
        return PlaceSpec(name, name, executors=cores, slots=1, python=python, exact=False)
    raise ValueError(f"a place is one of {', '.join(PLACES)}: got {name!r}")
