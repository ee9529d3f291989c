"""A list of queries over some tables."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

WarmTables = Callable[[], Mapping[str, Path]]


@dataclass(frozen=True)
class Workload:
    """Queries that are measured one by one, in each place.

    Attributes:
        name: What the tables and files call it, for example `tpch-sf1`.
        title: The same for people.
        make_tables: Makes the data if it is not there, and returns a folder for each table.
        queries: The SQL by the query's name.
        options: Further fields of `benchmarks.places.session.Setup`.
        keep_rows: Whether the answer is held in memory and compared; otherwise its rows and bytes
            are counted, and each batch is let go.
        measured: Whether CPU, memory and files are measured for each query; not for queries so
            short that measuring would be most of it.
        timeout_s_max: How long a query may take where the engine alone has not shown how long it
            takes.
    """

    name: str
    title: str
    make_tables: WarmTables
    queries: Mapping[str, str]
    options: Mapping[str, Any] = field(default_factory=dict)
    keep_rows: bool = True
    measured: bool = True
    timeout_s_max: float = 600
