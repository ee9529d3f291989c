"""The one place where the oracle suite touches the product's public API."""

from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

import springald
from targets import Target

# Small data is one task by the cost gate, and stages that read little are one task each; here it is
# to be spread wherever a plan allows it.
SPREAD = {"springald.distribution": "always", "springald.adaptive_coalesce": "never"}
RULES = (
    "springald.adaptive_broadcast",
    "springald.adaptive_coalesce",
    "springald.adaptive_filter",
    "springald.adaptive_merge",
    "springald.adaptive_skip_empty",
    "springald.adaptive_split",
    "springald.adaptive_swap",
    "springald.inline_values",
    "springald.one_step_aggregates",
    "springald.range_placement",
    "springald.runtime_filters",
    "springald.shared_stages",
    "springald.spared_exchanges",
)
"""Rules that improve a plan: each is `auto`, `always` or `never`."""
RULES_FORCED = {**dict.fromkeys(RULES, "always"), "springald.adaptive_coalesce": "never"}
"""All of them, whether they gain or not, but for the one that makes one task of a stage."""
RULES_OFF = dict.fromkeys(RULES, "never")
RULE_WAYS = (
    {},
    RULES_FORCED,
    RULES_OFF,
    *({**RULES_OFF, rule: "always"} for rule in RULES),
    *({**RULES_FORCED, rule: "never"} for rule in RULES),
)
"""By default, all forced, all off, each alone, and all but each."""
EXECUTORS_MIN = 2


@dataclass(frozen=True)
class Ran:
    """A finished query: its rows, and the job that made them."""

    rows: pa.Table
    job: springald.Job


class ProductSession:
    """The product's side of `datasets.Takes`, and a way to run a query."""

    def __init__(self, connection: springald.Connection) -> None:
        self._connection = connection

    def apply(self, settings: Mapping[str, str]) -> None:
        """Sets the session's settings."""
        for name, value in settings.items():
            self.statement(f"SET {name} = '{value}'")

    def attempt(self, settings: Mapping[str, str]) -> None:
        """Sets what the product may refuse as the caller's mistake."""
        for name, value in settings.items():
            try:
                self.apply({name: value})
            except springald.CallerError:
                continue

    def statement(self, sql: str) -> None:
        """Runs a statement."""
        self._connection.sql(sql)

    def parquet(self, name: str, folder: Path) -> None:
        """Registers a folder of Parquet files."""
        self._connection.register_parquet(name, str(folder))

    def memory(self, name: str, rows: pa.Table) -> None:
        """Registers rows."""
        self._connection.register(name, rows)

    def run(self, sql: str) -> Ran:
        """Runs a query to its end."""
        job = self._connection.sql(sql).execute()
        return Ran(job.result(), job)

    def run_frame(self, build: Callable[[springald.Connection], springald.DataFrame]) -> Ran:
        """Runs a query that is built with the DataFrame API to its end."""
        job = build(self._connection).execute()
        return Ran(job.result(), job)

    def close(self) -> None:
        """Ends the session and all it holds."""
        self._connection.close()


def open_session(target: Target) -> closing[ProductSession]:
    """Connects to a target."""
    return closing(ProductSession(target.connect()))


def assert_distributed(job: springald.Job, shuffled_bytes_min: int = 1) -> None:
    """Raises AssertionError unless a job ran on several executors and moved rows between stages.

    A job whose files are read in ranges of a key moves no rows, and says so.
    """
    busy, shuffled_bytes = _spread(job)
    if len(busy) < EXECUTORS_MIN:
        raise AssertionError(f"a query runs on {EXECUTORS_MIN} executors or more: got {busy}")
    in_ranges = any("ranges of" in each for each in job.statistics().decisions)
    if shuffled_bytes < shuffled_bytes_min and not in_ranges:
        raise AssertionError("a query shuffles a byte or more: got none")


def was_distributed(job: springald.Job) -> bool:
    """Tells whether a job ran on several executors and moved rows between stages."""
    busy, shuffled_bytes = _spread(job)
    return len(busy) >= EXECUTORS_MIN and shuffled_bytes > 0


def _spread(job: springald.Job) -> tuple[list[str], int]:
    """Returns the executors that ran tasks of a job, and the bytes it shuffled."""
    statistics = job.statistics()
    busy = sorted(name for name, tasks in statistics.tasks_per_executor.items() if tasks)
    return busy, sum(stage.bytes_shuffled for stage in statistics.stages)
