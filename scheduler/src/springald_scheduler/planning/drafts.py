"""Stages while a plan is being cut, and what a cut may spare."""

from dataclasses import dataclass, field

import pyarrow as pa

from springald.engine.plan_view import PlanNode
from springald_scheduler.core.graph import Exchange, StageInput


@dataclass(frozen=True, slots=True)
class CutRules:
    """What a cut may spare.

    Attributes:
        share_stages: Whether stages that do the same are one.
        inline_values: Whether the last step of an aggregate without groups, which takes a row of
            each partition, is done by all tasks that read its row instead of by one of its own.
        spare_exchanges: Whether rows that lie by the hash of some keys are not sent by it again.
        one_step: Whether two steps of an aggregate that nothing divides any more become one.
    """

    share_stages: bool = True
    inline_values: bool = True
    spare_exchanges: bool = True
    one_step: bool = True


@dataclass(slots=True)
class StageDraft:
    """A stage while the plan is being cut.

    Attributes:
        stage_id: From 1, producers before consumers.
        root: The fragment's template, with the way out on top.
        inputs: The stages it reads, by the numbers of their markers.
        output: What comes out.
        partition_count: How many partitions can be sliced.
        schema: The rows as they lie in a file.
        rows_schema: The rows as the consumer wants them.
        single_task_reason: Why the partitions stay together; empty if they need not.
        decisions: What was decided about it, for people.
    """

    stage_id: int
    root: PlanNode
    inputs: tuple[StageInput, ...]
    output: Exchange
    partition_count: int
    schema: pa.Schema
    rows_schema: pa.Schema
    single_task_reason: str
    decisions: list[str] = field(default_factory=list)
