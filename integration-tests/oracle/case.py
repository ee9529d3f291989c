"""A case of the oracle suite: a query, what it stands on, and what it must show."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import pyarrow as pa

from oracle.compare import REL_DEFAULT

BROADCAST: Mapping[str, str] = {}
PARTITIONED: Mapping[str, str] = {
    "datafusion.optimizer.hash_join_single_partition_threshold": "0",
    "datafusion.optimizer.hash_join_single_partition_threshold_rows": "0",
}
SORT_MERGE: Mapping[str, str] = {**PARTITIONED, "datafusion.optimizer.prefer_hash_join": "false"}


def partitions(count: int) -> Mapping[str, str]:
    """Returns the setting that asks for `count` partitions."""
    return {"datafusion.execution.target_partitions": str(count)}


@dataclass(frozen=True)
class Case:
    """One query whose answer must not depend on where it runs.

    Attributes:
        name: unique among all cases; themes prefix it.
        sql: the query.
        tables: names of `datasets.DATASETS` that it reads.
        settings: what the session sets before its tables are made.
        tried: settings that the product may refuse, or accept and ignore, but not let into an
            answer; the oracle does without them.
        setup: statements run after the tables are made (a view, say).
        order: positions of the columns by which the query orders its rows; None if it does not.
        one_place: why the query does not run on several executors; empty means that it must.
        no_bytes: why several executors run it and still nothing is shuffled; empty means that
            something must be.
        empty: True when the right answer has no rows, None when that is not to the point. A case
            that finds nothing without saying so is an error: it would prove little.
        plan: regular expressions that the engine's plan must contain, so that the case goes on
            showing its hazard when the engine plans differently.
        whole: for a query that may choose its rows: a query that gives all it may choose from.
        rule: for a query whose answer is not one: what must hold of any answer.
        rel: relative tolerance for floats.
    """

    name: str
    sql: str
    tables: tuple[str, ...] = ()
    settings: Mapping[str, str] = field(default_factory=dict)
    tried: Mapping[str, str] = field(default_factory=dict)
    setup: tuple[str, ...] = ()
    order: tuple[int, ...] | None = None
    one_place: str = ""
    no_bytes: str = ""
    empty: bool | None = False
    plan: tuple[str, ...] = ()
    whole: str = ""
    rule: Callable[[pa.Table], None] | None = None
    rel: float = REL_DEFAULT

    @property
    def fixed(self) -> bool:
        """Tells whether there is one right answer."""
        return not self.whole and self.rule is None


def themed(theme: str, cases: Sequence[Case]) -> tuple[Case, ...]:
    """Prefixes the names of cases with their theme."""
    return tuple(replace(case, name=f"{theme}-{case.name}") for case in cases)
