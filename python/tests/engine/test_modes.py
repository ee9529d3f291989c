"""The numbers of joins and aggregates are those of the engine."""

from enum import IntEnum

import pytest
from datafusion import SessionConfig, SessionContext
from datafusion.plan import ExecutionPlan

from springald.engine import plan_view as pv
from springald.engine.modes import AggregateMode, JoinMode, JoinType
from springald.engine.plan_view import PlanNode

JOIN = "SELECT count(*) FROM range(3) x JOIN range(4) y ON x.value = y.value"


@pytest.fixture(scope="module")
def context() -> SessionContext:
    """A session whose plans have a hash join and an aggregate."""
    return SessionContext(SessionConfig().with_target_partitions(1))


def found(context: SessionContext, kind: str) -> PlanNode:
    """Returns the first operator of a kind in the plan of the query."""
    plan = context.sql(JOIN).execution_plan()
    root = pv.parse(plan.to_bytes(context))
    return next(node for node in root.walk() if node.kind == kind)


def told(context: SessionContext, node: PlanNode) -> str:
    """Returns what the engine says of an operator that it has read."""
    plan = ExecutionPlan.from_bytes(context, pv.serialize(node))
    return plan.display_indent().partition("\n")[0]


def engine_name(member: IntEnum) -> str:
    """Returns a name as the engine writes it."""
    return member.name.title().replace("_", "")


@pytest.mark.parametrize("join_type", JoinType)
def test_join_type_is_numbered_as_the_engine_does(
    context: SessionContext, join_type: JoinType
) -> None:
    """A wrong number would be another join, without an error."""
    join = found(context, "hash_join")
    join.body.ClearField("projection")
    join.body.join_type = join_type
    assert f"join_type={engine_name(join_type)}," in told(context, join)


@pytest.mark.parametrize("mode", JoinMode)
def test_join_mode_is_numbered_as_the_engine_does(context: SessionContext, mode: JoinMode) -> None:
    """A wrong number would collect a side that is sliced."""
    join = found(context, "hash_join")
    join.body.partition_mode = mode
    assert f"mode={engine_name(mode)}," in told(context, join)


@pytest.mark.parametrize("mode", AggregateMode)
def test_aggregate_mode_is_numbered_as_the_engine_does(
    context: SessionContext, mode: AggregateMode
) -> None:
    """A wrong number would aggregate states as rows."""
    aggregate = found(context, "aggregate")
    aggregate.body.mode = mode
    assert f"mode={engine_name(mode)}," in told(context, aggregate)
