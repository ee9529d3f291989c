"""All that is broken: how, where, how often, and what must hold then. One line a row."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from faults import executors, load, room, schedulers, stores
from faults.bench import Bench
from faults.executors import LOST_S, NO_EXECUTOR_S
from faults.tally import (
    Bar,
    again_within_lost,
    each_at_most,
    kept_min,
    no_growth,
    none_wrong,
    ratio_max,
    some,
    unfinished_max,
)
from faults.under_query import Scenario, under_query
from faults.writers import under_write

PROGRESS: Final = schedulers.PROGRESS
PROGRESS_S_MAX: Final = 5.0
ERROR_S_MAX: Final = NO_EXECUTOR_S + 5


@dataclass(frozen=True)
class Row:
    """A fault.

    Attributes:
        name: What is broken.
        runs: How often it is broken for the table that is published.
        world: Which cluster is broken; nothing for the simulation, which has none.
        scenario: Breaks it; none for the simulation.
        bars: What must hold of all runs together, beside that none is wrong.
        failures_max: How many queries may end with an error that says why; None for any number.
        shown: Figures that the table shows.
        tested: Whether a run of it belongs to the tests that each change must pass.
        mend: Called after each run, before the cluster is looked at.
    """

    name: str
    runs: int
    world: str
    scenario: Scenario | None
    bars: tuple[Bar, ...] = ()
    failures_max: int | None = 0
    shown: tuple[str, ...] = ()
    tested: bool = True
    mend: Callable[[Bench], None] = lambda _: None

    @property
    def all_bars(self) -> tuple[Bar, ...]:
        """All that must hold."""
        failures = () if self.failures_max is None else (unfinished_max(self.failures_max),)
        return (none_wrong, *failures, *self.bars)


_RESTARTED = (kept_min(0.9), each_at_most(PROGRESS, PROGRESS_S_MAX))

ROWS: Final = (
    Row(
        "executor killed",
        300,
        "plain",
        under_query(executors.killed),
        (ratio_max(1.6),),
        failures_max=1,
    ),
    Row(
        "executor with map outputs killed, found by fetch",
        100,
        "relayed",
        under_query(executors.killed_and_found_by_fetch),
        (ratio_max(1.6, LOST_S), again_within_lost),
        shown=("found by fetch",),
        failures_max=1,
    ),
    Row(
        "executor with map outputs silent, found by heartbeat",
        100,
        "plain",
        under_query(executors.killed_and_found_by_heartbeat),
        (ratio_max(1.6, LOST_S), again_within_lost),
        failures_max=1,
    ),
    Row(
        "engine process killed, or outgrows its memory",
        100,
        "plain",
        executors.engine_killed_or_overruns,
        (again_within_lost,),
    ),
    Row(
        "executor stopped past its timeout, goes on",
        50,
        "told",
        under_query(executors.paused),
        (some("late reports refused"),),
        shown=("late reports refused",),
    ),
    Row(
        "scheduler killed, sqlite",
        150,
        "sqlite",
        under_query(schedulers.killed),
        _RESTARTED,
        shown=(schedulers.SERVES, PROGRESS),
    ),
    Row(
        "executor killed while files are written",
        100,
        "plain",
        under_write(executors.killed),
        failures_max=1,
    ),
    Row(
        "scheduler killed while files are written",
        50,
        "sqlite",
        under_write(schedulers.killed),
        _RESTARTED,
        shown=(schedulers.SERVES, PROGRESS),
    ),
    Row(
        "leading scheduler killed, etcd",
        150,
        "two schedulers",
        under_query(schedulers.leader_killed),
        _RESTARTED,
        shown=(PROGRESS,),
    ),
    Row(
        "leading scheduler stopped past its lease, goes on",
        50,
        "two schedulers",
        under_query(schedulers.leader_paused),
        (some(schedulers.REFUSED),),
        shown=(schedulers.REFUSED,),
    ),
    Row(
        "leader of three etcd members killed",
        50,
        "three members",
        under_query(stores.etcd_leader_killed),
        failures_max=None,
        mend=stores.restore_members,
    ),
    Row(
        "etcd without a quorum for 20 s",
        50,
        "three members",
        under_query(stores.quorum_lost, 90),
        failures_max=None,
        tested=False,
        mend=stores.restore_members,
    ),
    Row(
        "sqlite fails, 5 % of calls, before or after",
        50,
        "unlucky",
        stores.calls_fail,
        (some("calls failed"),),
        failures_max=None,
        shown=("calls failed",),
    ),
    Row(
        "etcd fails, 5 % of calls, before or after",
        50,
        "unlucky with etcd",
        stores.calls_fail,
        (some("calls failed"),),
        failures_max=None,
        shown=("calls failed",),
    ),
    Row(
        "bit flipped in a block",
        200,
        "plain",
        under_query(executors.bit_flipped),
    ),
    Row(
        "disk full",
        20,
        "tiny disks",
        room.disk_full,
        failures_max=None,
        shown=("queries beside it",),
    ),
    Row("work folder removed", 20, "plain", under_query(room.folder_removed), failures_max=None),
    Row(
        "memory for a quarter",
        20,
        "short of memory",
        room.memory_short,
        failures_max=None,
        shown=("queries beside it",),
    ),
    Row(
        "all executors killed, one returns",
        15,
        "plain",
        under_query(executors.all_killed_one_returns),
    ),
    Row(
        "all executors killed, none returns",
        15,
        "impatient",
        executors.all_killed_none_returns,
        (each_at_most("error after, s", ERROR_S_MAX),),
        shown=("error after, s",),
    ),
    Row("executor drained by SIGTERM", 50, "plain", under_query(executors.drained)),
    Row("result lost before it is read", 50, "plain", executors.result_lost),
    Row(
        "200 queries of 20 processes at once",
        5,
        "many",
        load.many_clients,
        shown=("queries", "queue at most"),
    ),
    Row(
        "2,000 queries one after another",
        1,
        "long",
        load.one_after_another,
        (no_growth(load.GROWTH_PERCENT_MAX),),
        shown=load.SHOWN,
        tested=False,
    ),
    Row("simulated history", 20_000, "", None, shown=("faults", "steps"), tested=False),
)
