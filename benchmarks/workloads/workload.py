"""What is asked of every place: queries over some tables."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from pathlib import Path
from typing import Any

MakeTables = Callable[[], Mapping[str, Path]]


class Kind(Enum):
    """What about a workload is worth a table."""

    QUERIES = "queries"
    """Each query's time, and what all of them took."""

    LATENCY = "latency"
    """How long one of many small queries takes."""

    CLIENTS = "clients"
    """How many queries a second are answered when several clients ask."""

    BULK = "bulk"
    """How fast rows reach the client."""

    SKEW = "skew"
    """How much longer the last query takes than the first."""

    TASKS = "tasks"
    """What one task costs."""


@dataclass(frozen=True)
class Workload:
    """Queries that are measured in each place.

    Attributes:
        name: What the command line calls it, for example `tpch`.
        title: The same for people, with its size.
        kind: What is reported.
        make_tables: Makes the data if it is not there, and returns a folder for each table.
        queries: The SQL by the query's name.
        clients: Numbers of clients by name. If there are any, not the queries are measured one by
            one, but all of them together, shared by so many clients.
        options: Further fields of `benchmarks.places.session.Setup`.
        keep_rows: Whether the answer is held in memory and compared; otherwise each batch is let
            go, and only the number of rows is compared.
        timeout_s_min: How long a query may take in any case.
        timeout_s_max: How long a query may take where the engine alone has not shown how long it
            takes.
    """

    name: str
    title: str
    kind: Kind
    make_tables: MakeTables
    queries: Mapping[str, str]
    clients: Mapping[str, int] = field(default_factory=dict)
    options: Mapping[str, Any] = field(default_factory=dict)
    keep_rows: bool = True
    timeout_s_min: float = 60
    timeout_s_max: float = 600

    @property
    def measured_names(self) -> list[str]:
        """What is measured, one after the other."""
        return list(self.clients or self.queries)
