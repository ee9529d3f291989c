"""The version of this distribution, as its installation tells it."""

from functools import cache
from importlib.metadata import version

__all__ = ["springald_version"]


@cache
def springald_version() -> str:
    """Returns the version of the installed `springald`, for example `0.1.0`."""
    return version("springald")
