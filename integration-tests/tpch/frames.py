"""The 22 TPC-H queries with the DataFrame API."""

from tpch import frames_first as first
from tpch import frames_second as second
from tpch.frames_first import Query

__all__ = ["FRAMES"]

FRAMES: dict[int, Query] = {
    number: getattr(first if number < 12 else second, f"q{number:02}") for number in range(1, 23)
}
"""The queries by number: each makes a DataFrame of a connection that has the tables."""
