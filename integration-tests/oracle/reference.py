"""The oracle: the same engine in one process, with one partition and with four."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
from datafusion import SessionConfig, SessionContext

from oracle.case import Case
from oracle.compare import REL_DEFAULT, assert_same, assert_same_schema, assert_subset
from oracle.datasets import Store

PARTITIONS = (1, 4)

# Where DataFusion 55 is wrong by itself, so that it could not be an oracle. The product is not told
# these: it has to be right on its own.
CURES = {
    # A limit goes through a window into a DISTINCT below it: the window sees too few rows.
    "datafusion.optimizer.enable_topk_aggregation": "false",
    # A minimum narrows the scan for its neighbours too: min(a), min(b) FILTER (...) loses rows.
    "datafusion.optimizer.enable_aggregate_dynamic_filter_pushdown": "false",
    # A limit above a union drops rows of one branch by what another has shown, now and then.
    "datafusion.optimizer.enable_topk_dynamic_filter_pushdown": "false",
}

# What a session of the product may never weaken; the shape of a plan depends on it.
LOCKED = {
    "datafusion.optimizer.enable_round_robin_repartition": "false",
    "datafusion.optimizer.prefer_existing_union": "true",
    "datafusion.optimizer.enable_dynamic_filter_pushdown": "false",
    "datafusion.optimizer.enable_physical_uncorrelated_scalar_subquery": "false",
}
# Settings of a case that are about how the product spreads work, not about the answer.
_SPREADING = ("springald.", "datafusion.execution.target_partitions")


class EngineSession:
    """The oracle's side of `datasets.Takes`."""

    def __init__(self, engine: SessionContext) -> None:
        self._engine = engine

    def statement(self, sql: str) -> None:
        """Runs a statement."""
        self._engine.sql(sql).collect()

    def parquet(self, name: str, folder: Path) -> None:
        """Registers a folder of Parquet files."""
        self._engine.register_parquet(name, f"{folder}/")

    def memory(self, name: str, rows: pa.Table) -> None:
        """Registers rows; dictionaries as their values, which is how the product takes them in."""
        self._engine.from_arrow(decoded(rows), name=name)


def decoded(rows: pa.Table) -> pa.Table:
    """Returns rows with dictionary columns as the values that they stand for."""
    return pa.table(
        [
            column.cast(field.type.value_type) if pa.types.is_dictionary(field.type) else column
            for field, column in zip(rows.schema, rows.columns, strict=True)
        ],
        names=rows.schema.names,
    )


Prepare = Callable[[EngineSession], None]


@dataclass(frozen=True)
class Answers:
    """What one process says, with one partition and with four."""

    one: pa.Table
    four: pa.Table

    def check_agree(self, order: tuple[int, ...] | None = None, rel: float = REL_DEFAULT) -> None:
        """Raises AssertionError when the engine disagrees with itself: then it is no oracle."""
        assert_same(self.four, self.one, order=order, rel=rel)

    def check(
        self, got: pa.Table, order: tuple[int, ...] | None = None, rel: float = REL_DEFAULT
    ) -> None:
        """Raises AssertionError unless `got` is the answer with one partition and with four."""
        assert_same(got, self.one, order=order, rel=rel)
        assert_same(got, self.four, order=order, rel=rel)


def context(partitions: int, settings: Mapping[str, str], prepare: Prepare) -> SessionContext:
    """Returns an engine of its own that has the tables of `prepare`."""
    config = (
        SessionConfig().with_target_partitions(partitions).with_information_schema(enabled=True)
    )
    for name, value in {**CURES, **settings}.items():
        if not name.startswith(_SPREADING):
            config = config.set(name, value)
    made = SessionContext(config)
    prepare(EngineSession(made))
    return made


def answers(sql: str, settings: Mapping[str, str], prepare: Prepare) -> Answers:
    """Runs a query in one process with each of `PARTITIONS`."""
    one, four = (
        context(count, settings, prepare).sql(sql).to_arrow_table() for count in PARTITIONS
    )
    return Answers(one, four)


def plan_text(sql: str, settings: Mapping[str, str], prepare: Prepare) -> str:
    """Returns the physical plan that the engine makes for four partitions under locked settings."""
    planner = context(4, {**settings, **LOCKED}, prepare)
    return planner.sql(sql).execution_plan().display_indent()


class Oracle:
    """Answers cases, each once however many targets are held against it."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._told: dict[str, Answers] = {}

    def prepare(self, case: Case) -> Prepare:
        """Returns what makes the tables and views of a case."""

        def make(session: EngineSession) -> None:
            self._store.register(case.tables, session)
            for statement in case.setup:
                session.statement(statement)

        return make

    def told(self, case: Case) -> Answers:
        """Returns the answers to a case."""
        return self._remembered(case, case.sql)

    def whole(self, case: Case) -> Answers:
        """Returns all rows that a case may choose from."""
        return self._remembered(case, case.whole)

    def plan(self, case: Case) -> str:
        """Returns the engine's plan for a case."""
        return plan_text(case.sql, case.settings, self.prepare(case))

    def _remembered(self, case: Case, sql: str) -> Answers:
        key = f"{case.name}: {sql}"
        if key not in self._told:
            self._told[key] = answers(sql, case.settings, self.prepare(case))
        return self._told[key]

    def judge(self, case: Case, got: pa.Table) -> None:
        """Raises AssertionError unless `got` is a right answer to a case."""
        told = self.told(case)
        if case.rule is not None:
            case.rule(got)
            assert_same_schema(got.schema, told.one.schema)
        elif case.whole:
            assert_subset(got, self.whole(case).one, rel=case.rel)
            if got.num_rows != told.one.num_rows:
                raise AssertionError(f"row count: got {got.num_rows}, want {told.one.num_rows}")
        else:
            told.check(got, case.order, case.rel)
