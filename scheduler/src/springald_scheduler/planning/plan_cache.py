"""Plans of queries that are asked again: kept as long as they would come out the same.

A plan depends on the text, the session's settings and tables, the cluster, the files that it scans,
and sometimes on the time. All but the last are compared; what reads the time is not kept.
"""

import re
import threading
from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from springald.engine.catalog import AllowedPaths, CatalogEntry
from springald.errors import SpringaldError
from springald_scheduler.core.graph import StageGraph
from springald_scheduler.limits import (
    PLAN_KEPT_BYTES_MAX,
    PLANS_KEPT_BYTES_MAX,
    PLANS_KEPT_MAX,
)
from springald_scheduler.planning.model import ClusterShape
from springald_scheduler.planning.table_files import Footprint, check_files, footprint

# Names of functions that the engine replaces by their value while it plans. Other words that
# contain them cost a plan, not an answer.
_TIME: Final = re.compile(r"now|current_|today|localtime", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class PlanKey:
    """All but the files that a plan depends on: equal keys mean equal plans.

    Attributes:
        digest: Of the plan that the text and what is bound to it come from; empty if it is text.
        columns: The columns of the entries, which are found out when each is made: two sessions may
            have made a table of one folder at times when its files were different.
    """

    sql: str
    digest: bytes
    shape: ClusterShape
    own_settings: frozenset[tuple[str, str]]
    engine_settings: frozenset[tuple[str, str]]
    entries: tuple[CatalogEntry, ...]
    columns: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Scanned:
    """A table's files as they were before the plan was made."""

    path: str
    kind: str
    files: Footprint | None


@dataclass(frozen=True, slots=True)
class _Kept:
    graph: StageGraph
    scanned: tuple[Scanned, ...]
    size: int


class PlanCache:
    """The plans that were used last, by whichever session; safe to use from many threads."""

    def __init__(self, allowed: AllowedPaths) -> None:
        """Takes where files may lie."""
        self._allowed = allowed
        self._lock = threading.Lock()
        self._kept: OrderedDict[PlanKey, _Kept] = OrderedDict()
        self._bytes = 0

    def find(self, key: PlanKey) -> StageGraph | None:
        """Returns the plan of this key, if its files are as they were."""
        with self._lock:
            kept = self._kept.get(key)
        if kept is None:
            return None
        is_valid = all(map(self._is_as_it_was, kept.scanned))
        with self._lock:
            if self._kept.get(key) is not kept:  # another thread has found out
                return kept.graph if is_valid else None
            if not is_valid:
                self._drop(key)
                return None
            self._kept.move_to_end(key)
        return kept.graph

    def keep(self, key: PlanKey, graph: StageGraph, scanned: Iterable[Scanned]) -> None:
        """Keeps a plan, unless it is large; the one that was not used for longest goes."""
        size = len(key.sql) + sum(len(stage.fragment.payload) for stage in graph.stages)
        kept = _Kept(graph, tuple(scanned), size)
        if size > PLAN_KEPT_BYTES_MAX or any(each.files is None for each in kept.scanned):
            return
        with self._lock:
            if key in self._kept:
                self._drop(key)
            self._kept[key] = kept
            self._bytes += size
            while len(self._kept) > PLANS_KEPT_MAX or self._bytes > PLANS_KEPT_BYTES_MAX:
                self._drop(next(iter(self._kept)))

    def _drop(self, key: PlanKey) -> None:
        self._bytes -= self._kept.pop(key).size

    def _is_as_it_was(self, scanned: Scanned) -> bool:
        try:
            check_files(self._allowed, scanned.path, scanned.kind)
            return footprint(scanned.path) == scanned.files
        except SpringaldError:  # planning tells what is wrong
            return False


def depends_on_time(sql: str, entries: Iterable[CatalogEntry]) -> bool:
    """True if a query, or a view that it may read, may ask for the time.

    Example:
        >>> depends_on_time("SELECT Now()", []), depends_on_time("SELECT 1", [])
        (True, False)
    """
    return any(map(_TIME.search, (sql, *(entry.statement for entry in entries))))
