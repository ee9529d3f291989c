"""Aggregates in two steps of which nothing divides the steps."""

from typing import Final

from springald.datafusion.v55 import plan_view_pb2 as pb
from springald.engine.modes import AggregateMode
from springald.engine.plan_view import PlanNode

_TWO_STEPS: Final = (AggregateMode.PARTIAL, AggregateMode.FINAL_PARTITIONED)


def in_one_step(node: PlanNode, child: PlanNode) -> PlanNode:
    """Returns an operator over a plan; of two steps of an aggregate that meet, one."""
    steps = node.kind == child.kind == "aggregate"
    if not steps or (child.body.mode, node.body.mode) != _TWO_STEPS:
        return PlanNode(node.kind, node.body, [child])
    body = pb.AggregateExecNode()
    body.CopyFrom(child.body)
    body.mode = AggregateMode.SINGLE_PARTITIONED
    body.group_expr_name[:] = node.body.group_expr_name
    body.aggr_expr_name[:] = node.body.aggr_expr_name
    body.ClearField("schema")
    if node.body.HasField("schema"):
        body.schema = node.body.schema
    return PlanNode(node.kind, body, child.children)
